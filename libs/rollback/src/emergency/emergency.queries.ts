import type pg from 'pg';
import type { PlanTarget } from '../plans/plan.contract.js';

type Control = Pick<pg.ClientBase, 'query'>;

/** Whether the run is there already. */
export async function runsAs(on: Control, runId: string): Promise<boolean> {
  const { rowCount } = await on.query(`SELECT FROM control.run WHERE id = $1`, [runId]);
  return rowCount === 1;
}

/** An emergency of this level or a higher one that has not come to its end. */
export async function emergencyAtWork(on: Control, level: string): Promise<string | undefined> {
  const { rows } = await on.query<{ id: string }>(
    `SELECT id FROM control.run
     WHERE scope = 'live' AND mode = 'emergency' AND level >= $1
       AND (state IN ('queued', 'running', 'verifying', 'failed', 'compensating')
            OR (state = 'paused' AND paused_for <> 'preempted'))
     ORDER BY created_at DESC LIMIT 1`,
    [level],
  );
  return rows[0]?.id;
}

/** The newest plan for exactly this emergency that everybody has agreed to who must. */
export async function agreedPlan(
  on: Control,
  target: Extract<PlanTarget, { kind: 'emergency' }>,
): Promise<string | undefined> {
  const { rows } = await on.query<{ id: string }>(
    `SELECT id FROM control.plan
     WHERE kind = 'emergency' AND state = 'approved' AND expires_at > clock_timestamp() AND doc->'target' = $1::jsonb
     ORDER BY created_at DESC LIMIT 1`,
    [JSON.stringify(target)],
  );
  return rows[0]?.id;
}
