import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { listOf } from '@belay/platform';
import { locationView, wms, type WarehouseView } from '@belay/wms';
import { newHolder, outcome } from '../support/people.js';
import { TestApi } from '../support/test-api.js';
import {
  defaultLocation,
  dirtyFrom,
  ifMatch,
  newLocation,
  newLot,
  newSku,
  newWarehouse,
  putStock,
  settle,
} from './master-data.js';

const path = '/api/wms/locations';

describe('locations', () => {
  let api: TestApi;
  let admin: TestApi;
  let warehouse: WarehouseView;
  beforeAll(async () => {
    api = await TestApi.with(wms);
    admin = await api.as('admin');
    warehouse = await newWarehouse(admin);
  });
  afterAll(() => api.close());

  const change = (id: string, version: number, body: object, who = admin) =>
    outcome(who, 'PATCH', `${path}/${id}`, body, ifMatch(version));

  it('are places within places of one warehouse', async () => {
    const zone = await newLocation(admin, warehouse, { type: 'zone' });
    const rack = await newLocation(admin, warehouse, { type: 'rack', parent: zone.code.toLowerCase() });
    const bin = await newLocation(admin, warehouse, { parent: rack.id, capacityUnits: Number.MAX_SAFE_INTEGER });
    expect([rack.parentId, bin.parentId, bin.capacityUnits]).toEqual([zone.id, rack.id, Number.MAX_SAFE_INTEGER]);
    const { items } = await admin.get(`${path}?parent=${zone.id}`, 200, listOf(locationView));
    expect(items).toEqual([rack]);
  });

  it('cannot be inside a place of another warehouse', async () => {
    const foreign = await newLocation(admin, await newWarehouse(admin));
    for (const parent of [foreign.id, foreign.code]) {
      const body = { warehouse: warehouse.code, code: 'X', type: 'bin', parent };
      expect(await outcome(admin, 'POST', path, body)).toBe('422 invalid-request');
    }
  });

  it('cannot be inside themselves, not even when two are moved at once', async () => {
    const one = await newLocation(admin, warehouse);
    const two = await newLocation(admin, warehouse, { parent: one.id });
    const three = await newLocation(admin, warehouse, { parent: two.id });
    expect(await change(one.id, 1, { parent: one.id })).toBe('422 invalid-request');
    expect(await change(one.id, 1, { parent: three.id })).toBe('422 invalid-request');
    expect(await change(two.id, 1, { parent: null })).toBe('200');
    const answers = await Promise.all([
      change(one.id, 1, { parent: three.id }),
      change(three.id, 1, { parent: one.id }),
    ]);
    expect(answers.sort()).toEqual(['200', '422 invalid-request']);
  });

  it('share no code in a warehouse, whatever its case, and may with those of another', async () => {
    const { code } = await newLocation(admin, warehouse, { code: 'Bay-1' });
    const add = (to: WarehouseView, text: string) =>
      outcome(admin, 'POST', path, { warehouse: to.id, code: text, type: 'bin' });
    expect(await add(warehouse, code.toUpperCase())).toBe('409 master-code-taken');
    expect(await add(await newWarehouse(admin), code)).toBe('201');
    const other = await newLocation(admin, warehouse);
    expect(await change(other.id, 1, { code: 'BAY-1' })).toBe('409 master-code-taken');
  });

  it.each(['dock', 'staging', 'virtual'])('of the type %s are not picked from', async (type) => {
    expect((await newLocation(admin, warehouse, { type })).isPickable).toBe(false);
    const body = { warehouse: warehouse.id, code: 'P', type, isPickable: true };
    expect(await outcome(admin, 'POST', path, body)).toBe('422 invalid-request');
    const bin = await newLocation(admin, warehouse);
    expect(await change(bin.id, 1, { type, isPickable: true })).toBe('422 invalid-request');
    expect(await change(bin.id, 1, { type })).toBe('200');
    expect((await admin.get(`${path}/${bin.id}`, 200, locationView)).isPickable).toBe(false);
  });

  it('are changed under their version, and go out of use when they are empty', async () => {
    const bin = await newLocation(admin, warehouse);
    const lot = await newLot(admin, await newSku(admin));
    await putStock(api, warehouse, lot, 3, { locationId: bin.id });
    expect(await outcome(admin, 'PATCH', `${path}/${bin.id}`, {})).toBe('428 precondition-required');
    expect(await change(bin.id, 1, { isActive: false })).toBe('409 still-in-stock');
    await putStock(api, warehouse, lot, -3, { locationId: bin.id });
    expect(await change(bin.id, 1, { isActive: false, capacityUnits: 10 })).toBe('200');
    expect(await change(bin.id, 1, { isActive: true })).toBe('412 precondition-failed');
    const body = { warehouse: warehouse.id, code: 'in-it', type: 'bin', parent: bin.id };
    expect(await outcome(admin, 'POST', path, body)).toBe('422 invalid-request');
  });

  it('always have a DEFAULT among them', async () => {
    const { id } = await defaultLocation(admin, warehouse);
    for (const body of [{ code: 'MAIN' }, { isActive: false }, { type: 'virtual' }]) {
      expect(await change(id, 1, body)).toBe('409 default-location-needed');
    }
    expect(await change(id, 1, { pickPriority: 5, type: 'staging' })).toBe('200');
    expect(await change(id, 2, { type: 'zone', isPickable: true })).toBe('200');
  });

  it('that become virtual, or real, have the storage of what is there worked out anew', async () => {
    const own = await newWarehouse(admin);
    const bin = await newLocation(admin, own);
    const [here, elsewhere] = [await newLot(admin, await newSku(admin)), await newLot(admin, await newSku(admin))];
    await putStock(api, own, here, 5, { locationId: bin.id, at: '2025-01-06T09:30:00Z' });
    await putStock(api, own, elsewhere, 5, { at: '2025-01-06T09:30:00Z' });
    await settle(api, own);
    expect(await change(bin.id, 1, { type: 'rack' })).toBe('200');
    expect(await dirtyFrom(api, own)).toEqual({});
    expect(await change(bin.id, 2, { type: 'virtual' })).toBe('200');
    expect(await dirtyFrom(api, own)).toEqual({ [here.id]: '2025-01-04' });
  });

  it.each([
    ['a type that nobody knows', { type: 'shelf' }],
    ['no room at all', { capacityUnits: 0 }],
    ['more room than can be counted', { capacityUnits: Number.MAX_SAFE_INTEGER + 1 }],
    ['a priority below zero', { pickPriority: -1 }],
    ['no code', { code: '' }],
  ])('are refused with %s', async (_, details) => {
    const body = { warehouse: warehouse.id, code: 'bad', type: 'bin', ...details };
    expect(await outcome(admin, 'POST', path, body)).toBe('422 invalid-request');
  });

  it('are listed by warehouse and code, page by page', async () => {
    const own = await newWarehouse(admin);
    const codes = ['a1', 'A2', 'b1'];
    for (const code of codes.toReversed()) await newLocation(admin, own, { code });
    const first = await admin.get(`${path}?warehouse=${own.code}&limit=2`, 200, listOf(locationView));
    const rest = await admin.get(`${path}?warehouse=${own.id}&cursor=${first.next}`, 200, listOf(locationView));
    expect([...first.items, ...rest.items].map(({ code }) => code)).toEqual([...codes, 'DEFAULT']);
    const bins = await admin.get(`${path}?warehouse=${own.code}&type=bin&search=1`, 200, listOf(locationView));
    expect(bins.items.map(({ code }) => code)).toEqual(['a1', 'b1']);
    expect(await outcome(admin, 'GET', `${path}?warehouse=${randomUUIDv7()}`)).toBe('404 warehouse-not-found');
    expect(await outcome(admin, 'GET', `${path}?cursor=nonsense`)).toBe('422 invalid-request');
  });

  it('of other sites are neither seen nor changed', async () => {
    const [here, there] = [await newWarehouse(admin), await newWarehouse(admin)];
    const [mine, theirs] = [await newLocation(admin, here), await newLocation(admin, there)];
    const local = await newHolder(api, admin, 'supervisor', here.siteId);
    expect(await outcome(local, 'GET', `${path}/${mine.id}`)).toBe('200');
    expect(await outcome(local, 'GET', `${path}/${theirs.id}`)).toBe('404 location-not-found');
    expect(await change(theirs.id, 1, { code: 'mine' }, local)).toBe('404 location-not-found');
    const body = { warehouse: there.code, code: 'mine', type: 'bin' };
    expect(await outcome(local, 'POST', path, body)).toBe('404 warehouse-not-found');
    expect(await outcome(local, 'GET', `${path}?warehouse=${there.code}`)).toBe('404 warehouse-not-found');
    const { items } = await local.get(path, 200, listOf(locationView));
    expect(new Set(items.map(({ warehouseId }) => warehouseId))).toEqual(new Set([here.id]));
    const viewer = await newHolder(api, admin, 'viewer', here.siteId);
    expect(await change(mine.id, 1, { code: 'mine' }, viewer)).toBe('403 permission-missing');
  });
});
