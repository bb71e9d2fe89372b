export type LoadMode = 'count' | 'weighted' | 'minutes' | 'combined';

/** What somebody has to do, over all nodes. */
export interface Work {
  /** Assignments that are open, on tokens that live. */
  readonly open: number;
  readonly sessions: number;
  /** Assignments of the last 24 hours. */
  readonly lastDay: number;
  /** Estimated minutes of the open ones. */
  readonly minutes: number;
  /** Open pieces of OEM jobs. */
  readonly pieces: number;
  /** Open tokens of other jobs. */
  readonly serials: number;
}

/** How loaded somebody is, in the measure of the team. */
export function loadOf(mode: LoadMode, work: Work): number {
  switch (mode) {
    case 'count':
      return work.open;
    case 'weighted':
      return work.sessions + work.lastDay * 0.5;
    case 'minutes':
      return work.minutes;
    case 'combined':
      return work.pieces / 100 + work.serials * 10;
  }
}

/** With one more assignment, of so many minutes and pieces. */
export function moreWork(work: Work, token: { minutes: number; pieces: number; oem: boolean }): Work {
  return {
    ...work,
    open: work.open + 1,
    lastDay: work.lastDay + 1,
    minutes: work.minutes + token.minutes,
    pieces: work.pieces + (token.oem ? token.pieces : 0),
    serials: work.serials + (token.oem ? 0 : 1),
  };
}

export interface Spread {
  readonly people: number;
  readonly mean: number;
  /** Standard deviation of the whole population. */
  readonly sigma: number;
  /** Mean distance from the mean, as a share of it. */
  readonly drift: number;
}

/** How evenly work lies on people; all noughts when there is none, or nobody. */
export function spreadOf(loads: readonly number[]): Spread {
  const people = loads.length;
  const total = loads.reduce((sum, load) => sum + load, 0);
  if (people === 0 || total === 0) return { people, mean: 0, sigma: 0, drift: 0 };
  const mean = total / people;
  const average = (distance: (load: number) => number) => loads.reduce((sum, load) => sum + distance(load), 0) / people;
  return {
    people,
    mean,
    sigma: Math.sqrt(average((load) => (load - mean) ** 2)),
    drift: average((load) => Math.abs(load - mean)) / mean,
  };
}
