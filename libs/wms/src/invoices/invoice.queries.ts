import { statement } from '@belay/platform';
import type { ChargeCategory } from '../charges/charge.rules.js';
import type { InvoiceState } from './invoice-state.rules.js';

export interface InvoiceRow {
  readonly id: string;
  readonly warehouseId: string;
  readonly siteId: string;
  readonly warehouse: string;
  readonly number: string;
  readonly periodStart: string;
  readonly periodEnd: string;
  readonly issuedOn: string;
  readonly dueOn: string | null;
  readonly currency: string;
  readonly net: string;
  readonly tax: string;
  readonly total: string;
  readonly status: InvoiceState;
  readonly paymentMethod: string | null;
  readonly sourceFileSha256: string | null;
  readonly approvedBy: string | null;
  readonly approvedAt: Date | null;
  readonly payable: string | null;
  readonly voidReason: string | null;
  readonly paid: string;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly rowVersion: number;
}

const columns = `i.id, i.warehouse_id AS "warehouseId", w.site_id AS "siteId", w.code AS warehouse, i.number,
  i.period_start AS "periodStart", i.period_end AS "periodEnd", i.issued_on AS "issuedOn", i.due_on AS "dueOn", i.currency,
  i.net, i.tax, i.total, i.status, i.payment_method AS "paymentMethod", i.source_file_sha256 AS "sourceFileSha256",
  i.approved_by AS "approvedBy", i.approved_at AS "approvedAt", i.payable, i.void_reason AS "voidReason",
  coalesce((SELECT sum(p.amount) FROM wms.invoice_payment p WHERE p.invoice_id = i.id), 0.00) AS paid,
  i.created_by AS "createdBy", i.created_at AS "createdAt", i.row_version AS "rowVersion"`;

const from = `FROM wms.invoice i JOIN wms.warehouse w ON w.id = i.warehouse_id`;

export const invoiceById = statement<InvoiceRow>(
  'wms.invoice_by_id',
  `SELECT ${columns} ${from} WHERE i.id = $1::uuid`,
);

/** Whoever changes an invoice, its payments or its disputes holds it. */
export const lockInvoice = statement<{ id: string }>(
  'wms.lock_invoice',
  `SELECT id FROM wms.invoice WHERE id = $1::uuid FOR UPDATE`,
);

export const invoiceByNumber = statement<InvoiceRow>(
  'wms.invoice_by_number',
  `SELECT ${columns} ${from} WHERE i.warehouse_id = $1::uuid AND upper(i.number) = upper($2::text)`,
);

/**
 * The latest periods first. $1 sites or null, $2 warehouse, $3 status, $4 and $5 days the period touches, $6 pattern, $7 and
 * $8 the row to go on after, $9 rows.
 */
export const invoiceList = statement<InvoiceRow>(
  'wms.invoice_list',
  `SELECT ${columns} ${from}
   WHERE ($1::uuid[] IS NULL OR w.site_id = ANY ($1))
     AND ($2::uuid IS NULL OR i.warehouse_id = $2)
     AND ($3::text IS NULL OR i.status = $3)
     AND ($4::date IS NULL OR i.period_end >= $4)
     AND ($5::date IS NULL OR i.period_start <= $5)
     AND ($6::text IS NULL OR i.number ILIKE $6)
     AND ($8::uuid IS NULL OR (i.period_start, i.id) < ($7::date, $8))
   ORDER BY i.period_start DESC, i.id DESC LIMIT $9`,
);

export interface InvoiceLineRow {
  readonly lineNo: number;
  readonly category: ChargeCategory;
  readonly name: string;
  readonly quantity: string;
  readonly unitRate: string | null;
  readonly amount: string;
}

export const linesOfInvoice = statement<InvoiceLineRow>(
  'wms.lines_of_invoice',
  `SELECT line_no AS "lineNo", category, name, quantity, unit_rate AS "unitRate", amount
   FROM wms.invoice_line WHERE invoice_id = $1::uuid ORDER BY line_no`,
);

/** $1 id, $2 warehouse, $3 number, $4 to $7 the days, $8 to $10 the sums, $11 method, $12 currency, $13 sha256, $14 who. */
export const insertInvoice = statement(
  'wms.insert_invoice',
  `INSERT INTO wms.invoice (id, warehouse_id, number, period_start, period_end, issued_on, due_on, net, tax, total,
     payment_method, currency, source_file_sha256, created_by)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
);

/** The row version is raised even when the lines alone are new. */
export const updateInvoice = statement(
  'wms.update_invoice',
  `UPDATE wms.invoice SET number = $2, period_start = $3, period_end = $4, issued_on = $5, due_on = $6, net = $7, tax = $8,
     total = $9, payment_method = $10, updated_at = clock_timestamp()
   WHERE id = $1::uuid`,
);

export const deleteLines = statement(
  'wms.delete_invoice_lines',
  `DELETE FROM wms.invoice_line WHERE invoice_id = $1::uuid`,
);

/** $1 invoice, then the ids and fields of its lines in their order. */
export const insertLines = statement(
  'wms.insert_invoice_lines',
  `INSERT INTO wms.invoice_line (id, invoice_id, line_no, category, name, quantity, unit_rate, amount)
   SELECT l.id, $1::uuid, l.line_no, l.category, l.name, l.quantity, l.unit_rate, l.amount
   FROM unnest($2::uuid[], $3::text[], $4::text[], $5::numeric[], $6::numeric[], $7::numeric[]) WITH ORDINALITY
     AS l (id, category, name, quantity, unit_rate, amount, line_no)`,
);

export const setStatus = statement(
  'wms.set_invoice_status',
  `UPDATE wms.invoice SET status = $2::text WHERE id = $1::uuid`,
);

export const setApproval = statement(
  'wms.set_invoice_approval',
  `UPDATE wms.invoice SET approved_by = $2::uuid, approved_at = clock_timestamp(), payable = $3::numeric WHERE id = $1::uuid`,
);

export const setVoidReason = statement(
  'wms.set_invoice_void_reason',
  `UPDATE wms.invoice SET void_reason = $2::text WHERE id = $1::uuid`,
);

export interface PaymentRow {
  readonly reference: string;
  readonly method: string;
  readonly paidOn: string;
  readonly amount: string;
  readonly createdBy: string;
  readonly createdAt: Date;
}

export const paymentsOfInvoice = statement<PaymentRow>(
  'wms.payments_of_invoice',
  `SELECT reference, method, paid_on AS "paidOn", amount, created_by AS "createdBy", created_at AS "createdAt"
   FROM wms.invoice_payment WHERE invoice_id = $1::uuid ORDER BY paid_on, created_at, id`,
);

export const insertPayment = statement(
  'wms.insert_invoice_payment',
  `WITH paid AS (
     INSERT INTO wms.invoice_payment (id, invoice_id, method, reference, paid_on, amount, created_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING invoice_id)
   UPDATE wms.invoice i SET updated_at = clock_timestamp() FROM paid WHERE i.id = paid.invoice_id`,
);

/**
 * The storage that was invoiced and accepted, by the names $3 of its charges, is locked: later findings about it are
 * charged in another period. $1 invoice, $2 its warehouse, $4 and $5 the days.
 */
export const lockStorageOfInvoice = statement(
  'wms.lock_storage_of_invoice',
  `UPDATE wms.storage_ledger g SET state = 'locked', invoice_id = $1::uuid
   WHERE g.warehouse_id = $2::uuid AND g.snapshot_on BETWEEN $4::date AND $5::date AND g.state IN ('final', 'locked')
     AND g.invoice_id IS NULL
     AND EXISTS (
       SELECT FROM wms.cost_charge c
       WHERE c.storage_ledger_id = g.id AND c.adjusts_charge_id IS NULL AND c.state = 'final'
         AND lower(regexp_replace(btrim(c.name), '\\s+', ' ', 'g')) = ANY ($3::text[]))`,
);

/** Lines of periods that are closed stay locked, and belong to no invoice again. */
export const releaseStorageOfInvoice = statement(
  'wms.release_storage_of_invoice',
  `UPDATE wms.storage_ledger g
   SET invoice_id = NULL,
       state = CASE WHEN g.period_end <= w.closed_through OR g.amount IS NULL THEN g.state ELSE 'final' END
   FROM wms.warehouse w
   WHERE g.invoice_id = $1::uuid AND w.id = g.warehouse_id`,
);
