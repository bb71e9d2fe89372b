import { statement } from '@belay/platform';
import type { IntegritySeverity } from './integrity.queries.js';

/** Whether this transaction is now the only one that checks. */
export const lockChecks = statement<{ locked: boolean }>(
  'wms.lock_integrity',
  `SELECT pg_try_advisory_xact_lock(hashtextextended('wms.integrity', 0)) AS locked`,
);

/**
 * What the checks of this transaction may take: each at most $1 ms, and the memory for a group of every bucket, without
 * which the ledger is sorted on disk. No helpers: each would hand over a group of nearly every bucket, to be added up again.
 */
export const limitChecks = statement(
  'wms.limit_checks',
  `SELECT set_config('statement_timeout', $1, true), set_config('work_mem', '64MB', true),
          set_config('max_parallel_workers_per_gather', '0', true)`,
);

// A check that is given up must not take the others with it.
export const beginCheck = statement('wms.begin_check', `SAVEPOINT wms_check`);
export const endCheck = statement('wms.end_check', `RELEASE SAVEPOINT wms_check`);
export const giveCheckUp = statement('wms.give_check_up', `ROLLBACK TO SAVEPOINT wms_check`);

/** $1 id, $2 begin, $3 who, then the fields of the results. */
export const insertRun = statement(
  'wms.insert_integrity_run',
  `WITH run AS (
     INSERT INTO wms.integrity_run (id, started_at, requested_by) VALUES ($1::uuid, $2::timestamptz, $3::uuid) RETURNING id)
   INSERT INTO wms.integrity_result (run_id, check_name, severity, outcome, violations, sample, duration_ms, note)
   SELECT run.id, r.* FROM run, unnest($4::text[], $5::text[], $6::text[], $7::integer[], $8::jsonb[], $9::integer[], $10::text[]) AS r`,
);

export const forgetOldRuns = statement(
  'wms.forget_integrity_runs',
  `DELETE FROM wms.integrity_run WHERE finished_at < now() - interval '400 days'`,
);

export interface RunRow {
  readonly id: string;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly sortAt: string;
  readonly requestedBy: string;
  readonly failed: number;
  readonly inconclusive: number;
}

const runColumns = `r.id, r.started_at AS "startedAt", r.finished_at AS "finishedAt", r.finished_at::text AS "sortAt",
  r.requested_by AS "requestedBy",
  (SELECT count(*)::integer FROM wms.integrity_result c WHERE c.run_id = r.id AND c.outcome = 'failed') AS failed,
  (SELECT count(*)::integer FROM wms.integrity_result c WHERE c.run_id = r.id AND c.outcome = 'inconclusive') AS inconclusive`;

/** The latest first. $1 and $2 the run to go on after, $3 rows. */
export const runList = statement<RunRow>(
  'wms.integrity_runs',
  `SELECT ${runColumns} FROM wms.integrity_run r
   WHERE $2::uuid IS NULL OR (r.finished_at, r.id) < ($1::timestamptz, $2)
   ORDER BY r.finished_at DESC, r.id DESC LIMIT $3`,
);

/** The run $1; the last when it is null. */
export const runById = statement<RunRow>(
  'wms.integrity_run_by_id',
  `SELECT ${runColumns} FROM wms.integrity_run r WHERE $1::uuid IS NULL OR r.id = $1
   ORDER BY r.finished_at DESC, r.id DESC LIMIT 1`,
);

export interface ResultRow {
  readonly name: string;
  readonly severity: IntegritySeverity;
  readonly outcome: 'passed' | 'failed' | 'inconclusive';
  readonly violations: number;
  readonly sample: Record<string, unknown>[];
  readonly durationMs: number;
  readonly note: string | null;
}

export const resultsOf = statement<ResultRow>(
  'wms.integrity_results',
  `SELECT check_name AS name, severity, outcome, violations, sample, duration_ms AS "durationMs", note
   FROM wms.integrity_result WHERE run_id = $1::uuid ORDER BY check_name`,
);
