import { Injectable } from '@nestjs/common';
import { statement, violates, type Caller, type Executor } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { draftSku } from '../goods/sku.contract.js';
import { SkuService } from '../goods/sku.service.js';
import { MasterCodeTaken } from '../warehouses/warehouse.problems.js';
import { stagedFacts } from './import.queries.js';
import { Importer, type Batch, type Document } from './importer.service.js';
import type { FoundIssue } from './ledger-check.queries.js';
import { skuRows } from './sku-row.contract.js';

const knownSkus = statement<FoundIssue>(
  'wms.known_skus_of_import',
  `SELECT r.row_no AS row, 'warning' AS severity, 'SKU' AS column, 'known-already' AS code,
          'is there already, and stays as it is' AS detail
   FROM (SELECT r.* ${stagedFacts}) r JOIN wms.sku s ON upper(s.code) = r.document ORDER BY r.row_no`,
);

/** SKUs that are there already stay as they are: changing them is a decision for each. */
@Injectable()
export class SkuImport extends Importer {
  readonly reader = skuRows;
  readonly feature = 'wms_write';
  readonly permissions = ['wms.master:write'];
  readonly isByRow = true;

  constructor(private readonly skus: SkuService) {
    super();
  }

  check(on: Executor, _by: Caller, { row: { id } }: Batch): Promise<FoundIssue[]> {
    return knownSkus(on, [id]);
  }

  override async done(on: Executor, { row: { id, rowsWarning } }: Batch): Promise<ReadonlySet<number>> {
    // The check has warned of each.
    return new Set(rowsWarning === 0 ? [] : (await knownSkus(on, [id])).map(({ row }) => row));
  }

  async take(tx: EntityManager, by: Caller, _batch: Batch, { lines }: Document): Promise<void> {
    for (const { facts } of lines) {
      const draft = draftSku.parse(facts);
      try {
        await this.skus.add(tx, by, draft);
      } catch (error) {
        throw violates(error, 'sku_code_is_unique') ? new MasterCodeTaken('sku', draft.code) : error;
      }
    }
  }
}
