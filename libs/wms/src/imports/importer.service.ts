import type { Caller, Executor } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import type { KnownWarehouse } from '../warehouses/warehouse-scope.service.js';
import type { BatchRow, StagedDocument, StagedRow } from './import.queries.js';
import type { FoundIssue } from './ledger-check.queries.js';
import type { RowReader } from './row-reader.rules.js';

/** An import that is checked or committed. */
export interface Batch {
  readonly row: BatchRow;
  /** Null for SKUs, which belong to none. */
  readonly warehouse: KnownWarehouse | null;
}

/** Rows that belong together. */
export interface Document extends StagedDocument {
  readonly lines: readonly StagedRow[];
}

/** What is special about one kind of file. */
export abstract class Importer {
  abstract readonly reader: RowReader;
  /** Without which nothing of this kind is imported. */
  abstract readonly feature: 'wms_write' | 'wms_finance';
  /** Which the caller must hold beside wms.import:run. */
  abstract readonly permissions: readonly string[];
  /** Each row is a document, and none is there twice. */
  abstract readonly isByRow: boolean;

  /** What is wrong with rows that can be read. */
  abstract check(on: Executor, by: Caller, batch: Batch): Promise<FoundIssue[]>;

  /** What must be there before the first document. */
  begin?(tx: EntityManager, by: Caller, batch: Batch): Promise<void>;

  /** The first rows of those documents that are there already, from an earlier commit or by other ways. */
  done?(on: Executor, batch: Batch, documents: readonly StagedDocument[]): Promise<ReadonlySet<number>>;

  /** Whether it cannot be committed together with those before and behind it. */
  isAlone?(document: Document): boolean;

  /**
   * Commits documents that are not there yet, in their order. What is refused is refused as a whole: which of them is to
   * blame shows when each is taken by itself.
   */
  async takeAll(tx: EntityManager, by: Caller, batch: Batch, documents: readonly Document[]): Promise<void> {
    for (const document of documents) await this.take(tx, by, batch, document);
  }

  /** Commits one document that is not there yet. */
  protected abstract take(tx: EntityManager, by: Caller, batch: Batch, document: Document): Promise<void>;
}

export function warehouseOf({ warehouse, row }: Batch): KnownWarehouse {
  if (!warehouse) throw new Error(`A file of ${row.kind} is of a warehouse`);
  return warehouse;
}

/** By which a movement is known to come from a row of a file: a file that is committed again finds it there. */
export function sourceOf({ row: { fileSha256 } }: Batch, row: number | string): string {
  return `import:${fileSha256}:${row}`;
}
