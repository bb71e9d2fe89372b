import { Injectable } from '@nestjs/common';
import { statement, type Caller, type Executor } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { draftPalletSpec } from '../goods/pallet-spec.contract.js';
import { PalletSpecService } from '../goods/pallet-spec.service.js';
import { stagedFacts, type StagedDocument } from './import.queries.js';
import { Importer, warehouseOf, type Batch, type Document } from './importer.service.js';
import type { FoundIssue } from './ledger-check.queries.js';
import { palletSpecRows } from './pallet-spec-row.contract.js';

/** The rows of the import $1 into the warehouse $2, each with the specification whose days it shares. */
const rows = `
  SELECT r.row_no, f.sku, s.id AS sku_id, s.is_active, p.id AS other_id, p.valid,
         lower(p.valid) = f."effectiveFrom" AND upper(p.valid) IS NOT DISTINCT FROM f."effectiveTo" + 1
           AND p.storage_cartons_per_pallet = f."storageCartonsPerPallet"
           AND p.shipping_cartons_per_pallet = f."shippingCartonsPerPallet" AS is_same
  FROM (SELECT r.* ${stagedFacts}) r
  CROSS JOIN LATERAL jsonb_to_record(r.facts) AS f (sku text, "effectiveFrom" date, "effectiveTo" date,
    "storageCartonsPerPallet" integer, "shippingCartonsPerPallet" integer)
  LEFT JOIN wms.sku s ON upper(s.code) = upper(f.sku)
  LEFT JOIN wms.pallet_spec p ON p.warehouse_id = $2 AND p.sku_id = s.id
    AND p.valid && daterange(f."effectiveFrom", f."effectiveTo", '[]')`;

const issuesOfSpecs = statement<FoundIssue>(
  'wms.pallet_spec_import_issues',
  `WITH spec AS MATERIALIZED (${rows})
   SELECT row_no AS row, severity, column_name AS column, code, detail FROM (
     SELECT row_no, 'error' AS severity, 'SKU' AS column_name, 'unknown-sku' AS code,
            format('%s is no SKU that is known', sku) AS detail FROM spec WHERE sku_id IS NULL
     UNION ALL
     SELECT row_no, 'error', 'SKU', 'inactive-master-data', format('%s is not in use any more', sku)
     FROM spec WHERE NOT is_active
     UNION ALL
     SELECT DISTINCT ON (row_no) row_no, 'error', 'effective_date', 'pallet-spec-overlap',
            format('another specification is valid %s', valid)
     FROM spec WHERE other_id IS NOT NULL AND NOT is_same
     UNION ALL
     SELECT row_no, 'warning', NULL, 'known-already', 'is there already' FROM spec WHERE is_same) found
   ORDER BY row_no`,
);

const sameSpecs = statement<{ readonly row: number }>(
  'wms.same_pallet_spec_as_import',
  `SELECT row_no AS row FROM (${rows}) spec WHERE is_same AND row_no = ANY ($3::integer[])`,
);

/** How SKUs are stacked in the warehouse. */
@Injectable()
export class PalletSpecImport extends Importer {
  readonly reader = palletSpecRows;
  readonly feature = 'wms_write';
  readonly permissions = ['wms.master:write'];
  readonly isByRow = true;

  constructor(private readonly specs: PalletSpecService) {
    super();
  }

  check(on: Executor, _by: Caller, batch: Batch): Promise<FoundIssue[]> {
    return issuesOfSpecs(on, [batch.row.id, warehouseOf(batch).id]);
  }

  override async done(on: Executor, batch: Batch, documents: readonly StagedDocument[]): Promise<ReadonlySet<number>> {
    // The check has warned of each.
    if (batch.row.rowsWarning === 0) return new Set();
    const rows = documents.map(({ row }) => row);
    return new Set((await sameSpecs(on, [batch.row.id, warehouseOf(batch).id, rows])).map(({ row }) => row));
  }

  async take(tx: EntityManager, by: Caller, _batch: Batch, { lines }: Document): Promise<void> {
    for (const { facts } of lines) await this.specs.add(tx, by, draftPalletSpec.parse(facts));
  }
}
