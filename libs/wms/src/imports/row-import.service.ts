import { statement, type Caller, type Executor } from '@belay/platform';
import { Importer, warehouseOf, type Batch } from './importer.service.js';
import type { StagedDocument } from './import.queries.js';
import type { FoundIssue } from './ledger-check.queries.js';

/**
 * What asks about a file of a warehouse in which each row is one thing. `rows` are the rows of the import $1 into the
 * warehouse $2, each with what is in its way: `row_no`, `is_same` for what is there already, and whatever the faults ask for;
 * `faults` select their row, severity, column, code and detail from `one`, which is `rows`.
 */
export function rowStatements(name: string, { rows, faults }: { readonly rows: string; readonly faults: string }) {
  return {
    issues: statement<FoundIssue>(
      `wms.${name}_import_issues`,
      `WITH one AS MATERIALIZED (${rows})
       SELECT row_no AS row, severity, column_name AS column, code, detail FROM (
         ${faults}
         UNION ALL
         SELECT row_no, 'warning', NULL, 'known-already', 'is there already' FROM one WHERE is_same) found
       ORDER BY row_no`,
    ),
    same: statement<{ readonly row: number }>(
      `wms.same_${name}_as_import`,
      `SELECT row_no AS row FROM (${rows}) one WHERE is_same AND row_no = ANY ($3::integer[])`,
    ),
  };
}

/** A file of a warehouse in which each row is one thing: those that are there already stay as they are, with a warning. */
export abstract class RowImport extends Importer {
  readonly isByRow = true;
  protected abstract readonly statements: ReturnType<typeof rowStatements>;

  check(on: Executor, _by: Caller, batch: Batch): Promise<FoundIssue[]> {
    return this.statements.issues(on, [batch.row.id, warehouseOf(batch).id]);
  }

  override async done(on: Executor, batch: Batch, documents: readonly StagedDocument[]): Promise<ReadonlySet<number>> {
    // The check has warned of each.
    if (batch.row.rowsWarning === 0) return new Set();
    const values = [batch.row.id, warehouseOf(batch).id, documents.map(({ row }) => row)];
    return new Set((await this.statements.same(on, values)).map(({ row }) => row));
  }
}
