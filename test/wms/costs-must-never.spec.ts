import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WarehouseView } from '@belay/wms';
import { outcome } from '../support/people.js';
import { Costing, STORAGE } from './costing.js';
import { ifMatch } from './master-data.js';
import { path, reverse, withKey } from './postings.js';

/** Each is something that went wrong somewhere, and must never here. */
describe('what warehouses cost must never happen:', () => {
  let costing: Costing;
  beforeAll(async () => {
    // The server's own zone is far from every warehouse's.
    const sql = `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), 'Asia/Tokyo'); END $$`;
    costing = await Costing.open({ sql });
  });
  afterAll(() => costing.close());

  const amounts = async (warehouse: WarehouseView, query = '') =>
    (await costing.storage(warehouse, query)).map(({ snapshotOn, amount }) => `${snapshotOn} ${amount ?? '-'}`);

  describe('storage', () => {
    it('that bills past weeks by what is in stock today', async () => {
      const warehouse = await costing.warehouse();
      await costing.rate(warehouse);
      const goods = await costing.goods();
      await costing.receive(warehouse, goods, 36, '2025-01-02T12:00:00Z');
      await costing.ship(warehouse, goods, 36, '2025-01-14T12:00:00Z');
      await costing.run(warehouse, '2025-01-06', '2025-01-20');
      expect(await amounts(warehouse, 'from=2025-01-06&to=2025-01-20')).toEqual(['2025-01-06 3.90', '2025-01-13 3.90']);
    });

    it('of the beginning of the Monday instead of its end', async () => {
      const warehouse = await costing.warehouse();
      await costing.rate(warehouse);
      await costing.receive(warehouse, await costing.goods(), 1, '2025-01-13T18:00:00Z');
      await costing.run(warehouse, '2025-01-13');
      expect(await amounts(warehouse, 'to=2025-01-13')).toEqual(['2025-01-13 3.90']);
    });

    it('whose days are shifted by summer time or the zone of the server', async () => {
      const warehouse = await costing.warehouse();
      await costing.rate(warehouse);
      await costing.receive(warehouse, await costing.goods(), 1, '2025-07-14T22:59:59Z');
      await costing.receive(warehouse, await costing.goods(), 1, '2025-07-14T23:00:00Z');
      await costing.run(warehouse, '2025-07-14', '2025-07-21');
      expect(await amounts(warehouse, 'from=2025-07-14&to=2025-07-21')).toEqual([
        '2025-07-14 3.90',
        '2025-07-21 3.90',
        '2025-07-21 3.90',
      ]);
    });

    it('in a period that the caller chooses', async () => {
      const { code: warehouse } = await costing.warehouse();
      const body = {
        warehouse,
        from: '2025-01-06',
        to: '2025-01-06',
        periodStart: '2025-01-01',
        periodEnd: '2025-01-31',
      };
      expect(await outcome(costing.finance, 'POST', '/api/wms/storage-runs', body)).toBe('422 invalid-request');
    });

    it('at a rate that is chosen by words in its name', async () => {
      const warehouse = await costing.warehouse();
      await costing.rate(warehouse, { name: 'Rent' });
      await costing.rate(warehouse, {
        category: 'Accessorial',
        name: 'Storage cost per pallet / week (old)',
        basis: 'manual',
        value: '99',
      });
      await costing.receive(warehouse, await costing.goods(), 1, '2025-01-13T12:00:00Z');
      await costing.run(warehouse, '2025-01-13');
      expect((await costing.storage(warehouse, 'to=2025-01-13'))[0]).toMatchObject({
        rateName: 'Rent',
        amount: '3.90',
      });
    });

    it('of which a backdated movement puts only its own week right, or that skips what was reckoned', async () => {
      const warehouse = await costing.warehouse();
      await costing.rate(warehouse);
      const goods = await costing.goods();
      await costing.receive(warehouse, goods, 36, '2025-01-02T12:00:00Z');
      await costing.run(warehouse, '2025-01-06', '2025-01-27');
      await costing.receive(warehouse, goods, 36, '2025-01-08T12:00:00Z');
      // A run of the latest week alone brings all others up to date too.
      await costing.run(warehouse, '2025-01-27');
      expect(await amounts(warehouse, 'to=2025-01-27')).toEqual([
        '2025-01-06 3.90',
        '2025-01-13 7.80',
        '2025-01-20 7.80',
        '2025-01-27 7.80',
      ]);
    });

    it('of a week that is still running', async () => {
      const warehouse = await costing.warehouse();
      await costing.rate(warehouse);
      await costing.receive(warehouse, await costing.goods(), 1, new Date().toISOString());
      const day = (later: number) => new Date(Date.now() + later * 86_400_000).toISOString().slice(0, 10);
      await costing.run(warehouse, day(-1), day(8));
      expect(await amounts(warehouse)).toEqual([]);
    });

    it('of a week that ends on another day than Sunday', async () => {
      const warehouse = await costing.warehouse();
      await costing.rate(warehouse);
      await costing.receive(warehouse, await costing.goods(), 1, '2025-01-02T12:00:00Z');
      await costing.run(warehouse, '2025-01-06');
      const [line] = await costing.storage(warehouse);
      expect(new Date(`${line?.weekEnding ?? ''}T12:00:00Z`).getUTCDay()).toBe(0);
    });

    it('by a warehouse of a kind that its name suggests, or by months of 4.33 weeks', async () => {
      const warehouse = await costing.warehouse({ name: 'Amazon FBA AWD', kind: 'third_party' });
      await costing.rate(warehouse);
      await costing.receive(warehouse, await costing.goods(), 1, '2024-12-20T12:00:00Z');
      await costing.run(warehouse, '2024-12-16', '2025-02-15');
      const month = async (period: string) => (await costing.costs(warehouse, `period=${period}`)).total;
      expect([await month('2024-12-16'), await month('2025-01-16')]).toEqual(['15.60', '15.60']);
    });
  });

  describe('rates', () => {
    it('whose overlap is only looked for at their start', async () => {
      const warehouse = await costing.warehouse();
      await costing.rate(warehouse, { effectiveFrom: '2025-02-01', effectiveTo: '2025-02-28' });
      const body = costing.rateBody(warehouse, { effectiveFrom: '2025-01-01', effectiveTo: '2025-12-31' });
      expect(await outcome(costing.finance, 'POST', '/api/wms/rates', body)).toBe('409 rate-overlap');
    });

    it('whose value changes after it was charged, or that leave with what was charged by them', async () => {
      const warehouse = await costing.warehouse();
      const rate = await costing.rate(warehouse);
      await costing.receive(warehouse, await costing.goods(), 1, '2025-01-02T12:00:00Z');
      await costing.run(warehouse, '2025-01-06');
      const at = `/api/wms/rates/${rate.id}`;
      expect(await outcome(costing.finance, 'PATCH', at, { value: '1' }, ifMatch(1))).toBe('409 rate-frozen');
      expect(await outcome(costing.finance, 'DELETE', at, undefined, ifMatch(1))).toBe('409 rate-frozen');
      expect((await costing.storage(warehouse, 'to=2025-01-06'))[0]).toMatchObject({ rateId: rate.id, amount: '3.90' });
    });

    it('that an estimate takes for valid on every day', async () => {
      const warehouse = await costing.warehouse();
      await costing.rate(warehouse);
      await costing.receive(warehouse, await costing.goods(), 1, '2025-01-02T12:00:00Z');
      await costing.run(warehouse, '2025-01-06', '2025-01-13');
      const other = {
        category: 'Storage',
        name: STORAGE,
        basis: 'pallet_week',
        value: '9',
        effectiveFrom: '2025-01-07',
      };
      const body = { warehouse: warehouse.code, period: '2025-01-06', rates: [other] };
      expect(await costing.finance.post('/api/wms/costs/dry-runs', body, 200)).toMatchObject({
        total: '9.00',
        items: [{ quantity: '1', amount: '9.00', unrated: 1 }],
      });
    });
  });

  describe('money', () => {
    it('that loses a coin, however much there is of it', async () => {
      const warehouse = await costing.warehouse();
      const charge = (quantity: string, rate: string) =>
        outcome(costing.finance, 'POST', '/api/wms/charges', {
          warehouse: warehouse.code,
          name: 'Much',
          quantity,
          rate,
          chargeOn: '2025-01-10',
          reason: 'A test',
        });
      // 0.1 ten times, and more than a double can tell from its neighbour.
      for (let n = 0; n < 10; n += 1) expect(await charge('1', '0.1')).toBe('201');
      expect(await charge('9007', '99999999.999999')).toBe('201');
      expect(await charge('1', '0.01')).toBe('201');
      expect((await costing.costs(warehouse)).total).toBe('900700000001.00');
    });

    it('of one currency reckoned as another', async () => {
      const warehouse = await costing.warehouse({ currency: 'USD' });
      const body = costing.rateBody(warehouse, { currency: 'GBP' });
      expect(await outcome(costing.finance, 'POST', '/api/wms/rates', body)).toBe('409 currency-mismatch');
    });

    it('that is a number in what is asked or answered', async () => {
      const warehouse = await costing.warehouse();
      await costing.rate(warehouse);
      await costing.receive(warehouse, await costing.goods(), 1, '2025-01-02T12:00:00Z');
      await costing.run(warehouse, '2025-01-06');
      for (const at of [
        `rates?warehouse=${warehouse.code}`,
        `charges?warehouse=${warehouse.code}`,
        `storage-ledger?warehouse=${warehouse.code}`,
        `costs?warehouse=${warehouse.code}&period=2025-01-06`,
      ]) {
        const answer = await costing.finance.send('GET', `/api/wms/${at}`);
        expect(answer.body).toMatch(/"(3\.90|7\.80)"/);
        expect(answer.body).not.toMatch(/"(amount|rate|value|total|quantity|pallets)":-?\d/);
      }
    });
  });

  it('a movement that is posted although its charge failed', async () => {
    const warehouse = await costing.warehouse();
    await costing.rate(warehouse, { category: 'Shipment', name: 'In', basis: 'flat', value: '5' });
    const { sku, lot } = await costing.goods();
    await costing.api.rows(
      `CREATE FUNCTION wms.refuse_charge() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN RAISE EXCEPTION 'no'; END $$;
       CREATE TRIGGER refuse BEFORE INSERT ON wms.cost_charge FOR EACH ROW EXECUTE FUNCTION wms.refuse_charge()`,
    );
    try {
      const lines = [
        { sku: sku.code, lot: lot.code, cartons: 1, storageCartonsPerPallet: 36, shippingCartonsPerPallet: 16 },
      ];
      const body = { warehouse: warehouse.code, reference: 'CI-1', lines };
      expect(await outcome(costing.admin, 'POST', `${path}/receive`, body, withKey())).toBe('500 internal-error');
    } finally {
      await costing.api.rows(`DROP FUNCTION wms.refuse_charge() CASCADE`);
    }
    expect(await costing.api.rows(`SELECT FROM wms.movement WHERE warehouse_id = $1`, [warehouse.id])).toEqual([]);
    expect(await costing.api.rows(`SELECT FROM wms.stock_balance WHERE warehouse_id = $1`, [warehouse.id])).toEqual([]);
  });

  it('a charge that is rewritten or deleted', async () => {
    const warehouse = await costing.warehouse();
    await costing.rate(warehouse, { category: 'Shipment', name: 'In', basis: 'flat', value: '5' });
    const { id } = await costing.receive(warehouse, await costing.goods(), 1, '2025-01-02T12:00:00Z');
    for (const sql of [
      `UPDATE wms.cost_charge SET amount = 0`,
      `DELETE FROM wms.cost_charge`,
      `TRUNCATE wms.cost_charge`,
    ]) {
      await expect(costing.api.rows(sql)).rejects.toMatchObject({ code: 'WM001' });
    }
    await reverse(costing.admin, id, { note: 'wrong' });
    expect(await costing.charges(warehouse)).toHaveLength(2);
  });
});
