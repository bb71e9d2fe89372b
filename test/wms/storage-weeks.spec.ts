import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { storageRunView } from '../../libs/wms/src/storage/storage.contract.js';
import { eventually } from '../support/eventually.js';
import { newHolder, outcome } from '../support/people.js';
import { Costing, STORAGE } from './costing.js';

describe('storage by the week, from goods to costs', () => {
  let costing: Costing;
  beforeAll(async () => {
    costing = await Costing.working();
  });
  afterAll(() => costing.close());

  /** Goods that came before the week, with cartons and how many of them are stored on a pallet. */
  const golden = [
    [17, 36, '1', '3.90'],
    [140, 14, '10', '39.00'],
    [46, 36, '2', '7.80'],
    [1, 36, '1', '3.90'],
  ] as const;

  it('costs what the golden rows say, by the job alone', async () => {
    const warehouse = await costing.warehouse();
    for (const [cartons, perPallet] of golden) {
      const line = { storageCartonsPerPallet: perPallet };
      await costing.receive(warehouse, await costing.goods(), cartons, '2025-01-10T09:30:00Z', { line });
    }
    await costing.rate(warehouse);
    await costing.tick('settle-storage-weeks');
    await eventually(async () => {
      expect((await costing.storage(warehouse, 'from=2025-01-13&to=2025-01-13')).length).toBe(4);
      expect(await costing.api.rows(`SELECT FROM wms.storage_dirty WHERE warehouse_id = $1`, [warehouse.id])).toEqual(
        [],
      );
    }, 20_000);

    const lines = await costing.storage(warehouse, 'period=2024-12-16');
    expect(new Set(lines.map((line) => [line.snapshotOn, line.cartons, line.pallets, line.amount].join(' ')))).toEqual(
      new Set(golden.map(([cartons, , pallets, amount]) => ['2025-01-13', cartons, pallets, amount].join(' '))),
    );
    expect(lines.find(({ cartons }) => cartons === 17)).toMatchObject({
      units: 1020,
      unitsPerCarton: 60,
      cartons: 17,
      cartonsPerPallet: 36,
      cartonsPerPalletFrom: 'lot',
      rate: '3.90',
      rateName: STORAGE,
      weekEnding: '2025-01-19',
      periodStart: '2024-12-16',
      periodEnd: '2025-01-15',
      state: 'final',
      explanation:
        '1020 units at the end of 2025-01-13, 60 to a carton: 17 cartons; 36 to a pallet, as the lot was received: ' +
        `1 pallets; at 3.90 GBP (${STORAGE}): 3.90 GBP.`,
    });
    expect(await costing.costs(warehouse, 'period=2024-12-16&groupBy=name')).toEqual({
      period: { start: '2024-12-16', end: '2025-01-15' },
      currency: 'GBP',
      total: '54.60',
      items: [{ category: 'Storage', name: STORAGE, quantity: '14', amount: '54.60', lines: 4, unrated: 0 }],
    });
  });

  it.each([
    ['2025-01-13T23:59:59.5Z', '2025-01-13', true],
    ['2025-01-14T00:00:00Z', '2025-01-13', false],
    ['2025-03-31T22:59:59.999Z', '2025-03-31', true],
    ['2025-03-31T23:00:00Z', '2025-03-31', false],
    ['2025-10-27T23:59:59.999Z', '2025-10-27', true],
    ['2025-10-28T00:00:00Z', '2025-10-27', false],
    ['2024-02-29T12:00:00Z', '2024-03-04', true],
  ])('counts what is received at %s to Monday %s: %p', async (at, monday, counted) => {
    const warehouse = await costing.warehouse();
    await costing.rate(warehouse);
    await costing.receive(warehouse, await costing.goods(), 1, at);
    await costing.run(warehouse, monday);
    expect((await costing.storage(warehouse, `from=${monday}&to=${monday}`)).length).toBe(counted ? 1 : 0);
  });

  it.each([
    ['2025-01-06', '2024-12-16', '2025-01-15'],
    ['2025-01-13', '2024-12-16', '2025-01-15'],
    ['2025-01-20', '2025-01-16', '2025-02-15'],
    ['2024-02-26', '2024-02-16', '2024-03-15'],
  ])('bills Monday %s in the period from %s to %s', async (monday, start, end) => {
    const warehouse = await costing.warehouse();
    await costing.rate(warehouse, { value: '2.60' });
    await costing.receive(warehouse, await costing.goods(), 1, '2024-01-02T12:00:00Z');
    await costing.run(warehouse, monday);
    const [line] = await costing.storage(warehouse, `from=${monday}&to=${monday}`);
    expect(line).toMatchObject({ periodStart: start, periodEnd: end, amount: '2.60' });
    const { period } = await costing.costs(warehouse, `period=${monday}`);
    expect(period).toEqual({ start, end });
  });

  it('takes the rate of its Monday, its last day included', async () => {
    const warehouse = await costing.warehouse();
    await costing.rate(warehouse, { value: '2.60', effectiveTo: '2025-01-13' });
    await costing.rate(warehouse, { value: '9.00', effectiveFrom: '2025-01-14' });
    await costing.receive(warehouse, await costing.goods(), 1, '2025-01-02T12:00:00Z');
    await costing.run(warehouse, '2025-01-13', '2025-01-20');
    const lines = await costing.storage(warehouse, 'from=2025-01-13&to=2025-01-20');
    expect(lines.map(({ amount }) => amount)).toEqual(['2.60', '9.00']);
  });

  it('puts every week since right when goods are received late', async () => {
    const warehouse = await costing.warehouse();
    await costing.rate(warehouse);
    const goods = await costing.goods();
    await costing.receive(warehouse, goods, 36, '2025-01-02T12:00:00Z');
    await costing.run(warehouse, '2025-01-06', '2025-01-20');
    await costing.receive(warehouse, goods, 36, '2025-01-08T12:00:00Z');
    await costing.settle(warehouse);
    await eventually(async () => {
      const lines = await costing.storage(warehouse, 'from=2025-01-06&to=2025-01-20');
      expect(lines.map(({ amount }) => amount)).toEqual(['3.90', '7.80', '7.80']);
    }, 20_000);
    const { items, total } = await costing.costs(warehouse, 'from=2025-01-06&to=2025-01-20&groupBy=week');
    expect(total).toBe('19.50');
    expect(items).toEqual([
      { week: '2025-01-06', amount: '3.90', lines: 1, unrated: 0 },
      { week: '2025-01-13', amount: '7.80', lines: 1, unrated: 0 },
      { week: '2025-01-20', amount: '7.80', lines: 1, unrated: 0 },
    ]);
  });

  it('waits for its price, says so once, and is priced as soon as there is one', async () => {
    const warehouse = await costing.warehouse();
    await costing.receive(warehouse, await costing.goods(), 1, '2025-01-02T12:00:00Z');
    await costing.run(warehouse, '2025-01-06');
    expect(await costing.costs(warehouse)).toMatchObject({
      total: '0.00',
      items: [{ category: 'Storage', amount: '0.00', lines: 0, unrated: 1 }],
    });
    const facts = () =>
      costing.api.rows(
        `SELECT body ->> 'on' AS on FROM platform.outbox WHERE name = 'wms.charge.unrated' AND body ->> 'warehouseId' = $1
         ORDER BY 1 LIMIT 2`,
        [warehouse.id],
      );
    const before = await facts();
    expect(before).toEqual([{ on: '2025-01-06' }]);
    await costing.rate(warehouse);
    await eventually(async () => {
      expect(await costing.costs(warehouse)).toMatchObject({ total: '7.80', items: [{ lines: 2, unrated: 0 }] });
    }, 20_000);
    expect(await facts()).toEqual(before);
  });

  it('is listed without an amount while nobody knows how goods are stacked', async () => {
    const warehouse = await costing.warehouse();
    await costing.rate(warehouse);
    const goods = await costing.goods();
    await costing.receive(warehouse, goods, 1, '2025-01-02T12:00:00Z');
    await costing.api.rows(`DELETE FROM wms.lot_stock WHERE lot_id = $1`, [goods.lot.id]);
    await costing.run(warehouse, '2025-01-06');
    expect((await costing.storage(warehouse, 'to=2025-01-06'))[0]).toMatchObject({
      state: 'unconfigured',
      amount: null,
      explanation:
        '60 units at the end of 2025-01-06, 60 to a carton: 1 cartons. Nobody said how many cartons are stored on a pallet.',
    });
  });
});

describe('storage run by hand', () => {
  // The worker of the others runs it every hour, perhaps just before somebody does it by hand.
  let costing: Costing;
  beforeAll(async () => {
    costing = await Costing.open();
  });
  afterAll(() => costing.close());

  it('says what it came to, and again that nothing changed', async () => {
    const warehouse = await costing.warehouse();
    await costing.rate(warehouse);
    await costing.receive(warehouse, await costing.goods(), 37, '2025-01-02T12:00:00Z');
    const first = storageRunView.parse(await costing.run(warehouse, '2025-01-01', '2025-01-13'));
    expect(first.days).toEqual(
      ['2025-01-06', '2025-01-13'].map((snapshotOn) => ({
        snapshotOn,
        lines: 1,
        changed: 1,
        unrated: 0,
        unconfigured: 0,
        charges: 1,
        amountBefore: '0.00',
        amount: '7.80',
      })),
    );
    const again = storageRunView.parse(await costing.run(warehouse, '2025-01-01', '2025-01-13'));
    expect(again.days).toMatchObject([
      { changed: 0, charges: 0, amountBefore: '7.80', amount: '7.80' },
      { changed: 0, charges: 0, amountBefore: '7.80', amount: '7.80' },
    ]);
  });

  it('leaves nothing behind when it is dry', async () => {
    const warehouse = await costing.warehouse();
    await costing.rate(warehouse);
    await costing.receive(warehouse, await costing.goods(), 1, '2025-01-02T12:00:00Z');
    const dry = storageRunView.parse(await costing.run(warehouse, '2025-01-06', '2025-01-06', { dryRun: true }));
    expect(dry).toMatchObject({
      dryRun: true,
      days: [{ lines: 1, changed: 1, charges: 1, amount: '3.90' }],
      lines: [{ amount: '3.90' }],
      furtherLines: 0,
    });
    expect(await costing.storage(warehouse)).toEqual([]);
    expect(await costing.charges(warehouse)).toEqual([]);
  });

  it('leaves out weeks that are not over', async () => {
    const warehouse = await costing.warehouse();
    await costing.receive(warehouse, await costing.goods(), 1, new Date().toISOString());
    const today = new Date().toISOString().slice(0, 10);
    const later = new Date(Date.now() + 14 * 86_400_000).toISOString().slice(0, 10);
    expect(await costing.run(warehouse, today, later)).toMatchObject({ days: [], lines: [] });
  });

  it.each([
    ['2025-01-02', '2025-01-01', '422 invalid-request'],
    ['2024-01-01', '2025-01-01', '201'],
    ['2024-01-01', '2025-01-02', '422 invalid-request'],
  ])('from %s to %s: %s', async (from, to, answer) => {
    const { code: warehouse } = await costing.warehouse();
    expect(await outcome(costing.finance, 'POST', '/api/wms/storage-runs', { warehouse, from, to })).toBe(answer);
  });

  it('is for who may, at sites they have', async () => {
    const [here, there] = [await costing.warehouse(), await costing.warehouse()];
    const local = await newHolder(costing.api, costing.admin, 'finance', here.siteId);
    const viewer = await costing.api.as('viewer');
    const run = (by: typeof viewer, warehouse: string) =>
      outcome(by, 'POST', '/api/wms/storage-runs', { warehouse, from: '2025-01-06', to: '2025-01-06' });
    expect(await run(local, here.code)).toBe('201');
    expect(await run(local, there.code)).toBe('404 warehouse-not-found');
    expect(await run(viewer, here.code)).toBe('403 permission-missing');
    expect(await outcome(local, 'GET', `/api/wms/storage-ledger?warehouse=${there.code}`)).toBe(
      '404 warehouse-not-found',
    );
  });
});
