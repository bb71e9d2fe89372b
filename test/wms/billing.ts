import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { problem } from '@belay/platform';
import { wms } from '@belay/wms';
import { z, type ZodType } from 'zod';
import { disputeView, type DisputeView } from '../../libs/wms/src/disputes/dispute.contract.js';
import { invoiceView, type InvoiceView } from '../../libs/wms/src/invoices/invoice.contract.js';
import { reconRunView, type ReconRunView } from '../../libs/wms/src/invoices/reconciliation.contract.js';
import { fresh } from '../support/people.js';
import { TestApi, type TestApiOptions } from '../support/test-api.js';

export interface Place {
  readonly id: string;
  readonly siteId: string;
  readonly code: string;
}

export interface Charged {
  readonly category?: string;
  readonly name?: string;
  readonly quantity?: string;
  readonly rate?: string;
  readonly amount?: string | null;
  readonly on?: string;
  readonly periodStart?: string;
  readonly periodEnd?: string;
  readonly currency?: string;
  readonly adjusts?: string;
  readonly storageLedgerId?: string;
}

const list = z.object({ items: z.array(z.record(z.string(), z.unknown())), next: z.string().nullable() });
const refusal = z.object({ errors: z.array(z.object({ pointer: z.string(), detail: z.string() })) });

const STORAGE = 'Storage cost per pallet / week';

/** The golden rows of a week: pallets and what they cost at 3.90. Together 14 pallets, 54.60. */
const goldenStorage = [
  ['1', '3.90'],
  ['10', '39.00'],
  ['2', '7.80'],
  ['1', '3.90'],
] as const;

/** A warehouse that is charged and billed, through the API, by two people of finance. */
export class Billing {
  private constructor(
    readonly api: TestApi,
    /** Drafts, submits, reconciles. */
    readonly clerk: TestApi,
    /** Approves and pays what the clerk made. */
    readonly chief: TestApi,
    readonly place: Place,
  ) {}

  static async open(options: TestApiOptions = {}): Promise<Billing> {
    const api = await TestApi.start(options, wms);
    return new Billing(api, await api.as('finance'), await api.as('finance'), await makePlace(api));
  }

  close(): Promise<void> {
    return this.api.close();
  }

  newPlace(facts: Record<string, unknown> = {}): Promise<Place> {
    return makePlace(this.api, facts);
  }

  /** What a request answers, with its status; the version goes as If-Match, a key with every POST. */
  async ask(
    by: TestApi,
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT',
    path: string,
    body?: object,
    version?: number,
    key: string = randomUUID(),
  ): Promise<{ status: number; body: unknown; replayed: boolean }> {
    const headers = {
      ...(method === 'POST' && { 'idempotency-key': key }),
      ...(version !== undefined && { 'if-match': `"${version}"` }),
    };
    const response = await by.send(method, path, body, headers);
    return {
      status: response.statusCode,
      body: response.body === '' ? undefined : response.json<unknown>(),
      replayed: response.headers['idempotency-replayed'] === 'true',
    };
  }

  /** `200`, or status and slug of the problem with whatever it carries. */
  async outcome(...asked: Parameters<Billing['ask']>): Promise<string> {
    const { status, body } = await this.ask(...asked);
    return status < 400 ? String(status) : `${status} ${problem.parse(body).code}`;
  }

  async problem(...asked: Parameters<Billing['ask']>): Promise<Record<string, unknown>> {
    const { body } = await this.ask(...asked);
    return problem.parse(body);
  }

  async list(by: TestApi, path: string): Promise<z.infer<typeof list>> {
    return this.expect(list, by, 'GET', path);
  }

  /** What is wrong with a request, each at its pointer. */
  async faults(...asked: Parameters<Billing['ask']>): Promise<{ pointer: string; detail: string }[]> {
    return refusal.parse(await this.problem(...asked)).errors;
  }

  async expect<Answer>(schema: ZodType<Answer>, ...asked: Parameters<Billing['ask']>): Promise<Answer> {
    const { status, body } = await this.ask(...asked);
    if (status >= 400) throw new Error(`${asked[1]} ${asked[2]} answered ${status}: ${JSON.stringify(body)}`);
    return schema.parse(body);
  }

  body(facts: Record<string, unknown> = {}) {
    return {
      warehouse: this.place.code,
      number: fresh('INV'),
      periodStart: '2024-12-16',
      periodEnd: '2025-01-15',
      issuedOn: '2025-01-16',
      dueOn: '2025-02-15',
      net: '54.60',
      tax: '0.00',
      total: '54.60',
      lines: [{ category: 'Storage', name: STORAGE, quantity: '14', unitRate: '3.90', amount: '54.60' }],
      ...facts,
    };
  }

  draft(facts: Record<string, unknown> = {}, by = this.clerk): Promise<InvoiceView> {
    return this.expect(invoiceView, by, 'POST', '/api/wms/invoices', this.body(facts));
  }

  get(id: string): Promise<InvoiceView> {
    return this.expect(invoiceView, this.clerk, 'GET', `/api/wms/invoices/${id}`);
  }

  /** A transition, with the version that the invoice has by now unless another is given. */
  async act(id: string, what: string, body?: object, by = this.clerk): Promise<InvoiceView> {
    const { rowVersion } = await this.get(id);
    return this.expect(invoiceView, by, 'POST', `/api/wms/invoices/${id}/${what}`, body, rowVersion);
  }

  async refused(id: string, what: string, body?: object, by = this.clerk): Promise<Record<string, unknown>> {
    const { rowVersion } = await this.get(id);
    return this.problem(by, 'POST', `/api/wms/invoices/${id}/${what}`, body, rowVersion);
  }

  async reconcile(id: string, body: object = {}): Promise<ReconRunView> {
    const { rowVersion } = await this.get(id);
    return this.expect(reconRunView, this.clerk, 'POST', `/api/wms/invoices/${id}/reconcile`, body, rowVersion);
  }

  /** Drafted, submitted and reconciled. */
  async reconciled(facts: Record<string, unknown> = {}): Promise<{ invoice: InvoiceView; run: ReconRunView }> {
    const { id } = await this.draft(facts);
    await this.act(id, 'submit');
    const run = await this.reconcile(id);
    return { invoice: await this.get(id), run };
  }

  /** Reconciled with one line that matches and one that was never charged: Fuel, 10.00. */
  withFuel(facts: Record<string, unknown> = {}): Promise<{ invoice: InvoiceView; run: ReconRunView }> {
    const [storage] = this.body().lines;
    return this.reconciled({
      net: '64.60',
      total: '64.60',
      lines: [storage, { category: 'Accessorial', name: 'Fuel', quantity: '1', amount: '10.00' }],
      ...facts,
    });
  }

  async paid(facts: Record<string, unknown> = {}): Promise<InvoiceView> {
    const { invoice } = await this.reconciled(facts);
    await this.act(invoice.id, 'approve', {}, this.chief);
    return this.pay(invoice.id, invoice.total);
  }

  pay(id: string, amount: string, facts: Record<string, unknown> = {}): Promise<InvoiceView> {
    const body = { method: 'BACS', reference: fresh('PAY'), paidOn: '2025-02-01', amount, ...facts };
    return this.expect(invoiceView, this.chief, 'POST', `/api/wms/invoices/${id}/payments`, body);
  }

  dispute(invoice: string, facts: Record<string, unknown> = {}): Promise<DisputeView> {
    const body = { invoice, reasonCode: 'rate', reason: 'It was never ordered', ...facts };
    return this.expect(disputeView, this.clerk, 'POST', '/api/wms/disputes', body);
  }

  async disputed(id: string): Promise<DisputeView> {
    return this.expect(disputeView, this.clerk, 'GET', `/api/wms/disputes/${id}`);
  }

  async move(id: string, what: 'events' | 'resolve' | 'credit-note', body: object): Promise<DisputeView> {
    const { rowVersion } = await this.disputed(id);
    return this.expect(disputeView, this.clerk, 'POST', `/api/wms/disputes/${id}/${what}`, body, rowVersion);
  }

  async charge(charged: Charged = {}, place = this.place): Promise<string> {
    const { quantity = '1', rate = '1', amount = '1.00' } = charged;
    const periodStart = charged.periodStart ?? '2024-12-16';
    const [row] = await this.api.rows<{ id: string }>(
      `INSERT INTO wms.cost_charge (warehouse_id, category, name, quantity, rate, amount, currency, charge_on, period_start,
         period_end, state, dedupe_key, adjusts_charge_id, storage_ledger_id)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING id`,
      [
        place.id,
        charged.category ?? 'Storage',
        charged.name ?? STORAGE,
        quantity,
        rate,
        amount,
        charged.currency ?? 'GBP',
        charged.on ?? '2025-01-13',
        periodStart,
        charged.periodEnd ?? '2025-01-15',
        amount === null ? 'unrated' : 'final',
        randomUUID(),
        charged.adjusts ?? null,
        charged.storageLedgerId ?? null,
      ],
    );
    return row?.id ?? '';
  }

  /** The golden week: 54.60 for 14 pallets. */
  async chargeStorage(place = this.place): Promise<void> {
    for (const [quantity, amount] of goldenStorage) await this.charge({ quantity, rate: '3.90', amount }, place);
  }

  async facts(name: string, id: string): Promise<unknown[]> {
    const rows = await this.api.rows<{ body: unknown }>(
      `SELECT body FROM platform.outbox WHERE name = $1 AND (body ->> 'invoiceId' = $2 OR body ->> 'disputeId' = $2) ORDER BY id`,
      [name, id],
    );
    return rows.map((row) => row.body);
  }
}

async function makePlace(api: TestApi, facts: Record<string, unknown> = {}): Promise<Place> {
  const row: Record<string, unknown> = {
    id: randomUUIDv7(),
    site_id: randomUUIDv7(),
    code: fresh('W').toUpperCase(),
    name: 'Warehouse',
    kind: 'third_party',
    timezone: 'Europe/London',
    created_by: randomUUIDv7(),
    ...facts,
  };
  const names = Object.keys(row);
  const [made] = await api.rows(
    `INSERT INTO wms.warehouse (${names.join(', ')}) VALUES (${names.map((_, n) => `$${n + 1}`).join(', ')})
     RETURNING id, site_id AS "siteId", code`,
    Object.values(row),
  );
  return z.object({ id: z.string(), siteId: z.string(), code: z.string() }).parse(made);
}
