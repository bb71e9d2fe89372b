import { statement } from '@belay/platform';
import type { LotStockView } from './lot-stock.contract.js';

const sorted = `upper(w.code) AS "sortWarehouse", upper(s.code) AS "sortSku", upper(l.code) AS "sortLot"`;

/** Every lot that a warehouse ever received, with how it was stacked; its version counts all changes of that. */
const stacked = `
  SELECT k.warehouse_id AS "warehouseId", k.lot_id AS "lotId", s.code AS sku, l.code AS lot, ${sorted},
         to_jsonb(min(k.first_received_at)) #>> '{}' AS "firstReceivedAt",
         jsonb_agg(jsonb_build_object(
           'validFrom', nullif(k.valid_from, '-infinity'),
           'storageCartonsPerPallet', k.storage_cartons_per_pallet,
           'shippingCartonsPerPallet', k.shipping_cartons_per_pallet) ORDER BY k.valid_from) AS stacking,
         sum(k.row_version)::integer AS "rowVersion"
  FROM wms.lot_stock k
  JOIN wms.warehouse w ON w.id = k.warehouse_id
  JOIN wms.lot l ON l.id = k.lot_id
  JOIN wms.sku s ON s.id = l.sku_id`;

/** $1 the warehouse, $2 the lot. */
export const lotStockOf = statement<LotStockView>(
  'wms.lot_stock_of',
  `${stacked} WHERE k.warehouse_id = $1 AND k.lot_id = $2 GROUP BY k.warehouse_id, k.lot_id, s.code, l.code, w.code`,
);

/** $1 the sites the caller may see, null for all, $2 warehouse, $3 SKU, $4 lot, $5 to $9 the row to go on after, $10 rows. */
export const lotStockList = statement<
  LotStockView & { readonly sortWarehouse: string; readonly sortSku: string; readonly sortLot: string }
>(
  'wms.lot_stock_list',
  `${stacked}
   WHERE ($1::uuid[] IS NULL OR w.site_id = ANY ($1))
     AND ($2::uuid IS NULL OR k.warehouse_id = $2)
     AND ($3::uuid IS NULL OR l.sku_id = $3)
     AND ($4::uuid IS NULL OR k.lot_id = $4)
     AND ($9::uuid IS NULL
          OR (upper(w.code), upper(s.code), upper(l.code), k.warehouse_id, k.lot_id)
             > ($5::text, $6::text, $7::text, $8::uuid, $9))
   GROUP BY k.warehouse_id, k.lot_id, s.code, l.code, w.code
   ORDER BY upper(w.code), upper(s.code), upper(l.code), k.warehouse_id, k.lot_id LIMIT $10`,
);

/** Holds what the warehouse $1 knows of the lot $2 until the end of the transaction. */
export const lockLotStock = statement(
  'wms.lock_lot_stock',
  `SELECT FROM wms.lot_stock WHERE warehouse_id = $1 AND lot_id = $2 ORDER BY valid_from FOR UPDATE`,
);

/**
 * Has the lot $2 stacked otherwise in the warehouse $1 from the day $3 on: $4 and $5 cartons stored and shipped, null for as
 * many as on that day; $6 says so.
 */
export const stackFrom = statement(
  'wms.stack_from',
  `INSERT INTO wms.lot_stock AS known (warehouse_id, lot_id, valid_from, storage_cartons_per_pallet,
                                       shipping_cartons_per_pallet, first_received_at, created_by)
   SELECT k.warehouse_id, k.lot_id, $3::date, coalesce($4::integer, k.storage_cartons_per_pallet),
          coalesce($5::integer, k.shipping_cartons_per_pallet), k.first_received_at, $6::uuid
   FROM wms.lot_stock k
   WHERE k.warehouse_id = $1 AND k.lot_id = $2 AND k.valid_from <= $3::date
   ORDER BY k.valid_from DESC LIMIT 1
   ON CONFLICT (warehouse_id, lot_id, valid_from) DO UPDATE
     SET storage_cartons_per_pallet = excluded.storage_cartons_per_pallet,
         shipping_cartons_per_pallet = excluded.shipping_cartons_per_pallet`,
);

/** Has the storage of the lot $2 in the warehouse $1 worked out anew from the day $3 on. */
export const markLotDirty = statement(
  'wms.mark_lot_dirty',
  `INSERT INTO wms.storage_dirty AS dirty (warehouse_id, lot_id, from_date, rev) VALUES ($1, $2, $3, 1)
   ON CONFLICT (warehouse_id, lot_id) DO UPDATE
     SET from_date = least(dirty.from_date, excluded.from_date), rev = dirty.rev + 1`,
);
