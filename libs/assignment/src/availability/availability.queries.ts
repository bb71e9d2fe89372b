import { statement } from '@belay/platform';
import type { RosterView, TeamDaysView } from './availability.contract.js';

type RosterDay = RosterView['days'][number];
type TeamDay = TeamDaysView['days'][number];

export interface OverrideRow {
  readonly isAvailable: boolean;
  readonly unavailableUntil: Date | null;
  readonly reasonCode: string | null;
  readonly note: string | null;
  readonly setBy: string;
}

/** $1 operator, $2 and $3 first and last day. */
export const rosterOf = statement<RosterDay>(
  'assignment.roster_of',
  `SELECT day, shift, status, source FROM assignment.operator_availability
   WHERE operator_id = $1::uuid AND day BETWEEN $2::date AND $3::date ORDER BY day, shift`,
);

export const overrideOf = statement<OverrideRow>(
  'assignment.override_of',
  `SELECT is_available AS "isAvailable", unavailable_until AS "unavailableUntil", reason_code AS "reasonCode", note,
          set_by AS "setBy"
   FROM assignment.operator_override WHERE operator_id = $1::uuid`,
);

/** $2 a list of days with shift and status; those without a status go. */
export const saveRoster = statement<{ day: string }>(
  'assignment.save_roster',
  `WITH given AS MATERIALIZED (
     SELECT * FROM jsonb_to_recordset($2::jsonb) AS g (day date, shift text, status text)),
   gone AS (
     DELETE FROM assignment.operator_availability v USING given g
     WHERE v.operator_id = $1::uuid AND v.day = g.day AND v.shift = g.shift AND g.status IS NULL)
   INSERT INTO assignment.operator_availability AS v (operator_id, day, shift, status, source)
   SELECT $1::uuid, day, shift, status, 'local' FROM given WHERE status IS NOT NULL
   ON CONFLICT (operator_id, day, shift) DO UPDATE SET status = excluded.status, source = excluded.source
   RETURNING day`,
);

/** $2 available, $3 until, $4 reason, $5 note, $6 by whom. */
export const saveOverride = statement<OverrideRow>(
  'assignment.save_override',
  `INSERT INTO assignment.operator_override AS o (operator_id, is_available, unavailable_until, reason_code, note, set_by)
   VALUES ($1, $2, $3, $4, $5, $6)
   ON CONFLICT (operator_id) DO UPDATE SET is_available = excluded.is_available,
     unavailable_until = excluded.unavailable_until, reason_code = excluded.reason_code, note = excluded.note,
     set_by = excluded.set_by
   RETURNING is_available AS "isAvailable", unavailable_until AS "unavailableUntil", reason_code AS "reasonCode", note,
     set_by AS "setBy"`,
);

/** $1 team, $2 and $3 first and last day. */
export const teamDaysOf = statement<TeamDay>(
  'assignment.team_days_of',
  `SELECT day, is_available AS "isAvailable", reason FROM assignment.team_availability
   WHERE team_id = $1::uuid AND day BETWEEN $2::date AND $3::date ORDER BY day`,
);

/** $2 a list of days; those that are neither available nor not go. */
export const saveTeamDays = statement<{ day: string }>(
  'assignment.save_team_days',
  `WITH given AS MATERIALIZED (
     SELECT * FROM jsonb_to_recordset($2::jsonb) AS g (day date, "isAvailable" boolean, reason text)),
   gone AS (
     DELETE FROM assignment.team_availability v USING given g
     WHERE v.team_id = $1::uuid AND v.day = g.day AND g."isAvailable" IS NULL)
   INSERT INTO assignment.team_availability AS v (team_id, day, is_available, reason)
   SELECT $1::uuid, day, "isAvailable", reason FROM given WHERE "isAvailable" IS NOT NULL
   ON CONFLICT (team_id, day) DO UPDATE SET is_available = excluded.is_available, reason = excluded.reason
   RETURNING day`,
);
