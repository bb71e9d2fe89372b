import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { directory } from '@belay/directory';
import { listOf } from '@belay/platform';
import { wms, type WarehouseView } from '@belay/wms';
import pg from 'pg';
import { integrityChecks } from '../../libs/wms/src/integrity/integrity.queries.js';
import { chargeView, type ChargeView } from '../../libs/wms/src/charges/charge.contract.js';
import { priceCheck } from '../../libs/wms/src/charges/cost.contract.js';
import { FlagsFile } from '../gate/flags-file.js';
import { eventually } from '../support/eventually.js';
import { newHolder, outcome } from '../support/people.js';
import { Costing, STORAGE } from './costing.js';
import { reverse } from './postings.js';

const DAY = '2025-01-06T09:30:00Z';

describe('the costs of a warehouse', () => {
  let costing: Costing;
  beforeAll(async () => {
    costing = await Costing.working();
  });
  afterAll(() => costing.close());

  describe('in groups', () => {
    let warehouse: WarehouseView;
    beforeAll(async () => {
      warehouse = await costing.warehouse();
      await costing.rate(warehouse);
      await costing.rate(warehouse, { category: 'Carton', name: 'In', basis: 'per_carton_in', value: '0.333' });
      await costing.rate(warehouse, { category: 'Shipment', name: 'Out', basis: 'per_shipment', value: '5' });
      for (const [cartons, at] of [
        [7, '2024-12-30T12:00:00Z'],
        [11, '2025-01-07T12:00:00Z'],
      ] as const) {
        const goods = await costing.goods();
        await costing.receive(warehouse, goods, cartons, at);
        await costing.ship(warehouse, goods, 1, at);
      }
      await costing.run(warehouse, '2024-12-30', '2025-01-13');
    });

    it.each([
      [
        'category',
        [
          { category: 'Carton', amount: '5.99', lines: 2, unrated: 0 },
          { category: 'Shipment', amount: '10.00', lines: 2, unrated: 0 },
          { category: 'Storage', amount: '15.60', lines: 4, unrated: 0 },
        ],
      ],
      [
        'name',
        [
          { category: 'Carton', name: 'In', quantity: '18', amount: '5.99', lines: 2, unrated: 0 },
          { category: 'Shipment', name: 'Out', quantity: '2', amount: '10.00', lines: 2, unrated: 0 },
          { category: 'Storage', name: STORAGE, quantity: '4', amount: '15.60', lines: 4, unrated: 0 },
        ],
      ],
      [
        'week',
        [
          { week: '2024-12-30', amount: '11.23', lines: 3, unrated: 0 },
          { week: '2025-01-06', amount: '12.56', lines: 3, unrated: 0 },
          { week: '2025-01-13', amount: '7.80', lines: 2, unrated: 0 },
        ],
      ],
      [
        'month',
        [
          { month: '2024-12', amount: '11.23', lines: 3, unrated: 0 },
          { month: '2025-01', amount: '20.36', lines: 5, unrated: 0 },
        ],
      ],
    ])('by %s', async (groupBy, items) => {
      expect(await costing.costs(warehouse, `period=2024-12-16&groupBy=${groupBy}`)).toEqual({
        period: { start: '2024-12-16', end: '2025-01-15' },
        currency: 'GBP',
        total: '31.59',
        items,
      });
    });

    it('by SKU come to the same', async () => {
      const { total, items } = await costing.costs(warehouse, 'period=2024-12-16&groupBy=sku');
      expect(total).toBe('31.59');
      expect(items.map(({ amount }) => amount).toSorted()).toEqual(['12.56', '19.03']);
    });

    it('of days instead of a period', async () => {
      const { period, total } = await costing.costs(warehouse, 'from=2025-01-07&to=2025-01-12&groupBy=category');
      expect({ period, total }).toEqual({ period: { start: '2025-01-07', end: '2025-01-12' }, total: '8.66' });
    });

    it.each([
      '',
      'period=2025-01-01&from=2025-01-01&to=2025-01-02',
      'from=2025-01-01',
      'from=2025-01-02&to=2025-01-01',
    ])('are not asked for with "%s"', async (query) => {
      const path = `/api/wms/costs?warehouse=${warehouse.code}&${query}`;
      expect(await outcome(costing.finance, 'GET', path)).toBe('422 invalid-request');
    });

    it('are for who may see them, at sites they have', async () => {
      const elsewhere = await newHolder(costing.api, costing.admin, 'finance', (await costing.warehouse()).siteId);
      const path = `/api/wms/costs?warehouse=${warehouse.code}&period=2025-01-01`;
      expect(await outcome(elsewhere, 'GET', path)).toBe('404 warehouse-not-found');
      expect(await outcome(await costing.api.as('supervisor'), 'GET', path)).toBe('403 permission-missing');
      const charges = await elsewhere.get('/api/wms/charges', 200, listOf(chargeView));
      expect(charges.items).toEqual([]);
    });

    it('at other prices are only reckoned', async () => {
      const before = await costing.charges(warehouse);
      const rates = [
        { category: 'Storage', name: 'Weekly', basis: 'pallet_week', value: '2.60' },
        { category: 'Shipment', name: 'Out', basis: 'per_shipment', value: '4', effectiveTo: '2024-12-31' },
        { category: 'Shipment', name: 'Out', basis: 'per_shipment', value: '6', effectiveFrom: '2025-01-01' },
      ];
      const body = { warehouse: warehouse.code, period: '2025-01-01', rates };
      expect(await costing.finance.post('/api/wms/costs/dry-runs', body, 200, priceCheck)).toEqual({
        period: { start: '2024-12-16', end: '2025-01-15' },
        currency: 'GBP',
        charged: '31.59',
        total: '26.39',
        difference: '-5.20',
        items: [
          {
            category: 'Carton',
            name: 'In',
            quantity: '18',
            charged: '5.99',
            amount: '5.99',
            difference: '0.00',
            unrated: 0,
          },
          {
            category: 'Shipment',
            name: 'Out',
            quantity: '2',
            charged: '10.00',
            amount: '10.00',
            difference: '0.00',
            unrated: 0,
          },
          {
            category: 'Storage',
            name: STORAGE,
            quantity: '0',
            charged: '15.60',
            amount: '0.00',
            difference: '-15.60',
            unrated: 0,
          },
          {
            category: 'Storage',
            name: 'Weekly',
            quantity: '4',
            charged: '0.00',
            amount: '10.40',
            difference: '10.40',
            unrated: 0,
          },
        ],
      });
      expect(await costing.charges(warehouse)).toEqual(before);
    });
  });

  describe('by hand', () => {
    const charge = (warehouse: WarehouseView, details: object = {}, by = costing.finance) =>
      by.post('/api/wms/charges', { warehouse: warehouse.code, ...body, ...details }, 201, chargeView);
    const body = { name: 'Relabelling', quantity: '3', rate: '1.255', chargeOn: '2025-01-10', reason: 'Wrong labels' };

    it('are kept with their reason, rounded once', async () => {
      const warehouse = await costing.warehouse();
      expect(await charge(warehouse)).toMatchObject({
        category: 'Accessorial',
        name: 'Relabelling',
        quantity: '3',
        rate: '1.255',
        amount: '3.77',
        chargeOn: '2025-01-10',
        periodStart: '2024-12-16',
        note: 'Wrong labels',
        state: 'final',
      });
      await charge(warehouse, { quantity: '-3' });
      expect((await costing.costs(warehouse)).total).toBe('0.00');
    });

    it('take the rate by hand of their name', async () => {
      const warehouse = await costing.warehouse();
      const rate = { category: 'Unit', name: 'Relabelling', basis: 'manual', value: '0.50', effectiveTo: '2025-01-10' };
      const { id } = await costing.rate(warehouse, rate);
      const { sku } = await costing.goods();
      const made = await charge(warehouse, { name: 'relabelling', rate: undefined, sku: sku.code });
      expect(made).toMatchObject({ category: 'Unit', name: 'Relabelling', rateId: id, amount: '1.50', sku: sku.code });
    });

    it.each([
      ['a price that nobody knows', { rate: undefined }, '409 rate-missing'],
      ['no reason', { reason: undefined }, '422 invalid-request'],
      ['nothing', { quantity: '0.0' }, '422 invalid-request'],
      ['a price that is negative', { rate: '-1' }, '422 invalid-request'],
      ['a price as a number', { rate: 1.5 }, '422 invalid-request'],
      ['a day to come', { chargeOn: '2999-01-01' }, '422 invalid-request'],
      ['goods that nobody knows', { sku: 'NONE SUCH' }, '422 invalid-request'],
      ['storage', { category: 'Storage' }, '422 invalid-request'],
    ])('are refused with %s', async (_, details, answer) => {
      const { code: warehouse } = await costing.warehouse();
      expect(await outcome(costing.finance, 'POST', '/api/wms/charges', { warehouse, ...body, ...details })).toBe(
        answer,
      );
    });

    it('of a period that is closed are late, in the one that is open', async () => {
      const warehouse = await costing.warehouse();
      await costing.api.rows(`UPDATE wms.warehouse SET closed_through = '2025-01-15' WHERE id = $1`, [warehouse.id]);
      expect(await charge(warehouse)).toMatchObject({
        chargeOn: '2025-01-10',
        periodStart: '2025-01-16',
        periodEnd: '2025-02-15',
        note: 'late:2024-12-16; Wrong labels',
      });
      expect(await charge(warehouse, { chargeOn: '2025-01-16' })).toMatchObject({ note: 'Wrong labels' });
    });

    it('are for who may, at sites they have', async () => {
      const warehouse = await costing.warehouse();
      const elsewhere = await newHolder(costing.api, costing.admin, 'finance', (await costing.warehouse()).siteId);
      const reader = await costing.api.as('wms.cost:read', 'wms.inventory:read');
      const add = (by: typeof reader) =>
        outcome(by, 'POST', '/api/wms/charges', { warehouse: warehouse.code, ...body });
      expect([await add(elsewhere), await add(reader)]).toEqual(['404 warehouse-not-found', '403 permission-missing']);
    });
  });

  describe('that nobody knew', () => {
    it('are settled as soon as there is a rate, by a charge that says which one', async () => {
      const warehouse = await costing.warehouse();
      const rate = { category: 'Shipment', name: 'In', basis: 'flat', value: '5' };
      await costing.rate(warehouse, { ...rate, effectiveTo: '2024-12-31' });
      await costing.receive(warehouse, await costing.goods(), 1, DAY);
      const [open] = await costing.charges(warehouse, 'state=unrated');
      await costing.rate(warehouse, { ...rate, effectiveFrom: '2025-01-01', value: '6' });
      await eventually(async () => {
        expect(await costing.charges(warehouse, 'state=unrated')).toEqual([]);
      }, 20_000);
      const charges = await costing.charges(warehouse);
      expect(charges.map(({ amount, adjustsChargeId }) => [amount, adjustsChargeId])).toEqual([
        [null, null],
        ['6.00', open?.id],
      ]);
      expect(await costing.costs(warehouse)).toMatchObject({
        total: '6.00',
        items: [{ name: 'In', quantity: '1', amount: '6.00', lines: 1, unrated: 0 }],
      });
    });

    it('and turn out to be nothing are closed', async () => {
      const warehouse = await costing.warehouse();
      const rate = { category: 'Carton', name: 'Many', basis: 'over_threshold', value: '1' };
      const over = (threshold: string) => ({ measure: 'cartons', threshold });
      await costing.rate(warehouse, { ...rate, params: over('5'), effectiveTo: '2024-12-31' });
      await costing.receive(warehouse, await costing.goods(), 6, DAY);
      await costing.rate(warehouse, { ...rate, params: over('6'), effectiveFrom: '2025-01-01' });
      await eventually(async () => {
        expect(await costing.costs(warehouse)).toMatchObject({
          total: '0.00',
          items: [{ name: 'Many', quantity: '0', lines: 0, unrated: 0 }],
        });
      }, 20_000);
    });
  });

  it('leave nothing that a check finds wrong', async () => {
    expect(await defects(costing)).toEqual([]);
  });

  it('grow by a rate that is added later, in periods that are open', async () => {
    const warehouse = await costing.warehouse();
    const goods = await costing.goods();
    await costing.receive(warehouse, goods, 2, '2024-12-10T12:00:00Z');
    await costing.receive(warehouse, goods, 3, DAY);
    await costing.api.rows(`UPDATE wms.warehouse SET closed_through = '2024-12-15' WHERE id = $1`, [warehouse.id]);
    await costing.rate(warehouse, { category: 'Carton', name: 'In', basis: 'per_carton_in', value: '0.50' });
    await eventually(async () => {
      expect(await costing.costs(warehouse, 'from=2024-01-01&to=2025-12-31')).toMatchObject({ total: '1.50' });
    }, 20_000);
  });
});

/** What the checks find wrong. */
async function defects(costing: Costing): Promise<unknown[]> {
  const found = [];
  for (const { name, find } of integrityChecks) {
    const pool = new pg.Pool({ connectionString: costing.api.config.DATABASE_URL, max: 1 });
    for (const { violation } of await find(pool, [3])) found.push({ name, violation });
    await pool.end();
  }
  return found;
}

describe('while finance is off', () => {
  let flags: FlagsFile;
  let costing: Costing;
  beforeAll(async () => {
    flags = new FlagsFile([directory, wms], ['enable_wms_module', 'wms_write', 'wms_finance']);
    costing = await Costing.working({ config: { FLAGS_FILE: flags.path } });
  });
  afterAll(async () => {
    await costing.close();
    flags.remove();
  });

  const finance = async (on: boolean) => {
    if (on) flags.on('wms_finance');
    else flags.off('wms_finance');
    await eventually(async () => {
      expect(await outcome(costing.finance, 'GET', '/api/wms/rates')).toBe(on ? '200' : '404 feature-off');
    });
  };
  const priced = (charges: readonly ChargeView[]) =>
    charges.map(({ name, quantity, amount, chargeOn, note }) => [name, quantity, amount, chargeOn, note].join(' '));

  it('movements are posted without charges, and charged once when it is back, as they would have been', async () => {
    const rates = [
      { category: 'Container', name: 'Container', basis: 'per_container', value: '825' },
      { category: 'Carton', name: 'In', basis: 'per_carton_in', value: '0.333' },
      { category: 'Pallet', name: 'Wrap', basis: 'per_pallet_out', value: '13.75' },
      { category: 'Carton', name: 'Loose', basis: 'per_carton_out_loose', value: '0.10' },
      { category: 'Shipment', name: 'Handling', basis: 'min_charge', value: '1', params: { minimum: '15' } },
    ];
    const [charged, uncharged] = [await costing.warehouse(), await costing.warehouse()];
    for (const warehouse of [charged, uncharged]) for (const rate of rates) await costing.rate(warehouse, rate);
    const goods = [
      await costing.goods({ cartonLengthMm: 400, cartonWidthMm: 280, cartonHeightMm: 295 }),
      await costing.goods(),
    ];
    const work = async (warehouse: WarehouseView) => {
      const container = { inboundType: 'CONTAINER_40', containerNumber: 'OOLU7654321' };
      for (const one of goods) await costing.receive(warehouse, one, 40, DAY, container);
      for (const one of goods) {
        await costing.ship(warehouse, one, 17, '2025-01-08T12:00:00Z', { shipMode: 'PALLETS' });
        const line = { palletsReported: 3 };
        await costing.ship(warehouse, one, 17, '2025-01-09T12:00:00Z', { shipMode: 'PALLETS', line });
        await costing.ship(warehouse, one, 2, '2025-01-09T12:00:00Z');
      }
      const [first] = goods;
      if (!first) throw new Error('There are goods');
      const { id } = await costing.ship(warehouse, first, 1, '2025-01-10T12:00:00Z');
      await reverse(costing.admin, id, { effectiveAt: '2025-01-20T12:00:00Z', note: 'never left' });
    };

    await work(charged);
    await finance(false);
    await work(uncharged);
    const { length } = await costing.api.rows(`SELECT FROM wms.cost_charge WHERE warehouse_id = $1`, [uncharged.id]);
    expect(length).toBe(0);

    await finance(true);
    for (let again = 0; again < 2; again += 1) {
      await costing.tick('price-uncharged');
      await eventually(async () => {
        const [one, other] = [
          await costing.costs(charged, 'period=2025-01-06'),
          await costing.costs(uncharged, 'period=2025-01-06'),
        ];
        expect(other.items.length).toBeGreaterThan(0);
        // What was shipped and taken back before anybody charged it was never charged.
        const withoutReversed = ({ items }: typeof one) =>
          items.filter(({ name }) => name !== 'Loose' && name !== 'Handling');
        expect(withoutReversed(other)).toEqual(withoutReversed(one));
      }, 20_000);
    }
    const kept = priced(await costing.charges(uncharged));
    expect(new Set(kept).size).toBeGreaterThan(5);
    const both = [
      await costing.costs(charged, 'from=2025-01-01&to=2025-02-01'),
      await costing.costs(uncharged, 'from=2025-01-01&to=2025-02-01'),
    ];
    expect(both[1]?.total).toBe(both[0]?.total);
  });

  it('what is reversed meanwhile is taken back when it is on again', async () => {
    const warehouse = await costing.warehouse();
    await costing.rate(warehouse, { category: 'Carton', name: 'In', basis: 'per_carton_in', value: '0.50' });
    const { id } = await costing.receive(warehouse, await costing.goods(), 4, DAY);
    await finance(false);
    await reverse(costing.admin, id, { note: 'wrong goods' });
    await finance(true);
    expect((await costing.costs(warehouse, 'from=2025-01-01&to=2099-01-01')).total).toBe('2.00');
    await costing.tick('price-uncharged');
    await eventually(async () => {
      expect((await costing.costs(warehouse, 'from=2025-01-01&to=2099-01-01')).total).toBe('0.00');
    }, 20_000);
    expect(await costing.charges(warehouse)).toHaveLength(2);
    expect(await defects(costing)).toEqual([]);
  });
});
