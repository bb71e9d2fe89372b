export const invoiceStates = [
  'draft',
  'pending',
  'needs_review',
  'reconciled',
  'disputed',
  'approved',
  'paid',
  'void',
] as const;
export type InvoiceState = (typeof invoiceStates)[number];

/** What an invoice may become. Paid and void are final: what was wrong with a paid one is put right by a credit note. */
export const invoiceTransitions = {
  draft: ['pending', 'void'],
  pending: ['needs_review', 'reconciled', 'void'],
  needs_review: ['disputed', 'reconciled', 'void'],
  reconciled: ['disputed', 'approved', 'void'],
  disputed: ['reconciled', 'approved', 'void'],
  approved: ['paid', 'void'],
  paid: [],
  void: [],
} as const satisfies Record<InvoiceState, readonly InvoiceState[]>;

export function invoiceMayBecome(from: InvoiceState, to: InvoiceState): boolean {
  const allowed: readonly InvoiceState[] = invoiceTransitions[from];
  return allowed.includes(to);
}

/** How far the lines of its last reconciliation are settled. */
export interface LineStanding {
  /** Neither a match nor accepted, and nobody has decided. */
  readonly pending: number;
  readonly disputed: number;
  /** Disputes with the operator that have not ended. */
  readonly openDisputes: number;
}

/** What an invoice is by its lines; one that was approved or has ended stays what it is. */
export function stateByLines(state: InvoiceState, { pending, disputed, openDisputes }: LineStanding): InvoiceState {
  const settled = pending === 0 && disputed === 0;
  switch (state) {
    case 'pending':
      return settled ? 'reconciled' : 'needs_review';
    case 'needs_review':
      if (settled) return 'reconciled';
      return pending === 0 ? 'disputed' : 'needs_review';
    case 'reconciled':
      return disputed > 0 ? 'disputed' : 'reconciled';
    case 'disputed':
      return settled && openDisputes === 0 ? 'reconciled' : 'disputed';
    default:
      return state;
  }
}
