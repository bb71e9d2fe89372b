import { Injectable } from '@nestjs/common';
import type { Caller } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { draftPalletSpec } from '../goods/pallet-spec.contract.js';
import { PalletSpecService } from '../goods/pallet-spec.service.js';
import { stagedFacts } from './import.queries.js';
import type { Batch, Document } from './importer.service.js';
import { palletSpecRows } from './pallet-spec-row.contract.js';
import { RowImport, rowStatements } from './row-import.service.js';

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

const statements = rowStatements('pallet_spec', {
  rows,
  faults: `
    SELECT row_no, 'error' AS severity, 'SKU' AS column_name, 'unknown-sku' AS code,
           format('%s is no SKU that is known', sku) AS detail FROM one WHERE sku_id IS NULL
    UNION ALL
    SELECT row_no, 'error', 'SKU', 'inactive-master-data', format('%s is not in use any more', sku)
    FROM one WHERE NOT is_active
    UNION ALL
    SELECT DISTINCT ON (row_no) row_no, 'error', 'effective_date', 'pallet-spec-overlap',
           format('another specification is valid %s', valid)
    FROM one WHERE other_id IS NOT NULL AND NOT is_same`,
});

/** How SKUs are stacked in the warehouse. */
@Injectable()
export class PalletSpecImport extends RowImport {
  readonly reader = palletSpecRows;
  readonly feature = 'wms_write';
  readonly permissions = ['wms.master:write'];
  protected readonly statements = statements;

  constructor(private readonly specs: PalletSpecService) {
    super();
  }

  async take(tx: EntityManager, by: Caller, _batch: Batch, { lines }: Document): Promise<void> {
    for (const { facts } of lines) await this.specs.add(tx, by, draftPalletSpec.parse(facts));
  }
}
