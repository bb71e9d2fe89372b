import { Injectable } from '@nestjs/common';
import type { Caller } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { draftRate } from '../rates/rate.contract.js';
import { RateService } from '../rates/rate.service.js';
import { stagedFacts } from './import.queries.js';
import type { Batch, Document } from './importer.service.js';
import { rateRows } from './rate-row.contract.js';
import { RowImport, rowStatements } from './row-import.service.js';

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

const statements = rowStatements('rate', {
  rows,
  faults: `
    SELECT DISTINCT ON (row_no) row_no, 'error' AS severity, 'currency' AS column_name, 'currency-mismatch' AS code,
           format('must be %s, in which the warehouse reckons', own) AS detail FROM one WHERE currency <> own
    UNION ALL
    SELECT DISTINCT ON (row_no) row_no, 'error', 'effective_date', 'rate-overlap', format('%s is valid %s', name, valid)
    FROM one WHERE other_id IS NOT NULL AND NOT is_same`,
});

/** Prices of the operator. */
@Injectable()
export class RateImport extends RowImport {
  readonly reader = rateRows;
  readonly feature = 'wms_finance';
  readonly permissions = ['wms.rate:write'];
  protected readonly statements = statements;

  constructor(private readonly rates: RateService) {
    super();
  }

  async take(tx: EntityManager, by: Caller, _batch: Batch, { lines }: Document): Promise<void> {
    for (const { facts } of lines) await this.rates.draftIn(tx, by, draftRate.parse(facts));
  }
}
