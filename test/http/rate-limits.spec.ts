import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { problem, Sessions } from '@belay/platform';
import { decodeJwt } from 'jose';
import { notes, notesSchema } from '../support/domains/notes.js';
import { eventually } from '../support/eventually.js';
import { TestApi } from '../support/test-api.js';

describe('the number of requests in a minute', () => {
  let nobody: TestApi;
  const from = (address: string, api: TestApi, path = '/api/notes/mine', method: 'GET' | 'POST' = 'GET') =>
    api.app.inject({ method, url: path, headers: api.headers, remoteAddress: address });

  beforeAll(async () => {
    const config = { RATE_LIMIT_PER_MINUTE: 5, ANONYMOUS_RATE_LIMIT_PER_MINUTE: 3 };
    nobody = await TestApi.start({ sql: notesSchema, config }, notes);
  });
  afterAll(() => nobody.close());

  it('of one account is limited, whatever address it comes from, and the last half of it is counted down', async () => {
    const api = await nobody.as();
    const answers = [];
    for (let n = 0; n < 6; n++) answers.push(await from(`10.0.0.${n}`, api));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200, 200, 429]);
    const told = answers.map(({ headers }) => headers['ratelimit']?.toString().replace(/, reset=\d+$/, ''));
    const remaining = (n: number) => `limit=5, remaining=${n}`;
    expect(told).toEqual([undefined, undefined, remaining(2), remaining(1), remaining(0), remaining(0)]);
    const last = answers.at(-1);
    expect(Number(last?.headers['retry-after'])).toBeGreaterThan(50);
    expect(problem.parse(last?.json())).toMatchObject({ code: 'too-many-requests', limit: 5 });
  });

  it('of another account is counted apart', async () => {
    expect((await from('10.0.0.1', await nobody.as())).statusCode).toBe(200);
  });

  it('of guessed tokens and sign-ins is limited by address, before anything is verified', async () => {
    const guess = nobody.withHeaders({ authorization: 'Bearer bly_' + 'a'.repeat(43) });
    expect((await from('10.1.0.1', guess)).statusCode).toBe(401);
    expect((await from('10.1.0.1', nobody, '/api/notes/open', 'POST')).statusCode).toBe(204);
    expect((await from('10.1.0.1', nobody, '/api/nothing')).statusCode).toBe(404);
    expect((await from('10.1.0.1', guess)).statusCode).toBe(429);
    expect((await from('10.1.0.1', nobody, '/api/notes/open', 'POST')).statusCode).toBe(429);
    expect((await from('10.1.0.2', guess)).statusCode).toBe(401);
  });

  it('of somebody known is not touched by guesses from the same address', async () => {
    const api = await nobody.as();
    await from('10.2.0.2', api);
    const guess = nobody.withHeaders({ authorization: 'Bearer nonsense' });
    for (let n = 0; n < 5; n++) await from('10.2.0.1', guess);
    expect((await from('10.2.0.1', api)).statusCode).toBe(200);

    // A change of the account makes its token be looked at again, which is still no guess.
    const token = api.headers['authorization']?.slice('Bearer '.length) ?? '';
    await nobody.rows(`UPDATE directory.account SET email = 'new@example.org' WHERE id = $1`, [decodeJwt(token).sub]);
    await eventually(() => {
      expect(nobody.app.get(Sessions).known(token)).toBeUndefined();
    });
    expect((await from('10.2.0.1', api)).statusCode).toBe(200);
    expect((await from('10.2.0.1', await nobody.as())).statusCode).toBe(429);
  });

  it('of guesses is counted for a whole IPv6 network, which one sender can have to itself', async () => {
    const guess = nobody.withHeaders({ authorization: 'Bearer nonsense' });
    for (let n = 1; n <= 3; n++) expect((await from(`2001:db8:1:2::${n}`, guess)).statusCode).toBe(401);
    expect((await from('2001:db8:1:2:ffff::4', guess)).statusCode).toBe(429);
    expect((await from('2001:db8:1:3::1', guess)).statusCode).toBe(401);
  });

  it('is not limited for reading public routes', async () => {
    for (let n = 0; n < 10; n++) expect((await from('10.3.0.1', nobody, '/api/notes/open')).statusCode).toBe(200);
  });

  it('is counted for all together who come without an address', async () => {
    const api = await TestApi.start({ sql: notesSchema, config: { ANONYMOUS_RATE_LIMIT_PER_MINUTE: 1 } }, notes);
    const folder = await mkdtemp(join(tmpdir(), 'belay-socket-'));
    const socketPath = join(folder, 'api');
    await api.app.listen(socketPath);
    const ask = () =>
      new Promise<number | undefined>((resolve, reject) => {
        get({ socketPath, path: '/api/notes/mine' }, (response) => {
          response.resume();
          resolve(response.statusCode);
        }).on('error', reject);
      });
    expect([await ask(), await ask()]).toEqual([401, 429]);
    await api.close();
    await rm(folder, { recursive: true });
  });

  it('is counted by the client address that a trusted proxy names, and by no other', async () => {
    const knock = (api: TestApi, proxy: string, client: string) =>
      api.app.inject({
        method: 'GET',
        url: '/api/notes/open',
        headers: { 'x-forwarded-for': client },
        remoteAddress: proxy,
      });
    expect((await knock(nobody, '10.4.0.1', '1.2.3.4')).json()).toMatchObject({ ip: '10.4.0.1' });
    const behind = await TestApi.start({ sql: notesSchema, config: { TRUSTED_PROXIES: ['10.4.0.0/16'] } }, notes);
    expect((await knock(behind, '10.4.0.1', '1.2.3.4')).json()).toMatchObject({ ip: '1.2.3.4' });
    expect((await knock(behind, '10.5.0.1', '1.2.3.4')).json()).toMatchObject({ ip: '10.5.0.1' });
    await behind.close();
  });
});
