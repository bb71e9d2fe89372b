import { statement } from '@belay/platform';

/** What somebody has to do, over all nodes. */
export interface OperatorWork {
  readonly operatorId: string;
  /** Open assignments on tokens that live. */
  readonly open: number;
  readonly sessions: number;
  /** Assigned in the last 24 hours. */
  readonly lastDay: number;
  /** Assigned since the day began for them. */
  readonly today: number;
  /** Estimated minutes of what is open; nought unless details were asked for, as the next two. */
  readonly minutes: number;
  /** Open pieces of OEM jobs. */
  readonly pieces: number;
  /** Open tokens of other jobs. */
  readonly serials: number;
  readonly lastAssignedAt: Date | null;
}

/**
 * Of the operators $1, whose days began at $2; at the instant $3; with details when $4. One row for each pair of the lists,
 * in their order.
 */
export const operatorWork = statement<OperatorWork>(
  'production.operator_work',
  // The planner is not to see the lists: it would plan anew for each, and that takes longer than the rest.
  `WITH given AS MATERIALIZED (
     SELECT $1::uuid[] AS operator_ids, $2::timestamptz[] AS since, $3::timestamptz AS at, $4::boolean AS details),
   open AS (
     SELECT a.operator_id, count(*)::integer AS open,
            coalesce(sum(n.estimated_minutes * CASE n.estimate_basis WHEN 'unit' THEN t.qty ELSE 1 END), 0)::double precision
              AS minutes,
            coalesce(sum(t.qty) FILTER (WHERE j.line = 'oem'), 0)::double precision AS pieces,
            count(*) FILTER (WHERE j.line <> 'oem')::integer AS serials
     FROM production.token_assignment a
     JOIN production.flow_token t ON t.id = a.token_id AND t.status IN ('ready', 'waiting', 'active', 'paused')
     LEFT JOIN production.routing_node n ON (SELECT g.details FROM given g) AND n.id = a.node_id
     LEFT JOIN production.job_graph_instance i ON (SELECT g.details FROM given g) AND i.id = t.instance_id
     LEFT JOIN production.job_ticket j ON j.id = i.job_ticket_id
     WHERE a.operator_id = ANY ((SELECT g.operator_ids FROM given g)::uuid[])
       AND a.status IN ('assigned', 'accepted', 'started', 'paused')
     GROUP BY 1),
   session AS (
     SELECT s.operator_id, count(*)::integer AS sessions FROM production.token_work_session s
     WHERE s.operator_id = ANY ((SELECT g.operator_ids FROM given g)::uuid[]) AND s.status IN ('active', 'paused')
     GROUP BY 1)
   SELECT asked.operator_id AS "operatorId", coalesce(open.open, 0) AS open, coalesce(session.sessions, 0) AS sessions,
          recent.last_day AS "lastDay", recent.today, coalesce(open.minutes, 0) AS minutes,
          coalesce(open.pieces, 0) AS pieces, coalesce(open.serials, 0) AS serials, latest.assigned_at AS "lastAssignedAt"
   FROM given
   CROSS JOIN LATERAL unnest(given.operator_ids, given.since) WITH ORDINALITY AS asked (operator_id, since, position)
   LEFT JOIN open ON open.operator_id = asked.operator_id
   LEFT JOIN session ON session.operator_id = asked.operator_id
   CROSS JOIN LATERAL (
     SELECT count(*) FILTER (WHERE a.assigned_at > given.at - interval '24 hours')::integer AS last_day,
            count(*) FILTER (WHERE a.assigned_at >= asked.since)::integer AS today
     FROM production.token_assignment a
     WHERE a.operator_id = asked.operator_id AND a.status NOT IN ('cancelled', 'rejected')
       AND a.assigned_at >= least(asked.since, given.at - interval '24 hours')) recent
   CROSS JOIN LATERAL (
     SELECT max(a.assigned_at) AS assigned_at FROM production.token_assignment a
     WHERE a.operator_id = asked.operator_id) latest
   ORDER BY asked.position`,
);

/**
 * Mean minutes that each operator worked at the node $1 (graph) and $2 (code) in the thirty days up to $3; those who did
 * so less than five times are left out.
 */
export const cycleMinutes = statement<{ readonly operatorId: string; readonly minutes: number }>(
  'production.cycle_minutes',
  `SELECT v.operator_id AS "operatorId", (avg(v.work_seconds) / 60)::double precision AS minutes
   FROM production.routing_graph_version g
   JOIN production.routing_node n ON n.graph_version_id = g.id AND n.node_code = $2::text
   JOIN production.token_node_visit v ON v.node_id = n.id AND v.operator_id IS NOT NULL
     AND v.completed_at > $3::timestamptz - interval '30 days' AND v.completed_at <= $3::timestamptz
   WHERE g.graph_id = $1::uuid
   GROUP BY v.operator_id HAVING count(*) >= 5`,
);

/** Open assignments to each of the teams $1 that none of its members has taken. */
export const unclaimedWork = statement<{ teamId: string; unclaimed: number }>(
  'production.unclaimed_work',
  `SELECT a.team_id AS "teamId", count(*)::integer AS unclaimed
   FROM production.token_assignment a
   JOIN production.flow_token t ON t.id = a.token_id AND t.status IN ('ready', 'waiting', 'active', 'paused')
   WHERE a.team_id = ANY ($1::uuid[]) AND a.operator_id IS NULL AND a.status IN ('assigned', 'accepted', 'started', 'paused')
   GROUP BY 1`,
);

/** Those of the jobs $1 that are made on an OEM line. */
export const jobsOfOem = statement<{ id: string }>(
  'production.jobs_of_oem',
  `SELECT id FROM production.job_ticket WHERE id = ANY ($1::uuid[]) AND line = 'oem'`,
);
