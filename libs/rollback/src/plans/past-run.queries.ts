import type pg from 'pg';
import { RunNotFound } from '../runs/run.problems.js';
import type { PastRun, PastStep } from './undo-draft.rules.js';

/** A run with its steps as the journal left them. Throws `RunNotFound`. */
export async function readPastRun(control: pg.Pool | pg.ClientBase, id: string): Promise<PastRun> {
  const { rows: runs } = await control.query<Pick<PastRun, 'id' | 'state' | 'undoneBy'>>(
    `SELECT id, state, (SELECT undo.id FROM control.run undo
                        WHERE undo.undoes = run.id AND undo.state IN ('verifying', 'monitoring', 'closed')
                        ORDER BY undo.created_at DESC LIMIT 1) AS "undoneBy"
     FROM control.run WHERE id = $1`,
    [id],
  );
  const [run] = runs;
  if (!run) throw new RunNotFound(id);
  const { rows: steps } = await control.query<PastStep>(
    `SELECT idx, action, domain, state, input, before, result FROM control.run_step WHERE run_id = $1 ORDER BY idx`,
    [id],
  );
  return { ...run, steps };
}

/** When the newest of what is kept of the domain was put aside, by the clock of the control database. */
export async function readKept(
  control: pg.Pool | pg.ClientBase,
  domain: string,
  copies: readonly string[],
): Promise<{ readonly parkedAt: Date | null; readonly copies: readonly string[]; readonly now: Date }> {
  const { rows } = await control.query<{ parkedAt: Date | null; copies: string[]; now: Date }>(
    `WITH kept AS (
       SELECT parked_at AS at, NULL AS copy FROM control.parked_object
       WHERE domain = $1 AND taken_back_at IS NULL AND purged_by IS NULL
       UNION ALL
       SELECT kept_at, object FROM control.failed_copy
       WHERE object = ANY ($2) AND taken_back_at IS NULL AND purged_by IS NULL)
     SELECT max(at) AS "parkedAt", coalesce(array_agg(copy) FILTER (WHERE copy IS NOT NULL), '{}') AS copies,
            clock_timestamp() AS now
     FROM kept`,
    [domain, [...copies]],
  );
  return rows[0] ?? { parkedAt: null, copies: [], now: new Date() };
}
