import { statement } from '@belay/platform';
import { nodesOfScope } from './limit.queries.js';

/** Visits of the last days that say how long a node takes: how many it needs, and how many are enough. */
const DAYS = 30;
const VISITS = 5;
const ENOUGH = 1_000;

/**
 * What the wait at the nodes is estimated from, a row for each in their order: $1 nodes and $2 to $5 the scopes in which
 * each is counted (work centre, graph, node code, instance), $6 the time. Pauses are no service. The visits of a node are
 * the newest of each version.
 */
export const waitFactsOf = statement<{
  readonly concurrency: number | null;
  readonly minutes: number | null;
  readonly elapsed: number[];
}>(
  'production.wait_facts',
  `WITH asked AS MATERIALIZED (
     SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[]) WITH ORDINALITY
       AS s (node_id, work_center_id, graph_id, node_code, instance_id, position))
   SELECT coalesce(w.concurrency_limit, l.concurrency_limit) AS concurrency, done.minutes::float8 AS minutes,
          coalesce(running.elapsed, '{}')::float8[] AS elapsed
   FROM asked s
   JOIN production.routing_node n ON n.id = s.node_id
   JOIN production.routing_graph_version v ON v.id = n.graph_version_id
   LEFT JOIN production.work_center w ON w.id = s.work_center_id
   LEFT JOIN production.node_limit l ON l.graph_id = s.graph_id AND l.node_code = s.node_code
   CROSS JOIN LATERAL (
     SELECT CASE WHEN count(*) >= ${VISITS}
                 THEN percentile_cont(0.5) WITHIN GROUP (
                   ORDER BY extract(epoch FROM o.left_at - o.first_started_at) - o.pause_seconds) / 60 END AS minutes
     FROM production.routing_graph_version same_graph
     JOIN production.routing_node same ON same.graph_version_id = same_graph.id AND same.node_code = n.node_code
     CROSS JOIN LATERAL (
       SELECT * FROM production.token_node_visit
       WHERE node_id = same.id AND completed_at > $6::timestamptz - interval '${DAYS} days'
         AND completed_at <= $6::timestamptz AND first_started_at IS NOT NULL AND left_at IS NOT NULL
       ORDER BY completed_at DESC LIMIT ${ENOUGH}) o
     WHERE same_graph.graph_id = v.graph_id) done
   CROSS JOIN LATERAL (
     SELECT array_agg((extract(epoch FROM $6::timestamptz - coalesce(x.resumed_at, x.started_at)) + x.work_seconds) / 60
                      ORDER BY x.id) AS elapsed
     FROM ${nodesOfScope('s')} sn
     JOIN production.token_work_session x ON x.node_id = sn.id AND x.status = 'active' AND x.help_type <> 'assist'
     JOIN production.flow_token t ON t.id = x.token_id
     WHERE s.instance_id IS NULL OR t.instance_id = s.instance_id) running
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
