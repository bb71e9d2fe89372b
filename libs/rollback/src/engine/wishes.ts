import type pg from 'pg';
import type { Actor } from './actor.js';
import type { JsonObject } from './json.js';

/** In which states a run can be asked for what; the executor heeds it at the next boundary between two steps. */
const wishable = {
  pause: ['running', 'verifying'],
  resume: ['paused'],
  cancel: ['queued', 'running', 'verifying', 'paused'],
  confirm: ['manual'],
} as const;
/** Steps of a run that is at an end, or on its way back, are asked for nothing. */
const underWay = ['queued', 'running', 'verifying', 'paused'] as const;
const wishableSteps = {
  retry: ['failed'],
  skip: ['pending', 'previewed', 'failed', 'waiting'],
  confirm: ['waiting'],
} as const;

export type RunWish = keyof typeof wishable;
export type StepWish = keyof typeof wishableSteps;

/** Asks for it in the caller's transaction of the control database; false when the run is in no state for that. */
export async function wishRun(
  client: pg.Pool | pg.ClientBase,
  runId: string,
  wish: RunWish,
  by: Actor,
  reason: string,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE control.run SET wish = $2, wish_by = $3, wish_reason = $4 WHERE id = $1 AND state = ANY ($5)`,
    [runId, wish, by.id, reason, wishable[wish]],
  );
  return rowCount === 1;
}

/**
 * Asks for it in the caller's transaction; false when the step, or its run, is in no state for that. A run that is paused goes on only
 * when that is asked for too.
 */
export async function wishStep(
  client: pg.Pool | pg.ClientBase,
  runId: string,
  idx: number,
  wish: StepWish,
  by: Actor,
  facts: JsonObject,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE control.run_step SET wish = $3, wish_by = $4, wish_facts = $5
     WHERE run_id = $1 AND idx = $2 AND state = ANY ($6)
       AND EXISTS (SELECT FROM control.run WHERE id = $1 AND state = ANY ($7))`,
    [runId, idx, wish, by.id, JSON.stringify(facts), wishableSteps[wish], underWay],
  );
  return rowCount === 1;
}
