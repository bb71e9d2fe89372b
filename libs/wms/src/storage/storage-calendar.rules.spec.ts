import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { billingPeriod, snapshotDay, snapshotDays, weekEnding } from './storage-calendar.rules.js';

const day = fc
  .integer({ min: 0, max: 60_000 })
  .map((number) => new Date(number * 86_400_000).toISOString().slice(0, 10));

describe('the Monday whose closing stock is billed', () => {
  it.each([
    ['2025-01-13', '2025-01-13'],
    ['2025-01-14', '2025-01-20'],
    ['2025-01-12', '2025-01-13'],
    ['2024-02-29', '2024-03-04'],
    ['2024-12-31', '2025-01-06'],
    ['1969-12-30', '1970-01-05'],
  ])('for %s is %s', (given, monday) => {
    expect(snapshotDay(given)).toBe(monday);
  });

  it('is a Monday within the next six days', () => {
    fc.assert(
      fc.property(day, (given) => {
        const monday = snapshotDay(given);
        expect(new Date(monday).getUTCDay()).toBe(1);
        expect(monday >= given && monday <= weekEnding(given)).toBe(true);
      }),
    );
  });

  it('can be another day of the week', () => {
    expect([1, 2, 3, 4, 5, 6, 7].map((isodow) => snapshotDay('2025-01-15', isodow))).toEqual([
      '2025-01-20',
      '2025-01-21',
      '2025-01-15',
      '2025-01-16',
      '2025-01-17',
      '2025-01-18',
      '2025-01-19',
    ]);
  });

  it('pays for the week that ends on Sunday', () => {
    expect(weekEnding('2025-01-13')).toBe('2025-01-19');
    expect(weekEnding('2024-02-26')).toBe('2024-03-03');
  });
});

describe('the Mondays between two days', () => {
  it('are those from the first to the last, both included', () => {
    expect(snapshotDays('2025-01-06', '2025-01-20')).toEqual(['2025-01-06', '2025-01-13', '2025-01-20']);
    expect(snapshotDays('2025-01-07', '2025-01-19')).toEqual(['2025-01-13']);
    expect(snapshotDays('2025-01-07', '2025-01-12')).toEqual([]);
  });
});

describe('a billing period', () => {
  it.each([
    ['2025-01-06', 16, '2024-12-16', '2025-01-15'],
    ['2025-01-13', 16, '2024-12-16', '2025-01-15'],
    ['2025-01-15', 16, '2024-12-16', '2025-01-15'],
    ['2025-01-16', 16, '2025-01-16', '2025-02-15'],
    ['2025-01-20', 16, '2025-01-16', '2025-02-15'],
    ['2024-02-29', 16, '2024-02-16', '2024-03-15'],
    ['2024-03-01', 28, '2024-02-28', '2024-03-27'],
    ['2025-02-28', 1, '2025-02-01', '2025-02-28'],
    ['2024-12-31', 1, '2024-12-01', '2024-12-31'],
  ])('around %s that begins on the %p. is %s to %s', (given, startDay, start, end) => {
    expect(billingPeriod(given, startDay)).toEqual({ start, end });
  });

  it('holds its day, and the next begins the day after', () => {
    fc.assert(
      fc.property(day, fc.integer({ min: 1, max: 28 }), (given, startDay) => {
        const { start, end } = billingPeriod(given, startDay);
        expect(start <= given && given <= end).toBe(true);
        const after = new Date(Date.parse(end) + 86_400_000).toISOString().slice(0, 10);
        expect(billingPeriod(after, startDay).start).toBe(after);
      }),
    );
  });

  it('begins on a day that every month has', () => {
    for (const startDay of [0, 29, 1.5]) expect(() => billingPeriod('2025-01-01', startDay)).toThrow(RangeError);
  });

  it.each(['2025-02-30', '2025-1-1', '01/02/2025', '2025-01-01T00:00:00Z', ''])('is not around %j', (given) => {
    expect(() => billingPeriod(given, 16)).toThrow(RangeError);
  });
});
