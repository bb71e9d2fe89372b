import { statement } from '@belay/platform';
import type { KnownSku } from './line.queries.js';
import type { Sku } from './sku.entity.js';

/** The SKU of the id $1 or the code $2. */
export const skuGiven = statement<KnownSku>(
  'wms.sku_given',
  `SELECT s.id, s.code, s.is_active AS "isActive", s.lot_tracked AS "lotTracked", s.expiry_tracked AS "expiryTracked",
          s.pick_strategy AS "pickStrategy", s.min_shelf_life_days AS "minShelfLifeDays",
          s.default_units_per_carton AS "defaultUnitsPerCarton"
   FROM (SELECT * FROM wms.sku WHERE id = $1::uuid
         UNION ALL
         SELECT * FROM wms.sku WHERE upper(code) = upper($2::text)) s`,
);

/** $1 pattern, $2 with lots, $3 with expiry, $4 active, $5 and $6 the row to go on after, $7 rows. */
export const skuList = statement<Sku & { readonly sortCode: string }>(
  'wms.sku_list',
  `SELECT s.id, s.code, s.description, s.asin, s.gtin, s.pack_size AS "packSize", s.lot_tracked AS "lotTracked",
          s.expiry_tracked AS "expiryTracked", s.pick_strategy AS "pickStrategy",
          s.min_shelf_life_days AS "minShelfLifeDays", s.reorder_point AS "reorderPoint", s.safety_stock AS "safetyStock",
          s.unit_weight_g AS "unitWeightG", s.unit_length_mm AS "unitLengthMm", s.unit_width_mm AS "unitWidthMm",
          s.unit_height_mm AS "unitHeightMm", s.default_units_per_carton AS "defaultUnitsPerCarton",
          s.default_carton_length_mm AS "defaultCartonLengthMm", s.default_carton_width_mm AS "defaultCartonWidthMm",
          s.default_carton_height_mm AS "defaultCartonHeightMm", s.default_carton_weight_g AS "defaultCartonWeightG",
          s.material, s.packaging_type AS "packagingType", s.notes, s.is_active AS "isActive",
          s.created_at AS "createdAt", s.row_version AS "rowVersion", upper(s.code) AS "sortCode"
   FROM wms.sku s
   WHERE ($1::text IS NULL OR s.code ILIKE $1 OR s.description ILIKE $1 OR s.asin ILIKE $1 OR s.gtin ILIKE $1)
     AND ($2::boolean IS NULL OR s.lot_tracked = $2)
     AND ($3::boolean IS NULL OR s.expiry_tracked = $3)
     AND ($4::boolean IS NULL OR s.is_active = $4)
     AND ($6::uuid IS NULL OR (upper(s.code), s.id) > ($5::text, $6))
   ORDER BY upper(s.code), s.id LIMIT $7`,
);

/** Where there is stock of the SKU $1, of its lot $2 when one is given: by site, in units. */
export const sitesHolding = statement<{ readonly siteId: string; readonly units: string }>(
  'wms.sites_holding',
  `SELECT w.site_id AS "siteId", sum(b.on_hand) AS units
   FROM wms.warehouse w
   JOIN wms.stock_balance b ON b.warehouse_id = w.id
   WHERE b.sku_id = $1 AND ($2::uuid IS NULL OR b.lot_id = $2) AND b.on_hand > 0
   GROUP BY w.site_id`,
);

/** Whether the SKU $1 has a lot of its own, or ever had stock. */
export const isBegun = statement<{ readonly begun: boolean }>(
  'wms.sku_is_begun',
  `SELECT EXISTS (
     SELECT FROM wms.lot l WHERE l.sku_id = $1
       AND (l.code <> '-' OR EXISTS (SELECT FROM wms.stock_balance b WHERE b.lot_id = l.id))) AS begun`,
);

/** Gives the SKU $2 without lots its one lot $1, made by $3, or has it follow the SKU's cartons until it is first received. */
export const keepSystemLot = statement(
  'wms.keep_system_lot',
  `INSERT INTO wms.lot AS kept (id, sku_id, code, units_per_carton, carton_length_mm, carton_width_mm, carton_height_mm,
                                carton_weight_g, created_by)
   SELECT $1::uuid, s.id, '-', s.default_units_per_carton, s.default_carton_length_mm, s.default_carton_width_mm,
          s.default_carton_height_mm, s.default_carton_weight_g, $3::uuid
   FROM wms.sku s WHERE s.id = $2::uuid AND NOT s.lot_tracked
   ON CONFLICT (sku_id, upper(code)) DO UPDATE SET units_per_carton = excluded.units_per_carton
     WHERE kept.units_per_carton <> excluded.units_per_carton
       AND NOT EXISTS (SELECT FROM wms.stock_balance b WHERE b.lot_id = kept.id)`,
);
