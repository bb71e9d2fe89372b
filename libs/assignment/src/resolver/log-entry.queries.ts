import { statement } from '@belay/platform';

/** The entries $1 (a list of objects) of the actor $2 at $3; answers one row for each that was written. */
export const writeLog = statement<{ id: string }>(
  'assignment.write_log',
  `INSERT INTO assignment.assignment_log
     (token_id, node_id, job_ticket_id, assigned_to_type, assigned_to_id, operator_id, method, event, tier, reason_code,
      reason_json, queue_reason, queue_position, estimated_wait_minutes, latency_ms, actor_id, created_at)
   SELECT e."tokenId", e."nodeId", e."jobTicketId", e."assigneeType", e."assigneeId", e."operatorId", e.method, e.event, e.tier,
          e."reasonCode", e.reason, e."queueReason", e."queuePosition", e."estimatedWaitMinutes", e."latencyMs", $2::uuid,
          $3::timestamptz
   FROM jsonb_to_recordset($1::jsonb) AS e (
     "tokenId" uuid, "nodeId" uuid, "jobTicketId" uuid, "assigneeType" text, "assigneeId" uuid, "operatorId" uuid, method text,
     event text, tier text, "reasonCode" text, reason jsonb, "queueReason" text, "queuePosition" integer,
     "estimatedWaitMinutes" integer, "latencyMs" numeric)
   RETURNING id`,
);
