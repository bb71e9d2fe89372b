import { statement } from '@belay/platform';
import type { ChargeCategory } from './charge.rules.js';

export interface ChargeListRow {
  readonly id: string;
  readonly warehouse: string;
  readonly category: ChargeCategory;
  readonly name: string;
  readonly movementId: string | null;
  readonly storageLineId: string | null;
  readonly adjustsChargeId: string | null;
  readonly sku: string | null;
  readonly lot: string | null;
  readonly quantity: string;
  readonly rateId: string | null;
  readonly rate: string | null;
  readonly amount: string | null;
  readonly currency: string;
  readonly chargeOn: string;
  readonly periodStart: string;
  readonly periodEnd: string;
  readonly state: 'final' | 'unrated';
  readonly note: string | null;
  readonly createdAt: Date;
  readonly createdBy: string | null;
}

const charges = `
  SELECT c.id, w.code AS warehouse, c.category, c.name, c.movement_id AS "movementId",
         c.storage_ledger_id AS "storageLineId", c.adjusts_charge_id AS "adjustsChargeId", s.code AS sku, l.code AS lot,
         c.quantity, c.rate_id AS "rateId", c.rate, c.amount, c.currency, c.charge_on AS "chargeOn",
         c.period_start AS "periodStart", c.period_end AS "periodEnd", c.state, c.note, c.created_at AS "createdAt",
         c.created_by AS "createdBy"
  FROM wms.cost_charge c
  JOIN wms.warehouse w ON w.id = c.warehouse_id
  LEFT JOIN wms.sku s ON s.id = c.sku_id
  LEFT JOIN wms.lot l ON l.id = c.lot_id`;

/**
 * $1 the sites the caller may see, null for all, $2 warehouse, $3 a day of the period, $4 category, $5 state, $6 movement,
 * $7 the row to go on after, $8 rows. An unrated charge is one that nothing has settled.
 */
export const chargeList = statement<ChargeListRow>(
  'wms.charge_list',
  `${charges}
   WHERE ($1::uuid[] IS NULL OR w.site_id = ANY ($1)) AND ($2::uuid IS NULL OR c.warehouse_id = $2)
     AND ($3::date IS NULL OR $3 BETWEEN c.period_start AND c.period_end) AND ($4::text IS NULL OR c.category = $4)
     AND ($5::text IS NULL OR c.state = $5
          AND ($5 = 'final' OR NOT EXISTS (SELECT FROM wms.cost_charge a WHERE a.adjusts_charge_id = c.id)))
     AND ($6::uuid IS NULL OR c.movement_id = $6) AND ($7::bigint IS NULL OR c.id > $7)
   ORDER BY c.id LIMIT $8`,
);

export const chargeByKey = statement<ChargeListRow>('wms.charge_by_key', `${charges} WHERE c.dedupe_key = $1::text`);

export interface HandRate {
  readonly isFuture: boolean;
  readonly skuId: string | null;
  readonly rateId: string | null;
  readonly version: number | null;
  readonly name: string | null;
  readonly category: ChargeCategory | null;
  readonly value: string | null;
}

/**
 * What decides about a charge by hand in the warehouse $1 on the day $2 under the name $3: its rate, the SKU of the id $4
 * or the code $5, and whether the day is still to come.
 */
export const handRate = statement<HandRate>(
  'wms.hand_rate',
  `SELECT $2::date > wms.local_date(clock_timestamp(), w.timezone) AS "isFuture", s.id AS "skuId", r.id AS "rateId",
          r.row_version AS version, r.name, r.category, r.value
   FROM wms.warehouse w
   LEFT JOIN wms.sku s ON s.id = $4::uuid OR upper(s.code) = upper($5::text)
   LEFT JOIN wms.cost_rate r ON r.warehouse_id = w.id AND r.basis = 'manual' AND lower(r.name) = lower($3::text)
     AND r.valid @> $2::date AND r.currency = w.currency
   WHERE w.id = $1::uuid`,
);
