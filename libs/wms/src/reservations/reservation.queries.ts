import { statement } from '@belay/platform';
import type { PickStrategy } from '../stock/pick.rules.js';
import type { ReservationStatus } from './reservation.contract.js';

interface AllocationRow {
  readonly location: string;
  readonly locationId: string;
  readonly lot: string;
  readonly lotId: string;
  readonly units: number;
  readonly fulfilledUnits: number;
  readonly expiresOn: string | null;
}

export interface ReservationRow {
  readonly id: string;
  readonly warehouse: string;
  readonly warehouseId: string;
  readonly sku: string;
  readonly skuId: string;
  readonly lot: string | null;
  readonly lotId: string | null;
  readonly sourceType: string;
  readonly sourceId: string;
  readonly sourceLine: string;
  readonly status: ReservationStatus;
  readonly policy: 'all_or_nothing' | 'allow_partial';
  readonly strategy: PickStrategy;
  readonly units: string;
  readonly fulfilledUnits: string;
  readonly shortUnits: string;
  readonly neededOn: string | null;
  readonly minShelfLifeDays: number | null;
  readonly expiresAt: Date | null;
  readonly allocations: readonly AllocationRow[];
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly rowVersion: number;
}

const columns = `
  r.id, w.code AS warehouse, r.warehouse_id AS "warehouseId", s.code AS sku, r.sku_id AS "skuId", l.code AS lot,
  r.lot_id AS "lotId", r.source_type AS "sourceType", r.source_id AS "sourceId", r.source_line AS "sourceLine", r.status,
  r.policy, r.strategy, r.qty AS units, r.qty_fulfilled AS "fulfilledUnits", r.qty_short AS "shortUnits",
  r.needed_on AS "neededOn", r.min_shelf_life_days AS "minShelfLifeDays", r.expires_at AS "expiresAt", a.allocations,
  r.created_at AS "createdAt", r.created_by AS "createdBy", r.row_version AS "rowVersion"`;

const around = `
  JOIN wms.warehouse w ON w.id = r.warehouse_id
  JOIN wms.sku s ON s.id = r.sku_id
  LEFT JOIN wms.lot l ON l.id = r.lot_id
  CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_object(
             'location', o.code, 'locationId', o.id, 'lot', k.code, 'lotId', k.id, 'units', a.qty,
             'fulfilledUnits', a.qty_fulfilled, 'expiresOn', k.expires_on)
           ORDER BY k.expires_on, o.pick_priority, b.id), '[]') AS allocations
    FROM wms.reservation_alloc a
    JOIN wms.stock_balance b ON b.id = a.balance_id
    JOIN wms.location o ON o.id = b.location_id
    JOIN wms.lot k ON k.id = b.lot_id
    WHERE a.reservation_id = r.id) a`;

/** The reservation $1, at the sites $2 only, or at all when null. */
export const reservationById = statement<ReservationRow>(
  'wms.reservation_by_id',
  `SELECT ${columns} FROM wms.reservation r ${around}
   WHERE r.id = $1::uuid AND ($2::uuid[] IS NULL OR w.site_id = ANY ($2))`,
);

/** Newest first: $1 sites, $2 warehouse, $3 SKU, $4 statuses, $5 and $6 source, $7 the one to go on after, $8 rows. */
export const reservationList = statement<ReservationRow>(
  'wms.reservation_list',
  `SELECT ${columns}
   FROM (SELECT r.* FROM wms.reservation r JOIN wms.warehouse w ON w.id = r.warehouse_id
         WHERE ($1::uuid[] IS NULL OR w.site_id = ANY ($1))
           AND ($2::uuid IS NULL OR r.warehouse_id = $2)
           AND ($3::uuid[] IS NULL OR r.sku_id = ANY ($3))
           AND ($4::text[] IS NULL OR r.status = ANY ($4))
           AND ($5::text IS NULL OR r.source_type = $5)
           AND ($6::text IS NULL OR r.source_id = $6)
           AND ($7::uuid IS NULL OR r.id < $7)
         ORDER BY r.id DESC LIMIT $8) r
   ${around}
   ORDER BY r.id DESC`,
);

/** Of the zone $1 and the instant $2. */
export const dayAndTime = statement<{ today: string; isOver: boolean }>(
  'wms.day_and_time',
  `SELECT wms.local_date(clock_timestamp(), $1::text) AS today,
          coalesce($2::timestamptz <= clock_timestamp(), false) AS "isOver"`,
);
