import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { movementView, wms } from '@belay/wms';
import { TestApi } from '../support/test-api.js';
import { newFloor, path, post, receiptOf, refused, shipmentOf, stockOf, type Floor } from './postings.js';

describe('movements', () => {
  let api: TestApi;
  let admin: TestApi;
  let floor: Floor;

  beforeAll(async () => {
    api = await TestApi.with(wms);
    admin = await api.as('admin');
    floor = await newFloor(admin);
  });
  afterAll(() => api.close());

  it('receive and ship', async () => {
    const { warehouse, sku, lot, bin } = floor;
    const posted = await post(admin, 'receive', receiptOf(floor, { cartons: 17, looseUnits: 5 }));
    expect(posted).toMatchObject({ kind: 'RECEIVE', warehouse: warehouse.code, backdated: false });
    expect(posted.lines).toMatchObject([{ sku: sku.code, lot: lot.code, location: bin, units: 1025, cartons: 17 }]);
    const shipped = await post(admin, 'ship', shipmentOf(floor, { cartons: 2 }));
    expect(shipped.lines).toMatchObject([{ units: -120 }]);
    expect(await stockOf(api, lot)).toEqual({ [`${bin} available`]: 905 });
    const read = await admin.get(`${path}/${posted.id}`, 200, movementView);
    const { warnings, ...facts } = posted;
    expect(warnings).toEqual([]);
    expect(read).toMatchObject({ ...facts, rowVersion: 0 });
    expect(await refused(admin, 'ship', shipmentOf(floor, { cartons: 100 }))).toBe('409 insufficient-stock');
  });
});
