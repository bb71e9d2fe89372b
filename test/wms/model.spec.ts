import { randomUUID } from 'node:crypto';
import { wms } from '@belay/wms';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { newSite } from '../support/people.js';
import { TestApi } from '../support/test-api.js';
import {
  cartonsPerPallet,
  unitsPerCarton,
  WarehouseModel,
  type ModelLine,
  type ModelMovement,
} from './warehouse-model.js';

const runs = 1_000;
/** So many histories at a time: each has goods of its own. */
const lanes = 4;
const weeks = 7;
const places = ['A', 'B'] as const;
const dayMs = 86_400_000;

const posted = z.object({
  id: z.uuid(),
  effectiveAt: z.iso.datetime(),
  lines: z.array(z.object({ lot: z.string(), location: z.string(), stockStatus: z.string(), units: z.int() })),
  charges: z.array(z.object({ name: z.string(), amount: z.string() })),
});
const reservation = z.object({
  id: z.uuid(),
  allocations: z.array(z.object({ location: z.string(), lot: z.string(), units: z.int() })),
});
const refusal = z.object({ code: z.string() });
const stock = z.object({
  items: z.array(
    z.object({
      lot: z.string(),
      location: z.string(),
      stockStatus: z.string(),
      onHand: z.int(),
      reserved: z.int().nullable(),
    }),
  ),
});
const made = z.object({ id: z.uuid() });

const place = fc.constantFrom(...places);
const lot = fc.constantFrom('L1', 'L2');
const units = fc.integer({ min: 1, max: 150 });
/** Zero is now. */
const daysAgo = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: weeks * 7 }));

const take = fc.oneof(
  fc.record({ do: fc.constant('ship' as const), lot, place, units, daysAgo }),
  fc.record({ do: fc.constant('adjust' as const), lot, place, units: fc.integer({ min: -80, max: 80 }), daysAgo }),
  fc.record({ do: fc.constant('transfer' as const), lot, place, units, daysAgo }),
);
const command = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('receive' as const), lot, place, units, daysAgo }) },
  { weight: 4, arbitrary: take },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('reverse' as const), nth: fc.nat(20), then: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reserve' as const), units }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('count' as const), lot, place, found: fc.integer({ min: 0, max: 150 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), nth: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fulfil' as const), nth: fc.nat(5) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('together' as const), all: fc.array(take, { minLength: 2, maxLength: 4 }) }),
  },
);
type Command = typeof command extends fc.Arbitrary<infer Value> ? Value : never;
/** What is promised as one is shipped as one line from two lots: its cost is rounded once. */
const onceRounded: Command[] = [
  { do: 'receive', lot: 'L1', place: 'A', units: 1, daysAgo: 1 },
  { do: 'receive', lot: 'L2', place: 'A', units: 97, daysAgo: 0 },
  { do: 'reserve', units: 98 },
  { do: 'fulfil', nth: 0 },
];
const history = fc.record({
  commands: fc.array(command, { minLength: 1, maxLength: 14 }),
  /** When the past is compared. */
  daysBack: fc.integer({ min: 1, max: weeks * 7 }),
});
type Take = typeof take extends fc.Arbitrary<infer Value> ? Value : never;

/** The real warehouse beside its model, with goods of its own, so that many can share one database. */
class Pair {
  readonly model = new WarehouseModel();
  readonly lotIds = new Map<string, string>();
  readonly #movements: { readonly id: string; readonly model: ModelMovement }[] = [];
  readonly #reservations: { readonly id: string; readonly held: ModelLine[] }[] = [];
  readonly #sku = `S-${randomUUID().slice(0, 8)}`;
  readonly #skuId = randomUUID();

  constructor(
    private readonly api: TestApi,
    /** Approves what the other counted. */
    private readonly second: TestApi,
    private readonly noon: number,
  ) {}

  async open(): Promise<this> {
    const lots = await this.api.rows<{ id: string; code: string }>(
      `WITH sku AS (
         INSERT INTO wms.sku (id, code, description, default_units_per_carton, created_by)
         VALUES ($1, $2, 'Modelled', $3, $1) RETURNING id)
       INSERT INTO wms.lot (id, sku_id, code, units_per_carton, storage_cartons_per_pallet, shipping_cartons_per_pallet, created_by)
       SELECT gen_random_uuid(), sku.id, code, $3, $4, $4, sku.id FROM sku, unnest($5::text[]) AS code RETURNING id, code`,
      [this.#skuId, this.#sku, Number(unitsPerCarton), Number(cartonsPerPallet), ['L1', 'L2']],
    );
    for (const { id, code } of lots) this.lotIds.set(code, id);
    return this;
  }

  async perform(one: Command): Promise<void> {
    switch (one.do) {
      case 'receive': {
        const line = { sku: this.#sku, lot: one.lot, location: one.place, looseUnits: one.units };
        const answer = await this.send('movements/receive', {
          reference: 'IN',
          ...this.when(one.daysAgo),
          lines: [line],
        });
        this.accept('RECEIVE', [{ bucket: bucketOf(one.lot, one.place), units: BigInt(one.units) }], answer);
        return;
      }
      case 'reverse':
        return this.reverse(one.nth, one.then);
      case 'reserve':
        return this.reserve(one.units);
      case 'release':
        return this.release(one.nth);
      case 'fulfil':
        return this.fulfil(one.nth);
      case 'count':
        return this.count(one.lot, one.place, one.found);
      case 'together':
        return this.together(one.all);
      default:
        await this.taken(one);
    }
  }

  /** Everything that can be read agrees with the model, also as it was so many days ago. */
  async check(days: number): Promise<void> {
    const buckets = this.model.buckets();
    const now = await this.stock('');
    expect(now).toEqual(
      buckets.flatMap((bucket) => {
        const [onHand, reserved] = [this.model.onHand(bucket), this.model.reserved(bucket)];
        return onHand === 0n ? [] : [{ bucket, onHand: Number(onHand), reserved: Number(reserved) }];
      }),
    );
    const at = this.noon - days * dayMs;
    const then = await this.stock(`&asOf=${new Date(at).toISOString()}`);
    expect(then).toEqual(
      buckets.flatMap((bucket) => {
        const onHand = this.model.asOf(bucket, at);
        return onHand === 0n ? [] : [{ bucket, onHand: Number(onHand), reserved: null }];
      }),
    );
    const charged = await this.api.rows<{ name: string; pence: string }>(
      `SELECT name, round(sum(amount) * 100)::text AS pence FROM wms.cost_charge
       WHERE movement_id = ANY ($1) GROUP BY 1 HAVING sum(amount) <> 0 ORDER BY 1`,
      [this.#movements.map(({ id }) => id)],
    );
    const expected = [...this.model.charges()].map(([name, pence]) => ({ name, pence: pence.toString() }));
    expect(charged).toEqual(expected.toSorted((one, other) => (one.name < other.name ? -1 : 1)));
  }

  private async taken(one: Take): Promise<void> {
    const lines = linesOf(one);
    if (lines.length === 0) return;
    const answer = await this.ask(one);
    if (answer.statusCode === 201) {
      const { effectiveAt } = posted.parse(answer.json());
      expect([one, this.model.allows(lines, Date.parse(effectiveAt))]).toEqual([one, true]);
      this.accept(kindOf(one), lines, answer);
      return;
    }
    this.refused(answer);
    const at = one.daysAgo === 0 ? Date.now() : this.noon - one.daysAgo * dayMs;
    expect([one, this.model.allows(lines, at)]).toEqual([one, false]);
  }

  /** Whatever the order in which they took their turn, the balances are those of what was accepted, and never negative. */
  private async together(all: readonly Take[]): Promise<void> {
    const asked = all.filter((one) => linesOf(one).length > 0);
    const answers = await Promise.all(asked.map(async (one) => ({ one, answer: await this.ask(one) })));
    for (const { one, answer } of answers) {
      if (answer.statusCode === 201) this.accept(kindOf(one), linesOf(one), answer);
      else this.refused(answer);
    }
    for (const bucket of this.model.buckets()) expect(this.model.available(bucket)).toBeGreaterThanOrEqual(0n);
  }

  private async reverse(nth: number, then: boolean): Promise<void> {
    const movement = this.#movements.filter(({ model }) => model.kind !== 'REVERSAL')[nth];
    if (!movement) return;
    const { id, model } = movement;
    const answer = await this.send(`movements/${id}/reverse`, then ? { effectiveAt: 'reversed' } : {});
    if (model.reversed) {
      expect([answer.statusCode, refusal.parse(answer.json()).code]).toEqual([409, 'already-reversed']);
      return;
    }
    const lines = model.lines.map(({ bucket, units: moved }) => ({ bucket, units: -moved }));
    if (answer.statusCode !== 201) {
      this.refused(answer);
      expect(this.model.allows(lines, then ? model.at : Date.now())).toBe(false);
      return;
    }
    const { id: reversal, effectiveAt } = posted.parse(answer.json());
    const at = Date.parse(effectiveAt);
    if (then) expect(at).toBe(model.at);
    expect(this.model.allows(lines, at)).toBe(true);
    this.#movements.push({ id: reversal, model: this.model.reverse(model, at) });
  }

  private async reserve(wanted: number): Promise<void> {
    const source = { type: 'order', id: randomUUID(), line: '1' };
    const answer = await this.send('reservations', { sku: this.#sku, units: wanted, source });
    const free = this.model.buckets().reduce((total, bucket) => total + this.model.available(bucket), 0n);
    expect([answer.statusCode, free, wanted]).toEqual([free >= BigInt(wanted) ? 201 : 409, free, wanted]);
    if (answer.statusCode !== 201) {
      this.refused(answer);
      return;
    }
    const { id, allocations } = reservation.parse(answer.json());
    const held = allocations.map((one) => ({ bucket: bucketOf(one.lot, one.location), units: BigInt(one.units) }));
    expect(held.reduce((total, one) => total + one.units, 0n)).toBe(BigInt(wanted));
    for (const one of held) {
      expect(this.model.available(one.bucket)).toBeGreaterThanOrEqual(one.units);
      this.model.reserve(one.bucket, one.units);
    }
    this.#reservations.push({ id, held });
  }

  private async count(code: string, location: string, found: number): Promise<void> {
    const bucket = bucketOf(code, location);
    const lines = [{ bucket, units: BigInt(found) - this.model.onHand(bucket) }];
    const count = made.parse((await this.send('counts', { skus: [this.#sku] })).json());
    const counted = { lines: [{ sku: this.#sku, lot: code, location, looseUnits: found }] };
    await this.api.put(`/api/wms/counts/${count.id}/lines`, counted, 200);
    const posting = `/api/wms/counts/${count.id}/post`;
    const key = { 'idempotency-key': randomUUID() };
    const answer = await this.second.send('POST', posting, { skipUncounted: true }, key);
    if (answer.statusCode !== 200) {
      this.refused(answer);
      expect(this.model.allows(lines, Date.now())).toBe(false);
      await this.api.post(`/api/wms/counts/${count.id}/cancel`, undefined, 200);
      return;
    }
    const { movementId } = z.object({ movementId: z.uuid().nullable() }).parse(answer.json());
    expect([movementId === null, this.model.allows(lines, Date.now())]).toEqual([lines[0]?.units === 0n, true]);
    if (movementId !== null)
      this.accept('COUNT', lines, await this.api.send('GET', `/api/wms/movements/${movementId}`));
  }

  private async release(nth: number): Promise<void> {
    const one = this.#reservations[nth];
    if (!one) return;
    expect((await this.send(`reservations/${one.id}/release`)).statusCode).toBe(200);
    for (const line of one.held.splice(0)) this.model.reserve(line.bucket, -line.units);
  }

  private async fulfil(nth: number): Promise<void> {
    const one = this.#reservations[nth];
    if (!one || one.held.length === 0) return;
    const line = { reservation: one.id };
    const answer = await this.send('movements/ship', { reference: 'OUT', lines: [line] });
    expect(answer.statusCode).toBe(201);
    const lines = one.held.map(({ bucket, units: held }) => ({ bucket, units: -held }));
    for (const held of one.held.splice(0)) this.model.reserve(held.bucket, -held.units);
    expect(this.model.allows(lines, Date.parse(posted.parse(answer.json()).effectiveAt))).toBe(true);
    // One line of the request, however many buckets it is taken from.
    const total = lines.reduce((sum, { units }) => sum + units, 0n);
    this.accept('SHIP', lines, answer, [total]);
  }

  private ask(one: Take) {
    const goods = { sku: this.#sku, lot: one.lot, looseUnits: Math.abs(one.units) };
    const when = this.when(one.daysAgo);
    switch (one.do) {
      case 'ship':
        return this.send('movements/ship', { reference: 'OUT', ...when, lines: [{ ...goods, location: one.place }] });
      case 'adjust': {
        const kind = one.units < 0 ? 'ADJUST_OUT' : 'ADJUST_IN';
        const lines = [{ ...goods, location: one.place }];
        return this.send('movements/adjust', { kind, reasonCode: 'found', note: 'model', ...when, lines });
      }
      case 'transfer': {
        const line = { ...goods, fromLocation: one.place, toLocation: otherThan(one.place) };
        return this.send('movements/transfer', { ...when, lines: [line] });
      }
    }
  }

  /** Enters what was accepted into the model, line for line and charge for charge as the answer says it. */
  private accept(
    kind: string,
    lines: readonly ModelLine[],
    answer: Awaited<ReturnType<TestApi['send']>>,
    asked?: readonly bigint[],
  ): void {
    expect([answer.statusCode < 300, answer.body.slice(0, 400)]).toEqual([true, expect.anything()]);
    const { id, effectiveAt, lines: shown, charges } = posted.parse(answer.json());
    const written = shown.map((line) => ({ bucket: bucketOf(line.lot, line.location), units: BigInt(line.units) }));
    expect(written.toSorted(byBucket)).toEqual([...lines].toSorted(byBucket));
    const model = this.model.post(kind, lines, Date.parse(effectiveAt), asked);
    const pence = charges.map(({ name, amount }) => [name, BigInt(amount.replace('.', ''))] as const);
    expect(new Map(pence)).toEqual(model.charges);
    this.#movements.push({ id, model });
  }

  private refused(answer: Awaited<ReturnType<TestApi['send']>>): void {
    expect(answer.statusCode).toBe(409);
    expect(['insufficient-stock', 'later-balance-negative']).toContain(refusal.parse(answer.json()).code);
  }

  private when(days: number): { effectiveAt?: string } {
    return days === 0 ? {} : { effectiveAt: new Date(this.noon - days * dayMs).toISOString() };
  }

  /** Asks for something in the warehouse; what stands on its own has its id in the path. */
  private send(path: string, body: object = {}) {
    const named = /[0-9a-f]{12}\//.test(path) ? body : { warehouse: 'MODEL', ...body };
    return this.api.send('POST', `/api/wms/${path}`, named, { 'idempotency-key': randomUUID() });
  }

  private async stock(asOf: string) {
    const { items } = await this.api.get(
      `/api/wms/stock?warehouse=MODEL&sku=${this.#skuId}&limit=200${asOf}`,
      200,
      stock,
    );
    return items
      .filter(({ onHand }) => onHand !== 0)
      .map(({ lot: code, location, onHand, reserved }) => ({ bucket: bucketOf(code, location), onHand, reserved }))
      .toSorted(byBucket);
  }
}

function linesOf(one: Take): ModelLine[] {
  const from = bucketOf(one.lot, one.place);
  const moved = BigInt(one.units);
  if (moved === 0n) return [];
  if (one.do === 'adjust') return [{ bucket: from, units: moved }];
  if (one.do === 'ship') return [{ bucket: from, units: -moved }];
  return [
    { bucket: from, units: -moved },
    { bucket: bucketOf(one.lot, otherThan(one.place)), units: moved },
  ];
}

function kindOf(one: Take): string {
  return one.do === 'ship' ? 'SHIP' : one.do;
}

function bucketOf(code: string, location: string): string {
  return `${code} ${location}`;
}

function otherThan(one: (typeof places)[number]): string {
  return one === 'A' ? 'B' : 'A';
}

function byBucket(one: { bucket: string; units?: bigint }, other: { bucket: string; units?: bigint }): number {
  return one.bucket < other.bucket
    ? -1
    : one.bucket > other.bucket
      ? 1
      : Number((one.units ?? 0n) - (other.units ?? 0n));
}

describe('the warehouse and a model of it', () => {
  let api: TestApi;
  let second: TestApi;
  const pairs: Pair[] = [];
  const noon = Math.floor(Date.now() / dayMs) * dayMs - dayMs / 2;

  beforeAll(async () => {
    api = await TestApi.start({ config: { RATE_LIMIT_PER_MINUTE: 100_000_000 } }, wms);
    second = await api.as('admin');
    api = (await api.as('admin')).withHeaders({ 'x-reason': 'model' });
    const { id: siteId } = await newSite(api, { timeZone: 'Etc/UTC' });
    const warehouse = { siteId, code: 'MODEL', name: 'Model', kind: 'own', currency: 'GBP' };
    await api.post('/api/wms/warehouses', warehouse, 201);
    for (const code of places) {
      await api.post('/api/wms/locations', { warehouse: 'MODEL', code, type: 'bin', isPickable: true }, 201);
    }
    for (const [category, name, basis, value, params] of [
      ['Carton', 'Carton in', 'per_carton_in', '0.95', {}],
      ['Unit', 'Unit out', 'per_unit', '0.013333', { on: 'SHIP' }],
      ['Shipment', 'Shipment', 'per_shipment', '2.50', {}],
      ['Storage', 'Pallet a week', 'pallet_week', '3.90', {}],
    ] as const) {
      const rate = { warehouse: 'MODEL', category, name, basis, value, currency: 'GBP', params };
      await api.post('/api/wms/rates', { ...rate, effectiveFrom: '2020-01-01' }, 201);
    }
  });
  afterAll(() => api.close());

  it(`agree on balances, the past and every charge, in ${runs} random histories`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(history, { minLength: lanes, maxLength: lanes }), async (histories) => {
        const played = histories.map(async ({ commands, daysBack }) => {
          const pair = await new Pair(api, second, noon).open();
          for (const one of commands) await pair.perform(one);
          await pair.check(daysBack);
          pairs.push(pair);
        });
        await Promise.all(played);
      }),
      {
        numRuns: runs / lanes,
        examples: [[Array.from({ length: lanes }, () => ({ commands: onceRounded, daysBack: 1 }))]],
      },
    );
  }, 600_000);

  it('agree on what every week of storage costs', async () => {
    const [first, last] = [noon - (weeks + 1) * 7 * dayMs, noon].map((at) => new Date(at).toISOString().slice(0, 10));
    await api.post('/api/wms/storage-runs', { warehouse: 'MODEL', from: first, to: last }, 201);
    const rows = await api.rows<{ lot_id: string; day: string; units: string; pence: string | null }>(
      `SELECT lot_id, snapshot_on::text AS day, units::text, round(amount * 100)::text AS pence
       FROM wms.storage_ledger WHERE units > 0`,
    );
    const days = [...new Set(rows.map(({ day }) => day))];
    expect(days.length).toBeGreaterThanOrEqual(weeks);
    const billed = new Map(rows.map((row) => [`${row.lot_id} ${row.day}`, row]));
    let compared = 0;
    for (const { model, lotIds } of pairs) {
      for (const [code, id] of lotIds) {
        for (const day of days) {
          const { units: stored, pence } = model.storage(code, Date.parse(`${day}T00:00:00Z`) + dayMs);
          const line = billed.get(`${id} ${day}`);
          expect([day, line?.units ?? '0', line ? line.pence : '0']).toEqual([
            day,
            stored.toString(),
            pence === null ? null : pence.toString(),
          ]);
          compared += 1;
        }
      }
    }
    expect(compared).toBe(runs * 2 * days.length);
  }, 120_000);
});
