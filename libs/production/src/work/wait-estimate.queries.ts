import { statement } from '@belay/platform';
import { nodesOfScope } from './limit.queries.js';

/** Visits of the last days that say how long a node takes, and how many of them it needs. */
const DAYS = 30;
const VISITS = 5;

/** Minutes that the designer gives a token `token` at a node `node`. */
const designed = (token: string, node: string) =>
  `coalesce(${node}.estimated_minutes * CASE ${node}.estimate_basis WHEN 'unit' THEN ${token}.qty ELSE 1 END, 0)`;
const worked = (session: string) =>
  `(CASE ${session}.status WHEN 'active' THEN extract(epoch FROM $6::timestamptz - coalesce(${session}.resumed_at, ${session}.started_at))
                           ELSE 0 END + ${session}.work_seconds) / 60`;

/**
 * What the wait at the nodes is estimated from, a row for each in their order: $1 nodes and $2 to $5 the scopes in which
 * each is counted (work centre, graph, node code, instance), $6 the time. Pauses are no service. The visits of a node are
 * those of every version. Where places are limited and not work itself (`wip`), whoever holds a place is told of, also who
 * pauses; `ahead` are those that nobody has begun: minutes until the person whose work it is has done what comes before.
 */
export const waitFactsOf = statement<{
  readonly concurrency: number | null;
  readonly wip: number | null;
  readonly minutes: number | null;
  readonly elapsed: number[];
  readonly ahead: number[];
}>(
  'production.wait_facts',
  `WITH asked AS MATERIALIZED (
     SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[]) WITH ORDINALITY
       AS s (node_id, work_center_id, graph_id, node_code, instance_id, position))
   SELECT limits.concurrency, limits.wip, done.minutes::float8 AS minutes,
          coalesce(running.elapsed, '{}')::float8[] AS elapsed, coalesce(given.ahead, '{}')::float8[] AS ahead
   FROM asked s
   JOIN production.routing_node n ON n.id = s.node_id
   JOIN production.routing_graph_version v ON v.id = n.graph_version_id
   LEFT JOIN production.work_center w ON w.id = s.work_center_id
   LEFT JOIN production.node_limit l ON l.graph_id = s.graph_id AND l.node_code = s.node_code
   CROSS JOIN LATERAL (
     SELECT c.concurrency, c.wip, c.concurrency IS NULL AND c.wip IS NOT NULL AS by_place
     FROM (VALUES (coalesce(w.concurrency_limit, l.concurrency_limit), coalesce(w.wip_limit, l.wip_limit)))
       AS c (concurrency, wip)) limits
   CROSS JOIN LATERAL (
     SELECT CASE WHEN count(*) >= ${VISITS}
                 THEN percentile_cont(0.5) WITHIN GROUP (
                   ORDER BY extract(epoch FROM o.left_at - o.first_started_at) - o.pause_seconds) / 60 END AS minutes
     FROM production.routing_graph_version same_graph
     JOIN production.routing_node same ON same.graph_version_id = same_graph.id AND same.node_code = n.node_code
     JOIN production.token_node_visit o ON o.node_id = same.id
     WHERE same_graph.graph_id = v.graph_id AND o.completed_at > $6::timestamptz - interval '${DAYS} days'
       AND o.completed_at <= $6::timestamptz AND o.first_started_at IS NOT NULL AND o.left_at IS NOT NULL) done
   CROSS JOIN LATERAL (
     SELECT array_agg(${worked('x')} ORDER BY x.id) AS elapsed
     FROM ${nodesOfScope('s')} sn
     JOIN production.token_work_session x ON x.node_id = sn.id AND x.status IN ('active', 'paused') AND x.help_type <> 'assist'
     JOIN production.flow_token t ON t.id = x.token_id
     WHERE (x.status = 'active' OR limits.by_place) AND (s.instance_id IS NULL OR t.instance_id = s.instance_id)) running
   CROSS JOIN LATERAL (
     SELECT array_agg(before.minutes ORDER BY t.id) AS ahead
     FROM ${nodesOfScope('s')} sn
     JOIN production.flow_token t ON t.current_node_id = sn.id AND t.status = 'ready'
     LEFT JOIN production.token_assignment a ON a.token_id = t.id AND a.status IN ('assigned', 'accepted')
     CROSS JOIN LATERAL (
       SELECT coalesce(sum(CASE b.status WHEN 'started' THEN greatest(${designed('o', 'bn')} - ${worked('x')}, ${designed('o', 'bn')} / 10)
                                         ELSE ${designed('o', 'bn')} END), 0) AS minutes
       FROM production.token_assignment b
       JOIN production.flow_token o ON o.id = b.token_id
       JOIN production.routing_node bn ON bn.id = b.node_id
       LEFT JOIN production.token_work_session x ON x.token_id = b.token_id AND x.status = 'active' AND x.help_type <> 'assist'
       WHERE b.operator_id = a.operator_id AND b.id <> a.id AND b.status IN ('assigned', 'accepted', 'started')
         AND (b.status = 'started' OR o.status = 'ready' AND o.hold_code IS NULL
                                      AND (-o.priority, b.assigned_at, o.id) < (-t.priority, a.assigned_at, t.id))) before
     WHERE limits.by_place AND (s.instance_id IS NULL OR t.instance_id = s.instance_id)) given
   ORDER BY s.position`,
);

/**
 * Where tokens that wait, or are about to, stand in the queues of their scopes, those that are asked about counted too: $1
 * tokens, $2 to $6 their scopes (key, work centre, graph, node code, instance), $7 priorities, $8 when their jobs are due,
 * $9 when they began to wait.
 */
export const turnsOf = statement<{ readonly tokenId: string; readonly position: number }>(
  'production.turns_of',
  `WITH asked AS MATERIALIZED (
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::integer[],
                          $8::timestamptz[], $9::timestamptz[])
       AS s (token_id, key, work_center_id, graph_id, node_code, instance_id, priority, due_at, entered_at)),
   scope AS MATERIALIZED (SELECT DISTINCT key, work_center_id, graph_id, node_code, instance_id FROM asked),
   queued AS (
     SELECT s.key, t.id, t.priority::integer, j.due_at, t.queue_entered_at AS entered_at
     FROM scope s
     CROSS JOIN LATERAL ${nodesOfScope('s')} n
     JOIN production.flow_token t ON t.current_node_id = n.id AND t.status = 'waiting'
       AND t.queue_reason NOT IN ('JOIN_WAIT', 'WAIT_CONDITION', 'JOB_PAUSED')
     JOIN production.job_graph_instance i ON i.id = t.instance_id
     JOIN production.job_ticket j ON j.id = i.job_ticket_id
     WHERE (s.instance_id IS NULL OR t.instance_id = s.instance_id) AND t.id NOT IN (SELECT token_id FROM asked)
     UNION ALL
     SELECT key, token_id, priority, due_at, entered_at FROM asked),
   turn AS (
     SELECT id, row_number() OVER (PARTITION BY key ORDER BY priority DESC, due_at NULLS LAST, entered_at, id)::integer AS position
     FROM queued)
   SELECT id AS "tokenId", position FROM turn WHERE id IN (SELECT token_id FROM asked)`,
);
