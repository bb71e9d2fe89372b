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
