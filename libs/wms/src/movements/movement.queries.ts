import { statement } from '@belay/platform';
import type { MovementKind, StockStatus } from './posting.rules.js';

export interface MovementRow {
  readonly id: string;
  readonly number: string;
  readonly kind: MovementKind;
  readonly warehouseId: string;
  readonly warehouse: string;
  readonly siteId: string;
  readonly reasonCode: string | null;
  readonly reference: string | null;
  readonly counterparty: string | null;
  readonly containerNumber: string | null;
  readonly inboundType: string | null;
  readonly shipMode: string | null;
  readonly effectiveAt: string;
  readonly recordedAt: string;
  readonly backdated: boolean;
  readonly sourceType: string | null;
  readonly sourceId: string | null;
  readonly actorId: string;
  readonly reversesMovementId: string | null;
  readonly reversedByMovementId: string | null;
}

const instant = (column: string, digits: 'MS' | 'US') =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.${digits}"Z"')`;

const columns = `m.id, m.number, m.kind, m.warehouse_id AS "warehouseId", w.code AS warehouse, w.site_id AS "siteId",
  m.reason_code AS "reasonCode", m.reference, m.counterparty, m.container_number AS "containerNumber",
  m.inbound_type AS "inboundType", m.ship_mode AS "shipMode", ${instant('m.effective_at', 'MS')} AS "effectiveAt",
  ${instant('m.recorded_at', 'US')} AS "recordedAt", m.backdated, m.source_type AS "sourceType", m.source_id AS "sourceId",
  m.actor_id AS "actorId", m.reverses_movement_id AS "reversesMovementId", r.id AS "reversedByMovementId"`;

const from = `wms.movement m
  JOIN wms.warehouse w ON w.id = m.warehouse_id
  LEFT JOIN wms.movement r ON r.reverses_movement_id = m.id`;

/** The movement $1, at one of the sites $2, null for all. */
export const movementById = statement<MovementRow>(
  'wms.movement_by_id',
  `SELECT ${columns} FROM ${from} WHERE m.id = $1::uuid AND ($2::uuid[] IS NULL OR w.site_id = ANY ($2))`,
);

/**
 * $1 sites, null for all; $2 id and $3 code of the warehouse, $4 kind, $5 from, $6 to, $7 reference, $8 container, $9 id and
 * $10 code of the SKU, $11 lot, $12 and $13 source; $14 and $15 the row to go on after, $16 rows.
 */
export const movementList = statement<MovementRow & { readonly sortAt: string }>(
  'wms.movement_list',
  `SELECT ${columns}, m.effective_at::text AS "sortAt" FROM ${from}
   WHERE ($1::uuid[] IS NULL OR w.site_id = ANY ($1))
     AND ($2::uuid IS NULL OR w.id = $2) AND ($3::text IS NULL OR upper(w.code) = upper($3))
     AND ($4::text IS NULL OR m.kind = $4)
     AND ($5::timestamptz IS NULL OR m.effective_at >= $5) AND ($6::timestamptz IS NULL OR m.effective_at < $6)
     AND ($7::text IS NULL OR m.reference = $7)
     AND ($8::text IS NULL OR m.container_number = $8)
     AND (($9::uuid IS NULL AND $10::text IS NULL) OR EXISTS (
       SELECT FROM wms.wms_inventory_transaction t JOIN wms.sku s ON s.id = t.sku_id
       WHERE t.movement_id = m.id AND (s.id = $9 OR upper(s.code) = upper($10))))
     AND ($11::uuid IS NULL OR EXISTS (
       SELECT FROM wms.wms_inventory_transaction t WHERE t.movement_id = m.id AND t.lot_id = $11))
     AND ($12::text IS NULL OR m.source_type = $12) AND ($13::text IS NULL OR m.source_id = $13)
     AND ($15::uuid IS NULL OR (m.effective_at, m.id) < ($14::timestamptz, $15))
   ORDER BY m.effective_at DESC, m.id DESC LIMIT $16`,
);

export interface MovementLineRow {
  readonly skuId: string;
  readonly sku: string;
  readonly lotId: string;
  readonly lot: string;
  readonly locationId: string;
  readonly location: string;
  readonly stockStatus: StockStatus;
  readonly units: string;
  readonly unitsPerCarton: number;
  readonly palletsReported: number | null;
  readonly palletsComputed: number | null;
}

/** The lines of the movement $1, in order. */
export const linesOfMovement = statement<MovementLineRow>(
  'wms.lines_of_movement',
  `SELECT t.sku_id AS "skuId", s.code AS sku, t.lot_id AS "lotId", l.code AS lot, t.location_id AS "locationId",
          o.code AS location, t.stock_status AS "stockStatus", t.qty_delta AS units,
          l.units_per_carton AS "unitsPerCarton", t.pallets_reported AS "palletsReported",
          t.pallets_computed AS "palletsComputed"
   FROM wms.wms_inventory_transaction t
   JOIN wms.sku s ON s.id = t.sku_id
   JOIN wms.lot l ON l.id = t.lot_id
   JOIN wms.location o ON o.id = t.location_id
   WHERE t.movement_id = $1::uuid ORDER BY t.line_no`,
);

export interface ChargeOfMovement {
  readonly category: string;
  readonly name: string;
  readonly quantity: string;
  readonly rate: string | null;
  readonly amount: string | null;
  readonly currency: string;
  readonly state: 'final' | 'unrated';
}

/** What the movement $1 costs, each rate once. */
export const chargesOfMovement = statement<ChargeOfMovement>(
  'wms.charges_of_movement',
  `SELECT category, name, trim_scale(sum(quantity))::text AS quantity, trim_scale(rate)::text AS rate,
          sum(amount)::text AS amount, currency, state
   FROM wms.cost_charge WHERE movement_id = $1::uuid
   GROUP BY category, name, rate, currency, state, adjusts_charge_id IS NULL ORDER BY category, name, state`,
);

export interface PapersRow {
  readonly vessel: string | null;
  readonly carrier: string | null;
  readonly trackingNumber: string | null;
  readonly pickupOn: string | null;
  readonly notes: string | null;
  readonly attachments: string[];
  readonly rowVersion: number;
}

const paperColumns = `vessel, carrier, tracking_number AS "trackingNumber", pickup_on AS "pickupOn", notes, attachments,
  row_version AS "rowVersion"`;

export const papersOfMovement = statement<PapersRow>(
  'wms.papers_of_movement',
  `SELECT ${paperColumns} FROM wms.movement_attr WHERE movement_id = $1::uuid`,
);

/**
 * Sets the papers of the movement $1 to $2 vessel, $3 carrier, $4 tracking number, $5 pickup, $6 notes and $7 attachments,
 * in the name of $8, provided they are at the version $9, 0 when there are none; no row otherwise.
 */
export const writePapers = statement<{ rowVersion: number }>(
  'wms.write_papers',
  `INSERT INTO wms.movement_attr AS a (movement_id, vessel, carrier, tracking_number, pickup_on, notes, attachments, created_by)
   SELECT $1::uuid, $2, $3, $4, $5::date, $6, $7::jsonb, $8::uuid
   WHERE $9::integer = 0 OR EXISTS (SELECT FROM wms.movement_attr WHERE movement_id = $1::uuid AND row_version = $9)
   ON CONFLICT (movement_id) DO UPDATE
     SET vessel = excluded.vessel, carrier = excluded.carrier, tracking_number = excluded.tracking_number,
         pickup_on = excluded.pickup_on, notes = excluded.notes, attachments = excluded.attachments
     WHERE a.row_version = $9
   RETURNING a.row_version AS "rowVersion"`,
);
