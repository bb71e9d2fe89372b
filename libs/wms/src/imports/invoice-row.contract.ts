import { chargeCategories } from '../charges/charge.rules.js';
import { ofWarehouse, type RowReader } from './row-reader.rules.js';

/** What an invoice says on each of its rows, or on the first only. */
export const invoiceHeader = {
  number: 'Invoice Number',
  periodStart: 'Billing Period Start',
  periodEnd: 'Billing Period End',
  issuedOn: 'Invoice Date',
  dueOn: 'Due Date',
  total: 'Total Amount',
  tax: 'Tax',
  currency: 'Currency',
} as const;

/** A line of an invoice; an invoice is made of all rows of its number. */
export const invoiceRows: RowReader = {
  columns: [
    { name: invoiceHeader.number, required: true },
    { name: 'Warehouse', required: true },
    { name: invoiceHeader.periodStart, also: ['period_start', 'start'], required: true },
    { name: invoiceHeader.periodEnd, also: ['period_end', 'end'], required: true },
    { name: invoiceHeader.issuedOn, required: true },
    { name: invoiceHeader.dueOn },
    { name: invoiceHeader.total, also: ['total'], required: true },
    { name: invoiceHeader.tax, also: ['vat'] },
    { name: invoiceHeader.currency },
    { name: 'category', also: ['cost_category'], required: true },
    { name: 'name', also: ['cost_name'], required: true },
    { name: 'quantity', also: ['qty'], required: true },
    { name: 'rate', also: ['unit_rate'] },
    { name: 'amount', also: ['line_amount'], required: true },
  ],

  read(cells, around) {
    ofWarehouse(cells, 'Warehouse', around);
    const number = cells.required(invoiceHeader.number);
    for (const column of ['category', 'name', 'quantity', 'amount']) cells.required(column);
    const facts = {
      number,
      periodStart: cells.day(invoiceHeader.periodStart),
      periodEnd: cells.day(invoiceHeader.periodEnd),
      issuedOn: cells.day(invoiceHeader.issuedOn),
      dueOn: cells.day(invoiceHeader.dueOn),
      total: cells.decimal(invoiceHeader.total),
      tax: cells.decimal(invoiceHeader.tax),
      currency: cells.text(invoiceHeader.currency),
      line: {
        category: cells.oneOf('category', chargeCategories),
        name: cells.text('name'),
        quantity: cells.decimal('quantity'),
        unitRate: cells.decimal('rate') ?? null,
        amount: cells.decimal('amount'),
      },
    };
    return {
      document: (number ?? '').toUpperCase(),
      facts: cells.hasErrors ? null : facts,
      issues: cells.issues,
    };
  },
};
