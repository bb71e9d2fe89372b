import { statement } from '@belay/platform';
import type { Attendance, LocalTime } from './availability.rules.js';

/** How far ahead somebody's return is looked for. */
const horizon = `interval '14 days'`;
const milliseconds = (instant: string) => `(extract(epoch FROM ${instant}) * 1000)::double precision`;

export interface AttendanceAhead {
  readonly operatorId: string;
  readonly attendance: Attendance;
}

/** What is known of the operators $1 for the fortnight from $2 on. */
export const attendanceAhead = statement<AttendanceAhead>(
  'assignment.attendance_ahead',
  `SELECT o.operator_id AS "operatorId", json_build_object(
     'isOperator', EXISTS (SELECT FROM directory.public_team_member m WHERE m.operator_id = o.operator_id AND m.active),
     'outside', '[]'::json,
     'leaves', coalesce((
       SELECT json_agg(json_build_object('from', ${milliseconds('lower(l.period)')}, 'until', ${milliseconds('upper(l.period)')}))
       FROM assignment.leave_request l
       WHERE l.operator_id = o.operator_id AND l.status = 'approved'
         AND l.period && tstzrange($2::timestamptz, $2::timestamptz + ${horizon})), '[]'),
     'override', (
       SELECT json_build_object('isAvailable', x.is_available, 'until', ${milliseconds('x.unavailable_until')})
       FROM assignment.operator_override x WHERE x.operator_id = o.operator_id),
     'roster', coalesce((
       SELECT json_agg(json_build_object('day', a.day, 'shift', a.shift, 'status', a.status))
       FROM assignment.operator_availability a
       WHERE a.operator_id = o.operator_id AND a.day >= $2::timestamptz::date - 1
         AND a.day <= ($2::timestamptz + ${horizon})::date + 1), '[]')) AS attendance
   FROM unnest($1::uuid[]) AS o (operator_id)`,
);

export interface Moment extends LocalTime {
  readonly siteId: string;
  readonly at: number;
  /** The day of the calendar. */
  readonly date: string;
}

/**
 * When something may change at the sites $1 in the fortnight after $2: days and shifts begin, and the instants $3; each as the
 * site sees it, in order.
 */
export const momentsAhead = statement<Moment>(
  'assignment.moments_ahead',
  `SELECT s.id AS "siteId", ${milliseconds('m.at')} AS at, (m.at AT TIME ZONE s.time_zone)::date AS date,
          coalesce(shift.day, (m.at AT TIME ZONE s.time_zone)::date) AS day, shift.code AS shift
   FROM directory.public_site s
   CROSS JOIN LATERAL (
     SELECT d.day::timestamp AT TIME ZONE s.time_zone AS at
     FROM generate_series(($2::timestamptz AT TIME ZONE s.time_zone)::date, ($2::timestamptz AT TIME ZONE s.time_zone)::date + 14,
                          interval '1 day') AS d (day)
     UNION
     SELECT (d.day::date + h.starts) AT TIME ZONE s.time_zone
     FROM directory.public_shift h,
          generate_series(($2::timestamptz AT TIME ZONE s.time_zone)::date, ($2::timestamptz AT TIME ZONE s.time_zone)::date + 14,
                          interval '1 day') AS d (day)
     WHERE h.site_id = s.id AND h.code <> 'full'
     UNION
     SELECT unnest($3::timestamptz[])) m
   LEFT JOIN LATERAL (
     SELECT h.code, d.day
     FROM directory.public_shift h
     CROSS JOIN LATERAL (VALUES ((m.at AT TIME ZONE s.time_zone)::date), ((m.at AT TIME ZONE s.time_zone)::date - 1)) AS d (day)
     WHERE h.site_id = s.id AND h.code <> 'full'
       AND m.at >= (d.day + h.starts) AT TIME ZONE s.time_zone
       AND m.at < (d.day + (h.ends <= h.starts)::integer + h.ends) AT TIME ZONE s.time_zone
     ORDER BY (d.day + h.starts) AT TIME ZONE s.time_zone DESC LIMIT 1) shift ON true
   WHERE s.id = ANY ($1::uuid[]) AND m.at > $2::timestamptz
   ORDER BY s.id, m.at`,
);

/** Days from the one before $2 on, on which the teams $1 do not work. */
export const closedDays = statement<{ teamId: string; day: string }>(
  'assignment.closed_days',
  `SELECT team_id AS "teamId", day FROM assignment.team_availability
   WHERE team_id = ANY ($1::uuid[]) AND day >= $2::timestamptz::date - 1 AND NOT is_available`,
);

/** Those of the skills $2, at the levels $3, that the operator $1 does not have at the site $4 on its day of $5. */
export const skillsMissing = statement<{ skill: string }>(
  'assignment.skills_missing',
  `SELECT r.skill
   FROM unnest($2::text[], $3::integer[]) WITH ORDINALITY AS r (skill, level, position)
   JOIN directory.public_site s ON s.id = $4::uuid
   WHERE NOT EXISTS (
     SELECT FROM directory.public_operator_skill k
     WHERE k.operator_id = $1::uuid AND k.skill_code = r.skill AND k.level >= r.level
       AND coalesce(k.certified_at <= ($5::timestamptz AT TIME ZONE s.time_zone)::date, true)
       AND coalesce(k.expires_at >= ($5::timestamptz AT TIME ZONE s.time_zone)::date, true))
   ORDER BY r.position`,
);
