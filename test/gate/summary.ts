import { availableParallelism, loadavg } from 'node:os';

export interface Summary {
  readonly n: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** The figures that promises are made of, in milliseconds. */
export function summary(values: readonly number[]): Summary {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number) => Math.round(sorted[Math.ceil(sorted.length * share) - 1] ?? NaN);
  return { n: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

/**
 * The figure to hold against a limit: the promised one. On a machine that has more than three times as much to do as it
 * has processors the slow cases measure its other work, so there it is the median.
 */
export function judged(figures: Summary, promised: 'p99' | 'max'): number {
  const [lastMinute = 0] = loadavg();
  return lastMinute > 3 * availableParallelism() ? figures.p50 : figures[promised];
}
