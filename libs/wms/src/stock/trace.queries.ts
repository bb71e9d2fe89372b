import { statement } from '@belay/platform';

export interface TracedLot {
  readonly lotId: string;
  readonly lot: string;
  readonly skuId: string;
  readonly sku: string;
  readonly status: string;
  readonly expiresOn: string | null;
  readonly unitsIn: string;
  readonly unitsOut: string;
}

/** What a movement of the ledger did to the lot $1 in the warehouses $2, as far as it is more than moving it about. */
const steps = `
  SELECT m.id, m.number, m.kind, m.warehouse_id, m.reference, m.counterparty, m.container_number, m.reason_code,
         m.effective_at, sum(t.qty_delta)::bigint AS units, v.number AS reversed_by
  FROM wms.wms_inventory_transaction t
  JOIN wms.movement m ON m.id = t.movement_id
  LEFT JOIN wms.movement v ON v.reverses_movement_id = m.id
  WHERE t.lot_id = $1::uuid AND t.warehouse_id = ANY ($2::uuid[]) AND m.kind <> 'REVERSAL'
  GROUP BY m.id, v.number HAVING sum(t.qty_delta) <> 0`;

/** The lot $1 and its sums over the warehouses $2. */
export const tracedLot = statement<TracedLot>(
  'wms.traced_lot',
  `SELECT l.id AS "lotId", l.code AS lot, s.id AS "skuId", s.code AS sku, l.status, l.expires_on AS "expiresOn",
          coalesce(sum(p.units) FILTER (WHERE p.units > 0), 0)::bigint AS "unitsIn",
          coalesce(-sum(p.units) FILTER (WHERE p.units < 0), 0)::bigint AS "unitsOut"
   FROM wms.lot l
   JOIN wms.sku s ON s.id = l.sku_id
   LEFT JOIN (${steps}) p ON p.reversed_by IS NULL
   WHERE l.id = $1::uuid GROUP BY l.id, s.id`,
);

export interface TraceRow {
  readonly movementId: string;
  readonly number: string;
  readonly kind: string;
  readonly warehouse: string;
  readonly warehouseId: string;
  readonly reference: string | null;
  readonly counterparty: string | null;
  readonly containerNumber: string | null;
  readonly reasonCode: string | null;
  readonly units: string;
  readonly effectiveAt: Date;
  readonly reversedBy: string | null;
  readonly sortedAt: string;
}

/** Latest first: $3 sign of what is wanted or null, $4 and $5 the step to go on after, $6 rows. */
export const traceSteps = statement<TraceRow>(
  'wms.trace_steps',
  `SELECT p.id AS "movementId", p.number, p.kind, w.code AS warehouse, w.id AS "warehouseId", p.reference, p.counterparty,
          p.container_number AS "containerNumber", p.reason_code AS "reasonCode", p.units,
          p.effective_at AS "effectiveAt", p.reversed_by AS "reversedBy", p.effective_at::text AS "sortedAt"
   FROM (${steps}) p JOIN wms.warehouse w ON w.id = p.warehouse_id
   WHERE ($3::integer IS NULL OR sign(p.units) = $3)
     AND ($5::uuid IS NULL OR (p.effective_at, p.id) < ($4::timestamptz, $5))
   ORDER BY p.effective_at DESC, p.id DESC LIMIT $6`,
);

/** Where the lot $1 is now in the warehouses $2. */
export const bucketsOfLot = statement<{
  warehouse: string;
  warehouseId: string;
  location: string;
  locationId: string;
  stockStatus: 'available' | 'quarantine' | 'damaged';
  onHand: string;
  reserved: string;
}>(
  'wms.buckets_of_lot',
  `SELECT w.code AS warehouse, w.id AS "warehouseId", o.code AS location, o.id AS "locationId",
          b.stock_status AS "stockStatus", b.on_hand AS "onHand", b.reserved
   FROM wms.stock_balance b
   JOIN wms.warehouse w ON w.id = b.warehouse_id
   JOIN wms.location o ON o.id = b.location_id
   WHERE b.lot_id = $1::uuid AND b.warehouse_id = ANY ($2::uuid[]) AND b.on_hand > 0
   ORDER BY upper(w.code), upper(o.code), b.stock_status`,
);

/** To whom what is there of the lot $1 in the warehouses $2 is promised. */
export const promisesOfLot = statement<{
  reservationId: string;
  warehouse: string;
  sourceType: string;
  sourceId: string;
  sourceLine: string;
  units: string;
}>(
  'wms.promises_of_lot',
  `SELECT r.id AS "reservationId", w.code AS warehouse, r.source_type AS "sourceType", r.source_id AS "sourceId",
          r.source_line AS "sourceLine", sum(a.qty - a.qty_fulfilled)::bigint AS units
   FROM wms.stock_balance b
   JOIN wms.reservation_alloc a ON a.balance_id = b.id AND a.qty_fulfilled < a.qty
   JOIN wms.reservation r ON r.id = a.reservation_id
   JOIN wms.warehouse w ON w.id = r.warehouse_id
   WHERE b.lot_id = $1::uuid AND b.warehouse_id = ANY ($2::uuid[])
   GROUP BY r.id, w.code ORDER BY r.id`,
);
