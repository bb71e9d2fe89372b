import { z } from 'zod';
import { line, page, search, yesOrNo } from '@belay/platform';
import { code, id } from '../directory.contract.js';
import { isCountry } from './country.rules.js';
import { shiftCodes } from './shift.rules.js';

const siteKinds = ['plant', 'warehouse', 'property', 'office'] as const;
export type SiteKind = (typeof siteKinds)[number];

const address = z.strictObject({
  line1: line(120),
  line2: line(120).optional(),
  city: line(80),
  region: line(80).optional(),
  postalCode: line(20).optional(),
  country: z.string().refine(isCountry, 'must be an ISO 3166 country of two letters'),
  phone: z.e164().optional().describe('E.164, e.g. +442071234567'),
});
export type Address = z.infer<typeof address>;

const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as 06:00');

const period = z
  .strictObject({ from: clock, to: z.union([clock, z.literal('24:00')]) })
  .refine(({ from, to }) => from < to, { path: ['to'], error: 'must be after from' });

const day = z
  .array(period)
  .max(8)
  .refine((periods) => periods.every(({ from }, index) => index === 0 || (periods[index - 1]?.to ?? '') <= from), {
    error: 'must be in order without overlapping',
  });

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const workingHours = z
  .partialRecord(z.enum(weekdays), day)
  .describe('By weekday, in the time of the site; an absent day is free');
export type WorkingHours = z.infer<typeof workingHours>;

const officeHours: WorkingHours = Object.fromEntries(
  weekdays.slice(0, 5).map((weekday) => [weekday, [{ from: '08:00', to: '17:00' }]]),
);

const details = {
  code,
  name: line(120),
  kind: z.enum(siteKinds),
  address: address.nullable(),
  timeZone: z.string().min(1).max(64).describe('IANA name, e.g. Europe/London'),
  workingHours,
  holidays: z.array(z.iso.date()).max(1_000),
  active: z.boolean(),
};

export const draftSite = z
  .strictObject({
    ...details,
    address: details.address.default(null),
    workingHours: workingHours.default(officeHours),
    holidays: details.holidays.default([]),
    active: details.active.default(true),
  })
  .meta({ id: 'DraftSite' });
export type DraftSite = z.infer<typeof draftSite>;

export const changeSite = z.strictObject(details).partial().meta({ id: 'ChangeSite' });
export type ChangeSite = z.infer<typeof changeSite>;

export const siteView = z
  .object({ id, ...details, createdAt: z.iso.datetime(), rowVersion: z.number().int() })
  .meta({ id: 'Site' });
export type SiteView = z.infer<typeof siteView>;

export const siteFilter = page.extend({
  search: search.describe('Part of a name or code'),
  kind: z.enum(siteKinds).optional(),
  active: yesOrNo,
});
export type SiteFilter = z.infer<typeof siteFilter>;

const shift = z
  .strictObject({
    code: z.enum(shiftCodes),
    starts: clock,
    ends: clock.describe('Not after its start: the shift ends on the next day'),
  })
  .meta({ id: 'Shift' });

export const shiftPlan = z
  .strictObject({
    shifts: z
      .array(shift)
      .max(shiftCodes.length)
      .refine(
        (shifts) => new Set(shifts.map(({ code }) => code)).size === shifts.length,
        'must not name a shift twice',
      ),
  })
  .meta({ id: 'ShiftPlan' });
export type ShiftPlan = z.infer<typeof shiftPlan>;

export const shiftPlanView = z
  .object({ siteId: id, shifts: z.array(shift), rowVersion: z.number().int().describe('Of the site') })
  .meta({ id: 'SiteShifts' });
export type ShiftPlanView = z.infer<typeof shiftPlanView>;
