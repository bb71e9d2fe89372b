import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DirectoryReader, type AccountView, type SiteView, type TeamView } from '@belay/directory';
import { Accounts, Caller } from '@belay/platform';
import { TestApi } from '../support/test-api.js';
import { fresh, join, newAccount, newSite, newTeam } from '../support/people.js';

describe('what other domains may ask', () => {
  let api: TestApi;
  let admin: TestApi;
  let reader: DirectoryReader;
  let site: SiteView;
  let team: TeamView;
  let idle: TeamView;
  let ken: AccountView;
  let mia: AccountView;
  const nobody = randomUUIDv7();

  beforeAll(async () => {
    api = await TestApi.with();
    admin = await api.as('admin');
    reader = api.app.get(DirectoryReader);
    site = await newSite(admin, { timeZone: 'Asia/Kolkata', holidays: ['2026-01-26'] });
    team = await newTeam(admin, site.id, { teamCategory: 'sewing', code: fresh('a') });
    idle = await newTeam(admin, site.id, { active: false, code: fresh('b') });
    ken = await newAccount(admin, { displayName: 'Ken Sánchez', locale: 'pt-BR' });
    mia = await newAccount(admin, { displayName: 'Mia Mann', roles: [{ role: 'operator', siteId: site.id }] });
    await join(admin, team.id, mia.id, { sortPriority: 90 });
    await join(admin, team.id, ken.id, { role: 'lead', capacityPerDay: 4, sortPriority: 10 });
    await join(admin, idle.id, ken.id);
  });
  afterAll(() => api.close());

  it('accounts, without a name', async () => {
    const found = await reader.accounts([ken.id, mia.id, nobody]);
    expect([...found.keys()].sort()).toEqual([ken.id, mia.id].sort());
    expect(found.get(mia.id)).toEqual({
      id: mia.id,
      kind: 'person',
      status: 'active',
      locale: 'en',
      roles: [{ role: 'operator', siteId: site.id }],
    });
    expect(found.get(ken.id)).toMatchObject({ locale: 'pt-BR', roles: [] });
  });

  it('people, masked for who is to see them', async () => {
    const caller = (...grants: { permission: string; siteId: string | null }[]) =>
      new Caller({ accountId: nobody, username: 'x', kind: 'person', roles: [], grants, requestId: 'r' });
    const stranger = await reader.people(caller(), [ken.id, mia.id, nobody]);
    expect([...stranger.values()].map(({ displayName }) => displayName).sort()).toEqual(['K•••', 'M•••']);
    const manager = caller({ permission: 'people.operator:detail', siteId: site.id });
    expect((await reader.people(manager, [mia.id])).get(mia.id)?.displayName).toBe('Mia Mann');
    const job = await reader.people(Caller.system('job'), [ken.id]);
    expect(job.get(ken.id)?.displayName).toBe('K•••');
  });

  it('members in the order of their priority, and who of them is an operator', async () => {
    const members = await reader.members([team.id, idle.id, nobody]);
    expect(members.get(team.id)).toMatchObject([
      { accountId: ken.id, role: 'lead', capacityPerDay: 4, operator: true },
      { accountId: mia.id, role: 'member', capacityPerDay: 10, operator: true },
    ]);
    expect(members.get(idle.id)).toMatchObject([{ accountId: ken.id, operator: false }]);
    expect(members.has(nobody)).toBe(false);
  });

  it('nobody who is suspended or set inactive as an operator', async () => {
    const one = await newAccount(admin);
    const own = await newTeam(admin, site.id);
    await join(admin, own.id, one.id);
    const operator = async () => (await reader.members([own.id])).get(own.id)?.[0]?.operator;
    expect(await operator()).toBe(true);
    await join(admin, own.id, one.id, { active: false });
    expect(await operator()).toBe(false);
    await join(admin, own.id, one.id);
    await api.rows(`UPDATE directory.account SET status = 'suspended' WHERE id = $1`, [one.id]);
    expect(await operator()).toBe(false);
    const [published] = await api.rows(`SELECT active FROM directory.public_team_member WHERE team_id = $1`, [own.id]);
    expect(published).toEqual({ active: false });
  });

  it('the teams of a person and of a site', async () => {
    const memberships = await reader.memberships([ken.id, mia.id]);
    expect(
      memberships
        .get(ken.id)
        ?.map(({ teamId, siteId }) => [teamId, siteId])
        .sort(),
    ).toEqual([team.id, idle.id].map((id) => [id, site.id]).sort());
    expect((await reader.teamsAt([site.id])).get(site.id)?.map(({ id }) => id)).toEqual(
      expect.arrayContaining([team.id, idle.id]),
    );
    expect((await reader.teams([team.id])).get(team.id)).toMatchObject({
      teamCategory: 'sewing',
      dispatchMode: 'PUSH',
    });
  });

  it('skills that count on a day and reach a level', async () => {
    const certify = (skill: string, body: object) =>
      admin.put(`/api/directory/accounts/${ken.id}/skills/${skill}`, body);
    await certify('welding', { level: 3, certifiedAt: '2026-02-01', expiresAt: '2026-02-28' });
    await certify('sewing', { level: 5 });
    const on = async (day: string, level?: number) =>
      ((await reader.skills([ken.id, mia.id], day, level)).get(ken.id) ?? []).map(({ skillCode }) => skillCode);
    expect(await on('2026-01-31')).toEqual(['sewing']);
    expect(await on('2026-02-01')).toEqual(['sewing', 'welding']);
    expect(await on('2026-02-28')).toEqual(['sewing', 'welding']);
    expect(await on('2026-03-01')).toEqual(['sewing']);
    expect(await on('2026-02-15', 3)).toEqual(['sewing', 'welding']);
    expect(await on('2026-02-15', 4)).toEqual(['sewing']);
  });

  it('sites with zone, hours and holidays, and their shifts', async () => {
    expect((await reader.sites([site.id, nobody])).get(site.id)).toMatchObject({
      timeZone: 'Asia/Kolkata',
      holidays: ['2026-01-26'],
      active: true,
    });
    const shifts = (await reader.shifts([site.id])).get(site.id);
    expect(shifts?.map(({ code, starts, ends }) => `${code} ${starts}-${ends}`)).toEqual([
      'morning 06:00-14:00',
      'evening 14:00-22:00',
      'night 22:00-06:00',
    ]);
  });

  it('who works at a site and who holds a role', async () => {
    const everywhere = await newAccount(admin, { roles: [{ role: 'auditor', siteId: null }] });
    const staff = (await reader.staff([site.id])).get(site.id);
    expect(staff).toEqual(expect.arrayContaining([ken.id, mia.id]));
    expect(staff).not.toContain(everywhere.id);
    expect((await reader.holders(['auditor', 'dba'])).get('auditor')).toContain(everywhere.id);
  });

  it('the sites that somebody may see', async () => {
    const everywhere = await newAccount(admin, { roles: [{ role: 'auditor', siteId: null }] });
    const seen = await reader.sitesSeen([mia.id, ken.id, everywhere.id, nobody]);
    expect([...seen].sort()).toEqual(
      [
        [mia.id, [site.id]],
        [ken.id, []],
        [everywhere.id, 'all'],
      ].sort(),
    );
  });
});

describe('what the platform asks about accounts', () => {
  let api: TestApi;
  let admin: TestApi;
  let accounts: Accounts;

  beforeAll(async () => {
    api = await TestApi.with();
    admin = await api.as('admin');
    accounts = api.app.get(Accounts);
  });
  afterAll(() => api.close());

  const identity = { issuer: 'https://id.example', subject: '1', roles: [] };

  it('finds who an identity provider means by the verified address or the username', async () => {
    const email = `${fresh('ken')}@example.com`;
    const { id, username } = await newAccount(admin, { email });
    const byMail = await accounts.byOidc({ ...identity, linkedBy: 'email', value: email.toUpperCase() });
    const byName = await accounts.byOidc({ ...identity, linkedBy: 'username', value: username ?? '' });
    expect([byMail?.id, byName?.id]).toEqual([id, id]);
    expect(await accounts.byOidc({ ...identity, linkedBy: 'username', value: email })).toBeUndefined();
  });

  it('adds the roles that the provider claims, everywhere and without storing them', async () => {
    const site = await newSite(admin);
    const { id, username } = await newAccount(admin, { roles: [{ role: 'viewer', siteId: site.id }] });
    const facts = await accounts.byOidc({
      ...identity,
      linkedBy: 'username',
      value: username ?? '',
      roles: ['finance'],
    });
    expect(facts?.roles).toEqual(['viewer', 'finance']);
    expect(facts?.grants).toContainEqual({ permission: 'wms.invoice:pay', siteId: null });
    expect((await accounts.byId(id))?.roles).toEqual(['viewer']);
    expect(await api.rows(`SELECT role FROM directory.account_role WHERE account_id = $1`, [id])).toEqual([
      { role: 'viewer' },
    ]);
  });

  it('never takes a machine for a person', async () => {
    const { username } = await newAccount(admin, { kind: 'machine' });
    expect(await accounts.byOidc({ ...identity, linkedBy: 'username', value: username ?? '' })).toBeUndefined();
  });

  it('knows nobody who does not exist', async () => {
    expect(await accounts.byId(randomUUIDv7())).toBeUndefined();
    expect(await accounts.byApiToken('00')).toBeUndefined();
  });
});
