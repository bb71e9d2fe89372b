import { statement } from '@belay/platform';

type RowKey = Readonly<Record<string, unknown>>;

export interface ChangedRecord {
  readonly table: string;
  readonly record: RowKey;
  /** The first change since the marker. */
  readonly operation: 'INSERT' | 'UPDATE' | 'DELETE';
  readonly old: RowKey | null;
  readonly actors: string[];
  /** Somebody whose changes stay has changed it too. */
  readonly shared: boolean;
}

/**
 * Records of the tables $5 that were changed in transactions which the marker did not see: by its snapshot $1, or by its
 * time $2 with room for those that had begun before. $3 whose changes alone are meant, $4 whose stay.
 */
export const changedRecords = statement<ChangedRecord>(
  'assignment.recovery_changed_records',
  `WITH change AS (
     SELECT a.id, a.table_name, a.record, a.operation, a.old, a.actor,
            ($3::text[] IS NULL OR a.actor = ANY ($3)) AND ($4::text[] IS NULL OR a.actor IS NULL OR a.actor <> ALL ($4))
              AS meant
     FROM platform.audit_log a
     WHERE a.schema_name = 'assignment' AND a.operation <> 'READ' AND a.table_name = ANY ($5::text[])
       AND CASE WHEN $1::text IS NULL THEN a.at > $2::timestamptz - interval '15 minutes'
                ELSE a.at > $2::timestamptz - interval '1 day' AND NOT pg_visible_in_snapshot(a.txid, $1::pg_snapshot) END)
   SELECT f.table_name AS "table", f.record, f.operation, f.old, w.actors, w.shared
   FROM (SELECT DISTINCT ON (table_name, record) * FROM change WHERE meant ORDER BY table_name, record, id) f
   CROSS JOIN LATERAL (
     SELECT array_agg(DISTINCT coalesce(c.actor, '')) AS actors, bool_or(NOT c.meant) AS shared
     FROM change c WHERE c.table_name = f.table_name AND c.record = f.record) w
   ORDER BY f.table_name, f.id`,
);

/** The newest entry about assignment: a plan that was made before it may be wrong. */
export const auditHead = statement<{ head: string }>(
  'assignment.recovery_audit_head',
  `SELECT coalesce(max(id), 0)::text AS head FROM platform.audit_log
   WHERE schema_name = 'assignment' AND operation <> 'READ'`,
);

/** Columns of the tables $1 that a statement may write, in their order. */
export const writableColumns = statement<{ table: string; columns: string[] }>(
  'assignment.recovery_columns',
  `SELECT c.relname AS "table", array_agg(a.attname::text ORDER BY a.attnum) AS columns
   FROM pg_class c
   JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
   WHERE c.relnamespace = 'assignment'::regnamespace AND c.relname = ANY ($1::text[])
   GROUP BY c.relname`,
);

/** Answers under which requests since $1 would be taken for done. */
export const forgetKeysSince = statement<{ key: string }>(
  'assignment.recovery_forget_keys',
  `DELETE FROM platform.idempotency_key WHERE domain = 'assignment' AND at > $1::timestamptz RETURNING key`,
);

/** What was logged until now, and how much of it. */
export const logExtent = statement<{ entries: string; last: string }>(
  'assignment.recovery_log_extent',
  `SELECT count(*)::text AS entries, coalesce(max(id), 0)::text AS last FROM assignment.assignment_log
   WHERE $1::bigint IS NULL OR id <= $1`,
);

export const inUtc = statement('assignment.recovery_in_utc', `SELECT set_config('TimeZone', 'UTC', true)`);

export const actAs = statement(
  'assignment.recovery_act_as',
  `SELECT set_config('belay.actor', $1, true), set_config('belay.request_id', $2, true), set_config('belay.reason', $3, true)`,
);

export const beginPart = statement('assignment.recovery_begin_part', `SAVEPOINT assignment_recovery`);
export const endPart = statement('assignment.recovery_end_part', `RELEASE SAVEPOINT assignment_recovery`);
export const undoPart = statement('assignment.recovery_undo_part', `ROLLBACK TO SAVEPOINT assignment_recovery`);
