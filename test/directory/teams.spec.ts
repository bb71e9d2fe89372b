import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { memberView, skillView, teamView, type MemberView, type SiteView } from '@belay/directory';
import { TestApi } from '../support/test-api.js';
import { fresh, join, newAccount, newHolder, newSite, newTeam, outcome } from '../support/people.js';

const path = '/api/directory/teams';
const items = (answer: unknown): unknown => Reflect.get(Object(answer), 'items');

describe('teams', () => {
  let api: TestApi;
  let admin: TestApi;
  let site: SiteView;

  beforeAll(async () => {
    api = await TestApi.with();
    admin = await api.as('admin');
    site = await newSite(admin);
  });
  afterAll(() => api.close());

  it('start hybrid, general, counted and pushed', async () => {
    expect(await newTeam(admin, site.id)).toMatchObject({
      teamCategory: 'general',
      productionMode: 'hybrid',
      loadMode: 'count',
      dispatchMode: 'PUSH',
      active: true,
      rowVersion: 1,
    });
  });

  it('share no code', async () => {
    const code = fresh('same');
    const add = () => outcome(admin, 'POST', path, { code, name: 'Same', siteId: site.id });
    expect((await Promise.all([add(), add(), add()])).sort()).toEqual(['201', '409 code-taken', '409 code-taken']);
  });

  it('stand at a site that exists', async () => {
    const body = { code: fresh('t'), name: 'Team', siteId: randomUUIDv7() };
    expect(await outcome(admin, 'POST', path, body)).toBe('422 invalid-request');
  });

  it('are found by name, code, site, category and whether they are active', async () => {
    const tag = fresh('find');
    const { id } = await newSite(admin);
    await newTeam(admin, id, { name: `Cutting ${tag}`, teamCategory: 'cutting' });
    await newTeam(admin, id, { name: `Sewing ${tag}`, teamCategory: 'sewing', active: false });
    const found = async (query: string) =>
      teamView
        .array()
        .parse(items(await admin.get(`${path}?${query}`)))
        .map(({ teamCategory }) => teamCategory);
    expect(await found(`search=${tag}`)).toEqual(['cutting', 'sewing']);
    expect(await found(`siteId=${id}&active=false`)).toEqual(['sewing']);
    expect(await found(`siteId=${id}&active=true`)).toEqual(['cutting']);
    expect(await found(`siteId=${id}&teamCategory=sewing`)).toEqual(['sewing']);
  });

  it('move to another site with who may write at both', async () => {
    const there = await newSite(admin);
    const team = await newTeam(admin, site.id);
    const local = await newHolder(api, admin, 'manager', site.id);
    const at = { 'if-match': '"1"' };
    expect(await outcome(local, 'PATCH', `${path}/${team.id}`, { siteId: there.id }, at)).toBe(
      '403 permission-missing',
    );
    expect(await outcome(admin, 'PATCH', `${path}/${team.id}`, { siteId: there.id }, at)).toBe('200');
    expect(await outcome(local, 'GET', `${path}/${team.id}`)).toBe('404 team-not-found');
  });

  it('of another site are not there to be read, and forbidden to be written', async () => {
    const there = await newSite(admin);
    const team = await newTeam(admin, there.id);
    const { id } = await newAccount(admin);
    await join(admin, team.id, id);
    const local = await newHolder(api, admin, 'manager', site.id);
    expect(await outcome(local, 'GET', `${path}/${team.id}`)).toBe('404 team-not-found');
    expect(await outcome(local, 'GET', `${path}/${team.id}/members`)).toBe('404 team-not-found');
    expect(await outcome(local, 'PATCH', `${path}/${team.id}`, {}, { 'if-match': '"1"' })).toBe(
      '403 permission-missing',
    );
    expect(await outcome(local, 'PUT', `${path}/${team.id}/members/${id}`, {})).toBe('403 permission-missing');
    expect(await outcome(local, 'DELETE', `${path}/${team.id}/members/${id}`)).toBe('403 permission-missing');
    expect(await outcome(local, 'POST', path, { code: fresh('t'), name: 'T', siteId: there.id })).toBe(
      '403 permission-missing',
    );
    expect(await outcome(local, 'GET', `${path}/${randomUUIDv7()}`)).toBe('404 team-not-found');
  });

  describe('have members', () => {
    const members = async (teamId: string) =>
      memberView.array().parse(items(await admin.get(`${path}/${teamId}/members`)));

    it('who are in once, also when they are put in by many at once', async () => {
      const team = await newTeam(admin, site.id);
      const { id } = await newAccount(admin);
      await Promise.all(Array.from({ length: 8 }, () => join(admin, team.id, id, { role: 'qc' })));
      expect(await members(team.id)).toMatchObject([
        { role: 'qc', capacityPerDay: 10, sortPriority: 50, active: true },
      ]);
    });

    it('who may be in several teams, leave and come back', async () => {
      const [one, other] = [await newTeam(admin, site.id), await newTeam(admin, site.id)];
      const { id } = await newAccount(admin);
      await join(admin, one.id, id);
      await join(admin, other.id, id);
      await admin.delete(`${path}/${one.id}/members/${id}`);
      expect(await outcome(admin, 'DELETE', `${path}/${one.id}/members/${id}`)).toBe('404 member-not-found');
      expect(await members(one.id)).toEqual([]);
      expect(await members(other.id)).toHaveLength(1);
      await join(admin, one.id, id, { role: 'lead' });
      expect(await members(one.id)).toMatchObject([{ role: 'lead' }]);
      const stays = await api.rows(`SELECT removed_at FROM directory.team_member WHERE team_id = $1`, [one.id]);
      expect(stays).toHaveLength(2);
    });

    it('in the order of their priority, without skipping or repeating one while others join', async () => {
      const team = await newTeam(admin, site.id);
      const add = async (sortPriority: number) => {
        const { id } = await newAccount(admin);
        await join(admin, team.id, id, { sortPriority });
        return id;
      };
      const expected: string[] = [];
      for (const priority of [3, 1, 2, 1, 3, 2, 2]) expected.push(await add(priority));
      const seen: MemberView[] = [];
      let cursor = '';
      do {
        const answer: unknown = await admin.get(`${path}/${team.id}/members?limit=2${cursor}`);
        seen.push(...memberView.array().parse(items(answer)));
        const next: unknown = Reflect.get(Object(answer), 'next');
        cursor = typeof next === 'string' ? `&cursor=${next}` : '';
        await add(1);
        if (seen.length < 4) await add(2);
      } while (cursor !== '' && seen.length < 60);
      const ids = seen.map(({ person }) => person.id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.filter((id) => expected.includes(id)).sort()).toEqual(expected.sort());
      const priorities = seen.map(({ sortPriority }) => sortPriority);
      expect(priorities).toEqual([...priorities].sort());
    });

    it.each([
      ['a capacity below 0', { capacityPerDay: -1 }],
      ['a priority above 100', { sortPriority: 101 }],
      ['a part nobody knows', { role: 'boss' }],
    ])('who are refused with %s', async (_, part) => {
      const team = await newTeam(admin, site.id);
      const { id } = await newAccount(admin);
      expect(await outcome(admin, 'PUT', `${path}/${team.id}/members/${id}`, part)).toBe('422 invalid-request');
    });

    it('whose list is refused a cursor that is none of its own', async () => {
      const team = await newTeam(admin, site.id);
      for (const values of [[3e9, randomUUIDv7()], ['1', randomUUIDv7()], [1], [1, 'x']]) {
        const cursor = Buffer.from(JSON.stringify(values)).toString('base64url');
        expect(await outcome(admin, 'GET', `${path}/${team.id}/members?cursor=${cursor}`)).toBe('422 invalid-request');
      }
    });

    it('whom the one who puts them in knows of already', async () => {
      const team = await newTeam(admin, site.id);
      const local = await newHolder(api, admin, 'manager', site.id);
      const there = await newSite(admin);
      const stranger = await newAccount(admin, { roles: [{ role: 'operator', siteId: there.id }] });
      expect(await outcome(local, 'PUT', `${path}/${team.id}/members/${stranger.id}`, {})).toBe(
        '404 account-not-found',
      );
      const known = await newAccount(admin, { roles: [{ role: 'operator', siteId: site.id }] });
      expect(await outcome(local, 'PUT', `${path}/${team.id}/members/${known.id}`, {})).toBe('200');
    });

    it('whose coming and going is announced by id', async () => {
      const team = await newTeam(admin, site.id);
      const { id } = await newAccount(admin);
      await join(admin, team.id, id);
      await admin.delete(`${path}/${team.id}/members/${id}`);
      const facts = await api.rows<{ body: unknown }>(
        `SELECT body FROM platform.outbox WHERE name = 'directory.team-changed' AND body ->> 'teamId' = $1 ORDER BY id`,
        [team.id],
      );
      const body = { teamId: team.id, siteId: site.id, active: true };
      expect(facts.map((fact) => fact.body)).toEqual([
        { ...body, accountIds: [] },
        { ...body, accountIds: [id] },
        { ...body, accountIds: [id] },
      ]);
    });
  });
});

describe('skills', () => {
  let api: TestApi;
  let admin: TestApi;
  let site: SiteView;
  const of = (id: string) => `/api/directory/accounts/${id}/skills`;

  beforeAll(async () => {
    api = await TestApi.with();
    admin = await api.as('admin');
    site = await newSite(admin);
  });
  afterAll(() => api.close());

  it('are certified, changed and withdrawn', async () => {
    const { id } = await newAccount(admin);
    await admin.put(`${of(id)}/Welding`, { level: 2, certifiedAt: '2026-01-01' });
    const changed = await admin.put(`${of(id)}/welding`, { level: 4, expiresAt: '2027-01-01' }, 200, skillView);
    expect(changed).toMatchObject({ skillCode: 'welding', level: 4, certifiedAt: null, expiresAt: '2027-01-01' });
    expect(skillView.array().parse(items(await admin.get(of(id))))).toEqual([changed]);
    await admin.delete(`${of(id)}/welding`);
    expect(await outcome(admin, 'DELETE', `${of(id)}/welding`)).toBe('404 skill-not-found');
  });

  it.each([
    [{ level: 0 }, '422 invalid-request'],
    [{ level: 1 }, '200'],
    [{ level: 5 }, '200'],
    [{ level: 6 }, '422 invalid-request'],
    [{ level: 2.5 }, '422 invalid-request'],
    [{ level: 1, certifiedAt: '2026-01-02', expiresAt: '2026-01-02' }, '200'],
    [{ level: 1, certifiedAt: '2026-01-02', expiresAt: '2026-01-01' }, '422 invalid-request'],
    [{ level: 1, expiresAt: '2026-02-30' }, '422 invalid-request'],
  ])('with %j: %s', async (skill, answer) => {
    const { id } = await newAccount(admin);
    expect(await outcome(admin, 'PUT', `${of(id)}/welding`, skill)).toBe(answer);
  });

  it('are seen by the person, who leads them and who may at their site', async () => {
    const team = await newTeam(admin, site.id);
    const person = await newHolder(api, admin, 'operator', site.id);
    const colleague = await newHolder(api, admin, 'operator', site.id);
    const lead = await newHolder(api, admin, 'operator', site.id);
    await join(admin, team.id, person.id);
    await join(admin, team.id, colleague.id);
    await join(admin, team.id, lead.id, { role: 'lead' });
    const supervisor = await newHolder(api, admin, 'supervisor', site.id);
    const elsewhere = await newHolder(api, admin, 'supervisor', (await newSite(admin)).id);
    for (const [viewer, answer] of [
      [person, '200'],
      [lead, '200'],
      [supervisor, '200'],
      [colleague, '404 account-not-found'],
      [elsewhere, '404 account-not-found'],
    ] as const) {
      expect(await outcome(viewer, 'GET', of(person.id))).toBe(answer);
    }
    expect(await outcome(supervisor, 'PUT', `${of(person.id)}/welding`, { level: 1 })).toBe('200');
    expect(await outcome(elsewhere, 'PUT', `${of(person.id)}/welding`, { level: 1 })).toBe('403 permission-missing');
  });
});
