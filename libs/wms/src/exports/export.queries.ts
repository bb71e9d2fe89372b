import { statement } from '@belay/platform';
import type { ExportKind, ExportView } from './export.contract.js';

/** Whose rows are exported: as the caller might see them when they asked. */
export interface ExportScope {
  readonly sites: readonly string[] | null;
  readonly warehouse: string | null;
  readonly sku: string | null;
  readonly from: string | null;
  readonly to: string | null;
}

export interface ExportRow {
  readonly id: string;
  readonly kind: ExportKind;
  readonly filters: ExportScope;
  readonly status: ExportView['status'];
  readonly fileKey: string | null;
  readonly rows: string | null;
  readonly sha256: string | null;
  readonly failure: string | null;
  readonly expiresAt: Date | null;
  readonly createdBy: string;
  readonly createdAt: Date;
}

const columns = `id, kind, filters, status, file_key AS "fileKey", row_count AS rows, checksum AS sha256, failure,
  expires_at AS "expiresAt", created_by AS "createdBy", created_at AS "createdAt"`;

export const exportById = statement<ExportRow>(
  'wms.export_by_id',
  `SELECT ${columns} FROM wms.export_job WHERE id = $1`,
);

export const insertExport = statement(
  'wms.insert_export',
  `INSERT INTO wms.export_job (id, kind, filters, created_by) VALUES ($1, $2, $3, $4)`,
);

/** The file $2 of the export $1 is there, with $3 rows and the sum $4, for a day. */
export const finishExport = statement<ExportRow>(
  'wms.finish_export',
  `UPDATE wms.export_job
   SET status = 'done', file_key = $2, row_count = $3, checksum = $4, finished_at = clock_timestamp(),
       expires_at = clock_timestamp() + interval '1 day'
   WHERE id = $1 RETURNING ${columns}`,
);

/** Exports whose files are a day old. */
export const expiredExports = statement<{ readonly id: string; readonly fileKey: string }>(
  'wms.expired_exports',
  `SELECT id, file_key AS "fileKey" FROM wms.export_job
   WHERE status = 'done' AND file_key <> '' AND expires_at < clock_timestamp() LIMIT 1000`,
);

export const forgetFile = statement('wms.forget_export_file', `UPDATE wms.export_job SET file_key = '' WHERE id = $1`);
