import { statement } from '@belay/platform';
import type { LogEntry } from './log.contract.js';

export interface LogRow extends Omit<LogEntry, 'at' | 'assignedTo' | 'latencyMs'> {
  /** As the database writes it, to the microsecond. */
  readonly at: string;
  readonly assigneeType: 'operator' | 'team' | null;
  readonly assigneeId: string | null;
  readonly latencyMs: string | null;
}

/**
 * Newest first. $1 the sites whose jobs are shown, all when null; $2 method, $3 event, $4 and $5 from and before, $6 token,
 * $7 job, $8 node, $9 team, $10 operator; $11 and $12 the entry to go on after; $13 rows. Planned each time: which months
 * are looked at follows from the values.
 */
export const logList = statement<LogRow>(
  'assignment.log_list',
  `SELECT l.id::text AS id, l.created_at::text AS at, l.event, l.method, l.tier, l.token_id AS "tokenId",
          l.node_id AS "nodeId", l.job_ticket_id AS "jobTicketId", l.assigned_to_type AS "assigneeType",
          l.assigned_to_id AS "assigneeId", l.operator_id AS "operatorId", l.reason_code AS "reasonCode",
          l.reason_json AS reason, l.queue_reason AS "queueReason", l.queue_position AS "queuePosition",
          l.estimated_wait_minutes AS "estimatedWaitMinutes", l.latency_ms AS "latencyMs", l.actor_id AS "actorId"
   FROM assignment.assignment_log l
   WHERE ($1::uuid[] IS NULL OR l.job_ticket_id IS NULL
          OR EXISTS (SELECT FROM production.public_job_ticket j WHERE j.id = l.job_ticket_id AND j.site_id = ANY ($1)))
     AND ($2::text IS NULL OR l.method = $2)
     AND ($3::text IS NULL OR l.event = $3)
     AND ($4::timestamptz IS NULL OR l.created_at >= $4)
     AND ($5::timestamptz IS NULL OR l.created_at < $5)
     AND ($6::uuid IS NULL OR l.token_id = $6)
     AND ($7::uuid IS NULL OR l.job_ticket_id = $7)
     AND ($8::uuid IS NULL OR l.node_id = $8)
     AND ($9::uuid IS NULL OR l.assigned_to_type = 'team' AND l.assigned_to_id = $9)
     AND ($10::uuid IS NULL OR l.operator_id = $10)
     AND ($11::timestamptz IS NULL OR (l.created_at, l.id) < ($11, $12::bigint))
   ORDER BY l.created_at DESC, l.id DESC LIMIT $13`,
  'each time',
);

/** Makes the tables of the months from that of $1 on, $2 of them. */
export const makeLogMonths = statement<{ made: number }>(
  'assignment.make_log_months',
  `SELECT assignment.make_log_months($1::date, $2) AS made`,
);

/** Entries of the months that were over before the day $1 go. */
export const dropLogBefore = statement<{ dropped: number }>(
  'assignment.drop_log_before',
  `SELECT assignment.drop_log_before($1::date) AS dropped`,
);
