import type { Executor } from '@belay/platform';
import { invoiceTransitions } from './invoice-state.rules.js';
import { Money, Qty, Rate } from '../money.rules.js';
import type { InvoiceSummary, InvoiceView } from './invoice.contract.js';
import { InvoiceNotFound } from './invoice.problems.js';
import { invoiceById, linesOfInvoice, paymentsOfInvoice, type InvoiceRow } from './invoice.queries.js';
import { warningsOf } from './invoice.rules.js';

export function summaryOf(invoice: InvoiceRow): InvoiceSummary {
  return {
    id: invoice.id,
    warehouseId: invoice.warehouseId,
    warehouse: invoice.warehouse,
    number: invoice.number,
    periodStart: invoice.periodStart,
    periodEnd: invoice.periodEnd,
    issuedOn: invoice.issuedOn,
    dueOn: invoice.dueOn,
    currency: invoice.currency,
    net: money(invoice, invoice.net),
    tax: money(invoice, invoice.tax),
    total: money(invoice, invoice.total),
    status: invoice.status,
    payable: invoice.payable === null ? null : money(invoice, invoice.payable),
    paid: money(invoice, invoice.paid),
    openBalance: openBalance(invoice).toString(),
    createdBy: invoice.createdBy,
    createdAt: invoice.createdAt.toISOString(),
    rowVersion: invoice.rowVersion,
  };
}

/** The invoice as it is by now, with all that belongs to it. */
export async function wholeInvoice(on: Executor, id: string): Promise<InvoiceView> {
  const [invoice] = await invoiceById(on, [id]);
  if (!invoice) throw new InvoiceNotFound(id);
  const lines = await linesOfInvoice(on, [id]);
  const payments = await paymentsOfInvoice(on, [id]);
  return {
    ...summaryOf(invoice),
    allowed: [...invoiceTransitions[invoice.status]],
    paymentMethod: invoice.paymentMethod,
    approvedBy: invoice.approvedBy,
    approvedAt: invoice.approvedAt?.toISOString() ?? null,
    voidReason: invoice.voidReason,
    sourceFileSha256: invoice.sourceFileSha256,
    lines: lines.map((line) => ({
      ...line,
      quantity: Qty.parse(line.quantity).toString(),
      unitRate: line.unitRate === null ? null : Rate.parse(line.unitRate, invoice.currency).toString(),
      amount: money(invoice, line.amount),
    })),
    payments: payments.map((payment) => ({
      ...payment,
      amount: money(invoice, payment.amount),
      createdAt: payment.createdAt.toISOString(),
    })),
    warnings: warningsOf(invoice),
  };
}

export function openBalance({ payable, total, paid, currency }: InvoiceRow): Money {
  return Money.parse(payable ?? total, currency).minus(Money.parse(paid, currency));
}

function money({ currency }: InvoiceRow, text: string): string {
  return Money.parse(text, currency).toString();
}
