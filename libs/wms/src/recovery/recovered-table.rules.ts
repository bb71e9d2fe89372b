import type { RecoveredTable } from '@belay/platform';

/** How the rows of a table of the warehouse are taken back. */
export interface WarehouseTable extends RecoveredTable {
  /** Only these columns were decided by people; the rest never changes or is derived, and rows are never taken away. */
  readonly only?: readonly string[];
  /** What is said of a row instead of deleting it, where something that never goes rests on it. */
  readonly outOfUse?: string;
  /** Tables without a log of their own whose rows go with the row, by this column. */
  readonly with?: { readonly tables: readonly string[]; readonly by: string };
}

/** Every table of the warehouse whose changes are in the audit log, parents first; movements are taken back by others. */
export const recoveredTables: readonly WarehouseTable[] = [
  { name: 'warehouse', key: ['id'], outOfUse: 'is_active = false' },
  { name: 'location', key: ['id'], outOfUse: 'is_active = false' },
  { name: 'sku', key: ['id'], outOfUse: 'is_active = false' },
  { name: 'lot', key: ['id'], outOfUse: `status = 'hold'` },
  { name: 'pallet_spec', key: ['id'] },
  { name: 'lot_stock', key: ['warehouse_id', 'lot_id', 'valid_from'] },
  { name: 'movement_attr', key: ['movement_id'] },
  { name: 'adjustment_proposal', key: ['id'] },
  { name: 'reservation', key: ['id'] },
  { name: 'reservation_alloc', key: ['reservation_id', 'balance_id'] },
  { name: 'stock_count', key: ['id'] },
  { name: 'stock_count_line', key: ['stock_count_id', 'location_id', 'lot_id', 'stock_status'] },
  { name: 'cost_rate', key: ['id'] },
  { name: 'rate_alias', key: ['id'] },
  { name: 'billing_period', key: ['warehouse_id', 'period_start'] },
  { name: 'invoice', key: ['id'], outOfUse: `status = 'void', void_reason = 'Taken back by a recovery'` },
  { name: 'invoice_line', key: ['id'] },
  { name: 'invoice_payment', key: ['id'] },
  { name: 'storage_ledger', key: ['id'], only: ['state', 'invoice_id'] },
  { name: 'recon_line', key: ['id'], only: ['decision', 'decided_by', 'decided_at', 'note'] },
  {
    name: 'dispute',
    key: ['id'],
    outOfUse: `status = 'withdrawn', resolution = 'withdrawn', agreed_amount = NULL, resolved_at = clock_timestamp()`,
  },
  { name: 'dispute_line', key: ['id'], only: ['disputed_amount', 'suggested_amount', 'reason', 'is_open'] },
  {
    name: 'import_batch',
    key: ['id'],
    with: { tables: ['import_issue', 'import_row'], by: 'import_batch_id' },
  },
  { name: 'export_job', key: ['id'] },
];

/** Lines and payments stay with an invoice that cannot go. */
export const partsOfInvoice: ReadonlySet<string> = new Set(['invoice_line', 'invoice_payment']);

/** SQL that puts the columns of a row back as they were; `$1` is the row as JSON. */
export function putBackSql({ name, key, only }: WarehouseTable, columns: readonly string[]): string {
  const kept = new Set([...key, 'row_version', 'updated_at']);
  const set = (only ?? columns.filter((column) => !kept.has(column))).map((column) => `"${column}" = r."${column}"`);
  return `UPDATE wms."${name}" t SET ${set.join(', ')} FROM jsonb_populate_record(NULL::wms."${name}", $1::jsonb) r WHERE ${matchOf(key)}`;
}

/** SQL that brings a row back that is gone. */
export function bringBackSql({ name }: RecoveredTable, columns: readonly string[]): string {
  const list = columns.map((column) => `"${column}"`).join(', ');
  const values = columns.map((column) => `r."${column}"`).join(', ');
  return `INSERT INTO wms."${name}" (${list}) SELECT ${values} FROM jsonb_populate_record(NULL::wms."${name}", $1::jsonb) r`;
}

export function outOfUseSql({ name, key, outOfUse = '' }: WarehouseTable): string {
  return `UPDATE wms."${name}" t SET ${outOfUse} FROM jsonb_populate_record(NULL::wms."${name}", $1::jsonb) r WHERE ${matchOf(key)}`;
}

function matchOf(key: readonly string[]): string {
  return key.map((column) => `t."${column}" = r."${column}"`).join(' AND ');
}
