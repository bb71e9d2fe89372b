import { randomUUIDv7 } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import {
  CONFIG,
  containing,
  Database,
  decodeCursor,
  InvalidRequest,
  listFrom,
  violates,
  type Caller,
  type Config,
  type List,
} from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { WarehouseScope, type KnownWarehouse } from '../warehouses/warehouse-scope.service.js';
import { CurrencyDiffers } from '../wms.problems.js';
import { InvoiceAccess, READ_INVOICES } from './invoice-access.service.js';
import { readInvoiceFile } from './invoice-file.rules.js';
import { InvoiceStates } from './invoice-states.service.js';
import { uploadedText } from './invoice-upload.service.js';
import { summaryOf, wholeInvoice } from './invoice-view.service.js';
import {
  draftInvoice,
  type ChangeInvoice,
  type DraftInvoice,
  type InvoiceFilter,
  type InvoiceSummary,
  type InvoiceView,
  type UploadInvoice,
} from './invoice.contract.js';
import { InvoiceNumberTaken } from './invoice.problems.js';
import {
  deleteLines,
  insertInvoice,
  insertLines,
  invoiceByNumber,
  invoiceList,
  linesOfInvoice,
  updateInvoice,
  type InvoiceLineRow,
  type InvoiceRow,
} from './invoice.queries.js';
import { contentOf, faultsOf, type InvoiceContent } from './invoice.rules.js';

const WRITE = 'wms.invoice:write';
const listKey = z.tuple([z.iso.date(), z.uuid()]);

/** The invoice, and whether it was there already, said with the same words. */
export interface TakenIn {
  readonly invoice: InvoiceView;
  readonly known: boolean;
}

@Injectable()
export class InvoiceService {
  constructor(
    private readonly database: Database,
    private readonly warehouses: WarehouseScope,
    private readonly access: InvoiceAccess,
    private readonly states: InvoiceStates,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async list(by: Caller, filter: InvoiceFilter): Promise<List<InvoiceSummary>> {
    const on = this.database.dataSource;
    const { warehouse, status, from, to, search, cursor, limit } = filter;
    const only = warehouse === undefined ? null : (await this.warehouses.seen(on, by, READ_INVOICES, warehouse)).id;
    const after = decodeCursor(cursor, listKey) ?? [null, null];
    const sites = this.warehouses.sites(by, READ_INVOICES);
    const values = [sites, only, status ?? null, from ?? null, to ?? null, containing(search), ...after, limit + 1];
    return listFrom(await invoiceList(on, values), limit, (row) => [row.periodStart, row.id], summaryOf);
  }

  async get(by: Caller, id: string): Promise<InvoiceView> {
    const { dataSource } = this.database;
    await this.access.seen(dataSource, by, id);
    return wholeInvoice(dataSource, id);
  }

  draft(by: Caller, draft: DraftInvoice): Promise<TakenIn> {
    return this.takenIn(by, draft, null);
  }

  /** The same file again, or another that says the same, changes nothing. */
  async upload(by: Caller, { dates, currency }: UploadInvoice, body: Readable): Promise<TakenIn> {
    const { text, sha256 } = await uploadedText(body, this.config.BODY_LIMIT_BYTES);
    const file = readInvoiceFile(text, dates);
    if (!file.read) throw new InvalidRequest(file.faults);
    const draft = draftInvoice.safeParse({ ...file.invoice, ...(currency !== undefined && { currency }) });
    if (!draft.success) {
      throw new InvalidRequest(
        draft.error.issues.map(({ path, message }) => ({
          pointer: `#/${path.map(String).join('/')}`,
          detail: message,
        })),
      );
    }
    return this.takenIn(by, draft.data, sha256);
  }

  /** Only a draft is changed; what was submitted is voided and drafted anew. */
  async change(by: Caller, id: string, version: number, changes: ChangeInvoice): Promise<InvoiceView> {
    return this.numbered(changes.number ?? '', () =>
      this.database.transaction(by, async (tx) => {
        const invoice = await this.access.locked(tx, by, WRITE, id, version);
        this.states.expect(invoice, ['draft'], 'Only a draft can be changed.');
        const content = { ...invoice, lines: await linesOfInvoice(tx, [id]), ...given(changes) };
        refuseFaults(content);
        await updateInvoice(tx, [id, ...sayings(content)]);
        if (changes.lines) {
          await deleteLines(tx, [id]);
          await insertLines(tx, lineValues(id, changes.lines));
        }
        await this.states.announce(tx, invoice, invoice.status);
        return wholeInvoice(tx, id);
      }),
    );
  }

  async submit(by: Caller, id: string, version: number): Promise<InvoiceView> {
    return this.database.transaction(by, async (tx) => {
      const invoice = await this.access.locked(tx, by, WRITE, id, version);
      await this.states.become(tx, invoice, 'pending');
      return wholeInvoice(tx, id);
    });
  }

  /** As `upload`, of an invoice that was read, in somebody's transaction. */
  async takeIn(tx: EntityManager, by: Caller, draft: DraftInvoice, fileSha256: string | null): Promise<TakenIn> {
    const warehouse = await this.warehouses.writable(tx, by, WRITE, draft.warehouse);
    const content = { ...draft, currency: draft.currency ?? warehouse.currency };
    if (content.currency !== warehouse.currency) throw new CurrencyDiffers(warehouse.currency, content.currency);
    refuseFaults(content);
    const known = await knownAlready(tx, warehouse, content, fileSha256);
    if (known) return { invoice: await wholeInvoice(tx, known.id), known: true };

    const id = randomUUIDv7();
    const origin = [content.currency, fileSha256, by.accountId];
    await insertInvoice(tx, [id, warehouse.id, ...sayings(content), ...origin]);
    await insertLines(tx, lineValues(id, content.lines));
    const [created] = await invoiceByNumber(tx, [warehouse.id, content.number]);
    if (created) await this.states.announce(tx, created, null);
    return { invoice: await wholeInvoice(tx, id), known: false };
  }

  private takenIn(by: Caller, draft: DraftInvoice, fileSha256: string | null): Promise<TakenIn> {
    return this.numbered(draft.number, () =>
      this.database.transaction(by, (tx) => this.takeIn(tx, by, draft, fileSha256)),
    );
  }

  /** Two requests may bring the same number at once; the second of them learns it from the database. */
  private async numbered<Answer>(number: string, work: () => Promise<Answer>): Promise<Answer> {
    try {
      return await work();
    } catch (error) {
      throw violates(error, 'invoice_number_is_unique') ? new InvoiceNumberTaken(number) : error;
    }
  }
}

async function knownAlready(
  tx: EntityManager,
  warehouse: KnownWarehouse,
  content: InvoiceContent,
  fileSha256: string | null,
): Promise<InvoiceRow | undefined> {
  const [existing] = await invoiceByNumber(tx, [warehouse.id, content.number]);
  if (!existing) return undefined;
  const sameFile = fileSha256 !== null && existing.sourceFileSha256 === fileSha256;
  const lines = await linesOfInvoice(tx, [existing.id]);
  const same = sameFile || contentOf({ ...existing, lines }) === contentOf(content);
  if (same && existing.status !== 'void') return existing;
  throw new InvoiceNumberTaken(content.number, existing);
}

function refuseFaults(content: InvoiceContent): void {
  const faults = faultsOf(content);
  if (faults.length > 0) throw new InvalidRequest(faults);
}

/** What a PATCH names; what it leaves out stays. */
function given({
  number,
  periodStart,
  periodEnd,
  issuedOn,
  dueOn,
  net,
  tax,
  total,
  paymentMethod,
  lines,
}: ChangeInvoice) {
  return {
    ...(number !== undefined && { number }),
    ...(periodStart !== undefined && { periodStart }),
    ...(periodEnd !== undefined && { periodEnd }),
    ...(issuedOn !== undefined && { issuedOn }),
    ...(dueOn !== undefined && { dueOn }),
    ...(net !== undefined && { net }),
    ...(tax !== undefined && { tax }),
    ...(total !== undefined && { total }),
    ...(paymentMethod !== undefined && { paymentMethod }),
    ...(lines !== undefined && { lines }),
  };
}

/** In the order in which the statements take them. */
function sayings(content: InvoiceContent & { readonly paymentMethod: string | null }): (string | null)[] {
  const { number, periodStart, periodEnd, issuedOn, dueOn, net, tax, total, paymentMethod } = content;
  return [number, periodStart, periodEnd, issuedOn, dueOn, net, tax, total, paymentMethod];
}

function lineValues(invoiceId: string, lines: readonly Omit<InvoiceLineRow, 'lineNo'>[]): readonly unknown[] {
  return [
    invoiceId,
    lines.map(() => randomUUIDv7()),
    lines.map((line) => line.category),
    lines.map((line) => line.name),
    lines.map((line) => line.quantity),
    lines.map((line) => line.unitRate),
    lines.map((line) => line.amount),
  ];
}
