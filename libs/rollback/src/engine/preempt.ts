import type { AuditTrail } from '@belay/platform';
import type pg from 'pg';
import { auditActor, type Actor } from './actor.js';
import { insist } from './fence.js';
import type { Scope } from './lease.js';

interface Met {
  readonly id: string;
  readonly state: string;
  readonly plan_id: string;
}

/**
 * Takes a scope away from whatever is at work in it, in the caller's transaction of the control database: nothing is
 * written any more under the former epoch. Runs are paused, `preempted`; one that had not begun is cancelled. Answers whom
 * it met. The next executor reconciles the step that was under way.
 */
export async function preempt(
  client: pg.ClientBase,
  control: pg.Pool,
  audit: AuditTrail,
  { by, scope, reason, environment }: { by: Actor; scope: Scope; reason: string; environment: string },
): Promise<readonly string[]> {
  const { rows } = await client.query<{ epoch: string }>(
    `UPDATE control.lease SET holder = NULL, purpose = NULL, run_id = NULL, heartbeat_at = NULL, epoch = epoch + 1
     WHERE scope = $1 RETURNING epoch`,
    [scope],
  );
  const epoch = rows[0]?.epoch;
  const met = await insist(client, control, () =>
    client.query<Met>(
      `SELECT id, state, plan_id FROM control.run
       WHERE scope = $1 AND mode <> 'dry' AND (state IN ('queued', 'running', 'verifying', 'failed', 'compensating', 'manual')
         OR (state = 'paused' AND paused_for <> 'preempted'))
       FOR UPDATE`,
      [scope],
    ),
  );
  for (const { id, state, plan_id: planId } of met.rows) {
    const to = state === 'queued' ? 'cancelled' : 'paused';
    await client.query(
      `UPDATE control.run
       SET epoch = $2, state = $3, wish = NULL, last_event = last_event + 1,
           paused_for = CASE WHEN $3 = 'paused' THEN 'preempted' END,
           paused_from = CASE WHEN $3 = 'paused' THEN coalesce(paused_from, state) END,
           finished_at = CASE WHEN $3 = 'cancelled' THEN clock_timestamp() ELSE finished_at END
       WHERE id = $1`,
      [id, epoch, to],
    );
    await client.query(
      `INSERT INTO control.run_event (run_id, seq, type, payload)
       SELECT id, last_event, $2, $3 FROM control.run WHERE id = $1`,
      [id, `run.${to}`, JSON.stringify({ for: 'preempted', by: by.name })],
    );
    const words = { action: `run.${to}`, subject: id, environment, reason, planId, runId: id, outcome: 'preempted' };
    await audit.append({ actor: auditActor(by), ...words }, client);
  }
  return met.rows.map(({ id }) => id);
}
