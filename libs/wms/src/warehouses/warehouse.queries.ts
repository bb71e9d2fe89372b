import { statement } from '@belay/platform';
import type { KnownWarehouse } from './warehouse-scope.service.js';

/** The warehouses of the ids $1 or the codes $2, each at the place at which it was given; see `idsAndCodes`. */
export const warehousesGiven = statement<KnownWarehouse & { readonly place: number }>(
  'wms.warehouses_given',
  `SELECT asked.place::integer, w.id, w.site_id AS "siteId", w.code, w.name, w.timezone, w.currency,
          w.billing_cycle_start_day AS "billingCycleStartDay", w.storage_snapshot_isodow AS "storageSnapshotIsodow",
          w.closed_through AS "closedThrough", w.block_on_missing_rate AS "blockOnMissingRate",
          w.is_active AS "isActive", w.recon_abs_tolerance AS "reconAbsTolerance",
          w.recon_pct_tolerance AS "reconPctTolerance"
   FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS asked (id, code, place)
   CROSS JOIN LATERAL (
     SELECT * FROM wms.warehouse WHERE id = asked.id
     UNION ALL
     SELECT * FROM wms.warehouse WHERE upper(code) = upper(asked.code)) w
   ORDER BY asked.place`,
);
