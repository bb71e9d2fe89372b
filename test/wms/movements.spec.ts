import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { listOf } from '@belay/platform';
import { movementSummary, movementView, wms } from '@belay/wms';
import { fresh, newHolder, newSite, outcome } from '../support/people.js';
import { TestApi } from '../support/test-api.js';
import { ifMatch, newLocation, newLot, newSku, newWarehouse } from './master-data.js';
import {
  newFloor,
  path,
  post,
  receiptOf,
  refusal,
  refused,
  shipmentOf,
  stockOf,
  withKey,
  type Floor,
} from './postings.js';

const today = () => new Date().toISOString().slice(0, 10).replaceAll('-', '');

describe('movements', () => {
  let api: TestApi;
  let admin: TestApi;
  let floor: Floor;

  beforeAll(async () => {
    api = await TestApi.with(wms);
    admin = await api.as('admin');
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    floor = await newFloor(admin);
  });

  const facts = (id: string) =>
    api.rows(`SELECT name, body ->> 'kind' AS kind FROM platform.outbox WHERE body ->> 'movementId' = $1 ORDER BY id`, [
      id,
    ]);
  const stacking = () =>
    api.rows(
      `SELECT storage_cartons_per_pallet AS storage, shipping_cartons_per_pallet AS shipping FROM wms.lot_stock
       WHERE warehouse_id = $1 AND lot_id = $2`,
      [floor.warehouse.id, floor.lot.id],
    );

  describe('receive goods', () => {
    it('as documents that are numbered by warehouse, kind and local day', async () => {
      const { warehouse, lot, bin } = floor;
      const posted = await post(admin, 'receive', receiptOf(floor, { cartons: 17, looseUnits: 5 }));
      expect(posted).toMatchObject({ kind: 'RECEIVE', warehouse: warehouse.code, backdated: false, charges: [] });
      expect(posted.lines).toMatchObject([
        { lineNo: 1, lot: lot.code, location: bin, stockStatus: 'available', units: 1025, cartons: 17, looseUnits: 5 },
      ]);
      expect(posted.number).toBe(`${warehouse.code}-RCV-${today()}-000001`);
      expect((await post(admin, 'receive', receiptOf(floor))).number).toBe(`${warehouse.code}-RCV-${today()}-000002`);
      expect((await post(admin, 'ship', shipmentOf(floor))).number).toBe(`${warehouse.code}-SHP-${today()}-000001`);
      expect(await facts(posted.id)).toEqual([{ name: 'wms.movement.posted', kind: 'RECEIVE' }]);
      const { warnings, ...kept } = posted;
      expect(warnings).toEqual([]);
      expect(await admin.get(`${path}/${posted.id}`, 200, movementView)).toMatchObject({ ...kept, rowVersion: 0 });
    });

    it('numbers the day of the warehouse, not of the server', async () => {
      const local = await newFloor(admin, { timezone: 'Pacific/Kiritimati' });
      const at = { effectiveAt: '2025-01-05T12:30:00Z' };
      expect((await post(admin, 'receive', receiptOf(local, {}, at))).number).toContain('-RCV-20250106-');
    });

    it.each([
      [17, 36, 1],
      [140, 14, 10],
      [46, 36, 2],
      [1, 36, 1],
      [36, 36, 1],
      [37, 36, 2],
    ])('%i cartons at %i a pallet are %i pallets', async (cartons, storageCartonsPerPallet, palletsComputed) => {
      const lot = await newLot(admin, floor.sku);
      const line = { lot: lot.code, cartons, storageCartonsPerPallet, shippingCartonsPerPallet: 16 };
      const { lines, variances } = await post(admin, 'receive', receiptOf(floor, line));
      expect(lines).toMatchObject([{ palletsComputed, palletsReported: null }]);
      expect(variances).toEqual([]);
    });

    it('and keep both counts of pallets where they differ', async () => {
      const posted = await post(admin, 'receive', receiptOf(floor, { cartons: 46, palletsReported: 3 }));
      const variance = { lineNo: 1, palletsReported: 3, palletsComputed: 2 };
      expect(posted.variances).toEqual([variance]);
      expect(posted.warnings).toMatchObject([{ code: 'pallet-variance' }]);
      const read = await admin.get(`${path}/${posted.id}`, 200, movementView);
      expect(read.variances).toEqual([variance]);
      expect((await post(admin, 'receive', receiptOf(floor, { cartons: 46, palletsReported: 2 }))).variances).toEqual(
        [],
      );
    });

    it('stacked as at the first receipt, whatever later ones say', async () => {
      await post(admin, 'receive', receiptOf(floor));
      await post(admin, 'receive', receiptOf(floor, { storageCartonsPerPallet: 5, shippingCartonsPerPallet: 5 }));
      expect(await stacking()).toEqual([{ storage: 36, shipping: 16 }]);
    });

    it('stacked as the line says, else the lot, else the specification of the SKU', async () => {
      const bare = await newLot(admin, floor.sku);
      const missing = await refusal(admin, 'receive', receiptOf(floor, { lot: bare.code }));
      expect(missing.errors?.map(({ pointer }) => pointer)).toEqual([
        '#/lines/0/storageCartonsPerPallet',
        '#/lines/0/shippingCartonsPerPallet',
      ]);
      await api.rows(
        `INSERT INTO wms.pallet_spec (id, warehouse_id, sku_id, storage_cartons_per_pallet, shipping_cartons_per_pallet, valid, created_by)
         VALUES (gen_random_uuid(), $1, $2, 20, 10, '[2025-01-01,)', gen_random_uuid())`,
        [floor.warehouse.id, floor.sku.id],
      );
      const one = await post(admin, 'receive', receiptOf(floor, { lot: bare.code, cartons: 21 }));
      expect(one.lines).toMatchObject([{ palletsComputed: 2 }]);
      const other = await post(admin, 'receive', receiptOf(floor, { cartons: 36, storageCartonsPerPallet: 18 }));
      expect(other.lines).toMatchObject([{ palletsComputed: 2 }]);
    });

    it('of a new lot, made by who may make lots', async () => {
      const createLot = {
        code: fresh('N'),
        unitsPerCarton: 52,
        storageCartonsPerPallet: 4,
        shippingCartonsPerPallet: 2,
      };
      const line = { lot: undefined, createLot };
      const posted = await post(admin, 'receive', receiptOf(floor, line));
      expect(posted.lines).toMatchObject([{ lot: createLot.code, units: 520, palletsComputed: 3 }]);
      expect(await refused(admin, 'receive', receiptOf(floor, line))).toBe('409 master-code-taken');
      const clerk = await newHolder(api, admin, 'warehouse', floor.warehouse.siteId);
      const another = { lot: undefined, createLot: { ...createLot, code: fresh('N') } };
      expect(await refused(clerk, 'receive', receiptOf(floor, another))).toBe('403 permission-missing');
      expect(await refused(admin, 'receive', receiptOf(floor, { createLot }))).toBe(
        '422 invalid-request #/lines/0/createLot',
      );
    });

    it('of one new lot in two places', async () => {
      const createLot = { code: fresh('N'), storageCartonsPerPallet: 4, shippingCartonsPerPallet: 2 };
      const line = { sku: floor.sku.code, createLot, cartons: 1 };
      const lines = [line, { ...line, location: floor.bin }];
      const posted = await post(admin, 'receive', receiptOf(floor, {}, { lines }));
      expect(new Set(posted.lines.map(({ lotId }) => lotId)).size).toBe(1);
    });

    it('that failed the check into quarantine, and never ship them', async () => {
      const posted = await post(admin, 'receive', receiptOf(floor, { qcFailed: true }));
      expect(posted.lines).toMatchObject([{ stockStatus: 'quarantine' }]);
      expect(await stockOf(api, floor.lot)).toEqual({ [`${floor.bin} quarantine`]: 600 });
      expect(await refused(admin, 'ship', shipmentOf(floor))).toBe('409 insufficient-stock');
      expect(await refused(admin, 'ship', shipmentOf(floor, { location: undefined }))).toBe('409 insufficient-stock');
    });

    it('at DEFAULT, or in staging where there is such', async () => {
      const nowhere = { location: undefined };
      expect((await post(admin, 'receive', receiptOf(floor, nowhere))).lines).toMatchObject([{ location: 'DEFAULT' }]);
      const staging = await newLocation(admin, floor.warehouse, { type: 'staging' });
      expect((await post(admin, 'receive', receiptOf(floor, nowhere))).lines).toMatchObject([
        { location: staging.code },
      ]);
    });

    it('of SKUs without lots into their one lot', async () => {
      const sku = await newSku(admin, { lotTracked: false });
      const stacked = { storageCartonsPerPallet: 4, shippingCartonsPerPallet: 4 };
      const line = { sku: sku.code, lot: undefined, ...stacked };
      expect((await post(admin, 'receive', receiptOf(floor, line))).lines).toMatchObject([{ lot: '-', units: 600 }]);
      const createLot = { code: fresh('N'), ...stacked };
      expect(await refused(admin, 'receive', receiptOf(floor, { ...line, createLot }))).toBe(
        '422 invalid-request #/lines/0/createLot',
      );
    });

    it('with a warning where the number of the container cannot be right', async () => {
      const wrong = { containerNumber: 'OOLU1234568', inboundType: 'CONTAINER_40' };
      const right = { ...wrong, containerNumber: 'CSQU3054383' };
      expect((await post(admin, 'receive', receiptOf(floor, {}, wrong))).warnings).toMatchObject([
        { code: 'container-check-digit' },
      ]);
      expect((await post(admin, 'receive', receiptOf(floor, {}, right))).warnings).toEqual([]);
      expect(await refused(admin, 'receive', receiptOf(floor, {}, { containerNumber: 'OOLU123456' }))).toBe(
        '422 invalid-request #/containerNumber',
      );
    });

    it('with a warning, and no more, where the reference was posted a moment ago', async () => {
      const reference = fresh('CI');
      const first = await post(admin, 'receive', receiptOf(floor, {}, { reference }));
      const again = await post(admin, 'receive', receiptOf(floor, {}, { reference }));
      expect(first.warnings).toEqual([]);
      expect(again.warnings).toMatchObject([{ code: 'possible-duplicate', ids: [first.id] }]);
    });
  });

  describe('ship goods', () => {
    beforeEach(async () => {
      await post(admin, 'receive', receiptOf(floor, { cartons: 40 }));
    });

    it('from the bucket that is named', async () => {
      const posted = await post(admin, 'ship', shipmentOf(floor, { cartons: 2, looseUnits: 1 }));
      expect(posted.lines).toMatchObject([{ units: -121, cartons: 2, looseUnits: 1, palletsComputed: null }]);
      expect(await stockOf(api, floor.lot)).toEqual({ [`${floor.bin} available`]: 2279 });
    });

    it('on as many pallets as are begun, or as were counted', async () => {
      const onPallets = { shipMode: 'PALLETS' };
      const ship = (line: object) => post(admin, 'ship', shipmentOf(floor, line, onPallets));
      expect((await ship({ cartons: 16 })).lines).toMatchObject([{ palletsComputed: 1, palletsReported: null }]);
      expect((await ship({ cartons: 17 })).lines).toMatchObject([{ palletsComputed: 2 }]);
      const counted = await ship({ cartons: 1, palletsReported: 2 });
      expect(counted.variances).toEqual([{ lineNo: 1, palletsReported: 2, palletsComputed: 1 }]);
      expect(await refused(admin, 'ship', shipmentOf(floor, { palletsReported: 0 }, onPallets))).toBe(
        '422 invalid-request #/shipMode',
      );
    });

    it('and say of every bucket what is missing', async () => {
      await api.rows(`UPDATE wms.stock_balance SET reserved = 60 WHERE lot_id = $1`, [floor.lot.id]);
      const { status, errors } = await refusal(admin, 'ship', shipmentOf(floor, { cartons: 40 }));
      expect(status).toBe(409);
      expect(errors).toMatchObject([
        {
          line: 1,
          sku: floor.sku.code,
          lot: floor.lot.code,
          location: floor.bin,
          requestedUnits: 2400,
          onHand: 2400,
          reserved: 60,
          available: 2340,
          pointer: '#/lines/0',
        },
      ]);
      await post(admin, 'ship', shipmentOf(floor, { cartons: 39 }));
      await api.rows(`UPDATE wms.stock_balance SET reserved = 0 WHERE lot_id = $1`, [floor.lot.id]);
    });

    it('picked by the strategy: what expires first, then what came first', async () => {
      const sku = await newSku(admin, { expiryTracked: true, pickStrategy: 'fefo' });
      const stacked = { storageCartonsPerPallet: 9, shippingCartonsPerPallet: 9 };
      const late = await newLot(admin, sku, { ...stacked, expiresOn: '2035-06-30' });
      const soon = await newLot(admin, sku, { ...stacked, expiresOn: '2035-01-31' });
      for (const lot of [late, soon]) await post(admin, 'receive', receiptOf(floor, { sku: sku.code, lot: lot.code }));
      const line = { sku: sku.code, lot: undefined, location: undefined, cartons: 12, palletsReported: 5 };
      const posted = await post(admin, 'ship', shipmentOf(floor, line, { shipMode: 'PALLETS' }));
      expect(posted.lines).toMatchObject([
        { lot: soon.code, units: -600, palletsReported: 5, palletsComputed: 3 },
        { lot: late.code, units: -120, palletsReported: null, palletsComputed: null },
      ]);
      expect(posted.variances).toEqual([{ lineNo: 1, palletsReported: 5, palletsComputed: 3 }]);
      const { errors } = await refusal(admin, 'ship', shipmentOf(floor, { ...line, cartons: 9 }));
      expect(errors).toMatchObject([{ line: 1, sku: sku.code, requestedUnits: 540, available: 480 }]);
    });

    it('beside lines that name their buckets, of what those leave', async () => {
      const { code: other } = await newLocation(admin, floor.warehouse);
      for (const location of [floor.bin, other])
        await post(admin, 'receive', receiptOf(floor, { cartons: 10, location }));
      const shipment = (cartons: number) => {
        const sku = floor.sku.code;
        const named = { sku, lot: floor.lot.code, location: floor.bin, cartons: 4 };
        return shipmentOf(floor, {}, { lines: [{ sku, cartons }, named] });
      };
      const { errors } = await refusal(admin, 'ship', shipment(57));
      expect(errors).toMatchObject([{ line: 1, requestedUnits: 3420, available: 3360 }]);
      const { lines } = await post(admin, 'ship', shipment(56));
      expect(lines.map(({ location, units }) => [location, units])).toEqual([
        [floor.bin, -3000],
        [other, -600],
      ]);
    });

    it('of a reservation only by the unit, in which it is counted', async () => {
      const line = { reservation: randomUUID(), sku: undefined, lot: undefined, location: undefined, looseUnits: 1 };
      expect(await refused(admin, 'ship', shipmentOf(floor, { ...line, cartons: 1 }))).toBe(
        '422 invalid-request #/lines/0/cartons',
      );
      expect(await refused(admin, 'ship', shipmentOf(floor, { ...line, cartons: 0 }))).toBe(
        '404 reservation-not-found',
      );
    });

    it('only of the lot that is named, wherever it is', async () => {
      const other = await newLot(admin, floor.sku, { storageCartonsPerPallet: 9, shippingCartonsPerPallet: 9 });
      await post(admin, 'receive', receiptOf(floor, { lot: other.code }));
      const line = { lot: other.id, sku: undefined, location: undefined, cartons: 10 };
      expect((await post(admin, 'ship', shipmentOf(floor, line))).lines).toMatchObject([
        { lot: other.code, units: -600 },
      ]);
      expect(await refused(admin, 'ship', shipmentOf(floor, line))).toBe('409 insufficient-stock');
    });

    it('but not from where goods are only put down, and says how much could have been picked', async () => {
      const staging = await newLocation(admin, floor.warehouse, { type: 'staging' });
      const sku = await newSku(admin);
      const lot = await newLot(admin, sku, { storageCartonsPerPallet: 9, shippingCartonsPerPallet: 9 });
      const goods = { sku: sku.code, lot: lot.code, cartons: 10 };
      await post(admin, 'receive', receiptOf(floor, { ...goods, location: staging.code }));
      const { errors } = await refusal(
        admin,
        'ship',
        shipmentOf(floor, { ...goods, lot: undefined, location: undefined }),
      );
      expect(errors).toMatchObject([{ line: 1, requestedUnits: 600, onHand: 600, reserved: 0, available: 0 }]);
    });

    it('that are not of a blocked lot or past their day', async () => {
      const [hold, recalled, old] = await Promise.all([
        newLot(admin, floor.sku, { storageCartonsPerPallet: 9, shippingCartonsPerPallet: 9, status: 'hold' }),
        newLot(admin, floor.sku, { storageCartonsPerPallet: 9, shippingCartonsPerPallet: 9, status: 'recalled' }),
        newLot(admin, floor.sku, { storageCartonsPerPallet: 9, shippingCartonsPerPallet: 9, expiresOn: '2025-03-01' }),
      ]);
      const at = '2025-01-06T09:00:00Z';
      for (const lot of [hold, recalled, old]) {
        await post(admin, 'receive', receiptOf(floor, { lot: lot.code }, { effectiveAt: at }));
        const { code, errors } = await refusal(admin, 'ship', shipmentOf(floor, { lot: lot.code }));
        const status = lot === old ? 'expired' : lot.status;
        expect({ code, errors }).toMatchObject({ code: 'lot-blocked', errors: [{ line: 1, lot: lot.code, status }] });
        expect(await refused(admin, 'ship', shipmentOf(floor, { lot: lot.code, location: undefined }))).toBe(
          '409 insufficient-stock',
        );
      }
      // The last day is a good one.
      const lastDay = { effectiveAt: '2025-03-01T20:00:00Z' };
      await post(admin, 'ship', shipmentOf(floor, { lot: old.code }, lastDay));
      const nextDay = { effectiveAt: '2025-03-02T00:00:00Z' };
      expect(await refused(admin, 'ship', shipmentOf(floor, { lot: old.code }, nextDay))).toBe('409 lot-blocked');
    });
  });

  describe('adjust stock', () => {
    const adjustment = (kind: string, line: object = {}, details: object = {}) => {
      const lines = [{ sku: floor.sku.code, lot: floor.lot.code, location: floor.bin, cartons: 1, ...line }];
      return { warehouse: floor.warehouse.code, kind, reasonCode: 'found', lines, ...details };
    };

    it('up and down, in any status, for a reason', async () => {
      await post(admin, 'adjust', adjustment('ADJUST_IN', { cartons: 2 }));
      await post(admin, 'adjust', adjustment('ADJUST_IN', { stockStatus: 'damaged' }));
      const out = await post(admin, 'adjust', adjustment('ADJUST_OUT', { looseUnits: 7 }, { reasonCode: 'loss' }));
      expect(out).toMatchObject({ kind: 'ADJUST_OUT', reasonCode: 'loss', lines: [{ units: -67 }] });
      expect(await stockOf(api, floor.lot)).toEqual({ [`${floor.bin} available`]: 53, [`${floor.bin} damaged`]: 60 });
      expect(await refused(admin, 'adjust', adjustment('ADJUST_OUT'))).toBe('409 insufficient-stock');
      expect(await refused(admin, 'adjust', adjustment('ADJUST_IN', {}, { reasonCode: 'because' }))).toBe(
        '422 invalid-request #/reasonCode',
      );
      expect(await refused(admin, 'adjust', adjustment('ADJUST_IN', {}, { reasonCode: undefined }))).toBe(
        '422 invalid-request #/reasonCode',
      );
    });

    it('with a note from 1,000 units on', async () => {
      const units = (looseUnits: number) => adjustment('ADJUST_IN', { cartons: 0, looseUnits });
      await post(admin, 'adjust', units(999));
      expect(await refused(admin, 'adjust', units(1000))).toBe('422 invalid-request #/note');
      const posted = await post(admin, 'adjust', { ...units(1000), note: 'Counted twice' });
      const { attributes, rowVersion } = await admin.get(`${path}/${posted.id}`, 200, movementView);
      expect({ notes: attributes.notes, rowVersion }).toEqual({ notes: 'Counted twice', rowVersion: 1 });
    });

    it('of blocked lots too: that is how they go', async () => {
      const lot = await newLot(admin, floor.sku, { status: 'recalled' });
      await post(admin, 'adjust', adjustment('ADJUST_IN', { lot: lot.code }));
      await post(admin, 'adjust', adjustment('ADJUST_OUT', { lot: lot.code }, { reasonCode: 'expiry' }));
      expect(await stockOf(api, lot)).toEqual({ [`${floor.bin} available`]: 0 });
    });
  });

  describe('transfer goods', () => {
    const transfer = (line: object = {}) => {
      const lines = [{ sku: floor.sku.code, lot: floor.lot.code, fromLocation: floor.bin, cartons: 1, ...line }];
      return { warehouse: floor.warehouse.code, lines };
    };
    beforeEach(async () => {
      await post(admin, 'receive', receiptOf(floor));
    });

    it('to another place, into another status, or both', async () => {
      const posted = await post(admin, 'transfer', transfer({ cartons: 4 }));
      expect(posted.lines).toMatchObject([
        { lineNo: 1, location: floor.bin, units: -240 },
        { lineNo: 2, location: 'DEFAULT', units: 240 },
      ]);
      await post(admin, 'transfer', transfer({ toLocation: floor.bin, toStatus: 'damaged' }));
      await post(
        admin,
        'transfer',
        transfer({ fromLocation: 'DEFAULT', toLocation: floor.bin, toStatus: 'quarantine' }),
      );
      await post(admin, 'transfer', transfer({ fromStatus: 'damaged' }));
      expect(await stockOf(api, floor.lot)).toEqual({
        'DEFAULT available': 180,
        'DEFAULT damaged': 60,
        [`${floor.bin} available`]: 300,
        [`${floor.bin} damaged`]: 0,
        [`${floor.bin} quarantine`]: 60,
      });
    });

    it('and neither lose nor make any, nor change when they first came', async () => {
      const received = () =>
        api.rows(`SELECT first_received_at::text AS at FROM wms.lot_stock WHERE lot_id = $1`, [floor.lot.id]);
      const before = await received();
      await post(admin, 'transfer', transfer({ cartons: 10 }));
      expect(await received()).toEqual(before);
      expect(Object.values(await stockOf(api, floor.lot)).reduce((sum, units) => sum + units, 0)).toBe(600);
    });

    it.each([
      ['more than there is', { cartons: 11 }, '409 insufficient-stock'],
      ['into the same bucket', { toLocation: 'same' }, '422 invalid-request #/lines/0'],
      ['nothing', { cartons: 0 }, '422 invalid-request #/lines/0'],
      ['from a place that is none', { fromLocation: 'nowhere' }, '422 invalid-request #/lines/0/fromLocation'],
      ['to a place that is none', { toLocation: 'nowhere' }, '422 invalid-request #/lines/0/toLocation'],
      ['a lot that is none', { lot: 'no lot' }, '422 invalid-request #/lines/0/lot'],
    ])('are not posted when they move %s', async (_, line: object, answer) => {
      const to = Reflect.get(line, 'toLocation') === 'same' ? { toLocation: floor.bin } : {};
      expect(await refused(admin, 'transfer', transfer({ ...line, ...to }))).toBe(answer);
    });

    it('of a blocked lot only into quarantine', async () => {
      await admin.withHeaders(ifMatch(1)).patch(`/api/wms/lots/${floor.lot.id}`, { status: 'recalled' });
      expect(await refused(admin, 'transfer', transfer())).toBe('409 lot-blocked');
      await post(admin, 'transfer', transfer({ toStatus: 'quarantine' }));
      expect(await refused(admin, 'transfer', transfer({ fromLocation: 'DEFAULT', fromStatus: 'quarantine' }))).toBe(
        '422 invalid-request #/lines/0',
      );
    });
  });

  describe('name', () => {
    it('everything by id or by code, whatever its case', async () => {
      const { warehouse, sku, lot, bin } = floor;
      const bins = await api.rows<{ id: string }>(`SELECT id FROM wms.location WHERE code = $1`, [bin]);
      const ids = { sku: sku.id, lot: lot.id, location: bins[0]?.id };
      const codes = { sku: sku.code.toLowerCase(), lot: lot.code.toLowerCase(), location: bin.toLowerCase() };
      await post(admin, 'receive', receiptOf(floor, ids, { warehouse: warehouse.id }));
      await post(admin, 'receive', receiptOf(floor, codes, { warehouse: warehouse.code.toLowerCase() }));
      expect(await stockOf(api, lot)).toEqual({ [`${bin} available`]: 1200 });
    });

    it('nothing that is out of use', async () => {
      const bin = await newLocation(admin, floor.warehouse);
      await admin.withHeaders(ifMatch(1)).patch(`/api/wms/locations/${bin.id}`, { isActive: false });
      expect(await refused(admin, 'receive', receiptOf(floor, { location: bin.code }))).toBe(
        '409 inactive-master-data',
      );
      await admin.withHeaders(ifMatch(1)).patch(`/api/wms/skus/${floor.sku.id}`, { isActive: false });
      expect(await refused(admin, 'receive', receiptOf(floor))).toBe('409 inactive-master-data');
      await admin.withHeaders(ifMatch(1)).patch(`/api/wms/warehouses/${floor.warehouse.id}`, { isActive: false });
      const other = await newFloor(admin);
      const here = { warehouse: floor.warehouse.code };
      expect(await refused(admin, 'receive', receiptOf(other, {}, here))).toBe('409 inactive-master-data');
    });

    it('no place of another warehouse', async () => {
      const other = await newFloor(admin);
      expect(await refused(admin, 'receive', receiptOf(floor, { location: other.bin }))).toBe(
        '422 invalid-request #/lines/0/location',
      );
    });
  });

  describe('are found', () => {
    it('the latest first, page by page, by what is asked for', async () => {
      const reference = fresh('PG');
      const expected: string[] = [];
      for (let day = 1; day <= 7; day += 1) {
        const at = { effectiveAt: `2025-01-0${day}T09:00:00Z`, reference: `${reference}-${day}` };
        expected.unshift((await post(admin, 'receive', receiptOf(floor, {}, at))).id);
      }
      const list = listOf(movementSummary);
      const seen: string[] = [];
      let cursor = '';
      do {
        const query = `?warehouse=${floor.warehouse.code}&limit=3${cursor}`;
        const { items, next } = await admin.get(`${path}${query}`, 200, list);
        seen.push(...items.map(({ id }) => id));
        cursor = next === null ? '' : `&cursor=${next}`;
      } while (cursor !== '');
      expect(seen).toEqual(expected);
      const shipped = await post(admin, 'ship', shipmentOf(floor));
      const found = async (filter: string) => {
        const { items } = await admin.get(`${path}?warehouse=${floor.warehouse.id}&${filter}`, 200, list);
        return items.map(({ id }) => id);
      };
      expect(await found('kind=SHIP')).toEqual([shipped.id]);
      expect(await found(`reference=${reference}-3`)).toEqual([expected[4]]);
      expect(await found('from=2025-01-02T09:00:00Z&to=2025-01-04T09:00:00Z')).toEqual([expected[4], expected[5]]);
      expect(await found(`sku=${floor.sku.code}`)).toHaveLength(8);
      expect(await found(`lot=${floor.lot.id}&kind=SHIP`)).toEqual([shipped.id]);
      expect(await found(`sku=${(await newSku(admin)).code}`)).toEqual([]);
      expect(await outcome(admin, 'GET', `${path}?limit=201`)).toBe('422 invalid-request');
    });

    it('only at the sites of who asks', async () => {
      const posted = await post(admin, 'receive', receiptOf(floor));
      const { lot } = floor;
      const there = await newHolder(api, admin, 'warehouse', (await newSite(admin)).id);
      expect(await outcome(there, 'GET', `${path}/${posted.id}`)).toBe('404 movement-not-found');
      expect(await there.get(`${path}?lot=${lot.id}`)).toEqual({ items: [], next: null });
      expect(await refused(there, 'receive', receiptOf(floor))).toBe('404 warehouse-not-found');
      expect(await refused(there, `${posted.id}/reverse`, {})).toBe('403 permission-missing');
      const here = await newHolder(api, admin, 'warehouse', floor.warehouse.siteId);
      expect(await outcome(here, 'GET', `${path}/${posted.id}`)).toBe('200');
      await post(here, 'receive', receiptOf(floor));
      const viewer = await newHolder(api, admin, 'viewer', floor.warehouse.siteId);
      expect(await refused(viewer, 'receive', receiptOf(floor))).toBe('403 permission-missing');
    });
  });

  describe('have papers', () => {
    const papers = (id: string, change: object, version: number) =>
      admin.withHeaders(ifMatch(version)).patch(`${path}/${id}/attributes`, change, 200, movementView);

    it('that come later, under a version of their own', async () => {
      const { id } = await post(admin, 'receive', receiptOf(floor));
      const first = await papers(id, { vessel: 'Ever Given', attachments: ['papers/bl.pdf'] }, 0);
      expect(first).toMatchObject({ rowVersion: 1, attributes: { vessel: 'Ever Given', carrier: null } });
      const second = await papers(id, { carrier: 'Maersk', pickupOn: '2025-01-09', vessel: null }, 1);
      expect(second.attributes).toMatchObject({ vessel: null, carrier: 'Maersk', pickupOn: '2025-01-09' });
      expect(second.attributes.attachments).toEqual(['papers/bl.pdf']);
      for (const version of [0, 1]) {
        const late = await outcome(admin, 'PATCH', `${path}/${id}/attributes`, { vessel: 'X' }, ifMatch(version));
        expect(late).toBe('412 precondition-failed');
      }
      expect(await outcome(admin, 'PATCH', `${path}/${id}/attributes`, { vessel: 'X' })).toBe(
        '428 precondition-required',
      );
    });

    it('that two writers do not both write first', async () => {
      const { id } = await post(admin, 'receive', receiptOf(floor));
      const write = (vessel: string) => outcome(admin, 'PATCH', `${path}/${id}/attributes`, { vessel }, ifMatch(0));
      const answers = await Promise.all([write('A'), write('B'), write('C')]);
      expect(answers.toSorted()).toEqual(['200', '412 precondition-failed', '412 precondition-failed']);
    });
  });

  describe('ask for', () => {
    it.each(['receive', 'ship', 'adjust', 'transfer'])('a key to %s under', async (kind) => {
      const response = await admin.send('POST', `${path}/${kind}`, receiptOf(floor));
      expect(response.json()).toMatchObject({ status: 400, code: 'idempotency-key-required' });
    });

    it.each([
      ['receive', 'supervisor', true],
      ['receive', 'warehouse', true],
      ['receive', 'finance', false],
      ['adjust', 'warehouse', false],
    ])('the permission to %s: %s, %s', async (kind, role, may) => {
      const holder = await newHolder(api, admin, role, floor.warehouse.siteId);
      const answer = await refused(holder, kind, {}, withKey());
      expect(answer.startsWith('403')).toBe(!may);
    });
  });

  it('of a warehouse nobody knows are not found', async () => {
    expect(await refused(admin, 'receive', receiptOf(floor, {}, { warehouse: 'nowhere' }))).toBe(
      '404 warehouse-not-found',
    );
    expect((await newWarehouse(admin)).code).not.toBe('nowhere');
  });
});
