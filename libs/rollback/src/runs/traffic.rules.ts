import type { Traffic } from './run.contract.js';

type Figures = Traffic['modules'][number]['before'];

/** Requests of a module in some minutes, as processes have counted them. */
export interface Counted {
  readonly requests: number;
  readonly errors: number;
  /** How many took at most as long as each bound; the last slot has those that took longer. */
  readonly slots: readonly number[];
}

/** Latency by linear interpolation within a slot; what took longer than every bound counts as the last one. */
export function figuresOf({ requests, errors, slots }: Counted, boundsMs: readonly number[]): NonNullable<Figures> {
  const rate = requests === 0 ? 0 : errors / requests;
  return {
    requests,
    errors,
    errorRate: Math.round(rate * 10_000) / 10_000,
    p50Ms: quantile(0.5, slots, boundsMs),
    p95Ms: quantile(0.95, slots, boundsMs),
  };
}

function quantile(share: number, slots: readonly number[], boundsMs: readonly number[]): number | null {
  const total = slots.reduce((sum, one) => sum + one, 0);
  if (total === 0) return null;
  let below = 0;
  for (const [place, count] of slots.entries()) {
    const upper = boundsMs[place];
    if (upper === undefined) break;
    if (below + count >= share * total) {
      const lower = boundsMs[place - 1] ?? 0;
      return Math.round((lower + ((share * total - below) / count) * (upper - lower)) * 10) / 10;
    }
    below += count;
  }
  return boundsMs.at(-1) ?? null;
}
