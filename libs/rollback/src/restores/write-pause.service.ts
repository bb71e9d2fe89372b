import { PLATFORM_WRITES } from '@belay/platform';
import { switchFlag } from '../actions/flag-state.service.js';
import { acknowledged, placeOf } from '../actions/live-process.queries.js';
import type { StepContext } from '../engine/action.js';
import { markedStep } from '../engine/fence.js';
import { RestoreRefused } from '../rollback.problems.js';

/** A process that is not told of a stop within this time is dead, or keeps the swap from happening. */
const OBEYED_WITHIN_MS = 7_000;

/** Stops every write unless that was done already, does the work, and tells how long nobody could write. */
export async function pausingWrites(ctx: StepContext, work: (paused: boolean) => Promise<void>): Promise<number> {
  const began = performance.now();
  const planned = await isStoppedByPlan(ctx);
  const { changed: paused, seq } = await switchFlag(ctx, PLATFORM_WRITES, true, (present) => present?.off !== true);
  const changed = paused && !planned;
  try {
    const until = Math.min(began + OBEYED_WITHIN_MS, ctx.deadline);
    const { behind } = await acknowledged(ctx.world.control, BigInt(seq), until, ctx.signal);
    if (behind.length > 0) throw new RestoreRefused('Not every process stops writing', { behind: behind.map(placeOf) });
    await work(changed);
    return Math.round(performance.now() - began);
  } catch (error) {
    if (changed && !(await isOver(ctx))) await letWrite(ctx);
    throw error;
  }
}

/** Whether the names were exchanged all the same: then whoever goes on lets everybody write again. */
async function isOver(ctx: StepContext): Promise<boolean> {
  return markedStep(ctx.world.application, ctx.stepKey).then(
    (result) => result !== undefined,
    () => true,
  );
}

/** Whether an earlier step of the run has stopped all writes: then a later one lets them go on. */
export async function isStoppedByPlan({ world, runId }: StepContext): Promise<boolean> {
  const { rowCount } = await world.control.query(
    `SELECT FROM control.run_step
     WHERE run_id = $1 AND action = 'flag.off' AND input ->> 'flag' = $2 AND state IN ('effect-done', 'verified')`,
    [runId, PLATFORM_WRITES],
  );
  return (rowCount ?? 0) > 0;
}

export async function letWrite(ctx: StepContext): Promise<void> {
  await switchFlag(ctx, PLATFORM_WRITES, false, (present) => present?.off === true && present.runId === ctx.runId);
}
