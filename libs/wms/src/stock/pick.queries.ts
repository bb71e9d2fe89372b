import { statement } from '@belay/platform';
import type { PickStrategy } from './pick.rules.js';

/** A bucket that has something to promise. Quantities are texts of integers. */
export interface CandidateRow {
  readonly balanceId: string;
  readonly locationId: string;
  readonly skuId: string;
  readonly lotId: string;
  readonly stockStatus: string;
  readonly lotStatus: string;
  readonly isPickable: boolean;
  readonly pickPriority: number;
  readonly unitsPerCarton: number;
  readonly available: string;
  readonly expiresOn: string | null;
  readonly firstReceivedAt: string | null;
}

/** Of the warehouse $1 and the SKUs $2. */
export const pickCandidates = statement<CandidateRow>(
  'wms.pick_candidates',
  `SELECT b.id AS "balanceId", b.location_id AS "locationId", b.sku_id AS "skuId", b.lot_id AS "lotId",
          b.stock_status AS "stockStatus", l.status AS "lotStatus", o.is_pickable AND o.is_active AS "isPickable",
          o.pick_priority AS "pickPriority", l.units_per_carton AS "unitsPerCarton", b.on_hand - b.reserved AS available,
          l.expires_on AS "expiresOn",
          to_char(f.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "firstReceivedAt"
   FROM wms.stock_balance b
   JOIN wms.lot l ON l.id = b.lot_id
   JOIN wms.location o ON o.id = b.location_id
   CROSS JOIN LATERAL (
     SELECT min(k.first_received_at) AS at FROM wms.lot_stock k
     WHERE k.warehouse_id = b.warehouse_id AND k.lot_id = b.lot_id) f
   WHERE b.warehouse_id = $1::uuid AND b.sku_id = ANY ($2::uuid[]) AND b.stock_status = 'available'
     AND b.on_hand > b.reserved`,
);

export interface PickPolicy {
  readonly skuId: string;
  readonly strategy: PickStrategy;
  /** What can expire goes by expiry, whatever somebody asks for. */
  readonly isForced: boolean;
  readonly minShelfLifeDays: number;
  /** In the warehouse. */
  readonly today: string;
}

/** Of the warehouse $1 and the SKUs $2. */
export const pickPolicies = statement<PickPolicy>(
  'wms.pick_policies',
  `SELECT s.id AS "skuId", s.pick_strategy AS strategy, s.expiry_tracked AS "isForced",
          coalesce(s.min_shelf_life_days, 0) AS "minShelfLifeDays",
          wms.local_date(clock_timestamp(), w.timezone) AS today
   FROM wms.warehouse w CROSS JOIN wms.sku s
   WHERE w.id = $1::uuid AND s.id = ANY ($2::uuid[])`,
);

/**
 * Locks the buckets of the locations $1, lots $2 and statuses $3 in the one order in which everybody does. What is read
 * in the same statement may be older than the locks: read again afterwards.
 */
export const lockBuckets = statement<{ id: string }>(
  'wms.lock_buckets',
  `SELECT b.id
   FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS w (location_id, lot_id, stock_status)
   JOIN wms.stock_balance b USING (location_id, lot_id, stock_status)
   ORDER BY b.location_id, b.lot_id, b.stock_status
   FOR NO KEY UPDATE OF b`,
);

/** What there is of the SKUs $2 in the warehouse $1, sound goods only, to tell somebody who wanted more. */
export const soundStock = statement<{ skuId: string; onHand: string; reserved: string }>(
  'wms.sound_stock',
  `SELECT s.id AS "skuId", coalesce(sum(b.on_hand), 0)::bigint AS "onHand", coalesce(sum(b.reserved), 0)::bigint AS reserved
   FROM unnest($2::uuid[]) AS s (id)
   LEFT JOIN wms.stock_balance b
     ON b.warehouse_id = $1::uuid AND b.sku_id = s.id AND b.stock_status = 'available'
   GROUP BY 1`,
);
