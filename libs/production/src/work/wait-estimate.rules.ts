/** What the estimate of a wait is made of; minutes throughout. */
export interface WaitFacts {
  /** What one token takes, when that is known. */
  readonly service: number | null;
  /** How many are worked on at once: the limit, else the people there are. */
  readonly servers: number;
  /** How long each of the running sessions has worked. */
  readonly elapsed: readonly number[];
}

/** The least of its time that a session still takes, however late it is. */
const LEAST_LEFT = 0.1;

/**
 * Minutes until each of the first `positions` tokens of the queue has its turn, rounded up; undefined when nobody knows
 * how long a token takes. Whoever is free first takes the next one.
 */
export function waitsOf({ service, servers, elapsed }: WaitFacts, positions: number): number[] | undefined {
  if (service === null) return undefined;
  const count = Math.max(1, servers);
  if (elapsed.length === 0) {
    return Array.from({ length: positions }, (_, index) => Math.ceil(Math.ceil((index + 1) / count) * service));
  }
  const free = elapsed.map((minutes) => Math.max(service - minutes, LEAST_LEFT * service));
  while (free.length < count) free.push(0);
  free.sort(earliestFirst);
  return Array.from({ length: positions }, () => {
    const turn = free.shift() ?? 0;
    free.push(turn + service);
    free.sort(earliestFirst);
    return roundedUp(turn);
  });
}

/** Sums of fractions of minutes must not become a minute more by how they are stored. */
function roundedUp(minutes: number): number {
  return Math.ceil(Math.round(minutes * 1e6) / 1e6);
}

function earliestFirst(one: number, other: number): number {
  return one - other;
}
