import { statement } from '@belay/platform';
import type { ExistingCharge } from './charge-row.rules.js';
import type { InboundType } from './charge.rules.js';

export interface ChargeableRow {
  readonly id: string;
  readonly at: string;
  readonly kind: 'RECEIVE' | 'SHIP';
  readonly on: string;
  readonly inboundType: InboundType | null;
  readonly containerNumber: string | null;
  readonly lines: readonly {
    readonly lineNo: number;
    readonly skuId: string;
    readonly lotId: string;
    readonly units: string;
    readonly cartons: string;
    readonly pallets: string | null;
    readonly cartonMm3: string | null;
  }[];
  readonly charges: readonly ExistingCharge[] | null;
}

const unsettled = (charge: string) =>
  `${charge}.state = 'unrated' AND NOT EXISTS (SELECT FROM wms.cost_charge a WHERE a.adjusts_charge_id = ${charge}.id)`;

const facts = `
  SELECT m.id, m.effective_at::text AS at, m.kind, wms.local_date(m.effective_at, w.timezone) AS on,
         m.inbound_type AS "inboundType", m.container_number AS "containerNumber",
         (SELECT jsonb_agg(jsonb_build_object(
                   'lineNo', t.line_no, 'skuId', t.sku_id, 'lotId', t.lot_id, 'units', abs(t.qty_delta)::text,
                   'cartons', ceil(abs(t.qty_delta)::numeric / l.units_per_carton)::text,
                   'pallets', coalesce(t.pallets_reported, t.pallets_computed)::text,
                   'cartonMm3', (coalesce(l.carton_length_mm, s.default_carton_length_mm)::bigint
                                 * coalesce(l.carton_width_mm, s.default_carton_width_mm)
                                 * coalesce(l.carton_height_mm, s.default_carton_height_mm))::text) ORDER BY t.line_no)
          FROM wms.wms_inventory_transaction t JOIN wms.lot l ON l.id = t.lot_id JOIN wms.sku s ON s.id = t.sku_id
          WHERE t.movement_id = m.id) AS lines,
         (SELECT jsonb_agg(jsonb_build_object(
                   'id', c.id::text, 'dedupeKey', c.dedupe_key, 'isOpen', ${unsettled('c')}, 'category', c.category,
                   'name', c.name, 'currency', c.currency, 'skuId', c.sku_id, 'lotId', c.lot_id))
          FROM wms.cost_charge c WHERE c.movement_id = m.id) AS charges
  FROM wms.movement m JOIN wms.warehouse w ON w.id = m.warehouse_id`;

const chargeable = `m.warehouse_id = $1::uuid AND m.kind IN ('RECEIVE', 'SHIP')
     AND NOT EXISTS (SELECT FROM wms.movement v WHERE v.reverses_movement_id = m.id)`;
const inOpenDays = `(w.closed_through IS NULL OR m.effective_at >= wms.end_of_day(w.closed_through, w.timezone))`;
const page = (after: string) => `
     AND (${after}::uuid IS NULL OR (m.effective_at, m.id) > ($2::timestamptz, ${after}))
   ORDER BY m.effective_at, m.id`;

/** Receipts and shipments of the open periods of the warehouse $1, after the movement $2, $3, at most $4. */
export const openMovements = statement<ChargeableRow>(
  'wms.open_movements',
  `${facts} WHERE ${chargeable} AND ${inOpenDays} ${page('$3')} LIMIT $4`,
);

/** As openMovements: those that were charged nothing yet, or something that nobody knew the price of. */
export const movementsInWant = statement<ChargeableRow>(
  'wms.movements_in_want',
  `${facts} WHERE ${chargeable} AND ${inOpenDays}
     AND (NOT EXISTS (SELECT FROM wms.cost_charge c WHERE c.movement_id = m.id)
          OR EXISTS (SELECT FROM wms.cost_charge c WHERE c.movement_id = m.id AND ${unsettled('c')}))
   ${page('$3')} LIMIT $4`,
);

/** As openMovements: up to the day $5, and without any charge. */
export const unchargedMovements = statement<ChargeableRow>(
  'wms.uncharged_movements',
  `${facts} WHERE ${chargeable} AND ${inOpenDays} AND m.effective_at < wms.end_of_day($5::date, w.timezone)
     AND NOT EXISTS (SELECT FROM wms.cost_charge c WHERE c.movement_id = m.id)
   ${page('$3')} LIMIT $4`,
);

/** As openMovements: of the days from $5 to $6, closed or not. */
export const movementsOfDays = statement<ChargeableRow>(
  'wms.movements_of_days',
  `${facts} WHERE ${chargeable} AND m.effective_at >= wms.end_of_day($5::date - 1, w.timezone)
     AND m.effective_at < wms.end_of_day($6::date, w.timezone)
   ${page('$3')} LIMIT $4`,
);

/** Reversals in open periods of the warehouse $1, up to the day $2 unless it is null, whose target is still charged. */
export const reversalsInWant = statement<{ id: string; reverses: string; on: string }>(
  'wms.reversals_in_want',
  `SELECT m.id, m.reverses_movement_id AS reverses, wms.local_date(m.effective_at, w.timezone) AS on
   FROM wms.movement m JOIN wms.warehouse w ON w.id = m.warehouse_id
   WHERE m.warehouse_id = $1::uuid AND m.kind = 'REVERSAL' AND ${inOpenDays}
     AND ($2::date IS NULL OR m.effective_at < wms.end_of_day($2, w.timezone))
     AND EXISTS (SELECT FROM wms.cost_charge c
                 WHERE c.movement_id = m.reverses_movement_id
                   AND NOT EXISTS (SELECT FROM wms.cost_charge a WHERE a.adjusts_charge_id = c.id))
   ORDER BY m.effective_at, m.id`,
);

/** Warehouses in which events cost something. */
export const warehousesWithEventRates = statement<{ id: string }>(
  'wms.warehouses_with_event_rates',
  `SELECT DISTINCT warehouse_id AS id FROM wms.cost_rate
   WHERE basis NOT IN ('manual', 'pallet_week', 'pallet_day', 'cuft_month') ORDER BY 1`,
);
