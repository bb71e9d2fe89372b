import { statement } from '@belay/platform';
import type { ChargeCategory, RateBasis, RateParams } from '../charges/charge.rules.js';

export interface RateRow {
  readonly id: string;
  readonly warehouseId: string;
  readonly siteId: string;
  readonly warehouse: string;
  readonly category: ChargeCategory;
  readonly name: string;
  readonly basis: RateBasis;
  readonly value: string;
  readonly currency: string;
  readonly unitLabel: string | null;
  readonly params: RateParams;
  readonly effectiveFrom: string;
  readonly effectiveTo: string | null;
  readonly supersededBy: string | null;
  readonly lastChargedOn: string | null;
  readonly notes: string | null;
  readonly rowVersion: number;
}

const columns = `r.id, r.warehouse_id AS "warehouseId", w.site_id AS "siteId", w.code AS warehouse, r.category, r.name, r.basis,
  r.value, r.currency, r.unit_label AS "unitLabel", r.params, lower(r.valid) AS "effectiveFrom",
  upper(r.valid) - 1 AS "effectiveTo", r.superseded_by AS "supersededBy", r.notes, r.row_version AS "rowVersion",
  greatest((SELECT max(c.charge_on) FROM wms.cost_charge c WHERE c.rate_id = r.id),
           (SELECT max(g.snapshot_on) FROM wms.storage_ledger g WHERE g.rate_id = r.id)) AS "lastChargedOn"`;
const source = `wms.cost_rate r JOIN wms.warehouse w ON w.id = r.warehouse_id`;

/**
 * $1 the sites the caller may see, null for all, $2 warehouse, $3 category, $4 basis, $5 name, $6 day of validity, $7 to $9
 * the row to go on after, $10 rows.
 */
export const rateList = statement<RateRow & { readonly sortName: string }>(
  'wms.rate_list',
  `SELECT ${columns}, lower(r.name) AS "sortName" FROM ${source}
   WHERE ($1::uuid[] IS NULL OR w.site_id = ANY ($1)) AND ($2::uuid IS NULL OR r.warehouse_id = $2)
     AND ($3::text IS NULL OR r.category = $3) AND ($4::text IS NULL OR r.basis = $4)
     AND ($5::text IS NULL OR lower(r.name) = lower($5)) AND ($6::date IS NULL OR r.valid @> $6)
     AND ($9::uuid IS NULL OR (lower(r.name), lower(r.valid), r.id) > ($7::text, $8::date, $9))
   ORDER BY lower(r.name), lower(r.valid), r.id LIMIT $10`,
);

export const rateById = statement<RateRow>('wms.rate_by_id', `SELECT ${columns} FROM ${source} WHERE r.id = $1::uuid`);

/** One at a time writes the rates of the warehouse $1: two that wait for each other's rows would be a deadlock. */
export const lockRates = statement(
  'wms.lock_rates',
  `SELECT pg_advisory_xact_lock(hashtextextended('wms.rates:' || $1::uuid::text, 0))`,
);

/** Rates of the warehouse $1 that one of the name $2 and the basis $3, valid from $4 to $5, overlaps; without the rate $6. */
export const overlappingRates = statement<RateRow>(
  'wms.overlapping_rates',
  `SELECT ${columns} FROM ${source}
   WHERE r.warehouse_id = $1::uuid AND r.valid && daterange($4::date, $5::date, '[]')
     AND (lower(r.name) = lower($2::text) OR r.basis = $3::text AND $3::text = 'pallet_week')
     AND r.id IS DISTINCT FROM $6::uuid
   ORDER BY lower(r.valid), r.id`,
);

export const insertRate = statement(
  'wms.insert_rate',
  `INSERT INTO wms.cost_rate (id, warehouse_id, category, name, basis, value, currency, unit_label, params, valid, notes, created_by)
   VALUES ($1, $2, $3, $4, $5, $6::numeric, $7, $8, $9::jsonb, daterange($10::date, $11::date, '[]'), $12, $13)`,
);

export const updateRate = statement(
  'wms.update_rate',
  `UPDATE wms.cost_rate
   SET category = $2, name = $3, basis = $4, value = $5::numeric, unit_label = $6, params = $7::jsonb,
       valid = daterange($8::date, $9::date, '[]'), notes = $10, superseded_by = coalesce($11::uuid, superseded_by)
   WHERE id = $1::uuid`,
);

export const deleteRate = statement('wms.delete_rate', `DELETE FROM wms.cost_rate WHERE id = $1::uuid`);

/** Storage of the warehouse $1 that had no rate on a day from $2 to $3 is run again. */
export const dirtyUnratedStorage = statement(
  'wms.dirty_unrated_storage',
  `INSERT INTO wms.storage_dirty AS dirty (warehouse_id, lot_id, from_date, rev)
   SELECT warehouse_id, lot_id, min(snapshot_on), 1 FROM wms.storage_ledger
   WHERE warehouse_id = $1::uuid AND state = 'unrated' AND daterange($2::date, $3::date, '[]') @> snapshot_on
   GROUP BY 1, 2 ORDER BY 1, 2
   ON CONFLICT (warehouse_id, lot_id) DO UPDATE
     SET from_date = least(dirty.from_date, excluded.from_date), rev = dirty.rev + 1`,
);

export interface AliasRow {
  readonly id: string;
  readonly siteId: string;
  readonly warehouse: string;
  readonly category: ChargeCategory;
  readonly alias: string;
  readonly rateName: string;
  readonly rowVersion: number;
}

const aliasColumns = `a.id, w.site_id AS "siteId", w.code AS warehouse, a.category, a.alias, a.rate_name AS "rateName",
  a.row_version AS "rowVersion"`;
const aliases = `wms.rate_alias a JOIN wms.warehouse w ON w.id = a.warehouse_id`;

/** $1 the sites the caller may see, null for all, $2 warehouse, $3 category, $4 and $5 the row to go on after, $6 rows. */
export const aliasList = statement<AliasRow & { readonly sortName: string }>(
  'wms.alias_list',
  `SELECT ${aliasColumns}, lower(a.alias) AS "sortName" FROM ${aliases}
   WHERE ($1::uuid[] IS NULL OR w.site_id = ANY ($1)) AND ($2::uuid IS NULL OR a.warehouse_id = $2)
     AND ($3::text IS NULL OR a.category = $3) AND ($5::uuid IS NULL OR (lower(a.alias), a.id) > ($4::text, $5))
   ORDER BY lower(a.alias), a.id LIMIT $6`,
);

export const aliasById = statement<AliasRow>(
  'wms.alias_by_id',
  `SELECT ${aliasColumns} FROM ${aliases} WHERE a.id = $1::uuid`,
);

export const lockAlias = statement<{ rowVersion: number }>(
  'wms.lock_alias',
  `SELECT row_version AS "rowVersion" FROM wms.rate_alias WHERE id = $1::uuid FOR UPDATE`,
);

/** Wordings that differ in case and spaces only are the same: nothing is written, and nothing answered, for the second. */
export const insertAlias = statement<{ id: string }>(
  'wms.insert_alias',
  `INSERT INTO wms.rate_alias (id, warehouse_id, category, alias, rate_name, created_by)
   SELECT $1, $2, $3, $4, $5, $6
   WHERE NOT EXISTS (
     SELECT FROM wms.rate_alias
     WHERE warehouse_id = $2::uuid AND category = $3::text
       AND lower(regexp_replace(alias, '\\s+', ' ', 'g')) = lower(regexp_replace($4::text, '\\s+', ' ', 'g')))
   RETURNING id`,
);

export const updateAlias = statement(
  'wms.update_alias',
  `UPDATE wms.rate_alias SET rate_name = $2 WHERE id = $1::uuid`,
);

export const deleteAlias = statement('wms.delete_alias', `DELETE FROM wms.rate_alias WHERE id = $1::uuid`);
