import { randomUUIDv7 } from 'node:crypto';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Database, Jobs, type Caller, type Follow } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { ImportAccess } from './import-access.service.js';
import { ImportCommits } from './import-commits.service.js';
import { Issues } from './import-issues.service.js';
import { ImportStaging, type Spooled } from './import-staging.service.js';
import { importOf } from './import-view.rules.js';
import {
  commitImport,
  mostRowsAtOnce,
  type ImportCommit,
  type ImportReport,
  type ImportUpload,
  type ImportView,
  type IssueFilter,
} from './import.contract.js';
import { ImportNotReady } from './import.problems.js';
import { committedBatch, countRows, insertBatch, moveBatch, repeatedRows } from './import.queries.js';
import { Importers } from './importers.service.js';
import type { Batch, Importer } from './importer.service.js';
import { orderOf } from './commit-order.contract.js';

const followMs = 500;
const underWay = ['uploaded', 'checking', 'committing'];

/** Files come in, are checked, and are committed once somebody has read the report. */
@Injectable()
export class ImportService {
  constructor(
    private readonly database: Database,
    private readonly access: ImportAccess,
    private readonly importers: Importers,
    private readonly staging: ImportStaging,
    private readonly issues: Issues,
    private readonly commits: ImportCommits,
    private readonly jobs: Jobs,
  ) {}

  /** Takes a file in and checks it. One that was committed already is answered as it was then. */
  async upload(by: Caller, upload: ImportUpload, body: Readable): Promise<ImportView> {
    const { kind, warehouse: given } = upload;
    const on = this.database.dataSource;
    const importer = this.importers.of(kind);
    const warehouse = given === undefined ? null : await this.access.warehouse(on, by, given);
    this.access.demand(by, importer, { warehouse }, true);

    await using file = await this.staging.spool(body);
    const [known] = await committedBatch(on, [kind, file.sha256]);
    if (known?.warehouseId === (warehouse?.id ?? null)) return importOf(known);
    const ignored = await this.staging.ignoredColumns(file.path, importer);
    const id = randomUUIDv7();
    // The file is gone as soon as this returns.
    return await this.database.transaction(by, async (tx) => {
      const options = { dates: upload.dates, opening: upload.opening, ignored };
      const values = [upload.fileName, file.sha256, file.bytes, JSON.stringify(options), by.accountId];
      await insertBatch(tx, [id, kind, warehouse?.id ?? null, ...values]);
      await this.take(tx, by, importer, await this.access.seen(tx, by, id), file);
      return importOf((await this.access.seen(tx, by, id)).row);
    });
  }

  async report(by: Caller, id: string, filter: IssueFilter): Promise<ImportReport> {
    const on = this.database.dataSource;
    const { row } = await this.access.seen(on, by, id);
    const { items, next } = await this.issues.list(on, id, filter);
    return { ...importOf(row), issues: items, next };
  }

  /** Sends how far it is whenever that has changed, until it stands still. */
  async follow(by: Caller, id: string): Promise<Follow> {
    await this.access.seen(this.database.dataSource, by, id);
    return async (send, signal) => {
      let seen = '';
      while (!signal.aborted) {
        const { row } = await this.access.seen(this.database.dataSource, by, id);
        const { status, rowsDone, rowsTotal, rowsError, failure } = row;
        const event = `${status}-${rowsDone}`;
        if (event !== seen)
          send({ id: event, name: 'progress', data: { status, rowsDone, rowsTotal, rowsError, failure } });
        if (!underWay.includes(status)) return;
        seen = event;
        await sleep(followMs);
      }
    };
  }

  /** Few rows are committed at once; many as a job, whose progress the report shows. */
  async commit(by: Caller, id: string, { skipErrors }: ImportCommit): Promise<ImportView> {
    const batch = await this.access.seen(this.database.dataSource, by, id);
    const { row } = batch;
    if (row.status === 'committed') return importOf(row);
    const states = row.isStale ? ['checked', 'committing'] : ['checked'];
    if (!states.includes(row.status)) throw new ImportNotReady(row.status);
    this.access.demand(by, this.importers.of(row.kind), batch, false);
    if (row.rowsError > 0 && !skipErrors) throw await this.commits.errorsOf(row);

    const order = orderOf(by, row, skipErrors);
    if ((row.rowsTotal ?? 0) <= mostRowsAtOnce) return this.commits.commit(id, order, by.idempotency);
    return this.database.transaction(by, async (tx) => {
      const moved = await moveBatch(tx, [id, states, 'committing', JSON.stringify({ commit: order })]);
      if (moved.length === 0) throw new ImportNotReady('committing');
      await this.jobs.add(tx, commitImport, { importId: id });
      return importOf((await this.access.seen(tx, by, id)).row);
    });
  }

  async cancel(by: Caller, id: string): Promise<void> {
    await this.database.transaction(by, async (tx) => {
      const { row } = await this.access.seen(tx, by, id);
      const moved = await moveBatch(tx, [id, ['uploaded', 'checking', 'checked', 'failed'], 'cancelled', '{}']);
      if (moved.length === 0) throw new ImportNotReady(row.status);
    });
  }

  private async take(tx: EntityManager, by: Caller, importer: Importer, batch: Batch, file: Spooled): Promise<void> {
    const { id } = batch.row;
    await this.staging.stage(tx, file.path, importer, batch);
    // Plans of the checks depend on how many rows there are, here and of earlier files, and nobody has counted them yet.
    // Whoever does so just now is not waited for: another upload, or the clearing away of an earlier one.
    await tx.query('ANALYZE (SKIP_LOCKED) wms.import_row, wms.movement, wms.wms_inventory_transaction');
    if (importer.isByRow) {
      const repeated = await repeatedRows(tx, [id]);
      const issue = { severity: 'error', column: null, code: 'repeated' } as const;
      await this.issues.add(
        tx,
        id,
        repeated.map(({ row, first }) => ({ ...issue, row, detail: `says the same thing as line ${first}` })),
      );
    }
    await this.issues.add(tx, id, await importer.check(tx, by, batch));
    await countRows(tx, [id]);
  }
}
