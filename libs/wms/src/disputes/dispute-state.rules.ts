export const disputeStates = ['open', 'contacted', 'escalated', 'resolved', 'withdrawn'] as const;
export type DisputeState = (typeof disputeStates)[number];

export const disputeResolutions = ['accepted', 'rejected', 'partial_accept', 'withdrawn'] as const;
export type DisputeResolution = (typeof disputeResolutions)[number];

/** What a dispute may become. It is resolved with the operator, so they must have been contacted; we may always withdraw. */
export const disputeTransitions = {
  open: ['contacted', 'withdrawn'],
  contacted: ['escalated', 'resolved', 'withdrawn'],
  escalated: ['resolved', 'withdrawn'],
  resolved: [],
  withdrawn: [],
} as const satisfies Record<DisputeState, readonly DisputeState[]>;

export function disputeMayBecome(from: DisputeState, to: DisputeState): boolean {
  const allowed: readonly DisputeState[] = disputeTransitions[from];
  return allowed.includes(to);
}
