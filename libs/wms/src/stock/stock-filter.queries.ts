import { statement } from '@belay/platform';

/** The warehouses at the sites $1, all when null. */
export const warehousesAt = statement<{ id: string }>(
  'wms.warehouses_at',
  `SELECT id FROM wms.warehouse WHERE $1::uuid[] IS NULL OR site_id = ANY ($1)`,
);

/** The lot of the id $1, or those of the code $2 among the SKUs $3. */
export const lotsGiven = statement<{ id: string }>(
  'wms.lots_given',
  `SELECT id FROM wms.lot WHERE id = $1::uuid AND ($3::uuid[] IS NULL OR sku_id = ANY ($3))
   UNION ALL
   SELECT id FROM wms.lot WHERE sku_id = ANY ($3::uuid[]) AND upper(code) = upper($2::text)`,
);

/** In the warehouses $1, the location of the id $2, or those of the code $3. */
export const locationsGiven = statement<{ id: string }>(
  'wms.locations_given',
  `SELECT id FROM wms.location WHERE id = $2::uuid AND warehouse_id = ANY ($1::uuid[])
   UNION ALL
   SELECT id FROM wms.location WHERE warehouse_id = ANY ($1::uuid[]) AND upper(code) = upper($3::text)`,
);

/** At most $5 of the lots that ever were in the warehouses $1: of the SKUs $2, at the locations $3, with the status $4, where not null. */
export const lotsEverAt = statement<{ id: string }>(
  'wms.lots_ever_at',
  `SELECT DISTINCT lot_id AS id FROM wms.stock_balance
   WHERE warehouse_id = ANY ($1::uuid[]) AND ($2::uuid[] IS NULL OR sku_id = ANY ($2))
     AND ($3::uuid[] IS NULL OR location_id = ANY ($3)) AND ($4::text IS NULL OR stock_status = $4)
   LIMIT $5`,
);
