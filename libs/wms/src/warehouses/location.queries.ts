import { statement } from '@belay/platform';
import type { Location } from './location.entity.js';

const columns = `o.id, o.warehouse_id AS "warehouseId", o.parent_id AS "parentId", o.code, o.type, o.is_pickable AS "isPickable",
  o.pick_priority AS "pickPriority", o.capacity_units AS "capacityUnits", o.is_active AS "isActive",
  o.created_at AS "createdAt", o.row_version AS "rowVersion"`;

/** $1 the sites the caller may see, null for all, $2 warehouse, $3 parent, $4 type, $5 pattern, $6 active, $7, $8 and $9 the row to go on after, $10 rows. */
export const locationList = statement<Location & { readonly sortWarehouse: string; readonly sortCode: string }>(
  'wms.location_list',
  `SELECT ${columns}, upper(w.code) AS "sortWarehouse", upper(o.code) AS "sortCode"
   FROM wms.location o JOIN wms.warehouse w ON w.id = o.warehouse_id
   WHERE ($1::uuid[] IS NULL OR w.site_id = ANY ($1))
     AND ($2::uuid IS NULL OR o.warehouse_id = $2)
     AND ($3::uuid IS NULL OR o.parent_id = $3)
     AND ($4::text IS NULL OR o.type = $4)
     AND ($5::text IS NULL OR o.code ILIKE $5)
     AND ($6::boolean IS NULL OR o.is_active = $6)
     AND ($9::uuid IS NULL OR (upper(w.code), upper(o.code), o.id) > ($7::text, $8::text, $9))
   ORDER BY upper(w.code), upper(o.code), o.id LIMIT $10`,
);

/** The location of the id $2 or the code $3 in the warehouse $1, and whether it is the location $4 or anywhere inside it. */
export const parentGiven = statement<{ readonly id: string; readonly isActive: boolean; readonly inside: boolean }>(
  'wms.parent_given',
  `WITH RECURSIVE upwards AS (
     SELECT o.id, o.parent_id FROM wms.location o
     WHERE o.warehouse_id = $1::uuid AND (o.id = $2::uuid OR upper(o.code) = upper($3::text))
     UNION
     SELECT above.id, above.parent_id FROM upwards JOIN wms.location above ON above.id = upwards.parent_id)
   SELECT o.id, o.is_active AS "isActive", EXISTS (SELECT FROM upwards WHERE id = $4::uuid) AS inside
   FROM wms.location o
   WHERE o.warehouse_id = $1::uuid AND (o.id = $2::uuid OR upper(o.code) = upper($3::text))`,
);
