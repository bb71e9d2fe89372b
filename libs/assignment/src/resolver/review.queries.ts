import { statement } from '@belay/platform';

/** Entries of sites $1 (all when null) and the graph $2 (all when null), from $3 on and before $4. */
const asked = (l: string) => `
  ${l}.created_at >= $3::timestamptz AND ${l}.created_at < $4::timestamptz
  AND ($1::uuid[] IS NULL
       OR EXISTS (SELECT FROM production.public_job_ticket j WHERE j.id = ${l}.job_ticket_id AND j.site_id = ANY ($1)))
  AND ($2::uuid IS NULL OR EXISTS (SELECT FROM production.public_node n WHERE n.id = ${l}.node_id AND n.graph_id = $2))`;

/** Choices that were only logged, and who got the work first after each. */
export const agreementOf = statement<{ choices: number; given: number; agreed: number }>(
  'assignment.agreement_of',
  `SELECT count(*)::integer AS choices, count(given.operator_id)::integer AS given,
          count(*) FILTER (WHERE given.operator_id::text = l.reason_json #>> '{trace,withheld,assignee,operatorId}')::integer
            AS agreed
   FROM assignment.assignment_log l
   LEFT JOIN LATERAL (
     SELECT a.operator_id FROM assignment.assignment_log a
     WHERE a.token_id = l.token_id AND a.node_id = l.node_id AND a.created_at >= l.created_at AND a.id > l.id
       AND a.event IN ('assigned', 'override') AND a.operator_id IS NOT NULL
     ORDER BY a.created_at, a.id LIMIT 1) given ON true
   WHERE l.event = 'unassigned' AND l.reason_code = 'SHADOW' AND ${asked('l')}`,
  'each time',
);

/** The newest $5 choices of a person, in their order, with what each was made from. */
export const madeChoices = statement<{ at: Date; operatorId: string; trace: unknown }>(
  'assignment.made_choices',
  `SELECT newest.* FROM (
     SELECT l.id, l.created_at AS at, l.operator_id AS "operatorId", l.reason_json -> 'trace' AS trace
     FROM assignment.assignment_log l
     WHERE l.event IN ('assigned', 'woken') AND l.tier <> 'manual' AND l.operator_id IS NOT NULL AND ${asked('l')}
     ORDER BY l.created_at DESC, l.id DESC LIMIT $5) newest
   ORDER BY newest.at, newest.id`,
  'each time',
);

/**
 * Decisions, those that gave the work to somebody or some team, and those that were only logged. What a full limit held up
 * is none: it is decided when it is let in. An error is one that gave nothing.
 */
export const coverageOf = statement<{ decisions: number; given: number; logged: number }>(
  'assignment.coverage_of',
  `SELECT count(*)::integer AS decisions, count(*) FILTER (WHERE l.event IN ('assigned', 'woken') AND l.assigned_to_id IS NOT NULL)::integer AS given,
          count(*) FILTER (WHERE l.event = 'unassigned' AND l.reason_code = 'SHADOW')::integer AS logged
   FROM assignment.assignment_log l
   WHERE (l.reason_json ? 'trace' AND l.event IN ('assigned', 'woken', 'queued', 'unassigned') OR l.event = 'resolver_error')
     AND l.method <> 'SKIP' AND coalesce(l.queue_reason, '') NOT IN ('CONCURRENCY_LIMIT', 'WIP_LIMIT') AND ${asked('l')}`,
  'each time',
);

/** Tokens that were let in, and minutes since each was queued, on average; also when it had to wait for more than one thing. */
export const queuedMinutes = statement<{ tokens: number; minutes: number | null }>(
  'assignment.queued_minutes',
  `SELECT count(q.at)::integer AS tokens, avg(extract(epoch FROM l.created_at - q.at) / 60)::float8 AS minutes
   FROM assignment.assignment_log l
   CROSS JOIN LATERAL (
     SELECT min(q.created_at) AS at FROM assignment.assignment_log q
     WHERE q.token_id = l.token_id AND q.node_id = l.node_id AND q.event = 'queued' AND q.id < l.id
       AND NOT EXISTS (
         SELECT FROM assignment.assignment_log w
         WHERE w.token_id = q.token_id AND w.node_id = q.node_id AND w.event = 'woken' AND w.id > q.id AND w.id < l.id)) q
   WHERE l.event = 'woken' AND ${asked('l')}`,
  'each time',
);
