import { statement } from '@belay/platform';
import type { PalletSpecView } from './pallet-spec.contract.js';

const columns = `p.id, p.warehouse_id AS "warehouseId", p.sku_id AS "skuId", s.code AS sku,
  p.storage_cartons_per_pallet AS "storageCartonsPerPallet", p.shipping_cartons_per_pallet AS "shippingCartonsPerPallet",
  p.max_stack_height_mm AS "maxStackHeightMm", lower(p.valid) AS "effectiveFrom", upper(p.valid) - 1 AS "effectiveTo",
  p.notes, p.row_version AS "rowVersion"`;

export const palletSpecById = statement<PalletSpecView>(
  'wms.pallet_spec_by_id',
  `SELECT ${columns} FROM wms.pallet_spec p JOIN wms.sku s ON s.id = p.sku_id WHERE p.id = $1`,
);

/** As palletSpecById, held until the end of the transaction. */
export const lockPalletSpec = statement<PalletSpecView>(
  'wms.lock_pallet_spec',
  `SELECT ${columns} FROM wms.pallet_spec p JOIN wms.sku s ON s.id = p.sku_id WHERE p.id = $1 FOR NO KEY UPDATE OF p`,
);

/** $1 the sites the caller may see, null for all, $2 warehouse, $3 SKU, $4 day, $5 to $8 the row to go on after, $9 rows. */
export const palletSpecList = statement<
  PalletSpecView & { readonly sortWarehouse: string; readonly sortSku: string; readonly sortFrom: string }
>(
  'wms.pallet_spec_list',
  `SELECT ${columns}, upper(w.code) AS "sortWarehouse", upper(s.code) AS "sortSku", lower(p.valid)::text AS "sortFrom"
   FROM wms.pallet_spec p JOIN wms.sku s ON s.id = p.sku_id JOIN wms.warehouse w ON w.id = p.warehouse_id
   WHERE ($1::uuid[] IS NULL OR w.site_id = ANY ($1))
     AND ($2::uuid IS NULL OR p.warehouse_id = $2)
     AND ($3::uuid IS NULL OR p.sku_id = $3)
     AND ($4::date IS NULL OR p.valid @> $4::date)
     AND ($8::uuid IS NULL OR (upper(w.code), upper(s.code), lower(p.valid), p.id) > ($5::text, $6::text, $7::date, $8))
   ORDER BY upper(w.code), upper(s.code), lower(p.valid), p.id LIMIT $9`,
);

/** $1 id, $2 warehouse, $3 SKU, $4 and $5 cartons stored and shipped, $6 height, $7 first and $8 last day, $9 notes, $10 whose. */
export const addPalletSpec = statement(
  'wms.add_pallet_spec',
  `INSERT INTO wms.pallet_spec (id, warehouse_id, sku_id, storage_cartons_per_pallet, shipping_cartons_per_pallet,
                                max_stack_height_mm, valid, notes, created_by)
   VALUES ($1, $2, $3, $4, $5, $6, daterange($7::date, $8::date, '[]'), $9, $10)`,
);

/** $1 id, $2 and $3 cartons stored and shipped, $4 height, $5 first and $6 last day, $7 notes. */
export const changePalletSpecRow = statement(
  'wms.change_pallet_spec',
  `UPDATE wms.pallet_spec
   SET storage_cartons_per_pallet = $2, shipping_cartons_per_pallet = $3, max_stack_height_mm = $4,
       valid = daterange($5::date, $6::date, '[]'), notes = $7
   WHERE id = $1`,
);

/** The other specifications of the warehouse $1 and the SKU $2 that are valid on some day from $3 to $4. */
export const overlappingPalletSpecs = statement<{
  readonly effectiveFrom: string;
  readonly effectiveTo: string | null;
}>(
  'wms.overlapping_pallet_specs',
  `SELECT lower(valid) AS "effectiveFrom", upper(valid) - 1 AS "effectiveTo" FROM wms.pallet_spec
   WHERE warehouse_id = $1 AND sku_id = $2 AND valid && daterange($3::date, $4::date, '[]') AND id <> $5
   ORDER BY valid LIMIT 1`,
);
