import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { listOf } from '@belay/platform';
import { lotStockView, palletSpecView, wms, type LotView, type SkuView, type WarehouseView } from '@belay/wms';
import { newHolder, outcome } from '../support/people.js';
import { TestApi } from '../support/test-api.js';
import { dirtyFrom, ifMatch, newLot, newSku, newWarehouse, putStock, settle } from './master-data.js';

const specs = '/api/wms/pallet-specs';
const lotStock = '/api/wms/lot-stock';

describe('stacking:', () => {
  let api: TestApi;
  let admin: TestApi;
  let warehouse: WarehouseView;
  beforeAll(async () => {
    api = await TestApi.with(wms);
    admin = await api.as('admin');
    warehouse = await newWarehouse(admin);
  });
  afterAll(() => api.close());

  describe('a pallet specification', () => {
    let sku: SkuView;
    beforeAll(async () => {
      sku = await newSku(admin);
    });

    const body = (from: string, to: string | null, details: object = {}) => ({
      warehouse: warehouse.code,
      sku: sku.code,
      storageCartonsPerPallet: 36,
      shippingCartonsPerPallet: 16,
      effectiveFrom: from,
      effectiveTo: to,
      ...details,
    });
    const add = (from: string, to: string | null, details: object = {}) =>
      outcome(admin, 'POST', specs, body(from, to, details));
    const change = (id: string, version: number, details: object, who = admin) =>
      outcome(who, 'PATCH', `${specs}/${id}`, details, ifMatch(version));

    it('is valid from a day to a day, both included', async () => {
      const spec = await admin.post(specs, body('2024-01-01', '2024-12-31'), 201, palletSpecView);
      expect(spec).toMatchObject({ effectiveFrom: '2024-01-01', effectiveTo: '2024-12-31', sku: sku.code });
      expect(await admin.get(`${specs}/${spec.id}`, 200, palletSpecView)).toEqual(spec);
      const on = async (day: string) =>
        (await admin.get(`${specs}?sku=${sku.id}&on=${day}`, 200, listOf(palletSpecView))).items.length;
      expect([await on('2023-12-31'), await on('2024-01-01'), await on('2024-12-31'), await on('2025-01-01')]).toEqual([
        0, 1, 1, 0,
      ]);
    });

    it('does not overlap another, by no day, and touches it', async () => {
      const answer = await admin.send('POST', specs, body('2024-12-31', null));
      expect(answer.json()).toMatchObject({
        status: 409,
        code: 'pallet-spec-overlap',
        period: { effectiveFrom: '2024-01-01', effectiveTo: '2024-12-31' },
      });
      expect(await add('2023-01-01', '2024-01-01')).toBe('409 pallet-spec-overlap');
      expect(await add('2025-01-01', null)).toBe('201');
      expect(await add('2023-01-01', '2023-12-31')).toBe('201');
      expect(await add('2030-01-01', '2030-01-01')).toBe('409 pallet-spec-overlap');
      expect(await add('2030-01-01', null, { sku: (await newSku(admin)).code })).toBe('201');
    });

    it('does not overlap another that is added at the same time', async () => {
      const own = (await newSku(admin)).code;
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, n) => add(`2025-01-0${n + 1}`, '2025-02-01', { sku: own })),
      );
      expect(answers.filter((answer) => answer === '201')).toHaveLength(1);
      expect(new Set(answers)).toEqual(new Set(['201', '409 pallet-spec-overlap']));
    });

    it.each([
      ['no cartons on a pallet', { storageCartonsPerPallet: 0 }],
      ['a part of a carton on a pallet', { shippingCartonsPerPallet: 1.5 }],
      ['an end before its begin', { effectiveTo: '2039-12-31' }],
      ['a day that is none', { effectiveTo: '2041-02-29' }],
    ])('is refused with %s', async (_, details) => {
      expect(await add('2040-01-01', null, details)).toBe('422 invalid-request');
    });

    it('is ended, and changed under its version', async () => {
      const own = await newSku(admin);
      const spec = await admin.post(specs, body('2025-01-01', null, { sku: own.id }), 201, palletSpecView);
      expect(await change(spec.id, 1, { effectiveTo: '2024-12-31' })).toBe('422 invalid-request');
      expect(await change(spec.id, 1, { effectiveTo: '2025-06-30', maxStackHeightMm: 1800 })).toBe('200');
      expect(await change(spec.id, 1, { notes: 'late' })).toBe('412 precondition-failed');
      expect(await add('2025-07-01', null, { sku: own.code })).toBe('201');
      expect(await change(spec.id, 2, { effectiveTo: null })).toBe('409 pallet-spec-overlap');
    });

    it('has the storage of what it is about worked out anew, from its first day, and never what is closed', async () => {
      const own = await newWarehouse(admin);
      const [about, not] = [await newLot(admin, await newSku(admin)), await newLot(admin, await newSku(admin))];
      for (const lot of [about, not]) await putStock(api, own, lot, 5, { at: '2025-01-06T09:30:00Z' });
      await settle(api, own);
      const draft = body('2025-03-01', null, { warehouse: own.code, sku: about.sku });
      const spec = await admin.post(specs, draft, 201, palletSpecView);
      expect(await dirtyFrom(api, own)).toEqual({ [about.id]: '2025-03-01' });

      await settle(api, own);
      expect(await change(spec.id, 1, { effectiveFrom: '2025-04-01' })).toBe('200');
      expect(await dirtyFrom(api, own)).toEqual({ [about.id]: '2025-03-01' });

      await settle(api, own);
      await api.rows(`UPDATE wms.warehouse SET closed_through = '2025-05-15' WHERE id = $1`, [own.id]);
      expect(await change(spec.id, 2, { storageCartonsPerPallet: 30 })).toBe('200');
      expect(await dirtyFrom(api, own)).toEqual({ [about.id]: '2025-05-16' });
    });

    it('of other sites is neither seen nor changed', async () => {
      const [here, there] = [await newWarehouse(admin), await newWarehouse(admin)];
      const at = (one: WarehouseView) => body('2025-01-01', null, { warehouse: one.code });
      const mine = await admin.post(specs, at(here), 201, palletSpecView);
      const theirs = await admin.post(specs, at(there), 201, palletSpecView);
      const local = await newHolder(api, admin, 'supervisor', here.siteId);
      const { items } = await local.get(specs, 200, listOf(palletSpecView));
      expect(items).toEqual([mine]);
      expect(await outcome(local, 'GET', `${specs}/${theirs.id}`)).toBe('404 pallet-spec-not-found');
      expect(await change(theirs.id, 1, { notes: 'mine' }, local)).toBe('404 pallet-spec-not-found');
      expect(await outcome(local, 'POST', specs, at(there))).toBe('404 warehouse-not-found');
      expect(await outcome(local, 'GET', `${specs}?warehouse=${there.code}`)).toBe('404 warehouse-not-found');
      const viewer = await newHolder(api, admin, 'viewer', here.siteId);
      expect(await change(mine.id, 1, { notes: 'mine' }, viewer)).toBe('403 permission-missing');
    });
  });

  describe('a lot in a warehouse', () => {
    let lot: LotView;

    /** As its first receipt in the warehouse leaves it. */
    const received = async (one: LotView, where: WarehouseView) => {
      await putStock(api, where, one, 600, { at: '2025-01-06T09:30:00Z' });
      await api.rows(
        `INSERT INTO wms.lot_stock (warehouse_id, lot_id, storage_cartons_per_pallet, shipping_cartons_per_pallet, first_received_at, created_by)
         VALUES ($1, $2, 36, 16, '2025-01-06T09:30:00Z', $1)`,
        [where.id, one.id],
      );
      await settle(api, where);
    };
    const path = (one: LotView, where = warehouse) => `${lotStock}/${encodeURIComponent(where.code)}/${one.id}`;
    const change = (one: LotView, version: number, body: object, where = warehouse, who = admin) =>
      outcome(who, 'PATCH', path(one, where), body, ifMatch(version));
    /** What a Monday's storage is worked out by. */
    const onMonday = async (one: LotView, monday: string) => {
      const [row] = await api.rows<{ cpp: number }>(
        `SELECT storage_cartons_per_pallet AS cpp FROM wms.lot_stock
         WHERE warehouse_id = $1 AND lot_id = $2 AND valid_from <= $3 ORDER BY valid_from DESC LIMIT 1`,
        [warehouse.id, one.id, monday],
      );
      return row?.cpp;
    };

    beforeAll(async () => {
      lot = await newLot(admin, await newSku(admin));
      await received(lot, warehouse);
    });

    it('is stacked otherwise from a day on; Mondays before it keep what was', async () => {
      expect(await admin.get(path(lot), 200, lotStockView)).toMatchObject({
        sku: lot.sku,
        lot: lot.code,
        stacking: [{ validFrom: null, storageCartonsPerPallet: 36, shippingCartonsPerPallet: 16 }],
        rowVersion: 1,
      });
      expect(await change(lot, 1, { validFrom: '2025-02-04', storageCartonsPerPallet: 30 })).toBe('200');
      expect([await onMonday(lot, '2025-02-03'), await onMonday(lot, '2025-02-10')]).toEqual([36, 30]);
      expect(await dirtyFrom(api, warehouse)).toEqual({ [lot.id]: '2025-02-04' });
      const answer = await admin.send('GET', path(lot));
      expect(answer.headers.etag).toBe('"2"');
      expect(answer.json()).toMatchObject({
        stacking: [
          { validFrom: null, storageCartonsPerPallet: 36 },
          { validFrom: '2025-02-04', storageCartonsPerPallet: 30, shippingCartonsPerPallet: 16 },
        ],
      });
    });

    it('is corrected for the same day, and between two days', async () => {
      expect(await change(lot, 2, { validFrom: '2025-02-04', shippingCartonsPerPallet: 12 })).toBe('200');
      expect(await change(lot, 3, { validFrom: '2025-01-20', storageCartonsPerPallet: 20 })).toBe('200');
      expect([
        await onMonday(lot, '2025-01-13'),
        await onMonday(lot, '2025-01-20'),
        await onMonday(lot, '2025-02-10'),
      ]).toEqual([36, 20, 30]);
    });

    it('is changed only by whoever has read its last version', async () => {
      const body = { validFrom: '2025-03-01', storageCartonsPerPallet: 10 };
      expect(await outcome(admin, 'PATCH', path(lot), body)).toBe('428 precondition-required');
      expect(await change(lot, 1, body)).toBe('412 precondition-failed');
      const answers = await Promise.all([change(lot, 4, body), change(lot, 4, { ...body, validFrom: '2025-04-01' })]);
      expect(answers.sort()).toEqual(['200', '412 precondition-failed']);
    });

    it('is not changed for a day that is closed', async () => {
      const own = await newWarehouse(admin);
      const here = await newLot(admin, await newSku(admin));
      await received(here, own);
      await api.rows(`UPDATE wms.warehouse SET closed_through = '2025-01-15' WHERE id = $1`, [own.id]);
      const from = (validFrom: string) => change(here, 1, { validFrom, storageCartonsPerPallet: 1 }, own);
      expect(await from('2025-01-15')).toBe('409 period-closed');
      expect(await from('2025-01-16')).toBe('200');
    });

    it.each([
      ['nothing', { validFrom: '2025-06-01' }],
      ['no day', { storageCartonsPerPallet: 5 }],
      ['no cartons on a pallet', { validFrom: '2025-06-01', storageCartonsPerPallet: 0 }],
      ['null cartons on a pallet', { validFrom: '2025-06-01', shippingCartonsPerPallet: null }],
    ])('is refused a change of %s', async (_, body) => {
      expect(await change(lot, 5, body)).toBe('422 invalid-request');
    });

    it('is not there before anything of it was', async () => {
      const unknown = await newLot(admin, await newSku(admin));
      expect(await outcome(admin, 'GET', path(unknown))).toBe('404 lot-stock-not-found');
      const body = { validFrom: '2025-06-01', storageCartonsPerPallet: 5 };
      expect(await change(unknown, 1, body)).toBe('404 lot-stock-not-found');
      expect(await outcome(admin, 'GET', `${lotStock}/nowhere/${randomUUIDv7()}`)).toBe('404 warehouse-not-found');
    });

    it('of other sites is neither seen nor changed, and others are listed', async () => {
      const [here, there] = [await newWarehouse(admin), await newWarehouse(admin)];
      const shared = await newLot(admin, await newSku(admin));
      for (const one of [here, there]) await received(shared, one);
      const local = await newHolder(api, admin, 'supervisor', here.siteId);
      const { items } = await local.get(`${lotStock}?lot=${shared.id}`, 200, listOf(lotStockView));
      expect(items.map(({ warehouseId }) => warehouseId)).toEqual([here.id]);
      const all = await admin.get(`${lotStock}?lot=${shared.id}&limit=1`, 200, listOf(lotStockView));
      const rest = await admin.get(`${lotStock}?lot=${shared.id}&cursor=${all.next}`, 200, listOf(lotStockView));
      expect([...all.items, ...rest.items].map(({ warehouseId }) => warehouseId).sort()).toEqual(
        [here.id, there.id].sort(),
      );
      const body = { validFrom: '2025-06-01', storageCartonsPerPallet: 5 };
      expect(await change(shared, 1, body, there, local)).toBe('404 warehouse-not-found');
      expect(await change(shared, 1, body, here, local)).toBe('200');
    });
  });
});
