import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { listOf, Routes } from '@belay/platform';
import { locationView, lotView, skuView, warehouseView, wms } from '@belay/wms';
import { z } from 'zod';
import { fresh, newHolder, newSite, outcome } from '../support/people.js';
import { TestApi } from '../support/test-api.js';
import { ifMatch, newLocation, newLot, newSku, newWarehouse, putStock } from './master-data.js';

describe('must never happen:', () => {
  let api: TestApi;
  let admin: TestApi;
  beforeAll(async () => {
    api = await TestApi.with(wms);
    admin = await api.as('admin');
  });
  afterAll(() => api.close());

  /** Signed in and holding the permission, at a site where there is no warehouse. */
  const elsewhere = async () => newHolder(api, admin, 'admin', (await newSite(admin)).id);
  /** Lists that need no more than a warehouse to be asked for. */
  const lists = () =>
    api.app
      .get(Routes)
      .all.filter(({ method, path, domain }) => domain?.name === 'wms' && method === 'GET' && !path.includes(':'));

  describe('14, unfiltered lists:', () => {
    it('without a warehouse that stands at a site of one, every list is empty', async () => {
      const warehouse = await newWarehouse(admin);
      await newLocation(admin, warehouse);
      const lot = await newLot(admin, await newSku(admin));
      await putStock(api, warehouse, lot, 60);
      const keyed = admin.withHeaders({ 'idempotency-key': fresh('key') });
      const source = { type: 'order', id: fresh('SO'), line: '1' };
      await keyed.post('/api/wms/reservations', { warehouse: warehouse.id, sku: lot.sku, units: 6, source }, 201);
      const stacking = { storageCartonsPerPallet: 36, shippingCartonsPerPallet: 16, effectiveFrom: '2025-01-01' };
      await admin.post('/api/wms/pallet-specs', { warehouse: warehouse.id, sku: lot.sku, ...stacking }, 201);

      const stranger = await elsewhere();
      const answer = z.object({ items: z.array(z.unknown()) });
      const seen = async (who: TestApi) => {
        const found: string[] = [];
        for (const { path } of lists()) {
          const response = await who.send('GET', path);
          if (response.statusCode !== 200) continue;
          if ((answer.safeParse(response.json()).data?.items.length ?? 0) > 0)
            found.push(path.replace('/api/wms/', ''));
        }
        return found.sort();
      };
      const everything = ['inventory-transactions', 'locations', 'lots', 'movements', 'pallet-specs', 'reservations'];
      expect(await seen(admin)).toEqual(expect.arrayContaining([...everything, 'skus', 'stock', 'warehouses']));
      // Goods belong to no site.
      expect(await seen(stranger)).toEqual(['lots', 'skus']);
    });

    it('nothing is answered about a warehouse that one may not see', async () => {
      const { code } = await newWarehouse(admin);
      const stranger = await elsewhere();
      const asked: string[] = [];
      for (const { path, inputs } of lists()) {
        if (!inputs.some(({ from }) => from === 'query')) continue;
        for (const more of ['', '&period=2025-01-20', '&from=2025-01-01&to=2025-01-31', '&asOf=2025-01-31']) {
          const question = `${path}?warehouse=${code}${more}`;
          if ((await outcome(admin, 'GET', question)) !== '200') continue;
          const answer: unknown = (await stranger.send('GET', question)).json();
          const nothing = [{ code: 'warehouse-not-found' }, { items: [], next: null }];
          expect([question, nothing.some((one) => isDeepStrictEqual(answer, Object.assign({}, answer, one)))]).toEqual([
            question,
            true,
          ]);
          asked.push(path.replace('/api/wms/', ''));
        }
      }
      const known = ['costs', 'inventory-transactions', 'locations', 'movements', 'stock', 'storage-ledger'];
      expect(asked).toEqual(expect.arrayContaining(known));
    });

    it('what no list shows cannot be read by its id either', async () => {
      const withId = z.object({ items: z.array(z.object({ id: z.uuid() })) });
      const stranger = await elsewhere();
      const looked: string[] = [];
      for (const { path } of lists()) {
        if (['/api/wms/lots', '/api/wms/skus'].includes(path)) continue;
        const listed = withId.safeParse((await admin.send('GET', path)).json()).data?.items[0];
        const one = api.app
          .get(Routes)
          .all.find((route) => route.method === 'GET' && route.path.startsWith(`${path}/:`));
        if (!listed || !one || one.path.split(':').length > 2) continue;
        const place = `${path}/${listed.id}`;
        expect([place, await outcome(admin, 'GET', place)]).toEqual([place, '200']);
        expect([place, await outcome(stranger, 'GET', place)]).toEqual([
          place,
          expect.stringMatching(/^404 .+-not-found$/),
        ]);
        looked.push(path.replace('/api/wms/', ''));
      }
      const known = ['locations', 'movements', 'pallet-specs', 'reservations', 'warehouses'];
      expect(looked).toEqual(expect.arrayContaining(known));
    });

    it('without grants nobody is answered by any list', async () => {
      const powerless = await api.as();
      expect(lists().length).toBeGreaterThan(5);
      for (const { path } of lists()) {
        expect([path, await outcome(powerless, 'GET', path)]).toEqual([path, '403 permission-missing']);
      }
    });

    it('no list gives everything at once', async () => {
      const sku = await newSku(admin);
      for (let n = 0; n < 51; n++) await newLot(admin, sku);
      const page = await admin.get(`/api/wms/lots?sku=${sku.id}`, 200, listOf(lotView));
      expect([page.items.length, page.next !== null]).toEqual([50, true]);
      expect(await outcome(admin, 'GET', '/api/wms/lots?limit=201')).toBe('422 invalid-request');
    });
  });

  describe('15, escaped codes and keys that collide:', () => {
    const odd = ['A/B', 'A&#x2F;B', '<b>&"\'', 'A-B::C', 'Äß 9', '50%', '../x', '日本', 'a b'];

    it.each(odd)(
      'a SKU, a lot, a warehouse and a location named %s are answered, found and searched as that',
      async (text) => {
        const code = `${text} ${fresh('')}`;
        const sku = await newSku(admin, { code });
        const lot = await newLot(admin, sku, { code });
        const warehouse = await newWarehouse(admin, { code });
        const location = await newLocation(admin, warehouse, { code });
        expect([sku.code, lot.sku, lot.code, warehouse.code, location.code]).toEqual(Array(5).fill(code));
        const given = encodeURIComponent(code);
        expect(await admin.get(`/api/wms/skus/${given}`, 200, skuView)).toEqual(sku);
        expect(await admin.get(`/api/wms/warehouses/${given}`, 200, warehouseView)).toEqual(warehouse);
        const lots = await admin.get(`/api/wms/lots?sku=${given}&search=${given}`, 200, listOf(lotView));
        expect(lots.items).toEqual([lot]);
        const places = `/api/wms/locations?warehouse=${given}&search=${given}`;
        expect((await admin.get(places, 200, listOf(locationView))).items).toEqual([location]);
        expect(await api.rows(`SELECT code FROM wms.sku WHERE id = $1`, [sku.id])).toEqual([{ code }]);
      },
    );

    it('a code of 64 signs, each of which takes nine in a path', async () => {
      const code = `${'日'.repeat(57)} ${fresh('').slice(-6)}`;
      const sku = await newSku(admin, { code });
      expect(await admin.get(`/api/wms/skus/${encodeURIComponent(code)}`, 200, skuView)).toEqual(sku);
    });

    it('a SKU and a lot whose codes run together stay apart', async () => {
      const tag = fresh('');
      const [one, two] = [await newSku(admin, { code: `A${tag}-B` }), await newSku(admin, { code: `A${tag}` })];
      const first = await newLot(admin, one, { code: 'C' });
      const second = await newLot(admin, two, { code: 'B-C' });
      expect(first.id).not.toBe(second.id);
      const { items } = await admin.get(`/api/wms/lots?sku=${one.code}`, 200, listOf(lotView));
      expect(items).toEqual([first]);
    });
  });

  it('11, a route on parameters that do not exist: a filter that nobody knows is refused', async () => {
    for (const { path, inputs } of lists()) {
      if (!inputs.some(({ from }) => from === 'query')) continue;
      expect([path, await outcome(admin, 'GET', `${path}?colour=red`)]).toEqual([path, '422 invalid-request']);
    }
  });

  it('16, audit outside the transaction: a change that fails leaves no row, and one that is made has its author', async () => {
    const [one, two] = [await newSku(admin), await newSku(admin)];
    const changed = { code: one.code };
    expect(await outcome(admin, 'PATCH', `/api/wms/skus/${two.id}`, changed, ifMatch(1))).toBe('409 master-code-taken');
    const described = { description: 'Other' };
    expect(await outcome(admin, 'PATCH', `/api/wms/skus/${two.id}`, described, ifMatch(1))).toBe('200');
    const rows = await api.rows(
      `SELECT operation, new ->> 'description' AS description, actor <> '' AS told FROM platform.audit_log
       WHERE schema_name = 'wms' AND table_name = 'sku' AND record ->> 'id' = $1 ORDER BY id`,
      [two.id],
    );
    expect(rows).toEqual([
      { operation: 'INSERT', description: 'Goods', told: true },
      { operation: 'UPDATE', description: 'Other', told: true },
    ]);
  });

  it('17, idempotency only documented: a warehouse that is asked for twenty times is made once', async () => {
    const { siteId } = await newWarehouse(admin);
    const body = { siteId, code: fresh('once'), name: 'Once', kind: 'own' };
    const asking = admin.withHeaders({ 'idempotency-key': fresh('key') });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => asking.send('POST', '/api/wms/warehouses', body)),
    );
    const made = answers.map((answer) => ({
      status: answer.statusCode,
      id: z.object({ id: z.uuid() }).parse(answer.json()).id,
    }));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === 'true')).toHaveLength(19);
    expect(await api.rows(`SELECT FROM wms.warehouse WHERE code = $1`, [body.code])).toHaveLength(1);
  });

  it('20, a warehouse whose kind is told by its name', async () => {
    const { siteId } = await newWarehouse(admin);
    const body = { siteId, code: fresh('AMZN FBA'), name: 'Amazon FBA' };
    expect(await outcome(admin, 'POST', '/api/wms/warehouses', body)).toBe('422 invalid-request');
    expect(await newWarehouse(admin, { ...body, kind: 'own' })).toMatchObject({ kind: 'own' });
  });

  it('21, a stack trace in an answer', async () => {
    for (const path of [
      '/api/wms/warehouses/%00',
      '/api/wms/skus/%E0%A4%A',
      '/api/wms/lots/x',
      '/api/wms/lots?cursor=W10',
    ]) {
      const answer = await admin.send('GET', path);
      expect(answer.statusCode).toBeGreaterThanOrEqual(400);
      expect(answer.statusCode).toBeLessThan(500);
      expect(answer.body).not.toMatch(/\.[jt]s:\d+|node_modules|at \w+\.\w+ \(/);
    }
  });
});
