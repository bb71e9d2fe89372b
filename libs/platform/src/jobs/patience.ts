import { setTimeout as sleep } from 'node:timers/promises';

export interface Patience {
  /** How long jobs may take to end by themselves. */
  readonly graceMs: number;
  /** How long they may take after the abort signal. */
  readonly abortMs: number;
}

/** When a module goes off or the worker's modules change. */
export const unhurried: Patience = { graceMs: 30_000, abortMs: 10_000 };

/** When the process ends. */
export const hurried: Patience = { graceMs: 5_000, abortMs: 2_000 };

/** Whether the work ends in time; it goes on in any case. */
export async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  const stop = new AbortController();
  const tooLate = sleep(ms, false, { signal: stop.signal }).catch(() => false);
  try {
    return await Promise.race([work.then(() => true), tooLate]);
  } finally {
    stop.abort();
  }
}
