import { Injectable } from '@nestjs/common';
import { violates, type Caller, type Executor } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { draftInvoice } from '../invoices/invoice.contract.js';
import { sumOf } from '../invoices/invoice-file.rules.js';
import { faultsOf, warningsOf } from '../invoices/invoice.rules.js';
import { InvoiceNumberTaken } from '../invoices/invoice.problems.js';
import { InvoiceService } from '../invoices/invoice.service.js';
import { rowsOfDocuments, stagedDocuments, type StagedDocument, type StagedRow } from './import.queries.js';
import { Importer, warehouseOf, type Batch, type Document } from './importer.service.js';
import { invoiceHeader, invoiceRows } from './invoice-row.contract.js';
import type { FoundIssue } from './ledger-check.queries.js';
import { inPortions } from './document.rules.js';

const text = z.string().optional();
const staged = z.object({
  number: text,
  periodStart: text,
  periodEnd: text,
  issuedOn: text,
  dueOn: text,
  total: text,
  tax: text,
  currency: text,
  line: z.object({
    category: text,
    name: text,
    quantity: text,
    unitRate: z.string().nullable(),
    amount: z.string(),
  }),
});

const headers = Object.keys(invoiceHeader).filter((key): key is keyof typeof invoiceHeader => key in invoiceHeader);
const optional: readonly string[] = ['dueOn', 'tax', 'currency'];
const lineColumns: Readonly<Record<string, string>> = { unitRate: 'rate' };

interface Sheet {
  readonly draft: Record<string, unknown>;
  readonly issues: FoundIssue[];
}

/** Invoices of the operator: as drafts, each with all its lines. */
@Injectable()
export class InvoiceImport extends Importer {
  readonly reader = invoiceRows;
  readonly feature = 'wms_finance';
  readonly permissions = ['wms.invoice:write'];
  readonly isByRow = false;

  constructor(private readonly invoices: InvoiceService) {
    super();
  }

  async check(on: Executor, _by: Caller, batch: Batch): Promise<FoundIssue[]> {
    const documents = await stagedDocuments(on, [batch.row.id]);
    const issues: FoundIssue[] = [];
    const read = (some: readonly StagedDocument[]) =>
      rowsOfDocuments(on, [batch.row.id, some.map(({ document }) => document)]);
    for await (const portion of inPortions(documents, read)) {
      issues.push(...portion.flatMap((document) => issuesOf(document, batch)));
    }
    return issues;
  }

  async take(tx: EntityManager, by: Caller, batch: Batch, { lines }: Document): Promise<void> {
    const { draft } = sheetOf(lines, batch);
    const invoice = draftInvoice.parse(draft);
    try {
      await this.invoices.takeIn(tx, by, invoice, batch.row.fileSha256);
    } catch (error) {
      throw violates(error, 'invoice_number_is_unique') ? new InvoiceNumberTaken(invoice.number) : error;
    }
  }
}

function issuesOf({ row, lines }: Document, batch: Batch): FoundIssue[] {
  const { draft, issues } = sheetOf(lines, batch);
  if (issues.length > 0) return issues;
  const checked = draftInvoice.safeParse(draft);
  if (!checked.success) {
    return checked.error.issues.map(({ path, message }) => placed(path.map(String), message, row, lines));
  }
  const content = { ...checked.data, currency: checked.data.currency ?? warehouseOf(batch).currency };
  return [
    ...faultsOf(content).map(({ pointer, detail }) => placed(pointer.slice(2).split('/'), detail, row, lines)),
    ...warningsOf(content).map(({ code, detail }) => ({
      row,
      severity: 'warning' as const,
      column: null,
      code,
      detail,
    })),
  ];
}

/** What all rows of an invoice say together. */
function sheetOf(lines: readonly StagedRow[], batch: Batch): Sheet {
  const read = lines.map(({ row, facts }) => ({ row, facts: staged.parse(facts) }));
  const issues: FoundIssue[] = [];
  const said: Partial<Record<string, string>> = {};
  for (const header of headers) {
    const stated = read.filter(({ facts }) => facts[header] !== undefined);
    const [first] = stated;
    const column = invoiceHeader[header];
    if (!first) {
      if (optional.includes(header)) continue;
      issues.push({ row: read[0]?.row ?? 1, severity: 'error', column, code: 'empty', detail: 'must not be empty' });
      continue;
    }
    said[header] = first.facts[header];
    for (const { row, facts } of stated) {
      if (header === 'number' || facts[header] === first.facts[header]) continue;
      const detail = `must be ${first.facts[header] ?? ''} on every row of the invoice`;
      issues.push({ row, severity: 'error', column, code: 'not-one-document', detail });
    }
  }
  const draft = {
    ...said,
    warehouse: warehouseOf(batch).id,
    tax: said['tax'] ?? '0',
    net: sumOf(read.map(({ facts }) => facts.line.amount)),
    lines: read.map(({ facts }) => facts.line),
  };
  return { draft, issues };
}

function placed(path: readonly string[], detail: string, row: number, lines: readonly StagedRow[]): FoundIssue {
  const [field = '', index = '', ofLine] = path;
  const issue = { severity: 'error', code: 'not-valid', detail } as const;
  if (field === 'lines') {
    const column = ofLine === undefined ? null : (lineColumns[ofLine] ?? ofLine);
    return { ...issue, row: lines[Number(index)]?.row ?? row, column };
  }
  const header = headers.find((one) => one === field);
  // The net amount is the sum of the lines: what differs is the total.
  return { ...issue, row, column: header ? invoiceHeader[header] : invoiceHeader.total };
}
