import { Injectable } from '@nestjs/common';
import { InvalidRequest, PermissionMissing, type Caller, type Executor } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { LotService } from '../goods/lot.service.js';
import { SkuService } from '../goods/sku.service.js';
import { BulkPosting } from '../movements/bulk-posting.service.js';
import { Posting } from '../movements/posting.service.js';
import { stagedDocuments, type StagedDocument } from './import.queries.js';
import { Importer, sourceOf, warehouseOf, type Batch, type Document } from './importer.service.js';
import {
  firstDay,
  holdBuckets,
  leastOpening,
  ledgerIssues,
  ledgerShortfalls,
  lotsToBe,
  postedSources,
  type FoundIssue,
  type LeastOpening,
} from './ledger-check.queries.js';
import { LedgerDocuments } from './ledger-document.service.js';
import { ledgerFacts, ledgerRows } from './ledger-row.contract.js';

const MASTER = 'wms.master:write';
const linesOfOpening = 500;

/** Movements that somebody else has kept the books of until now. */
@Injectable()
export class LedgerImport extends Importer {
  readonly reader = ledgerRows;
  readonly feature = 'wms_write';
  readonly permissions = [];
  readonly isByRow = false;

  constructor(
    private readonly documents: LedgerDocuments,
    private readonly lots: LotService,
    private readonly skus: SkuService,
    private readonly posting: Posting,
    private readonly bulk: BulkPosting,
  ) {
    super();
  }

  async check(on: Executor, _by: Caller, batch: Batch): Promise<FoundIssue[]> {
    const values = [batch.row.id, warehouseOf(batch).id];
    const issues = await ledgerIssues(on, values);
    if (batch.row.options.opening === 'least') return issues;
    return [...issues, ...(await ledgerShortfalls(on, values))];
  }

  override async begin(tx: EntityManager, by: Caller, batch: Batch): Promise<void> {
    const warehouse = warehouseOf(batch);
    const values = [batch.row.id, warehouse.id];
    await holdBuckets(tx, values);
    const missing = await lotsToBe(tx, values);
    if (missing.length > 0 && by.kind !== 'system' && !by.may(MASTER, warehouse.siteId))
      throw new PermissionMissing(MASTER);
    for (const { sku, lot, upc, storage, shipping, expiresOn } of missing) {
      const fields = {
        code: lot,
        storageCartonsPerPallet: storage,
        shippingCartonsPerPallet: shipping,
        expiresOn,
        ...(upc !== null && { unitsPerCarton: upc }),
      };
      await this.lots.add(tx, by, await this.skus.known(tx, sku), fields);
    }
    if (batch.row.options.opening === 'least') await this.open(tx, by, batch);
  }

  override async done(on: Executor, batch: Batch, documents: readonly StagedDocument[]): Promise<ReadonlySet<number>> {
    const rows = new Map(documents.map(({ row }) => [sourceOf(batch, row), row]));
    const posted = await postedSources(on, [[...rows.keys()]]);
    return new Set(posted.flatMap(({ source }) => rows.get(source) ?? []));
  }

  /** What takes another movement back may take back one of the same file. */
  override isAlone({ lines }: Document): boolean {
    return lines.some(({ facts }) => ledgerFacts.parse(facts).kind === 'REVERSAL');
  }

  override async takeAll(tx: EntityManager, by: Caller, batch: Batch, documents: readonly Document[]): Promise<void> {
    const [only, ...others] = documents;
    if (only && others.length === 0) return this.take(tx, by, batch, only);
    await this.bulk.post(tx, by, await this.draftsOf(tx, by, batch, documents));
  }

  async take(tx: EntityManager, by: Caller, batch: Batch, document: Document): Promise<void> {
    const reverses = document.lines.map(({ facts }) => ledgerFacts.parse(facts).reverses).find((one) => one !== null);
    const reversesMovementId = reverses === undefined ? undefined : await this.movementOf(tx, batch, reverses);
    for (const draft of await this.draftsOf(tx, by, batch, [document])) {
      await this.posting.post(tx, by, { ...draft, reversesMovementId });
    }
  }

  private async draftsOf(tx: EntityManager, by: Caller, batch: Batch, documents: readonly Document[]) {
    const read = documents.map(({ lines, at }) => {
      if (at === null) throw new Error('Every row of a ledger has its time');
      return { lines: lines.map(({ facts }) => ledgerFacts.parse(facts)), at: new Date(at) };
    });
    const drafts = await this.documents.drafts(tx, by, warehouseOf(batch), read);
    return drafts.map((draft, index) => ({
      ...draft,
      reversesMovementId: undefined,
      sourceType: 'import',
      sourceId: sourceOf(batch, documents[index]?.row ?? 0),
    }));
  }

  /** The movement of another document of the same file. */
  private async movementOf(tx: EntityManager, batch: Batch, transaction: string): Promise<string> {
    const document = (await stagedDocuments(tx, [batch.row.id])).find((one) => one.document === transaction);
    const [posted] = document ? await postedSources(tx, [[sourceOf(batch, document.row)]]) : [];
    if (posted) return posted.movementId;
    throw new InvalidRequest([
      { pointer: '#/reverses', detail: `${transaction} is no earlier transaction of the file` },
    ]);
  }

  /** What must have been there before the first row. Once it is posted there is nothing that lacks. */
  private async open(tx: EntityManager, by: Caller, batch: Batch): Promise<void> {
    const warehouse = warehouseOf(batch);
    const values = [batch.row.id, warehouse.id];
    const least = await leastOpening(tx, values);
    const [first] = await firstDay(tx, values);
    if (!first) return;
    for (let from = 0, part = 1; from < least.length; from += linesOfOpening, part += 1) {
      await this.posting.post(tx, by, {
        warehouse,
        kind: 'OPENING',
        effectiveAt: first.at,
        reference: `Opening stock for ${batch.row.fileName}`.slice(0, 120),
        sourceType: 'import',
        sourceId: sourceOf(batch, `opening-${part}`),
        lines: least.slice(from, from + linesOfOpening).map(openingLine),
      });
    }
  }
}

function openingLine({ locationId, skuId, lotId, status, units }: LeastOpening) {
  return { locationId, skuId, lotId, stockStatus: status, units: BigInt(units) };
}
