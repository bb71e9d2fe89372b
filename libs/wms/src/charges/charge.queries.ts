import { statement } from '@belay/platform';
import type { ChargeCategory, RateBasis, RateParams } from './charge.rules.js';

/** A rate as the sheet of a warehouse holds it; `to` is the last day on which it is valid, null while it has no end. */
export interface SheetRow {
  readonly id: string;
  /** Of the row: a price that was read is charged only while it stands. */
  readonly version: number;
  readonly category: ChargeCategory;
  readonly name: string;
  readonly basis: RateBasis;
  readonly value: string;
  readonly currency: string;
  readonly params: RateParams;
  readonly from: string;
  readonly to: string | null;
}

/**
 * An expression: the rates by which events in the warehouse are charged, those that have ended too, as a JSON array of
 * SheetRow; null when it has none. `warehouse` and `currency` are expressions for its id and its currency. For statements
 * that read something of the warehouse anyway.
 */
export function eventSheetOf(warehouse: string, currency: string): string {
  return `(
    SELECT jsonb_agg(jsonb_build_object(
             'id', r.id, 'version', r.row_version, 'category', r.category, 'name', r.name, 'basis', r.basis,
             'value', r.value::text, 'currency', r.currency, 'params', r.params, 'from', lower(r.valid),
             'to', upper(r.valid) - 1))
    FROM wms.cost_rate r
    WHERE r.warehouse_id = ${warehouse} AND r.currency = ${currency}
      AND r.basis NOT IN ('manual', 'pallet_week', 'pallet_day', 'cuft_month'))`;
}

/** The sheet of the warehouse $1. */
export const eventSheet = statement<{ sheet: readonly SheetRow[] | null }>(
  'wms.event_sheet',
  `SELECT ${eventSheetOf('w.id', 'w.currency')} AS sheet FROM wms.warehouse w WHERE w.id = $1::uuid`,
);

/** One at a time for each container $2 of the warehouse $1, until the transaction ends. */
export const lockContainer = statement(
  'wms.lock_container',
  `SELECT pg_advisory_xact_lock(hashtextextended('wms.container:' || $1::uuid::text || ':' || upper($2::text), 0))`,
);

/**
 * Which of the receipts $1 brought a container that another receipt was charged for: one of the same document, or of the
 * fortnight before or after. A container is away for longer than that before it comes again.
 */
export const chargedContainers = statement<{ movement_id: string }>(
  'wms.charged_containers',
  `SELECT m.id AS movement_id FROM wms.movement m
   WHERE m.id = ANY ($1::uuid[]) AND EXISTS (
     SELECT FROM wms.movement o
     JOIN wms.cost_charge c ON c.movement_id = o.id AND c.adjusts_charge_id IS NULL
     LEFT JOIN wms.cost_rate r ON r.id = c.rate_id
     WHERE o.container_number = m.container_number AND o.warehouse_id = m.warehouse_id AND o.kind = 'RECEIVE'
       AND o.id <> m.id
       AND (o.reference = m.reference
            OR o.effective_at BETWEEN m.effective_at - interval '14 days' AND m.effective_at + interval '14 days')
       AND (r.basis = 'per_container' OR c.dedupe_key LIKE 'mv:' || o.id || ':per\\_container:%')
       AND NOT EXISTS (SELECT FROM wms.movement v WHERE v.reverses_movement_id = o.id))`,
);

/** One line to be written; decimals as text. */
export interface ChargeRow {
  readonly movementId: string | null;
  readonly skuId: string | null;
  readonly lotId: string | null;
  readonly category: ChargeCategory;
  readonly name: string;
  readonly rateId: string | null;
  readonly quantity: string;
  readonly rate: string | null;
  readonly amount: string | null;
  readonly currency: string;
  readonly chargeOn: string;
  readonly adjusts: string | null;
  readonly dedupeKey: string;
  /** The key it has, or would have, while nobody knows its price. */
  readonly unratedKey: string;
  readonly note: string | null;
}

/** A charge goes to the period of its day, or to the first open one, with a note, when that is closed. */
const periodOf = (day: string) => `
  CROSS JOIN LATERAL (
    SELECT CASE WHEN ${day} <= w.closed_through THEN w.closed_through + 1 ELSE ${day} END AS day,
           CASE WHEN ${day} <= w.closed_through
             THEN 'late:' || wms.period_start(${day}, w.billing_cycle_start_day) END AS late) o`;

/** Holds those of the rates that are still at their versions; `ids` and `versions` are expressions of uuid[] and integer[]. */
export const ratesAtVersions = (ids: string, versions: string) => `
     SELECT r.id FROM wms.cost_rate r
     JOIN unnest(${ids}, ${versions}) AS seen (id, version) ON r.id = seen.id AND r.row_version = seen.version
     FOR KEY SHARE OF r`;

/** Inserts charge rows, each at most once; `rows` is an expression of jsonb, `when` the condition for all of them. */
export const insertCharges = (of: { warehouse: string; by: string; rows: string; when: string }) => `
     INSERT INTO wms.cost_charge (movement_id, adjusts_charge_id, warehouse_id, sku_id, lot_id, category, name, rate_id,
       quantity, rate, amount, currency, charge_on, period_start, period_end, state, dedupe_key, note, created_by)
     SELECT p."movementId", p.adjusts, w.id, p."skuId", p."lotId", p.category, p.name, p."rateId", p.quantity, p.rate,
            p.amount, p.currency, p."chargeOn", wms.period_start(o.day, w.billing_cycle_start_day),
            wms.period_end(o.day, w.billing_cycle_start_day), CASE WHEN p.amount IS NULL THEN 'unrated' ELSE 'final' END,
            p."dedupeKey", nullif(concat_ws('; ', o.late, p.note), ''), ${of.by}
     FROM jsonb_to_recordset(${of.rows}) AS p (
       "movementId" uuid, adjusts bigint, "skuId" uuid, "lotId" uuid, category text, name text, "rateId" uuid,
       quantity numeric, rate numeric, amount numeric, currency text, "chargeOn" date, "dedupeKey" text, note text)
     JOIN wms.warehouse w ON w.id = ${of.warehouse}
     ${periodOf('p."chargeOn"')}
     WHERE ${of.when}
     ON CONFLICT (dedupe_key) DO NOTHING
     RETURNING id`;

/**
 * Writes the charges $3 of the warehouse $1 in the name of $2, each at most once, provided the rates $4 are still at the
 * versions $5: `held` says of how many that is true, and nothing is written unless it is of all.
 */
export const writeCharges = statement<{ held: number; made: number }>(
  'wms.write_charges',
  `WITH held AS MATERIALIZED (${ratesAtVersions('$4::uuid[]', '$5::integer[]')}),
   made AS (${insertCharges({
     warehouse: '$1::uuid',
     by: '$2::uuid',
     rows: '$3::jsonb',
     when: '(SELECT count(*) FROM held) = cardinality($4::uuid[])',
   })})
   SELECT (SELECT count(*) FROM held)::integer AS held, (SELECT count(*) FROM made)::integer AS made`,
);

export interface UndoneCharge {
  readonly category: ChargeCategory;
  readonly name: string;
  readonly quantity: string;
  readonly rate: string | null;
  readonly amount: string;
  readonly currency: string;
}

/**
 * Takes back every charge of the movement $1 that stands, under its reversal $2 of the day $3 and in the name of $4. One
 * whose price was never known is closed with nothing.
 */
export const undoCharges = statement<UndoneCharge>(
  'wms.undo_charges',
  `WITH made AS (
     INSERT INTO wms.cost_charge (movement_id, adjusts_charge_id, warehouse_id, sku_id, lot_id, category, name, rate_id,
       quantity, rate, amount, currency, charge_on, period_start, period_end, state, dedupe_key, note, created_by)
     SELECT $2::uuid, c.id, c.warehouse_id, c.sku_id, c.lot_id, c.category, c.name, c.rate_id,
            CASE WHEN c.amount IS NULL THEN 0 ELSE -c.quantity END, c.rate, coalesce(-c.amount, 0), c.currency, $3::date,
            wms.period_start(o.day, w.billing_cycle_start_day), wms.period_end(o.day, w.billing_cycle_start_day), 'final',
            'undo:' || c.id, o.late, $4::uuid
     FROM wms.cost_charge c
     JOIN wms.warehouse w ON w.id = c.warehouse_id
     ${periodOf('$3::date')}
     WHERE c.movement_id = $1::uuid AND NOT EXISTS (SELECT FROM wms.cost_charge u WHERE u.adjusts_charge_id = c.id)
     ON CONFLICT (dedupe_key) DO NOTHING
     RETURNING category, name, quantity, rate, amount, currency)
   SELECT category, name, sum(quantity) AS quantity, rate, sum(amount) AS amount, currency
   FROM made GROUP BY category, name, rate, currency ORDER BY category, name, rate`,
);
