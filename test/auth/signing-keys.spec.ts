import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Database, SigningKeys } from '@belay/platform';
import { decodeProtectedHeader } from 'jose';
import { TestApi } from '../support/test-api.js';

describe('the keys that sign access tokens', () => {
  let api: TestApi;
  const apis: TestApi[] = [];
  beforeEach(async () => {
    api = await TestApi.with();
    apis.push(api);
  });
  afterAll(() => Promise.all(apis.map((one) => one.close())));

  const another = () => new SigningKeys(api.app.get(Database), api.config);
  const issue = (keys: SigningKeys) => keys.issue(randomUUIDv7(), { authTime: 1, session: 'family' });
  const kids = async () =>
    (await api.rows<{ kid: string }>('SELECT kid FROM platform.signing_key ORDER BY kid')).map(({ kid }) => kid);
  const kidOf = (token: string) => decodeProtectedHeader(token).kid;

  it('are one, though many processes start at the same time', async () => {
    const issued = await Promise.all(Array.from({ length: 8 }, () => issue(another())));
    expect(await kids()).toHaveLength(1);
    expect(new Set(issued.map(({ token }) => kidOf(token)))).toEqual(new Set(await kids()));
  });

  it('are not readable in the database', async () => {
    await issue(another());
    const [row] = await api.rows<{ sealed: string; jwk: Record<string, unknown> }>(
      `SELECT encode(sealed_private, 'escape') AS sealed, public_jwk AS jwk FROM platform.signing_key`,
    );
    expect(row?.sealed).not.toContain('PRIVATE KEY');
    expect(row?.jwk).not.toHaveProperty('d');
    expect(row?.jwk).toMatchObject({ kty: 'OKP', crv: 'Ed25519' });
  });

  it('sign for every process that knows SECRET_KEY and for none that does not', async () => {
    const { token } = await issue(another());
    expect(await another().verify(token)).toMatchObject({ authTime: 1, session: 'family' });
    const stranger = new SigningKeys(api.app.get(Database), {
      ...api.config,
      SECRET_KEY: randomBytes(32).toString('base64'),
    });
    await expect(issue(stranger)).rejects.toThrow();
  });

  it('follow each other after thirty days, while the earlier one verifies for as long as its tokens are good', async () => {
    const keys = another();
    const { token, expiresAt } = await issue(keys);
    expect(expiresAt.getTime() - Date.now()).toBeGreaterThan(14 * 60_000);
    const [first] = await api.rows<{ days: number }>(
      `SELECT extract(day FROM retires_at - created_at)::int AS days FROM platform.signing_key`,
    );
    expect(first).toEqual({ days: 30 });

    await api.rows(`UPDATE platform.signing_key SET retires_at = clock_timestamp()`);
    const elsewhere = await issue(another());
    expect(kidOf(elsewhere.token)).not.toBe(kidOf(token));
    expect(await kids()).toHaveLength(2);
    await expect(another().verify(token)).resolves.toBeDefined();
    // A process that has not heard of the new key looks for it.
    await expect(keys.verify(elsewhere.token)).resolves.toBeDefined();

    await api.rows(
      `UPDATE platform.signing_key SET retires_at = clock_timestamp() - interval '15 minutes 1 second' WHERE kid = $1`,
      [kidOf(token)],
    );
    await expect(another().verify(token)).rejects.toThrow(/not from here/);
  });
});
