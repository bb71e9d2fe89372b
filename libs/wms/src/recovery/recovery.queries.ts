import { statement } from '@belay/platform';
import type { RowKey } from './recovered-table.rules.js';

/**
 * Whether a transaction was not yet visible when the marker was made: one that had begun before and was committed after
 * counts, which no time of a clock can tell. Without a snapshot, times with room for such ones. $1 snapshot, $2 time.
 */
export const since = (txid: string, at: string) => `CASE
    WHEN $1::text IS NULL THEN ${at} > $2::timestamptz - interval '15 minutes'
    ELSE ${at} > $2::timestamptz - interval '1 day' AND NOT pg_visible_in_snapshot(${txid}, $1::pg_snapshot) END`;

/** $3 whose changes alone are meant, $4 whose stay. */
export const meant = (actor: string) =>
  `($3::text[] IS NULL OR ${actor} = ANY ($3)) AND ($4::text[] IS NULL OR ${actor} IS NULL OR ${actor} <> ALL ($4))`;

export interface ChangedRecord {
  readonly table: string;
  readonly record: RowKey;
  readonly operation: 'INSERT' | 'UPDATE' | 'DELETE';
  readonly old: RowKey | null;
  readonly actors: string[];
  /** Somebody whose changes stay has changed it too. */
  readonly shared: boolean;
}

/** Of every record of the tables $5 that was changed since, the first change: what was before it is what comes back. */
export const changedRecords = statement<ChangedRecord>(
  'wms.recovery_changed_records',
  `WITH change AS (
     SELECT a.id, a.table_name, a.record, a.operation, a.old, a.actor, ${meant('a.actor')} AS meant
     FROM platform.audit_log a
     WHERE a.schema_name = 'wms' AND a.operation <> 'READ' AND a.table_name = ANY ($5::text[]) AND ${since('a.txid', 'a.at')})
   SELECT f.table_name AS "table", f.record, f.operation, f.old, w.actors, w.shared
   FROM (SELECT DISTINCT ON (table_name, record) * FROM change WHERE meant ORDER BY table_name, record, id) f
   CROSS JOIN LATERAL (
     SELECT array_agg(DISTINCT coalesce(c.actor, '')) AS actors, bool_or(NOT c.meant) AS shared
     FROM change c WHERE c.table_name = f.table_name AND c.record = f.record) w
   ORDER BY f.table_name, f.id`,
);

/** The newest entry about the warehouse: a plan that was made before it may be wrong. */
export const auditHead = statement<{ head: string }>(
  'wms.recovery_audit_head',
  `SELECT coalesce(max(id), 0) AS head FROM platform.audit_log WHERE schema_name = 'wms' AND operation <> 'READ'`,
);

/** Closes of periods that are open again. */
export const dropCloses = statement<{ day: string }>(
  'wms.recovery_drop_closes',
  `DELETE FROM wms.stock_close k USING wms.warehouse w
   WHERE w.id = k.warehouse_id AND (w.closed_through IS NULL OR k.closed_on > w.closed_through)
   RETURNING k.closed_on AS day`,
);

/** All storage since the day of $1 may be wrong. */
export const markAllDirty = statement<{ lot: string }>(
  'wms.recovery_mark_all_dirty',
  `INSERT INTO wms.storage_dirty AS dirty (warehouse_id, lot_id, from_date, rev)
   SELECT l.warehouse_id, l.lot_id, wms.local_date($1::timestamptz, w.timezone), 1
   FROM (SELECT DISTINCT warehouse_id, lot_id FROM wms.wms_inventory_transaction) l
   JOIN wms.warehouse w ON w.id = l.warehouse_id
   ORDER BY 1, 2
   ON CONFLICT (warehouse_id, lot_id) DO UPDATE
     SET from_date = least(dirty.from_date, excluded.from_date), rev = dirty.rev + 1
   RETURNING lot_id AS lot`,
);

export const allWarehouses = statement<{ id: string }>(
  'wms.recovery_warehouses',
  `SELECT id FROM wms.warehouse ORDER BY id`,
);

/** Invoices whose reconciliation may have to say something else, each locked. */
export const openInvoices = statement<{ id: string }>(
  'wms.recovery_open_invoices',
  `SELECT i.id FROM wms.invoice i
   WHERE i.status IN ('needs_review', 'reconciled', 'disputed')
     AND EXISTS (SELECT FROM wms.recon_run r WHERE r.invoice_id = i.id)
   ORDER BY i.id FOR UPDATE`,
);

/** Answers under which requests since $1 would be taken for done. */
export const forgetKeysSince = statement<{ key: string }>(
  'wms.recovery_forget_keys',
  `DELETE FROM platform.idempotency_key WHERE domain = 'wms' AND at > $1::timestamptz RETURNING key`,
);

/** Of the invoices $1, those that a reconciliation or a dispute rests on. */
export const restedOnInvoices = statement<{ id: string }>(
  'wms.recovery_rested_on_invoices',
  `SELECT i.id FROM wms.invoice i
   WHERE i.id = ANY ($1::uuid[])
     AND (EXISTS (SELECT FROM wms.recon_run r WHERE r.invoice_id = i.id)
          OR EXISTS (SELECT FROM wms.dispute d WHERE d.invoice_id = i.id))`,
);

/** Columns of the tables $1 that a statement may write, in their order. */
export const writableColumns = statement<{ table: string; columns: string[] }>(
  'wms.recovery_columns',
  `SELECT c.relname AS "table", array_agg(a.attname::text ORDER BY a.attnum) AS columns
   FROM pg_class c
   JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
   WHERE c.relnamespace = 'wms'::regnamespace AND c.relname = ANY ($1::text[])
   GROUP BY c.relname`,
);

/** Stock by bucket as one number, and how far the ledger goes. */
export const stockFingerprint = statement<{
  buckets: number;
  units: string;
  hash: string;
  seq: string;
  lastReconLine: string;
}>(
  'wms.recovery_stock_fingerprint',
  `SELECT count(*)::integer AS buckets, coalesce(sum(b.on_hand), 0)::text AS units,
          coalesce(sum(hashtextextended(concat_ws('|', b.location_id, b.lot_id, b.stock_status, b.on_hand, b.reserved), 0)), 0)::text
            AS hash,
          (SELECT coalesce(max(seq), 0) FROM wms.wms_inventory_transaction)::text AS seq,
          (SELECT coalesce(max(id), 0) FROM wms.recon_line)::text AS "lastReconLine"
   FROM wms.stock_balance b WHERE b.on_hand <> 0`,
);

/** Decisions about the lines up to $1. */
export const decisionFingerprint = statement<{ rows: number; hash: string }>(
  'wms.recovery_decision_fingerprint',
  `SELECT count(*)::integer AS rows,
          coalesce(sum(hashtextextended((to_jsonb(n) - 'row_version' - 'updated_at')::text, 0)), 0)::text AS hash
   FROM wms.recon_line n WHERE n.id <= $1::bigint`,
);

export const inUtc = statement('wms.recovery_in_utc', `SELECT set_config('TimeZone', 'UTC', true)`);

export const actAs = statement(
  'wms.recovery_act_as',
  `SELECT set_config('belay.actor', $1, true), set_config('belay.request_id', $2, true), set_config('belay.reason', $3, true)`,
);

export const beginPart = statement('wms.recovery_begin_part', `SAVEPOINT wms_recovery`);
export const endPart = statement('wms.recovery_end_part', `RELEASE SAVEPOINT wms_recovery`);
export const undoPart = statement('wms.recovery_undo_part', `ROLLBACK TO SAVEPOINT wms_recovery`);
