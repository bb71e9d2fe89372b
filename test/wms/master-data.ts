import { randomUUIDv7 } from 'node:crypto';
import { listOf } from '@belay/platform';
import {
  locationView,
  lotView,
  skuView,
  warehouseView,
  type LocationView,
  type LotView,
  type SkuView,
  type WarehouseView,
} from '@belay/wms';
import { fresh, newSite } from '../support/people.js';
import type { TestApi } from '../support/test-api.js';

export const ifMatch = (rowVersion: number) => ({ 'if-match': `"${rowVersion}"` });

/** A warehouse in London, at a site of its own unless one is given. */
export async function newWarehouse(admin: TestApi, details: object = {}): Promise<WarehouseView> {
  const place = 'siteId' in details ? {} : { siteId: (await newSite(admin)).id };
  const body = { ...place, code: fresh('W'), name: 'Warehouse', kind: 'third_party', ...details };
  return admin.post('/api/wms/warehouses', body, 201, warehouseView);
}

export function newLocation(admin: TestApi, warehouse: WarehouseView, details: object = {}): Promise<LocationView> {
  const body = { warehouse: warehouse.id, code: fresh('L'), type: 'bin', ...details };
  return admin.post('/api/wms/locations', body, 201, locationView);
}

export function newSku(admin: TestApi, details: object = {}): Promise<SkuView> {
  const body = { code: fresh('SKU'), description: 'Goods', defaultUnitsPerCarton: 60, ...details };
  return admin.post('/api/wms/skus', body, 201, skuView);
}

export function newLot(admin: TestApi, sku: SkuView, details: object = {}): Promise<LotView> {
  return admin.post('/api/wms/lots', { sku: sku.id, code: fresh('L'), ...details }, 201, lotView);
}

export async function defaultLocation(api: TestApi, warehouse: WarehouseView): Promise<LocationView> {
  const path = `/api/wms/locations?warehouse=${warehouse.id}&search=DEFAULT`;
  const { items } = await api.get(path, 200, listOf(locationView));
  const location = items.find(({ code }) => code === 'DEFAULT');
  if (!location) throw new Error(`${warehouse.code} has no DEFAULT location`);
  return location;
}

/** Puts units of the lot into the warehouse (takes them, when negative), by the tables alone: at DEFAULT unless said. */
export async function putStock(
  on: { rows: (sql: string, values: readonly unknown[]) => Promise<unknown> },
  warehouse: WarehouseView,
  lot: LotView,
  units: number,
  { at = new Date().toISOString(), locationId = null }: { at?: string; locationId?: string | null } = {},
): Promise<void> {
  await on.rows(
    `WITH m AS (
       INSERT INTO wms.movement (id, number, warehouse_id, kind, effective_at, actor_id)
       VALUES ($1, $2, $3, 'OPENING', $4, $5) RETURNING id, warehouse_id, effective_at, recorded_at)
     INSERT INTO wms.wms_inventory_transaction
       (movement_id, line_no, warehouse_id, location_id, sku_id, lot_id, stock_status, qty_delta, effective_at, recorded_at)
     SELECT m.id, 1, m.warehouse_id, o.id, $7::uuid, $8::uuid, 'available', $9::bigint, m.effective_at, m.recorded_at
     FROM m JOIN wms.location o ON o.warehouse_id = m.warehouse_id AND (o.id = $6::uuid OR $6::uuid IS NULL AND o.code = 'DEFAULT')`,
    [randomUUIDv7(), fresh('DOC'), warehouse.id, at, randomUUIDv7(), locationId, lot.skuId, lot.id, units],
  );
}

/** From which day on the storage of lots in the warehouse is to be worked out anew, by lot. */
export async function dirtyFrom(api: TestApi, warehouse: WarehouseView): Promise<Record<string, string>> {
  const rows = await api.rows<{ lot_id: string; from_date: string }>(
    `SELECT lot_id, from_date::text FROM wms.storage_dirty WHERE warehouse_id = $1 ORDER BY lot_id`,
    [warehouse.id],
  );
  return Object.fromEntries(rows.map(({ lot_id, from_date }) => [lot_id, from_date]));
}

/** As after a storage run: nothing is left to do. */
export async function settle(api: TestApi, warehouse: WarehouseView): Promise<void> {
  await api.rows(`DELETE FROM wms.storage_dirty WHERE warehouse_id = $1`, [warehouse.id]);
}
