import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { billingPeriod, snapshotDay, weekEnding } from '../../libs/wms/src/storage/storage-calendar.rules.js';
import { Stockroom } from './stockroom.js';

describe('the calendar in SQL', () => {
  let room: Stockroom;

  beforeAll(async () => {
    room = await Stockroom.open();
  });
  afterAll(() => room.close());

  it('agrees with that of the code, for every day of a century and every start', async () => {
    const days = fc
      .integer({ min: 0, max: 40_000 })
      .map((day) => new Date(day * 86_400_000).toISOString().slice(0, 10));
    const cases = fc.array(fc.tuple(days, fc.integer({ min: 1, max: 28 }), fc.integer({ min: 1, max: 7 })), {
      minLength: 200,
      maxLength: 200,
    });
    await fc.assert(
      fc.asyncProperty(cases, async (given) => {
        const found = await room.rows(
          `SELECT wms.snapshot_day(day, isodow)::text AS snapshot, (wms.snapshot_day(day, isodow) + 6)::text AS ending,
                  wms.period_start(day, start_day)::text AS start, wms.period_end(day, start_day)::text AS end
           FROM unnest($1::date[], $2::integer[], $3::integer[]) WITH ORDINALITY AS g (day, start_day, isodow, place) ORDER BY place`,
          [given.map(([day]) => day), given.map(([, start]) => start), given.map(([, , isodow]) => isodow)],
        );
        expect(found).toEqual(
          given.map(([day, startDay, isodow]) => {
            const snapshot = snapshotDay(day, isodow);
            return { snapshot, ending: weekEnding(snapshot), ...billingPeriod(day, startDay) };
          }),
        );
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['2025-03-31', 'Europe/London', '2025-03-31T23:00:00.000Z'],
    ['2025-10-27', 'Europe/London', '2025-10-28T00:00:00.000Z'],
    ['2025-03-30', 'Europe/London', '2025-03-30T23:00:00.000Z'],
    ['2025-10-26', 'Europe/London', '2025-10-27T00:00:00.000Z'],
    ['2024-02-29', 'America/New_York', '2024-03-01T05:00:00.000Z'],
    ['2025-06-30', 'Asia/Kathmandu', '2025-06-30T18:15:00.000Z'],
  ])('%s ends in %s at %s', async (day, zone, instant) => {
    expect(await room.value(`SELECT wms.end_of_day($1, $2)`, [day, zone])).toEqual(new Date(instant));
    expect(
      await room.rows(
        `SELECT wms.local_date(t - interval '1 microsecond', $2)::text AS before, wms.local_date(t, $2)::text AS after
         FROM wms.end_of_day($1, $2) AS t`,
        [day, zone],
      ),
    ).toEqual([{ before: day, after: new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10) }]);
  });

  it.each([
    ['2025-01-06', '2024-12-16', '2025-01-15'],
    ['2025-01-13', '2024-12-16', '2025-01-15'],
    ['2025-01-20', '2025-01-16', '2025-02-15'],
    ['2024-02-29', '2024-02-16', '2024-03-15'],
  ])('%s is in the period from %s to %s', async (day, start, end) => {
    expect(
      await room.rows(`SELECT wms.period_start($1, 16)::text AS start, wms.period_end($1, 16)::text AS end`, [day]),
    ).toEqual([{ start, end }]);
  });

  it('does not depend on the zone of the session', async () => {
    const ask = `SELECT wms.local_date('2025-06-30T23:30:00Z', 'Europe/London')::text AS day,
                        wms.end_of_day('2025-06-30', 'Europe/London') AS ends`;
    const answers = await room.transaction(async (client) => {
      const found = [];
      for (const zone of ['UTC', 'Asia/Tokyo', 'America/Los_Angeles']) {
        await client.query(`SELECT set_config('timezone', $1, true)`, [zone]);
        found.push(...(await room.rows(ask, [], client)));
      }
      return found;
    });
    expect(answers).toEqual(Array(3).fill({ day: '2025-07-01', ends: new Date('2025-06-30T23:00:00Z') }));
  });

  it('knows only zones that there are', async () => {
    expect(await room.refusal(room.makeWarehouse('NOWHERE', { timezone: 'Europe/Atlantis' }))).toMatchObject({
      code: '22023',
    });
  });
});
