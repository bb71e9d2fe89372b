import { statement } from '@belay/platform';
import type { Rule } from './precedence.rules.js';
import type { KnownMember, KnownOperator, KnownTeam } from './snapshot.rules.js';

/** Held to the end of the transaction by whoever gives out the node's work, so that two of them do not both find the same person idle. */
export const lockBalance = statement(
  'assignment.lock_balance',
  `SELECT pg_advisory_xact_lock(hashtextextended('assignment.balance ' || $1::text, 0))`,
);

export interface SnapshotRow {
  readonly rules: readonly Rule[];
  readonly teams: readonly Omit<KnownTeam, 'unclaimed'>[];
  /** `since` is when the day began for the member. */
  readonly members: readonly (Omit<KnownMember, 'today'> & { readonly since: string })[];
  readonly operators: readonly Pick<KnownOperator, 'id' | 'attendance' | 'skills'>[];
}

/**
 * What the shift plan of the site `site` (a row with id and time_zone) says of the instant `at`: the shift that is on, and
 * the working day, which for a night is the one it began on.
 */
const shiftAt = (site: string, at: string) => `
  SELECT h.code, d.day
  FROM directory.public_shift h
  CROSS JOIN LATERAL (VALUES ((${at} AT TIME ZONE ${site}.time_zone)::date),
                             ((${at} AT TIME ZONE ${site}.time_zone)::date - 1)) AS d (day)
  WHERE h.site_id = ${site}.id AND h.code <> 'full'
    AND ${at} >= (d.day + h.starts) AT TIME ZONE ${site}.time_zone
    AND ${at} < (d.day + (h.ends <= h.starts)::integer + h.ends) AT TIME ZONE ${site}.time_zone
  ORDER BY (d.day + h.starts) AT TIME ZONE ${site}.time_zone DESC LIMIT 1`;

/** A plan that is in force at $8; without the column of their own migration all plans have the same priority. */
const plan = (p: string) => `
  ${p}.assignee_type, ${p}.assignee_id, coalesce((to_jsonb(${p}) ->> 'priority')::integer, 100) AS priority,
  ${p}.unavailable_policy`;
const inForce = (p: string) => `
  ${p}.active AND coalesce(${p}.valid_from <= $8::timestamptz, true) AND coalesce(${p}.valid_to > $8::timestamptz, true)`;

const isMilliseconds = (instant: string) => `(extract(epoch FROM ${instant}) * 1000)::double precision`;

/**
 * The node $1 (graph) and $2 (code) with its category $3 and preferred team $4; the tokens $5, their jobs $6 and sites $7; the
 * instant $8; the skills $9; whether general teams count $10; the key of the node's rounds $11; teams $12 and operators $13
 * besides. Whole teams where work may
 * be given to any of them, else only who is named.
 */
export const snapshotAt = statement<SnapshotRow>(
  'assignment.snapshot_at',
  `WITH rule AS MATERIALIZED (
     SELECT p.id, 'PIN' AS mode, 'token' AS scope, p.token_id, NULL::uuid AS job_ticket_id, p.node_code, p.assignee_type,
            p.assignee_id, 100 AS priority, p.unavailable_policy
     FROM assignment.token_pin p
     WHERE p.active AND p.token_id = ANY ($5::uuid[]) AND coalesce(p.node_code, $2::text) = $2::text
     UNION ALL
     SELECT p.id, p.mode, CASE WHEN p.node_code IS NULL THEN 'job' ELSE 'job_node' END, NULL, p.job_ticket_id, p.node_code,
            ${plan('p')}
     FROM assignment.assignment_plan_job p
     WHERE p.job_ticket_id = ANY ($6::uuid[]) AND coalesce(p.node_code, $2::text) = $2::text AND ${inForce('p')}
     UNION ALL
     SELECT p.id, p.mode, 'node', NULL, NULL, p.node_code, ${plan('p')}
     FROM assignment.assignment_plan_node p
     WHERE p.graph_id = $1::uuid AND p.node_code = $2::text AND ${inForce('p')}),
   named AS MATERIALIZED (
     SELECT assignee_id AS operator_id FROM rule WHERE assignee_type = 'operator' UNION SELECT unnest($13::uuid[])),
   team AS MATERIALIZED (
     SELECT t.*, whole.whole
     FROM directory.public_team t
     CROSS JOIN LATERAL (
       SELECT coalesce(
         t.active AND t.site_id = ANY ($7::uuid[]) AND (t.team_category = $3::text OR $10::boolean AND t.team_category = 'general')
         OR t.id = $4::uuid OR t.id = ANY ($12::uuid[]) OR t.id IN (SELECT r.assignee_id FROM rule r WHERE r.assignee_type = 'team'), false) AS whole) whole
     WHERE whole.whole
        OR t.id IN (SELECT m.team_id FROM named n JOIN directory.public_team_member m USING (operator_id))),
   place AS MATERIALIZED (
     SELECT s.id, date.date, coalesce(shift.day, date.date) AS day, shift.code AS shift,
            date.date::timestamp AT TIME ZONE s.time_zone AS since
     FROM directory.public_site s
     CROSS JOIN LATERAL (SELECT ($8::timestamptz AT TIME ZONE s.time_zone)::date AS date) date
     LEFT JOIN LATERAL (${shiftAt('s', '$8::timestamptz')}) shift ON true
     WHERE s.id IN (SELECT t.site_id FROM team t)),
   member AS MATERIALIZED (
     SELECT m.team_id, m.operator_id, m.role, m.capacity_per_day, m.sort_priority, m.active, p.since
     FROM team t
     JOIN place p ON p.id = t.site_id
     JOIN directory.public_team_member m ON m.team_id = t.id
     WHERE t.whole OR m.operator_id IN (SELECT n.operator_id FROM named n)),
   operator AS MATERIALIZED (SELECT DISTINCT m.operator_id FROM member m),
   active AS (
     SELECT DISTINCT m.operator_id FROM directory.public_team_member m
     WHERE m.active AND m.operator_id IN (SELECT o.operator_id FROM operator o)),
   leave AS (
     SELECT l.operator_id, jsonb_agg(jsonb_build_object('from', ${isMilliseconds('lower(l.period)')},
                                                        'until', ${isMilliseconds('upper(l.period)')})) AS leaves
     FROM assignment.leave_request l
     WHERE l.status = 'approved' AND l.period @> $8::timestamptz AND l.operator_id IN (SELECT o.operator_id FROM operator o)
     GROUP BY 1),
   roster AS (
     SELECT a.operator_id, jsonb_agg(jsonb_build_object('day', a.day, 'shift', a.shift, 'status', a.status)) AS roster
     FROM assignment.operator_availability a
     WHERE a.operator_id IN (SELECT o.operator_id FROM operator o) AND a.day IN (SELECT p.day FROM place p)
     GROUP BY 1),
   skill AS (
     SELECT s.operator_id, jsonb_agg(jsonb_build_object('code', s.skill_code, 'level', s.level, 'from', s.certified_at,
                                                        'until', s.expires_at)) AS skills
     FROM directory.public_operator_skill s
     WHERE s.skill_code = ANY ($9::text[]) AND s.operator_id IN (SELECT o.operator_id FROM operator o)
     GROUP BY 1)
   SELECT
     coalesce((SELECT json_agg(json_build_object(
       'id', r.id, 'mode', r.mode, 'scope', r.scope, 'tokenId', r.token_id, 'jobTicketId', r.job_ticket_id,
       'nodeCode', r.node_code, 'assigneeType', r.assignee_type, 'assigneeId', r.assignee_id, 'priority', r.priority,
       'whenAway', r.unavailable_policy)) FROM rule r), '[]') AS rules,
     coalesce((SELECT json_agg(json_build_object(
       'id', t.id, 'siteId', t.site_id, 'category', t.team_category, 'productionMode', t.production_mode,
       'loadMode', t.load_mode, 'pull', t.dispatch_mode = 'TEAM_PULL', 'active', t.active,
       'closed', NOT coalesce(a.is_available, true), 'local', json_build_object('day', p.day, 'shift', p.shift),
       'date', p.date, 'lastOperatorId', rr.last_operator_id))
       FROM team t
       JOIN place p ON p.id = t.site_id
       LEFT JOIN assignment.team_availability a ON a.team_id = t.id AND a.day = p.day
       LEFT JOIN assignment.round_robin rr ON rr.team_id = t.id AND rr.node_key = $11::text), '[]') AS teams,
     coalesce((SELECT json_agg(json_build_object(
       'teamId', m.team_id, 'operatorId', m.operator_id, 'role', m.role, 'capacityPerDay', m.capacity_per_day,
       'sortPriority', m.sort_priority, 'active', m.active, 'since', m.since)) FROM member m), '[]') AS members,
     coalesce((SELECT json_agg(json_build_object(
       'id', o.operator_id,
       'attendance', json_build_object(
         'isOperator', v.operator_id IS NOT NULL, 'leaves', coalesce(l.leaves, '[]'), 'outside', '[]'::json,
         'override', CASE WHEN x.operator_id IS NOT NULL THEN
            json_build_object('isAvailable', x.is_available, 'until', ${isMilliseconds('x.unavailable_until')}) END,
         'roster', coalesce(r.roster, '[]')),
       'skills', coalesce(s.skills, '[]')))
       FROM operator o
       LEFT JOIN active v USING (operator_id)
       LEFT JOIN leave l USING (operator_id)
       LEFT JOIN assignment.operator_override x USING (operator_id)
       LEFT JOIN roster r USING (operator_id)
       LEFT JOIN skill s USING (operator_id)), '[]') AS operators`,
);

/** Where the rounds $1 (teams) of the node's key $2 have got to: $3, in the same order. */
export const saveTurns = statement(
  'assignment.save_turns',
  `INSERT INTO assignment.round_robin (team_id, node_key, last_operator_id)
   SELECT t.team_id, $2::text, t.operator_id FROM unnest($1::uuid[], $3::uuid[]) AS t (team_id, operator_id)
   ON CONFLICT (team_id, node_key) DO UPDATE SET last_operator_id = excluded.last_operator_id`,
);
