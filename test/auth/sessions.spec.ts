import { createHash, randomBytes, randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Seal } from '@belay/platform';
import { decodeJwt, generateKeyPair, importPKCS8, SignJWT, UnsecuredJWT, type CryptoKey } from 'jose';
import { notes, notesSchema } from '../support/domains/notes.js';
import { eventually } from '../support/eventually.js';
import { TestApi } from '../support/test-api.js';

const now = () => Math.floor(Date.now() / 1000);

describe('a bearer token', () => {
  let nobody: TestApi;
  beforeAll(async () => {
    nobody = await TestApi.start({ sql: notesSchema, config: { ANONYMOUS_RATE_LIMIT_PER_MINUTE: 10_000 } }, notes);
  });
  afterAll(() => nobody.close());

  const bearing = (token: string, api = nobody) => api.withHeaders({ authorization: `Bearer ${token}` });
  const status = async (api: TestApi, path = '/api/notes/mine') => (await api.send('GET', path)).statusCode;
  const accountOf = (api: TestApi) => decodeJwt(tokenOf(api)).sub ?? '';
  const tokenOf = (api: TestApi) => api.headers['authorization']?.slice('Bearer '.length) ?? '';

  describe('signed here', () => {
    let account: string;
    let kid: string;
    let key: CryptoKey;
    beforeAll(async () => {
      account = accountOf(await nobody.as());
      const [row] = await nobody.rows<{ kid: string; sealed_private: Buffer }>(
        'SELECT kid, sealed_private FROM platform.signing_key',
      );
      if (!row) throw new Error('nothing signs');
      kid = row.kid;
      key = await importPKCS8(new Seal(nobody.config.SECRET_KEY).open(kid, row.sealed_private).toString(), 'EdDSA');
    });

    const claims = (change: Record<string, unknown> = {}) => ({
      iss: 'belay',
      sub: account,
      exp: now() + 60,
      auth_time: now(),
      sid: randomUUIDv7(),
      ...change,
    });
    const signed = (payload: Record<string, unknown>, header: Record<string, unknown> = {}, by = key) =>
      new SignJWT(payload).setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid, ...header }).sign(by);

    it('is taken', async () => {
      expect(await status(bearing(await signed(claims())))).toBe(200);
    });

    it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
      ['expired', { exp: now() - 1 }, {}],
      ['for nobody', { sub: undefined }, {}],
      ['for an account that does not exist', { sub: randomUUIDv7() }, {}],
      ['without an end', { exp: undefined }, {}],
      ['not good yet', { nbf: now() + 60 }, {}],
      ['of another kind', {}, { typ: 'JWT' }],
      ['under a key nobody knows', {}, { kid: randomUUIDv7() }],
      ['under no key', {}, { kid: undefined }],
      ['from another issuer', { iss: 'https://id.example' }, {}],
      ['without an issuer', { iss: undefined }, {}],
    ])('is refused when it is %s', async (_name, payload, header) => {
      const response = await bearing(await signed(claims(payload), header)).send('GET', '/api/notes/mine');
      expect(response.statusCode).toBe(401);
      expect(response.json()).toMatchObject({ code: 'token-refused' });
    });

    it('is refused when another key signed it, nobody did, or a letter was changed', async () => {
      const stranger = await generateKeyPair('EdDSA');
      const good = await signed(claims());
      const [head = '', , signature = ''] = good.split('.');
      const other = Buffer.from(JSON.stringify(claims({ sub: randomUUIDv7() }))).toString('base64url');
      for (const token of [
        await signed(claims(), {}, stranger.privateKey),
        new UnsecuredJWT(claims()).encode(),
        `${head}.${other}.${signature}`,
        await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid }).sign(randomBytes(32)),
        'nonsense',
        'a.b.c',
        '..',
      ]) {
        expect(await status(bearing(token))).toBe(401);
      }
    });

    it('is not asked for on public routes, good or bad', async () => {
      expect(await status(bearing('nonsense'), '/api/notes/open')).toBe(200);
    });

    it('is refused from the moment on at which it ends, though it was taken before', async () => {
      const api = bearing(await signed(claims({ exp: now() + 2 })));
      expect(await status(api)).toBe(200);
      expect(
        await eventually(async () => {
          expect(await status(api)).toBe(401);
        }, 3_000),
      ).toBeGreaterThan(500);
    });
  });

  describe('of an API', () => {
    const make = async (
      account: string,
      change: { scopes?: string[]; site?: string | null; expires?: string } = {},
    ) => {
      const token = `bly_${randomBytes(32).toString('base64url')}`;
      const id = randomUUIDv7();
      await nobody.rows(
        `INSERT INTO directory.api_token (id, account_id, name, prefix, hash, scopes, site_id, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + $8::interval)`,
        [
          id,
          account,
          id,
          token.slice(0, 8),
          createHash('sha256').update(token).digest('hex'),
          change.scopes ?? [],
          change.site ?? null,
          change.expires ?? '1 day',
        ],
      );
      return { id, api: bearing(token) };
    };

    it('may what its account may, as far as its scopes go', async () => {
      const account = accountOf(await nobody.as('notes.note:write'));
      const { api } = await make(account, { scopes: ['notes.note:write', 'directory.site:write'] });
      expect(await status(api, '/api/notes')).toBe(200);
      expect(await status((await make(account)).api, '/api/notes')).toBe(403);
      expect((await api.send('POST', '/api/directory/sites', {})).statusCode).toBe(403);
    });

    it('is refused when it has run out, was revoked, or nobody ever made it', async () => {
      const account = accountOf(await nobody.as());
      expect(await status((await make(account, { expires: '-1 second' })).api)).toBe(401);
      expect(await status((await make(account, { expires: '1 minute' })).api)).toBe(200);
      expect(await status(bearing(`bly_${'a'.repeat(43)}`))).toBe(401);
      const { id, api } = await make(account);
      expect(await status(api)).toBe(200);
      await nobody.rows('UPDATE directory.api_token SET revoked_at = now() WHERE id = $1', [id]);
      await eventually(async () => {
        expect(await status(api)).toBe(401);
      });
    });

    it('says when it was last used, once a minute at most and not on the path of the request', async () => {
      const { id, api } = await make(accountOf(await nobody.as()));
      const lastUse = async () =>
        (
          await nobody.rows<{ at: Date | null }>('SELECT last_used_at AS at FROM directory.api_token WHERE id = $1', [
            id,
          ])
        )[0]?.at;
      expect(await lastUse()).toBeNull();
      await status(api);
      await eventually(async () => {
        expect(await lastUse()).not.toBeNull();
      });
      const first = await lastUse();
      for (let n = 0; n < 20; n++) await status(api);
      expect(await lastUse()).toEqual(first);
    });
  });

  describe('that was taken before', () => {
    const change = (account: string, column: string, value: string) =>
      nobody.rows(`UPDATE directory.account SET ${column} = $2 WHERE id = $1`, [account, value]);

    it.each(['suspended', 'left'])(
      'is refused as soon as the account is %s, in this process and in others',
      async (state) => {
        const api = await nobody.as();
        const other = await nobody.another();
        expect([await status(api), await status(bearing(tokenOf(api), other))]).toEqual([200, 200]);
        await change(accountOf(api), 'status', state);
        const took = await eventually(async () => {
          expect([await status(api), await status(bearing(tokenOf(api), other))]).toEqual([401, 401]);
        });
        expect(took).toBeLessThan(500);
        await other.app.close();
      },
    );

    it('brings a permission as soon as it is given, and no longer when it is taken', async () => {
      const api = await nobody.as();
      expect(await status(api, '/api/notes')).toBe(403);
      await nobody.rows(
        `INSERT INTO directory.account_permission (id, account_id, permission) VALUES ($1, $2, 'notes.note:write')`,
        [randomUUIDv7(), accountOf(api)],
      );
      await eventually(async () => {
        expect(await status(api, '/api/notes')).toBe(200);
      });
      await nobody.rows('DELETE FROM directory.account_permission WHERE account_id = $1', [accountOf(api)]);
      await eventually(async () => {
        expect(await status(api, '/api/notes')).toBe(403);
      });
    });

    it('is remembered only while changes would be heard of', async () => {
      const api = await nobody.as();
      expect(await status(api)).toBe(200);
      // Nobody is told of this change, so what is remembered goes on.
      await nobody.rows('ALTER TABLE directory.account DISABLE TRIGGER account_changed');
      await change(accountOf(api), 'status', 'suspended');
      await nobody.rows('ALTER TABLE directory.account ENABLE TRIGGER account_changed');
      expect(await status(api)).toBe(200);

      await nobody.rows(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%' OR application_name = 'belay-listener' AND datname = current_database()`,
      );
      await eventually(async () => {
        expect(await status(api)).toBe(401);
      });
    });
  });
});
