import { statement } from '@belay/platform';
import type { Lot } from './lot.entity.js';

export type ShownLot = Lot & { readonly sku: string };

const columns = `l.id, l.sku_id AS "skuId", s.code AS sku, l.code, l.units_per_carton AS "unitsPerCarton",
  l.carton_length_mm AS "cartonLengthMm", l.carton_width_mm AS "cartonWidthMm", l.carton_height_mm AS "cartonHeightMm",
  l.carton_weight_g AS "cartonWeightG", l.storage_cartons_per_pallet AS "storageCartonsPerPallet",
  l.shipping_cartons_per_pallet AS "shippingCartonsPerPallet", l.manufactured_on AS "manufacturedOn",
  l.best_before_on AS "bestBeforeOn", l.expires_on AS "expiresOn", l.status, l.created_at AS "createdAt",
  l.row_version AS "rowVersion"`;

export const lotById = statement<ShownLot>(
  'wms.lot_by_id',
  `SELECT ${columns} FROM wms.lot l JOIN wms.sku s ON s.id = l.sku_id WHERE l.id = $1`,
);

/** $1 SKU, $2 status, $3 expires before, $4 pattern, $5, $6 and $7 the row to go on after, $8 rows. */
export const lotList = statement<ShownLot & { readonly sortSku: string; readonly sortCode: string }>(
  'wms.lot_list',
  `SELECT ${columns}, upper(s.code) AS "sortSku", upper(l.code) AS "sortCode"
   FROM wms.lot l JOIN wms.sku s ON s.id = l.sku_id
   WHERE ($1::uuid IS NULL OR l.sku_id = $1)
     AND ($2::text IS NULL OR l.status = $2)
     AND ($3::date IS NULL OR l.expires_on < $3)
     AND ($4::text IS NULL OR l.code ILIKE $4)
     AND ($7::uuid IS NULL OR (upper(s.code), upper(l.code), l.id) > ($5::text, $6::text, $7))
   ORDER BY upper(s.code), upper(l.code), l.id LIMIT $8`,
);
