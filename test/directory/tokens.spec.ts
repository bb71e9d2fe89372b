import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { issuedToken, tokenView, type IssuedToken } from '@belay/directory';
import { TestApi } from '../support/test-api.js';
import { eventually } from '../support/eventually.js';
import { newAccount, newHolder, newSite, newTeam, outcome } from '../support/people.js';

const of = (accountId: string) => `/api/directory/accounts/${accountId}/tokens`;

describe('an API token', () => {
  let api: TestApi;
  let admin: TestApi;

  const holding = ({ token }: IssuedToken) => api.withHeaders({ authorization: `Bearer ${token}` });
  const issue = (by: TestApi, accountId: string, details: object) =>
    by.post(of(accountId), { name: 'Gate 3', scopes: ['directory.site:read'], ...details }, 201, issuedToken);
  const refusedSoon = async (by: TestApi) => {
    await eventually(async () => {
      expect(await outcome(by, 'GET', '/api/directory/sites')).toBe('401 token-refused');
    });
  };

  beforeAll(async () => {
    api = await TestApi.with();
    admin = await api.as('admin');
  });
  afterAll(() => api.close());

  it('is shown once and stored as a hash', async () => {
    const { id } = await newAccount(admin, { kind: 'machine', roles: [{ role: 'operator', siteId: null }] });
    const issued = await issue(admin, id, {});
    expect(issued.token).toMatch(/^bly_[A-Za-z0-9_-]{43}$/);
    const listed: unknown = await admin.get(of(id));
    expect(JSON.stringify(listed)).not.toContain(issued.token);
    expect(tokenView.array().parse(Reflect.get(Object(listed), 'items'))).toMatchObject([
      { id: issued.id, prefix: issued.token.slice(0, 12), revokedAt: null },
    ]);
    for (const table of ['directory.api_token', 'platform.audit_log', 'platform.idempotency_key', 'platform.outbox']) {
      const [row] = await api.rows<{ text: string | null }>(
        `SELECT string_agg(to_jsonb(t)::text, '') AS text FROM ${table} t`,
      );
      expect(row?.text ?? '').not.toContain(issued.token.slice(4));
    }
  });

  it('is issued anew each time, also when the request is repeated with the same key', async () => {
    const { id } = await newAccount(admin, { kind: 'machine', roles: [{ role: 'operator', siteId: null }] });
    const by = admin.withHeaders({ 'idempotency-key': 'the-same-key' });
    const [one, other] = [await issue(by, id, {}), await issue(by, id, {})];
    expect(one.token).not.toBe(other.token);
  });

  it('may do what it was issued for, and no more', async () => {
    const { id } = await newAccount(admin, { kind: 'machine', roles: [{ role: 'operator', siteId: null }] });
    const token = holding(await issue(admin, id, { scopes: ['directory.site:read'] }));
    await token.get('/api/directory/sites');
    expect(await outcome(token, 'GET', '/api/directory/teams')).toBe('403 permission-missing');
  });

  it('is not issued for more than its account may', async () => {
    const site = await newSite(admin);
    const other = await newSite(admin);
    const { id } = await newAccount(admin, { kind: 'machine', roles: [{ role: 'operator', siteId: site.id }] });
    const ask = (details: object) =>
      outcome(admin, 'POST', of(id), { name: 'x', scopes: ['directory.site:read'], ...details });
    expect(await ask({ scopes: ['directory.site:read', 'directory.site:write'] })).toBe('422 invalid-request');
    expect(await ask({ scopes: ['people:pii'] })).toBe('422 invalid-request');
    expect(await ask({ siteId: other.id })).toBe('422 invalid-request');
    expect(await ask({ scopes: ['*'] })).toBe('422 invalid-request');
    expect(await ask({ scopes: [] })).toBe('422 invalid-request');
    expect(await ask({ siteId: site.id })).toBe('201');
  });

  it('loses what its account loses', async () => {
    const account = await newAccount(admin, { kind: 'machine', roles: [{ role: 'manager', siteId: null }] });
    const { id: siteId } = await newSite(admin);
    const token = holding(await issue(admin, account.id, { scopes: ['directory.team:write', 'directory.team:read'] }));
    const team = await newTeam(token, siteId);
    const roles = [{ role: 'viewer', siteId: null }];
    await admin
      .withHeaders({ 'if-match': `"${account.rowVersion}"` })
      .put(`/api/directory/accounts/${account.id}/roles`, { roles });
    await eventually(async () => {
      const answer = await outcome(token, 'PUT', `/api/directory/teams/${team.id}/members/${account.id}`, {});
      expect(answer).toBe('403 permission-missing');
    });
    await token.get(`/api/directory/teams/${team.id}`);
  });

  it('bound to a site works there only', async () => {
    const [here, there] = [await newSite(admin), await newSite(admin)];
    const { id } = await newAccount(admin, { kind: 'machine', roles: [{ role: 'operator', siteId: null }] });
    const token = holding(await issue(admin, id, { siteId: here.id }));
    await token.get(`/api/directory/sites/${here.id}`);
    expect(await outcome(token, 'GET', `/api/directory/sites/${there.id}`)).toBe('404 site-not-found');
  });

  it('is good until its day and not after', async () => {
    const { id } = await newAccount(admin, { kind: 'machine', roles: [{ role: 'operator', siteId: null }] });
    const issued = await issue(admin, id, { days: 1 });
    expect(Math.round((Date.parse(issued.expiresAt) - Date.now()) / 3_600_000)).toBe(24);
    await holding(issued).get('/api/directory/sites');
    await api.rows(`UPDATE directory.api_token SET expires_at = now() WHERE id = $1`, [issued.id]);
    await refusedSoon(holding(issued));
    for (const [days, answer] of [
      [0, '422 invalid-request'],
      [365, '201'],
      [366, '422 invalid-request'],
    ] as const) {
      expect(await outcome(admin, 'POST', of(id), { name: 'x', scopes: ['sop:read'], days })).toBe(answer);
    }
  });

  it('that is revoked is refused, and revoking it again changes nothing', async () => {
    const { id } = await newAccount(admin, { kind: 'machine', roles: [{ role: 'operator', siteId: null }] });
    const issued = await issue(admin, id, {});
    await holding(issued).get('/api/directory/sites');
    await admin.delete(`${of(id)}/${issued.id}`);
    await refusedSoon(holding(issued));
    const at = () => api.rows(`SELECT revoked_at FROM directory.api_token WHERE id = $1`, [issued.id]);
    const before = await at();
    await admin.delete(`${of(id)}/${issued.id}`);
    expect(await at()).toEqual(before);
  });

  it('of an account that is suspended is refused, and works again afterwards', async () => {
    const account = await newAccount(admin, { kind: 'machine', roles: [{ role: 'operator', siteId: null }] });
    const token = holding(await issue(admin, account.id, {}));
    await token.get('/api/directory/sites');
    const set = (status: string, version: number) =>
      admin.withHeaders({ 'if-match': `"${version}"` }).patch(`/api/directory/accounts/${account.id}`, { status });
    await set('suspended', 1);
    await refusedSoon(token);
    await set('active', 2);
    await eventually(async () => {
      await token.get('/api/directory/sites');
    });
  });

  it('makes no tokens and changes no password', async () => {
    const { id } = await newAccount(admin, {
      kind: 'machine',
      roles: [{ role: 'admin', siteId: null }],
    });
    const scopes = ['directory.token:write', 'directory.token:manage'];
    const token = holding(await issue(admin, id, { scopes }));
    expect(await outcome(token, 'POST', of(id), { name: 'x', scopes })).toBe('403 person-needed');
    const passwords = { currentPassword: 'a', newPassword: 'b' };
    expect(await outcome(token, 'PUT', '/api/auth/password', passwords)).toBe('403 person-needed');
  });

  it('is issued by people for themselves, and for others by nobody', async () => {
    const { id } = await newAccount(admin, { roles: [{ role: 'viewer', siteId: null }] });
    const person = await api.asAccount(id);
    expect((await issue(person, id, {})).accountId).toBe(id);
    expect(await outcome(admin, 'POST', of(id), { name: 'x', scopes: ['sop:read'] })).toBe('403 others-token');
    const other = await newAccount(admin, { kind: 'machine', roles: [{ role: 'viewer', siteId: null }] });
    const body = { name: 'x', scopes: ['sop:read'] };
    expect(await outcome(person, 'POST', of(other.id), body)).toBe('403 permission-missing');
    expect(await outcome(person, 'GET', of(other.id))).toBe('404 account-not-found');
  });

  it('of a machine is managed at each of its sites', async () => {
    const [here, there] = [await newSite(admin), await newSite(admin)];
    const local = await newHolder(api, admin, 'admin', here.id);
    const mine = await newAccount(admin, { kind: 'machine', roles: [{ role: 'operator', siteId: here.id }] });
    const theirs = await newAccount(admin, { kind: 'machine', roles: [{ role: 'operator', siteId: there.id }] });
    const issued = await issue(local, mine.id, {});
    expect(await outcome(local, 'POST', of(theirs.id), { name: 'x', scopes: ['sop:read'] })).toBe(
      '403 permission-missing',
    );
    const foreign = await issue(admin, theirs.id, {});
    expect(await outcome(local, 'DELETE', `${of(theirs.id)}/${foreign.id}`)).toBe('403 permission-missing');
    expect(await outcome(local, 'DELETE', `${of(mine.id)}/${foreign.id}`)).toBe('404 token-not-found');
    await local.delete(`${of(mine.id)}/${issued.id}`);
  });

  it('says when it was last used, without that being a change', async () => {
    const { id } = await newAccount(admin, { kind: 'machine', roles: [{ role: 'operator', siteId: null }] });
    const issued = await issue(admin, id, {});
    const log = async () =>
      (
        await api.rows(`SELECT FROM platform.audit_log WHERE table_name = 'api_token' AND record ->> 'id' = $1`, [
          issued.id,
        ])
      ).length;
    const before = await log();
    await holding(issued).get('/api/directory/sites');
    await eventually(async () => {
      const [row] = await api.rows<{ used: boolean }>(
        `SELECT last_used_at > now() - interval '1 minute' AS used FROM directory.api_token WHERE id = $1`,
        [issued.id],
      );
      expect(row?.used).toBe(true);
    });
    expect(await log()).toBe(before);
  });
});
