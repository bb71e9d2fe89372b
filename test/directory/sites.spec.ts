import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { shiftPlanView, siteView, type SiteView } from '@belay/directory';
import { TestApi } from '../support/test-api.js';
import { fresh, newHolder, newSite, outcome } from '../support/people.js';

const path = '/api/directory/sites';

describe('sites', () => {
  let api: TestApi;
  let admin: TestApi;

  const at = (version: number) => ({ 'if-match': `"${version}"` });
  const plan = (site: SiteView, shifts: object[], version = site.rowVersion) =>
    outcome(admin, 'PUT', `${path}/${site.id}/shifts`, { shifts }, at(version));

  beforeAll(async () => {
    api = await TestApi.with();
    admin = await api.as('admin');
  });
  afterAll(() => api.close());

  it('keep address, hours and holidays as they were given', async () => {
    const given = {
      code: fresh('s').toUpperCase(),
      name: 'Bothell plant',
      kind: 'plant',
      timeZone: 'America/Los_Angeles',
      address: { line1: '3820 Bothell Way', city: 'Bothell', region: 'WA', country: 'US', phone: '+14255550100' },
      workingHours: {
        mon: [
          { from: '06:00', to: '12:00' },
          { from: '12:30', to: '24:00' },
        ],
        sun: [],
      },
      holidays: ['2026-01-01', '2026-12-25'],
      active: true,
    };
    const { id } = await admin.post(path, given, 201, siteView);
    expect(await admin.get(`${path}/${id}`, 200, siteView)).toMatchObject(given);
    const [listed] = siteView
      .array()
      .parse(Reflect.get(Object(await admin.get(`${path}?search=${given.code}`)), 'items'));
    expect(listed).toMatchObject(given);
  });

  it('share no code, whatever its case', async () => {
    const code = fresh('same');
    const add = (text: string) =>
      outcome(admin, 'POST', path, { code: text, name: 'Same', kind: 'office', timeZone: 'UTC' });
    const answers = await Promise.all([code, code.toUpperCase(), code.toLowerCase()].map(add));
    expect(answers.sort()).toEqual(['201', '409 code-taken', '409 code-taken']);
  });

  it.each([
    ['Europe/London', '201'],
    ['Asia/Kolkata', '201'],
    ['UTC', '201'],
    ['Europe/Lundun', '422 unknown-time-zone'],
    ['europe/london', '422 unknown-time-zone'],
    ['posix/Europe/London', '422 unknown-time-zone'],
    ['localtime', '422 unknown-time-zone'],
    ['+05:30', '422 unknown-time-zone'],
    ["UTC'; DROP TABLE directory.site; --", '422 unknown-time-zone'],
  ])('in the zone %s: %s', async (timeZone, answer) => {
    expect(await outcome(admin, 'POST', path, { code: fresh('z'), name: 'Zone', kind: 'office', timeZone })).toBe(
      answer,
    );
  });

  it('are refused a change to a zone that is none', async () => {
    const site = await newSite(admin);
    const answer = await outcome(admin, 'PATCH', `${path}/${site.id}`, { timeZone: 'Mars/Base' }, at(1));
    expect(answer).toBe('422 unknown-time-zone');
  });

  it.each([
    ['a country that is none', { address: { line1: 'x', city: 'y', country: 'UK' } }],
    ['a telephone number that is none', { address: { line1: 'x', city: 'y', country: 'GB', phone: '020 7123' } }],
    ['hours that end before they begin', { workingHours: { mon: [{ from: '17:00', to: '08:00' }] } }],
    [
      'hours that overlap',
      {
        workingHours: {
          mon: [
            { from: '08:00', to: '12:00' },
            { from: '11:00', to: '17:00' },
          ],
        },
      },
    ],
    ['a day that is none', { holidays: ['2026-02-29'] }],
    ['a weekday that is none', { workingHours: { monday: [] } }],
    ['a code with a space', { code: 'A B' }],
  ])('are refused with %s', async (_, details) => {
    const body = { code: fresh('bad'), name: 'Bad', kind: 'office', timeZone: 'UTC', ...details };
    expect(await outcome(admin, 'POST', path, body)).toBe('422 invalid-request');
  });

  it('announce what others must know of them', async () => {
    const site = await newSite(admin, { timeZone: 'UTC' });
    await admin.withHeaders(at(1)).patch(`${path}/${site.id}`, { timeZone: 'Asia/Kolkata' });
    const facts = await api.rows(`SELECT name, body FROM platform.outbox WHERE body ->> 'siteId' = $1 ORDER BY id`, [
      site.id,
    ]);
    const body = { siteId: site.id, code: site.code, active: true };
    expect(facts).toEqual([
      { name: 'directory.site-changed', body: { ...body, timeZone: 'UTC' } },
      { name: 'directory.site-changed', body: { ...body, timeZone: 'Asia/Kolkata' } },
    ]);
  });

  it('are listed by name, without skipping or repeating one while others are added', async () => {
    const tag = fresh('page');
    const expected: string[] = [];
    for (let n = 0; n < 12; n++) expected.push((await newSite(admin, { name: `M${n % 3} ${tag}` })).id);
    const seen: SiteView[] = [];
    let cursor = '';
    do {
      const answer: unknown = await admin.get(`${path}?search=${tag}&limit=5${cursor}`);
      seen.push(...siteView.array().parse(Reflect.get(Object(answer), 'items')));
      const next: unknown = Reflect.get(Object(answer), 'next');
      cursor = typeof next === 'string' ? `&cursor=${next}` : '';
      for (const name of ['A', 'M1', 'Z']) await newSite(admin, { name: `${name} ${tag}` });
    } while (cursor !== '' && seen.length < 200);
    const ids = seen.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => expected.includes(id)).sort()).toEqual(expected.sort());
    const names = seen.map(({ name }) => name.toLowerCase());
    expect(names).toEqual([...names].sort());
  });

  describe('of other people', () => {
    it('are not there to be read, and forbidden to be written', async () => {
      const [here, there] = [await newSite(admin), await newSite(admin)];
      const local = await newHolder(api, admin, 'admin', here.id);
      await local.get(`${path}/${here.id}`);
      expect(await outcome(local, 'GET', `${path}/${there.id}`)).toBe('404 site-not-found');
      expect(await outcome(local, 'GET', `${path}/${there.id}/shifts`)).toBe('404 site-not-found');
      expect(await outcome(local, 'PATCH', `${path}/${here.id}`, { name: 'New' }, at(1))).toBe('200');
      expect(await outcome(local, 'PATCH', `${path}/${there.id}`, { name: 'New' }, at(1))).toBe(
        '403 permission-missing',
      );
      expect(await outcome(local, 'PUT', `${path}/${there.id}/shifts`, { shifts: [] }, at(1))).toBe(
        '403 permission-missing',
      );
      expect(await outcome(local, 'PATCH', `${path}/${randomUUIDv7()}`, {}, at(1))).toBe('404 site-not-found');
      const listed = siteView.array().parse(Reflect.get(Object(await local.get(path)), 'items'));
      expect(listed.map(({ id }) => id)).toEqual([here.id]);
    });

    it('are not added by who rules one', async () => {
      const local = await newHolder(api, admin, 'admin', (await newSite(admin)).id);
      const body = { code: fresh('new'), name: 'New', kind: 'office', timeZone: 'UTC' };
      expect(await outcome(local, 'POST', path, body)).toBe('403 permission-missing');
    });
  });

  describe('have shifts', () => {
    it('that start as 06–14, 14–22 and 22–06', async () => {
      const site = await newSite(admin);
      const { shifts } = await admin.get(`${path}/${site.id}/shifts`, 200, shiftPlanView);
      expect(shifts).toEqual([
        { code: 'morning', starts: '06:00', ends: '14:00' },
        { code: 'evening', starts: '14:00', ends: '22:00' },
        { code: 'night', starts: '22:00', ends: '06:00' },
      ]);
    });

    it('that are moved together, under the version of the site', async () => {
      const site = await newSite(admin);
      const later = [
        { code: 'morning', starts: '07:00', ends: '15:00' },
        { code: 'evening', starts: '15:00', ends: '23:00' },
        { code: 'night', starts: '23:00', ends: '07:00' },
        { code: 'full', starts: '00:00', ends: '00:00' },
      ];
      expect(await plan(site, later)).toBe('200');
      expect(await plan(site, later)).toBe('412 precondition-failed');
      expect(await plan(site, [], 2)).toBe('200');
      expect((await admin.get(`${path}/${site.id}/shifts`, 200, shiftPlanView)).shifts).toEqual([]);
    });

    it('that do not overlap, not even over midnight', async () => {
      const site = await newSite(admin);
      const night = { code: 'night', starts: '22:00', ends: '06:00' };
      expect(await plan(site, [night, { code: 'morning', starts: '05:59', ends: '14:00' }])).toBe('409 shift-overlap');
      expect(await plan(site, [night, { code: 'morning', starts: '06:00', ends: '14:00' }])).toBe('200');
    });

    it('each of which is named once', async () => {
      const site = await newSite(admin);
      const morning = { code: 'morning', starts: '06:00', ends: '07:00' };
      expect(await plan(site, [morning, { ...morning, starts: '08:00', ends: '09:00' }])).toBe('422 invalid-request');
      expect(await plan(site, [{ ...morning, starts: '24:00' }])).toBe('422 invalid-request');
      expect(await plan(site, [{ ...morning, code: 'noon' }])).toBe('422 invalid-request');
    });
  });
});
