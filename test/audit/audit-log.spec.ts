import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Caller, Database, type CallerFacts } from '@belay/platform';
import { z } from 'zod';
import { newAccount } from '../support/people.js';
import { TestApi } from '../support/test-api.js';

const maria: CallerFacts = {
  accountId: '0193a7c0-0000-7000-8000-000000000001',
  username: 'maria',
  kind: 'person',
  roles: [],
  grants: [],
  requestId: 'request-17',
};

interface Row {
  actor: string | null;
  request_id: string | null;
  reason: string | null;
  operation: string;
  old: Record<string, unknown> | null;
  new: Record<string, unknown> | null;
  txid: string;
}

describe('the log of row changes', () => {
  let api: TestApi;
  let admin: TestApi;
  beforeAll(async () => {
    api = await TestApi.with();
    admin = await api.as('admin');
    await api.rows(`CREATE TABLE public.item (id integer PRIMARY KEY, name text)`);
    await api.rows(`SELECT platform.audit_table('public.item')`);
  });
  afterAll(() => api.close());

  const log = (table: string) =>
    api.rows<Row>(
      `SELECT actor, request_id, reason, operation, old, new, txid::text FROM platform.audit_log
       WHERE table_name = $1 ORDER BY id`,
      [table],
    );

  it('has who changed what, under which request and why; changes of one transaction belong together', async () => {
    const database = api.app.get(Database);
    await database.transaction(new Caller(maria, undefined, 'Zähler verstellt'), async (tx) => {
      await tx.query(`INSERT INTO public.item VALUES (1, 'rope')`);
      await tx.query(`UPDATE public.item SET name = 'cord'`);
    });
    await database.transaction(new Caller({ ...maria, requestId: 'request-18' }), async (tx) => {
      await tx.query(`DELETE FROM public.item`);
    });
    const undone = database.transaction(new Caller(maria), async (tx) => {
      await tx.query(`INSERT INTO public.item VALUES (2, 'sling')`);
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');

    const rows = await log('item');
    const by = { actor: maria.accountId, request_id: 'request-17', reason: 'Zähler verstellt' };
    expect(rows).toMatchObject([
      { ...by, operation: 'INSERT', old: null, new: { id: 1, name: 'rope' } },
      { ...by, operation: 'UPDATE', old: { id: 1, name: 'rope' }, new: { id: 1, name: 'cord' } },
      { ...by, request_id: 'request-18', reason: null, operation: 'DELETE', old: { id: 1, name: 'cord' }, new: null },
    ]);
    const [first, second, third] = rows.map(({ txid }) => txid);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  it('keeps two transactions on one connection apart', async () => {
    const database = api.app.get(Database);
    const writes = Array.from({ length: 40 }, (_, n) =>
      database.transaction(new Caller({ ...maria, requestId: `request-at-once-${n}` }), async (tx) => {
        await tx.query(`INSERT INTO public.item VALUES ($1, $2)`, [100 + n, `request-at-once-${n}`]);
      }),
    );
    await Promise.all(writes);
    const rows = (await log('item')).filter(({ request_id }) => request_id?.includes('at-once'));
    expect(rows).toHaveLength(40);
    for (const row of rows) expect(row.new?.['name']).toBe(row.request_id);
    expect(new Set(rows.map(({ txid }) => txid)).size).toBe(40);
  });

  it('has the account, the request and the reason of a call of the API', async () => {
    const body = { code: 'BER', name: 'Berlin', kind: 'plant', timeZone: 'Europe/Berlin' };
    const headers = { 'x-request-id': 'request-of-maria', 'x-reason': 'opens in May' };
    const answer = await admin.send('POST', '/api/directory/sites', body, headers);
    expect(answer.statusCode).toBe(201);
    const [row] = (await log('site')).filter(({ request_id }) => request_id === 'request-of-maria');
    expect(row).toMatchObject({ reason: 'opens in May', operation: 'INSERT', new: { code: 'BER', name: 'Berlin' } });
    const accounts = await api.rows(`SELECT FROM directory.account WHERE id::text = $1`, [row?.actor]);
    expect(accounts).toHaveLength(1);
  });

  // The hash of an API token may be there: nobody finds 256 random bits by it, and a row without it could not be restored.
  it('never has the hash of a password or of a refresh token', async () => {
    const password = 'quiet harbour lamps';
    await newAccount(admin, { username: 'audited', password });
    const signedIn = await api.send('POST', '/api/auth/sign-in', { username: 'audited', password });
    expect(signedIn.statusCode).toBe(200);
    const hashes = await api.rows<{ hash: string }>(
      `SELECT hash FROM directory.password UNION SELECT hash FROM directory.refresh_token`,
    );
    expect(hashes.length).toBeGreaterThanOrEqual(2);
    const logged = JSON.stringify(await api.rows(`SELECT old, new FROM platform.audit_log`));
    expect(logged).toContain('audited');
    for (const { hash } of hashes) expect(logged).not.toContain(hash);
    expect(logged).not.toContain(password);
  });
});

const isSecret = (name: string) =>
  /(hash|password|secret|accessToken|refreshToken|(private|secret|signing)Key)$/i.test(name) &&
  !name.startsWith('must');
const schema = z.looseObject({});
const document = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.object({ responses: z.unknown() }).loose())),
  components: z.object({ schemas: z.record(z.string(), schema) }),
});

describe('the answers of the API', () => {
  it('have no place for a hash, and one for a secret only where it is made', async () => {
    const api = await TestApi.with();
    try {
      const { paths, components } = document.parse(await api.get('/docs-json'));
      const found = new Set<string>();
      const walk = (value: unknown, route: string, seen: ReadonlySet<string>): void => {
        if (typeof value !== 'object' || value === null) return;
        for (const [key, child] of Object.entries<unknown>({ ...value })) {
          if (key === '$ref' && typeof child === 'string') {
            const name = child.split('/').at(-1) ?? '';
            if (!seen.has(name)) walk(components.schemas[name], route, new Set([...seen, name]));
          } else {
            const names = key === 'properties' ? Object.keys(schema.parse(child)) : [];
            for (const name of names) if (isSecret(name)) found.add(`${route}: ${name}`);
            walk(child, route, seen);
          }
        }
      };
      for (const [path, methods] of Object.entries(paths)) {
        for (const [method, { responses }] of Object.entries(methods)) {
          walk(responses, `${method.toUpperCase()} ${path}`, new Set());
        }
      }
      expect([...found].sort()).toEqual([
        'POST /api/auth/refresh: accessToken',
        'POST /api/auth/refresh: refreshToken',
        'POST /api/auth/sign-in: accessToken',
        'POST /api/auth/sign-in: refreshToken',
        'PUT /api/auth/password: accessToken',
        'PUT /api/auth/password: refreshToken',
      ]);
    } finally {
      await api.close();
    }
  });
});
