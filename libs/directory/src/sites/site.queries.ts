import { statement } from '@belay/platform';
import type { ShiftCode, ShiftTimes } from './shift.rules.js';
import type { Site } from './site.entity.js';

type SiteRow = Site & { readonly sortName: string };

const columns = `s.id, s.code, s.name, s.kind, s.address, s.time_zone AS "timeZone", s.working_hours AS "workingHours",
  s.holidays, s.active, s.created_at AS "createdAt", s.row_version AS "rowVersion"`;

/** $1 the sites the caller may see, null for all, $2 pattern, $3 kind, $4 active, $5 and $6 the row to go on after, $7 rows. */
export const siteList = statement<SiteRow>(
  'directory.site_list',
  `SELECT ${columns}, lower(s.name) AS "sortName" FROM directory.site s
   WHERE ($1::uuid[] IS NULL OR s.id = ANY ($1))
     AND ($2::text IS NULL OR s.name ILIKE $2 OR s.code ILIKE $2)
     AND ($3::text IS NULL OR s.kind = $3)
     AND ($4::boolean IS NULL OR s.active = $4)
     AND ($6::uuid IS NULL OR (lower(s.name), s.id) > ($5::text, $6))
   ORDER BY lower(s.name), s.id LIMIT $7`,
);

export const sitesById = statement<Site>(
  'directory.sites_by_id',
  `SELECT ${columns} FROM directory.site s WHERE s.id = ANY ($1::uuid[])`,
);

/** The server's list also holds files that are no zones: copies under `posix/` and whatever zone the server is in. */
export const isTimeZone = statement<{ known: boolean }>(
  'directory.is_time_zone',
  `SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = $1)
          AND $1 !~ '^(posix|right)/' AND $1 NOT IN ('localtime', 'posixrules', 'Factory') AS known`,
);

export const shiftsOf = statement<ShiftTimes & { readonly siteId: string }>(
  'directory.shifts_of',
  `SELECT site_id AS "siteId", code, to_char(starts, 'HH24:MI') AS starts, to_char(ends, 'HH24:MI') AS ends
   FROM directory.shift WHERE site_id = ANY ($1::uuid[]) ORDER BY site_id, starts, code`,
);

export interface LocalMoment {
  readonly siteId: string;
  readonly at: Date;
  readonly timeZone: string;
  /** The calendar day at the site. */
  readonly day: string;
  /** The wall clock at the site, HH:MM:SS. */
  readonly time: string;
  /** The shift that is on, and the day it belongs to: the one on which it starts. Null between shifts. */
  readonly shift: ShiftCode | null;
  readonly shiftDay: string | null;
  readonly shiftStartsAt: Date | null;
  readonly shiftEndsAt: Date | null;
}

/**
 * Shifts are compared as instants, not as wall clock times: in the night in which the clock goes back the wall clock
 * shows an hour twice, and a shift that begins in that hour must not begin twice. $1 site ids and $2 instants, in pairs.
 */
export const localMoments = statement<LocalMoment>(
  'directory.local_moments',
  `SELECT s.id AS "siteId", asked.at, s.time_zone AS "timeZone",
          (asked.at AT TIME ZONE s.time_zone)::date AS day,
          to_char(asked.at AT TIME ZONE s.time_zone, 'HH24:MI:SS') AS time,
          current.code AS shift, current.day AS "shiftDay",
          current.starts_at AS "shiftStartsAt", current.ends_at AS "shiftEndsAt"
   FROM unnest($1::uuid[], $2::timestamptz[]) WITH ORDINALITY AS asked (site_id, at, position)
   JOIN directory.site s ON s.id = asked.site_id
   LEFT JOIN LATERAL (
     SELECT period.* FROM directory.shift h
     CROSS JOIN LATERAL (
       VALUES ((asked.at AT TIME ZONE s.time_zone)::date), ((asked.at AT TIME ZONE s.time_zone)::date - 1)) AS d (day)
     CROSS JOIN LATERAL (
       SELECT h.code, d.day, (d.day + h.starts) AT TIME ZONE s.time_zone AS starts_at,
              (d.day + (h.ends <= h.starts)::integer + h.ends) AT TIME ZONE s.time_zone AS ends_at) period
     WHERE h.site_id = s.id AND h.code <> 'full' AND asked.at >= period.starts_at AND asked.at < period.ends_at
     ORDER BY period.starts_at DESC LIMIT 1
   ) current ON true
   ORDER BY asked.position`,
);

export interface ShiftPeriod {
  readonly siteId: string;
  readonly day: string;
  readonly code: ShiftCode;
  readonly startsAt: Date;
  readonly endsAt: Date;
}

/** Every shift that belongs to a day from $2 to $3, as instants. */
export const shiftPeriods = statement<ShiftPeriod>(
  'directory.shift_periods',
  `SELECT s.id AS "siteId", d.day::date AS day, h.code,
          (d.day::date + h.starts) AT TIME ZONE s.time_zone AS "startsAt",
          (d.day::date + (h.ends <= h.starts)::integer + h.ends) AT TIME ZONE s.time_zone AS "endsAt"
   FROM directory.site s
   JOIN directory.shift h ON h.site_id = s.id
   CROSS JOIN generate_series($2::date, $3::date, interval '1 day') AS d (day)
   WHERE s.id = ANY ($1::uuid[]) ORDER BY s.id, "startsAt", h.code`,
);
