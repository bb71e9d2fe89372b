import { statement } from '@belay/platform';
import type { TokenEventView, TokenView, VisitView } from './token.contract.js';

type Dates = 'queueEnteredAt' | 'completedAt';

export type TokenViewRow = Omit<TokenView, Dates | 'spawnedAt' | 'firstSpawnedAt' | 'join'> &
  Readonly<Record<Dates, Date | null>> & {
    readonly spawnedAt: Date;
    readonly firstSpawnedAt: Date;
    readonly graphVersionId: string;
    /** Of the open group that it belongs to at a join, or that it was split into. */
    readonly groupId: string | null;
  };

const columns = `t.id, i.job_ticket_id AS "jobTicketId", j.code AS "jobCode", j.site_id AS "siteId", t.token_type AS type,
  t.serial, t.serial_rev AS "serialRev", t.status, t.hold_code AS "holdCode", t.current_node_id AS "nodeId",
  n.node_code AS "nodeCode", n.node_type AS "nodeType", t.qty::float8 AS qty, t.priority, t.rework_count AS "reworkCount",
  t.rework_limit AS "reworkLimit", t.queue_reason AS "queueReason", t.queue_entered_at AS "queueEnteredAt",
  t.parent_token_id AS "parentId", t.branch_key AS branch, t.replaces_token_id AS "replacesTokenId",
  t.merged_into_token_id AS "mergedInto", t.cancel_reason AS "cancelReason", t.qc_result AS "qcResult", t.metadata,
  t.spawned_at AS "spawnedAt", t.first_spawned_at AS "firstSpawnedAt", t.completed_at AS "completedAt",
  t.row_version AS "rowVersion", i.graph_version_id AS "graphVersionId",
  CASE WHEN t.status = 'waiting' AND t.queue_reason = 'JOIN_WAIT' THEN t.parallel_group_id
       WHEN t.status = 'waiting' AND n.node_type = 'split' THEN (
         SELECT g.id FROM production.token_parallel_group g
         WHERE g.parent_token_id = t.id AND g.merged_at IS NULL ORDER BY g.id DESC LIMIT 1) END AS "groupId"`;

const around = `
  JOIN production.job_graph_instance i ON i.id = t.instance_id
  JOIN production.job_ticket j ON j.id = i.job_ticket_id
  LEFT JOIN production.routing_node n ON n.id = t.current_node_id`;

/** The token $1, at the sites $2 only, or at all when null. */
export const tokenById = statement<TokenViewRow>(
  'production.token_by_id',
  `SELECT ${columns} FROM production.flow_token t ${around}
   WHERE t.id = $1::uuid AND ($2::uuid[] IS NULL OR j.site_id = ANY ($2))`,
);

/**
 * Newest first: $1 sites, $2 job, $3 site, $4 node code, $5 statuses, $6 whether held, $7 serial, $8 parent, $9 the one to go
 * on after, $10 rows.
 */
export const tokenList = statement<TokenViewRow>(
  'production.token_list',
  `SELECT ${columns} FROM production.flow_token t ${around}
   WHERE ($1::uuid[] IS NULL OR j.site_id = ANY ($1))
     AND ($2::uuid IS NULL OR i.job_ticket_id = $2)
     AND ($3::uuid IS NULL OR j.site_id = $3)
     AND ($4::text IS NULL OR n.node_code = $4)
     AND ($5::text[] IS NULL OR t.status = ANY ($5))
     AND ($6::boolean IS NULL OR (t.hold_code IS NOT NULL) = $6)
     AND ($7::text IS NULL OR t.serial = $7)
     AND ($8::uuid IS NULL OR t.parent_token_id = $8)
     AND ($9::uuid IS NULL OR t.id < $9)
   ORDER BY t.id DESC LIMIT $10`,
  'each time',
);

export type EventRow = Omit<TokenEventView, 'actor' | 'at' | 'clientTime'> & {
  readonly actorId: string | null;
  readonly at: Date;
  readonly clientTime: Date | null;
};

/** The history of the token $1 from the event $2 on, at most $3. */
export const eventsOfToken = statement<EventRow>(
  'production.events_of_token',
  `SELECT e.id::text AS id, e.type, e.node_id AS "nodeId", n.node_code AS "nodeCode", e.actor_id AS "actorId", e.payload,
          e.event_time AS at, e.client_time AS "clientTime"
   FROM production.token_event e
   LEFT JOIN production.routing_node n ON n.id = e.node_id
   WHERE e.token_id = $1 AND ($2::bigint IS NULL OR e.id > $2)
   ORDER BY e.id LIMIT $3`,
);

type VisitDates = 'admittedAt' | 'firstStartedAt' | 'completedAt' | 'leftAt';

export type VisitRow = Omit<VisitView, VisitDates | 'enteredAt' | 'operator'> &
  Readonly<Record<VisitDates, Date | null>> & { readonly enteredAt: Date; readonly operatorId: string | null };

export const visitsOfToken = statement<VisitRow>(
  'production.visits_of_token',
  `SELECT v.id, v.node_id AS "nodeId", n.node_code AS "nodeCode", v.visit_no AS "visitNo", v.entered_at AS "enteredAt",
          v.admitted_at AS "admittedAt", v.first_started_at AS "firstStartedAt", v.completed_at AS "completedAt",
          v.left_at AS "leftAt", v.wait_seconds::float8 AS "waitSeconds", v.work_seconds::float8 AS "workSeconds",
          v.assist_seconds::float8 AS "assistSeconds", v.pause_seconds::float8 AS "pauseSeconds", v.team_id AS "teamId",
          v.operator_id AS "operatorId", v.outcome, v.estimated_wait_minutes AS "estimatedWaitMinutes"
   FROM production.token_node_visit v JOIN production.routing_node n ON n.id = v.node_id
   WHERE v.token_id = $1 ORDER BY v.entered_at, v.left_at NULLS LAST, v.id`,
);
