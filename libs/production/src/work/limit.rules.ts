import type { QueueReason } from '../lifecycle/token.rules.js';

export type LimitReason = Extract<QueueReason, 'CONCURRENCY_LIMIT' | 'WIP_LIMIT'>;

/** What a scope allows at once; null is unlimited. */
export interface Limits {
  readonly concurrency: number | null;
  readonly wip: number | null;
  readonly queue: number | null;
}

/** What there is in a scope now. */
export interface Occupancy {
  /** Assignments that are being worked on; paused ones do not count. */
  readonly started: number;
  /** Tokens that were let in: ready, active or paused. */
  readonly admitted: number;
  /** Tokens that wait, whatever for. */
  readonly waiting: number;
  /** Of these, those that wait for the limits: nobody who comes later is let in before them. */
  readonly queued: number;
}

export interface Verdict {
  /** `full`: not even the queue has room. */
  readonly verdict: 'admitted' | 'queued' | 'full';
  readonly reason: LimitReason | null;
  /** There is a place, but others have waited for it longer. */
  readonly behind: boolean;
}

/** The limit that is full, the first one counts. */
function fullLimit({ concurrency, wip }: Limits, { started, admitted }: Occupancy): LimitReason | null {
  if (concurrency !== null && started >= concurrency) return 'CONCURRENCY_LIMIT';
  if (wip !== null && admitted >= wip) return 'WIP_LIMIT';
  return null;
}

/** What whoever finds no place waits for; null where everybody is let in. */
export function reasonToQueue({ concurrency, wip }: Limits): LimitReason | null {
  if (concurrency !== null) return 'CONCURRENCY_LIMIT';
  return wip === null ? null : 'WIP_LIMIT';
}

/** The limit that keeps out whoever has their turn after `before` others were let in; null when there is still a place. */
export function limitAfter(limits: Limits, now: Occupancy, before: number): LimitReason | null {
  return fullLimit(limits, { ...now, started: now.started + before, admitted: now.admitted + before });
}

/**
 * What becomes of tokens that arrive one after the other: each entry says whether it may overfill the queue, because it has
 * no other place to stay.
 */
export function arrivalsOf(limits: Limits, before: Occupancy, arrivals: readonly boolean[]): Verdict[] {
  const behind = reasonToQueue(limits) ?? 'WIP_LIMIT';
  let now = before;
  return arrivals.map((mayOverfill): Verdict => {
    const full = fullLimit(limits, now);
    const reason = full ?? (now.queued > 0 ? behind : null);
    if (reason === null) {
      now = { ...now, admitted: now.admitted + 1 };
      return { verdict: 'admitted', reason, behind: false };
    }
    if (limits.queue !== null && now.waiting >= limits.queue && !mayOverfill) {
      return { verdict: 'full', reason, behind: false };
    }
    now = { ...now, waiting: now.waiting + 1, queued: now.queued + 1 };
    return { verdict: 'queued', reason, behind: full === null };
  });
}

/** How many of those who wait may come in now; each is about to take a slot. */
export function vacancies({ concurrency, wip }: Limits, { started, admitted }: Occupancy): number {
  const slots = concurrency === null ? Infinity : concurrency - started;
  const room = wip === null ? Infinity : wip - admitted;
  return Math.max(0, Math.min(slots, room));
}
