import { statement } from '@belay/platform';
import type { HoldCode, QueueReason, TokenStatus } from '../lifecycle/token.rules.js';
import type { AssignmentMethod } from './assignment-policy.contract.js';
import type { AssignmentStatus } from './assignment.queries.js';
import { mayClaim } from './claim.queries.js';
import type { HelpType, SessionStatus } from './session.queries.js';

/** A session as JSON tells it. */
export interface TokenSession {
  readonly id: string;
  readonly tokenId: string;
  readonly nodeId: string;
  readonly operatorId: string;
  readonly helpType: HelpType;
  readonly status: SessionStatus;
  readonly startedAt: string;
  readonly pausedAt: string | null;
  readonly resumedAt: string | null;
  readonly endedAt: string | null;
  readonly workSeconds: number;
  readonly pauseSeconds: number;
  readonly pauseCount: number;
  readonly pauseReason: string | null;
}

export interface WorkRow {
  readonly tokenId: string;
  readonly rowVersion: number;
  readonly serial: string | null;
  readonly qty: number;
  readonly status: TokenStatus;
  readonly holdCode: HoldCode | null;
  readonly priority: number;
  readonly queueReason: QueueReason | null;
  readonly queueEnteredAt: Date | null;
  readonly instanceId: string;
  readonly instanceStatus: 'active' | 'paused';
  readonly groupId: string | null;
  readonly jobId: string;
  readonly jobCode: string;
  readonly siteId: string;
  readonly versionId: string;
  readonly graphId: string;
  readonly sku: string | null;
  readonly productName: string | null;
  readonly dueAt: Date | null;
  readonly notes: string | null;
  readonly nodeId: string;
  readonly nodeCode: string;
  readonly nodeName: string;
  readonly nodeType: string;
  readonly enteredAt: Date;
  readonly assignmentId: string | null;
  readonly assignmentStatus: AssignmentStatus | null;
  readonly method: AssignmentMethod | null;
  readonly reasonCode: string | null;
  readonly reasonText: string | null;
  readonly note: string | null;
  readonly teamId: string | null;
  readonly assigneeId: string | null;
  readonly assigneeType: 'operator' | 'team' | null;
  readonly sessions: TokenSession[];
  /** The page's key: own active first, own paused next, then by turn. */
  readonly rank: number;
  readonly enteredKey: string;
  readonly dueKey: string;
  readonly at: Date;
}

const instant = (expression: string) => `to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
const live = `('ready', 'waiting', 'active', 'paused')`;
const open = `('assigned', 'accepted', 'started', 'paused')`;

/**
 * What the operator $1 has to do, or may take up: $2 the time, null for now; $3 to $7 the key of the row to go on after
 * (rank, priority, due, entered, token), $8 rows. Tokens that wait for a join or a condition are nobody's work; those that
 * stand anywhere else without being held are where people work.
 */
export const workQueueOf = statement<WorkRow>(
  'production.work_queue',
  `WITH given AS MATERIALIZED (
     SELECT $1::uuid AS me, coalesce($2::timestamptz, date_trunc('milliseconds', clock_timestamp())) AS at),
   team AS MATERIALIZED (
     SELECT t.* FROM given g
     JOIN directory.public_team_member m ON m.operator_id = g.me AND m.active
     JOIN directory.public_team t ON t.id = m.team_id AND t.active),
   job AS MATERIALIZED (
     SELECT i.id AS instance_id, i.status AS instance_status, i.graph_version_id, j.id, j.site_id, j.due_at
     FROM production.job_graph_instance i
     JOIN production.job_ticket j ON j.id = i.job_ticket_id AND j.status = 'in_progress'
     WHERE i.status = 'active'),
   mine AS MATERIALIZED (
     SELECT a.token_id FROM given g
     JOIN production.token_assignment a ON a.operator_id = g.me AND a.status IN ${open}
     UNION
     SELECT a.token_id FROM team t
     JOIN production.token_assignment a ON a.team_id = t.id AND a.operator_id IS NULL AND a.status IN ${open}
     UNION
     SELECT s.token_id FROM given g
     JOIN production.token_work_session s ON s.operator_id = g.me AND s.status IN ('active', 'paused')
     UNION
     SELECT t.id
     FROM production.flow_token t
     JOIN production.routing_node n ON n.id = t.current_node_id
     JOIN job j ON j.instance_id = t.instance_id
     WHERE t.current_node_id IS NOT NULL AND t.status IN ('ready', 'waiting') AND t.hold_code IS NULL
       AND coalesce(t.queue_reason, '') NOT IN ('JOIN_WAIT', 'WAIT_CONDITION')
       AND EXISTS (SELECT FROM team c WHERE ${mayClaim('c', 'n', 'j.site_id')})
       AND NOT EXISTS (SELECT FROM production.token_assignment a WHERE a.token_id = t.id AND a.status IN ${open})),
   -- Each is looked up by its id: how many there are the planner cannot know.
   token AS MATERIALIZED (
     SELECT t.* FROM mine
     CROSS JOIN LATERAL (
       SELECT t.*, o.entered_at FROM production.flow_token t
       JOIN production.token_node_visit o ON o.token_id = t.id AND o.left_at IS NULL
       WHERE t.id = mine.token_id AND t.status IN ${live} AND t.hold_code IS NULL AND t.current_node_id IS NOT NULL
         AND coalesce(t.queue_reason, '') NOT IN ('JOIN_WAIT', 'WAIT_CONDITION') OFFSET 0) t),
   ranked AS (
     SELECT t.*, j.id AS job_id, j.due_at, j.instance_status, j.graph_version_id, coalesce(s.rank, 2) AS rank
     FROM given g
     CROSS JOIN token t
     JOIN job j ON j.instance_id = t.instance_id
     LEFT JOIN (
       SELECT s.token_id, min(CASE s.status WHEN 'active' THEN 0 ELSE 1 END) AS rank
       FROM given g JOIN production.token_work_session s ON s.operator_id = g.me AND s.status IN ('active', 'paused')
       GROUP BY 1) s ON s.token_id = t.id),
   page AS MATERIALIZED (
     SELECT * FROM ranked r
     WHERE $7::uuid IS NULL
        OR (r.rank, -r.priority, coalesce(r.due_at, 'infinity'), r.entered_at, r.id)
           > ($3::integer, -$4::integer, $5::timestamptz, $6::timestamptz, $7)
     ORDER BY r.rank, r.priority DESC, coalesce(r.due_at, 'infinity'), r.entered_at, r.id LIMIT $8)
   SELECT t.id AS "tokenId", t.row_version AS "rowVersion", t.serial, t.qty::float8 AS qty, t.status,
          t.hold_code AS "holdCode", t.priority, t.queue_reason AS "queueReason", t.queue_entered_at AS "queueEnteredAt",
          t.instance_id AS "instanceId", t.instance_status AS "instanceStatus", t.parallel_group_id AS "groupId",
          j.id AS "jobId", j.code AS "jobCode", j.site_id AS "siteId", t.graph_version_id AS "versionId",
          v.graph_id AS "graphId", j.sku, j.product_name AS "productName", j.due_at AS "dueAt", j.notes,
          n.id AS "nodeId", n.node_code AS "nodeCode", n.name AS "nodeName", n.node_type AS "nodeType",
          t.entered_at AS "enteredAt", a.id AS "assignmentId", a.status AS "assignmentStatus", a.method,
          a.reason_code AS "reasonCode", a.reason_text AS "reasonText", a.note, a.team_id AS "teamId",
          a.operator_id AS "assigneeId", a.assigned_to_type AS "assigneeType",
          coalesce(s.sessions, '[]') AS sessions, t.rank, ${instant('t.entered_at')} AS "enteredKey",
          CASE WHEN t.due_at IS NULL THEN 'infinity' ELSE ${instant('t.due_at')} END AS "dueKey", g.at
   FROM given g
   CROSS JOIN page t
   JOIN production.job_ticket j ON j.id = t.job_id
   JOIN production.routing_graph_version v ON v.id = t.graph_version_id
   JOIN production.routing_node n ON n.id = t.current_node_id
   LEFT JOIN production.token_assignment a ON a.token_id = t.id AND a.status IN ${open}
   LEFT JOIN LATERAL (
     SELECT jsonb_agg(jsonb_build_object(
              'id', s.id, 'tokenId', s.token_id, 'nodeId', s.node_id, 'operatorId', s.operator_id, 'helpType', s.help_type,
              'status', s.status, 'startedAt', s.started_at, 'pausedAt', s.paused_at, 'resumedAt', s.resumed_at,
              'endedAt', s.ended_at, 'workSeconds', s.work_seconds, 'pauseSeconds', s.pause_seconds,
              'pauseCount', s.pause_count, 'pauseReason', s.pause_reason) ORDER BY s.id) AS sessions
     FROM production.token_work_session s WHERE s.token_id = t.id AND s.status IN ('active', 'paused')) s ON true
   ORDER BY t.rank, t.priority DESC, coalesce(t.due_at, 'infinity'), t.entered_at, t.id`,
);

/** Whose the tokens $1 were before, where they are now, when they were given to somebody else. */
export const reassignedFrom = statement<{ readonly tokenId: string; readonly operatorId: string }>(
  'production.reassigned_from',
  `SELECT DISTINCT ON (a.token_id) a.token_id AS "tokenId", a.operator_id AS "operatorId"
   FROM production.token_node_visit v
   JOIN production.token_assignment a ON a.token_id = v.token_id AND a.node_id = v.node_id AND a.status = 'cancelled'
     AND a.assigned_at >= v.entered_at AND a.operator_id IS NOT NULL
   WHERE v.token_id = ANY ($1::uuid[]) AND v.left_at IS NULL
   ORDER BY a.token_id, a.cancelled_at DESC, a.id DESC`,
);

/** How far the parts of the groups $1 have come together. */
export const joinsOf = statement<{
  readonly groupId: string;
  readonly node: string | null;
  readonly arrived: number;
  readonly expected: number;
  readonly missing: string[];
}>(
  'production.joins_of',
  `SELECT g.id AS "groupId", n.node_code AS node, g.expected_branches AS expected,
          count(*) FILTER (WHERE b.is_here)::integer AS arrived,
          coalesce(array_agg(b.branch_key ORDER BY b.branch_key) FILTER (WHERE NOT b.is_here), '{}') AS missing
   FROM production.token_parallel_group g
   LEFT JOIN production.routing_node n ON n.id = g.join_node_id
   CROSS JOIN LATERAL (
     SELECT t.branch_key, bool_and(EXISTS (SELECT FROM production.token_join_arrival a
                                           WHERE a.group_id = g.id AND a.token_id = t.id)) AS is_here
     FROM production.flow_token t
     WHERE t.parallel_group_id = g.id AND t.status <> 'scrapped' GROUP BY t.branch_key) b
   WHERE g.id = ANY ($1::uuid[]) AND g.merged_at IS NULL
   GROUP BY g.id, n.node_code`,
);
