import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '@belay/platform';
import type { Confirmation, StepContext } from './action.js';
import { backoffMs, breakMs } from './backoff.rules.js';
import { brokeOff } from './error-facts.js';
import { FencedOff } from './fence.js';
import { LeaseLost } from './lease.js';
import { limited, StillAtWork } from './limited.js';
import type { LiveRun } from './live-run.js';
import { stepContext } from './step-context.js';

const LOOK_ATTEMPTS = 3;
/** How long a database that does not answer is waited for, before a person is asked. */
const PATIENCE_MS = 60_000;
const EMERGENCY_PATIENCE_MS = 2_000;

/** How a step meets the world: with its own key, under the epoch of its run, and with patience for what may pass. */
export class StepSight {
  constructor(
    private readonly live: LiveRun,
    private readonly stepKey: string,
    private readonly timeoutS: number,
  ) {}

  /** A look has no effect, so that it is repeated when it fails for reasons that may pass; a database is waited for. */
  async look<Seen>(see: (context: StepContext) => Promise<Seen>): Promise<Seen> {
    const until = performance.now() + (this.live.run.mode === 'emergency' ? EMERGENCY_PATIENCE_MS : PATIENCE_MS);
    for (let failures = 1; ; failures++) {
      try {
        return await limited(this.live.signal, this.timeoutS, (signal, deadline) =>
          see(this.context(signal, deadline)),
        );
      } catch (error) {
        this.throwIfOver(error);
        const hopeless = error instanceof Problem && error.kind !== 'unavailable';
        const enough = brokeOff(error) ? performance.now() > until : failures >= LOOK_ATTEMPTS;
        if (hopeless || enough) throw error;
        await this.pause(error, failures);
      }
    }
  }

  async pause(error: unknown, failures: number): Promise<void> {
    const ms = brokeOff(error) ? breakMs(failures) : backoffMs(failures, Math.random());
    await sleep(ms, undefined, { signal: this.live.signal });
  }

  /** Whatever went wrong, the run may have been lost to somebody else. */
  throwIfOver(error: unknown): void {
    this.live.signal.throwIfAborted();
    if (error instanceof LeaseLost || error instanceof StillAtWork) throw error;
    if (error instanceof FencedOff) throw new LeaseLost(this.live.run.scope);
  }

  context(
    signal: AbortSignal,
    deadline: number,
    progress?: StepContext['progress'],
    confirmed: Confirmation | null = null,
  ): StepContext {
    const { world, run } = this.live;
    const { id: runId, epoch, scope, actor, reason } = run;
    const facts = { runId, stepKey: this.stepKey, epoch, scope, actor, reason, signal, deadline, confirmed };
    return stepContext(world, progress ? { ...facts, progress } : facts);
  }
}
