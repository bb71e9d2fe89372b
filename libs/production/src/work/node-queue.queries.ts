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
  readonly dueAt: Date | null;
  /** Since when it waits where it is. */
  readonly queuedSince: Date | null;
  readonly status: 'ready' | 'waiting' | 'active' | 'paused';
  /** Who has it, without having begun. */
  readonly operatorId: string | null;
  /** Operators who rejected it on this visit. */
  readonly rejectedBy: readonly string[];
}

const standing = `
  t.id, t.instance_id AS "instanceId", j.id AS "jobTicketId", j.site_id AS "siteId", i.graph_version_id AS "graphVersionId",
  t.current_node_id AS "nodeId", t.qty::float8 AS qty, t.priority, j.due_at AS "dueAt",
  t.queue_entered_at AS "queuedSince", t.status, a.operator_id AS "operatorId",
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

/** A token at a node of the graph, whatever the version. */
export type UndecidedToken = StandingToken & { readonly nodeCode: string };

/**
 * At most $2 tokens of the graph $1 that nobody has begun and nobody was given by hand, of the sites $3, null for all: of
 * each node the first, in the order of the queue. Those that were let in come before those that wait.
 */
export const undecidedTokens = statement<UndecidedToken>(
  'production.undecided_tokens',
  `SELECT few.* FROM (
     SELECT row_number() OVER (PARTITION BY n.node_code
                               ORDER BY t.status = 'waiting', t.priority DESC, j.due_at NULLS LAST, t.queue_entered_at, t.id) AS turn,
            n.node_code AS "nodeCode", ${standing}
     JOIN production.routing_graph_version g ON g.id = i.graph_version_id AND g.graph_id = $1::uuid
     JOIN production.routing_node n ON n.id = t.current_node_id
     WHERE t.status IN ('ready', 'waiting') AND t.hold_code IS NULL AND i.status = 'active' AND j.status = 'in_progress'
       AND coalesce(t.queue_reason, '') NOT IN ('JOIN_WAIT', 'WAIT_CONDITION')
       AND (a.id IS NULL OR a.method IN ('PIN', 'PLAN', 'AUTO') AND a.status IN ('assigned', 'accepted'))
       AND ($3::uuid[] IS NULL OR j.site_id = ANY ($3))
     ORDER BY turn LIMIT $2) few
   ORDER BY few.status = 'waiting', few.priority DESC, few."dueAt" NULLS LAST, few."queuedSince", few.id`,
);

/** The newest version of the graph that is published. */
export const newestVersion = statement<{ id: string }>(
  'production.newest_version',
  `SELECT id FROM production.routing_graph_version
   WHERE graph_id = $1::uuid AND status = 'published' ORDER BY version DESC LIMIT 1`,
);
