import { changedBy, changedSince, statement } from '@belay/platform';

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
     WHERE ${changedSince('m.txid', 'm.recorded_at')} AND ${changedBy('m.actor_id::text')}
       AND ($5::uuid[] IS NULL OR m.warehouse_id = ANY ($5))
       AND ($6::uuid[] IS NULL OR EXISTS (
         SELECT FROM wms.wms_inventory_transaction t WHERE t.movement_id = m.id AND t.sku_id = ANY ($6)))
       AND NOT EXISTS (SELECT FROM wms.movement v WHERE v.reverses_movement_id = m.id)
     UNION ALL
     SELECT c.tip, m.reverses_movement_id, c.length + 1
     FROM chain c JOIN wms.movement m ON m.id = c.next
     WHERE ${changedSince('m.txid', 'm.recorded_at')})
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
