import type pg from 'pg';
import { RunNotFound } from '../runs/run.problems.js';
import type { KeptFacts } from './purge-draft.rules.js';
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

/** What is kept of the domain, by the clock of the control database. */
export async function readKept(control: pg.Pool | pg.ClientBase, domain: string): Promise<KeptFacts> {
  const [{ rows: parked }, { rows: copies }, { rows: clock }] = await Promise.all([
    control.query<KeptFacts['parked'][number]>(
      `SELECT kind, object, parked_at AS since FROM control.parked_object
       WHERE domain = $1 AND taken_back_at IS NULL AND purged_by IS NULL ORDER BY object`,
      [domain],
    ),
    control.query<KeptFacts['copies'][number]>(
      `SELECT kind, object, kept_at AS since FROM control.failed_copy
       WHERE coalesce(domain, 'application') = $1 AND taken_back_at IS NULL AND purged_by IS NULL ORDER BY object`,
      [domain],
    ),
    control.query<{ now: Date }>(`SELECT clock_timestamp() AS now`),
  ]);
  return { parked, copies, now: clock[0]?.now ?? new Date() };
}
