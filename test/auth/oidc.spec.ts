import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type JWK } from 'jose';
import { z } from 'zod';
import { notes, notesSchema } from '../support/domains/notes.js';
import { TestApi } from '../support/test-api.js';

const now = () => Math.floor(Date.now() / 1000);

/** An identity provider with one key, that counts how often it is asked. */
class Provider {
  asked = 0;
  readonly keys: JWK[] = [];
  #server: Server | undefined;
  issuer = '';
  down = false;

  async start(): Promise<void> {
    this.#server = createServer((request, response) => {
      if (this.down) return response.writeHead(503).end();
      if (request.url === '/keys') this.asked += 1;
      const answer =
        request.url === '/keys' ? { keys: this.keys } : { issuer: this.issuer, jwks_uri: `${this.issuer}/keys` };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    });
    await new Promise<void>((resolve) => this.#server?.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    this.issuer = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }

  async addKey(kid: string): Promise<{ privateKey: CryptoKey; publicKey: CryptoKey }> {
    const pair = await generateKeyPair('RS256', { extractable: true });
    this.keys.push({ ...(await exportJWK(pair.publicKey)), kid, alg: 'RS256', use: 'sig' });
    return pair;
  }

  stop(): void {
    this.#server?.close();
  }
}

describe('a token of the identity provider', () => {
  const provider = new Provider();
  let nobody: TestApi;
  let pair: { privateKey: CryptoKey; publicKey: CryptoKey };

  beforeAll(async () => {
    await provider.start();
    pair = await provider.addKey('one');
    nobody = await TestApi.start(
      {
        sql: notesSchema,
        config: {
          OIDC_ISSUER: provider.issuer,
          OIDC_AUDIENCE: 'belay',
          OIDC_ROLES_CLAIM: 'realm.roles',
          OIDC_ROLE_MAP: { 'shop-floor': 'supervisor' },
          ANONYMOUS_RATE_LIMIT_PER_MINUTE: 10_000,
        },
      },
      notes,
    );
    await nobody.rows(
      `INSERT INTO directory.account (id, kind, username, display_name, email, row_version)
       VALUES ('019a0000-0000-7000-8000-000000000001', 'person', 'ada', 'Ada', 'ada@example.org', 1)`,
    );
  });
  afterAll(async () => {
    await nobody.close();
    provider.stop();
  });

  const claims = (change: Record<string, unknown> = {}) => ({
    iss: provider.issuer,
    aud: 'belay',
    sub: 'subject-1',
    exp: now() + 300,
    email: 'ada@example.org',
    email_verified: true,
    ...change,
  });
  const sign = (payload: Record<string, unknown>, kid = 'one', key: CryptoKey = pair.privateKey) =>
    new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid }).sign(key);
  const show = (token: string, path = '/api/notes/mine') =>
    nobody.send('GET', path, undefined, { authorization: `Bearer ${token}` });

  it('stands for the account with its verified e-mail', async () => {
    const response = await show(await sign(claims()));
    expect(response.json()).toMatchObject({ username: 'ada' });
  });

  it('may be meant for several', async () => {
    expect((await show(await sign(claims({ aud: ['other', 'belay'] })))).statusCode).toBe(200);
  });

  it.each<[string, Record<string, unknown>]>([
    ['for somebody else', { aud: 'other' }],
    ['for nobody', { aud: undefined }],
    ['from another issuer', { iss: 'https://evil.example' }],
    ['expired', { exp: now() - 31 }],
    ['without an end', { exp: undefined }],
    ['not good yet', { nbf: now() + 60 }],
    ['without a subject', { sub: undefined }],
    ['with an e-mail that nobody has verified', { email_verified: false }],
    ['with an e-mail that is not said to be verified', { email_verified: undefined }],
    ['with an e-mail that is verified as a text', { email_verified: 'true' }],
    ['without an e-mail', { email: undefined }],
    ['with the e-mail of nobody here', { email: 'eve@example.org' }],
  ])('is refused when it is %s', async (_name, change) => {
    const response = await show(await sign(claims(change)));
    expect(response.json()).toMatchObject({ status: 401, code: 'token-refused' });
  });

  it('may have ended half a minute ago by our clock', async () => {
    expect((await show(await sign(claims({ exp: now() - 25 })))).statusCode).toBe(200);
  });

  it('is refused when nobody signed it, or somebody with the public key as a secret', async () => {
    expect((await show(new UnsecuredJWT(claims()).encode())).statusCode).toBe(401);
    const secret = new TextEncoder().encode(await exportSPKI(pair.publicKey));
    const confused = await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: 'one' }).sign(secret);
    expect((await show(confused)).statusCode).toBe(401);
  });

  it('is refused when another key signed it under the same name', async () => {
    const { privateKey } = await generateKeyPair('RS256');
    expect((await show(await sign(claims(), 'one', privateKey))).statusCode).toBe(401);
  });

  it('brings roles by the claim map, beside those of the account, and nothing that is not on the map', async () => {
    const may = async (claimed: unknown) => {
      const response = await show(await sign(claims({ realm: { roles: claimed } })), '/api/auth/me');
      const { grants } = z.object({ grants: z.array(z.object({ permission: z.string() })) }).parse(response.json());
      return grants.map(({ permission }) => permission);
    };
    const ofSupervisors = 'directory.skill:write';
    const ofAdmins = 'directory.account:write';
    const mapped = await may(['shop-floor', 'admin', '__proto__', 7]);
    expect([mapped.includes(ofSupervisors), mapped.includes(ofAdmins)]).toEqual([true, false]);
    expect(await may('shop-floor')).toContain(ofSupervisors);
    expect(await may(['admin', 'supervisor'])).toEqual([]);
    expect(await may({ 'shop-floor': true })).toEqual([]);
  });

  it('under a key that is not known makes the keys be read again once a minute at most', async () => {
    const before = provider.asked;
    for (let n = 0; n < 20; n++) expect((await show(await sign(claims(), `unknown-${n}`))).statusCode).toBe(401);
    expect(provider.asked - before).toBe(0);
    expect(provider.asked).toBe(1);
  });

  it('that was taken goes on being taken while the provider is down', async () => {
    const token = await sign(claims());
    expect((await show(token)).statusCode).toBe(200);
    provider.down = true;
    expect((await show(token)).statusCode).toBe(200);
    provider.down = false;
  });

  it('cannot be judged when the provider was never reached, and can be once it is back', async () => {
    const fresh = await nobody.another();
    const ask = async (token: string) =>
      fresh.send('GET', '/api/notes/mine', undefined, { authorization: `Bearer ${token}` });
    provider.down = true;
    const refused = await ask(await sign(claims()));
    expect(refused.json()).toMatchObject({ status: 503, code: 'identity-provider-unavailable' });
    expect(refused.headers['retry-after']).toBe('10');
    provider.down = false;
    expect((await ask(await sign(claims()))).statusCode).toBe(200);
    await fresh.app.close();
  });
});

describe('without an identity provider', () => {
  it('every foreign token is refused', async () => {
    const api = await TestApi.with();
    const { privateKey } = await generateKeyPair('RS256');
    const token = await new SignJWT({ iss: 'https://id.example', sub: 'a', exp: now() + 60 })
      .setProtectedHeader({ alg: 'RS256' })
      .sign(privateKey);
    expect((await api.send('GET', '/api/auth/me', undefined, { authorization: `Bearer ${token}` })).statusCode).toBe(
      401,
    );
    await api.close();
  });
});
