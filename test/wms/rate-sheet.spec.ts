import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { listOf, problem } from '@belay/platform';
import type { WarehouseView } from '@belay/wms';
import fc from 'fast-check';
import { aliasView, overlaps, rateView, succession, type RateView } from '../../libs/wms/src/rates/rate.contract.js';
import { fresh, newHolder, outcome } from '../support/people.js';
import { Costing } from './costing.js';
import { ifMatch } from './master-data.js';

const rates = '/api/wms/rates';
const aliases = '/api/wms/rate-aliases';

describe('the rates of a warehouse', () => {
  let costing: Costing;
  let warehouse: WarehouseView;

  const flat = (details: object = {}) =>
    costing.rate(warehouse, { category: 'Shipment', name: 'In', basis: 'flat', value: '5', ...details });
  const draft = (details: object = {}) =>
    outcome(
      costing.finance,
      'POST',
      rates,
      costing.rateBody(warehouse, { category: 'Shipment', name: 'In', basis: 'flat', value: '5', ...details }),
    );
  const change = (rate: RateView, details: object, version = rate.rowVersion) =>
    outcome(costing.finance, 'PATCH', `${rates}/${rate.id}`, details, ifMatch(version));
  const read = (id: string) => costing.finance.get(`${rates}/${id}`, 200, rateView);
  const named = (name: string) =>
    costing.finance.get(`${rates}?warehouse=${warehouse.id}&name=${encodeURIComponent(name)}`, 200, listOf(rateView));
  /** Something is charged by the rates on that day. */
  const use = async (at: string) => costing.receive(warehouse, await costing.goods(), 1, at);

  beforeAll(async () => {
    costing = await Costing.open();
  });
  beforeEach(async () => {
    warehouse = await costing.warehouse();
  });
  afterAll(() => costing.close());

  it('are kept as they were given, with days that include both ends', async () => {
    const given = {
      category: 'Accessorial',
      name: 'Extra SKU',
      basis: 'over_threshold',
      value: '10.000001',
      unitLabel: 'SKU',
      params: { measure: 'skus', threshold: '10', on: 'RECEIVE' },
      effectiveFrom: '2025-01-01',
      effectiveTo: '2025-01-31',
      notes: 'as agreed',
    };
    const { id } = await costing.rate(warehouse, given);
    expect(await read(id)).toMatchObject({
      ...given,
      warehouse: warehouse.code,
      lastChargedOn: null,
      supersededBy: null,
    });
    expect(await costing.api.rows(`SELECT valid::text FROM wms.cost_rate WHERE id = $1`, [id])).toEqual([
      { valid: '[2025-01-01,2025-02-01)' },
    ]);
  });

  it.each([
    ['2024-12-01', '2024-12-31', '201'],
    ['2024-12-01', '2025-01-01', '409 rate-overlap'],
    ['2025-01-31', null, '409 rate-overlap'],
    ['2025-02-01', null, '201'],
    ['2025-01-10', '2025-01-10', '409 rate-overlap'],
    ['2024-01-01', null, '409 rate-overlap'],
  ])('of a name are one at a time: beside January one from %s to %s is %s', async (from, to, answer) => {
    const period = { effectiveFrom: '2025-01-01', effectiveTo: '2025-01-31' };
    const { id } = await flat(period);
    expect(await draft({ name: 'IN', effectiveFrom: from, effectiveTo: to })).toBe(answer);
    const question = { warehouse: warehouse.code, name: 'in', basis: 'flat', effectiveFrom: from, effectiveTo: to };
    const asked = await costing.finance.post(`${rates}/check-overlap`, question, 200, overlaps);
    expect(asked.overlaps.map((rate) => rate.id).includes(id)).toBe(answer !== '201');
    const without = await costing.finance.post(`${rates}/check-overlap`, { ...question, except: id }, 200, overlaps);
    expect(without.overlaps.map((rate) => rate.id)).not.toContain(id);
  });

  it('say which other one is valid then', async () => {
    const { id } = await flat({ effectiveFrom: '2025-01-01', effectiveTo: '2025-01-31' });
    const answer = await costing.finance.send(
      'POST',
      rates,
      costing.rateBody(warehouse, {
        category: 'Shipment',
        name: 'In',
        basis: 'flat',
        effectiveFrom: '2025-01-31',
      }),
    );
    expect(problem.parse(answer.json())).toMatchObject({
      code: 'rate-overlap',
      period: { rateId: id, name: 'In', effectiveFrom: '2025-01-01', effectiveTo: '2025-01-31' },
    });
  });

  it('of storage are one at a time, whatever they are called', async () => {
    await costing.rate(warehouse, { name: 'Storage 2025', effectiveTo: '2025-12-31' });
    const other = (effectiveFrom: string) =>
      outcome(costing.finance, 'POST', rates, costing.rateBody(warehouse, { name: 'Storage 2026', effectiveFrom }));
    expect(await other('2025-12-31')).toBe('409 rate-overlap');
    expect(await other('2026-01-01')).toBe('201');
  });

  it('never overlap, however many people write them at once', async () => {
    const periods = fc.array(
      fc
        .tuple(fc.integer({ min: 1, max: 28 }), fc.integer({ min: 0, max: 10 }))
        .map(([day, length]) => [day, Math.min(28, day + length)] as const),
      { minLength: 4, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(periods, async (given) => {
        const name = fresh('rate');
        const day = (number: number) => `2025-03-${String(number).padStart(2, '0')}`;
        const answers = await Promise.all(
          given.map(([from, to]) => draft({ name, effectiveFrom: day(from), effectiveTo: day(to) })),
        );
        expect(answers.filter((answer) => answer !== '201' && answer !== '409 rate-overlap')).toEqual([]);
        const kept = (await named(name)).items;
        expect(kept).toHaveLength(answers.filter((answer) => answer === '201').length);
        for (const [index, rate] of kept.entries()) {
          const before = kept[index - 1];
          expect(before === undefined || (before.effectiveTo ?? '9') < rate.effectiveFrom).toBe(true);
        }
        // Who was refused was refused for a reason: every period that was asked for is covered somewhere.
        for (const [from, to] of given) {
          expect(kept.some((rate) => rate.effectiveFrom <= day(to) && day(from) <= (rate.effectiveTo ?? '9'))).toBe(
            true,
          );
        }
      }),
      { numRuns: 15 },
    );
  });

  it.each([
    ['a value that is negative', { value: '-1' }],
    ['a value with seven decimals', { value: '1.0000001' }],
    ['a value as a number', { value: 5 }],
    ['a value in another notation', { value: '1e3' }],
    ['an end before its beginning', { effectiveFrom: '2025-01-02', effectiveTo: '2025-01-01' }],
    ['a day that is none', { effectiveFrom: '2025-02-29' }],
    ['a basis that is none', { basis: 'per_word' }],
    ['a basis of a later release', { basis: 'pallet_day' }],
    ['a category that is none', { category: 'Shipping' }],
    ['storage by the event', { category: 'Storage' }],
    ['events by the week', { basis: 'pallet_week' }],
    ['a threshold of nothing', { basis: 'over_threshold' }],
    ['a threshold on a flat price', { params: { threshold: '5' } }],
    ['a minimum without an amount', { basis: 'min_charge' }],
    ['tiers the wrong way round', { basis: 'pallet_tier_flat', params: { fromPallets: 9, toPallets: 8 } }],
    ['a field that nobody knows', { colour: 'red' }],
  ])('are refused with %s', async (_, details) => {
    expect(await draft(details)).toBe('422 invalid-request');
  });

  it('are in the currency of the warehouse', async () => {
    expect(await draft({ currency: 'USD' })).toBe('409 currency-mismatch');
  });

  describe('that were charged by', () => {
    it('keep everything but an earlier end, which is not before the last charge', async () => {
      const rate = await flat({ effectiveFrom: '2025-01-01', effectiveTo: '2025-12-31' });
      await use('2025-03-10T12:00:00Z');
      for (const details of [
        { value: '6' },
        { name: 'Other' },
        { category: 'Unit' },
        { basis: 'per_shipment' },
        { params: { on: 'SHIP' } },
        { effectiveFrom: '2025-01-02' },
        { effectiveTo: '2026-01-01' },
        { effectiveTo: null },
        { effectiveTo: '2025-03-09' },
      ]) {
        expect({ details, answer: await change(rate, details) }).toEqual({ details, answer: '409 rate-frozen' });
      }
      expect(await change(rate, { notes: 'as agreed' })).toBe('200');
      expect(await change(await read(rate.id), { effectiveTo: '2025-03-10' })).toBe('200');
      expect(await read(rate.id)).toMatchObject({
        effectiveTo: '2025-03-10',
        lastChargedOn: '2025-03-10',
        value: '5.00',
      });
      const gone = await outcome(costing.finance, 'DELETE', `${rates}/${rate.id}`, undefined, ifMatch(3));
      expect(gone).toBe('409 rate-frozen');
    });

    it('by the week are frozen too', async () => {
      const rate = await costing.rate(warehouse);
      await use('2025-01-02T12:00:00Z');
      await costing.run(warehouse, '2025-01-06');
      expect(await change(rate, { value: '4' })).toBe('409 rate-frozen');
      expect(await read(rate.id)).toMatchObject({ value: '3.90' });
    });

    it('get a new price from a day on', async () => {
      const rate = await flat({ effectiveFrom: '2025-01-01' });
      await use('2025-03-10T12:00:00Z');
      const terms = { value: '6', effectiveFrom: '2025-03-11' };
      const made = await costing.finance.post(`${rates}/${rate.id}/succeed`, terms, 201, succession);
      expect(made.ended).toMatchObject({ id: rate.id, effectiveTo: '2025-03-10', supersededBy: made.successor.id });
      expect(made.successor).toMatchObject({
        name: 'In',
        value: '6.00',
        effectiveFrom: '2025-03-11',
        effectiveTo: null,
      });
    });

    it.each([
      ['2025-03-10', '409 rate-frozen'],
      ['2025-03-11', '201'],
      ['2025-01-01', '422 invalid-request'],
      ['2025-07-01', '201'],
      ['2025-07-02', '422 invalid-request'],
    ])('are succeeded from %s: %s', async (effectiveFrom, answer) => {
      const rate = await flat({ effectiveFrom: '2025-01-01', effectiveTo: '2025-06-30' });
      await use('2025-03-10T12:00:00Z');
      const terms = { value: '6', effectiveFrom, effectiveTo: '2025-12-31' };
      expect(await outcome(costing.finance, 'POST', `${rates}/${rate.id}/succeed`, terms)).toBe(answer);
      // Both or neither.
      const { items } = await named('In');
      expect(items).toHaveLength(answer === '201' ? 2 : 1);
      if (answer !== '201') expect(items[0]).toMatchObject({ effectiveTo: '2025-06-30', supersededBy: null });
    });
  });

  it('that were not may still change, and go', async () => {
    const rate = await flat();
    expect(await change(rate, { value: '6', effectiveTo: '2025-12-31' })).toBe('200');
    expect(await change(rate, { value: '7' })).toBe('412 precondition-failed');
    expect(await change(rate, { effectiveTo: '2023-12-31' }, 2)).toBe('422 invalid-request');
    await flat({ effectiveFrom: '2026-01-01' });
    expect(await change(rate, { effectiveTo: '2026-01-01' }, 2)).toBe('409 rate-overlap');
    expect(await outcome(costing.finance, 'PATCH', `${rates}/${rate.id}`, { value: '7' })).toBe(
      '428 precondition-required',
    );
    expect(await outcome(costing.finance, 'DELETE', `${rates}/${rate.id}`, undefined, ifMatch(2))).toBe('204');
    expect(await outcome(costing.finance, 'GET', `${rates}/${rate.id}`)).toBe('404 rate-not-found');
  });

  it('are listed by name and day, without skipping one', async () => {
    const wanted = [];
    for (const name of ['b', 'A', 'c']) {
      for (const year of ['2025', '2024']) {
        const period = { effectiveFrom: `${year}-01-01`, effectiveTo: `${year}-12-31` };
        wanted.push(`${name.toLowerCase()} ${(await flat({ name, ...period })).effectiveFrom}`);
      }
    }
    const seen: string[] = [];
    let cursor = '';
    do {
      const query = `warehouse=${warehouse.code}&limit=4${cursor}`;
      const { items, next } = await costing.finance.get(`${rates}?${query}`, 200, listOf(rateView));
      seen.push(...items.map((rate) => `${rate.name.toLowerCase()} ${rate.effectiveFrom}`));
      cursor = next === null ? '' : `&cursor=${next}`;
    } while (cursor !== '');
    expect(seen).toEqual(wanted.toSorted());
    const valid = await costing.finance.get(
      `${rates}?warehouse=${warehouse.code}&validOn=2024-12-31&category=Shipment&basis=flat`,
      200,
      listOf(rateView),
    );
    expect(valid.items).toHaveLength(3);
  });

  it('of other sites are not there, and those who only read do not write', async () => {
    const rate = await flat();
    const elsewhere = await newHolder(costing.api, costing.admin, 'finance', (await costing.warehouse()).siteId);
    const nobody = await costing.api.as();
    const reader = await costing.api.as('wms.rate:read');
    expect(await outcome(elsewhere, 'GET', `${rates}/${rate.id}`)).toBe('404 rate-not-found');
    expect(await outcome(elsewhere, 'PATCH', `${rates}/${rate.id}`, { value: '1' }, ifMatch(1))).toBe(
      '404 rate-not-found',
    );
    expect(await outcome(elsewhere, 'POST', rates, costing.rateBody(warehouse))).toBe('404 warehouse-not-found');
    expect((await elsewhere.get(rates, 200, listOf(rateView))).items.map(({ id }) => id)).not.toContain(rate.id);
    expect(await outcome(nobody, 'GET', rates)).toBe('403 permission-missing');
    expect(await outcome(reader, 'GET', `${rates}/${rate.id}`)).toBe('200');
    expect(await outcome(reader, 'POST', rates, costing.rateBody(warehouse))).toBe('403 permission-missing');
    expect(await outcome(costing.finance, 'GET', `${rates}/${randomUUIDv7()}`)).toBe('404 rate-not-found');
  });

  describe('in the words of the operator', () => {
    const body = (details: object = {}) => ({
      warehouse: warehouse.code,
      category: 'Storage',
      alias: 'WEEKLY  storage',
      rateName: 'Storage cost per pallet / week',
      ...details,
    });

    it('are added, changed and forgotten', async () => {
      const alias = await costing.finance.post(aliases, body(), 201, aliasView);
      expect(alias).toMatchObject({ warehouse: warehouse.code, alias: 'WEEKLY  storage', rowVersion: 1 });
      const path = `${aliases}/${alias.id}`;
      expect(await outcome(costing.finance, 'PATCH', path, { rateName: 'Other' }, ifMatch(1))).toBe('200');
      expect(await outcome(costing.finance, 'PATCH', path, { rateName: 'Third' }, ifMatch(1))).toBe(
        '412 precondition-failed',
      );
      const { items } = await costing.finance.get(`${aliases}?warehouse=${warehouse.id}`, 200, listOf(aliasView));
      expect(items).toMatchObject([{ rateName: 'Other', rowVersion: 2 }]);
      expect(await outcome(costing.finance, 'DELETE', path, undefined, ifMatch(2))).toBe('204');
      expect(await outcome(costing.finance, 'DELETE', path, undefined, ifMatch(2))).toBe('404 rate-alias-not-found');
    });

    it('mean one rate each, whatever their case and spaces', async () => {
      const add = (details: object) => outcome(costing.finance, 'POST', aliases, body(details));
      expect(await add({})).toBe('201');
      expect(await add({ alias: 'weekly storage', rateName: 'Other' })).toBe('409 rate-alias-taken');
      expect(await add({ alias: 'weekly storage', category: 'Pallet' })).toBe('201');
      const same = await Promise.all([1, 2, 3, 4].map((n) => add({ alias: 'Both', rateName: `${n}` })));
      expect(same.toSorted()).toEqual(['201', '409 rate-alias-taken', '409 rate-alias-taken', '409 rate-alias-taken']);
    });

    it('are of the sites that somebody has', async () => {
      const { id } = await costing.finance.post(aliases, body(), 201, aliasView);
      const elsewhere = await newHolder(costing.api, costing.admin, 'finance', (await costing.warehouse()).siteId);
      expect(await outcome(elsewhere, 'PATCH', `${aliases}/${id}`, { rateName: 'x' }, ifMatch(1))).toBe(
        '404 rate-alias-not-found',
      );
      expect((await elsewhere.get(aliases, 200, listOf(aliasView))).items.map((alias) => alias.id)).not.toContain(id);
    });
  });
});
