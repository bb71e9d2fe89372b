import type { PastVisit } from './history.contract.js';

/** A visit as it is kept, times in milliseconds since 1970. */
export interface KeptVisit {
  readonly visit: PastVisit;
  /** How often the token had been at the node, this time included. */
  readonly visitNo: number;
  /** When it could have been begun: as soon as whatever was begun before it had ended. */
  readonly enteredAt: number;
  readonly startedAt: number;
  readonly endedAt: number;
  /** `reworked`: what comes next had to be done again. */
  readonly outcome: 'moved' | 'reworked';
  readonly overlaps: boolean;
}

/** The visits in the order in which they began. What nobody wrote down, such as when work arrived, follows from the others. */
export function visitsInOrder(given: readonly PastVisit[]): KeptVisit[] {
  const timed = given.map((visit) => ({
    visit,
    startedAt: Date.parse(visit.startedAt),
    endedAt: Date.parse(visit.endedAt),
  }));
  const ordered = timed.toSorted((one, other) => one.startedAt - other.startedAt || one.endedAt - other.endedAt);
  const times = new Map<string, number>();
  let free: number | undefined;
  return ordered.map(({ visit, startedAt, endedAt }, n) => {
    const visitNo = (times.get(visit.nodeCode) ?? 0) + 1;
    times.set(visit.nodeCode, visitNo);
    const overlaps = free !== undefined && free > startedAt;
    const enteredAt = Math.min(free ?? startedAt, startedAt);
    free = Math.max(free ?? endedAt, endedAt);
    const outcome = ordered[n + 1]?.visit.isRework === true ? 'reworked' : 'moved';
    return { visit, visitNo, enteredAt, startedAt, endedAt, outcome, overlaps };
  });
}
