import { describe, expect, it } from '@jest/globals';
import { availabilityAt, firstAvailable, type Attendance, type RosterDay } from './availability.rules.js';

const at = (text: string) => Date.parse(`2025-11-20T${text}Z`);
const noon = at('12:00:00');
const local = { day: '2025-11-20', shift: 'morning' } as const;
const known = (facts: Partial<Attendance> = {}): Attendance => ({
  isOperator: true,
  leaves: [],
  override: null,
  outside: [],
  roster: [],
  ...facts,
});
const day = (status: RosterDay['status'], shift: RosterDay['shift'] = 'morning'): RosterDay => ({
  day: '2025-11-20',
  shift,
  status,
});
const leave = { from: at('09:00:00'), until: noon };

describe('somebody is', () => {
  it.each([
    ['there, when nothing is known', {}, null],
    ['away, when they are no operator', { isOperator: false }, 'inactive'],
    ['away on leave', { leaves: [{ from: at('09:00:00'), until: at('15:00:00') }] }, 'leave'],
    ['away on leave whose end is open', { leaves: [{ from: at('09:00:00'), until: null }] }, 'leave'],
    ['away on leave that begins now', { leaves: [{ from: noon, until: at('15:00:00') }] }, 'leave'],
    ['there, when the leave ends now', { leaves: [leave] }, null],
    ['there, when the leave begins in a moment', { leaves: [{ from: noon + 1, until: at('15:00:00') }] }, null],
    [
      'away by hand, for as long as nobody says otherwise',
      { override: { isAvailable: false, until: null } },
      'override',
    ],
    ['away by hand for a moment more', { override: { isAvailable: false, until: noon + 1 } }, 'override'],
    ['there, when the override ends now', { override: { isAvailable: false, until: noon } }, null],
    ['away by roster', { roster: [day('off')] }, 'off'],
    ['sick by roster', { roster: [day('sick')] }, 'sick'],
    ['on leave by roster', { roster: [day('leave')] }, 'leave'],
    ['there to work', { roster: [day('work')] }, null],
    ['there for overtime', { roster: [day('overtime')] }, null],
    ['away the whole day', { roster: [day('off', 'full')] }, 'off'],
    ['there in the shift of a day off', { roster: [day('off', 'full'), day('overtime')] }, null],
    ['there, when another shift is off', { roster: [day('off', 'evening')] }, null],
    ['there, when another day is off', { roster: [{ ...day('off'), day: '2025-11-21' }] }, null],
    ['away by the people system', { outside: [{ ...day('sick'), freshness: 'FRESH' }], roster: [day('work')] }, 'sick'],
    ['there by the people system', { outside: [{ ...day('work'), freshness: 'STALE' }], roster: [day('off')] }, null],
    [
      'away, when the people system is too old',
      { outside: [{ ...day('work'), freshness: 'EXPIRED' }], roster: [day('off')] },
      'off',
    ],
  ] satisfies [string, Partial<Attendance>, string | null][])('%s', (_, facts, reason) => {
    const { available, ...said } = availabilityAt(known(facts), local, noon, true);
    expect([available, said.reason]).toEqual([reason === null, reason]);
  });

  it('away to the last millisecond of a leave, and not one longer', () => {
    const until = (text: string) => availabilityAt(known({ leaves: [leave] }), local, at(text), true).available;
    expect([until('08:59:59.999'), until('09:00:00'), until('11:59:59.999'), until('12:00:00')]).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  it('asked about the first thing that is known', () => {
    const all = known({
      isOperator: false,
      leaves: [{ from: 0, until: null }],
      override: { isAvailable: false, until: null },
      outside: [{ ...day('sick'), freshness: 'FRESH' }],
      roster: [day('off')],
    });
    const without = [
      all,
      { ...all, isOperator: true },
      { ...all, isOperator: true, leaves: [] },
      { ...all, isOperator: true, leaves: [], override: null },
      { ...all, isOperator: true, leaves: [], override: null, outside: [] },
      known(),
    ];
    expect(without.map((one) => availabilityAt(one, local, noon, true).reason)).toEqual([
      'inactive',
      'leave',
      'override',
      'sick',
      'off',
      null,
    ]);
  });

  it('there between shifts, unless the whole day is off', () => {
    const between = { day: '2025-11-20', shift: null };
    expect(availabilityAt(known({ roster: [day('off')] }), between, noon, true).available).toBe(true);
    expect(availabilityAt(known({ roster: [day('off', 'full')] }), between, noon, true).available).toBe(false);
  });

  it('only noted as away by hand or roster while availability is not enforced; leave holds', () => {
    const loosely = (facts: Partial<Attendance>) => availabilityAt(known(facts), local, noon, false);
    expect(loosely({ override: { isAvailable: false, until: null } })).toMatchObject({
      available: true,
      notes: ['not_enforced_override'],
    });
    expect(loosely({ roster: [day('sick')] })).toMatchObject({ available: true, notes: ['not_enforced_sick'] });
    expect(loosely({ leaves: [{ from: 0, until: null }] })).toMatchObject({ available: false, reason: 'leave' });
    expect(loosely({ isOperator: false })).toMatchObject({ available: false, reason: 'inactive' });
  });

  it('noted when the people system is stale', () => {
    const notes = (status: RosterDay['status']) =>
      availabilityAt(known({ outside: [{ ...day(status), freshness: 'STALE' }] }), local, noon, true).notes;
    expect([notes('work'), notes('sick')]).toEqual([['people_stale'], ['people_stale']]);
  });
});

describe('somebody is back', () => {
  const moments = ['12:00', '14:00', '22:00'].map((time) => ({ ...local, at: at(`${time}:00`) }));
  const [tomorrow] = [{ day: '2025-11-21', shift: 'morning' as const, at: Date.parse('2025-11-21T06:00:00Z') }];

  it('when the leave ends', () => {
    expect(firstAvailable(known({ leaves: [{ from: 0, until: at('14:00:00') }] }), moments, true)).toBe(at('14:00:00'));
  });

  it('when the last of what follows each other ends', () => {
    const facts = known({ leaves: [leave], override: { isAvailable: false, until: at('22:00:00') } });
    expect(firstAvailable(facts, moments, true)).toBe(at('22:00:00'));
  });

  it('on the next day that is not off, or nobody knows', () => {
    const facts = known({ roster: [day('off', 'full')] });
    expect(firstAvailable(facts, [...moments, tomorrow], true)).toBe(tomorrow.at);
    expect(firstAvailable(facts, moments, true)).toBeNull();
  });
});
