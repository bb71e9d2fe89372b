import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { accountView, type AccountView } from '@belay/directory';
import { TestApi } from '../support/test-api.js';
import { fresh, join, newAccount, newHolder, newSite, newTeam, outcome } from '../support/people.js';

const path = '/api/directory/accounts';

describe('accounts', () => {
  let api: TestApi;
  let admin: TestApi;

  const patch = (account: AccountView, body: object, by = admin) =>
    outcome(by, 'PATCH', `${path}/${account.id}`, body, { 'if-match': `"${account.rowVersion}"` });
  const read = (account: { id: string }, by = admin) => by.get(`${path}/${account.id}`, 200, accountView);

  beforeAll(async () => {
    api = await TestApi.with();
    admin = await api.as('admin');
  });
  afterAll(() => api.close());

  it('are kept with lower-case usernames and addresses', async () => {
    const username = fresh('Ken.Sanchez').toUpperCase();
    const account = await newAccount(admin, {
      username,
      displayName: ' Ken Sánchez ',
      email: `${username}@Adventure-Works.com`,
    });
    expect(account).toMatchObject({
      username: username.toLowerCase(),
      displayName: 'Ken Sánchez',
      email: `${username}@adventure-works.com`.toLowerCase(),
      status: 'active',
      consent: null,
      rowVersion: 1,
    });
  });

  it('share no username, address or employee number, also when two are added at once', async () => {
    const [username, email, employeeNo] = [fresh('same'), `${fresh('same')}@example.com`, fresh('No')];
    const add = (details: object) =>
      outcome(admin, 'POST', path, { username: fresh('other'), displayName: 'Same', ...details });
    for (const [details, slug] of [
      [{ username }, 'username-taken'],
      [{ email }, 'email-taken'],
      [{ employeeNo }, 'employee-no-taken'],
    ] as const) {
      const answers = await Promise.all([1, 2, 3].map(() => add(details)));
      expect(answers.sort()).toEqual(['201', `409 ${slug}`, `409 ${slug}`]);
    }
  });

  it.each([
    ['a username with a space', { username: 'ken sanchez' }],
    ['a username of one character', { username: 'k' }],
    ['an empty name', { displayName: '  ' }],
    ['a name with a line break', { displayName: 'Ken\nSánchez' }],
    ['a name with a NUL', { displayName: 'Ken\u0000' }],
    ['a name with half a character', { displayName: 'Ken \ud800' }],
    ['an address that is none', { email: 'ken' }],
    ['a picture that is fetched in the clear', { avatarUrl: 'http://pictures.example/ken.jpg' }],
    ['a locale that is none', { locale: 'english' }],
    ['a role nobody knows', { roles: [{ role: 'emperor', siteId: null }] }],
    ['a company-wide role at one site', { roles: [{ role: 'ops_approver', siteId: randomUUIDv7() }] }],
    ['a role at a site that does not exist', { roles: [{ role: 'viewer', siteId: randomUUIDv7() }] }],
    ['a machine with a password', { kind: 'machine', password: 'quiet harbour lamps' }],
    ['a field nobody knows', { salary: 1 }],
  ])('are refused with %s', async (_, details) => {
    const body = { username: fresh('bad'), displayName: 'Bad', ...details };
    expect(await outcome(admin, 'POST', path, body)).toBe('422 invalid-request');
  });

  it('are added with a password that is strong enough, or not at all', async () => {
    const username = fresh('weak');
    const body = { username, displayName: 'Weak', password: 'short' };
    expect(await outcome(admin, 'POST', path, body)).toBe('422 password-too-weak');
    expect(await api.rows(`SELECT FROM directory.account WHERE username = $1`, [username])).toEqual([]);
  });

  it('are changed by who read them last', async () => {
    const account = await newAccount(admin);
    const answers = await Promise.all([1, 2, 3, 4].map((n) => patch(account, { displayName: `Name ${n}` })));
    expect(answers.sort()).toEqual([
      '200',
      '412 precondition-failed',
      '412 precondition-failed',
      '412 precondition-failed',
    ]);
    expect((await read(account)).rowVersion).toBe(account.rowVersion + 1);
    expect(await outcome(admin, 'PATCH', `${path}/${account.id}`, {})).toBe('428 precondition-required');
  });

  it('have a version that moves with their roles', async () => {
    const account = await newAccount(admin);
    const roles = [{ role: 'viewer', siteId: null }];
    const at = (version: number) => ({ 'if-match': `"${version}"` });
    const granted = await admin.withHeaders(at(1)).put(`${path}/${account.id}/roles`, { roles }, 200, accountView);
    expect(granted).toMatchObject({ roles, rowVersion: 2 });
    expect(await outcome(admin, 'PUT', `${path}/${account.id}/roles`, { roles: [] }, at(1))).toBe(
      '412 precondition-failed',
    );
  });

  it('keep what does not change when roles are replaced', async () => {
    const account = await newAccount(admin, { roles: [{ role: 'viewer', siteId: null }] });
    const ids = () =>
      api.rows(`SELECT id, role FROM directory.account_role WHERE account_id = $1 ORDER BY role`, [account.id]);
    const [viewer] = await ids();
    const roles = ['viewer', 'qc', 'qc'].map((role) => ({ role, siteId: null }));
    const permissions = [{ permission: 'people:pii', siteId: null }];
    const granted = await admin
      .withHeaders({ 'if-match': `"1"` })
      .put(`${path}/${account.id}/roles`, { roles, permissions }, 200, accountView);
    expect(granted).toMatchObject({ permissions });
    expect(granted.roles).toHaveLength(2);
    expect((await ids())[1]).toEqual(viewer);
  });

  it('that have left stay as they were', async () => {
    const account = await newAccount(admin);
    await admin.post(`${path}/${account.id}/deactivation`, undefined, 200);
    const left = await read(account);
    expect(left.status).toBe('left');
    expect(await patch(left, { displayName: 'Other' })).toBe('409 account-left');
    const at = { 'if-match': `"${left.rowVersion}"` };
    expect(await outcome(admin, 'PUT', `${path}/${account.id}/roles`, { roles: [] }, at)).toBe('409 account-left');
    expect(await outcome(admin, 'PUT', `${path}/${account.id}/skills/welding`, { level: 3 })).toBe('409 account-left');
    const { id: siteId } = await newSite(admin);
    const team = await newTeam(admin, siteId);
    expect(await outcome(admin, 'PUT', `/api/directory/teams/${team.id}/members/${account.id}`, {})).toBe(
      '409 account-left',
    );
  });

  it('are announced by id when they change and when they leave, once', async () => {
    const account = await newAccount(admin);
    await patch(account, { displayName: 'Secret Name' });
    await admin.post(`${path}/${account.id}/deactivation`, undefined, 200);
    await admin.post(`${path}/${account.id}/deactivation`, undefined, 200);
    const facts = await api.rows<{ name: string; body: object }>(
      `SELECT name, body FROM platform.outbox WHERE body ->> 'accountId' = $1 ORDER BY id`,
      [account.id],
    );
    expect(facts).toEqual([
      { name: 'directory.account-changed', body: { accountId: account.id, kind: 'person', status: 'active' } },
      { name: 'directory.account-changed', body: { accountId: account.id, kind: 'person', status: 'active' } },
      { name: 'directory.account-deactivated', body: { accountId: account.id } },
      { name: 'directory.account-changed', body: { accountId: account.id, kind: 'person', status: 'left' } },
    ]);
  });

  it('tell the audit log who changed what', async () => {
    const account = await newAccount(admin, { displayName: 'Before' });
    await patch(account, { displayName: 'After' });
    const log = await api.rows<{ operation: string; old: string | null; new: string; actor: string }>(
      `SELECT operation, old ->> 'display_name' AS old, new ->> 'display_name' AS new, actor FROM platform.audit_log
       WHERE table_name = 'account' AND record ->> 'id' = $1 ORDER BY id`,
      [account.id],
    );
    expect(log).toMatchObject([
      { operation: 'INSERT', old: null, new: 'Before' },
      { operation: 'UPDATE', old: 'Before', new: 'After' },
    ]);
    expect(new Set(log.map(({ actor }) => actor)).size).toBe(1);
  });

  describe('of the last administrator', () => {
    const act = {
      deactivation: (id: string) => outcome(admin, 'POST', `${path}/${id}/deactivation`),
      suspension: async (id: string) => patch(await read({ id }), { status: 'suspended' }),
      'loss of the role': async (id: string) => {
        const { rowVersion } = await read({ id });
        const at = { 'if-match': `"${rowVersion}"` };
        return outcome(admin, 'PUT', `${path}/${id}/roles`, { roles: [{ role: 'viewer', siteId: null }] }, at);
      },
    };

    /** Leaves exactly two administrators: one new, and the one who asks. */
    const two = async (): Promise<[string, string]> => {
      const { id } = await newAccount(admin, { roles: [{ role: 'admin', siteId: null }] });
      const [asking] = await api.rows<{ id: string }>(
        `SELECT account_id AS id FROM directory.account_role r JOIN directory.account a ON a.id = r.account_id
         WHERE r.role = 'admin' AND r.site_id IS NULL AND a.status = 'active' AND a.id <> $1`,
        [id],
      );
      return [id, asking?.id ?? ''];
    };

    it.each(['deactivation', 'suspension', 'loss of the role'] as const)('%s is refused', async (how) => {
      const [other, last] = await two();
      expect(await act[how](other)).toBe('200');
      expect(await act[how](last)).toBe('409 last-admin');
      await admin.get('/api/auth/me');
    });

    it('is refused to one of two who let go of each other at the same time', async () => {
      for (const how of ['deactivation', 'suspension', 'loss of the role'] as const) {
        const [other, asking] = await two();
        const helper = await api.as('directory.account:write', 'directory.role:grant', 'directory.account:read');
        const go = (id: string) => {
          if (how === 'deactivation') return outcome(helper, 'POST', `${path}/${id}/deactivation`);
          const at = async () => ({ 'if-match': `"${(await read({ id }, helper)).rowVersion}"` });
          return how === 'suspension'
            ? at().then((version) => outcome(helper, 'PATCH', `${path}/${id}`, { status: 'suspended' }, version))
            : at().then((version) => outcome(helper, 'PUT', `${path}/${id}/roles`, { roles: [] }, version));
        };
        const answers = await Promise.all([go(other), go(asking)]);
        expect(answers.sort()).toEqual(['200', '409 last-admin']);
        await api.rows(`UPDATE directory.account SET status = 'active' WHERE id = $1`, [asking]);
        await api.rows(
          `INSERT INTO directory.account_role (id, account_id, role) VALUES ($1, $2, 'admin') ON CONFLICT DO NOTHING`,
          [randomUUIDv7(), asking],
        );
        await api.rows(`UPDATE directory.account SET status = 'left' WHERE id = $1`, [other]);
      }
    });
  });

  describe('in a list', () => {
    const names = (answer: unknown) =>
      accountView
        .array()
        .parse(Reflect.get(Object(answer), 'items'))
        .map(({ displayName }) => displayName);

    it('are found by parts of name, username, address and number, and the signs of patterns mean themselves', async () => {
      const tag = fresh('x').replaceAll('-', '');
      await newAccount(admin, {
        username: `u${tag}`,
        displayName: `José 100%_${tag}`,
        email: `e${tag}@example.com`,
        employeeNo: `N${tag}`,
      });
      const found = async (search: string) =>
        names(await admin.get(`${path}?search=${encodeURIComponent(search)}`)).length;
      for (const search of [`josé 100%_${tag}`, `u${tag}`, `e${tag}@EXAMPLE`, `n${tag}`, `0%_${tag}`]) {
        expect([search, await found(search)]).toEqual([search, 1]);
      }
      expect(await found(`1%${tag}`)).toBe(0);
      expect(await found(`José 100%x${tag}`)).toBe(0);
    });

    it('are filtered by team, site, role and status', async () => {
      const site = await newSite(admin);
      const team = await newTeam(admin, site.id);
      const inTeam = await newAccount(admin, { displayName: 'In team' });
      await join(admin, team.id, inTeam.id);
      const atSite = await newAccount(admin, { displayName: 'At site', roles: [{ role: 'finance', siteId: site.id }] });
      await api.rows(`UPDATE directory.account SET status = 'suspended' WHERE id = $1`, [atSite.id]);
      const at = async (query: string) => names(await admin.get(`${path}?${query}`));
      expect(await at(`teamId=${team.id}`)).toEqual(['In team']);
      expect(await at(`siteId=${site.id}&status=active&search=In team`)).toEqual(['In team']);
      expect(await at(`role=finance&status=suspended`)).toEqual(['At site']);
    });

    it('neither skip nor repeat anybody while others are added', async () => {
      const tag = fresh('page').replaceAll('-', '');
      const add = (name: string) => newAccount(admin, { displayName: `${name} ${tag}` });
      const expected: string[] = [];
      for (let n = 0; n < 25; n++) expected.push((await add(`M${String.fromCharCode(97 + (n % 5))}`)).id);

      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const query: string = cursor === null ? '' : `&cursor=${cursor}`;
        const answer: unknown = await admin.get(`${path}?search=${tag}&limit=4${query}`);
        seen.push(
          ...accountView
            .array()
            .parse(Reflect.get(Object(answer), 'items'))
            .map(({ id }) => id),
        );
        const next: unknown = Reflect.get(Object(answer), 'next');
        cursor = typeof next === 'string' ? next : null;
        await Promise.all(['A', 'Ma', 'Mc', 'Me', 'Z'].map(add));
      } while (cursor !== null && seen.length < 500);

      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.filter((id) => expected.includes(id)).sort()).toEqual(expected.sort());
    });

    it('is refused a cursor of another list', async () => {
      expect(await outcome(admin, 'GET', `${path}?cursor=WzFd`)).toBe('422 invalid-request');
    });
  });

  describe('of another site', () => {
    it('are not there to be read, and forbidden to be written', async () => {
      const [here, there] = [await newSite(admin), await newSite(admin)];
      const local = await newHolder(api, admin, 'admin', here.id);
      const mine = await newAccount(admin, { roles: [{ role: 'viewer', siteId: here.id }] });
      const theirs = await newAccount(admin, { roles: [{ role: 'viewer', siteId: there.id }] });
      const at = { 'if-match': '"1"' };

      expect((await read(mine, local)).id).toBe(mine.id);
      expect(await outcome(local, 'GET', `${path}/${theirs.id}`)).toBe('404 account-not-found');
      expect(await patch(mine, { locale: 'de' }, local)).toBe('200');
      expect(await patch(theirs, { locale: 'de' }, local)).toBe('403 permission-missing');
      expect(await outcome(local, 'POST', `${path}/${theirs.id}/deactivation`)).toBe('403 permission-missing');
      expect(await outcome(local, 'PUT', `${path}/${theirs.id}/roles`, { roles: [] }, at)).toBe(
        '403 permission-missing',
      );
      expect(await outcome(local, 'PATCH', `${path}/${randomUUIDv7()}`, {}, at)).toBe('404 account-not-found');
    });

    it('cannot be reached through an account that works at both', async () => {
      const [here, there] = [await newSite(admin), await newSite(admin)];
      const local = await newHolder(api, admin, 'admin', here.id);
      const both = await newAccount(admin, {
        roles: [here, there].map(({ id }) => ({ role: 'manager', siteId: id })),
      });
      expect(await patch(both, { password: 'quiet harbour lamps' }, local)).toBe('403 permission-missing');
      const everywhere = await newAccount(admin, { roles: [{ role: 'admin', siteId: null }] });
      expect(await patch(everywhere, { password: 'quiet harbour lamps' }, local)).toBe('403 permission-missing');
    });

    it('are added without a role by who may give none', async () => {
      const clerk = await api.as('directory.account:write');
      const add = (roles: object[]) =>
        outcome(clerk, 'POST', path, { username: fresh('clerk'), displayName: 'Clerk', roles });
      expect(await add([])).toBe('201');
      expect(await add([{ role: 'viewer', siteId: null }])).toBe('403 permission-missing');
    });

    it('cannot be given a role by who rules one site, nor can the company', async () => {
      const [here, there] = [await newSite(admin), await newSite(admin)];
      const local = await newHolder(api, admin, 'admin', here.id);
      const add = (...roles: object[]) =>
        outcome(local, 'POST', path, { username: fresh('local'), displayName: 'Local', roles });
      expect(await add({ role: 'manager', siteId: here.id })).toBe('201');
      expect(await add({ role: 'manager', siteId: there.id })).toBe('403 permission-missing');
      expect(await add({ role: 'admin', siteId: null })).toBe('403 permission-missing');
      expect(await add({ role: 'ops_emergency', siteId: null })).toBe('403 permission-missing');
      expect(await add()).toBe('403 permission-missing');
    });
  });
});
