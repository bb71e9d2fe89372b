import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { problem } from '@belay/platform';
import pg from 'pg';
import { notes, notesSchema } from '../support/domains/notes.js';
import { TestApi } from '../support/test-api.js';

const unknownNote = '019a0000-0000-7000-8000-000000000001';

describe('a request that cannot be served', () => {
  let nobody: TestApi;
  let api: TestApi;
  beforeAll(async () => {
    nobody = await TestApi.start(
      { sql: notesSchema, config: { LOCK_TIMEOUT_MS: 300, STATEMENT_TIMEOUT_MS: 600 } },
      notes,
    );
    api = await nobody.as('notes.note:write');
  });
  afterAll(() => nobody.close());

  it('is answered with a problem that names its kind, this case and the request', async () => {
    const response = await api.send('GET', `/api/notes/${unknownNote}`, undefined, { 'x-request-id': 'request-17' });
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.json()).toEqual({
      type: '/problems/note-not-found',
      title: 'There is no such note',
      status: 404,
      detail: `There is no note ${unknownNote}.`,
      code: 'note-not-found',
      requestId: 'request-17',
      id: unknownNote,
    });
  });

  it('for a path that nothing is at is 404, under /api and beside it', async () => {
    for (const path of ['/api/nothing', '/nothing', '/api/notes/1/2/3', '/api']) {
      expect(await api.get(path, 404, problem)).toMatchObject({ type: 'about:blank', code: 'not-found', status: 404 });
    }
  });

  it('for a method that the path does not take says which it does', async () => {
    const response = await api.send('PUT', `/api/notes/${unknownNote}`, {});
    expect(response.headers.allow).toBe('DELETE, GET, PATCH');
    expect(problem.parse(response.json())).toMatchObject({ status: 405, code: 'method-not-allowed' });
  });

  it('for a broken escape in the path is 400', async () => {
    expect(await api.get('/api/notes/%zz', 400, problem)).toMatchObject({ status: 400, type: 'about:blank' });
  });

  it('for a part of the path that is longer than any id is no failure of ours', async () => {
    expect(await api.get(`/api/notes/${'a'.repeat(255)}`, 422, problem)).toMatchObject({ code: 'invalid-request' });
    expect(await api.get(`/api/notes/${'a'.repeat(256)}`, 414, problem)).toMatchObject({ code: 'uri-too-long' });
  });

  it('because of a defect tells nothing of it', async () => {
    const response = await api.send('GET', '/api/notes/broken');
    expect(problem.parse(response.json())).toMatchObject({ status: 500, code: 'internal-error', type: 'about:blank' });
    expect(response.body).not.toContain('hunter2');
  });

  it('because Nest or a handler says so by a status keeps that status', async () => {
    expect(await api.get('/api/notes/teapot', 418, problem)).toMatchObject({
      type: 'about:blank',
      code: 'i-m-a-teapot',
      detail: 'short and stout',
    });
  });

  it('because the answer is not what the route declares is a defect too', async () => {
    const response = await api.send('GET', '/api/notes/odd');
    expect(problem.parse(response.json())).toMatchObject({ status: 500, code: 'internal-error' });
    expect(response.body).not.toContain('hunter2');
  });

  describe('because of the database', () => {
    it('is 503 with Retry-After when others hold the rows', async () => {
      const holder = new pg.Client({ connectionString: api.config.DATABASE_URL });
      await holder.connect();
      await holder.query('BEGIN');
      await holder.query('LOCK TABLE notes.note IN ACCESS EXCLUSIVE MODE');
      const response = await api.send('GET', '/api/notes');
      await holder.end();
      expect(response.headers['retry-after']).toBe('1');
      expect(problem.parse(response.json())).toMatchObject({ status: 503, code: 'busy-retry' });
    });

    it('is 503 when a statement takes too long, and changes nothing', async () => {
      const slow = api.withHeaders({ 'idempotency-key': 'too-slow' });
      expect(await slow.post('/api/notes/slow', { ms: 900 }, 503, problem)).toMatchObject({ code: 'busy-retry' });
      expect(await api.rows(`SELECT FROM platform.idempotency_key WHERE key = 'too-slow'`)).toHaveLength(0);
    });

    it('is 503 when the connection is lost, and the next request is served', async () => {
      const slow = api.withHeaders({ 'idempotency-key': 'cut-off' }).post('/api/notes/slow', { ms: 500 }, 503, problem);
      await new Promise((resolve) => setTimeout(resolve, 150));
      await api.rows(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()`,
      );
      expect(await slow).toMatchObject({ code: 'database-unavailable' });
      await api.get('/api/notes');
    });
  });
});
