import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { listOf } from '@belay/platform';
import pg from 'pg';
import { lotView, reservationView, skuView, wms, type WarehouseView } from '@belay/wms';
import { fresh, newHolder, newSite, outcome } from '../support/people.js';
import { TestApi } from '../support/test-api.js';
import { ifMatch, newLot, newSku, newWarehouse, putStock } from './master-data.js';

const skus = '/api/wms/skus';
const lots = '/api/wms/lots';
const most = 2_147_483_647;

describe('goods:', () => {
  let api: TestApi;
  let admin: TestApi;
  let warehouse: WarehouseView;
  beforeAll(async () => {
    api = await TestApi.with(wms);
    admin = await api.as('admin');
    warehouse = await newWarehouse(admin);
  });
  afterAll(() => api.close());

  const changeSku = (id: string, version: number, body: object, who = admin) =>
    outcome(who, 'PATCH', `${skus}/${encodeURIComponent(id)}`, body, ifMatch(version));
  const changeLot = (id: string, version: number, body: object, who = admin) =>
    outcome(who, 'PATCH', `${lots}/${id}`, body, ifMatch(version));
  const lotsOf = async (sku: string) =>
    (await admin.get(`${lots}?sku=${encodeURIComponent(sku)}`, 200, listOf(lotView))).items;

  describe('a SKU', () => {
    it('keeps what it is given', async () => {
      const given = {
        code: `CS 008 ${fresh('')}`,
        description: 'Cushion, blue',
        asin: 'B00EXAMPLE',
        gtin: '4006381333931',
        packSize: 6,
        lotTracked: true,
        expiryTracked: false,
        pickStrategy: 'lifo',
        minShelfLifeDays: 0,
        reorderPoint: 0,
        safetyStock: Number.MAX_SAFE_INTEGER,
        unitWeightG: 350,
        unitLengthMm: 400,
        unitWidthMm: 280,
        unitHeightMm: 295,
        defaultUnitsPerCarton: 60,
        defaultCartonLengthMm: 400,
        defaultCartonWidthMm: 280,
        defaultCartonHeightMm: 295,
        defaultCartonWeightG: most,
        material: 'Cotton',
        packagingType: 'Bag',
        notes: 'Keep dry',
      };
      const sku = await admin.post(skus, given, 201, skuView);
      expect(sku).toMatchObject({ ...given, isActive: true, rowVersion: 1 });
      expect(await admin.get(`${skus}/${encodeURIComponent(sku.code.toLowerCase())}`, 200, skuView)).toEqual(sku);
    });

    it.each([
      ['a description of 256 characters', { description: 'x'.repeat(256) }],
      ['nothing in a carton', { defaultUnitsPerCarton: 0 }],
      ['half a piece in a carton', { defaultUnitsPerCarton: 0.5 }],
      ['more in a carton than is counted', { defaultUnitsPerCarton: most + 1 }],
      ['a GTIN of 11 digits', { gtin: '12345678901' }],
      ['a length of nothing', { unitLengthMm: 0 }],
      ['less than nothing to reorder at', { reorderPoint: -1 }],
      ['more to keep than can be counted', { safetyStock: Number.MAX_SAFE_INTEGER + 1 }],
      ['a strategy that nobody knows', { pickStrategy: 'random' }],
      ['expiry but no lots', { expiryTracked: true, lotTracked: false }],
    ])('is refused with %s', async (_, details) => {
      const body = { code: fresh('bad'), description: 'Bad', defaultUnitsPerCarton: 1, ...details };
      expect(await outcome(admin, 'POST', skus, body)).toBe('422 invalid-request');
    });

    it.each([{ description: 'x'.repeat(255) }, { defaultUnitsPerCarton: most }, { gtin: '12345678' }])(
      'is taken with %j',
      async (details) => {
        expect(await newSku(admin, details)).toMatchObject(details);
      },
    );

    it('shares no code, whatever its case', async () => {
      const { code } = await newSku(admin);
      const body = { code: code.toLowerCase(), description: 'Same', defaultUnitsPerCarton: 1 };
      expect(await outcome(admin, 'POST', skus, body)).toBe('409 master-code-taken');
      const other = await newSku(admin);
      expect(await changeSku(other.id, 1, { code: code.toUpperCase() })).toBe('409 master-code-taken');
    });

    it('that expires is picked by expiry, whatever it is told', async () => {
      const sku = await newSku(admin, { expiryTracked: true, pickStrategy: 'lifo' });
      expect(sku.pickStrategy).toBe('fefo');
      const later = await newSku(admin, { pickStrategy: 'fifo' });
      expect(await changeSku(later.id, 1, { expiryTracked: true })).toBe('200');
      expect(await changeSku(later.id, 2, { pickStrategy: 'fifo' })).toBe('200');
      expect((await admin.get(`${skus}/${later.id}`, 200, skuView)).pickStrategy).toBe('fefo');
      expect(await changeSku(later.id, 2, { lotTracked: false })).toBe('422 invalid-request');
    });

    it('without lots has one lot, -, which follows its cartons until it is first received', async () => {
      const sku = await newSku(admin, { lotTracked: false, defaultCartonLengthMm: 400 });
      expect(await lotsOf(sku.code)).toMatchObject([{ code: '-', unitsPerCarton: 60, cartonLengthMm: 400 }]);
      expect(await outcome(admin, 'POST', lots, { sku: sku.code, code: 'A' })).toBe('422 invalid-request');
      expect(await changeSku(sku.id, 1, { defaultUnitsPerCarton: 52 })).toBe('200');
      const [lot] = await lotsOf(sku.code);
      if (!lot) throw new Error('The lot is gone');
      expect([lot.unitsPerCarton, await changeLot(lot.id, lot.rowVersion, { code: 'A' })]).toEqual([
        52,
        '422 invalid-request',
      ]);
      await putStock(api, warehouse, lot, 52);
      expect(await changeSku(sku.id, 2, { defaultUnitsPerCarton: 40 })).toBe('200');
      expect(await lotsOf(sku.code)).toMatchObject([{ unitsPerCarton: 52 }]);
    });

    it('without lots keeps the cartons of a first receipt that is under way', async () => {
      const sku = await newSku(admin, { lotTracked: false });
      const [lot] = await lotsOf(sku.code);
      if (!lot) throw new Error('There is no lot');
      const client = new pg.Client(api.config.DATABASE_URL);
      await client.connect();
      await client.query('BEGIN');
      await putStock({ rows: (sql, values) => client.query(sql, [...values]) }, warehouse, lot, 60);
      const changing = changeSku(sku.id, 1, { defaultUnitsPerCarton: 50 });
      await sleep(200);
      await client.query('COMMIT');
      expect(await changing).toBe('200');
      expect(await lotsOf(sku.code)).toMatchObject([{ unitsPerCarton: 60 }]);
      await client.end();
    });

    it('gains or loses its lots only before there is anything of it', async () => {
      const empty = await newSku(admin);
      expect(await changeSku(empty.id, 1, { lotTracked: false })).toBe('200');
      const [lot] = await lotsOf(empty.code);
      expect(await changeSku(empty.id, 2, { lotTracked: true })).toBe('200');
      expect(await changeSku(empty.id, 3, { lotTracked: false })).toBe('200');
      expect(await lotsOf(empty.code)).toMatchObject([{ id: lot?.id, code: '-' }]);

      const begun = await newSku(admin);
      await newLot(admin, begun);
      expect(await changeSku(begun.id, 1, { lotTracked: false })).toBe('409 lot-tracking-frozen');
      expect(await changeSku(begun.id, 1, { lotTracked: true, description: 'As it is' })).toBe('200');

      if (lot) await putStock(api, warehouse, lot, 1);
      expect(await changeSku(empty.id, 4, { lotTracked: true })).toBe('409 lot-tracking-frozen');
    });

    it('has lots or has none, also when both are asked for at once', async () => {
      for (let round = 0; round < 10; round++) {
        const sku = await newSku(admin);
        const answers = await Promise.all([
          changeSku(sku.id, 1, { lotTracked: false }),
          outcome(admin, 'POST', lots, { sku: sku.code, code: 'A' }),
        ]);
        expect(['200,422 invalid-request', '409 lot-tracking-frozen,201']).toContain(answers.join());
      }
    });

    it('goes out of use once none is left', async () => {
      const sku = await newSku(admin);
      const lot = await newLot(admin, sku);
      await putStock(api, warehouse, lot, 7);
      expect(await changeSku(sku.id, 1, { isActive: false })).toBe('409 still-in-stock');
      await putStock(api, warehouse, lot, -7);
      expect(await changeSku(sku.id, 1, { isActive: false })).toBe('200');
      expect(await outcome(admin, 'POST', lots, { sku: sku.code, code: 'new' })).toBe('409 inactive-master-data');
    });

    it('is found by code, description, ASIN or GTIN, and listed by code', async () => {
      const tag = fresh('find');
      await newSku(admin, { code: `b ${tag}` });
      await newSku(admin, { code: `A ${tag}` });
      await newSku(admin, { code: `c ${fresh('x')}`, description: `About ${tag}` });
      const found = await admin.get(`${skus}?search=${tag}`, 200, listOf(skuView));
      expect(found.items.map(({ code }) => code.slice(0, 1))).toEqual(['A', 'b', 'c']);
      const page = await admin.get(`${skus}?search=${tag}&limit=1`, 200, listOf(skuView));
      const rest = await admin.get(`${skus}?search=${tag}&cursor=${page.next}`, 200, listOf(skuView));
      expect([...page.items, ...rest.items]).toEqual(found.items);
    });

    it('is changed only under its version', async () => {
      const { code } = await newSku(admin);
      expect(await outcome(admin, 'PATCH', `${skus}/${code}`, {})).toBe('428 precondition-required');
      expect(await changeSku(code, 2, {})).toBe('412 precondition-failed');
      expect(await changeSku('no such code', 1, {})).toBe('404 sku-not-found');
    });
  });

  describe('a lot', () => {
    it('is packed as its SKU says, unless it says so itself', async () => {
      const sku = await newSku(admin, { defaultUnitsPerCarton: 52, defaultCartonLengthMm: 400 });
      expect(await newLot(admin, sku)).toMatchObject({ sku: sku.code, unitsPerCarton: 52, cartonLengthMm: 400 });
      const own = {
        unitsPerCarton: 60,
        cartonLengthMm: 525,
        storageCartonsPerPallet: 36,
        shippingCartonsPerPallet: 16,
      };
      expect(await newLot(admin, sku, own)).toMatchObject({ ...own, status: 'available' });
    });

    it('has its cartons fixed with its first posting', async () => {
      const lot = await newLot(admin, await newSku(admin));
      expect(await changeLot(lot.id, 1, { unitsPerCarton: 50 })).toBe('200');
      await putStock(api, warehouse, lot, 10);
      await putStock(api, warehouse, lot, -10);
      expect(await changeLot(lot.id, 2, { unitsPerCarton: 60 })).toBe('409 units-per-carton-frozen');
      expect(await changeLot(lot.id, 2, { unitsPerCarton: 50, cartonLengthMm: 300 })).toBe('200');
    });

    it('shares no code with another of its SKU, whatever its case, and may with that of another', async () => {
      const sku = await newSku(admin);
      const { code } = await newLot(admin, sku);
      const add = (to: string, text: string) => outcome(admin, 'POST', lots, { sku: to, code: text });
      expect(await add(sku.code, code.toLowerCase())).toBe('409 master-code-taken');
      expect(await add((await newSku(admin)).code, code)).toBe('201');
      const other = await newLot(admin, sku);
      expect(await changeLot(other.id, 1, { code })).toBe('409 master-code-taken');
      expect(await add(sku.code, '-')).toBe('422 invalid-request');
      expect(await add(randomUUIDv7(), 'A')).toBe('404 sku-not-found');
    });

    it('is made before it is best, and best before it expires', async () => {
      const sku = await newSku(admin);
      const dates = { manufacturedOn: '2025-01-01', bestBeforeOn: '2025-06-01', expiresOn: '2025-06-01' };
      const lot = await newLot(admin, sku, dates);
      expect(lot).toMatchObject(dates);
      const body = { sku: sku.code, code: 'old', manufacturedOn: '2025-02-29' };
      expect(await outcome(admin, 'POST', lots, body)).toBe('422 invalid-request');
      expect(
        await outcome(admin, 'POST', lots, { ...body, manufacturedOn: '2025-06-02', expiresOn: '2025-06-01' }),
      ).toBe('422 invalid-request');
      expect(await changeLot(lot.id, 1, { expiresOn: '2025-05-31' })).toBe('422 invalid-request');
      expect(await changeLot(lot.id, 1, { expiresOn: null })).toBe('200');
    });

    it('is blocked and freed, and announces it once', async () => {
      const lot = await newLot(admin, await newSku(admin));
      for (const [n, status] of ['hold', 'hold', 'recalled', 'available'].entries()) {
        const version = [1, 2, 2, 3][n] ?? 0;
        expect(await changeLot(lot.id, version, { status })).toBe('200');
      }
      const facts = await api.rows(
        `SELECT body ->> 'from' AS from, body ->> 'to' AS to FROM platform.outbox
         WHERE name = 'wms.lot.status-changed' AND body ->> 'lotId' = $1 ORDER BY id`,
        [lot.id],
      );
      expect(facts).toEqual([
        { from: 'available', to: 'hold' },
        { from: 'hold', to: 'recalled' },
        { from: 'recalled', to: 'available' },
      ]);
      expect(await changeLot(lot.id, 4, { status: 'lost' })).toBe('422 invalid-request');
    });

    it('that is blocked gives back what was promised of it, which is looked for in others', async () => {
      const own = await newWarehouse(admin);
      const sku = await newSku(admin);
      const [first, second] = [await newLot(admin, sku), await newLot(admin, sku)];
      for (const lot of [first, second]) await putStock(api, own, lot, 60);
      const source = { type: 'order', id: fresh('SO'), line: '1' };
      const body = { warehouse: own.code, sku: sku.code, lot: first.code, units: 40, source };
      const keyed = (key: string) => admin.withHeaders({ 'idempotency-key': key });
      const ofLot = await keyed(fresh('key')).post('/api/wms/reservations', body, 201, reservationView);
      const ofAny = await keyed(fresh('key')).post(
        '/api/wms/reservations',
        { warehouse: own.code, sku: sku.code, units: 70, source: { ...source, line: '2' } },
        201,
        reservationView,
      );
      expect(await changeLot(first.id, 1, { status: 'recalled' })).toBe('200');
      const now = (id: string) => admin.get(`/api/wms/reservations/${id}`, 200, reservationView);
      expect(await now(ofLot.id)).toMatchObject({ allocations: [], shortUnits: 40 });
      expect(await now(ofAny.id)).toMatchObject({ allocations: [{ lot: second.code, units: 60 }], shortUnits: 10 });
    });

    it('is found by SKU, status, expiry and code', async () => {
      const sku = await newSku(admin);
      const soon = await newLot(admin, sku, { code: 'b-1', expiresOn: '2025-06-30' });
      const late = await newLot(admin, sku, { code: 'A-1', expiresOn: '2025-07-01', status: 'quarantine' });
      const found = async (query: string) =>
        (await admin.get(`${lots}?sku=${sku.code}&${query}`, 200, listOf(lotView))).items.map(({ id }) => id);
      expect(await found('')).toEqual([late.id, soon.id]);
      expect(await found('expiresBefore=2025-07-01')).toEqual([soon.id]);
      expect(await found('status=quarantine')).toEqual([late.id]);
      expect(await found('search=b-')).toEqual([soon.id]);
      expect(await outcome(admin, 'GET', `${lots}?sku=nothing`)).toBe('404 sku-not-found');
      expect(await outcome(admin, 'GET', `${lots}/${randomUUIDv7()}`)).toBe('404 lot-not-found');
    });
  });

  it('what stands at a site is changed only by who may write there', async () => {
    const [here, there] = [await newWarehouse(admin), await newWarehouse(admin)];
    const local = await newHolder(api, admin, 'supervisor', here.siteId);
    const sku = await newSku(local);
    const lot = await newLot(local, sku);
    await putStock(api, here, lot, 5);
    expect(await changeSku(sku.id, 1, { description: 'Mine' }, local)).toBe('200');
    await putStock(api, there, lot, 5);
    expect(await changeSku(sku.id, 2, { description: 'Mine' }, local)).toBe('403 permission-missing');
    expect(await changeLot(lot.id, 1, { status: 'recalled' }, local)).toBe('403 permission-missing');
    expect(await changeLot(lot.id, 1, { status: 'recalled' })).toBe('200');
    const own = await newLot(local, sku);
    expect(await changeLot(own.id, 1, { status: 'hold' }, local)).toBe('200');
  });

  it('who may only read adds and changes nothing', async () => {
    const viewer = await newHolder(api, admin, 'viewer', (await newSite(admin)).id);
    const sku = await newSku(admin);
    const body = { code: fresh('x'), description: 'X', defaultUnitsPerCarton: 1 };
    expect(await outcome(viewer, 'GET', `${skus}/${sku.id}`)).toBe('200');
    expect(await outcome(viewer, 'POST', skus, body)).toBe('403 permission-missing');
    expect(await changeSku(sku.id, 1, {}, viewer)).toBe('403 permission-missing');
    expect(await outcome(viewer, 'POST', lots, { sku: sku.id, code: 'A' })).toBe('403 permission-missing');
  });
});
