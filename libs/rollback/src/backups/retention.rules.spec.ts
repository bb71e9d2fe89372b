import { describe, expect, it } from '@jest/globals';
import { expiredOf } from './retention.rules.js';

const now = new Date('2026-11-21T12:00:00Z');
const hoursAgo = (hours: number) => new Date(now.getTime() - hours * 3_600_000);

const backup = (id: string, createdAt: Date, state: 'proven' | 'created' | 'broken' = 'created') =>
  ({ id, scope: 'application', domains: [], state, createdAt }) as const;

describe('what is kept of backups', () => {
  it('is everything of the last 48 hours, and then the newest of a day', () => {
    const backups = [
      backup('now', hoursAgo(0)),
      backup('an hour ago', hoursAgo(1)),
      backup('just young enough', hoursAgo(48)),
      backup('the last of its day', new Date('2026-11-18T23:00:00Z')),
      backup('not the last of its day', new Date('2026-11-18T22:59:00Z')),
    ];
    expect(expiredOf(backups, now)).toEqual(['not the last of its day']);
  });

  it('is the newest of each of 30 days and of each of 12 months', () => {
    const daily = Array.from({ length: 500 }, (_, day) => backup(`day ${day}`, hoursAgo(24 * day)));
    const gone = new Set(expiredOf(daily, now));
    const kept = daily.filter(({ id }) => !gone.has(id));
    expect(kept.slice(0, 30).map(({ id }) => id)).toEqual(daily.slice(0, 30).map(({ id }) => id));
    const older = kept.slice(30).map(({ createdAt }) => createdAt.toISOString().slice(0, 7));
    expect(new Set(older).size).toBe(older.length);
    // October is on both lists: its last day is among the 30 days.
    expect(kept).toHaveLength(30 + 10);
  });

  it('is never less than the last three that were proven', () => {
    const years = [1, 2, 3, 4, 5].map((year) => backup(`${year} years`, hoursAgo(24 * 365 * year + 48), 'proven'));
    expect(expiredOf(years, now)).toEqual(['4 years', '5 years']);
    expect(expiredOf([...years, backup('new', hoursAgo(1))], now)).toEqual(['4 years', '5 years']);
  });

  it('is counted for each scope by itself, and leaves what is broken alone', () => {
    const old = hoursAgo(24 * 800);
    const wms = { ...backup('wms', old), scope: 'domains', domains: ['wms'] } as const;
    expect(expiredOf([wms, backup('broken', old, 'broken')], now)).toEqual(['wms']);
    expect(expiredOf([{ ...wms, state: 'proven' }, backup('whole', old, 'proven')], now)).toEqual([]);
  });
});
