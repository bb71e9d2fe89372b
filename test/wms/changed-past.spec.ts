import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Caller } from '@belay/platform';
import { wms, type LotView, type WarehouseView } from '@belay/wms';
import { StorageRun } from '../../libs/wms/src/storage/storage-run.service.js';
import { outcome } from '../support/people.js';
import { TestApi } from '../support/test-api.js';
import { ifMatch, newLocation, newLot, newSku, newWarehouse, putStock } from './master-data.js';

/** What is billed follows master data, as far as it is not closed: the hourly run finds what a change made wrong. */
describe('storage of past weeks', () => {
  let api: TestApi;
  let admin: TestApi;
  beforeAll(async () => {
    api = await TestApi.with(wms);
    admin = await api.as('admin');
  });
  afterAll(() => api.close());

  const rate = { category: 'Storage', name: 'Storage', basis: 'pallet_week', value: '3.90', currency: 'GBP' };
  const specified = (lot: LotView, storageCartonsPerPallet: number) => ({
    sku: lot.sku,
    storageCartonsPerPallet,
    shippingCartonsPerPallet: 16,
    effectiveFrom: '2025-01-01',
  });
  /** A warehouse in which Monday 2025-03-31 closes at 23:00Z, and a lot of ten cartons, ten of which are a pallet. */
  const begin = async (at: string) => {
    const warehouse = await newWarehouse(admin);
    await admin.post(
      '/api/wms/rates',
      { warehouse: warehouse.id, ...rate, effectiveFrom: '2025-01-01', effectiveTo: null },
      201,
    );
    const lot = await newLot(admin, await newSku(admin));
    const body = { warehouse: warehouse.id, ...specified(lot, 10) };
    await admin.post('/api/wms/pallet-specs', body, 201);
    const place = await newLocation(admin, warehouse);
    await putStock(api, warehouse, lot, 600, { at, locationId: place.id });
    return { warehouse, lot, place };
  };
  /** As the job of every hour does it. */
  const settle = ({ id }: WarehouseView) => api.app.get(StorageRun).settle(Caller.system('test'), id, () => undefined);
  const billed = async (lot: LotView) => {
    const rows = await api.rows<{ day: string; amount: string }>(
      `SELECT snapshot_on::text AS day, amount FROM wms.storage_ledger
       WHERE lot_id = $1 AND snapshot_on <= '2025-04-14' ORDER BY snapshot_on`,
      [lot.id],
    );
    return rows.map(({ day, amount }) => `${day} ${amount}`);
  };
  const patch = (path: string, version: number, body: object) =>
    outcome(admin, 'PATCH', `/api/wms/${path}`, body, ifMatch(version));

  it('follows a changed zone: half past eleven at night is another day elsewhere', async () => {
    const { warehouse, lot } = await begin('2025-03-31T23:30:00Z');
    await settle(warehouse);
    expect(await billed(lot)).toEqual(['2025-04-07 3.90', '2025-04-14 3.90']);
    expect(await patch(`warehouses/${warehouse.id}`, 1, { timezone: 'Atlantic/Azores' })).toBe('200');
    await settle(warehouse);
    expect(await billed(lot)).toEqual(['2025-03-31 3.90', '2025-04-07 3.90', '2025-04-14 3.90']);
    expect(await patch(`warehouses/${warehouse.id}`, 2, { timezone: 'Europe/London' })).toBe('200');
    await settle(warehouse);
    expect(await billed(lot)).toEqual(['2025-03-31 0.00', '2025-04-07 3.90', '2025-04-14 3.90']);
  });

  it('follows a changed pallet specification', async () => {
    const { warehouse, lot } = await begin('2025-04-01T12:00:00Z');
    await settle(warehouse);
    const [spec] = await api.rows<{ id: string }>(`SELECT id FROM wms.pallet_spec WHERE sku_id = $1`, [lot.skuId]);
    expect(await patch(`pallet-specs/${spec?.id}`, 1, { storageCartonsPerPallet: 9 })).toBe('200');
    await settle(warehouse);
    expect(await billed(lot)).toEqual(['2025-04-07 7.80', '2025-04-14 7.80']);
  });

  it('follows another stacking of the lot from its day on', async () => {
    const { warehouse, lot } = await begin('2025-04-01T12:00:00Z');
    await api.rows(
      `INSERT INTO wms.lot_stock (warehouse_id, lot_id, storage_cartons_per_pallet, shipping_cartons_per_pallet, first_received_at, created_by)
       VALUES ($1, $2, 10, 16, '2025-04-01T12:00:00Z', $1)`,
      [warehouse.id, lot.id],
    );
    await settle(warehouse);
    const stacked = { validFrom: '2025-04-08', storageCartonsPerPallet: 4 };
    expect(await patch(`lot-stock/${warehouse.id}/${lot.id}`, 1, stacked)).toBe('200');
    await settle(warehouse);
    expect(await billed(lot)).toEqual(['2025-04-07 3.90', '2025-04-14 11.70']);
  });

  it('ends where a place turns out to be virtual', async () => {
    const { warehouse, lot, place } = await begin('2025-04-01T12:00:00Z');
    await settle(warehouse);
    expect(await billed(lot)).toEqual(['2025-04-07 3.90', '2025-04-14 3.90']);
    expect(await patch(`locations/${place.id}`, 1, { type: 'virtual' })).toBe('200');
    await settle(warehouse);
    expect(await billed(lot)).toEqual(['2025-04-07 0.00', '2025-04-14 0.00']);
  });

  it('is as it was where the days are closed', async () => {
    const { warehouse, lot, place } = await begin('2025-04-01T12:00:00Z');
    await settle(warehouse);
    await api.rows(`UPDATE wms.warehouse SET closed_through = '2025-04-07' WHERE id = $1`, [warehouse.id]);
    expect(await patch(`locations/${place.id}`, 1, { type: 'virtual' })).toBe('200');
    await settle(warehouse);
    expect(await billed(lot)).toEqual(['2025-04-07 3.90', '2025-04-14 0.00']);
  });
});
