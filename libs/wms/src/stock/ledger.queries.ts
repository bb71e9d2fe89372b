import { statement } from '@belay/platform';

/** Quantities and sequence numbers are texts of integers. */
export interface LedgerRow {
  readonly seq: string;
  readonly movementId: string;
  readonly number: string;
  readonly kind: string;
  readonly reference: string | null;
  readonly lineNo: number;
  readonly warehouse: string;
  readonly warehouseId: string;
  readonly location: string;
  readonly locationId: string;
  readonly sku: string;
  readonly skuId: string;
  readonly lot: string;
  readonly lotId: string;
  readonly stockStatus: 'available' | 'quarantine' | 'damaged';
  readonly units: string;
  readonly balance: string;
  readonly palletsReported: number | null;
  readonly palletsComputed: number | null;
  readonly effectiveAt: Date;
  readonly recordedAt: Date;
  /** `effectiveAt` with its microseconds. */
  readonly sortedAt: string;
}

/** $2 from, $3 to, $4 and $5 the line to go on after. */
const inTime = `t.effective_at >= coalesce($2::timestamptz, '-infinity') AND t.effective_at < coalesce($3::timestamptz, 'infinity')
  AND (t.effective_at, t.seq) < (coalesce($4::timestamptz, 'infinity'), coalesce($5::bigint, 9223372036854775807))`;

const latestFirst = `ORDER BY t.effective_at DESC, t.seq DESC LIMIT $6`;

/**
 * The lines of `page` with the balance of their bucket behind each: what is there now, less what came later. Only the
 * lots of the page are read, from the oldest of its lines on.
 */
const withBalances = (page: string) => `
  WITH page AS MATERIALIZED (${page}),
  oldest AS (
    SELECT warehouse_id, lot_id, min(effective_at) AS since FROM page GROUP BY 1, 2),
  walked AS (
    SELECT t.seq,
           coalesce(sum(t.qty_delta) OVER (
             PARTITION BY t.location_id, t.lot_id, t.stock_status ORDER BY t.effective_at DESC, t.seq DESC
             ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS later
    FROM oldest d
    JOIN wms.wms_inventory_transaction t
      ON t.warehouse_id = d.warehouse_id AND t.lot_id = d.lot_id AND t.effective_at >= d.since)
  SELECT p.seq, p.movement_id AS "movementId", m.number, m.kind, m.reference, p.line_no AS "lineNo", w.code AS warehouse,
         w.id AS "warehouseId", o.code AS location, o.id AS "locationId", s.code AS sku, s.id AS "skuId", l.code AS lot,
         l.id AS "lotId", p.stock_status AS "stockStatus", p.qty_delta AS units, b.on_hand - k.later AS balance,
         p.pallets_reported AS "palletsReported", p.pallets_computed AS "palletsComputed",
         p.effective_at AS "effectiveAt", p.recorded_at AS "recordedAt", p.effective_at::text AS "sortedAt"
  FROM page p
  JOIN walked k ON k.seq = p.seq
  JOIN wms.stock_balance b USING (location_id, lot_id, stock_status)
  JOIN wms.movement m ON m.id = p.movement_id
  JOIN wms.warehouse w ON w.id = p.warehouse_id
  JOIN wms.location o ON o.id = p.location_id
  JOIN wms.sku s ON s.id = p.sku_id
  JOIN wms.lot l ON l.id = p.lot_id
  ORDER BY p.effective_at DESC, p.seq DESC`;

/** $7 lots, $8 locations, $9 status and $10 SKUs, where they are not null. */
const narrowed = `($7::uuid[] IS NULL OR t.lot_id = ANY ($7)) AND ($8::uuid[] IS NULL OR t.location_id = ANY ($8))
        AND ($9::text IS NULL OR t.stock_status = $9) AND ($10::uuid[] IS NULL OR t.sku_id = ANY ($10))`;

/**
 * The latest lines of the warehouses $1: by their movements, which an index has in the order of time within a warehouse.
 * $2 from, $3 to, $4 and $5 the line to go on after, $6 rows, $7 lots, $8 locations, $9 status, $10 SKUs.
 */
export const ledgerOfWarehouses = statement<LedgerRow>(
  'wms.ledger_of_warehouses',
  withBalances(`
    SELECT t.* FROM unnest($1::uuid[]) AS here (id)
    CROSS JOIN LATERAL (
      SELECT t.* FROM wms.movement m JOIN wms.wms_inventory_transaction t ON t.movement_id = m.id
      WHERE m.warehouse_id = here.id AND m.effective_at <= coalesce($4::timestamptz, 'infinity')
        AND m.effective_at >= coalesce($2::timestamptz, '-infinity') AND m.effective_at < coalesce($3::timestamptz, 'infinity')
        AND ${inTime} AND ${narrowed}
      ORDER BY m.effective_at DESC, t.seq DESC LIMIT $6) t
    ${latestFirst}`),
);

/** The same, sought from the lots $7: for few of them. */
export const ledgerOfLots = statement<LedgerRow>(
  'wms.ledger_of_lots',
  withBalances(`
    SELECT t.* FROM unnest($1::uuid[]) AS here (id) CROSS JOIN unnest($7::uuid[]) AS those (lot_id)
    CROSS JOIN LATERAL (
      SELECT t.* FROM wms.wms_inventory_transaction t
      WHERE t.warehouse_id = here.id AND t.lot_id = those.lot_id AND ${inTime} AND ${narrowed}
      ${latestFirst}) t
    ${latestFirst}`),
);

/** The same, of the movement $11. */
export const ledgerOfMovement = statement<LedgerRow>(
  'wms.ledger_of_movement',
  withBalances(`
    SELECT t.* FROM wms.wms_inventory_transaction t
    WHERE t.movement_id = $11::uuid AND t.warehouse_id = ANY ($1::uuid[]) AND ${inTime} AND ${narrowed}
    ${latestFirst}`),
);
