import { statement } from '@belay/platform';
import type { Assignee, PeopleReason } from './assignment-policy.contract.js';
import { nodesOfScope } from './limit.queries.js';
import type { LimitReason } from './limit.rules.js';

/** What waits for a place or for people, as opposed to a join or a condition. */
const reasons = `('WIP_LIMIT', 'CONCURRENCY_LIMIT', 'QUEUE_LIMIT', 'TEAM_UNAVAILABLE', 'OPERATOR_UNAVAILABLE', 'NO_MATCH', 'JOB_PAUSED')`;

export interface WaitingToken {
  readonly id: string;
  readonly instanceId: string;
  readonly ticketId: string;
  readonly siteId: string;
  readonly versionId: string;
  readonly graphId: string;
  readonly nodeId: string;
  readonly qty: number;
  readonly priority: number;
  readonly dueAt: Date | null;
  readonly queueReason: LimitReason | PeopleReason | 'QUEUE_LIMIT' | 'JOB_PAUSED';
  readonly queueEnteredAt: Date | null;
  /** Whom it is for already, given by hand while it waited. */
  readonly openAssignment: { readonly type: Assignee['type'] } | null;
}

/**
 * The first $6 tokens but $7 that wait in the scope whose columns are $1 to $5, in their order; those that somebody else
 * has at hand are left out, because the scope is locked already.
 */
export const lockWaiting = statement<WaitingToken>(
  'production.lock_waiting',
  `SELECT t.id, t.instance_id AS "instanceId", j.id AS "ticketId", j.site_id AS "siteId", i.graph_version_id AS "versionId",
          v.graph_id AS "graphId", t.current_node_id AS "nodeId", t.qty::float8 AS qty, t.priority, j.due_at AS "dueAt",
          t.queue_reason AS "queueReason", t.queue_entered_at AS "queueEnteredAt",
          (SELECT jsonb_build_object('type', a.assigned_to_type) FROM production.token_assignment a
           WHERE a.token_id = t.id AND a.status IN ('assigned', 'accepted', 'started', 'paused')) AS "openAssignment"
   FROM (SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[])
           AS s (key, work_center_id, graph_id, node_code, instance_id)) s
   CROSS JOIN LATERAL ${nodesOfScope('s')} n
   JOIN production.flow_token t ON t.current_node_id = n.id AND t.status = 'waiting' AND t.hold_code IS NULL
     AND t.queue_reason IN ${reasons}
   JOIN production.job_graph_instance i ON i.id = t.instance_id AND i.status = 'active'
   JOIN production.job_ticket j ON j.id = i.job_ticket_id AND j.status = 'in_progress'
   JOIN production.routing_graph_version v ON v.id = i.graph_version_id
   WHERE (s.instance_id IS NULL OR t.instance_id = s.instance_id) AND t.id <> ALL ($7::uuid[])
   ORDER BY t.priority DESC, j.due_at ASC NULLS LAST, t.queue_entered_at, t.id
   LIMIT $6 FOR UPDATE OF t SKIP LOCKED`,
);

/** Nodes at which somebody waits, one row for each scope: that of one job where limits are counted so. $1 only for people. */
export const waitingScopes = statement<{
  readonly workCenterId: string | null;
  readonly graphId: string;
  readonly nodeCode: string;
  readonly instanceId: string | null;
}>(
  'production.waiting_scopes',
  `SELECT DISTINCT n.work_center_id AS "workCenterId", v.graph_id AS "graphId", n.node_code AS "nodeCode",
          CASE WHEN n.work_center_id IS NULL AND n.limit_scope = 'INSTANCE' THEN t.instance_id END AS "instanceId"
   FROM production.flow_token t
   JOIN production.routing_node n ON n.id = t.current_node_id
   JOIN production.routing_graph_version v ON v.id = n.graph_version_id
   WHERE t.status = 'waiting' AND t.hold_code IS NULL AND t.queue_reason IN ${reasons}
     AND (NOT $1 OR t.queue_reason IN ('TEAM_UNAVAILABLE', 'OPERATOR_UNAVAILABLE', 'NO_MATCH'))`,
);

/** Tokens that stay where they were because the queue of their next node had no room, those held longest first. */
export const heldForRoom = statement<{ readonly id: string }>(
  'production.held_for_room',
  `SELECT t.id FROM production.flow_token t
   JOIN production.job_graph_instance i ON i.id = t.instance_id AND i.status = 'active'
   WHERE t.hold_code = 'QUEUE_LIMIT' AND t.status IN ('ready', 'waiting', 'active', 'paused')
     AND ($1::uuid[] IS NULL OR EXISTS (
       SELECT FROM production.routing_edge e WHERE e.from_node_id = t.current_node_id AND e.to_node_id = ANY ($1)))
   ORDER BY t.priority DESC, t.queue_entered_at, t.id LIMIT $2`,
);

/** The nodes of the scope whose columns are $1 to $5. */
export const nodesInScope = statement<{ readonly id: string }>(
  'production.nodes_in_scope',
  `SELECT n.id FROM (SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[])
                       AS s (key, work_center_id, graph_id, node_code, instance_id)) s
   CROSS JOIN LATERAL ${nodesOfScope('s')} n`,
);
