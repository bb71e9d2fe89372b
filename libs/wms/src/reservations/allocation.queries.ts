import { statement } from '@belay/platform';
import type { ReservationStatus } from './reservation.contract.js';

/** A reservation as an act left it. Quantities are texts of integers. */
export interface ReservationState {
  readonly id: string;
  readonly warehouseId: string;
  readonly skuId: string;
  readonly lotId: string | null;
  readonly sourceType: string;
  readonly sourceId: string;
  readonly sourceLine: string;
  readonly units: string;
  readonly fulfilledUnits: string;
  readonly shortUnits: string;
  readonly status: ReservationStatus;
}

const state = `r.id, r.warehouse_id AS "warehouseId", r.sku_id AS "skuId", r.lot_id AS "lotId",
  r.source_type AS "sourceType", r.source_id AS "sourceId", r.source_line AS "sourceLine", r.qty AS units,
  r.qty_fulfilled AS "fulfilledUnits", r.qty_short AS "shortUnits", r.status`;

/** Changes `reserved` by the units that the named rows hold for each balance. */
const reserve = (rows: string, sign: '+' | '-') =>
  `UPDATE wms.stock_balance b SET reserved = b.reserved ${sign} w.units, row_version = b.row_version + 1
   FROM (SELECT balance_id, sum(units)::bigint AS units FROM ${rows} GROUP BY 1) w WHERE b.id = w.balance_id`;

/**
 * A new reservation and what it is promised, in one act: $1 id, $2 warehouse, $3 SKU, $4 lot, $5 to $7 source, $8 units,
 * $9 units that are short, $10 strategy, $11 policy, $12 needed on, $13 shelf life, $14 expiry, $15 who, $16 balances
 * and $17 units. The balances are locked.
 */
export const insertReservation = statement<ReservationState>(
  'wms.insert_reservation',
  `WITH r AS (
     INSERT INTO wms.reservation (id, warehouse_id, sku_id, lot_id, source_type, source_id, source_line, qty, qty_short,
                                  strategy, policy, needed_on, min_shelf_life_days, expires_at, created_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING *),
   promised AS (
     SELECT p.balance_id, p.units FROM unnest($16::bigint[], $17::bigint[]) AS p (balance_id, units)),
   taken AS (${reserve('promised', '+')}),
   bound AS (
     INSERT INTO wms.reservation_alloc (reservation_id, balance_id, qty) SELECT $1, balance_id, units FROM promised)
   SELECT ${state} FROM r`,
);

/** Promises more to reservations there are: $1 reservations, $2 balances and $3 units in triples. All are locked. */
export const extendReservations = statement<ReservationState>(
  'wms.extend_reservations',
  `WITH promised AS (
     SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS p (reservation_id, balance_id, units)),
   taken AS (${reserve('promised', '+')}),
   bound AS (
     INSERT INTO wms.reservation_alloc AS a (reservation_id, balance_id, qty)
     SELECT reservation_id, balance_id, units FROM promised
     ON CONFLICT (reservation_id, balance_id) DO UPDATE SET qty = a.qty + excluded.qty)
   UPDATE wms.reservation r SET qty_short = r.qty_short - p.units
   FROM (SELECT reservation_id, sum(units)::bigint AS units FROM promised GROUP BY 1) p
   WHERE r.id = p.reservation_id
   RETURNING ${state}`,
);

/**
 * Takes back what the reservations $1 are still promised, of the lot $2 only when one is named. They end with the
 * status $3, or without one stay open and are short of it. Reservations and balances are locked.
 */
export const releaseAllocations = statement<ReservationState & { readonly released: string }>(
  'wms.release_allocations',
  `WITH open AS (
     SELECT a.reservation_id, a.balance_id, a.qty_fulfilled, a.qty - a.qty_fulfilled AS units
     FROM wms.reservation_alloc a JOIN wms.stock_balance b ON b.id = a.balance_id
     WHERE a.reservation_id = ANY ($1::uuid[]) AND a.qty_fulfilled < a.qty AND ($2::uuid IS NULL OR b.lot_id = $2)),
   freed AS (${reserve('open', '-')}),
   gone AS (
     DELETE FROM wms.reservation_alloc a USING open o
     WHERE a.reservation_id = o.reservation_id AND a.balance_id = o.balance_id AND o.qty_fulfilled = 0),
   kept AS (
     UPDATE wms.reservation_alloc a SET qty = a.qty_fulfilled FROM open o
     WHERE a.reservation_id = o.reservation_id AND a.balance_id = o.balance_id AND o.qty_fulfilled > 0)
   UPDATE wms.reservation r
   SET status = coalesce($3::text, r.status),
       qty_short = CASE WHEN $3::text IS NULL THEN r.qty_short + f.units ELSE 0 END
   FROM (SELECT asked.id, coalesce(sum(o.units), 0)::bigint AS units
         FROM unnest($1::uuid[]) AS asked (id) LEFT JOIN open o ON o.reservation_id = asked.id GROUP BY 1) f
   WHERE r.id = f.id
   RETURNING ${state}, f.units AS released`,
);

/** Uses up what was promised: $1 reservations, $2 balances and $3 units in triples. All are locked. */
export const fulfilAllocations = statement<ReservationState>(
  'wms.fulfil_allocations',
  `WITH used AS (
     SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS p (reservation_id, balance_id, units)),
   freed AS (${reserve('used', '-')}),
   done AS (
     UPDATE wms.reservation_alloc a SET qty_fulfilled = a.qty_fulfilled + u.units FROM used u
     WHERE a.reservation_id = u.reservation_id AND a.balance_id = u.balance_id)
   UPDATE wms.reservation r
   SET qty_fulfilled = r.qty_fulfilled + u.units,
       status = CASE WHEN r.qty_fulfilled + u.units = r.qty THEN 'fulfilled' ELSE 'partially_fulfilled' END
   FROM (SELECT reservation_id, sum(units)::bigint AS units FROM used GROUP BY 1) u
   WHERE r.id = u.reservation_id
   RETURNING ${state}`,
);

/** An open part of a promise, with what decides in which order it is used. */
export interface OpenAllocation {
  readonly reservationId: string;
  readonly balanceId: string;
  readonly locationId: string;
  readonly skuId: string;
  readonly lotId: string;
  readonly stockStatus: string;
  readonly lotStatus: string;
  readonly pickPriority: number;
  readonly unitsPerCarton: number;
  readonly units: string;
  readonly expiresOn: string | null;
  readonly firstReceivedAt: string | null;
}

/**
 * What the reservations $1 are still promised, of the lot $2 only when one is named; locks the balances in the order in
 * which everybody does. The reservations are locked, so nobody else changes what they are promised.
 */
export const lockOpenAllocations = statement<OpenAllocation>(
  'wms.lock_open_allocations',
  `SELECT a.reservation_id AS "reservationId", b.id AS "balanceId", b.location_id AS "locationId", b.sku_id AS "skuId",
          b.lot_id AS "lotId", b.stock_status AS "stockStatus", l.status AS "lotStatus",
          o.pick_priority AS "pickPriority", l.units_per_carton AS "unitsPerCarton", a.qty - a.qty_fulfilled AS units,
          l.expires_on AS "expiresOn",
          to_char((SELECT min(k.first_received_at) FROM wms.lot_stock k
                   WHERE k.warehouse_id = b.warehouse_id AND k.lot_id = b.lot_id) AT TIME ZONE 'UTC',
                  'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "firstReceivedAt"
   FROM wms.reservation_alloc a
   JOIN wms.stock_balance b ON b.id = a.balance_id
   JOIN wms.lot l ON l.id = b.lot_id
   JOIN wms.location o ON o.id = b.location_id
   WHERE a.reservation_id = ANY ($1::uuid[]) AND a.qty_fulfilled < a.qty AND ($2::uuid IS NULL OR b.lot_id = $2)
   ORDER BY b.location_id, b.lot_id, b.stock_status, a.reservation_id
   FOR NO KEY UPDATE OF b`,
);

export interface LockedReservation extends ReservationState {
  readonly siteId: string;
  /** Its code. */
  readonly sku: string;
  readonly strategy: 'fifo' | 'fefo' | 'lifo';
  /** Null when it is past: then goods must be good today. */
  readonly neededOn: string | null;
  readonly minShelfLifeDays: number | null;
}

/** Locks the reservations $1, always in the same order and before any balance. */
export const lockReservations = statement<LockedReservation>(
  'wms.lock_reservations',
  `SELECT ${state}, w.site_id AS "siteId", s.code AS sku, r.strategy,
          CASE WHEN r.needed_on > wms.local_date(clock_timestamp(), w.timezone) THEN r.needed_on END AS "neededOn",
          r.min_shelf_life_days AS "minShelfLifeDays"
   FROM wms.reservation r
   JOIN wms.warehouse w ON w.id = r.warehouse_id
   JOIN wms.sku s ON s.id = r.sku_id
   WHERE r.id = ANY ($1::uuid[]) ORDER BY r.id FOR NO KEY UPDATE OF r`,
);

/** Of the reservations $1, for who decides whether they may be touched before they are locked. */
export const reservationPlaces = statement<{ id: string; warehouseId: string; siteId: string }>(
  'wms.reservation_places',
  `SELECT r.id, r.warehouse_id AS "warehouseId", w.site_id AS "siteId"
   FROM wms.reservation r JOIN wms.warehouse w ON w.id = r.warehouse_id WHERE r.id = ANY ($1::uuid[])`,
);

/** At most $1 open reservations whose time is over; those that somebody else has at hand are left to the next look. */
export const lockExpired = statement<{ id: string }>(
  'wms.lock_expired_reservations',
  `SELECT id FROM wms.reservation
   WHERE status IN ('active', 'partially_fulfilled') AND expires_at <= clock_timestamp()
   ORDER BY expires_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED`,
);

/** Open reservations that are promised something of the lot $1. */
export const reservationsOfLot = statement<{ id: string }>(
  'wms.reservations_of_lot',
  `SELECT DISTINCT a.reservation_id AS id
   FROM wms.stock_balance b JOIN wms.reservation_alloc a ON a.balance_id = b.id AND a.qty_fulfilled < a.qty
   WHERE b.lot_id = $1::uuid ORDER BY 1`,
);

/** Locks every bucket of the lot's SKU, wherever it is: what is taken from the lot is looked for in them. */
export const lockBucketsOfSku = statement<{ id: string }>(
  'wms.lock_buckets_of_sku',
  `SELECT b.id FROM wms.lot given
   JOIN wms.lot l ON l.sku_id = given.sku_id
   JOIN wms.stock_balance b ON b.lot_id = l.id
   WHERE given.id = $1::uuid
   ORDER BY b.location_id, b.lot_id, b.stock_status FOR NO KEY UPDATE OF b`,
);
