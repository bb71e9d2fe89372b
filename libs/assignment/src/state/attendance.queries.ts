import { statement } from '@belay/platform';
import type { Attendance, LocalTime } from '../resolver/availability.rules.js';

/** Somebody in a team, or who was in one, with all that bears on whether they are there. */
export interface AttendanceRow {
  readonly operatorId: string;
  /** The day and the shift at the site of the team they are in first; a calendar day for who is in none. */
  readonly local: LocalTime;
  readonly attendance: Attendance;
}

/**
 * What is known of the operators $1, or of everybody when null, at the instant $2. Who is in several teams is seen at the
 * site of the one that comes first. Instants go out as milliseconds.
 */
export const attendanceAt = statement<AttendanceRow>(
  'assignment.attendance_at',
  `WITH asked AS MATERIALIZED (
     SELECT a.operator_id
     FROM (SELECT operator_id FROM directory.public_team_member WHERE $1::uuid[] IS NULL
           UNION SELECT operator_id FROM assignment.operator_state WHERE $1::uuid[] IS NULL
           UNION SELECT unnest($1::uuid[])) a),
   home AS MATERIALIZED (
     SELECT DISTINCT ON (m.operator_id) m.operator_id, m.active, t.site_id
     FROM directory.public_team_member m JOIN directory.public_team t ON t.id = m.team_id
     WHERE m.operator_id IN (SELECT operator_id FROM asked)
     ORDER BY m.operator_id, m.active DESC, m.sort_priority, m.team_id),
   place AS MATERIALIZED (
     SELECT s.id, coalesce(shift.day, ($2::timestamptz AT TIME ZONE s.time_zone)::date) AS day, shift.code
     FROM directory.public_site s
     LEFT JOIN LATERAL (
       SELECT h.code, d.day
       FROM directory.public_shift h
       CROSS JOIN LATERAL (VALUES (($2::timestamptz AT TIME ZONE s.time_zone)::date),
                                  (($2::timestamptz AT TIME ZONE s.time_zone)::date - 1)) AS d (day)
       CROSS JOIN LATERAL (
         SELECT (d.day + h.starts) AT TIME ZONE s.time_zone AS starts_at,
                (d.day + (h.ends <= h.starts)::integer + h.ends) AT TIME ZONE s.time_zone AS ends_at) period
       WHERE h.site_id = s.id AND h.code <> 'full' AND $2 >= period.starts_at AND $2 < period.ends_at
       ORDER BY period.starts_at DESC LIMIT 1) shift ON true
     WHERE s.id IN (SELECT site_id FROM home))
   SELECT a.operator_id AS "operatorId",
          jsonb_build_object('day', coalesce(p.day, ($2 AT TIME ZONE 'UTC')::date), 'shift', p.code) AS local,
          jsonb_build_object(
            'isOperator', coalesce(h.active, false),
            'leaves', coalesce((SELECT jsonb_agg(jsonb_build_object('from', extract(epoch FROM lower(l.period)) * 1000,
                                                                    'until', extract(epoch FROM upper(l.period)) * 1000))
                                FROM assignment.leave_request l
                                WHERE l.operator_id = a.operator_id AND l.status = 'approved' AND l.period @> $2), '[]'),
            'override', (SELECT jsonb_build_object('isAvailable', o.is_available,
                                                   'until', extract(epoch FROM o.unavailable_until) * 1000)
                         FROM assignment.operator_override o WHERE o.operator_id = a.operator_id),
            'outside', '[]'::jsonb,
            'roster', coalesce((SELECT jsonb_agg(jsonb_build_object('day', v.day, 'shift', v.shift, 'status', v.status))
                                FROM assignment.operator_availability v
                                WHERE v.operator_id = a.operator_id AND v.day = p.day), '[]')) AS attendance
   FROM asked a
   LEFT JOIN home h ON h.operator_id = a.operator_id
   LEFT JOIN place p ON p.id = h.site_id
   ORDER BY a.operator_id`,
);

export const timeNow = statement<{ at: Date }>('assignment.time_now', `SELECT clock_timestamp() AS at`);
