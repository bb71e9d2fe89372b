import { statement } from '@belay/platform';
import type { Rule } from './precedence.rules.js';
import type { KnownMember, KnownOperator, KnownTeam } from './snapshot.rules.js';

/** Held to the end by whoever gives out the node's work, so that two of them do not both find the same person idle. */
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
 * A parameter where the planner does not see its value: it would plan anew for each, and that takes longer than the rest.
 * Lists are cast, or they would be taken for rows.
 */
const given = (name: string, list?: string) =>
  list === undefined ? `(SELECT g.${name} FROM given g)` : `((SELECT g.${name} FROM given g)::${list})`;

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

/** A plan that is in force; without the column of their own migration all plans have the same priority. */
const plan = (p: string) => `
  ${p}.assignee_type, ${p}.assignee_id, coalesce((to_jsonb(${p}) ->> 'priority')::integer, 100) AS priority,
  ${p}.unavailable_policy`;
const inForce = (p: string) => `
  ${p}.active AND coalesce(${p}.valid_from <= ${given('at')}, true) AND coalesce(${p}.valid_to > ${given('at')}, true)`;

const isMilliseconds = (instant: string) => `(extract(epoch FROM ${instant}) * 1000)::double precision`;

/**
 * The node $1 (graph) and $2 (code) with its category $3 and preferred team $4; the tokens $5, their jobs $6 and sites $7; the
 * instant $8; the skills $9; whether general teams count $10; the key of the node's rounds $11; teams $12 and operators $13
 * besides. Whole teams where work may be given to any of them, else only who is named.
 */
export const snapshotAt = statement<SnapshotRow>(
  'assignment.snapshot_at',
  `WITH given AS MATERIALIZED (
     SELECT $1::uuid AS graph_id, $2::text AS node_code, $3::text AS category, $4::uuid AS preferred_team_id,
            $5::uuid[] AS token_ids, $6::uuid[] AS job_ids, $7::uuid[] AS site_ids, $8::timestamptz AS at, $9::text[] AS skills,
            $10::boolean AS general, $11::text AS node_key, $12::uuid[] AS team_ids, $13::uuid[] AS operator_ids),
   rule AS MATERIALIZED (
     SELECT p.id, 'PIN' AS mode, 'token' AS scope, p.token_id, NULL::uuid AS job_ticket_id, p.node_code, p.assignee_type,
            p.assignee_id, 100 AS priority, p.unavailable_policy
     FROM assignment.token_pin p
     WHERE p.active AND p.token_id = ANY ${given('token_ids', 'uuid[]')}
       AND coalesce(p.node_code, ${given('node_code')}) = ${given('node_code')}
     UNION ALL
     SELECT p.id, p.mode, CASE WHEN p.node_code IS NULL THEN 'job' ELSE 'job_node' END, NULL, p.job_ticket_id, p.node_code,
            ${plan('p')}
     FROM assignment.assignment_plan_job p
     WHERE p.job_ticket_id = ANY ${given('job_ids', 'uuid[]')}
       AND coalesce(p.node_code, ${given('node_code')}) = ${given('node_code')} AND ${inForce('p')}
     UNION ALL
     SELECT p.id, p.mode, 'node', NULL, NULL, p.node_code, ${plan('p')}
     FROM assignment.assignment_plan_node p
     WHERE p.graph_id = ${given('graph_id')} AND p.node_code = ${given('node_code')} AND ${inForce('p')}),
   named AS MATERIALIZED (
     SELECT assignee_id AS operator_id FROM rule WHERE assignee_type = 'operator' 
     UNION SELECT unnest ${given('operator_ids', 'uuid[]')}),
   team AS MATERIALIZED (
     SELECT t.*, whole.whole
     FROM directory.public_team t
     CROSS JOIN LATERAL (
       SELECT coalesce(
         t.active AND t.site_id = ANY ${given('site_ids', 'uuid[]')}
           AND (t.team_category = ${given('category')} OR ${given('general')} AND t.team_category = 'general')
         OR t.id = ${given('preferred_team_id')} OR t.id = ANY ${given('team_ids', 'uuid[]')}
         OR t.id IN (SELECT r.assignee_id FROM rule r WHERE r.assignee_type = 'team'), false) AS whole) whole
     WHERE whole.whole
        OR t.id IN (SELECT m.team_id FROM named n JOIN directory.public_team_member m USING (operator_id))),
   place AS MATERIALIZED (
     SELECT s.id, date.date, coalesce(shift.day, date.date) AS day, shift.code AS shift,
            date.date::timestamp AT TIME ZONE s.time_zone AS since
     FROM directory.public_site s
     CROSS JOIN LATERAL (SELECT (${given('at')} AT TIME ZONE s.time_zone)::date AS date) date
     LEFT JOIN LATERAL (${shiftAt('s', given('at'))}) shift ON true
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
     WHERE l.status = 'approved' AND l.period @> ${given('at')} AND l.operator_id IN (SELECT o.operator_id FROM operator o)
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
     WHERE s.skill_code = ANY ${given('skills', 'text[]')} AND s.operator_id IN (SELECT o.operator_id FROM operator o)
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
       LEFT JOIN assignment.round_robin rr ON rr.team_id = t.id AND rr.node_key = ${given('node_key')}), '[]') AS teams,
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
