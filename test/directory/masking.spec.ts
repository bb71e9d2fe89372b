import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  accountView,
  DirectoryReader,
  memberView,
  type AccountView,
  type SiteView,
  type TeamView,
} from '@belay/directory';
import { Caller } from '@belay/platform';
import { TestApi } from '../support/test-api.js';
import { fresh, join, newAccount, newHolder, newSite, newTeam, outcome } from '../support/people.js';

const path = '/api/directory/accounts';

describe('what is shown of a person', () => {
  let api: TestApi;
  let admin: TestApi;
  let site: SiteView;
  let team: TeamView;
  let ken: AccountView;
  const viewers: Record<string, TestApi> = {};
  const kens = { displayName: 'Ken Sánchez', givenName: 'Ken', familyName: 'Sánchez' };

  const consent = (value: string) => admin.put(`${path}/${ken.id}/consent`, { value });
  const seenBy = async (viewer: string) => (viewers[viewer] ?? api).get(`${path}/${ken.id}`, 200, accountView);

  /** The name, and a letter for each further field that is shown: username (u: its ends), e-mail, number, avatar. */
  const summary = async (viewer: string) => {
    const { displayName, username, email, employeeNo, avatarUrl } = await seenBy(viewer);
    const name = displayName.startsWith('Operator #') ? '#' : displayName;
    const shownUsername = username === null ? '-' : username.includes('••••') ? 'u' : 'U';
    return `${name} ${shownUsername}${email ? 'E' : '-'}${employeeNo ? 'N' : '-'}${avatarUrl ? 'A' : '-'}`;
  };

  beforeAll(async () => {
    api = await TestApi.with();
    admin = await api.as('admin');
    site = await newSite(admin);
    team = await newTeam(admin, site.id);
    ken = await newAccount(admin, {
      ...kens,
      username: fresh('ken'),
      email: `${fresh('ken')}@example.com`,
      employeeNo: fresh('E'),
      avatarUrl: 'https://pictures.example/ken.jpg',
    });
    await join(admin, team.id, ken.id);

    for (const role of ['manager', 'supervisor', 'operator', 'auditor', 'viewer']) {
      viewers[role] = await newHolder(api, admin, role, site.id);
    }
    for (const role of ['member', 'lead'] as const) {
      const holder = await newHolder(api, admin, 'operator', site.id);
      await join(admin, team.id, holder.id, { role });
      viewers[role === 'lead' ? 'lead' : 'colleague'] = holder;
    }
    viewers['admin'] = admin;
    viewers['self'] = await api.asAccount(ken.id);
    viewers['pii'] = await api.as('directory.account:read', 'people:pii');
    const { rowVersion } = await admin.get(`${path}/${ken.id}`, 200, accountView);
    await admin
      .withHeaders({ 'if-match': `"${rowVersion}"` })
      .put(`${path}/${ken.id}/roles`, { roles: [{ role: 'viewer', siteId: site.id }] });
  });
  afterAll(() => api.close());

  const full = 'Ken Sánchez';
  it.each([
    // who was never asked is shown by the role rule alone
    ['nothing', 'self', `${full} UENA`],
    ['nothing', 'admin', `${full} UENA`],
    ['nothing', 'manager', `${full} U-NA`],
    ['nothing', 'supervisor', `${full} U-NA`],
    ['nothing', 'lead', `${full} u--A`],
    ['nothing', 'colleague', `${full} u---`],
    ['nothing', 'operator', 'K••• ----'],
    ['nothing', 'auditor', 'K••• ----'],
    ['nothing', 'viewer', 'K••• ----'],
    ['nothing', 'pii', `${full} UENA`],
    ['ACCEPTED', 'self', `${full} UENA`],
    ['ACCEPTED', 'manager', `${full} U-NA`],
    ['ACCEPTED', 'colleague', `${full} u---`],
    ['ACCEPTED', 'operator', 'K••• ----'],
    ['HIDE_AVATAR', 'self', `${full} UENA`],
    ['HIDE_AVATAR', 'admin', `${full} UEN-`],
    ['HIDE_AVATAR', 'manager', `${full} U-N-`],
    ['HIDE_AVATAR', 'lead', `${full} u---`],
    ['HIDE_AVATAR', 'auditor', 'K••• ----'],
    ['HIDE_AVATAR', 'pii', `${full} UENA`],
    ['MASK_NAME', 'self', `${full} UENA`],
    ['MASK_NAME', 'admin', 'K••• --N-'],
    ['MASK_NAME', 'manager', 'K••• --N-'],
    ['MASK_NAME', 'lead', 'K••• ----'],
    ['MASK_NAME', 'operator', 'K••• ----'],
    ['MASK_NAME', 'pii', `${full} UENA`],
    ['REJECTED', 'self', `${full} UENA`],
    ['REJECTED', 'admin', '# ----'],
    ['REJECTED', 'manager', '# ----'],
    ['REJECTED', 'lead', '# ----'],
    ['REJECTED', 'colleague', '# ----'],
    ['REJECTED', 'operator', '# ----'],
    ['REJECTED', 'auditor', '# ----'],
    ['REJECTED', 'pii', `${full} UENA`],
  ])('who agreed to %s, to %s: %s', async (agreed, viewer, expected) => {
    if (agreed === 'nothing') await api.rows(`DELETE FROM directory.consent WHERE account_id = $1`, [ken.id]);
    else await consent(agreed);
    expect(await summary(viewer)).toBe(expected);
  });

  it('is the same in a list, in a team, after a change and to other domains', async () => {
    await consent('REJECTED');
    const { displayName } = await seenBy('manager');
    const items = (answer: unknown): unknown => Reflect.get(Object(answer), 'items');
    const manager = viewers['manager'] ?? api;

    const list = accountView.array().parse(items(await manager.get(`${path}?teamId=${team.id}`)));
    expect(list.find(({ id }) => id === ken.id)?.displayName).toBe(displayName);
    const members = memberView.array().parse(items(await manager.get(`/api/directory/teams/${team.id}/members`)));
    expect(members.find(({ person }) => person.id === ken.id)?.person.displayName).toBe(displayName);
    const placed = await manager.put(`/api/directory/teams/${team.id}/members/${ken.id}`, {}, 200, memberView);
    expect(placed.person.displayName).toBe(displayName);
    const stranger = new Caller({
      accountId: site.id,
      username: 'x',
      kind: 'person',
      roles: [],
      grants: [],
      requestId: 'r',
    });
    const people = await api.app.get(DirectoryReader).people(stranger, [ken.id]);
    expect(people.get(ken.id)?.displayName).toBe(displayName);
  });

  it('changes at once when consent is withdrawn, by the person or for them', async () => {
    const self = viewers['self'] ?? api;
    await self.put(`${path}/${ken.id}/consent`, { value: 'ACCEPTED' });
    expect(await summary('manager')).toBe(`${full} U-NA`);
    const answer = await self.put(`${path}/${ken.id}/consent`, { value: 'REJECTED' });
    expect(answer).toMatchObject({ value: 'REJECTED', source: 'self' });
    expect(await summary('manager')).toBe('# ----');
    const manager = viewers['manager'] ?? api;
    expect(await manager.put(`${path}/${ken.id}/consent`, { value: 'MASK_NAME' })).toMatchObject({ source: 'manager' });
    const supervisor = viewers['supervisor'] ?? api;
    expect(await outcome(supervisor, 'PUT', `${path}/${ken.id}/consent`, { value: 'ACCEPTED' })).toBe(
      '403 permission-missing',
    );
  });

  it('can be withdrawn for somebody who has left', async () => {
    const gone = await newAccount(admin, { roles: [{ role: 'viewer', siteId: site.id }] });
    await admin.post(`${path}/${gone.id}/deactivation`, undefined, 200);
    await admin.put(`${path}/${gone.id}/consent`, { value: 'REJECTED' });
    const shown = await admin.get(`${path}/${gone.id}`, 200, accountView);
    expect(shown.displayName).toMatch(/^Operator #[0-9A-F]{6}$/);
  });

  it('is only the name of the role rule at sites where the viewer holds it', async () => {
    const other = await newSite(admin);
    const both = await newAccount(admin, {
      roles: [
        { role: 'manager', siteId: other.id },
        { role: 'viewer', siteId: site.id },
      ],
    });
    viewers['manager elsewhere'] = await api.asAccount(both.id);
    await consent('ACCEPTED');
    expect(await summary('manager elsewhere')).toBe('K••• ----');
  });

  describe('unmasked', () => {
    const reads = () =>
      api.rows<{ record: object; new: object; actor: string; reason: string | null; request_id: string }>(
        `SELECT record, new, actor, reason, request_id FROM platform.audit_log WHERE operation = 'READ' ORDER BY id`,
      );

    it('is in the audit log, with who looked at what and why', async () => {
      await consent('MASK_NAME');
      const before = (await reads()).length;
      const viewer = (viewers['pii'] ?? api).withHeaders({
        'x-reason': 'accident on line 3',
        'x-request-id': 'look-for-ken',
      });
      await viewer.get(`${path}/${ken.id}`);
      expect((await reads()).slice(before)).toMatchObject([
        {
          record: { id: ken.id },
          new: { unmasked: ['name', 'username', 'email', 'employeeNo', 'avatar'] },
          reason: 'accident on line 3',
          request_id: 'look-for-ken',
        },
      ]);
    });

    it('is written once for each person on the page who would have been masked', async () => {
      const before = (await reads()).length;
      const answer = await (viewers['pii'] ?? api).get(`${path}?limit=3`);
      const items = accountView.array().parse(Reflect.get(Object(answer), 'items'));
      expect(items.filter(({ masked }) => masked.length > 0)).toEqual([]);
      expect((await reads()).length - before).toBe(3);
    });

    it('is not written for oneself, for machines, or for what was open anyway', async () => {
      const before = (await reads()).length;
      await (viewers['self'] ?? api).get(`${path}/${ken.id}`);
      const machine = await newAccount(admin, { kind: 'machine' });
      await (viewers['pii'] ?? api).get(`${path}/${machine.id}`);
      expect((await reads()).length).toBe(before);
    });

    it('is not answered when it cannot be written down', async () => {
      await api.rows(`ALTER TABLE platform.audit_log ADD CONSTRAINT full_disk CHECK (operation <> 'READ') NOT VALID`);
      try {
        const response = await (viewers['pii'] ?? api).send('GET', `${path}/${ken.id}`);
        expect(response.statusCode).toBe(500);
        expect(response.body).not.toContain('Sánchez');
      } finally {
        await api.rows(`ALTER TABLE platform.audit_log DROP CONSTRAINT full_disk`);
      }
    });
  });

  describe('by a list', () => {
    /** People of a site of their own whose order by id and by name differ. */
    const named = async (...names: string[]) => {
      const { id: siteId } = await newSite(admin);
      const ids: string[] = [];
      for (const displayName of names) {
        ids.push((await newAccount(admin, { displayName, roles: [{ role: 'viewer', siteId }] })).id);
      }
      return { siteId, ids };
    };
    const listed = async (viewer: TestApi, query: string) =>
      accountView.array().parse(Reflect.get(Object(await viewer.get(`${path}?${query}`)), 'items'));

    it('is neither the order of the names that are masked', async () => {
      const { siteId, ids } = await named('Zoe Zimmer', 'Adam Alt', 'Mia Mann');
      const viewer = await newHolder(api, admin, 'viewer', siteId);
      const order = (await listed(viewer, `siteId=${siteId}&status=active`)).map(({ id }) => id);
      expect(order.filter((id) => ids.includes(id))).toEqual(ids);
      const manager = await newHolder(api, admin, 'manager', siteId);
      const byName = (await listed(manager, `siteId=${siteId}`)).map(({ id }) => id);
      expect(byName.filter((id) => ids.includes(id))).toEqual([ids[1], ids[2], ids[0]]);
    });

    it('nor the place of one masked person among others that are not', async () => {
      const { siteId, ids } = await named('Adam Alt', 'Mia Mann', 'Zoe Zimmer');
      await admin.put(`${path}/${ids[0] ?? ''}/consent`, { value: 'REJECTED' });
      const manager = await newHolder(api, admin, 'manager', siteId);
      const byName = (await listed(manager, `siteId=${siteId}`)).map(({ id }) => id);
      expect(byName.filter((id) => ids.includes(id))).toEqual([ids[1], ids[2], ids[0]]);
    });

    it('nor whether a search for a masked value finds somebody', async () => {
      const tag = fresh('hidden').replaceAll('-', '');
      const { id: siteId } = await newSite(admin);
      const person = await newAccount(admin, {
        displayName: `Ada ${tag}`,
        username: `u${tag}`,
        email: `e${tag}@example.com`,
        employeeNo: `N${tag}`,
        roles: [{ role: 'viewer', siteId }],
      });
      const viewer = await newHolder(api, admin, 'viewer', siteId);
      const manager = await newHolder(api, admin, 'manager', siteId);
      const finds = async (by: TestApi) => {
        const searches = [`Ada ${tag}`, `u${tag}`, `e${tag}`, `N${tag}`];
        const found = await Promise.all(searches.map((search) => listed(by, `search=${encodeURIComponent(search)}`)));
        return found.map(({ length }) => length);
      };
      expect(await finds(viewer)).toEqual([0, 0, 0, 0]);
      expect(await finds(manager)).toEqual([1, 1, 0, 1]);
      expect(await finds(admin)).toEqual([1, 1, 1, 1]);
      await admin.put(`${path}/${person.id}/consent`, { value: 'REJECTED' });
      expect(await finds(admin)).toEqual([0, 0, 0, 0]);
      expect(await finds(viewers['pii'] ?? api)).toEqual([1, 1, 1, 1]);
    });

    it('nor its cursor', async () => {
      const { siteId } = await named('Adam Alt', 'Mia Mann', 'Zoe Zimmer');
      const viewer = await newHolder(api, admin, 'viewer', siteId);
      const next: unknown = Reflect.get(Object(await viewer.get(`${path}?siteId=${siteId}&limit=2`)), 'next');
      expect(Buffer.from(String(next), 'base64url').toString()).not.toMatch(/adam|mia/i);
    });
  });
});
