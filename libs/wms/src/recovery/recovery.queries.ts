import { statement } from '@belay/platform';
import type { RowKey } from './recovered-table.rules.js';

/**
 * Whether a transaction was not yet visible when the marker was made: one that had begun before and was committed after
 * counts, which no time of a clock can tell. Without a snapshot, times with room for such ones. $1 snapshot, $2 time.
 */
const since = (txid: string, at: string) => `CASE
    WHEN $1::text IS NULL THEN ${at} > $2::timestamptz - interval '15 minutes'
    ELSE ${at} > $2::timestamptz - interval '1 day' AND NOT pg_visible_in_snapshot(${txid}, $1::pg_snapshot) END`;

/** $3 whose changes alone are meant, $4 whose stay. */
const meant = (actor: string) =>
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

export interface StandingMovement {
  readonly id: string;
  readonly number: string;
  readonly warehouseId: string;
  readonly effectiveAt: Date;
  readonly lotIds: string[];
}

/**
 * Movements since the marker whose effect still stands, newest first: of a movement, its reversal and the reversal of
 * that, the last is taken back when they are an odd number. $5 warehouses and $6 SKUs, null for all.
 */
export const standingMovements = statement<StandingMovement>(
  'wms.recovery_standing_movements',
  `WITH RECURSIVE chain AS (
     SELECT m.id AS tip, m.reverses_movement_id AS next, 1 AS length
     FROM wms.movement m
     WHERE ${since('m.txid', 'm.recorded_at')} AND ${meant('m.actor_id::text')}
       AND ($5::uuid[] IS NULL OR m.warehouse_id = ANY ($5))
       AND ($6::uuid[] IS NULL OR EXISTS (
         SELECT FROM wms.wms_inventory_transaction t WHERE t.movement_id = m.id AND t.sku_id = ANY ($6)))
       AND NOT EXISTS (SELECT FROM wms.movement v WHERE v.reverses_movement_id = m.id)
     UNION ALL
     SELECT c.tip, m.reverses_movement_id, c.length + 1
     FROM chain c JOIN wms.movement m ON m.id = c.next
     WHERE ${since('m.txid', 'm.recorded_at')})
   SELECT m.id, m.number, m.warehouse_id AS "warehouseId", m.effective_at AS "effectiveAt", l.lots AS "lotIds"
   FROM (SELECT tip FROM chain GROUP BY tip HAVING max(length) % 2 = 1) s
   JOIN wms.movement m ON m.id = s.tip
   CROSS JOIN LATERAL (
     SELECT array_agg(DISTINCT t.lot_id) AS lots, max(t.seq) AS seq
     FROM wms.wms_inventory_transaction t WHERE t.movement_id = m.id) l
   ORDER BY l.seq DESC`,
);

/**
 * Buckets that would be negative, or hold less than was promised before the marker, if the movements $1 were taken back.
 * $2 time of the marker.
 */
export const shortBuckets = statement<{
  locationId: string;
  lotId: string;
  stockStatus: string;
  onHand: string;
  wouldBe: string;
  promised: string;
}>(
  'wms.recovery_short_buckets',
  `SELECT b.location_id AS "locationId", b.lot_id AS "lotId", b.stock_status AS "stockStatus", b.on_hand AS "onHand",
          b.on_hand - d.units AS "wouldBe", coalesce(p.units, 0) AS promised
   FROM (SELECT location_id, lot_id, stock_status, sum(qty_delta)::bigint AS units
         FROM wms.wms_inventory_transaction WHERE movement_id = ANY ($1::uuid[]) GROUP BY 1, 2, 3) d
   JOIN wms.stock_balance b USING (location_id, lot_id, stock_status)
   LEFT JOIN LATERAL (
     SELECT sum(a.qty - a.qty_fulfilled)::bigint AS units
     FROM wms.reservation_alloc a JOIN wms.reservation r ON r.id = a.reservation_id AND r.created_at <= $2::timestamptz
     WHERE a.balance_id = b.id) p ON true
   WHERE b.on_hand - d.units < coalesce(p.units, 0)
   ORDER BY 1, 2, 3`,
);

/**
 * Charges that were made since $1, or for the movements $4 that are taken back, and stand; of a charge, its undoing and
 * the undoing of that, the last is undone when they are an odd number. Storage is worked out anew instead. $2 whose alone,
 * $3 whose stay.
 */
const standingCharges = `
  WITH RECURSIVE mine AS (
    SELECT c.id, c.adjusts_charge_id AS next FROM wms.cost_charge c
    WHERE c.storage_ledger_id IS NULL
      AND (c.movement_id = ANY ($4::uuid[])
           OR c.created_at > $1::timestamptz AND NOT $5::boolean
              AND ($2::text[] IS NULL OR c.created_by::text = ANY ($2))
              AND ($3::text[] IS NULL OR c.created_by IS NULL OR c.created_by::text <> ALL ($3)))),
  chain AS (
    SELECT m.id AS tip, m.next, 1 AS length FROM mine m
    WHERE NOT EXISTS (SELECT FROM wms.cost_charge u WHERE u.adjusts_charge_id = m.id)
    UNION ALL
    SELECT c.tip, m.next, c.length + 1 FROM chain c JOIN mine m ON m.id = c.next),
  standing AS (SELECT tip AS id FROM chain GROUP BY tip HAVING max(length) % 2 = 1)`;

/** $5 whether only the charges of the movements are meant. */
export const countStandingCharges = statement<{ charges: number }>(
  'wms.recovery_count_standing_charges',
  `${standingCharges} SELECT count(*)::integer AS charges FROM standing`,
);

/** In their own periods, or the first that is open where those are closed by now. $6 in whose name. */
export const undoStandingCharges = statement<{ id: string }>(
  'wms.recovery_undo_standing_charges',
  `${standingCharges}
   INSERT INTO wms.cost_charge (movement_id, adjusts_charge_id, warehouse_id, sku_id, lot_id, category, name, rate_id,
     quantity, rate, amount, currency, charge_on, period_start, period_end, state, dedupe_key, note, created_by)
   SELECT v.id, c.id, c.warehouse_id, c.sku_id, c.lot_id, c.category, c.name, c.rate_id,
          CASE WHEN c.amount IS NULL THEN 0 ELSE -c.quantity END, c.rate, coalesce(-c.amount, 0), c.currency, c.charge_on,
          wms.period_start(o.day, w.billing_cycle_start_day), wms.period_end(o.day, w.billing_cycle_start_day), 'final',
          'undo:' || c.id, 'recovery', $6::uuid
   FROM standing s
   JOIN wms.cost_charge c ON c.id = s.id
   JOIN wms.warehouse w ON w.id = c.warehouse_id
   LEFT JOIN wms.movement v ON v.reverses_movement_id = c.movement_id AND v.source_type = 'recovery'
   CROSS JOIN LATERAL (
     SELECT CASE WHEN c.period_end <= w.closed_through THEN w.closed_through + 1 ELSE c.period_start END AS day) o
   ORDER BY c.id
   RETURNING id`,
);

/**
 * Takes back the movements $1 by the movements $2, in that order, all in one act, so that only the result must hold: at
 * their own times ($3 'own'), at the latest of them in each warehouse ('last'), or now ('now'); never in a closed period.
 * $4 in whose name.
 */
export const postReversals = statement<{ id: string }>(
  'wms.recovery_post_reversals',
  `WITH asked AS (
     SELECT a.target, a.id, a.place FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS a (target, id, place)),
   timed AS (
     SELECT a.*, m.warehouse_id, m.reference, m.counterparty, w.code, w.timezone,
            CASE WHEN wms.local_date(x.at, w.timezone) <= w.closed_through THEN clock_timestamp() ELSE x.at END AS at
     FROM asked a
     JOIN wms.movement m ON m.id = a.target
     JOIN wms.warehouse w ON w.id = m.warehouse_id
     JOIN (SELECT o.warehouse_id, max(o.effective_at) AS at FROM wms.movement o WHERE o.id = ANY ($1::uuid[]) GROUP BY 1) latest
       ON latest.warehouse_id = m.warehouse_id
     CROSS JOIN LATERAL (
       SELECT CASE $3::text WHEN 'own' THEN m.effective_at WHEN 'last' THEN latest.at
                            ELSE greatest(latest.at, clock_timestamp()) END AS at) x),
   dated AS MATERIALIZED (
     SELECT t.*, wms.local_date(t.at, t.timezone) AS on_date,
            row_number() OVER day AS no, count(*) OVER (PARTITION BY t.warehouse_id, wms.local_date(t.at, t.timezone)) AS of_day
     FROM timed t
     WINDOW day AS (PARTITION BY t.warehouse_id, wms.local_date(t.at, t.timezone) ORDER BY t.place)),
   counted AS (
     INSERT INTO wms.doc_counter AS c (warehouse_id, kind, on_date, last_no)
     SELECT warehouse_id, 'REVERSAL', on_date, count(*) FROM dated GROUP BY 1, 3 ORDER BY 1, 3
     ON CONFLICT (warehouse_id, kind, on_date) DO UPDATE SET last_no = c.last_no + excluded.last_no
     RETURNING warehouse_id, on_date, last_no),
   movement AS (
     INSERT INTO wms.movement (id, number, warehouse_id, kind, reason_code, reference, counterparty, effective_at, actor_id,
       source_type, reverses_movement_id, backdated)
     SELECT d.id, d.code || '-REV-' || to_char(d.on_date, 'YYYYMMDD') || '-'
              || lpad(n.no::text, greatest(6, length(n.no::text)), '0'),
            d.warehouse_id, 'REVERSAL', 'data_fix', d.reference, d.counterparty, d.at, $4::uuid, 'recovery', d.target,
            $3::text <> 'now'
     FROM dated d
     JOIN counted c USING (warehouse_id, on_date)
     CROSS JOIN LATERAL (SELECT c.last_no - d.of_day + d.no AS no) n
     ORDER BY d.place
     RETURNING id, warehouse_id, effective_at, recorded_at, reverses_movement_id),
   line AS (
     INSERT INTO wms.wms_inventory_transaction (movement_id, line_no, warehouse_id, location_id, sku_id, lot_id,
       stock_status, qty_delta, pallets_reported, pallets_computed, effective_at, recorded_at)
     SELECT m.id, t.line_no, m.warehouse_id, t.location_id, t.sku_id, t.lot_id, t.stock_status, -t.qty_delta,
            t.pallets_reported, t.pallets_computed, m.effective_at, m.recorded_at
     FROM movement m
     JOIN asked a ON a.id = m.id
     JOIN wms.wms_inventory_transaction t ON t.movement_id = m.reverses_movement_id
     ORDER BY a.place, t.seq DESC)
   SELECT id FROM movement`,
);

/** Buckets of the lots $1 that were ever negative in the order in which things happened. */
export const negativeBuckets = statement<{ locationId: string; lotId: string; stockStatus: string; at: Date }>(
  'wms.recovery_negative_buckets',
  `SELECT location_id AS "locationId", lot_id AS "lotId", stock_status AS "stockStatus", min(effective_at) AS at
   FROM (SELECT location_id, lot_id, stock_status, effective_at,
                sum(qty_delta) OVER (PARTITION BY location_id, lot_id, stock_status ORDER BY effective_at, seq) AS units
         FROM wms.wms_inventory_transaction WHERE lot_id = ANY ($1::uuid[])) p
   WHERE units < 0 GROUP BY 1, 2, 3 LIMIT 100`,
);

/** Promises follow from the open allocations. With $1 true nothing is promised that was not, so that stock can go. */
export const rebuildReserved = statement<{ id: string }>(
  'wms.recovery_rebuild_reserved',
  `UPDATE wms.stock_balance b
   SET reserved = CASE WHEN $1::boolean THEN least(b.reserved, p.units) ELSE p.units END, row_version = b.row_version + 1
   FROM (SELECT b.id, coalesce(sum(a.qty - a.qty_fulfilled), 0)::bigint AS units
         FROM wms.stock_balance b LEFT JOIN wms.reservation_alloc a ON a.balance_id = b.id
         GROUP BY b.id) p
   WHERE p.id = b.id AND b.reserved <> CASE WHEN $1::boolean THEN least(b.reserved, p.units) ELSE p.units END
   RETURNING b.id`,
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
