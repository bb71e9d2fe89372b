import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DirectoryReader } from '@belay/directory';
import { Database } from '@belay/platform';
import { TestApi } from '../support/test-api.js';
import { newSite } from '../support/people.js';
import { inTimeZone } from '../support/time-zone.js';

/** Far from every site here, so that a day or a time computed in the server's zone is seen to be wrong. */
const serverZone = `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), 'Pacific/Kiritimati'); END $$`;

describe('what the clock says at a site', () => {
  let api: TestApi;
  let admin: TestApi;
  let reader: DirectoryReader;
  let homeAgain: () => void;
  const sites = new Map<string, string>();

  const moment = async (timeZone: string, at: string) => {
    const siteId = sites.get(timeZone) ?? (await newSite(admin, { timeZone })).id;
    sites.set(timeZone, siteId);
    const [found] = await reader.localMoments([{ siteId, at: new Date(at) }]);
    return found && `${found.day} ${found.time} ${found.shift ?? '-'} ${found.shiftDay ?? '-'}`;
  };

  beforeAll(async () => {
    homeAgain = inTimeZone('Pacific/Kiritimati');
    api = await TestApi.start({ sql: serverZone });
    admin = await api.as('admin');
    reader = api.app.get(DirectoryReader);
  });
  afterAll(async () => {
    homeAgain();
    await api.close();
  });

  it('is asked of a database in another zone', async () => {
    expect(await api.app.get(Database).manager.query(`SELECT current_setting('timezone') AS zone`)).toEqual([
      { zone: 'Pacific/Kiritimati' },
    ]);
  });

  it.each([
    // an ordinary day: every bound belongs to what begins
    ['Europe/London', '2026-01-15T05:59:59.999Z', '2026-01-15 05:59:59 night 2026-01-14'],
    ['Europe/London', '2026-01-15T06:00:00Z', '2026-01-15 06:00:00 morning 2026-01-15'],
    ['Europe/London', '2026-01-15T13:59:59Z', '2026-01-15 13:59:59 morning 2026-01-15'],
    ['Europe/London', '2026-01-15T14:00:00Z', '2026-01-15 14:00:00 evening 2026-01-15'],
    ['Europe/London', '2026-01-15T22:00:00Z', '2026-01-15 22:00:00 night 2026-01-15'],
    ['Europe/London', '2026-01-15T23:59:59Z', '2026-01-15 23:59:59 night 2026-01-15'],
    ['Europe/London', '2026-01-16T00:00:00Z', '2026-01-16 00:00:00 night 2026-01-15'],
    // clocks go forward on 29 March at 01:00
    ['Europe/London', '2026-03-29T00:59:59Z', '2026-03-29 00:59:59 night 2026-03-28'],
    ['Europe/London', '2026-03-29T01:00:00Z', '2026-03-29 02:00:00 night 2026-03-28'],
    ['Europe/London', '2026-03-29T04:59:59Z', '2026-03-29 05:59:59 night 2026-03-28'],
    ['Europe/London', '2026-03-29T05:00:00Z', '2026-03-29 06:00:00 morning 2026-03-29'],
    ['Europe/London', '2026-03-29T22:59:59Z', '2026-03-29 23:59:59 night 2026-03-29'],
    ['Europe/London', '2026-03-29T23:00:00Z', '2026-03-30 00:00:00 night 2026-03-29'],
    // and back on 25 October at 02:00
    ['Europe/London', '2026-10-24T22:59:59Z', '2026-10-24 23:59:59 night 2026-10-24'],
    ['Europe/London', '2026-10-24T23:00:00Z', '2026-10-25 00:00:00 night 2026-10-24'],
    ['Europe/London', '2026-10-25T00:30:00Z', '2026-10-25 01:30:00 night 2026-10-24'],
    ['Europe/London', '2026-10-25T01:30:00Z', '2026-10-25 01:30:00 night 2026-10-24'],
    ['Europe/London', '2026-10-25T05:59:59Z', '2026-10-25 05:59:59 night 2026-10-24'],
    ['Europe/London', '2026-10-25T06:00:00Z', '2026-10-25 06:00:00 morning 2026-10-25'],
    // forward on 8 March, back on 1 November
    ['America/New_York', '2026-03-08T06:59:59Z', '2026-03-08 01:59:59 night 2026-03-07'],
    ['America/New_York', '2026-03-08T07:00:00Z', '2026-03-08 03:00:00 night 2026-03-07'],
    ['America/New_York', '2026-03-08T09:59:59Z', '2026-03-08 05:59:59 night 2026-03-07'],
    ['America/New_York', '2026-03-08T10:00:00Z', '2026-03-08 06:00:00 morning 2026-03-08'],
    ['America/New_York', '2026-11-01T05:30:00Z', '2026-11-01 01:30:00 night 2026-10-31'],
    ['America/New_York', '2026-11-01T06:30:00Z', '2026-11-01 01:30:00 night 2026-10-31'],
    ['America/New_York', '2026-11-01T11:00:00Z', '2026-11-01 06:00:00 morning 2026-11-01'],
    // half an hour off the whole
    ['Asia/Kolkata', '2026-01-01T18:29:59Z', '2026-01-01 23:59:59 night 2026-01-01'],
    ['Asia/Kolkata', '2026-01-01T18:30:00Z', '2026-01-02 00:00:00 night 2026-01-01'],
    ['Asia/Kolkata', '2026-01-02T00:29:59Z', '2026-01-02 05:59:59 night 2026-01-01'],
    ['Asia/Kolkata', '2026-01-02T00:30:00Z', '2026-01-02 06:00:00 morning 2026-01-02'],
  ])('%s at %s: %s', async (timeZone, at, expected) => {
    expect(await moment(timeZone, at)).toBe(expected);
  });

  it.each([
    ['Europe/London', '2026-01-14', 8],
    ['Europe/London', '2026-03-28', 7],
    ['Europe/London', '2026-10-24', 9],
    ['America/New_York', '2026-03-07', 7],
    ['America/New_York', '2026-10-31', 9],
    ['Asia/Kolkata', '2026-03-28', 8],
  ])('in %s the night of %s lasts %i hours', async (timeZone, day, hours) => {
    const { id } = await newSite(admin, { timeZone });
    const periods = (await reader.shiftPeriods([id], day, day)).get(id) ?? [];
    const night = periods.find(({ code }) => code === 'night');
    expect(night?.day).toBe(day);
    expect(((night?.endsAt.getTime() ?? 0) - (night?.startsAt.getTime() ?? 0)) / 3_600_000).toBe(hours);
  });

  const planned = async (timeZone: string, ...bounds: [string, string, string]) => {
    const { id, rowVersion } = await newSite(admin, { timeZone });
    const [first, second, third] = bounds;
    const shifts = [
      { code: 'morning', starts: first, ends: second },
      { code: 'evening', starts: second, ends: third },
      { code: 'night', starts: third, ends: first },
    ];
    await admin.withHeaders({ 'if-match': `"${rowVersion}"` }).put(`/api/directory/sites/${id}/shifts`, { shifts });
    return async (at: string) => {
      const [found] = await reader.localMoments([{ siteId: id, at: new Date(at) }]);
      return `${found?.time ?? ''} ${found?.shift ?? '-'} ${found?.shiftDay ?? '-'}`;
    };
  };

  it('does not begin a shift twice when it begins in the hour that is shown twice', async () => {
    const at = await planned('Europe/London', '01:30', '09:30', '17:30');
    expect(await at('2026-10-25T00:29:59Z')).toBe('01:29:59 night 2026-10-24');
    expect(await at('2026-10-25T00:30:00Z')).toBe('01:30:00 night 2026-10-24');
    expect(await at('2026-10-25T01:29:59Z')).toBe('01:29:59 night 2026-10-24');
    expect(await at('2026-10-25T01:30:00Z')).toBe('01:30:00 morning 2026-10-25');
  });

  it('begins a shift that would begin in the hour that is left out one hour later', async () => {
    const at = await planned('America/New_York', '02:30', '10:30', '18:30');
    expect(await at('2026-03-08T06:59:59Z')).toBe('01:59:59 night 2026-03-07');
    expect(await at('2026-03-08T07:29:59Z')).toBe('03:29:59 night 2026-03-07');
    expect(await at('2026-03-08T07:30:00Z')).toBe('03:30:00 morning 2026-03-08');
  });

  it('is in no shift between shifts, and the whole day is none', async () => {
    const { id, rowVersion } = await newSite(admin, { timeZone: 'UTC' });
    const shifts = [
      { code: 'morning', starts: '08:00', ends: '12:00' },
      { code: 'full', starts: '00:00', ends: '00:00' },
    ];
    await admin.withHeaders({ 'if-match': `"${rowVersion}"` }).put(`/api/directory/sites/${id}/shifts`, { shifts });
    const found = await reader.localMoments(
      ['07:59', '08:00', '11:59', '12:00'].map((time) => ({ siteId: id, at: new Date(`2026-01-01T${time}:00Z`) })),
    );
    expect(found.map(({ shift }) => shift)).toEqual([null, 'morning', 'morning', null]);
  });

  it('is answered for many sites and instants in the order they were asked for', async () => {
    const [london, kolkata] = [sites.get('Europe/London') ?? '', sites.get('Asia/Kolkata') ?? ''];
    const at = new Date('2026-01-01T20:00:00Z');
    const found = await reader.localMoments([kolkata, london, kolkata].map((siteId) => ({ siteId, at })));
    expect(found.map(({ siteId, day }) => [siteId, day])).toEqual([
      [kolkata, '2026-01-02'],
      [london, '2026-01-01'],
      [kolkata, '2026-01-02'],
    ]);
  });

  it('keeps holidays as days', async () => {
    const holidays = ['2026-01-01', '2026-12-31'];
    const { id } = await newSite(admin, { timeZone: 'America/New_York', holidays });
    expect((await reader.sites([id])).get(id)?.holidays).toEqual(holidays);
  });
});
