import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until it holds; throws what it last threw when it does not within the time. Answers how long it took. */
export async function eventually(holds: () => Promise<void> | void, withinMs = 2_000): Promise<number> {
  const began = performance.now();
  for (;;) {
    try {
      await holds();
      return performance.now() - began;
    } catch (error) {
      if (performance.now() - began > withinMs) throw error;
      await sleep(5);
    }
  }
}
