import { nodeLimits, workCenterView, type WorkCenterView } from '@belay/production';
import { listOf } from '@belay/platform';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fresh, newHolder, newSite, outcome } from '../support/people.js';
import type { TestApi } from '../support/test-api.js';
import { operation, Workshop } from './workshop.js';

const centers = '/api/production/work-centers';
const unlimited = { wipLimit: null, concurrencyLimit: null, queueLimit: null };

describe('limits', () => {
  let shop: Workshop;
  let manager: TestApi;
  beforeAll(async () => {
    shop = await Workshop.open();
    manager = await shop.api.as('manager');
  });
  afterAll(() => shop.close());

  const limitsOf = async (graphId: string) =>
    (await manager.get(`/api/production/limits/${graphId}`, 200, nodeLimits)).items;
  const set = (graphId: string, version: number, limits: object) =>
    outcome(manager, 'PUT', `/api/production/limits/${graphId}/CUT`, limits, { 'if-match': `"${version}"` });
  const wakes = async (scope: string) =>
    (
      await shop.api.rows(
        `SELECT FROM platform.outbox WHERE name = 'production.queue-wake' AND body ->> 'scope' = $1`,
        [scope],
      )
    ).length;

  describe('of a node', () => {
    it('are the designer’s until somebody sets them by hand', async () => {
      const { graphId } = await shop.linear(operation('CUT', { wipLimit: 10, concurrencyLimit: 3 }), 'SEW');
      expect(await limitsOf(graphId)).toEqual([
        {
          graphId,
          nodeCode: 'CUT',
          wipLimit: 10,
          concurrencyLimit: 3,
          queueLimit: null,
          source: 'design',
          rowVersion: 1,
        },
        { graphId, nodeCode: 'SEW', ...unlimited, source: 'design', rowVersion: 1 },
      ]);

      await publishCut(graphId, { wipLimit: 20 });
      expect((await limitsOf(graphId))[0]).toMatchObject({ wipLimit: 20, concurrencyLimit: null, rowVersion: 2 });
      expect(await set(graphId, 2, { ...unlimited, queueLimit: 5 })).toBe('200');
      await publishCut(graphId, { wipLimit: 30 });
      expect((await limitsOf(graphId))[0]).toMatchObject({
        wipLimit: null,
        queueLimit: 5,
        source: 'manual',
        rowVersion: 3,
      });
    });

    it('are set by whoever read them last, and whoever waits there is looked at again', async () => {
      const { graphId } = await shop.linear('CUT');
      const scope = `node/${graphId}/*/CUT`;
      const before = await wakes(scope);
      expect(await set(graphId, 1, { ...unlimited, wipLimit: 0 })).toBe('200');
      expect(await set(graphId, 1, unlimited)).toBe('412 precondition-failed');
      expect(await set(graphId, 2, unlimited)).toBe('200');
      expect(await wakes(scope)).toBe(before + 2);
    });

    it.each([
      [{ wipLimit: -1 }, '422 invalid-request'],
      [{ wipLimit: 0 }, '200'],
      [{ wipLimit: 1_000_000 }, '200'],
      [{ wipLimit: 1_000_001 }, '422 invalid-request'],
      [{ wipLimit: 1.5 }, '422 invalid-request'],
    ])('%j: %s', async (limits, expected) => {
      const { graphId } = await shop.linear('CUT');
      expect(await set(graphId, 1, { ...unlimited, ...limits })).toBe(expected);
    });

    it('are those of a node that was published, and are set by managers', async () => {
      const { graphId } = await shop.linear('SEW');
      expect(await set(graphId, 1, unlimited)).toBe('404 node-not-found');
      const nobody = '0199aaaa-0000-7000-8000-000000000000';
      expect(await outcome(manager, 'GET', `/api/production/limits/${nobody}`)).toBe('404 graph-not-found');
      const supervisor = await shop.api.as('supervisor');
      const headers = { 'if-match': '"1"' };
      const path = `/api/production/limits/${graphId}/SEW`;
      expect(await outcome(supervisor, 'PUT', path, unlimited, headers)).toBe('403 permission-missing');
    });

    async function publishCut(graphId: string, details: object): Promise<void> {
      const path = `/api/production/graphs/${graphId}`;
      const current = await manager.send('GET', path);
      const { code } = current.json<{ code: string }>();
      const nodes = [
        { code: 'START', name: 'Start', type: 'start' },
        operation('CUT', { ...details }),
        { code: 'END', name: 'End', type: 'end' },
      ];
      const edges = [
        { from: 'START', to: 'CUT' },
        { from: 'CUT', to: 'END' },
      ];
      const headers = { 'if-match': String(current.headers.etag) };
      await manager.withHeaders(headers).put(path, { code, name: 'Cut', nodes, edges }, 200);
      await shop.keyed(manager).post(`${path}/publish`, {}, 200);
    }
  });

  describe('of a work centre', () => {
    const draft = (details: object = {}): Promise<WorkCenterView> => {
      const body = { siteId: shop.site.id, code: fresh('WC'), name: 'Press', ...details };
      return shop.keyed(manager).post(centers, body, 201, workCenterView);
    };
    const change = (center: WorkCenterView, body: object) =>
      manager
        .withHeaders({ 'if-match': `"${center.rowVersion}"` })
        .patch(`${centers}/${center.id}`, body, 200, workCenterView);

    it('hold at once, and whoever waits there is looked at again', async () => {
      const center = await draft({ concurrencyLimit: 2 });
      expect(center).toMatchObject({ ...unlimited, concurrencyLimit: 2, active: true, rowVersion: 1 });
      const changed = await change(center, { concurrencyLimit: null, wipLimit: 4 });
      expect(changed).toEqual({ ...center, concurrencyLimit: null, wipLimit: 4, rowVersion: 2 });
      expect(await wakes(`work-center/${center.id}`)).toBe(1);
      const headers = { 'if-match': '"1"' };
      expect(await outcome(manager, 'PATCH', `${centers}/${center.id}`, {}, headers)).toBe('412 precondition-failed');
    });

    it('has a code of its own, which never changes', async () => {
      const { code, id, rowVersion, siteId } = await draft();
      const body = { siteId, code, name: 'Press' };
      expect(await outcome(shop.keyed(manager), 'POST', centers, body)).toBe('409 code-taken');
      const headers = { 'if-match': `"${rowVersion}"` };
      expect(await outcome(manager, 'PATCH', `${centers}/${id}`, { code: 'X' }, headers)).toBe('422 invalid-request');
    });

    it('out of use, no graph that names it is published', async () => {
      const center = await draft();
      await shop.linear(operation('CUT', { teamCategory: null, workCenterId: center.id }));
      await change(center, { active: false });
      await expect(shop.linear(operation('CUT', { workCenterId: center.id }))).rejects.toThrow('invalid-work-center');
    });

    it('belongs to a site: elsewhere nobody sees or changes it', async () => {
      const center = await draft();
      const elsewhere = await newSite(shop.admin);
      const stranger = await newHolder(shop.api, shop.admin, 'manager', elsewhere.id);
      const list = listOf(workCenterView);
      expect((await stranger.get(`${centers}?search=${center.code}`, 200, list)).items).toEqual([]);
      expect((await manager.get(`${centers}?search=${center.code}`, 200, list)).items).toEqual([center]);
      const headers = { 'if-match': '"1"' };
      const path = `${centers}/${center.id}`;
      expect(await outcome(stranger, 'PATCH', path, { name: 'x' }, headers)).toBe('404 work-center-not-found');
      const body = { siteId: shop.site.id, code: fresh('WC'), name: 'Press' };
      expect(await outcome(shop.keyed(stranger), 'POST', centers, body)).toBe('404 site-not-found');
      const nowhere = { ...body, siteId: '0199aaaa-0000-7000-8000-000000000000' };
      expect(await outcome(shop.keyed(manager), 'POST', centers, nowhere)).toBe('404 site-not-found');
    });

    it('are listed page by page', async () => {
      const site = await newSite(shop.admin);
      const codes: string[] = [];
      for (let n = 0; n < 3; n += 1) codes.push((await draft({ siteId: site.id })).code);
      const list = listOf(workCenterView);
      const first = await manager.get(`${centers}?siteId=${site.id}&limit=2`, 200, list);
      const rest = await manager.get(`${centers}?siteId=${site.id}&limit=2&cursor=${first.next}`, 200, list);
      expect([...first.items, ...rest.items].map(({ code }) => code)).toEqual(codes.toSorted());
    });
  });
});
