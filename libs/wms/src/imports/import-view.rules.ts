import type { ImportView } from './import.contract.js';
import type { BatchRow } from './import.queries.js';

export function importOf(batch: BatchRow): ImportView {
  return {
    id: batch.id,
    kind: batch.kind,
    warehouse: batch.warehouse,
    fileName: batch.fileName,
    fileSha256: batch.fileSha256,
    bytes: Number(batch.bytes),
    status: batch.status,
    rowsTotal: batch.rowsTotal,
    rowsDone: batch.rowsDone,
    rowsOk: batch.rowsOk,
    rowsWarning: batch.rowsWarning,
    rowsError: batch.rowsError,
    ignoredColumns: [...(batch.options.ignored ?? [])],
    failure: batch.failure,
    committedAt: batch.committedAt?.toISOString() ?? null,
    createdBy: batch.createdBy,
    createdAt: batch.createdAt.toISOString(),
  };
}
