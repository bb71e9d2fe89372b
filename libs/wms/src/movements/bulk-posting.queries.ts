import { statement } from '@belay/platform';
import { insertCharges, ratesAtVersions } from '../charges/charge.queries.js';

/** A movement as `postMovements` takes it. */
export interface BulkDocument {
  readonly place: number;
  readonly id: string;
  readonly kind: string;
  readonly prefix: string;
  readonly at: string;
  /** The day in the warehouse for which its cost was reckoned; null when it costs nothing. */
  readonly chargedOn: string | null;
  readonly reason: string | null;
  readonly reference: string | null;
  readonly counterparty: string | null;
  readonly container: string | null;
  readonly inbound: string | null;
  readonly ship: string | null;
  readonly sourceType: string | null;
  readonly sourceId: string | null;
  readonly backdated: boolean;
  readonly note: string | null;
}

/**
 * Many movements of a warehouse, each as `postMovement` writes one: buckets are held first, all of them and in one order,
 * then the counters, and the ledger sees all lines at once. Numbers follow the order of the movements.
 *
 * $1 account, $2 request, $3 reason; $4 the movements (BulkDocument); lines: $5 movements, $6 numbers, $7 locations, $8 SKUs,
 * $9 lots, $10 statuses, $11 units, $12 reported and $13 computed pallets; $14 warehouse, $15 its code, $16 its zone; lots
 * that are stacked for the first time: $17 movements, $18 lots, $19 storage and $20 shipping cartons per pallet; $21 rows of
 * charges, for which the rates $22 must stand at the versions $23 and the days be those of the movements: otherwise not all
 * of them are posted, and the transaction must end.
 */
export const postMovements = statement<{ readonly id: string; readonly effectiveOn: string }>(
  'wms.post_movements',
  `WITH context AS MATERIALIZED (
     SELECT set_config('lock_timeout', '3s', true), set_config('belay.actor', $1, true),
            set_config('belay.request_id', $2, true), set_config('belay.reason', $3, true)),
   draft AS MATERIALIZED (
     SELECT d.*, wms.local_date(d.at, $16::text) AS on_date FROM context
     CROSS JOIN jsonb_to_recordset($4::jsonb) AS d (
       place integer, id uuid, kind text, prefix text, at timestamptz, "chargedOn" date, reason text, reference text,
       counterparty text, container text, inbound text, ship text, "sourceType" text, "sourceId" text, backdated boolean,
       note text)),
   line AS MATERIALIZED (
     SELECT l.* FROM context
     CROSS JOIN unnest($5::uuid[], $6::integer[], $7::uuid[], $8::uuid[], $9::uuid[], $10::text[], $11::bigint[],
                       $12::integer[], $13::integer[]) WITH ORDINALITY
       AS l (movement_id, line_no, location_id, sku_id, lot_id, stock_status, units, pallets_reported, pallets_computed, place)),
   held AS MATERIALIZED (SELECT wms.hold_buckets($14, $7, $8, $9, $10) FROM context),
   rates AS MATERIALIZED (${ratesAtVersions('$22::uuid[]', '$23::integer[]')}),
   ready AS MATERIALIZED (
     SELECT d.* FROM (SELECT count(*) FROM held) h, draft d
     WHERE (SELECT count(*) FROM rates) = cardinality($22::uuid[])
       AND (d."chargedOn" IS NULL OR d."chargedOn" = d.on_date)),
   counted AS (
     INSERT INTO wms.doc_counter AS c (warehouse_id, kind, on_date, last_no)
     SELECT $14::uuid, r.kind, r.on_date, count(*) FROM ready r GROUP BY r.kind, r.on_date ORDER BY r.kind, r.on_date
     ON CONFLICT (warehouse_id, kind, on_date) DO UPDATE SET last_no = c.last_no + excluded.last_no
     RETURNING kind, on_date, last_no),
   numbered AS MATERIALIZED (
     SELECT r.*, (c.last_no - count(*) OVER same + row_number() OVER (same ORDER BY r.place))::text AS no
     FROM ready r JOIN counted c ON c.kind = r.kind AND c.on_date = r.on_date
     WINDOW same AS (PARTITION BY r.kind, r.on_date)),
   movement AS (
     INSERT INTO wms.movement (id, number, warehouse_id, kind, reason_code, reference, counterparty, container_number,
       inbound_type, ship_mode, effective_at, actor_id, source_type, source_id, backdated)
     SELECT n.id,
            $15::text || '-' || n.prefix || '-' || to_char(n.on_date, 'YYYYMMDD') || '-'
              || lpad(n.no, greatest(6, length(n.no)), '0'),
            $14, n.kind, n.reason, n.reference, n.counterparty, n.container, n.inbound, n.ship, n.at, $1::uuid,
            n."sourceType", n."sourceId", n.backdated
     FROM numbered n ORDER BY n.place
     RETURNING id, number, warehouse_id, kind, effective_at, recorded_at),
   lines AS (
     INSERT INTO wms.wms_inventory_transaction (movement_id, line_no, warehouse_id, location_id, sku_id, lot_id,
       stock_status, qty_delta, pallets_reported, pallets_computed, effective_at, recorded_at)
     SELECT m.id, l.line_no, m.warehouse_id, l.location_id, l.sku_id, l.lot_id, l.stock_status, l.units,
            l.pallets_reported, l.pallets_computed, m.effective_at, m.recorded_at
     FROM movement m JOIN line l ON l.movement_id = m.id ORDER BY l.place),
   papers AS (
     INSERT INTO wms.movement_attr (movement_id, notes, created_by)
     SELECT m.id, n.note, $1::uuid FROM movement m JOIN numbered n ON n.id = m.id WHERE n.note IS NOT NULL),
   stacked AS (
     INSERT INTO wms.lot_stock (warehouse_id, lot_id, storage_cartons_per_pallet, shipping_cartons_per_pallet,
       first_received_at, source_movement_id, created_by)
     SELECT m.warehouse_id, s.lot_id, s.storage, s.shipping, m.effective_at, m.id, $1::uuid
     FROM movement m
     JOIN unnest($17::uuid[], $18::uuid[], $19::integer[], $20::integer[]) AS s (movement_id, lot_id, storage, shipping)
       ON s.movement_id = m.id
     ORDER BY s.lot_id
     ON CONFLICT (warehouse_id, lot_id, valid_from) DO NOTHING),
   charged AS (${insertCharges({
     warehouse: '$14::uuid',
     by: '$1::uuid',
     rows: '$21::jsonb',
     when: 'EXISTS (SELECT FROM movement)',
   })}),
   announced AS (
     INSERT INTO platform.outbox (name, body, domain, request_id, actor)
     SELECT 'wms.movement.posted',
            jsonb_build_object(
              'movementId', m.id, 'number', m.number, 'warehouseId', $14, 'kind', m.kind,
              'effectiveAt', to_char(m.effective_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
              'reversesMovementId', NULL),
            'wms', nullif($2, ''), $1
     FROM movement m JOIN numbered n ON n.id = m.id ORDER BY n.place)
   SELECT m.id, n.on_date AS "effectiveOn" FROM movement m JOIN numbered n ON n.id = m.id ORDER BY n.place`,
);
