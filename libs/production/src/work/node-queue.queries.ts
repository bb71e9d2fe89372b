import { statement } from '@belay/platform';

/** A token where people work, as whoever gives out work sees it. */
export interface StandingToken {
  readonly id: string;
  readonly instanceId: string;
  readonly jobTicketId: string;
  readonly siteId: string;
  readonly graphVersionId: string;
  readonly nodeId: string;
  readonly qty: number;
  readonly priority: number;
  readonly status: 'ready' | 'waiting' | 'active' | 'paused';
  /** Who has it, without having begun. */
  readonly operatorId: string | null;
  /** Operators who rejected it on this visit. */
  readonly rejectedBy: readonly string[];
}

const standing = `
  t.id, t.instance_id AS "instanceId", j.id AS "jobTicketId", j.site_id AS "siteId", i.graph_version_id AS "graphVersionId",
  t.current_node_id AS "nodeId", t.qty::float8 AS qty, t.priority, t.status, a.operator_id AS "operatorId",
  coalesce((
    SELECT array_agg(DISTINCT r.operator_id)
    FROM production.token_node_visit v
    JOIN production.token_assignment r ON r.token_id = v.token_id AND r.node_id = v.node_id AND r.status = 'rejected'
      AND r.assigned_at >= v.entered_at AND r.operator_id IS NOT NULL
    WHERE v.token_id = t.id AND v.left_at IS NULL), '{}') AS "rejectedBy"
  FROM production.flow_token t
  JOIN production.job_graph_instance i ON i.id = t.instance_id
  JOIN production.job_ticket j ON j.id = i.job_ticket_id
  LEFT JOIN production.token_assignment a ON a.token_id = t.id AND a.status IN ('assigned', 'accepted', 'started', 'paused')`;

export const standingToken = statement<StandingToken>(
  'production.standing_token',
  `SELECT ${standing} WHERE t.id = $1::uuid AND t.status IN ('ready', 'waiting', 'active', 'paused')`,
);

/**
 * The first $3 tokens at the node $2 of the graph $1, in the order of its queue, that nobody has begun and nobody was given
 * by hand; of the sites $4, null for all.
 */
export const undecidedTokens = statement<StandingToken>(
  'production.undecided_tokens',
  `SELECT ${standing}
   JOIN production.routing_graph_version g ON g.id = i.graph_version_id AND g.graph_id = $1::uuid
   JOIN production.routing_node n ON n.id = t.current_node_id AND n.node_code = $2::text
   WHERE t.status IN ('ready', 'waiting') AND t.hold_code IS NULL AND i.status = 'active' AND j.status = 'in_progress'
     AND coalesce(t.queue_reason, '') NOT IN ('JOIN_WAIT', 'WAIT_CONDITION')
     AND (a.id IS NULL OR a.method IN ('PIN', 'PLAN', 'AUTO') AND a.status IN ('assigned', 'accepted'))
     AND ($4::uuid[] IS NULL OR j.site_id = ANY ($4))
   ORDER BY t.priority DESC, j.due_at ASC NULLS LAST, t.queue_entered_at, t.id
   LIMIT $3`,
);

/** The newest version of the graph that is published. */
export const newestVersion = statement<{ id: string }>(
  'production.newest_version',
  `SELECT id FROM production.routing_graph_version
   WHERE graph_id = $1::uuid AND status = 'published' ORDER BY version DESC LIMIT 1`,
);

/** How many assignments are being worked on in the scope of the node $1 (work centre, or graph and code), and its limit. */
export const slotsOf = statement<{ readonly started: number; readonly concurrency: number | null }>(
  'production.slots_of',
  `SELECT coalesce(w.concurrency_limit, l.concurrency_limit) AS concurrency,
          (SELECT count(*)::integer
           FROM production.routing_node same
           JOIN production.routing_graph_version sg ON sg.id = same.graph_version_id
           JOIN production.token_assignment a ON a.node_id = same.id AND a.status = 'started'
           WHERE CASE WHEN n.work_center_id IS NULL
                      THEN same.work_center_id IS NULL AND sg.graph_id = g.graph_id AND same.node_code = n.node_code
                      ELSE same.work_center_id = n.work_center_id END) AS started
   FROM production.routing_node n
   JOIN production.routing_graph_version g ON g.id = n.graph_version_id
   LEFT JOIN production.work_center w ON w.id = n.work_center_id
   LEFT JOIN production.node_limit l ON n.work_center_id IS NULL AND l.graph_id = g.graph_id AND l.node_code = n.node_code
   WHERE n.id = $1::uuid`,
);
