import { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { chargeCategories } from '../charges/charge.rules.js';
import { dayOfCell, type DayOrder } from '../csv-day.rules.js';

interface Fault {
  readonly pointer: string;
  readonly detail: string;
}

type Read = { readonly read: true; readonly invoice: object } | { readonly read: false; readonly faults: Fault[] };

/** What the columns may be called, without case, spaces and signs. The first is how they are named in a fault. */
const columns = {
  number: ['Invoice Number', 'invoicenumber', 'invoiceno', 'invoice'],
  warehouse: ['Warehouse', 'warehouse'],
  periodStart: ['Billing Period Start', 'billingperiodstart', 'periodstart', 'start'],
  periodEnd: ['Billing Period End', 'billingperiodend', 'periodend', 'end'],
  issuedOn: ['Invoice Date', 'invoicedate', 'issuedon'],
  dueOn: ['Due Date', 'duedate', 'dueon'],
  total: ['Total Amount', 'totalamount', 'total'],
  tax: ['Tax', 'tax', 'taxamount', 'vat'],
  category: ['Category', 'category', 'costcategory'],
  name: ['Name', 'name', 'costname'],
  quantity: ['Quantity', 'quantity', 'qty'],
  unitRate: ['Rate', 'rate', 'unitrate'],
  amount: ['Amount', 'amount', 'lineamount'],
} as const;
type Column = keyof typeof columns;

const optional: readonly Column[] = ['dueOn', 'tax', 'unitRate'];
/** The same on every row, or only on the first. */
const ofInvoice = ['number', 'warehouse', 'periodStart', 'periodEnd', 'issuedOn', 'dueOn', 'total', 'tax'] as const;
const days: readonly Column[] = ['periodStart', 'periodEnd', 'issuedOn', 'dueOn'];

const table = z.array(z.object({ info: z.object({ lines: z.number() }), record: z.array(z.string()) }));

/**
 * One invoice out of a file with a row for each of its lines. Nothing is guessed: a date that could be two days, a column
 * or a category nobody knows, and an empty cell are faults, each with its line and column.
 */
export function readInvoiceFile(csv: string, order?: DayOrder): Read {
  const rows = rowsOf(csv);
  if (!('records' in rows)) return { read: false, faults: [rows] };
  const [head, ...body] = rows.records;
  const places = placesOf(head?.record ?? []);
  const missing = keysOf(columns).filter((column) => !optional.includes(column) && !places.has(column));
  if (missing.length > 0) {
    const faults = missing.map((column) => ({ pointer: '#/csv/1', detail: `has no column ${columns[column][0]}` }));
    return { read: false, faults };
  }
  if (body.length === 0) return { read: false, faults: [{ pointer: '#/csv', detail: 'has no lines' }] };

  const faults: Fault[] = [];
  const cellsOf = (record: readonly string[]) =>
    new Map([...places].map(([column, place]) => [column, (record[place] ?? '').trim()] as const));
  const sheet = body.map(({ info, record }) => ({ line: info.lines, cells: cellsOf(record) }));
  const invoice = headerOf(sheet, order, faults);
  const lines = sheet.map((row) => lineOf(row, faults));
  if (faults.length > 0) return { read: false, faults };
  return { read: true, invoice: { ...invoice, net: sumOf(lines.map((line) => line.amount)), lines } };
}

interface SheetRow {
  readonly line: number;
  readonly cells: ReadonlyMap<Column, string>;
}

function headerOf(sheet: readonly SheetRow[], order: DayOrder | undefined, faults: Fault[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const column of ofInvoice) {
    const stated = sheet.filter(({ cells }) => (cells.get(column) ?? '') !== '');
    const [first, ...others] = stated;
    if (!first) {
      if (!optional.includes(column)) faults.push(fault(sheet[0]?.line ?? 1, column, 'is empty'));
      continue;
    }
    const text = first.cells.get(column) ?? '';
    for (const { line, cells } of others) {
      if (cells.get(column) !== text) faults.push(fault(line, column, `must be ${text} on every line of the invoice`));
    }
    if (!days.includes(column)) {
      found[column] = text;
      continue;
    }
    const day = dayOfCell(text, order);
    if ('day' in day) found[column] = day.day;
    else faults.push(fault(first.line, column, day.fault));
  }
  return { tax: '0', ...found };
}

function lineOf({ line, cells }: SheetRow, faults: Fault[]) {
  const text = (column: Column) => {
    const cell = cells.get(column) ?? '';
    if (cell === '' && !optional.includes(column)) faults.push(fault(line, column, 'is empty'));
    return cell;
  };
  const number = (column: Column) => {
    const cell = text(column);
    if (cell !== '' && !exact.test(cell))
      faults.push(fault(line, column, `${JSON.stringify(cell)} is not a plain decimal number`));
    return cell;
  };
  const given = text('category');
  const category = chargeCategories.find((one) => one.toLowerCase() === given.toLowerCase());
  if (given !== '' && category === undefined) {
    faults.push(fault(line, 'category', `${JSON.stringify(given)} is none of ${chargeCategories.join(', ')}`));
  }
  const rate = number('unitRate');
  return {
    category,
    name: text('name'),
    quantity: number('quantity'),
    unitRate: rate === '' ? null : rate,
    amount: number('amount'),
  };
}

const exact = /^-?\d{1,12}(\.\d{1,6})?$/;

/** Scaled by hand, because the currency, and with it the rules of amounts, is known only later. */
export function sumOf(amounts: readonly string[]): string {
  const scale = 6;
  const digits = amounts.reduce((total, text) => {
    const [whole = '', fraction = ''] = text.split('.');
    return total + BigInt(whole + fraction.padEnd(scale, '0'));
  }, 0n);
  const size = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0');
  const fraction = size.slice(-scale).replace(/0+$/, '');
  return `${digits < 0n ? '-' : ''}${size.slice(0, -scale)}${fraction === '' ? '' : `.${fraction}`}`;
}

function rowsOf(csv: string): { records: z.infer<typeof table> } | Fault {
  const [firstLine = ''] = csv.split(/\r?\n/, 1);
  const delimiter = firstLine.split(';').length > firstLine.split(',').length ? ';' : ',';
  try {
    const options = { bom: true, delimiter, info: true, skip_empty_lines: true, relax_column_count: false };
    return { records: table.parse(parse(csv, options)) };
  } catch (error) {
    if (error instanceof CsvError) return { pointer: '#/csv', detail: error.message };
    throw error;
  }
}

function placesOf(head: readonly string[]): Map<Column, number> {
  const names = head.map((cell) => cell.toLowerCase().replaceAll(/[^a-z0-9]/g, ''));
  const places = new Map<Column, number>();
  for (const column of keysOf(columns)) {
    const place = names.findIndex((name) => columns[column].slice(1).some((known) => known === name));
    if (place >= 0) places.set(column, place);
  }
  return places;
}

function keysOf(of: typeof columns): Column[] {
  return z.array(z.custom<Column>((key) => typeof key === 'string' && key in of)).parse(Object.keys(of));
}

function fault(line: number, column: Column, detail: string): Fault {
  return { pointer: `#/csv/${line}/${columns[column][0]}`, detail };
}
