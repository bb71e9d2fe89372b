import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { wms } from '@belay/wms';
import { fresh } from '../support/people.js';
import { TestApi } from '../support/test-api.js';
import { newLocation, newSku } from './master-data.js';
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

const MOST_UNITS = Number.MAX_SAFE_INTEGER;

describe('a posting', () => {
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

  const lineless = () => receiptOf(floor, {}, { lines: [] });
  const movements = () => api.rows(`SELECT id FROM wms.movement WHERE warehouse_id = $1`, [floor.warehouse.id]);
  const answer = async (line: object, details: object = {}) => {
    const response = await admin.send('POST', `${path}/receive`, receiptOf(floor, line, details), withKey());
    return response.statusCode === 201 ? '201' : refused(admin, 'receive', receiptOf(floor, line, details));
  };

  it.each([
    [{ cartons: 99_999 }, '201'],
    [{ cartons: 100_000 }, '422 invalid-request #/lines/0/cartons'],
    [{ palletsReported: 9_999 }, '201'],
    [{ palletsReported: 10_000 }, '422 invalid-request #/lines/0/palletsReported'],
    [{ cartons: 0, looseUnits: 1 }, '201'],
    [{ cartons: 0, looseUnits: 0 }, '422 invalid-request #/lines/0'],
    [{ cartons: 0, looseUnits: 9_999 * 36 * 60 }, '201'],
    [{ cartons: 0, looseUnits: 9_999 * 36 * 60 + 1 }, '422 invalid-request #/lines/0'],
    [{ cartons: 0, looseUnits: MOST_UNITS }, '422 invalid-request #/lines/0'],
    [{ cartons: 0, looseUnits: MOST_UNITS + 1 }, '422 invalid-request #/lines/0/looseUnits'],
    [{ cartons: -1 }, '422 invalid-request #/lines/0/cartons'],
    [{ cartons: 1.5 }, '422 invalid-request #/lines/0/cartons'],
    [{ cartons: '1' }, '422 invalid-request #/lines/0/cartons'],
    [{ palletsReported: -1 }, '422 invalid-request #/lines/0/palletsReported'],
    [{ storageCartonsPerPallet: 0 }, '422 invalid-request #/lines/0/storageCartonsPerPallet'],
    [{ sku: '' }, '422 invalid-request #/lines/0/sku'],
    [{ colour: 'red' }, '422 invalid-request #/lines/0/colour'],
  ])('of the line %j: %s', async (line, expected) => {
    expect(await answer(line)).toBe(expected);
  });

  it.each([
    [{ reference: undefined }, '422 invalid-request #/reference'],
    [{ reference: '' }, '422 invalid-request #/reference'],
    [{ reference: 'x'.repeat(120) }, '201'],
    [{ reference: 'x'.repeat(121) }, '422 invalid-request #/reference'],
    [{ inboundType: 'BOAT' }, '422 invalid-request #/inboundType'],
    [{ effectiveAt: 'yesterday' }, '422 invalid-request #/effectiveAt'],
    [{ effectiveAt: '2025-02-29T12:00:00Z' }, '422 invalid-request #/effectiveAt'],
    [{ effectiveAt: '03/04/2025' }, '422 invalid-request #/effectiveAt'],
    [{ effectiveAt: '2025-02-28T12:00:00' }, '422 invalid-request #/effectiveAt'],
    [{ effectiveAt: '2025-02-28T12:00:00+01:00' }, '201'],
  ])('with %j: %s', async (details, expected) => {
    expect(await answer({}, details)).toBe(expected);
  });

  it('has between 1 and 500 lines', async () => {
    expect(await refused(admin, 'receive', lineless())).toBe('422 invalid-request #/lines');
    const line = { sku: floor.sku.code, lot: floor.lot.code, cartons: 1 };
    const many = Array.from({ length: 500 }, () => line);
    const posted = await post(admin, 'receive', receiptOf(floor, {}, { lines: many, mergeLines: true }));
    expect(posted.lines).toMatchObject([{ units: 30_000 }]);
    expect(await refused(admin, 'receive', receiptOf(floor, {}, { lines: [...many, line] }))).toBe(
      '422 invalid-request #/lines',
    );
    await api.rows(
      `INSERT INTO wms.lot (id, sku_id, code, units_per_carton, storage_cartons_per_pallet, shipping_cartons_per_pallet, created_by)
       SELECT gen_random_uuid(), $1, 'M' || n, 60, 5, 5, gen_random_uuid() FROM generate_series(0, 499) n`,
      [floor.sku.id],
    );
    const each = many.map((_, n) => ({ ...line, lot: `M${n}` }));
    expect((await post(admin, 'receive', receiptOf(floor, {}, { lines: each }))).lines).toHaveLength(500);
  });

  it('is told everything that is wrong at once, and posts nothing', async () => {
    const line = { sku: floor.sku.code, lot: floor.lot.code, cartons: 1 };
    const lines = [
      { ...line, sku: 'no such SKU' },
      { ...line, cartons: 100_000 },
      line,
      { ...line, lot: 'no such lot', location: 'no such place' },
      { ...line, lot: undefined },
      { ...line, cartons: 0, palletsReported: 10_000 },
    ];
    const { errors } = await refusal(admin, 'receive', receiptOf(floor, {}, { lines }));
    expect(errors?.map(({ pointer }) => pointer).toSorted()).toEqual([
      '#/lines/0/sku',
      '#/lines/1/cartons',
      '#/lines/3/location',
      '#/lines/3/lot',
      '#/lines/4/lot',
      '#/lines/5',
      '#/lines/5/palletsReported',
    ]);
    expect(await movements()).toEqual([]);
    expect(await api.rows(`SELECT FROM wms.doc_counter WHERE warehouse_id = $1`, [floor.warehouse.id])).toEqual([]);
  });

  it('names each bucket once, unless its lines are to be summed', async () => {
    const line = { sku: floor.sku.code, lot: floor.lot.code, location: floor.bin, cartons: 30, palletsReported: 1 };
    const lines = [line, { ...line, location: undefined }, line, { ...line, qcFailed: true }];
    expect(await refused(admin, 'receive', receiptOf(floor, {}, { lines }))).toBe('422 invalid-request #/lines/2');
    const posted = await post(admin, 'receive', receiptOf(floor, {}, { lines, mergeLines: true }));
    expect(posted.lines).toMatchObject([
      { lineNo: 1, units: 3600, palletsReported: 2, palletsComputed: 2 },
      { lineNo: 2, units: 1800, location: 'DEFAULT' },
      { lineNo: 3, units: 1800, stockStatus: 'quarantine' },
    ]);
    const out = { sku: floor.sku.code, lot: floor.lot.code, location: floor.bin, cartons: 31 };
    expect(await refused(admin, 'ship', shipmentOf(floor, {}, { lines: [out, out] }))).toBe(
      '422 invalid-request #/lines/1',
    );
    const { errors } = await refusal(admin, 'ship', shipmentOf(floor, {}, { lines: [out, out], mergeLines: true }));
    expect(errors).toMatchObject([{ line: 1, requestedUnits: 3720, available: 3600 }]);
  });

  it('sums what its lines take of one lot before it looks: parts that fit alone are refused together', async () => {
    await post(admin, 'receive', receiptOf(floor));
    const place = { sku: floor.sku.code, lot: floor.lot.code, cartons: 6 };
    const lines = [
      { ...place, location: floor.bin },
      { ...place, location: undefined },
    ];
    expect(await refused(admin, 'ship', shipmentOf(floor, {}, { lines }))).toBe('409 insufficient-stock');
    expect(await stockOf(api, floor.lot)).toEqual({ [`${floor.bin} available`]: 600 });
  });

  it('never makes more of a bucket than can be told exactly', async () => {
    const adjust = (cartons: number, looseUnits: number) => {
      const lines = [{ sku: floor.sku.code, lot: floor.lot.code, location: floor.bin, cartons, looseUnits }];
      return { warehouse: floor.warehouse.id, kind: 'ADJUST_IN', reasonCode: 'found', note: 'All of it', lines };
    };
    expect(await refused(admin, 'adjust', adjust(1, MOST_UNITS - 59))).toBe('422 invalid-request #/lines/0');
    await post(admin, 'adjust', adjust(1, MOST_UNITS - 60));
    expect(await refused(admin, 'adjust', adjust(0, 1))).toBe('422 invalid-request #/lines');
    expect(await stockOf(api, floor.lot)).toEqual({ [`${floor.bin} available`]: MOST_UNITS });
  });

  it('keeps codes as they are, whatever signs are in them', async () => {
    const sku = await newSku(admin, { code: `A/B & <C>::${fresh('x')}`, lotTracked: false });
    const place = await newLocation(admin, floor.warehouse, { code: 'R-1::2/3 "4"' });
    const line = {
      sku: sku.code,
      lot: undefined,
      location: place.code,
      storageCartonsPerPallet: 1,
      shippingCartonsPerPallet: 1,
    };
    const posted = await post(admin, 'receive', receiptOf(floor, line));
    expect(posted.lines).toMatchObject([{ sku: sku.code, location: 'R-1::2/3 "4"' }]);
  });

  it('is held to the limits of the installation', async () => {
    const config = { WMS_MOST_CARTONS_PER_LINE: 5, WMS_MOST_PALLETS_PER_LINE: 2, WMS_NOTE_FROM_UNITS: 7 };
    const small = await TestApi.start({ config }, wms);
    const there = await small.as('admin');
    const local = await newFloor(there);
    const limited = (line: object) => refused(there, 'receive', receiptOf(local, line));
    expect(await limited({ cartons: 6 })).toBe('422 invalid-request #/lines/0/cartons');
    expect(await limited({ cartons: 5, palletsReported: 3 })).toBe('422 invalid-request #/lines/0/palletsReported');
    await post(there, 'receive', receiptOf(local, { cartons: 5, palletsReported: 2 }));
    const lost = (looseUnits: number) => {
      const lines = [{ sku: local.sku.code, lot: local.lot.code, location: local.bin, looseUnits }];
      return { warehouse: local.warehouse.code, kind: 'ADJUST_OUT', reasonCode: 'loss', lines };
    };
    await post(there, 'adjust', lost(6));
    expect(await refused(there, 'adjust', lost(7))).toBe('422 invalid-request #/note');
    await small.close();
  });
});
