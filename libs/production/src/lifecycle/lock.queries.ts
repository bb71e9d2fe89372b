import { statement } from '@belay/platform';
import type { HoldCode, QueueReason, TokenStatus } from './token.rules.js';

export interface JobRow {
  readonly ticketId: string;
  readonly code: string;
  readonly siteId: string;
  readonly line: 'atelier' | 'oem' | 'hybrid';
  readonly processMode: 'piece' | 'batch';
  readonly execution: 'tokens' | 'stations';
  readonly sku: string | null;
  readonly targetQty: number;
  readonly jobPriority: number;
  readonly dueAt: Date | null;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly jobStatus: 'planned' | 'in_progress' | 'completed' | 'cancelled';
  readonly jobRowVersion: number;
  /** The version that the ticket is pinned to; that of the instance is the same. */
  readonly versionId: string;
  readonly graphId: string;
  /** Null while nothing was started. The newest, whatever its state. */
  readonly instanceId: string | null;
  readonly instanceStatus: 'active' | 'paused' | 'completed' | 'cancelled' | 'archived' | null;
  readonly attemptNo: number | null;
  readonly instanceSpawnedAt: Date | null;
}

export interface TokenRow {
  readonly id: string;
  readonly type: 'batch' | 'piece' | 'component';
  readonly serial: string | null;
  readonly serialRev: number;
  readonly parentId: string | null;
  readonly groupId: string | null;
  readonly branchKey: string | null;
  readonly branchNo: number | null;
  /** Null when it is terminal. */
  readonly nodeId: string | null;
  readonly status: TokenStatus;
  readonly holdCode: HoldCode | null;
  readonly qty: number;
  readonly reworkCount: number;
  readonly reworkLimit: number | null;
  readonly priority: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly qcResult: Readonly<Record<string, unknown>> | null;
  readonly queueReason: QueueReason | null;
  readonly queueEnteredAt: Date | null;
  readonly spawnSeq: number | null;
  readonly replacesTokenId: string | null;
  readonly spawnedAt: Date;
  readonly firstSpawnedAt: Date;
  readonly rowVersion: number;
}

const tokenColumns = `t.id, t.token_type AS type, t.serial, t.serial_rev AS "serialRev",
  t.parent_token_id AS "parentId", t.parallel_group_id AS "groupId", t.branch_key AS "branchKey",
  t.branch_no AS "branchNo", t.current_node_id AS "nodeId", t.status, t.hold_code AS "holdCode", t.qty::float8 AS qty,
  t.rework_count AS "reworkCount", t.rework_limit AS "reworkLimit", t.priority, t.metadata, t.qc_result AS "qcResult",
  t.queue_reason AS "queueReason", t.queue_entered_at AS "queueEnteredAt", t.spawn_seq AS "spawnSeq",
  t.replaces_token_id AS "replacesTokenId", t.spawned_at AS "spawnedAt", t.first_spawned_at AS "firstSpawnedAt",
  t.row_version AS "rowVersion"`;

const jobColumns = `j.id AS "ticketId", j.code, j.site_id AS "siteId", j.line, j.process_mode AS "processMode", j.execution,
  j.sku, j.target_qty::float8 AS "targetQty", j.priority AS "jobPriority", j.due_at AS "dueAt", j.attributes,
  j.status AS "jobStatus", j.row_version AS "jobRowVersion", j.graph_version_id AS "versionId", v.graph_id AS "graphId", i.id AS "instanceId",
  i.status AS "instanceStatus", i.attempt_no AS "attemptNo", i.spawned_at AS "instanceSpawnedAt"`;

const now = (given: string) => `coalesce(${given}::timestamptz, date_trunc('milliseconds', clock_timestamp())) AS at`;

const lockJobsOf = (mode: 'NO KEY UPDATE' | 'SHARE') => `
  SELECT j.id FROM production.job_ticket j
  WHERE j.id IN (SELECT i.job_ticket_id FROM production.flow_token t
                 JOIN production.job_graph_instance i ON i.id = t.instance_id
                 WHERE t.id = ANY ($1::uuid[]))
  ORDER BY j.id FOR ${mode}`;

/**
 * Locks the job tickets of the tokens $1. Whoever changes an instance holds its ticket alone, so that both are as they are
 * read after this.
 */
export const lockJobs = {
  route: statement<{ readonly id: string }>('production.lock_jobs_to_route', lockJobsOf('NO KEY UPDATE')),
  work: statement<{ readonly id: string }>('production.lock_jobs_to_work', lockJobsOf('SHARE')),
};

export const lockTicket = statement<{ readonly id: string }>(
  'production.lock_ticket',
  `SELECT id FROM production.job_ticket WHERE id = $1 FOR NO KEY UPDATE`,
);

/** The ticket $1 with its newest instance, and what time it is; $2 is the time to say instead. */
export const jobOfTicket = statement<JobRow & { readonly at: Date }>(
  'production.job_of_ticket',
  `SELECT ${jobColumns}, ${now('$2')}
   FROM production.job_ticket j
   JOIN production.routing_graph_version v ON v.id = j.graph_version_id
   LEFT JOIN LATERAL (
     SELECT * FROM production.job_graph_instance i WHERE i.job_ticket_id = j.id ORDER BY i.attempt_no DESC LIMIT 1) i
     ON true
   WHERE j.id = $1`,
);

export const timeNow = statement<{ readonly at: Date }>('production.time_now', `SELECT ${now('$1')}`);

/**
 * Locks the tokens $1 after their parallel groups, in the order of their ids, and says what time it is then; $2 is the time
 * to say instead.
 */
export const lockTokens = statement<TokenRow & JobRow & { readonly instanceId: string; readonly at: Date }>(
  'production.lock_tokens',
  `WITH held_group AS MATERIALIZED (
     SELECT g.id FROM production.token_parallel_group g
     WHERE g.id IN (SELECT parallel_group_id FROM production.flow_token WHERE id = ANY ($1::uuid[]))
     ORDER BY g.id FOR UPDATE),
   held AS MATERIALIZED (
     SELECT t.* FROM production.flow_token t
     WHERE t.id = ANY ($1::uuid[]) AND (SELECT count(*) FROM held_group) >= 0
     ORDER BY t.id FOR UPDATE)
   SELECT ${tokenColumns}, ${jobColumns}, ${now('$2')}
   FROM held t
   JOIN production.job_graph_instance i ON i.id = t.instance_id
   JOIN production.job_ticket j ON j.id = i.job_ticket_id
   JOIN production.routing_graph_version v ON v.id = i.graph_version_id
   ORDER BY t.id`,
);
