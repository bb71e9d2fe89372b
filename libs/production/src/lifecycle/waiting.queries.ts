import { statement } from '@belay/platform';

/** What of the instance $1 is on its way, by node, the tokens $2 not counted. */
export const liveByNode = statement<{ readonly nodeId: string; readonly tokens: number }>(
  'production.live_by_node',
  `SELECT current_node_id AS "nodeId", count(*)::integer AS tokens FROM production.flow_token
   WHERE instance_id = $1 AND status IN ('ready', 'waiting', 'active', 'paused') AND id <> ALL ($2::uuid[])
   GROUP BY 1`,
);

/** What is collected at the wait node $2 of the instance $1 so far; what is held stays. */
export const collectedAt = statement<{ readonly id: string; readonly qty: number }>(
  'production.collected_at',
  `SELECT id, qty::float8 AS qty FROM production.flow_token
   WHERE instance_id = $1 AND current_node_id = $2 AND status = 'waiting' AND queue_reason = 'WAIT_CONDITION'
     AND hold_code IS NULL
   ORDER BY id`,
);

/** Tokens whose time at a wait node is over, at most $2 of them; $1 is the time. */
export const timedWaitsOver = statement<{ readonly instanceId: string; readonly tokenIds: string[] }>(
  'production.timed_waits_over',
  `SELECT t.instance_id AS "instanceId", array_agg(t.id ORDER BY t.id) AS "tokenIds"
   FROM (SELECT t.id, t.instance_id FROM production.flow_token t
         JOIN production.routing_node n ON n.id = t.current_node_id AND n.wait_rule->>'kind' = 'time'
         JOIN production.job_graph_instance i ON i.id = t.instance_id AND i.status = 'active'
         WHERE t.status = 'waiting' AND t.queue_reason = 'WAIT_CONDITION' AND t.hold_code IS NULL
           AND t.queue_entered_at + make_interval(secs => (n.wait_rule->>'minutes')::float8 * 60)
               <= coalesce($1::timestamptz, now())
         ORDER BY t.queue_entered_at LIMIT $2) t
   GROUP BY t.instance_id`,
);

/** A token of each lot that is being collected. */
export const lotsCollected = statement<{ readonly tokenId: string }>(
  'production.lots_collected',
  `SELECT DISTINCT ON (t.instance_id, t.current_node_id) t.id AS "tokenId"
   FROM production.flow_token t
   JOIN production.routing_node n ON n.id = t.current_node_id AND n.wait_rule->>'kind' = 'batch'
   JOIN production.job_graph_instance i ON i.id = t.instance_id AND i.status = 'active'
   WHERE t.status = 'waiting' AND t.queue_reason = 'WAIT_CONDITION' AND t.hold_code IS NULL
   ORDER BY t.instance_id, t.current_node_id, t.id`,
);

/**
 * Groups whose first token waits at a join for longer than the join waits, at most $2; $1 is the time. What only a supervisor
 * can go on with is told once.
 */
export const joinsOverdue = statement<{
  readonly groupId: string;
  readonly tokenId: string;
  readonly joinNodeId: string;
}>(
  'production.joins_overdue',
  `SELECT DISTINCT ON (g.id) g.id AS "groupId", a.token_id AS "tokenId", a.join_node_id AS "joinNodeId"
   FROM production.token_parallel_group g
   JOIN production.token_join_arrival a ON a.group_id = g.id AND a.consumed_at IS NULL
   JOIN production.routing_node n ON n.id = a.join_node_id
   JOIN production.flow_token t ON t.id = a.token_id
   JOIN production.job_graph_instance i ON i.id = t.instance_id AND i.status = 'active'
   WHERE g.merged_at IS NULL AND n.wait_window_minutes IS NOT NULL
     AND (n.timeout_node_code IS NOT NULL OR NOT EXISTS (
       SELECT FROM production.health_finding f
       WHERE f.kind = 'join-timeout' AND f.subject_id = g.parent_token_id AND f.resolved_at IS NULL))
     AND a.arrived_at + make_interval(mins => n.wait_window_minutes) <= coalesce($1::timestamptz, now())
   ORDER BY g.id, a.arrived_at, a.token_id LIMIT $2`,
);
