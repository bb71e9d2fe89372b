import { databaseError } from '../database/violation.js';
import { LockNotGranted } from './migrations.problems.js';

/** Replaced by tests; the defaults are the wall. */
export interface RetryClock {
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
}

export const systemClock: RetryClock = {
  now: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  random: Math.random,
};

/** How long a statement waits for a lock: everybody who wants the same object queues behind it that long. */
export const LOCK_TIMEOUT_MS = 2_000;
const FIRST_PAUSE_MS = 1_000;
const ALTOGETHER_MS = 60_000;

const LOCK_NOT_AVAILABLE = '55P03';
const DEADLOCK_DETECTED = '40P01';

/** What the server said when it did not grant a lock, or broke a deadlock. */
export function lockRefusal(error: unknown): string | undefined {
  const refusal = databaseError(error);
  return refusal?.code === LOCK_NOT_AVAILABLE || refusal?.code === DEADLOCK_DETECTED ? refusal.message : undefined;
}

/**
 * Does the work again when a lock was not granted or a deadlock was broken, and only then; pauses double from 1 s with
 * full jitter. Throws `LockNotGranted` when another attempt could end later than 60 s after the first began.
 */
export async function retryLocked<Result>(
  work: () => Promise<Result>,
  clock: RetryClock = systemClock,
): Promise<Result> {
  const deadline = clock.now() + ALTOGETHER_MS;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const refusal = lockRefusal(error);
      if (refusal === undefined) throw error;
      const pause = clock.random() * FIRST_PAUSE_MS * 2 ** (attempt - 1);
      if (clock.now() + pause + LOCK_TIMEOUT_MS > deadline) throw new LockNotGranted(attempt, refusal);
      await clock.sleep(pause);
    }
  }
}
