import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { listOf } from '@belay/platform';
import { stockView, warehouseView, wms } from '@belay/wms';
import { fresh, newHolder, newSite, outcome } from '../support/people.js';
import { TestApi } from '../support/test-api.js';
import { defaultLocation, dirtyFrom, ifMatch, newLot, newSku, newWarehouse, putStock, settle } from './master-data.js';

const path = '/api/wms/warehouses';

describe('warehouses', () => {
  let api: TestApi;
  let admin: TestApi;
  beforeAll(async () => {
    api = await TestApi.with(wms);
    admin = await api.as('admin');
  });
  afterAll(() => api.close());

  const change = (id: string, version: number, body: object, who = admin) =>
    outcome(who, 'PATCH', `${path}/${id}`, body, ifMatch(version));

  it('keep what they are given, and have a zone, a billing cycle and a snapshot day when they are given none', async () => {
    const site = await newSite(admin, { timeZone: 'America/Los_Angeles' });
    const given = {
      siteId: site.id,
      code: fresh('FMC'),
      name: 'Forwarder',
      kind: 'third_party',
      address: { line1: '1 Quay', city: 'Felixstowe', country: 'GB' },
      lat: 51.9617,
      lon: 1.3511,
      contactEmail: 'desk@forwarder.example',
      contactPhone: '+441394000000',
    };
    const warehouse = await admin.post(path, given, 201, warehouseView);
    expect(warehouse).toMatchObject({
      ...given,
      timezone: 'America/Los_Angeles',
      currency: 'GBP',
      billingCycleStartDay: 16,
      storageSnapshotIsodow: 1,
      blockOnMissingRate: false,
      reconAbsTolerance: '0.01',
      reconPctTolerance: '0.0000',
      closedThrough: null,
      isActive: true,
    });
    expect(await admin.get(`${path}/${warehouse.id}`, 200, warehouseView)).toEqual(warehouse);
    expect(await admin.get(`${path}/${warehouse.code.toLowerCase()}`, 200, warehouseView)).toEqual(warehouse);
  });

  it('begin as the configuration says', async () => {
    const config = { WMS_BILLING_CYCLE_START: 1, WMS_STORAGE_CALCULATION_DAY: 7, WMS_DEFAULT_TIMEZONE: 'Europe/Paris' };
    const other = await TestApi.start({ config }, wms);
    const warehouse = await newWarehouse(await other.as('admin'));
    expect(warehouse).toMatchObject({ billingCycleStartDay: 1, storageSnapshotIsodow: 7, timezone: 'Europe/Paris' });
    await other.close();
  });

  it('begin with one location, DEFAULT', async () => {
    const warehouse = await newWarehouse(admin);
    expect(await defaultLocation(admin, warehouse)).toMatchObject({ type: 'zone', isPickable: true, isActive: true });
  });

  it('share no code, whatever its case and however many try at once', async () => {
    const { id: siteId } = await newSite(admin);
    const code = fresh('Same');
    const add = (text: string) => outcome(admin, 'POST', path, { siteId, code: text, name: 'Same', kind: 'own' });
    const answers = await Promise.all([code, code.toUpperCase(), code.toLowerCase()].map(add));
    expect(answers.sort()).toEqual(['201', '409 master-code-taken', '409 master-code-taken']);
  });

  it.each([
    ['a zone that is none', { timezone: 'Europe/Lundun' }],
    ['a zone that is a file', { timezone: 'posix/Europe/London' }],
    ['a currency of three decimals', { currency: 'KWD' }],
    ['a currency in small letters', { currency: 'gbp' }],
    ['a cycle from day 0', { billingCycleStartDay: 0 }],
    ['a cycle from day 29', { billingCycleStartDay: 29 }],
    ['a snapshot on day 0', { storageSnapshotIsodow: 0 }],
    ['a snapshot on day 8', { storageSnapshotIsodow: 8 }],
    ['a latitude beyond the pole', { lat: 90.1 }],
    ['a longitude beyond the date line', { lon: -180.1 }],
    ['a tolerance that is a number', { reconAbsTolerance: 0.01 }],
    ['a negative tolerance', { reconAbsTolerance: '-0.01' }],
    ['a tolerance of a tenth of a penny', { reconAbsTolerance: '0.001' }],
    ['100 percent of tolerance', { reconPctTolerance: '100' }],
    ['a kind that nobody knows', { kind: 'garage' }],
    ['a code that is an id', { code: randomUUIDv7() }],
    ['a code of 65 characters', { code: 'x'.repeat(65) }],
    ['a code that is blank', { code: '  ' }],
    ['a field that nobody knows', { colour: 'red' }],
    ['a site that is none', { siteId: randomUUIDv7() }],
  ])('are refused with %s', async (_, details) => {
    const { id: siteId } = await newSite(admin);
    const body = { siteId, code: fresh('bad'), name: 'Bad', kind: 'own', ...details };
    expect(await outcome(admin, 'POST', path, body)).toBe('422 invalid-request');
  });

  it.each([
    { billingCycleStartDay: 1 },
    { billingCycleStartDay: 28 },
    { storageSnapshotIsodow: 7 },
    { lat: -90, lon: 180 },
    { reconAbsTolerance: '999999999999.99', reconPctTolerance: '99.9999' },
    { currency: 'JPY' },
    { timezone: 'Asia/Kolkata' },
    { code: `${'x'.repeat(57)}-${fresh('').slice(-6)}` },
  ])('are taken with %j', async (details) => {
    expect(await newWarehouse(admin, details)).toMatchObject(details);
  });

  it('stand at a site that is in use', async () => {
    const site = await newSite(admin);
    await admin.withHeaders(ifMatch(1)).patch(`/api/directory/sites/${site.id}`, { active: false });
    const body = { siteId: site.id, code: fresh('W'), name: 'W', kind: 'own' };
    expect(await outcome(admin, 'POST', path, body)).toBe('409 inactive-master-data');
  });

  it('are changed by whoever has read their last version', async () => {
    const { id } = await newWarehouse(admin);
    expect(await outcome(admin, 'PATCH', `${path}/${id}`, { name: 'New' })).toBe('428 precondition-required');
    const answer = await admin.send('PATCH', `${path}/${id}`, { name: 'New' }, ifMatch(1));
    expect([answer.statusCode, answer.headers.etag]).toEqual([200, '"2"']);
    expect(await change(id, 1, { name: 'Newer' })).toBe('412 precondition-failed');
    const both = await Promise.all([change(id, 2, { name: 'One' }), change(id, 2, { name: 'Other' })]);
    expect(both.sort()).toEqual(['200', '412 precondition-failed']);
  });

  it('keep their code: it is part of the numbers of their documents', async () => {
    const { id } = await newWarehouse(admin);
    expect(await change(id, 1, { code: 'OTHER' })).toBe('422 invalid-request');
  });

  it('go out of use once they are empty, and come back', async () => {
    const warehouse = await newWarehouse(admin);
    const lot = await newLot(admin, await newSku(admin));
    await putStock(api, warehouse, lot, 5);
    expect(await change(warehouse.id, 1, { isActive: false })).toBe('409 still-in-stock');
    await putStock(api, warehouse, lot, -5);
    expect(await change(warehouse.id, 1, { isActive: false })).toBe('200');
    const body = { warehouse: warehouse.code, code: 'A', type: 'bin' };
    expect(await outcome(admin, 'POST', '/api/wms/locations', body)).toBe('409 inactive-master-data');
    expect(await change(warehouse.id, 2, { isActive: true })).toBe('200');
    expect(await outcome(admin, 'POST', '/api/wms/locations', body)).toBe('201');
  });

  it('keep the terms by which costs were worked out', async () => {
    const { id } = await newWarehouse(admin);
    expect(await change(id, 1, { currency: 'EUR', billingCycleStartDay: 1, storageSnapshotIsodow: 2 })).toBe('200');
    await api.rows(
      `INSERT INTO wms.invoice (id, warehouse_id, number, period_start, period_end, issued_on, due_on, currency, net, tax, total, created_by)
       VALUES ($1, $2, 'INV-1', '2025-01-01', '2025-01-31', '2025-02-01', '2025-03-01', 'EUR', 0, 0, 0, $1)`,
      [randomUUIDv7(), id],
    );
    for (const terms of [{ currency: 'GBP' }, { billingCycleStartDay: 16 }, { storageSnapshotIsodow: 1 }]) {
      expect(await change(id, 2, terms)).toBe('409 billing-terms-frozen');
    }
    expect(await change(id, 2, { currency: 'EUR', name: 'The same terms' })).toBe('200');
  });

  it('have all storage since the last close worked out anew when their zone changes', async () => {
    const warehouse = await newWarehouse(admin);
    const [early, late] = [await newLot(admin, await newSku(admin)), await newLot(admin, await newSku(admin))];
    await putStock(api, warehouse, early, 5, { at: '2025-01-06T09:30:00Z' });
    await putStock(api, warehouse, late, 5, { at: '2025-03-03T09:30:00Z' });
    await settle(api, warehouse);

    expect(await change(warehouse.id, 1, { timezone: 'Europe/London' })).toBe('200');
    expect(await dirtyFrom(api, warehouse)).toEqual({});
    expect(await change(warehouse.id, 1, { timezone: 'Pacific/Auckland' })).toBe('200');
    // A zone may move a posting by a day, so the days around the first one are looked at too.
    expect(await dirtyFrom(api, warehouse)).toEqual({ [early.id]: '2025-01-04', [late.id]: '2025-03-01' });

    await settle(api, warehouse);
    await api.rows(`UPDATE wms.warehouse SET closed_through = '2025-02-15' WHERE id = $1`, [warehouse.id]);
    expect(await change(warehouse.id, 3, { timezone: 'Europe/London' })).toBe('200');
    expect(await dirtyFrom(api, warehouse)).toEqual({ [early.id]: '2025-02-16', [late.id]: '2025-03-01' });
  });

  it('count what was posted around the end of a closed day once, also when their zone changes', async () => {
    const warehouse = await newWarehouse(admin);
    const lot = await newLot(admin, await newSku(admin));
    await putStock(api, warehouse, lot, 5, { at: '2025-01-10T09:30:00Z' });
    await putStock(api, warehouse, lot, 3, { at: '2025-01-15T20:00:00Z' });
    await api.rows(
      `INSERT INTO wms.stock_close (warehouse_id, closed_on, location_id, lot_id, stock_status, qty, last_seq)
       SELECT warehouse_id, '2025-01-15', location_id, lot_id, stock_status, on_hand, last_seq
       FROM wms.stock_balance WHERE lot_id = $1`,
      [lot.id],
    );
    await api.rows(`UPDATE wms.warehouse SET closed_through = '2025-01-15' WHERE id = $1`, [warehouse.id]);
    const closed = () => api.rows(`SELECT closed_on::text AS on, qty FROM wms.stock_close WHERE lot_id = $1`, [lot.id]);
    const asOf = async (day: string) => {
      const found = await admin.get(`/api/wms/stock?warehouse=${warehouse.code}&asOf=${day}`, 200, listOf(stockView));
      return found.items.map(({ onHand }) => onHand);
    };
    expect([await closed(), await asOf('2025-01-16')]).toEqual([[{ on: '2025-01-15', qty: '8' }], [8]]);
    expect(await change(warehouse.id, 2, { timezone: 'Pacific/Auckland' })).toBe('200');
    expect([await closed(), await asOf('2025-01-15'), await asOf('2025-01-16')]).toEqual([
      [{ on: '2025-01-15', qty: '5' }],
      [5],
      [8],
    ]);
  });

  it('announce what others must know of them, and who did it', async () => {
    const warehouse = await newWarehouse(admin);
    await change(warehouse.id, 1, { timezone: 'Asia/Kolkata' });
    const facts = await api.rows(
      `SELECT name, body FROM platform.outbox WHERE body ->> 'warehouseId' = $1 ORDER BY id`,
      [warehouse.id],
    );
    const body = { warehouseId: warehouse.id, siteId: warehouse.siteId, code: warehouse.code, isActive: true };
    expect(facts).toEqual([
      { name: 'wms.warehouse.changed', body: { ...body, timezone: 'Europe/London' } },
      { name: 'wms.warehouse.changed', body: { ...body, timezone: 'Asia/Kolkata' } },
    ]);
    const changes = await api.rows(
      `SELECT l.operation, l.actor IS NOT NULL AS told FROM platform.audit_log l
       WHERE l.schema_name = 'wms' AND l.table_name = 'warehouse' AND l.record ->> 'id' = $1 ORDER BY l.id`,
      [warehouse.id],
    );
    expect(changes).toEqual([
      { operation: 'INSERT', told: true },
      { operation: 'UPDATE', told: true },
    ]);
  });

  it('are listed by code, without skipping or repeating one while others are added', async () => {
    const tag = fresh('page');
    const { id: siteId } = await newSite(admin);
    const expected: string[] = [];
    for (let n = 0; n < 7; n++) expected.push((await newWarehouse(admin, { siteId, code: `m${n}-${tag}` })).id);
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = await admin.get(`${path}?search=${tag}&limit=2${cursor}`, 200, listOf(warehouseView));
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next === null ? '' : `&cursor=${page.next}`;
      await newWarehouse(admin, { siteId, code: `${fresh('a')}-${tag}` });
    } while (cursor !== '' && seen.length < 50);
    expect(seen).toEqual(expected);
  });

  it('are found by site, kind and whether they are in use', async () => {
    const { id: siteId } = await newSite(admin);
    const own = await newWarehouse(admin, { siteId, kind: 'own' });
    const fba = await newWarehouse(admin, { siteId, kind: 'amazon_fba' });
    await change(fba.id, 1, { isActive: false });
    const found = async (query: string) =>
      (await admin.get(`${path}?site=${siteId}&${query}`, 200, listOf(warehouseView))).items.map(({ id }) => id);
    expect(await found('kind=own')).toEqual([own.id]);
    expect(await found('active=false')).toEqual([fba.id]);
    expect((await found('')).sort()).toEqual([own.id, fba.id].sort());
    expect(await outcome(admin, 'GET', `${path}?limit=201`)).toBe('422 invalid-request');
    expect(await outcome(admin, 'GET', `${path}?limit=200`)).toBe('200');
  });

  describe('at other sites', () => {
    it('are not there to be read, and only those at sites of one are listed', async () => {
      const [here, there] = [await newWarehouse(admin), await newWarehouse(admin)];
      const local = await newHolder(api, admin, 'supervisor', here.siteId);
      expect(await outcome(local, 'GET', `${path}/${here.code}`)).toBe('200');
      expect(await outcome(local, 'GET', `${path}/${there.code}`)).toBe('404 warehouse-not-found');
      expect(await outcome(local, 'GET', `${path}/${there.id}`)).toBe('404 warehouse-not-found');
      expect(await outcome(local, 'GET', `${path}/${randomUUIDv7()}`)).toBe('404 warehouse-not-found');
      const { items } = await local.get(path, 200, listOf(warehouseView));
      expect(items.map(({ id }) => id)).toEqual([here.id]);
      const foreign = await local.get(`${path}?site=${there.siteId}`, 200, listOf(warehouseView));
      expect(foreign.items).toEqual([]);
    });

    it('are not changed, and who may only read one is told so', async () => {
      const [here, there] = [await newWarehouse(admin), await newWarehouse(admin)];
      const local = await newHolder(api, admin, 'supervisor', here.siteId);
      expect(await change(here.id, 1, { name: 'Mine' }, local)).toBe('200');
      expect(await change(there.id, 1, { name: 'Mine' }, local)).toBe('404 warehouse-not-found');
      expect(await change(here.id, 2, { siteId: there.siteId }, local)).toBe('403 permission-missing');
      const body = { siteId: there.siteId, code: fresh('W'), name: 'W', kind: 'own' };
      expect(await outcome(local, 'POST', path, body)).toBe('403 permission-missing');
      const viewer = await newHolder(api, admin, 'viewer', here.siteId);
      expect(await change(here.id, 2, { name: 'Mine' }, viewer)).toBe('403 permission-missing');
    });
  });
});
