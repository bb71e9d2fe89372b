import { statement } from '@belay/platform';
import type { ChargeCategory } from './charge.rules.js';

/** What was charged in the warehouse $1: $2 a day of the period, or $3 and $4 first and last day of the charges. */
const cost = `
  SELECT c.category, c.name, c.sku_id, c.charge_on AS day, coalesce(c.amount, 0) AS amount,
         CASE WHEN c.state = 'final' THEN c.quantity ELSE 0 END AS quantity,
         CASE WHEN x.is_adjusted OR c.state = 'unrated' OR c.dedupe_key ~ '^(undo|settle):' THEN 0 ELSE 1 END AS line,
         CASE WHEN c.state = 'unrated' AND NOT x.is_adjusted THEN 1 ELSE 0 END AS unrated
  FROM wms.cost_charge c
  CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM wms.cost_charge a WHERE a.adjusts_charge_id = c.id) AS is_adjusted) x
  WHERE c.warehouse_id = $1::uuid AND ($2::date IS NULL OR $2 BETWEEN c.period_start AND c.period_end)
    AND ($3::date IS NULL OR c.charge_on BETWEEN $3 AND $4::date)
  UNION ALL
  SELECT 'Storage', coalesce(r.name, 'Storage'), g.sku_id, g.snapshot_on, 0, 0, 0, 1
  FROM wms.storage_ledger g
  LEFT JOIN LATERAL (
    SELECT name FROM wms.cost_rate r WHERE r.warehouse_id = g.warehouse_id AND r.basis = 'pallet_week'
    ORDER BY lower(r.valid) DESC LIMIT 1) r ON true
  WHERE g.warehouse_id = $1::uuid AND g.amount IS NULL AND ($2::date IS NULL OR $2 BETWEEN g.period_start AND g.period_end)
    AND ($3::date IS NULL OR g.snapshot_on BETWEEN $3 AND $4::date)`;

interface CostRow {
  readonly amount: string;
  readonly quantity: string;
  readonly lines: number;
  readonly unrated: number;
}

const sums = `sum(amount) AS amount, sum(quantity) AS quantity, sum(line)::integer AS lines, sum(unrated)::integer AS unrated`;

export const costsByCategory = statement<CostRow & { readonly category: ChargeCategory }>(
  'wms.costs_by_category',
  `SELECT category, ${sums} FROM (${cost}) c GROUP BY 1 ORDER BY 1`,
);

export const costsByName = statement<CostRow & { readonly category: ChargeCategory; readonly name: string }>(
  'wms.costs_by_name',
  `SELECT category, min(name) AS name, ${sums} FROM (${cost}) c GROUP BY category, lower(name) ORDER BY 1, 2`,
);

export const costsBySku = statement<CostRow & { readonly sku: string | null }>(
  'wms.costs_by_sku',
  `SELECT s.code AS sku, ${sums} FROM (${cost}) c LEFT JOIN wms.sku s ON s.id = c.sku_id GROUP BY 1 ORDER BY 1 NULLS LAST`,
);

export const costsByWeek = statement<CostRow & { readonly week: string }>(
  'wms.costs_by_week',
  `SELECT date_trunc('week', day::timestamp)::date AS week, ${sums} FROM (${cost}) c GROUP BY 1 ORDER BY 1`,
);

export const costsByMonth = statement<CostRow & { readonly month: string }>(
  'wms.costs_by_month',
  `SELECT to_char(day, 'YYYY-MM') AS month, ${sums} FROM (${cost}) c GROUP BY 1 ORDER BY 1`,
);

/** What was stored in the warehouse $1 in the period of the day $2, by snapshot. */
export const storedPallets = statement<{ day: string; pallets: string | null }>(
  'wms.stored_pallets',
  `SELECT snapshot_on AS day, pallets FROM wms.storage_ledger
   WHERE warehouse_id = $1::uuid AND $2::date BETWEEN period_start AND period_end AND (units > 0)`,
);

/**
 * What the warehouse $1 was charged in the period of the day $2, by name; `isPriced` is whether it is of what happened or
 * was stored in the period, so that it is priced again, and not by hand or late from another.
 */
export const chargedInPeriod = statement<{
  category: ChargeCategory;
  name: string;
  quantity: string;
  amount: string;
  isPriced: boolean;
}>(
  'wms.charged_in_period',
  `SELECT c.category, c.name, sum(c.quantity) AS quantity, sum(c.amount) AS amount, o.movement_id IS NOT NULL
            OR g.id IS NOT NULL AS "isPriced"
   FROM wms.cost_charge c
   JOIN wms.warehouse w ON w.id = c.warehouse_id
   LEFT JOIN LATERAL (
     SELECT m.id AS movement_id FROM wms.movement r
     JOIN wms.movement m ON m.id = coalesce(r.reverses_movement_id, r.id)
     WHERE r.id = c.movement_id
       AND wms.local_date(m.effective_at, w.timezone) BETWEEN c.period_start AND c.period_end) o ON true
   LEFT JOIN wms.storage_ledger g ON g.id = c.storage_ledger_id AND g.period_start = c.period_start
   WHERE c.warehouse_id = $1::uuid AND $2::date BETWEEN c.period_start AND c.period_end AND c.state = 'final'
   GROUP BY 1, 2, 5 ORDER BY 1, 2`,
);

/** The rates of storage of the warehouse $1. */
export const storageRates = statement<{
  name: string;
  value: string;
  effectiveFrom: string;
  effectiveTo: string | null;
}>(
  'wms.storage_rates',
  `SELECT name, value, lower(valid) AS "effectiveFrom", upper(valid) - 1 AS "effectiveTo" FROM wms.cost_rate r
   JOIN wms.warehouse w ON w.id = r.warehouse_id AND w.currency = r.currency
   WHERE r.warehouse_id = $1::uuid AND r.basis = 'pallet_week'`,
);
