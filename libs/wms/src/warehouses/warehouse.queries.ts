import { statement } from '@belay/platform';
import type { KnownWarehouse } from './warehouse-scope.service.js';
import type { Warehouse } from './warehouse.entity.js';

/** The row of the warehouse of that id or that code, both expressions of which one is null. */
export const warehouseOf = (id: string, code: string) => `(
     SELECT * FROM wms.warehouse WHERE id = ${id}
     UNION ALL
     SELECT * FROM wms.warehouse WHERE upper(code) = upper(${code})
     LIMIT 1)`;

/** An expression: a KnownWarehouse, of the row `w`. */
export const warehouseFacts = `jsonb_build_object('id', w.id, 'siteId', w.site_id, 'code', w.code, 'name', w.name,
  'timezone', w.timezone, 'currency', w.currency, 'billingCycleStartDay', w.billing_cycle_start_day,
  'storageSnapshotIsodow', w.storage_snapshot_isodow, 'closedThrough', w.closed_through,
  'blockOnMissingRate', w.block_on_missing_rate, 'isActive', w.is_active,
  'reconAbsTolerance', w.recon_abs_tolerance::text, 'reconPctTolerance', w.recon_pct_tolerance::text)`;

/** The warehouse of the id $1 or the code $2; see `idOrCodeOf`. */
export const warehouseGiven = statement<{ readonly warehouse: KnownWarehouse }>(
  'wms.warehouse_given',
  `WITH given AS MATERIALIZED (SELECT $1::uuid AS id, $2::text AS code)
   SELECT ${warehouseFacts} AS warehouse FROM given g CROSS JOIN LATERAL ${warehouseOf('g.id', 'g.code')} w`,
);

/** $1 the sites the caller may see, null for all, $2 pattern, $3 site, $4 kind, $5 active, $6 and $7 the row to go on after, $8 rows. */
export const warehouseList = statement<Warehouse & { readonly sortCode: string }>(
  'wms.warehouse_list',
  `SELECT w.id, w.site_id AS "siteId", w.code, w.name, w.kind, w.address, w.lat, w.lon, w.contact_email AS "contactEmail",
          w.contact_phone AS "contactPhone", w.timezone, w.currency, w.billing_cycle_start_day AS "billingCycleStartDay",
          w.storage_snapshot_isodow AS "storageSnapshotIsodow", w.closed_through AS "closedThrough",
          w.block_on_missing_rate AS "blockOnMissingRate", w.recon_abs_tolerance AS "reconAbsTolerance",
          w.recon_pct_tolerance AS "reconPctTolerance", w.is_active AS "isActive", w.created_at AS "createdAt",
          w.row_version AS "rowVersion", upper(w.code) AS "sortCode"
   FROM wms.warehouse w
   WHERE ($1::uuid[] IS NULL OR w.site_id = ANY ($1))
     AND ($2::text IS NULL OR w.name ILIKE $2 OR w.code ILIKE $2)
     AND ($3::uuid IS NULL OR w.site_id = $3)
     AND ($4::text IS NULL OR w.kind = $4)
     AND ($5::boolean IS NULL OR w.is_active = $5)
     AND ($7::uuid IS NULL OR (upper(w.code), w.id) > ($6::text, $7))
   ORDER BY upper(w.code), w.id LIMIT $8`,
);

/** The server's list also holds files that are no zones: copies under `posix/` and whatever zone the server is in. */
export const isTimezone = statement<{ readonly known: boolean }>(
  'wms.is_timezone',
  `SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = $1)
          AND $1 !~ '^(posix|right)/' AND $1 NOT IN ('localtime', 'posixrules', 'Factory') AS known`,
);

/** Whether anything of the warehouse $1 was ever billed or is about to be. */
export const hasCosts = statement<{ readonly found: boolean }>(
  'wms.has_costs',
  `SELECT EXISTS (SELECT FROM wms.storage_ledger WHERE warehouse_id = $1)
       OR EXISTS (SELECT FROM wms.cost_charge WHERE warehouse_id = $1)
       OR EXISTS (SELECT FROM wms.invoice WHERE warehouse_id = $1) AS found`,
);

/**
 * Has the storage of lots in the warehouse $1 worked out anew from the day $2 on, and never for days that are closed: of
 * all lots, or of those of the SKU $3, or of those that were ever at the location $4. A lot was not there before its first
 * posting, whatever the zone by which that day was told.
 */
export const markStorageDirty = statement(
  'wms.mark_storage_dirty',
  `INSERT INTO wms.storage_dirty AS dirty (warehouse_id, lot_id, from_date, rev)
   SELECT w.id, held.lot_id, greatest($2::date, w.closed_through + 1, first.day - 2), 1
   FROM wms.warehouse w
   CROSS JOIN LATERAL (
     SELECT DISTINCT b.lot_id FROM wms.stock_balance b
     WHERE b.warehouse_id = w.id AND ($3::uuid IS NULL OR b.sku_id = $3) AND ($4::uuid IS NULL OR b.location_id = $4)) held
   CROSS JOIN LATERAL (
     SELECT wms.local_date(min(t.effective_at), w.timezone) AS day FROM wms.wms_inventory_transaction t
     WHERE t.warehouse_id = w.id AND t.lot_id = held.lot_id) first
   WHERE w.id = $1
   ORDER BY held.lot_id
   ON CONFLICT (warehouse_id, lot_id) DO UPDATE
     SET from_date = least(dirty.from_date, excluded.from_date), rev = dirty.rev + 1`,
);

/** Forgets the closing stock of all closed days of the warehouse $1, and says which they were. */
export const dropStockCloses = statement<{ readonly closedOn: string }>(
  'wms.drop_stock_closes',
  `WITH dropped AS (DELETE FROM wms.stock_close WHERE warehouse_id = $1 RETURNING closed_on)
   SELECT DISTINCT closed_on AS "closedOn" FROM dropped ORDER BY 1`,
);

/** The units that are in the warehouse $1, or at the location $2. */
export const unitsHeld = statement<{ readonly units: string }>(
  'wms.units_held',
  `SELECT coalesce(sum(b.on_hand), 0) AS units FROM wms.stock_balance b
   WHERE b.warehouse_id = $1 AND ($2::uuid IS NULL OR b.location_id = $2)`,
);
