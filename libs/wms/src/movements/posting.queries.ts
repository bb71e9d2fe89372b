import { keepAnswer, statement } from '@belay/platform';
import { insertCharges, ratesAtVersions } from '../charges/charge.queries.js';

/** Expressions about a time, for statements that ask other things too. */
export const isFuture = (at: string) => `${at} > clock_timestamp() + interval '5 minutes'`;
export const isOld = (at: string, zone: string) =>
  `wms.local_date(${at}, ${zone}) < wms.local_date(clock_timestamp(), ${zone}) - 365`;

/** The last moment (`at`) of a bucket that is later than the given one; no row when there is none. */
export const lastAfter = (at: string, warehouse: string, bucket: string) => `(
  SELECT t.effective_at AS at FROM wms.wms_inventory_transaction t
  WHERE t.warehouse_id = ${warehouse} AND t.lot_id = ${bucket}.lot_id AND t.effective_at > ${at}
    AND t.location_id = ${bucket}.location_id AND t.stock_status = ${bucket}.stock_status
  ORDER BY t.effective_at DESC, t.seq DESC LIMIT 1)`;

const answer = `$33::jsonb || jsonb_build_object(
       'number', w.number, 'effectiveAt', w.effective_at, 'recordedAt', w.recorded_at)`;

/**
 * A movement, whole: number, header, lines, papers, stacking, facts, and the answer under the key of the request. One
 * statement, so it is also one transaction when there is none around it.
 *
 * Buckets are held first and in one order, as everybody does who touches them; only then is the time taken, so that
 * movements of now stand in the order in which they had the bucket, and only then the counter, which all wait for.
 *
 * $1 account, $2 request, $3 reason; lines: $4 locations, $5 SKUs, $6 lots, $7 statuses, $8 units, $9 reported and $10
 * computed pallets; $11 effective at, null for now; $12 warehouse, $13 its code, $14 its zone, $15 kind, $16 prefix of
 * the number, $17 id, $18 reason code, $19 reference, $20 counterparty, $21 container, $22 inbound type, $23 ship mode,
 * $24 source type, $25 source id, $26 reversed movement, $27 backdated, $28 note; $29 lots, $30 storage and $31 shipping
 * cartons per pallet; $32 names of facts; $33 answer; $34 to $38 of keepAnswer; $39 rows of charges, for which the rates
 * $40 must stand at the versions $41 and the day must be $42: otherwise nothing is posted, and nothing answered.
 */
export const postMovement = statement<{
  number: string;
  effectiveAt: string;
  recordedAt: string;
  effectiveOn: string;
}>(
  'wms.post_movement',
  `WITH given AS MATERIALIZED (
     SELECT set_config('lock_timeout', '3s', true), set_config('belay.actor', $1, true),
            set_config('belay.request_id', $2, true), set_config('belay.reason', $3, true),
            $4::uuid[] AS locations, $5::uuid[] AS skus, $6::uuid[] AS lots, $7::text[] AS statuses, $8::bigint[] AS units,
            $9::integer[] AS reported, $10::integer[] AS computed, $28::text AS note, $29::uuid[] AS stacked,
            $30::integer[] AS storage, $31::integer[] AS shipping, $32::text[] AS facts, $40::uuid[] AS rates,
            $41::integer[] AS versions),
   line AS MATERIALIZED (
     SELECT l.* FROM given g
     CROSS JOIN LATERAL unnest(g.locations, g.skus, g.lots, g.statuses, g.units, g.reported, g.computed) WITH ORDINALITY
       AS l (location_id, sku_id, lot_id, stock_status, units, pallets_reported, pallets_computed, line_no)),
   held AS MATERIALIZED (SELECT wms.hold_buckets($12, g.locations, g.skus, g.lots, g.statuses) FROM given g),
   taken AS MATERIALIZED (
     SELECT coalesce($11::timestamptz, date_trunc('milliseconds', clock_timestamp())) AS effective_at
     FROM (SELECT count(*) FROM held) h),
   rates AS MATERIALIZED (${ratesAtVersions('(SELECT rates FROM given)', '(SELECT versions FROM given)')}),
   moment AS MATERIALIZED (
     SELECT t.effective_at FROM taken t
     WHERE (SELECT count(*) FROM rates) = cardinality((SELECT rates FROM given))
       AND ($42::date IS NULL OR wms.local_date(t.effective_at, $14::text) = $42)),
   counted AS (
     INSERT INTO wms.doc_counter AS c (warehouse_id, kind, on_date, last_no)
     SELECT $12::uuid, $15::text, wms.local_date(m.effective_at, $14::text), 1 FROM moment m
     ON CONFLICT (warehouse_id, kind, on_date) DO UPDATE SET last_no = c.last_no + 1
     RETURNING on_date, last_no::text AS last_no),
   movement AS (
     INSERT INTO wms.movement (id, number, warehouse_id, kind, reason_code, reference, counterparty, container_number,
       inbound_type, ship_mode, effective_at, actor_id, source_type, source_id, reverses_movement_id, backdated)
     SELECT $17::uuid,
            $13::text || '-' || $16::text || '-' || to_char(c.on_date, 'YYYYMMDD') || '-'
              || lpad(c.last_no, greatest(6, length(c.last_no)), '0'),
            $12, $15, $18, $19, $20, $21, $22, $23, m.effective_at, $1::uuid, $24, $25, $26::uuid, $27::boolean
     FROM counted c, moment m
     RETURNING id, number, warehouse_id, effective_at, recorded_at),
   lines AS (
     INSERT INTO wms.wms_inventory_transaction (movement_id, line_no, warehouse_id, location_id, sku_id, lot_id,
       stock_status, qty_delta, pallets_reported, pallets_computed, effective_at, recorded_at)
     SELECT m.id, l.line_no, m.warehouse_id, l.location_id, l.sku_id, l.lot_id, l.stock_status, l.units,
            l.pallets_reported, l.pallets_computed, m.effective_at, m.recorded_at
     FROM movement m, line l),
   papers AS (
     INSERT INTO wms.movement_attr (movement_id, notes, created_by)
     SELECT m.id, g.note, $1::uuid FROM movement m, given g WHERE g.note IS NOT NULL),
   stacked AS (
     INSERT INTO wms.lot_stock (warehouse_id, lot_id, storage_cartons_per_pallet, shipping_cartons_per_pallet,
       first_received_at, source_movement_id, created_by)
     SELECT m.warehouse_id, s.lot_id, s.storage, s.shipping, m.effective_at, m.id, $1::uuid
     FROM movement m, given g, unnest(g.stacked, g.storage, g.shipping) AS s (lot_id, storage, shipping)
     ORDER BY s.lot_id
     ON CONFLICT (warehouse_id, lot_id, valid_from) DO NOTHING),
   charged AS (${insertCharges({
     warehouse: '$12::uuid',
     by: '$1::uuid',
     rows: '$39::jsonb',
     when: 'EXISTS (SELECT FROM movement)',
   })}),
   written AS MATERIALIZED (
     SELECT m.id, m.number, c.on_date,
            to_char(m.effective_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS effective_at,
            to_char(m.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS recorded_at
     FROM movement m, counted c),
   announced AS (
     INSERT INTO platform.outbox (name, body, domain, request_id, actor)
     SELECT e.name,
            jsonb_build_object('movementId', w.id, 'number', w.number, 'warehouseId', $12, 'kind', $15,
                               'effectiveAt', w.effective_at, 'reversesMovementId', $26::uuid),
            'wms', nullif($2, ''), $1
     FROM written w, given g, unnest(g.facts) AS e (name)),
   kept AS (${keepAnswer(34, answer, 'written w')})
   SELECT w.number, w.effective_at AS "effectiveAt", w.recorded_at AS "recordedAt", w.on_date AS "effectiveOn"
   FROM written w`,
);

export interface BucketsAtTime {
  readonly isFuture: boolean;
  /** The day in the warehouse. */
  readonly effectiveOn: string;
  /** More than a year ago. */
  readonly isOld: boolean;
  /** The last moment after it that is known of one of the buckets. */
  readonly later: string | null;
}

/** What the time $1 means in the zone $2, and in the warehouse $3 for the buckets of $4 locations, $5 lots and $6 statuses. */
export const bucketsAtTime = statement<BucketsAtTime>(
  'wms.buckets_at_time',
  `SELECT ${isFuture('$1::timestamptz')} AS "isFuture", wms.local_date($1, $2::text) AS "effectiveOn",
          ${isOld('$1', '$2')} AS "isOld",
          (SELECT max(l.at)::text
           FROM unnest($4::uuid[], $5::uuid[], $6::text[]) AS w (location_id, lot_id, stock_status)
           CROSS JOIN LATERAL ${lastAfter('$1', '$3::uuid', 'w')} l) AS later`,
);

export interface BucketStock {
  readonly location_id: string;
  readonly lot_id: string;
  readonly stock_status: string;
  readonly location: string;
  readonly sku: string;
  readonly lot: string;
  readonly on_hand: string;
  readonly reserved: string;
}

/** What there is in the buckets of $1 locations, $2 lots and $3 statuses, by the names that people know. */
export const stockOfBuckets = statement<BucketStock>(
  'wms.stock_of_buckets',
  `SELECT w.location_id, w.lot_id, w.stock_status, o.code AS location, s.code AS sku, l.code AS lot,
          coalesce(b.on_hand, 0) AS on_hand, coalesce(b.reserved, 0) AS reserved
   FROM unnest($1::uuid[], $2::uuid[], $3::text[]) WITH ORDINALITY AS w (location_id, lot_id, stock_status, place)
   JOIN wms.location o ON o.id = w.location_id
   JOIN wms.lot l ON l.id = w.lot_id
   JOIN wms.sku s ON s.id = l.sku_id
   LEFT JOIN wms.stock_balance b USING (location_id, lot_id, stock_status)
   ORDER BY w.place`,
);
