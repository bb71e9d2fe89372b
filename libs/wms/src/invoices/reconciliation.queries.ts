import { statement } from '@belay/platform';
import type { ChargeCategory } from '../charges/charge.rules.js';
import type { ReconciliationDecision, ReconciliationResult } from './reconciliation.rules.js';

/**
 * The day by which a charge belongs to an invoice: its own, or the first of the period that carries it when it was found
 * too late for its own.
 */
const chargedOn = `CASE WHEN c.charge_on BETWEEN c.period_start AND c.period_end THEN c.charge_on ELSE c.period_start END`;
const inPeriod = `c.warehouse_id = $1::uuid AND c.period_start <= $3::date AND c.period_end >= $2::date
  AND ${chargedOn} BETWEEN $2::date AND $3::date`;

/**
 * What the charges of the warehouse $1 from $2 to $3 in the currency $4 come to. Charges that were undone stand beside
 * their negatives, so that every period keeps what it was once told.
 */
export const expectedCharges = statement<{ category: string; name: string; quantity: string; amount: string }>(
  'wms.expected_charges',
  `SELECT c.category, c.name, sum(c.quantity) AS quantity, sum(c.amount) AS amount
   FROM wms.cost_charge c
   WHERE ${inPeriod} AND c.currency = $4::text AND c.state = 'final'
   GROUP BY 1, 2 HAVING sum(c.amount) <> 0 OR sum(c.quantity) <> 0
   ORDER BY 1, 2`,
);

/** The currencies in which the warehouse $1 was charged from $2 to $3. */
export const chargedCurrencies = statement<{ currency: string }>(
  'wms.charged_currencies',
  `SELECT DISTINCT c.currency FROM wms.cost_charge c WHERE ${inPeriod} AND c.state = 'final'`,
);

/** Charges of the warehouse $1 from $2 to $3 that nobody can price yet. */
export const unratedCharges = statement<{ charges: number }>(
  'wms.unrated_charges_of_period',
  `SELECT count(*)::integer AS charges FROM wms.cost_charge c
   WHERE ${inPeriod} AND c.state = 'unrated'
     AND NOT EXISTS (SELECT FROM wms.cost_charge s WHERE s.adjusts_charge_id = c.id)`,
);

export const aliasesOf = statement<{ category: string; alias: string; rateName: string }>(
  'wms.aliases_for_reconciliation',
  `SELECT category, alias, rate_name AS "rateName" FROM wms.rate_alias WHERE warehouse_id = $1::uuid ORDER BY id`,
);

export const toleranceOf = statement<{ absolute: string; percent: string }>(
  'wms.tolerance_for_reconciliation',
  `SELECT recon_abs_tolerance AS absolute, recon_pct_tolerance AS percent FROM wms.warehouse WHERE id = $1::uuid`,
);

export interface ReconRunRow {
  readonly id: string;
  readonly invoiceId: string;
  readonly runNo: number;
  readonly engineVersion: string;
  readonly currency: string;
  readonly periodStart: string | null;
  readonly periodEnd: string | null;
  readonly expectedTotal: string;
  readonly invoicedTotal: string;
  readonly difference: string;
  readonly absTolerance: string;
  readonly pctTolerance: string;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly createdBy: string;
}

const runColumns = `r.id, r.invoice_id AS "invoiceId", r.run_no AS "runNo", r.engine_version AS "engineVersion", r.currency,
  r.period_start AS "periodStart", r.period_end AS "periodEnd", r.expected_total AS "expectedTotal",
  r.invoiced_total AS "invoicedTotal", r.difference, r.abs_tolerance AS "absTolerance", r.pct_tolerance AS "pctTolerance",
  r.started_at AS "startedAt", r.finished_at AS "finishedAt", r.created_by AS "createdBy"`;

/** $1 invoice, $2 the run to go on after (the latest come first), $3 rows. */
export const runsOfInvoice = statement<ReconRunRow>(
  'wms.recon_runs_of_invoice',
  `SELECT ${runColumns} FROM wms.recon_run r
   WHERE r.invoice_id = $1::uuid AND ($2::integer IS NULL OR r.run_no < $2) ORDER BY r.run_no DESC LIMIT $3`,
);

/** The run $2 of the invoice $1; the last when $2 is null. */
export const runOfInvoice = statement<ReconRunRow>(
  'wms.recon_run_of_invoice',
  `SELECT ${runColumns} FROM wms.recon_run r
   WHERE r.invoice_id = $1::uuid AND ($2::integer IS NULL OR r.run_no = $2) ORDER BY r.run_no DESC LIMIT 1`,
);

export interface ReconLineRow {
  readonly id: string;
  readonly category: ChargeCategory;
  readonly name: string;
  readonly expectedQty: string;
  readonly invoicedQty: string;
  readonly expectedAmount: string;
  readonly invoicedAmount: string;
  readonly difference: string;
  readonly rateVariance: string;
  readonly qtyVariance: string;
  readonly result: ReconciliationResult;
  readonly decision: ReconciliationDecision;
  readonly decidedBy: string | null;
  readonly decidedAt: Date | null;
  readonly note: string | null;
}

/** The lines of the run $2 of the invoice $1; of the last when $2 is null. */
export const linesOfRun = statement<ReconLineRow>(
  'wms.recon_lines_of_run',
  `SELECT n.id, n.category, n.name, n.expected_qty AS "expectedQty", n.invoiced_qty AS "invoicedQty",
          n.expected_amount AS "expectedAmount", n.invoiced_amount AS "invoicedAmount", n.difference,
          n.rate_variance AS "rateVariance", n.qty_variance AS "qtyVariance", n.result, n.decision,
          n.decided_by AS "decidedBy", n.decided_at AS "decidedAt", n.note
   FROM wms.recon_line n
   WHERE n.run_id = (
     SELECT r.id FROM wms.recon_run r WHERE r.invoice_id = $1::uuid AND ($2::integer IS NULL OR r.run_no = $2)
     ORDER BY r.run_no DESC LIMIT 1)
   ORDER BY n.category, n.name`,
);

/** $1 id, $2 invoice, $3 engine, $4 currency, $5 and $6 days, $7 to $9 sums, $10 and $11 tolerance, $12 begin, $13 who. */
export const insertRun = statement<{ runNo: number }>(
  'wms.insert_recon_run',
  `INSERT INTO wms.recon_run (id, invoice_id, run_no, engine_version, currency, period_start, period_end, expected_total,
     invoiced_total, difference, abs_tolerance, pct_tolerance, started_at, created_by)
   SELECT $1::uuid, $2::uuid, coalesce(max(r.run_no), 0) + 1, $3::text, $4::text, $5::date, $6::date, $7::numeric,
          $8::numeric, $9::numeric, $10::numeric, $11::numeric, $12::timestamptz, $13::uuid
   FROM wms.recon_run r WHERE r.invoice_id = $2::uuid
   RETURNING run_no AS "runNo"`,
);

/** $1 run, $2 currency, then the fields of its lines. */
export const insertReconLines = statement(
  'wms.insert_recon_lines',
  `INSERT INTO wms.recon_line (run_id, currency, category, name, expected_qty, invoiced_qty, expected_amount, invoiced_amount,
     difference, rate_variance, qty_variance, result, decision, decided_by, decided_at, note)
   SELECT $1::uuid, $2::text, l.*
   FROM unnest($3::text[], $4::text[], $5::numeric[], $6::numeric[], $7::numeric[], $8::numeric[], $9::numeric[],
               $10::numeric[], $11::numeric[], $12::text[], $13::text[], $14::uuid[], $15::timestamptz[], $16::text[]) AS l`,
);

/** Decides the lines $1 as $2 says, in the name of $4, with the notes $3. */
export const decideLines = statement(
  'wms.decide_recon_lines',
  `UPDATE wms.recon_line n
   SET decision = d.decision, decided_by = $4::uuid, decided_at = clock_timestamp(), note = coalesce(d.note, n.note)
   FROM unnest($1::bigint[], $2::text[], $3::text[]) AS d (id, decision, note)
   WHERE n.id = d.id`,
);

/** Takes decisions back: nobody has decided about the lines $1. */
export const undecideLines = statement(
  'wms.undecide_recon_lines',
  `UPDATE wms.recon_line SET decision = 'pending', decided_by = NULL, decided_at = NULL WHERE id = ANY ($1::bigint[])`,
);
