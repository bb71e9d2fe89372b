import { setTimeout as sleep } from 'node:timers/promises';
import { retryLocked } from '@belay/platform';

/**
 * Does the work again when a lock was not granted or a deadlock was broken, and only then: pauses double from one second
 * with full jitter, sixty seconds in all. An abort ends a pause.
 */
export function retryLocks<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
  return retryLocked(work, {
    now: () => performance.now(),
    sleep: async (ms) => {
      await sleep(ms, undefined, { signal });
    },
    random: Math.random,
  });
}
