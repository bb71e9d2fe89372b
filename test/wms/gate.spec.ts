import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { directory } from '@belay/directory';
import { Caller, Jobs, Queues, Routes, type Route } from '@belay/platform';
import { skuView, wms, type LotView, type WarehouseView } from '@belay/wms';
import { z } from 'zod';
import { startWorker, type RunningWorker } from '../../apps/worker/src/worker.js';
import { settleStorage } from '../../libs/wms/src/charges/catch-up.contract.js';
import { FlagsFile } from '../gate/flags-file.js';
import { eventually } from '../support/eventually.js';
import { fresh, outcome } from '../support/people.js';
import { TestApi } from '../support/test-api.js';
import { ifMatch, newLot, newSku, newWarehouse, putStock } from './master-data.js';

const flagNames = ['enable_wms_module', 'wms_write', 'wms_finance'];
const ofStock = /^wms\.(master|inventory|reservation|count):/;
const ofCosts = /^wms\.(rate|cost|period|invoice|dispute):/;
const method = z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);

describe('the warehouse module', () => {
  let flags: FlagsFile;
  let api: TestApi;
  let admin: TestApi;
  let warehouse: WarehouseView;
  let lot: LotView;
  beforeAll(async () => {
    flags = new FlagsFile([directory, wms], flagNames);
    api = await TestApi.start({ config: { FLAGS_FILE: flags.path } }, wms);
    admin = await api.as('admin');
    warehouse = await newWarehouse(admin);
    lot = await newLot(admin, await newSku(admin));
    await putStock(api, warehouse, lot, 5, { at: '2025-01-06T09:30:00Z' });
  });
  afterAll(async () => {
    await api.close();
    flags.remove();
  });
  beforeEach(async () => {
    for (const flag of flagNames) flags.set(flag, { enabled: true, variants: [] });
    await answers('POST', '/api/wms/skus', '422 invalid-request');
  });

  const routes = (holds: (route: Route) => boolean = () => true) =>
    api.app.get(Routes).all.filter((route) => route.domain?.name === 'wms' && holds(route));
  /** The ledger is never rewritten, whatever is on. */
  const refusing = /\/(movements|inventory-transactions)\/:\w+$/;
  const writes = (permission: RegExp) =>
    routes(
      ({ method, path, access }) =>
        method !== 'GET' &&
        !(['PUT', 'DELETE'].includes(method) && refusing.test(path)) &&
        access.kind === 'permission' &&
        permission.test(access.permission),
    );
  const answer = (route: Route) => outcome(admin, method.parse(route.method), route.path, {});
  /** Until the flag has reached the process. */
  const answers = (how: 'GET' | 'POST', path: string, expected: string) =>
    eventually(async () => {
      expect(await outcome(admin, how, path, how === 'POST' ? {} : undefined)).toBe(expected);
    });
  const sku = (): object => ({ code: fresh('SKU'), description: 'Goods', defaultUnitsPerCarton: 1 });
  const newSpec = (to: WarehouseView, of: LotView) =>
    admin.post(
      '/api/wms/pallet-specs',
      {
        warehouse: to.id,
        sku: of.skuId,
        storageCartonsPerPallet: 36,
        shippingCartonsPerPallet: 16,
        effectiveFrom: '2025-01-01',
      },
      201,
    );
  const newRate = (of: WarehouseView) =>
    admin.post(
      '/api/wms/rates',
      {
        warehouse: of.code,
        category: 'Storage',
        name: 'Storage cost per pallet / week',
        basis: 'pallet_week',
        value: '3.90',
        currency: 'GBP',
        effectiveFrom: '2025-01-01',
        effectiveTo: null,
      },
      201,
    );
  const weeks = (of: LotView) =>
    api.rows(`SELECT snapshot_on::text AS on, amount FROM wms.storage_ledger WHERE lot_id = $1 ORDER BY snapshot_on`, [
      of.id,
    ]);
  /** Everything the module keeps, counted and hashed. */
  const kept = async () => {
    const tables = await api.rows<{ name: string }>(
      `SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = 'wms'::regnamespace AND c.relkind = 'r' ORDER BY 1`,
    );
    return Promise.all(
      tables.map(({ name }) =>
        api.rows(`SELECT '${name}' AS name, count(*), sum(hashtextextended(t::text, 0)) FROM wms.${name} t`),
      ),
    );
  };

  it('is gone when it is off, whatever is asked, and nothing else is', async () => {
    const before = await kept();
    flags.off('enable_wms_module');
    await answers('GET', '/api/wms/warehouses', '404 module-off');
    expect(routes().length).toBeGreaterThan(20);
    for (const route of routes()) expect([route.path, await answer(route)]).toEqual([route.path, '404 module-off']);
    expect(await outcome(admin, 'GET', '/api/directory/sites')).toBe('200');
    expect(await kept()).toEqual(before);
  });

  it('goes on where it was when it is on again', async () => {
    const known = await newSku(admin);
    flags.off('enable_wms_module');
    await answers('GET', '/api/wms/skus', '404 module-off');
    flags.on('enable_wms_module');
    await answers('GET', '/api/wms/skus', '200');
    expect(await admin.get(`/api/wms/skus/${known.code}`, 200, skuView)).toEqual(known);
    expect(await outcome(admin, 'PATCH', `/api/wms/skus/${known.id}`, { description: 'On' }, ifMatch(1))).toBe('200');
  });

  it('can be read and not written without wms_write, costs apart', async () => {
    flags.off('wms_write');
    await answers('POST', '/api/wms/skus', '404 feature-off');
    for (const path of ['warehouses', 'locations', 'skus', 'lots', 'pallet-specs', 'lot-stock']) {
      expect(await outcome(admin, 'GET', `/api/wms/${path}`)).toBe('200');
    }
    expect(writes(ofStock).length).toBeGreaterThan(15);
    for (const route of writes(ofStock)) {
      expect([route.method, route.path, await answer(route)]).toEqual([route.method, route.path, '404 feature-off']);
    }
    expect(writes(ofCosts).length).toBeGreaterThan(10);
    for (const route of writes(ofCosts)) expect(await answer(route)).not.toBe('404 feature-off');
  });

  it('has no costs without wms_finance, and everything else', async () => {
    flags.off('wms_finance');
    await answers('GET', '/api/wms/rates', '404 feature-off');
    for (const route of writes(ofCosts)) {
      expect([route.method, route.path, await answer(route)]).toEqual([route.method, route.path, '404 feature-off']);
    }
    for (const route of writes(ofStock)) expect(await answer(route)).not.toBe('404 feature-off');
    expect(await outcome(admin, 'POST', '/api/wms/skus', sku())).toBe('201');
  });

  it.each([
    ['read_only', '403 feature-read-only'],
    ['drain', '403 feature-draining'],
  ])('in mode %s is read and begins nothing', async (mode, refused) => {
    for (const flag of ['enable_wms_module', 'wms_write']) {
      flags.mode(flag, mode);
      await answers('POST', '/api/wms/skus', refused);
      expect(await outcome(admin, 'GET', '/api/wms/skus')).toBe('200');
      expect(await outcome(admin, 'POST', '/api/directory/sites', {})).toBe('422 invalid-request');
      flags.mode(flag, 'on');
      await answers('POST', '/api/wms/skus', '422 invalid-request');
    }
  });

  it('in mode drain lets what is open be finished, and only that', async () => {
    flags.mode('enable_wms_module', 'drain');
    await answers('POST', '/api/wms/skus', '403 feature-draining');
    const finishing: string[] = [];
    for (const route of writes(/^wms\./)) {
      if ((await answer(route)) !== '403 feature-draining') finishing.push(route.path.replace('/api/wms/', ''));
    }
    expect(finishing).toEqual(
      expect.arrayContaining([
        'reservations/:id/fulfil',
        'reservations/:id/release',
        'movements/:id/reverse',
        'counts/:id/post',
        'invoices/:id/decide',
        'invoices/:id/approve',
        'invoices/:id/payments',
        'disputes/:id/resolve',
      ]),
    );
    expect(finishing.filter((path) => !path.includes('/:id'))).toEqual([]);
  });

  describe('in the worker', () => {
    let worker: RunningWorker;
    beforeAll(async () => {
      worker = await startWorker({ config: api.config, domains: [directory, wms] });
    });
    afterAll(() => worker.close());

    const booted = (expected: boolean) =>
      eventually(() => {
        expect(worker.runtime.presence.booted.includes('wms')).toBe(expected);
      });

    it('stops its jobs when it is off, while those of others go on, and then makes up for every week', async () => {
      const queue = () => api.app.get(Queues).counts('wms');
      const idle = () =>
        eventually(async () => {
          expect(await queue()).toMatchObject({ waiting: 0, active: 0, delayed: 0, failed: 0 });
        }, 20_000);
      await booted(true);
      await newSpec(warehouse, lot);
      await newRate(warehouse);
      await idle();
      flags.off('enable_wms_module');
      await booted(false);
      expect(worker.runtime.presence.booted).toContain('directory');

      const late = await api.rows<{ id: string }>(
        `INSERT INTO wms.lot (id, sku_id, code, units_per_carton, created_by)
         VALUES (gen_random_uuid(), $1, 'late', 60, $1) RETURNING id`,
        [lot.skuId],
      );
      const second = { ...lot, id: late[0]?.id ?? '' };
      await putStock(api, warehouse, second, 5, { at: '2025-01-06T09:30:00Z' });
      const asked = { warehouseId: warehouse.id };
      await api.app.get(Jobs).addNow(Caller.system('test'), settleStorage, asked, { id: 'settle' });
      await sleep(1_500);
      expect([await queue(), await weeks(second)]).toEqual([expect.objectContaining({ waiting: 1, active: 0 }), []]);

      flags.on('enable_wms_module');
      await booted(true);
      await idle();
      const due = await api.rows(
        `SELECT day::date::text AS on, '3.90' AS amount
         FROM generate_series(timestamp '2025-01-06', now() AT TIME ZONE 'Europe/London' - interval '26 hours',
                              interval '7 days') AS day`,
      );
      expect(due.length).toBeGreaterThan(90);
      expect(await weeks(second)).toEqual(due);
    });
  });
});
