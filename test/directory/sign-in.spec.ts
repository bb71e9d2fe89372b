import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { meView, sessionView, type AccountView, type SessionView } from '@belay/directory';
import { TestApi } from '../support/test-api.js';
import { fresh, newAccount, outcome } from '../support/people.js';

const first = 'first quiet harbour';
const chosen = 'second quiet harbour';

describe('signing in', () => {
  let api: TestApi;
  let admin: TestApi;
  let ken: AccountView;
  let username: string;

  const signIn = (name: string, password: string) =>
    api.post('/api/auth/sign-in', { username: name, password }, 200, sessionView);
  const refused = (name: string, password: string) =>
    outcome(api, 'POST', '/api/auth/sign-in', { username: name, password });
  const holding = ({ accessToken }: SessionView) => api.withHeaders({ authorization: `Bearer ${accessToken}` });
  const refresh = (session: SessionView) =>
    api.post('/api/auth/refresh', { refreshToken: session.refreshToken }, 200, sessionView);
  const refreshRefused = (session: SessionView) =>
    outcome(api, 'POST', '/api/auth/refresh', { refreshToken: session.refreshToken });

  beforeAll(async () => {
    api = await TestApi.start({ config: { ANONYMOUS_RATE_LIMIT_PER_MINUTE: 1_000_000 } });
    admin = await api.as('admin');
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    username = fresh('ken');
    ken = await newAccount(admin, { username, password: first, roles: [{ role: 'viewer', siteId: null }] });
    await api.rows(`UPDATE directory.account SET must_change_password = false WHERE id = $1`, [ken.id]);
  });

  it('answers a session that is good for a quarter of an hour, and can be gone on with for two weeks', async () => {
    const session = await signIn(username.toUpperCase(), first);
    const minutes = (instant: string) => Math.round((Date.parse(instant) - Date.now()) / 60_000);
    expect(minutes(session.expiresAt)).toBe(15);
    expect(minutes(session.refreshExpiresAt)).toBe(14 * 24 * 60);
    const me = await holding(session).get('/api/auth/me', 200, meView);
    expect(me.account.id).toBe(ken.id);
    expect(me.lastSignInAt).not.toBeNull();
  });

  it('leaves the version of the account and its audit log alone', async () => {
    const audited = async () =>
      (await api.rows(`SELECT FROM platform.audit_log WHERE record = $1`, [JSON.stringify({ id: ken.id })])).length;
    const before = await audited();
    await signIn(username, first);
    expect(await audited()).toBe(before);
    const [row] = await api.rows(`SELECT row_version FROM directory.account WHERE id = $1`, [ken.id]);
    expect(row).toEqual({ row_version: ken.rowVersion });
  });

  it('is refused to a machine, to who is suspended and to who has left, as if the password were wrong', async () => {
    const machine = await newAccount(admin, { kind: 'machine' });
    expect(await refused(machine.username ?? '', first)).toBe('401 wrong-credentials');
    for (const status of ['suspended', 'left']) {
      await api.rows(`UPDATE directory.account SET status = $2 WHERE id = $1`, [ken.id, status]);
      expect(await refused(username, first)).toBe('401 wrong-credentials');
    }
  });

  describe('too often with a wrong password', () => {
    const fail = async (name: string, times: number) => {
      for (let n = 0; n < times; n++) expect(await refused(name, `wrong ${n}`)).toBe('401 wrong-credentials');
    };

    it('does not lock after four failures, and a success begins the count anew', async () => {
      await fail(username, 4);
      await signIn(username, first);
      await fail(username, 4);
      await signIn(username, first);
    });

    it('locks after five, and the right password is refused as well', async () => {
      await fail(username, 5);
      expect(await refused(username, first)).toBe('401 account-locked');
      const response = await api.send('POST', '/api/auth/sign-in', { username, password: first });
      expect(Number(response.headers['retry-after'])).toBeGreaterThan(14 * 60);
      expect(Number(response.headers['retry-after'])).toBeLessThanOrEqual(15 * 60);
    });

    it('opens again after fifteen minutes and not before', async () => {
      await fail(username, 5);
      const pass = (seconds: number) =>
        api.rows(
          `UPDATE directory.sign_in_failure SET locked_until = locked_until - make_interval(secs => $1) WHERE locked_until > now()`,
          [seconds],
        );
      await pass(15 * 60 - 5);
      expect(await refused(username, first)).toBe('401 account-locked');
      await pass(5);
      await fail(username, 4);
      await signIn(username, first);
    });

    it('counts twenty at once as twenty: five are looked at, fifteen are locked out', async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => refused(username, `wrong ${n}`)));
      expect(answers.filter((answer) => answer === '401 wrong-credentials')).toHaveLength(5);
      expect(answers.filter((answer) => answer === '401 account-locked')).toHaveLength(15);
    });

    it('locks a username that nobody has in the same way', async () => {
      const nobody = fresh('nobody');
      await fail(nobody, 5);
      expect(await refused(nobody, first)).toBe('401 account-locked');
      expect(await api.rows(`SELECT FROM directory.account WHERE username = $1`, [nobody])).toEqual([]);
    });

    it('keeps no username that was tried', async () => {
      await fail(fresh('My Secret Passphrase'), 1);
      const [row] = await api.rows<{ text: string }>(
        `SELECT string_agg(to_jsonb(f)::text, '') AS text FROM directory.sign_in_failure f`,
      );
      expect(row?.text.toLowerCase()).not.toContain('secret');
    });
  });

  describe('staying signed in', () => {
    it('changes the refresh token each time and keeps the moment of the sign-in', async () => {
      const session = await signIn(username, first);
      const next = await refresh(session);
      expect(next.refreshToken).not.toBe(session.refreshToken);
      const rows = await api.rows<{ authenticated_at: Date; family: string }>(
        `SELECT DISTINCT authenticated_at, family FROM directory.refresh_token WHERE account_id = $1`,
        [ken.id],
      );
      expect(rows).toHaveLength(1);
      await holding(next).get('/api/auth/me');
    });

    it('ends the whole sign-in when a used token is shown again', async () => {
      const session = await signIn(username, first);
      const other = await signIn(username, first);
      const next = await refresh(session);
      expect(await refreshRefused(session)).toBe('401 token-reused');
      expect(await refreshRefused(next)).toBe('401 wrong-credentials');
      expect(await outcome(holding(next), 'GET', '/api/auth/me')).toBe('401 token-refused');
      await refresh(other);
    });

    it('serves exactly one of twenty that show the same token at once, and then nobody', async () => {
      const session = await signIn(username, first);
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => api.send('POST', '/api/auth/refresh', { refreshToken: session.refreshToken })),
      );
      const served = answers.filter(({ statusCode }) => statusCode === 200);
      expect(served).toHaveLength(1);
      for (const answer of answers) {
        if (answer.statusCode === 200) continue;
        expect(answer.json()).toMatchObject({ status: 401, code: 'token-reused' });
      }
      const next = sessionView.parse(served[0]?.json());
      expect(await refreshRefused(next)).toBe('401 wrong-credentials');
    });

    it('is refused with a token that has run out, was made up, or whose account is suspended', async () => {
      const session = await signIn(username, first);
      const [moved] = await api.rows(
        `UPDATE directory.refresh_token SET expires_at = now() WHERE account_id = $1 RETURNING id`,
        [ken.id],
      );
      expect(moved).toBeDefined();
      expect(await refreshRefused(session)).toBe('401 wrong-credentials');
      const madeUp = randomBytes(32).toString('base64url');
      expect(await outcome(api, 'POST', '/api/auth/refresh', { refreshToken: madeUp })).toBe('401 wrong-credentials');

      const other = await signIn(username, first);
      await api.rows(`UPDATE directory.account SET status = 'suspended' WHERE id = $1`, [ken.id]);
      expect(await refreshRefused(other)).toBe('401 wrong-credentials');
    });

    it('stores no token, only what it can be recognised by', async () => {
      const session = await signIn(username, first);
      const [row] = await api.rows<{ text: string }>(
        `SELECT string_agg(to_jsonb(t)::text, '') AS text FROM directory.refresh_token t`,
      );
      expect(row?.text).not.toContain(session.refreshToken);
    });
  });

  it('out ends the sign-in with its access token, and no other', async () => {
    const session = await signIn(username, first);
    const other = await signIn(username, first);
    await api.post('/api/auth/sign-out', { refreshToken: session.refreshToken }, 204);
    expect(await refreshRefused(session)).toBe('401 wrong-credentials');
    expect(await outcome(holding(session), 'GET', '/api/auth/me')).toBe('401 token-refused');
    await holding(other).get('/api/auth/me');
    await api.post('/api/auth/sign-out', { refreshToken: session.refreshToken }, 204);
    await api.post('/api/auth/sign-out', { refreshToken: 'made up' }, 204);
  });

  describe('changing the password', () => {
    const change = (session: SessionView, currentPassword: string, newPassword: string) =>
      outcome(holding(session), 'PUT', '/api/auth/password', { currentPassword, newPassword });

    it('ends every other sign-in and answers a new one', async () => {
      const session = await signIn(username, first);
      const other = await signIn(username, first);
      const next = await holding(session).put(
        '/api/auth/password',
        { currentPassword: first, newPassword: chosen },
        200,
        sessionView,
      );
      await holding(next).get('/api/auth/me');
      for (const old of [session, other]) {
        expect(await outcome(holding(old), 'GET', '/api/auth/me')).toBe('401 token-refused');
        expect(await refreshRefused(old)).toBe('401 wrong-credentials');
      }
      expect(await refused(username, first)).toBe('401 wrong-credentials');
      await signIn(username, chosen);
    });

    it('needs the current one, and counts wrong ones', async () => {
      const session = await signIn(username, first);
      for (let n = 0; n < 5; n++) expect(await change(session, `wrong ${n}`, chosen)).toBe('401 wrong-credentials');
      expect(await change(session, first, chosen)).toBe('401 account-locked');
    });

    it('refuses a weak one and the same one', async () => {
      const session = await signIn(username, first);
      expect(await change(session, first, 'elevenchar1')).toBe('422 password-too-weak');
      expect(await change(session, first, `my ${username} forever`)).toBe('422 password-too-weak');
      expect(await change(session, first, first)).toBe('422 password-too-weak');
    });

    it('must be done first by who got it from somebody else', async () => {
      const name = fresh('new');
      await newAccount(admin, { username: name, password: first, roles: [{ role: 'admin', siteId: null }] });
      const session = await signIn(name, first);
      expect(session.mustChangePassword).toBe(true);
      expect(await outcome(holding(session), 'GET', '/api/directory/sites')).toBe('403 permission-missing');
      const me = await holding(session).get('/api/auth/me', 200, meView);
      expect(me).toMatchObject({ mustChangePassword: true, grants: [] });

      const next = await holding(session).put(
        '/api/auth/password',
        { currentPassword: first, newPassword: chosen },
        200,
        sessionView,
      );
      expect(next.mustChangePassword).toBe(false);
      await holding(next).get('/api/directory/sites');
    });

    it('by an administrator ends the sign-ins, unlocks, and is for one sign-in only', async () => {
      const session = await signIn(username, first);
      for (let n = 0; n < 5; n++) await refused(username, `wrong ${n}`);
      const changed = await admin
        .withHeaders({ 'if-match': `"${ken.rowVersion}"` })
        .patch(`/api/directory/accounts/${ken.id}`, { password: chosen });
      expect(changed).toMatchObject({ id: ken.id });
      expect(await refreshRefused(session)).toBe('401 wrong-credentials');
      expect((await signIn(username, chosen)).mustChangePassword).toBe(true);
    });

    it('leaves no hash in the audit log', async () => {
      const session = await signIn(username, first);
      await holding(session).put('/api/auth/password', { currentPassword: first, newPassword: chosen });
      const [row] = await api.rows<{ text: string }>(
        `SELECT string_agg(to_jsonb(a)::text, '') AS text FROM platform.audit_log a`,
      );
      expect(row?.text).toContain('password_changed_at');
      expect(row?.text).not.toContain('argon2');
    });
  });
});
