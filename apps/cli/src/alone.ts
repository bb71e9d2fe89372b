import { setTimeout as sleep } from 'node:timers/promises';
import { domains } from '@belay/domains';
import { Problem } from '@belay/platform';

const lookEveryMs = 200;

/**
 * Changes schemas under the lease that runs take. Another deployment is waited for, a run is not: it throws the refusal,
 * which names the run.
 */
export async function alone<Result>(controlUrl: string, waitMs: number, work: () => Promise<Result>): Promise<Result> {
  const whileAlone = domains.find((domain) => domain.whileAlone)?.whileAlone;
  if (!whileAlone) return work();
  const deadline = performance.now() + waitMs;
  for (;;) {
    // What the work itself refuses is not asked for again.
    const state = { begun: false };
    try {
      return await whileAlone(controlUrl, 'migration', () => {
        state.begun = true;
        return work();
      });
    } catch (error) {
      const passing = isHeld(error) && error.members['purpose'] === 'migration' && !state.begun;
      if (!passing || performance.now() >= deadline) throw error;
    }
    await sleep(lookEveryMs);
  }
}

/** Whether somebody else is at work. */
export function isHeld(error: unknown): error is Problem {
  return error instanceof Problem && error.slug === 'run-in-progress';
}
