import { line } from '@belay/platform';
import { z } from 'zod';
import { day, id, instant } from '../assignment.contract.js';

const shifts = ['morning', 'evening', 'night', 'full'] as const;
const dayStatuses = ['work', 'overtime', 'leave', 'sick', 'off'] as const;

const MOST_DAYS = 400;

/** One of a kind, whatever their order. */
function unique<Item>(key: (item: Item) => string) {
  return (items: readonly Item[]) => new Set(items.map(key)).size === items.length;
}

const rosterDay = z.strictObject({
  day: day.describe('At the site; a night shift belongs to the day on which it starts'),
  shift: z.enum(shifts).describe('full: whatever shift has no word of its own'),
  status: z.enum(dayStatuses).nullable().describe('null: nothing is said any more, which keeps nobody from work'),
});

export const setRoster = z
  .strictObject({
    days: z
      .array(rosterDay)
      .min(1)
      .max(MOST_DAYS)
      .refine(
        unique(({ day: on, shift }: z.infer<typeof rosterDay>) => `${on} ${shift}`),
        'must name each shift of a day once',
      ),
  })
  .meta({ id: 'SetRoster' });
export type SetRoster = z.infer<typeof setRoster>;

export const setOverride = z
  .strictObject({
    isAvailable: z.boolean().describe('true: the override is lifted'),
    unavailableUntil: instant.nullable().default(null).describe('The first instant back; null when nobody knows'),
    reasonCode: line(40).nullable().default(null),
    note: line(500).nullable().default(null),
  })
  .meta({ id: 'SetOverride' });
export type SetOverride = z.infer<typeof setOverride>;

const teamDay = z.strictObject({
  day,
  isAvailable: z.boolean().nullable().describe('null: nothing is said any more'),
  reason: line(200).nullable().default(null),
});

export const setTeamDays = z
  .strictObject({
    days: z
      .array(teamDay)
      .min(1)
      .max(MOST_DAYS)
      .refine(
        unique(({ day: on }: z.infer<typeof teamDay>) => on),
        'must name each day once',
      ),
  })
  .meta({ id: 'SetTeamDays' });
export type SetTeamDays = z.infer<typeof setTeamDays>;

export const daysFilter = z
  .strictObject({ from: day, to: day })
  .refine(({ from, to }) => to >= from, { path: ['to'], message: 'must not be before from' })
  .refine(({ from, to }) => Date.parse(to) - Date.parse(from) < MOST_DAYS * 86_400_000, {
    path: ['to'],
    message: `must be within ${MOST_DAYS} days of from`,
  });
export type DaysFilter = z.infer<typeof daysFilter>;

export const rosterView = z
  .object({
    operatorId: id,
    days: z.array(
      z.object({ day, shift: z.enum(shifts), status: z.enum(dayStatuses), source: z.enum(['local', 'people']) }),
    ),
    override: z
      .object({
        isAvailable: z.boolean(),
        unavailableUntil: z.iso.datetime().nullable(),
        reasonCode: z.string().nullable(),
        note: z.string().nullable(),
        setBy: id,
      })
      .nullable(),
  })
  .meta({ id: 'Roster' });
export type RosterView = z.infer<typeof rosterView>;

export const teamDaysView = z
  .object({
    teamId: id,
    days: z.array(z.object({ day, isAvailable: z.boolean(), reason: z.string().nullable() })),
  })
  .meta({ id: 'TeamDays' });
export type TeamDaysView = z.infer<typeof teamDaysView>;
