import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WarehouseView } from '@belay/wms';
import { problem } from '@belay/platform';
import { Costing, type Goods } from './costing.js';
import { fresh } from '../support/people.js';
import { path, refused, reverse, withKey } from './postings.js';

const DAY = '2025-01-06T09:30:00Z';

/** The sheet of an operator. */
const fixture = [
  ['Container', "20' container", 'per_container', '650', { inboundType: 'CONTAINER_20' }],
  ['Container', "40' container", 'per_container', '825', { inboundType: 'CONTAINER_40' }],
  ['Container', "40' HQ container", 'per_container', '875', { inboundType: 'CONTAINER_40_HQ' }],
  ['Container', "45' HQ container", 'per_container', '950', { inboundType: 'CONTAINER_45_HQ' }],
  ['Carton', 'LCL', 'per_carton_in', '0.95', { inboundType: 'LCL' }],
  ['Accessorial', 'Extra SKU', 'over_threshold', '10', { measure: 'skus', threshold: '10' }],
  ['Carton', 'Carton over 1200', 'over_threshold', '0.05', { measure: 'cartons', threshold: '1200' }],
  ['Pallet', 'Pallet and wrap', 'per_pallet_out', '13.75', {}],
] as const;

describe('what a movement costs', () => {
  let costing: Costing;
  let number = 0;

  /** A container that no other test has. */
  const container = () => `OOLU${String((number += 1)).padStart(7, '0')}`;
  const withSheet = async (details: object = {}): Promise<WarehouseView> => {
    const warehouse = await costing.warehouse({ ...details });
    for (const [category, name, basis, value, params] of fixture) {
      await costing.rate(warehouse, { category, name, basis, value, params });
    }
    return warehouse;
  };
  const summed = async (warehouse: WarehouseView) =>
    (await costing.costs(warehouse, 'from=2024-01-01&to=2027-01-01')).items.map(({ name, quantity, amount }) => [
      name,
      quantity,
      amount,
    ]);
  const facts = (warehouse: WarehouseView) =>
    costing.api.rows<{ body: { movementId: string } }>(
      `SELECT body FROM platform.outbox WHERE name = 'wms.charge.unrated' AND body ->> 'warehouseId' = $1 ORDER BY id`,
      [warehouse.id],
    );

  beforeAll(async () => {
    costing = await Costing.open();
  });
  afterAll(() => costing.close());

  describe('by the sheet', () => {
    let warehouse: WarehouseView;
    let goods: Goods;
    beforeAll(async () => {
      warehouse = await withSheet();
      goods = await costing.goods();
      await costing.receive(warehouse, goods, 2_000, '2025-01-01T09:00:00Z', { inboundType: 'CONTAINER_20' });
    });

    it.each([
      ['CONTAINER_20', "20' container", '650.00'],
      ['CONTAINER_40', "40' container", '825.00'],
      ['CONTAINER_40_HQ', "40' HQ container", '875.00'],
      ['CONTAINER_45_HQ', "45' HQ container", '950.00'],
    ])('%s: %s at %s', async (inboundType, name, amount) => {
      const details = { inboundType, containerNumber: container() };
      const { charges } = await costing.receive(warehouse, goods, 17, '2025-01-06T09:30:00Z', details);
      expect(charges).toEqual([
        { category: 'Container', name, quantity: '1', rate: amount, amount, currency: 'GBP', state: 'final' },
      ]);
    });

    it('loose cargo by the carton', async () => {
      const { charges } = await costing.receive(warehouse, goods, 18, '2025-01-06T09:30:00Z', { inboundType: 'LCL' });
      expect(charges).toMatchObject([{ name: 'LCL', quantity: '18', rate: '0.95', amount: '17.10' }]);
    });

    it.each([
      [1200, undefined],
      [1201, '0.05'],
      [1300, '5.00'],
    ])('%p cartons: %p for those over 1200', async (cartons, amount) => {
      const { charges } = await costing.receive(warehouse, goods, cartons, '2025-01-06T09:30:00Z');
      expect(charges.map((charge) => charge.amount)).toEqual(amount === undefined ? [] : [amount]);
    });

    it.each([
      [10, []],
      [12, ['20.00']],
    ])('%p SKUs in a receipt: %p', async (skus, amounts) => {
      const all = await Promise.all(Array.from({ length: skus }, () => costing.goods()));
      const lines = all.map(({ sku, lot }) => ({
        sku: sku.code,
        lot: lot.code,
        cartons: 1,
        storageCartonsPerPallet: 36,
        shippingCartonsPerPallet: 16,
      }));
      const { charges } = await costing.receive(warehouse, goods, 1, DAY, { lines });
      expect(charges.map((charge) => charge.amount)).toEqual(amounts);
    });

    it('pallets that leave, wrapped', async () => {
      const { charges } = await costing.ship(warehouse, goods, 17, '2025-01-07T09:30:00Z', { shipMode: 'PALLETS' });
      expect(charges).toMatchObject([{ name: 'Pallet and wrap', quantity: '2', rate: '13.75', amount: '27.50' }]);
    });
  });

  it('is written in the same transaction, split over its lines to the coin', async () => {
    const warehouse = await costing.warehouse();
    await costing.eventRate(warehouse, 'flat', '10', { params: { on: 'RECEIVE' } });
    const three = await Promise.all([1, 2, 3].map(() => costing.goods()));
    const lines = three.map(({ sku, lot }) => ({
      sku: sku.code,
      lot: lot.code,
      cartons: 7,
      storageCartonsPerPallet: 36,
      shippingCartonsPerPallet: 16,
    }));
    const [goods] = three;
    if (!goods) throw new Error('There are goods');
    const { id } = await costing.receive(warehouse, goods, 1, DAY, { lines });
    const charges = await costing.charges(warehouse, `movementId=${id}`);
    expect(
      charges.map(({ amount, quantity, sku, chargeOn, note }) => ({ amount, quantity, sku, chargeOn, note })),
    ).toEqual(
      [
        ['3.34', '0.3334'],
        ['3.33', '0.3333'],
        ['3.33', '0.3333'],
      ].map(([amount, quantity], index) => ({
        amount,
        quantity,
        sku: three[index]?.sku.code,
        chargeOn: '2025-01-06',
        note: 'split by cartons',
      })),
    );
  });

  it('is all rates of a basis, whatever they are called', async () => {
    const warehouse = await costing.warehouse();
    for (const [name, value] of [
      ['Terminal handling', '120'],
      ['Port fee', '35.50'],
      ['Unloading', '300'],
    ]) {
      await costing.rate(warehouse, { category: 'Container', name, basis: 'per_container', value });
    }
    const details = { inboundType: 'CONTAINER_40', containerNumber: container() };
    const { charges } = await costing.receive(warehouse, await costing.goods(), 1, DAY, details);
    expect(charges.map(({ name, amount }) => [name, amount])).toEqual([
      ['Port fee', '35.50'],
      ['Terminal handling', '120.00'],
      ['Unloading', '300.00'],
    ]);
  });

  it('counts a container once, also when two receipts bring it at the same moment, and again when it comes again', async () => {
    const warehouse = await withSheet();
    const [one, other] = [await costing.goods(), await costing.goods()];
    const details = { inboundType: 'CONTAINER_40', containerNumber: container() };
    const bring = async (goods: Goods, at: string) =>
      (await costing.receive(warehouse, goods, 1, at, details)).charges.length;
    const both = await Promise.all([bring(one, '2025-01-06T09:00:00Z'), bring(other, '2025-01-07T09:00:00Z')]);
    expect(both.toSorted()).toEqual([0, 1]);
    expect(await bring(one, '2025-01-20T09:00:00Z')).toBe(0);
    expect(await bring(one, '2025-02-20T09:00:00Z')).toBe(1);
  });

  it('takes the rate of the effective day in the time of the warehouse, both ends included', async () => {
    const warehouse = await costing.warehouse({ timezone: 'America/New_York', currency: 'USD' });
    const price = (value: string, effectiveFrom: string, effectiveTo: string | null) =>
      costing.rate(warehouse, {
        category: 'Shipment',
        name: 'In',
        basis: 'flat',
        currency: 'USD',
        value,
        effectiveFrom,
        effectiveTo,
      });
    await price('5', '2025-01-01', '2025-01-31');
    await price('6', '2025-02-01', null);
    const goods = await costing.goods();
    const amounts = [];
    for (const at of ['2025-01-01T05:00:00Z', '2025-02-01T04:59:59Z', '2025-02-01T05:00:00Z']) {
      amounts.push((await costing.receive(warehouse, goods, 1, at)).charges[0]?.amount);
    }
    expect(amounts).toEqual(['5.00', '5.00', '6.00']);
  });

  it('is never a silent nothing: without a valid rate it is unrated, and somebody is told', async () => {
    const warehouse = await costing.warehouse();
    const rate = { category: 'Shipment', name: 'In', basis: 'flat', value: '5', effectiveTo: '2024-12-31' };
    await costing.rate(warehouse, rate);
    const { id, charges } = await costing.receive(warehouse, await costing.goods(), 1, DAY);
    expect(charges).toEqual([
      { category: 'Shipment', name: 'In', quantity: '1', rate: null, amount: null, currency: 'GBP', state: 'unrated' },
    ]);
    expect(await facts(warehouse)).toEqual([
      {
        body: {
          warehouseId: warehouse.id,
          movementId: id,
          on: '2025-01-06',
          charges: [{ category: 'Shipment', name: 'In' }],
        },
      },
    ]);
    expect((await costing.costs(warehouse)).items).toMatchObject([
      { name: 'In', amount: '0.00', lines: 0, unrated: 1 },
    ]);
  });

  it('keeps the movement from being posted where the warehouse wants that', async () => {
    const warehouse = await costing.warehouse({ blockOnMissingRate: true });
    const rate = { category: 'Shipment', name: 'In', basis: 'flat', value: '5', effectiveTo: '2024-12-31' };
    await costing.rate(warehouse, rate);
    const { sku, lot } = await costing.goods();
    const lines = [
      { sku: sku.code, lot: lot.code, cartons: 1, storageCartonsPerPallet: 36, shippingCartonsPerPallet: 16 },
    ];
    const body = { warehouse: warehouse.code, reference: 'CI-1', effectiveAt: DAY, note: 'late', lines };
    const answer = await costing.admin.send('POST', `${path}/receive`, body, withKey());
    expect(problem.parse(answer.json())).toMatchObject({
      status: 409,
      code: 'rate-missing',
      on: '2025-01-06',
      charges: [{ category: 'Shipment', name: 'In' }],
    });
    expect(await costing.api.rows(`SELECT FROM wms.movement WHERE warehouse_id = $1`, [warehouse.id])).toEqual([]);
    expect(await costing.charges(warehouse)).toEqual([]);
  });

  it('is nothing where there are no rates', async () => {
    const warehouse = await costing.warehouse({ blockOnMissingRate: true });
    const { charges } = await costing.receive(warehouse, await costing.goods(), 1, DAY);
    expect(charges).toEqual([]);
  });

  it('is refused when no tier takes so many pallets', async () => {
    const warehouse = await costing.warehouse();
    const tier = (fromPallets: number, toPallets: number, value: string, per = 'document') =>
      costing.eventRate(warehouse, 'pallet_tier_flat', value, { params: { fromPallets, toPallets, per } });
    await tier(1, 8, '250');
    await tier(9, 12, '30', 'pallet');
    await tier(13, 28, '520');
    const goods = await costing.goods();
    await costing.receive(warehouse, goods, 1_000, DAY);
    const ship = async (pallets: number) => {
      const { charges } = await costing.ship(warehouse, goods, pallets * 16, '2025-01-07T09:00:00Z', {
        shipMode: 'PALLETS',
      });
      return charges[0]?.amount;
    };
    expect([await ship(8), await ship(9), await ship(13)]).toEqual(['250.00', '270.00', '520.00']);
    const { sku, lot } = goods;
    const lines = [{ sku: sku.code, lot: lot.code, location: 'DEFAULT', cartons: 29 * 16 }];
    const body = { warehouse: warehouse.code, reference: fresh('SO'), shipMode: 'PALLETS', lines };
    expect(await refused(costing.admin, 'ship', body)).toBe('422 invalid-request #/lines');
  });

  it('is at least the minimum', async () => {
    const warehouse = await costing.warehouse();
    await costing.eventRate(warehouse, 'min_charge', '1.00', { params: { minimum: '15' } });
    const goods = await costing.goods();
    await costing.receive(warehouse, goods, 100, DAY);
    const handling = async (cartons: number) =>
      (await costing.ship(warehouse, goods, cartons, '2025-01-07T09:00:00Z')).charges[0]?.amount;
    expect([await handling(14), await handling(15), await handling(16)]).toEqual(['15.00', '15.00', '16.00']);
  });

  it('is taken back by a reversal, in the period of the reversal', async () => {
    const warehouse = await withSheet();
    const details = { inboundType: 'CONTAINER_40', containerNumber: container() };
    const { id } = await costing.receive(warehouse, await costing.goods(), 1, DAY, details);
    const { charges } = await reverse(costing.admin, id, { effectiveAt: '2025-01-20T12:00:00Z', note: 'wrong goods' });
    expect(charges).toMatchObject([{ name: "40' container", quantity: '-1', rate: '825.00', amount: '-825.00' }]);
    expect((await costing.costs(warehouse, 'period=2025-01-06')).total).toBe('825.00');
    expect((await costing.costs(warehouse, 'period=2025-01-20')).total).toBe('-825.00');
    const [first, second] = await costing.charges(warehouse);
    expect(second?.adjustsChargeId).toBe(first?.id);
    expect(await summed(warehouse)).toEqual([["40' container", '0', '0.00']]);
  });

  it('that nobody knew is closed with nothing by a reversal', async () => {
    const warehouse = await costing.warehouse();
    const rate = { category: 'Shipment', name: 'In', basis: 'flat', value: '5', effectiveTo: '2024-12-31' };
    await costing.rate(warehouse, rate);
    const { id } = await costing.receive(warehouse, await costing.goods(), 1, DAY);
    const { charges } = await reverse(costing.admin, id, { note: 'wrong goods' });
    expect(charges).toMatchObject([{ name: 'In', quantity: '0', amount: '0.00', state: 'final' }]);
    expect(await costing.charges(warehouse, 'state=unrated')).toEqual([]);
  });

  it('follows a rate that is changed while goods are being received', async () => {
    const warehouse = await costing.warehouse();
    const goods = await costing.goods();
    await costing.receive(warehouse, goods, 1, '2025-01-05T09:00:00Z');
    const rate = await costing.rate(warehouse, { category: 'Shipment', name: 'In', basis: 'flat', value: '5' });
    const change = costing.finance
      .withHeaders({ 'if-match': `"${rate.rowVersion}"` })
      .send('PATCH', `/api/wms/rates/${rate.id}`, { value: '6' });
    const receipts = Array.from({ length: 8 }, () => costing.receive(warehouse, goods, 1, DAY));
    const [changed] = await Promise.all([change, ...receipts]);
    const charges = await costing.charges(warehouse);
    const [present] = await costing.api.rows<{ value: string }>(`SELECT value::text FROM wms.cost_rate WHERE id = $1`, [
      rate.id,
    ]);
    // A price that was charged never changes: either the change was first, or it was refused.
    expect(changed.statusCode === 200 ? '6.000000' : '5.000000').toBe(present?.value);
    expect(new Set(charges.map((charge) => charge.amount))).toEqual(
      new Set([changed.statusCode === 200 ? '6.00' : '5.00']),
    );
    expect(charges).toHaveLength(8);
  });
});
