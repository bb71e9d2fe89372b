import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Database, forgetIdempotencyKeys } from '@belay/platform';
import { notes, notesSchema, noteView } from '../support/domains/notes.js';
import { TestApi } from '../support/test-api.js';

describe('a POST with an Idempotency-Key', () => {
  let nobody: TestApi;
  let api: TestApi;
  const count = async (title: string) =>
    (await api.rows<{ n: number }>('SELECT count(*)::int AS n FROM notes.note WHERE title = $1', [title]))[0]?.n;
  const post = (key: string, body: object, path = '/api/notes', by = api) =>
    by.send('POST', path, body, { 'idempotency-key': key });

  beforeAll(async () => {
    nobody = await TestApi.start({ sql: notesSchema, config: { LOCK_TIMEOUT_MS: 400 } }, notes);
    api = await nobody.as('notes.note:write');
  });
  afterAll(() => nobody.close());

  it('sent 50 times at once has one effect and one answer', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => post('many', { title: 'many', quantity: 3 })));

    expect(await count('many')).toBe(1);
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect(new Set(answers.map(({ headers }) => headers.etag))).toEqual(new Set(['"1"']));
    expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === 'true')).toHaveLength(49);
  });

  it('gets the same answer for the same body in another order of keys', async () => {
    const first = await post('order', { title: 'order', quantity: 1 });
    const second = await post('order', { quantity: 1, title: 'order' });
    expect(second.body).toBe(first.body);
    expect(await count('order')).toBe(1);
  });

  it('is refused with another body, another query or another path under the same key', async () => {
    await post('reused', { title: 'reused' });
    for (const response of [
      await post('reused', { title: 'reused', quantity: 1 }),
      await post('reused', { title: 'reused' }, '/api/notes?again=1'),
      await post('reused', { ms: 0 }, '/api/notes/slow'),
    ]) {
      expect(response.json()).toMatchObject({ status: 422, code: 'idempotency-key-reused', key: 'reused' });
    }
    expect(await count('reused')).toBe(1);
  });

  it('means nothing to another account', async () => {
    const other = await nobody.as('notes.note:write');
    await post('shared', { title: 'shared' });
    await post('shared', { title: 'shared' }, '/api/notes', other);
    expect(await count('shared')).toBe(2);
  });

  it('is free again when the first request failed', async () => {
    expect((await post('failed', { title: 'failed', quantity: 3_000_000_000 })).statusCode).toBe(422);
    expect((await post('failed', { title: 'failed', quantity: 3 })).statusCode).toBe(201);
    expect(await count('failed')).toBe(1);
  });

  it('whose first request takes longer than a lock may be waited for is told so', async () => {
    const first = post('slow', { ms: 900 }, '/api/notes/slow');
    await new Promise((resolve) => setTimeout(resolve, 100));
    const second = await post('slow', { ms: 900 }, '/api/notes/slow');
    expect(second.json()).toMatchObject({ status: 409, code: 'request-in-progress' });
    expect(second.headers['retry-after']).toBe('1');
    expect((await first).statusCode).toBe(201);
    expect((await post('slow', { ms: 900 }, '/api/notes/slow')).body).toBe((await first).body);
  });

  it('is no licence for a second transaction, which a replay would repeat', async () => {
    expect((await post('twice', { title: 'twice' }, '/api/notes/twice')).json()).toMatchObject({
      code: 'internal-error',
    });
    expect((await api.send('POST', '/api/notes/twice', { title: 'twice, without a key' })).statusCode).toBe(201);
  });

  it('is demanded where the route says so', async () => {
    expect(await api.post('/api/notes/slow', { ms: 0 }, 400)).toMatchObject({ code: 'idempotency-key-required' });
  });

  it.each([
    ['a', 201],
    ['k'.repeat(255), 201],
    ['k'.repeat(256), 400],
    ['with space', 400],
    ['', 400],
    ['ü', 400],
  ])('%s is answered with %i', async (key, status) => {
    expect((await post(key, { title: 'rule' })).statusCode).toBe(status);
  });

  it('is forgotten after 24 hours', async () => {
    const expiry = await api.rows<{ hours: number }>(
      `SELECT extract(epoch FROM expires_at - at)::int / 3600 AS hours FROM platform.idempotency_key WHERE key = 'many'`,
    );
    expect(expiry).toEqual([{ hours: 24 }]);

    await post('old', { title: 'old' });
    await api.rows(`UPDATE platform.idempotency_key SET expires_at = clock_timestamp() WHERE key = 'old'`);
    const again = await post('old', { title: 'old', quantity: 9 });
    expect(again.json()).toMatchObject({ quantity: 9 });
    expect(again.headers['idempotency-replayed']).toBeUndefined();
    expect((await post('old', { title: 'old', quantity: 9 })).headers['idempotency-replayed']).toBe('true');

    await api.rows(`UPDATE platform.idempotency_key SET expires_at = clock_timestamp() WHERE key IN ('old', 'order')`);
    const { dataSource } = api.app.get(Database);
    expect(await forgetIdempotencyKeys(dataSource, 1)).toBe(1);
    expect(await forgetIdempotencyKeys(dataSource)).toBe(1);
    expect(await forgetIdempotencyKeys(dataSource)).toBe(0);
  });

  it('is kept with the domain and the route it was used for', async () => {
    expect(await api.rows(`SELECT domain, route FROM platform.idempotency_key WHERE key = 'many'`)).toEqual([
      { domain: 'notes', route: 'POST /api/notes' },
    ]);
  });

  it('leaves the answer of a replay as the contract has it', async () => {
    await post('typed', { title: 'typed' });
    noteView.parse((await post('typed', { title: 'typed' })).json());
  });
});
