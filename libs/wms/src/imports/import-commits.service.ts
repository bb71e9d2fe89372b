import { Injectable } from '@nestjs/common';
import { Database, Problem, violates, type Caller, type Executor, type IdempotencyClaim } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { RefusedTogether } from '../movements/bulk-posting.service.js';
import { Posting } from '../movements/posting.service.js';
import { LedgerRefusal } from '../movements/refusal.service.js';
import { callerOf } from './commit-order.contract.js';
import { inPortions, together } from './document.rules.js';
import { ImportAccess } from './import-access.service.js';
import { Issues } from './import-issues.service.js';
import { importOf } from './import-view.rules.js';
import type { ImportView } from './import.contract.js';
import { ImportHasErrors, ImportNotReady } from './import.problems.js';
import {
  breakOffBatch,
  countRows,
  finishBatch,
  forgetRows,
  holdBatch,
  moveBatch,
  noteProgress,
  rowsOfDocuments,
  stagedDocuments,
  type BatchRow,
  type CommitOrder,
  type StagedDocument,
} from './import.queries.js';
import { Importers } from './importers.service.js';
import type { Batch, Document } from './importer.service.js';
import { issuesOf } from './refused-document.rules.js';

const noteEveryMs = 1_000;
const mostErrorsTold = 100;

/** Between documents that are not committed together, and last in each transaction: throws when it may not go on now. */
type Checkpoint = () => void;

const goOn: Checkpoint = () => undefined;

/** The document cannot be as it is; when the ledger said so, what there is to be read by now is the stock without the file. */
class DocumentRefused extends Error {
  override readonly name = 'DocumentRefused';

  constructor(
    readonly document: Document,
    override readonly cause: Error,
  ) {
    super(`${document.document} was refused`);
  }
}

/** Takes what was checked over into the warehouse. */
@Injectable()
export class ImportCommits {
  constructor(
    private readonly database: Database,
    private readonly access: ImportAccess,
    private readonly importers: Importers,
    private readonly posting: Posting,
    private readonly issues: Issues,
  ) {}

  /**
   * Commits everything in one transaction, or with `skipErrors` each document in its own. A document that is refused is an
   * issue of its rows; without `skipErrors` it is also the end: `import-has-errors`. Doing it again changes nothing.
   */
  async commit(
    id: string,
    order: CommitOrder,
    claim?: IdempotencyClaim,
    checkpoint: Checkpoint = goOn,
  ): Promise<ImportView> {
    try {
      return await (order.skipErrors
        ? this.oneByOne(id, order, claim, checkpoint)
        : this.asAWhole(id, callerOf(order, claim), checkpoint));
    } catch (error) {
      if (violates(error, 'file_is_imported_once')) {
        throw new ImportNotReady('checked', 'The same file was committed in the meantime.');
      }
      throw error;
    }
  }

  async errorsOf({ id, rowsError }: Pick<BatchRow, 'id' | 'rowsError'>): Promise<ImportHasErrors> {
    const { items } = await this.issues.list(this.database.dataSource, id, {
      severity: 'error',
      limit: mostErrorsTold,
    });
    return new ImportHasErrors(items, rowsError);
  }

  private async asAWhole(id: string, by: Caller, checkpoint: Checkpoint): Promise<ImportView> {
    try {
      return await this.posting.inPosting(by, async (tx) => {
        await holdBatch(tx, [id]);
        const batch = await this.access.seen(tx, by, id);
        if (batch.row.status === 'committed') return importOf(batch.row);
        const importer = this.importers.of(batch.row.kind);
        await importer.begin?.(tx, by, batch);
        for await (const documents of this.runs(tx, batch)) {
          await takeWhole(tx, documents, (some) => importer.takeAll(tx, by, batch, some));
          checkpoint();
        }
        return this.finish(tx, by, id);
      });
    } catch (error) {
      if (!(error instanceof DocumentRefused)) throw error;
      const { cause, document } = error;
      if (cause instanceof Problem) await this.note(id, cause, document);
      else await this.recheck(by, id, document);
      const on = this.database.dataSource;
      await breakOffBatch(on, [id, 'A document was refused; nothing was committed.']);
      throw await this.errorsOf((await this.access.seen(on, by, id)).row);
    }
  }

  /** Stock has changed since the file was checked. */
  private async recheck(by: Caller, id: string, { row }: Document): Promise<void> {
    const on = this.database.dataSource;
    const batch = await this.access.seen(on, by, id);
    const found = await this.importers.of(batch.row.kind).check(on, by, batch);
    const errors = found.filter(({ severity }) => severity === 'error');
    const detail = 'takes more than there is, or what is reserved';
    const refused = { row, severity: 'error', column: null, code: 'insufficient-stock', detail } as const;
    await this.issues.add(on, id, errors.length > 0 ? errors : [refused]);
    await countRows(on, [id]);
  }

  private async oneByOne(
    id: string,
    order: CommitOrder,
    claim: IdempotencyClaim | undefined,
    checkpoint: Checkpoint,
  ): Promise<ImportView> {
    const by = callerOf(order);
    const on = this.database.dataSource;
    await moveBatch(on, [id, ['checked'], 'committing', JSON.stringify({ commit: order })]);
    const batch = await this.access.seen(on, by, id);
    if (batch.row.status === 'committed') return importOf(batch.row);
    const importer = this.importers.of(batch.row.kind);
    await this.posting.inPosting(by, async (tx) => {
      await holdBatch(tx, [id]);
      await importer.begin?.(tx, by, batch);
    });
    for await (const documents of this.runs(on, batch)) {
      checkpoint();
      await this.takeEach(by, batch, documents);
    }
    const final = callerOf(order, claim);
    return this.database.transaction(final, (tx) => this.finish(tx, final, id));
  }

  /** Together when they can be, so that those that cannot are found among few. */
  private async takeEach(by: Caller, batch: Batch, documents: readonly Document[]): Promise<void> {
    const importer = this.importers.of(batch.row.kind);
    try {
      await this.posting.inPosting(by, (tx) => importer.takeAll(tx, by, batch, documents));
    } catch (error) {
      const [first, ...others] = documents;
      // Another worker has it.
      const isTaken = violates(error, 'movement_is_imported_once');
      if (!first || (!isTaken && !isRefusal(error))) throw error;
      if (others.length > 0) for (const half of halvesOf(documents)) await this.takeEach(by, batch, half);
      else if (!isTaken && error instanceof Problem) await this.note(batch.row.id, error, first);
    }
  }

  /** What is still to be committed, by what is committed together. */
  private async *runs(on: Executor, batch: Batch): AsyncGenerator<Document[]> {
    const { id, kind } = batch.row;
    const importer = this.importers.of(kind);
    const progress = new Progress(this.database.dataSource, id);
    const read = async (some: readonly StagedDocument[]) => {
      const done = await importer.done?.(on, batch, some);
      const names = some.filter(({ row }) => done?.has(row) !== true).map(({ document }) => document);
      return rowsOfDocuments(on, [id, names]);
    };
    for await (const portion of inPortions(await stagedDocuments(on, [id]), read)) {
      const open = portion.filter(({ lines }) => lines.length > 0);
      yield* together(open, (document) => importer.isAlone?.(document) === true);
      await progress.add(portion.reduce((sum, { rows }) => sum + rows, 0));
    }
  }

  private async note(id: string, problem: Problem, document: Document): Promise<void> {
    await this.issues.add(this.database.dataSource, id, issuesOf(problem, document));
    await countRows(this.database.dataSource, [id]);
  }

  private async finish(tx: EntityManager, by: Caller, id: string): Promise<ImportView> {
    await finishBatch(tx, [id]);
    await forgetRows(tx, [id]);
    const { row }: Batch = await this.access.seen(tx, by, id);
    return importOf(row);
  }
}

/** Commits all of them, or throws with the first that is refused. */
async function takeWhole(
  tx: EntityManager,
  documents: readonly Document[],
  take: (some: readonly Document[]) => Promise<void>,
): Promise<void> {
  try {
    await tx.transaction(() => take(documents));
  } catch (error) {
    const [first, ...others] = documents;
    if (!first || !isRefusal(error)) throw error;
    if (others.length === 0) throw new DocumentRefused(first, error);
    for (const half of halvesOf(documents)) await takeWhole(tx, half, take);
  }
}

function halvesOf(documents: readonly Document[]): (readonly Document[])[] {
  const middle = Math.ceil(documents.length / 2);
  return [documents.slice(0, middle), documents.slice(middle)];
}

/** The documents cannot be as they are; whatever else is wrong has nothing to do with them. */
function isRefusal(error: unknown): error is Error {
  if (error instanceof LedgerRefusal || error instanceof RefusedTogether) return true;
  if (!(error instanceof Problem) || error.slug === 'busy-retry') return false;
  return error.kind === 'conflict' || error.kind === 'invalid';
}

/** Says how far it is, beside the transaction that does the work, and not more often than anybody looks. */
class Progress {
  #done = 0;
  #notedAt = Date.now();

  constructor(
    private readonly on: Executor,
    private readonly id: string,
  ) {}

  async add(rows: number): Promise<void> {
    this.#done += rows;
    if (Date.now() - this.#notedAt < noteEveryMs) return;
    this.#notedAt = Date.now();
    await noteProgress(this.on, [this.id, this.#done]);
  }
}
