import { statement } from '@belay/platform';

/**
 * Whether anything of the instance $1 lives, and what of it was scrapped and is to be replaced. Parts of a piece are not
 * asked for: the piece itself waits for them.
 */
export const restOfInstance = statement<{ readonly isAlive: boolean; readonly missing: string[] }>(
  'production.rest_of_instance',
  `SELECT EXISTS (SELECT FROM production.flow_token
                  WHERE instance_id = $1 AND status IN ('ready', 'waiting', 'active', 'paused')) AS "isAlive",
          ARRAY (SELECT t.id FROM production.flow_token t
                 LEFT JOIN LATERAL (
                   SELECT v.node_id FROM production.token_node_visit v
                   WHERE v.token_id = t.id AND v.outcome = 'scrapped' ORDER BY v.left_at DESC, v.id DESC LIMIT 1) v ON true
                 LEFT JOIN production.routing_node n ON n.id = v.node_id
                 WHERE t.instance_id = $1 AND t.status = 'scrapped' AND t.token_type <> 'component'
                   AND coalesce(n.scrap_policy->>'mode', 'manual') <> 'none'
                   AND NOT EXISTS (SELECT FROM production.flow_token r WHERE r.replaces_token_id = t.id)
                 ORDER BY t.id) AS missing`,
);

/** The job $1 and its instance $2 are done, at $3; nothing when they were before. */
export const finishJob = statement<{ readonly id: string }>(
  'production.finish_job',
  `WITH instance AS (
     UPDATE production.job_graph_instance SET status = 'completed' WHERE id = $2 AND status IN ('active', 'paused')
     RETURNING id)
   UPDATE production.job_ticket SET status = 'completed', completed_at = $3::timestamptz
   FROM instance WHERE job_ticket.id = $1 AND job_ticket.status = 'in_progress'
   RETURNING job_ticket.id`,
);
