import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { wms, type WarehouseView } from '@belay/wms';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { z } from 'zod';
import { eventually } from '../support/eventually.js';
import { fresh } from '../support/people.js';
import { TestApi } from '../support/test-api.js';
import { commit, commitWhole, importReport, report, send, upload } from './importing.js';
import { newSku, newWarehouse } from './master-data.js';

const problem = z.object({ code: z.string(), errors: z.array(z.object({ detail: z.string() })).optional() });
const skus = { kind: 'sku_master' };
const header = 'SKU,Description,Units_Per_Carton';

describe('what an import is held to', () => {
  let api: TestApi;
  let admin: TestApi;
  let warehouse: WarehouseView;

  beforeAll(async () => {
    api = await TestApi.start({ config: { WMS_APPROVAL_UNITS: 5_000 } }, wms);
    admin = await api.as('admin');
    warehouse = await newWarehouse(admin);
  });
  afterAll(() => api.close());

  async function refused(
    content: string | AsyncIterable<string>,
    options: Record<string, string> = skus,
    who = admin,
  ): Promise<string> {
    const response = await send(who, options, content);
    const { code, errors = [] } = problem.parse(response.json());
    return [response.statusCode, code, ...errors.map(({ detail }) => detail)].join(' ');
  }

  async function* rows(count: number) {
    await Promise.resolve();
    yield `${header}\n`;
    for (let row = 0; row < count; row += 1) yield 'x\n';
  }

  it('takes 20 MB, and not one byte more, and keeps nothing of what it refuses', async () => {
    const most = 20 * 1_048_576;
    const content = (size: number) => {
      const some = `${header}\n${fresh('SKU')},Large,1\n`;
      return some + '\n'.repeat(size - some.length);
    };
    expect(await upload(admin, skus, content(most))).toMatchObject({ rowsTotal: 1, rowsError: 0 });
    expect(await refused(content(most + 1))).toBe('413 body-too-large');
    expect((await readdir(tmpdir())).filter((name) => name.startsWith('belay-import-'))).toEqual([]);
  }, 60_000);

  it('takes a hundred thousand rows, and not one more', async () => {
    expect(await upload(admin, skus, rows(100_000))).toMatchObject({ rowsTotal: 100_000, rowsError: 100_000 });
    expect(await refused(rows(100_001))).toBe('422 invalid-request has more than 100000 rows');
  }, 240_000);

  it('refuses what is no such file', async () => {
    expect(await refused('')).toBe('422 invalid-request is empty');
    expect(await refused(`${header}\n`)).toBe('422 invalid-request has no rows');
    expect(await refused('SKU;Description\nA;B')).toBe('422 invalid-request has no column Units_Per_Carton');
    expect(await refused(`${header},sku\nA,B,1,C`)).toBe('422 invalid-request has more than one column SKU');
    expect(await refused(`${header}\nA,"B,1\nC,D,2\n`)).toMatch(/^422 invalid-request .*quot/i);
    const json = await admin.send('POST', '/api/wms/imports?kind=sku_master', {});
    expect([json.statusCode, problem.parse(json.json()).code]).toEqual([422, 'invalid-request']);
    const csv = await admin.send('POST', '/api/wms/skus', 'a,b', { 'content-type': 'text/csv' });
    expect(csv.statusCode).toBe(415);
  });

  it('asks for a warehouse where there is one, and for the key with which a commit is repeated', async () => {
    expect(await refused('a', { kind: 'inventory_ledger' })).toBe('422 invalid-request must be given');
    expect(await refused('a', { ...skus, warehouse: warehouse.code })).toMatch(/^422 .*must not be given/);
    const { id } = await upload(admin, skus, `${header}\n${fresh('SKU')},One,1`);
    const keyless = await admin.send('POST', `/api/wms/imports/${id}/commit`, {});
    expect([keyless.statusCode, problem.parse(keyless.json()).code]).toEqual([400, 'idempotency-key-required']);
  });

  it('keeps the key of a commit for seven days, and those of everything else for one', async () => {
    const { id } = await upload(admin, skus, `${header}\n${fresh('SKU')},One,1`);
    const key = { 'idempotency-key': randomUUID() };
    expect((await admin.send('POST', `/api/wms/imports/${id}/commit`, {}, key)).statusCode).toBe(200);
    const passed = (hours: number) =>
      api.rows(
        `UPDATE platform.idempotency_key SET expires_at = expires_at - make_interval(hours => $2) WHERE key = $1
         RETURNING round(extract(epoch FROM expires_at - at) / 3600)::integer AS left`,
        [key['idempotency-key'], hours],
      );
    const sku = { code: fresh('SKU'), description: 'Goods', defaultUnitsPerCarton: 1 };
    const other = async () => (await admin.send('POST', '/api/wms/skus', sku, key)).statusCode;
    expect(await passed(167)).toEqual([{ left: 1 }]);
    expect(await other()).toBe(422);
    await passed(1);
    expect(await other()).toBe(201);
    expect(await passed(23)).toEqual([{ left: 1 }]);
  });

  it('commits nothing that was given up', async () => {
    const code = fresh('SKU');
    const { id } = await upload(admin, skus, `${header}\n${code},One,1`);
    await admin.delete(`/api/wms/imports/${id}`);
    const refusal = await commit(admin, id);
    expect([refusal.statusCode, problem.parse(refusal.json()).code]).toEqual([409, 'import-not-ready']);
    expect(await report(admin, id)).toMatchObject({ status: 'cancelled' });
    expect((await admin.send('GET', `/api/wms/skus/${code}`)).statusCode).toBe(404);
  });

  it('tells how far it is as events, until it stands still', async () => {
    const { id } = await upload(admin, skus, `${header}\n${fresh('SKU')},One,1`);
    const { body } = await admin.send('GET', `/api/wms/imports/${id}/events`);
    expect(body).toContain('event: progress\nid: checked-0\ndata: {"status":"checked"');
  });

  it('waits for nobody who looks after the rows of earlier files', async () => {
    const other = new pg.Client({ connectionString: api.config.DATABASE_URL });
    await other.connect();
    try {
      // As a vacuum does while it is at work.
      await other.query('BEGIN');
      await other.query('LOCK TABLE wms.import_row IN SHARE UPDATE EXCLUSIVE MODE');
      expect(await upload(admin, skus, `${header}\n${fresh('SKU')},One,1`)).toMatchObject({ rowsOk: 1 });
    } finally {
      await other.end();
    }
  });

  it('shows a page of issues at a time', async () => {
    const { id } = await upload(admin, skus, rows(5));
    const first = await admin.get(`/api/wms/imports/${id}?limit=3`, 200, importReport);
    const second = await admin.get(`/api/wms/imports/${id}?limit=200&cursor=${String(first.next)}`, 200, importReport);
    const all = await report(admin, id);
    expect([...first.issues, ...second.issues]).toEqual(all.issues);
    expect([first.issues.length, second.next]).toEqual([3, null]);
    expect(await admin.get(`/api/wms/imports/${id}?severity=warning`, 200, importReport)).toMatchObject({ issues: [] });
  });

  it('shows nobody a warehouse that they do not see, and posts nothing that they may not post', async () => {
    const sku = await newSku(admin, { lotTracked: false });
    const ledger =
      'Timestamp,Transaction_ID,Warehouse,SKU,Shipment,Transaction_Type,Reference_ID,Cartons_In,Cartons_Out,storage_cartons_per_pallet,shipping_cartons_per_pallet\n' +
      `2025-01-06,${fresh('T')},${warehouse.code},${sku.code},,RECEIVE,IN,5,,36,16`;
    const options = { kind: 'inventory_ledger', warehouse: warehouse.code };
    const clerk = await api.as('wms.import:run', 'wms.inventory:read');
    const file = await upload(clerk, options, ledger);
    expect((await commit(clerk, file.id)).statusCode).toBe(403);
    expect(await api.rows(`SELECT FROM wms.movement WHERE warehouse_id = $1`, [warehouse.id])).toEqual([]);
    expect(await refused(`${header}\nA,B,1`, skus, clerk)).toBe('403 permission-missing');

    const viewer = await api.as('viewer');
    expect((await viewer.send('GET', `/api/wms/imports/${file.id}`)).statusCode).toBe(403);
    const [account] = await api.rows<{ id: string }>(
      `INSERT INTO directory.account (id, kind, username, display_name, row_version)
       VALUES (gen_random_uuid(), 'person', $1, 'Elsewhere', 1) RETURNING id`,
      [`user-${randomUUID()}`],
    );
    const elsewhere = await newWarehouse(admin);
    await api.rows(
      `INSERT INTO directory.account_permission (id, account_id, permission, site_id) VALUES (gen_random_uuid(), $1, 'wms.import:run', $2)`,
      [account?.id, elsewhere.siteId],
    );
    const stranger = await api.asAccount(String(account?.id));
    expect((await stranger.send('GET', `/api/wms/imports/${file.id}`)).statusCode).toBe(404);
    expect((await commit(stranger, file.id)).statusCode).toBe(404);
    expect(await refused(ledger, options, stranger)).toBe('404 warehouse-not-found');

    expect(await commitWhole(await api.as('supervisor'), file.id)).toMatchObject({ status: 'committed' });
    const [posted] = await api.rows(`SELECT actor_id <> $2 AS by_somebody FROM wms.movement WHERE warehouse_id = $1`, [
      warehouse.id,
      '00000000-0000-7000-8000-000000000000',
    ]);
    expect(posted).toEqual({ by_somebody: true });
  });

  it('lets nobody adjust alone by a file what they may not adjust alone', async () => {
    const sku = await newSku(admin, { lotTracked: false, defaultUnitsPerCarton: 1 });
    const ledger = (tag: string, units: number) =>
      [
        'Timestamp,Transaction_ID,Warehouse,SKU,Shipment,Transaction_Type,Reference_ID,Cartons_In,Cartons_Out,Reason_Code,Notes',
        `2025-01-06,${tag},${warehouse.code},${sku.code},,ADJUST_IN,,${units},,found,Behind the racks`,
      ].join('\n');
    const options = { kind: 'inventory_ledger', warehouse: warehouse.code };
    const most = await upload(admin, options, ledger(fresh('T'), 5_000));
    expect(await commitWhole(admin, most.id)).toMatchObject({ status: 'committed' });
    const more = await upload(admin, options, ledger(fresh('T'), 5_001));
    expect((await commit(admin, more.id)).statusCode).toBe(409);
    expect((await report(admin, more.id)).issues).toMatchObject([{ line: 2, code: 'approval-needed' }]);
  });

  it('imports nothing of what is switched off', async () => {
    const { id } = await upload(admin, skus, `${header}\n${fresh('SKU')},One,1`);
    const control = new pg.Client({ connectionString: api.config.CONTROL_DATABASE_URL });
    await control.connect();
    const kill = async (flag: string, off: boolean) => {
      await control.query(
        `INSERT INTO control.flag_override (flag, off, reason, actor) VALUES ($1, $2, 'a test', 'test')
         ON CONFLICT (scope, flag) DO UPDATE SET off = excluded.off, seq = DEFAULT`,
        [flag, off],
      );
    };
    try {
      await kill('wms_write', true);
      await eventually(async () => {
        expect(await refused(`${header}\nA,B,1`)).toBe('404 feature-off');
      }, 10_000);
      expect((await commit(admin, id)).statusCode).toBe(404);
      const prices = 'warehouse,cost_category,cost_name,cost_value,unit_of_measure,effective_date';
      const rate = [prices, `${warehouse.code},Unit,Handling,1,unit,2025-01-01`].join('\n');
      const finance = { kind: 'cost_master', warehouse: warehouse.code };
      await commitWhole(admin, (await upload(admin, finance, rate)).id);

      await kill('wms_finance', true);
      await kill('wms_write', false);
      await eventually(async () => {
        expect(await refused(rate.replace('Handling', 'Other'), finance)).toBe('404 feature-off');
      }, 10_000);
      await eventually(async () => {
        expect((await commit(admin, id)).statusCode).toBe(200);
      }, 10_000);
    } finally {
      await control.end();
    }
  });
});
