import { statement } from '@belay/platform';
import type { LimitView } from './limit.contract.js';

const columns = `graph_id AS "graphId", node_code AS "nodeCode", wip_limit AS "wipLimit",
  concurrency_limit AS "concurrencyLimit", queue_limit AS "queueLimit", source, row_version AS "rowVersion"`;

export const limitsOfGraph = statement<LimitView>(
  'production.limits_of_graph',
  `SELECT ${columns} FROM production.node_limit WHERE graph_id = $1 ORDER BY node_code`,
);

/** $1 graph, $2 code of the node; held until the transaction ends. */
export const lockLimit = statement<LimitView>(
  'production.lock_limit',
  `SELECT ${columns} FROM production.node_limit WHERE graph_id = $1 AND node_code = $2 FOR NO KEY UPDATE`,
);

/** $1 graph, $2 code of the node, $3 work in progress, $4 concurrency, $5 queue. */
export const setLimit = statement<LimitView>(
  'production.set_limit',
  `UPDATE production.node_limit
   SET wip_limit = $3, concurrency_limit = $4, queue_limit = $5, source = 'manual'
   WHERE graph_id = $1 AND node_code = $2 RETURNING ${columns}`,
);

/** Jobs with work at the nodes $2 of the graph $1 that limit each job by itself. */
export const jobsWithOwnLimit = statement<{ instanceId: string }>(
  'production.jobs_with_own_limit',
  `SELECT DISTINCT t.instance_id AS "instanceId"
   FROM production.routing_graph_version v
   JOIN production.routing_node n ON n.graph_version_id = v.id
   JOIN production.flow_token t ON t.current_node_id = n.id AND t.status IN ('ready', 'waiting', 'active', 'paused')
   WHERE v.graph_id = $1 AND n.node_code = $2 AND n.limit_scope = 'INSTANCE' AND n.work_center_id IS NULL`,
);
