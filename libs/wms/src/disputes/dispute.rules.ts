import type { DisputeState } from './dispute-state.rules.js';
import { Money } from '../money.rules.js';

/** How many days a dispute may stand in a state before somebody is told. */
export const slaDays = { open: 3, contacted: 14, escalated: 7 } as const satisfies Partial<
  Record<DisputeState, number>
>;

const DAY_MS = 86_400_000;

/** By when it must be moved on; null once it has ended. */
export function dueAt(status: DisputeState, since: Date): Date | null {
  if (status === 'resolved' || status === 'withdrawn') return null;
  return new Date(since.getTime() + slaDays[status] * DAY_MS);
}

export type CreditState = 'none' | 'awaited' | 'received' | 'differs';

/** Whether the operator's credit note has come, and brings what was agreed in the disputes that it settles. */
export function creditState(agreed: Money | null, note: { brings: Money; agreed: Money } | null): CreditState {
  if (agreed === null || agreed.minor === 0n) return 'none';
  if (note === null) return 'awaited';
  return note.brings.compare(note.agreed) === 0 ? 'received' : 'differs';
}
