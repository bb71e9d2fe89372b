import { Injectable } from '@nestjs/common';
import { statement, type Caller, type Executor } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { draftRate } from '../rates/rate.contract.js';
import { RateService } from '../rates/rate.service.js';
import { stagedFacts, type StagedDocument } from './import.queries.js';
import { Importer, warehouseOf, type Batch, type Document } from './importer.service.js';
import type { FoundIssue } from './ledger-check.queries.js';
import { rateRows } from './rate-row.contract.js';

/** The rows of the import $1 into the warehouse $2, each with a rate that is in its way, or is the same. */
const rows = `
  SELECT r.row_no, f.currency, w.currency AS own, c.id AS other_id, c.name, c.valid,
         lower(c.name) = lower(f.name) AND lower(c.valid) = f."effectiveFrom"
           AND upper(c.valid) IS NOT DISTINCT FROM f."effectiveTo" + 1
           AND c.value = f.value AND c.basis = f.basis AND c.category = f.category AS is_same
  FROM (SELECT r.* ${stagedFacts}) r
  CROSS JOIN LATERAL jsonb_to_record(r.facts) AS f (name text, category text, basis text, value numeric, currency text,
    "effectiveFrom" date, "effectiveTo" date)
  JOIN wms.warehouse w ON w.id = $2
  LEFT JOIN wms.cost_rate c ON c.warehouse_id = w.id AND c.valid && daterange(f."effectiveFrom", f."effectiveTo", '[]')
    AND (lower(c.name) = lower(f.name) OR c.basis = f.basis AND f.basis = 'pallet_week')`;

const issuesOfRates = statement<FoundIssue>(
  'wms.rate_import_issues',
  `WITH rate AS MATERIALIZED (${rows})
   SELECT row_no AS row, severity, column_name AS column, code, detail FROM (
     SELECT DISTINCT ON (row_no) row_no, 'error' AS severity, 'currency' AS column_name, 'currency-mismatch' AS code,
            format('must be %s, in which the warehouse reckons', own) AS detail FROM rate WHERE currency <> own
     UNION ALL
     SELECT DISTINCT ON (row_no) row_no, 'error', 'effective_date', 'rate-overlap', format('%s is valid %s', name, valid)
     FROM rate WHERE other_id IS NOT NULL AND NOT is_same
     UNION ALL
     SELECT row_no, 'warning', NULL, 'known-already', 'is there already' FROM rate WHERE is_same) found
   ORDER BY row_no`,
);

const sameRates = statement<{ readonly row: number }>(
  'wms.same_rate_as_import',
  `SELECT row_no AS row FROM (${rows}) rate WHERE is_same AND row_no = ANY ($3::integer[])`,
);

/** Prices of the operator. */
@Injectable()
export class RateImport extends Importer {
  readonly reader = rateRows;
  readonly feature = 'wms_finance';
  readonly permissions = ['wms.rate:write'];
  readonly isByRow = true;

  constructor(private readonly rates: RateService) {
    super();
  }

  check(on: Executor, _by: Caller, batch: Batch): Promise<FoundIssue[]> {
    return issuesOfRates(on, [batch.row.id, warehouseOf(batch).id]);
  }

  override async done(on: Executor, batch: Batch, documents: readonly StagedDocument[]): Promise<ReadonlySet<number>> {
    // The check has warned of each.
    if (batch.row.rowsWarning === 0) return new Set();
    const rows = documents.map(({ row }) => row);
    return new Set((await sameRates(on, [batch.row.id, warehouseOf(batch).id, rows])).map(({ row }) => row));
  }

  async take(tx: EntityManager, by: Caller, _batch: Batch, { lines }: Document): Promise<void> {
    for (const { facts } of lines) await this.rates.draftIn(tx, by, draftRate.parse(facts));
  }
}
