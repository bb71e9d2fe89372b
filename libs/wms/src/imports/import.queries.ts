import { statement } from '@belay/platform';
import type { ImportKind, ImportView } from './import.contract.js';

/** What is kept of how the file is to be read and committed. */
interface ImportOptions {
  readonly dates?: 'DMY' | 'MDY';
  readonly opening?: 'least';
  readonly ignored?: readonly string[];
  readonly commit?: CommitOrder;
}

/** Who has asked for the commit, with what they might do then. */
export interface CommitOrder {
  readonly skipErrors: boolean;
  readonly accountId: string;
  readonly username: string;
  readonly kind: 'person' | 'machine' | 'system';
  readonly roles: readonly string[];
  readonly grants: readonly { readonly permission: string; readonly siteId: string | null }[];
  readonly requestId: string;
  readonly reason: string;
}

export interface BatchRow {
  readonly id: string;
  readonly kind: ImportKind;
  readonly warehouseId: string | null;
  readonly siteId: string | null;
  readonly warehouse: string | null;
  readonly fileName: string;
  readonly fileSha256: string;
  readonly bytes: string;
  readonly options: ImportOptions;
  readonly status: ImportView['status'];
  readonly rowsTotal: number | null;
  readonly rowsDone: number;
  readonly rowsOk: number;
  readonly rowsWarning: number;
  readonly rowsError: number;
  readonly failure: string | null;
  readonly committedAt: Date | null;
  readonly createdBy: string;
  readonly createdAt: Date;
  /** Nothing was heard of its commit for ten minutes. */
  readonly isStale: boolean;
}

const batch = `
  SELECT b.id, b.kind, b.warehouse_id AS "warehouseId", w.site_id AS "siteId", w.code AS warehouse,
         b.file_name AS "fileName", b.file_sha256 AS "fileSha256", b.bytes, b.options, b.status,
         b.rows_total AS "rowsTotal", b.rows_done AS "rowsDone", b.rows_ok AS "rowsOk", b.rows_warning AS "rowsWarning",
         b.rows_error AS "rowsError", b.failure, b.committed_at AS "committedAt", b.created_by AS "createdBy",
         b.created_at AS "createdAt", b.updated_at < clock_timestamp() - interval '10 minutes' AS "isStale"
  FROM wms.import_batch b LEFT JOIN wms.warehouse w ON w.id = b.warehouse_id`;

export const batchById = statement<BatchRow>('wms.import_by_id', `${batch} WHERE b.id = $1`);

/** The import of kind $1 by which the file $2 was committed. */
export const committedBatch = statement<BatchRow>(
  'wms.committed_import',
  `${batch} WHERE b.kind = $1 AND b.file_sha256 = $2 AND b.status = 'committed'`,
);

export const insertBatch = statement(
  'wms.insert_import',
  `INSERT INTO wms.import_batch (id, kind, warehouse_id, file_name, file_key, file_sha256, bytes, options, status, created_by)
   VALUES ($1::uuid, $2, $3, $4, 'wms.import_row/' || $1::uuid, $5, $6, $7, 'checking', $8)`,
);

/**
 * Rows $2 to $7 (number, line, document, time as text, whether that is the time of the warehouse's clock, facts) of the
 * import $1; times are in the zone $8.
 */
export const insertRows = statement(
  'wms.insert_import_rows',
  `INSERT INTO wms.import_row (import_batch_id, row_no, line_no, document, effective_at, facts)
   SELECT $1::uuid, r.row_no, r.line_no, r.document,
          CASE WHEN r.is_local THEN r.at::timestamp AT TIME ZONE $8::text ELSE r.at::timestamptz END, r.facts
   FROM unnest($2::integer[], $3::integer[], $4::text[], $5::text[], $6::boolean[], $7::jsonb[])
     AS r (row_no, line_no, document, at, is_local, facts)`,
);

/** Issues $2 to $7 of rows of the import $1, in order behind those that the rows have. */
export const insertIssues = statement(
  'wms.insert_import_issues',
  `INSERT INTO wms.import_issue (import_batch_id, row_no, issue_no, severity, column_name, code, detail)
   SELECT $1::uuid, i.row_no,
          row_number() OVER (PARTITION BY i.row_no ORDER BY i.place)
            + coalesce((SELECT max(o.issue_no) FROM wms.import_issue o
                        WHERE o.import_batch_id = $1 AND o.row_no = i.row_no), 0),
          i.severity, i.column_name, i.code, i.detail
   FROM unnest($2::integer[], $3::text[], $4::text[], $5::text[], $6::text[]) WITH ORDINALITY
     AS i (row_no, severity, column_name, code, detail, place)`,
);

/** Counts the rows of the import $1 anew; an import that is being checked is now checked. */
export const countRows = statement(
  'wms.count_import_rows',
  `UPDATE wms.import_batch b
   SET rows_total = c.total, rows_error = c.errors, rows_warning = c.warnings, rows_ok = c.total - c.errors - c.warnings,
       status = CASE WHEN b.status = 'checking' THEN 'checked' ELSE b.status END
   FROM (SELECT count(*)::integer AS total, count(*) FILTER (WHERE i.is_error)::integer AS errors,
                count(*) FILTER (WHERE NOT i.is_error)::integer AS warnings
         FROM wms.import_row r
         LEFT JOIN (SELECT row_no, bool_or(severity = 'error') AS is_error FROM wms.import_issue
                    WHERE import_batch_id = $1 GROUP BY 1) i USING (row_no)
         WHERE r.import_batch_id = $1) c
   WHERE b.id = $1`,
);

export interface IssueRow {
  readonly row: number;
  readonly issueNo: number;
  readonly line: number;
  readonly column: string | null;
  readonly severity: 'warning' | 'error';
  readonly code: string;
  readonly detail: string;
}

/** Of the import $1: $2 severity, $3 and $4 the issue to go on after, $5 rows. */
export const issueList = statement<IssueRow>(
  'wms.import_issues',
  `SELECT i.row_no AS row, i.issue_no AS "issueNo", r.line_no AS line, i.column_name AS column, i.severity, i.code, i.detail
   FROM wms.import_issue i JOIN wms.import_row r USING (import_batch_id, row_no)
   WHERE i.import_batch_id = $1 AND ($2::text IS NULL OR i.severity = $2)
     AND ($3::integer IS NULL OR (i.row_no, i.issue_no) > ($3, $4::integer))
   ORDER BY i.row_no, i.issue_no LIMIT $5`,
);

/** Takes the import $1 from one of the states $2 to $3, with options $4 beside those it has, and says whether it was there. */
export const moveBatch = statement<{ readonly id: string }>(
  'wms.move_import',
  `UPDATE wms.import_batch
   SET status = $3, options = options || $4::jsonb, failure = NULL,
       rows_done = CASE WHEN $3 = 'committing' THEN 0 ELSE rows_done END
   WHERE id = $1 AND status = ANY ($2::text[]) RETURNING id`,
);

export const breakOffBatch = statement(
  'wms.break_off_import',
  `UPDATE wms.import_batch SET status = 'checked', failure = $2, rows_done = 0 WHERE id = $1 AND status <> 'committed'`,
);

export const noteProgress = statement(
  'wms.note_import_progress',
  `UPDATE wms.import_batch SET rows_done = $2, updated_at = clock_timestamp() WHERE id = $1 AND status = 'committing'`,
);

export const finishBatch = statement(
  'wms.finish_import',
  `UPDATE wms.import_batch SET status = 'committed', committed_at = clock_timestamp(), rows_done = rows_total, failure = NULL
   WHERE id = $1`,
);

/** Forgets the rows of the import $1 but those that its report names. */
export const forgetRows = statement(
  'wms.forget_import_rows',
  `DELETE FROM wms.import_row r WHERE r.import_batch_id = $1
   AND NOT EXISTS (SELECT FROM wms.import_issue i WHERE i.import_batch_id = $1 AND i.row_no = r.row_no)`,
);

/** Held until the end of the transaction: one commit of an import at a time. */
export const holdBatch = statement(
  'wms.hold_import',
  `SELECT pg_advisory_xact_lock(hashtextextended('wms.import:' || $1::text, 0))`,
);

/** Files that were uploaded a week ago and never committed are given up. */
export const giveUpBatches = statement<{ readonly id: string }>(
  'wms.give_up_imports',
  `UPDATE wms.import_batch SET status = 'cancelled', failure = 'It was not committed within seven days.'
   WHERE status IN ('uploaded', 'checking', 'checked') AND updated_at < clock_timestamp() - interval '7 days'
   RETURNING id`,
);

export interface StagedDocument {
  readonly document: string;
  /** Its first row. */
  readonly row: number;
  readonly rows: number;
  /** ISO, in UTC. */
  readonly at: string | null;
}

const faulty = `
  SELECT e.document FROM wms.import_issue i JOIN wms.import_row e USING (import_batch_id, row_no)
  WHERE i.import_batch_id = $1 AND i.severity = 'error'`;

/** What of the import $1 can be committed, in the order in which it happened. */
export const stagedDocuments = statement<StagedDocument>(
  'wms.import_documents',
  `SELECT r.document, min(r.row_no) AS row, count(*)::integer AS rows,
          to_char(min(r.effective_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at
   FROM wms.import_row r
   WHERE r.import_batch_id = $1 AND r.facts IS NOT NULL AND r.document NOT IN (${faulty})
   GROUP BY r.document ORDER BY min(r.effective_at), min(r.row_no)`,
);

export interface StagedRow {
  readonly document: string;
  readonly row: number;
  readonly facts: unknown;
}

/** The rows of the documents $2 of the import $1. */
export const rowsOfDocuments = statement<StagedRow>(
  'wms.rows_of_import_documents',
  `SELECT document, row_no AS row, facts FROM wms.import_row
   WHERE import_batch_id = $1 AND document = ANY ($2::text[]) ORDER BY row_no`,
);

/** Rows of the import $1 that repeat the document of an earlier one, for kinds in which each row is a document. */
export const repeatedRows = statement<{ readonly row: number; readonly first: number }>(
  'wms.repeated_import_rows',
  `SELECT row_no AS row, first FROM (
     SELECT row_no, first_value(l.line_no) OVER (PARTITION BY document ORDER BY row_no) AS first,
            row_number() OVER (PARTITION BY document ORDER BY row_no) AS place
     FROM wms.import_row l WHERE import_batch_id = $1 AND facts IS NOT NULL) r
   WHERE place > 1 ORDER BY row_no`,
);

export const stagedFacts = `
  FROM wms.import_row r
  WHERE r.import_batch_id = $1 AND r.facts IS NOT NULL AND r.document NOT IN (${faulty})`;
