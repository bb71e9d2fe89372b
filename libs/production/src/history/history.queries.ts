import { statement } from '@belay/platform';

export const ticketOfCode = statement<{ readonly id: string; readonly siteId: string }>(
  'production.ticket_of_code',
  `SELECT id, site_id AS "siteId" FROM production.job_ticket WHERE code = $1`,
);

/** Every month from $1 to $2 has a table for its events. */
export const openMonthsBetween = statement(
  'production.open_months_between',
  `SELECT production.open_event_month(month)
   FROM generate_series(date_trunc('month', $1::timestamptz, 'UTC'), $2::timestamptz, interval '1 month') AS month`,
);

/**
 * A job that is over, with its one attempt and its one token: $1 ticket, $2 instance, $3 token, $4 the facts of the job as
 * a document, $5 when it began and $6 when it ended, $7 how often it was sent back.
 */
export const insertPastJob = statement(
  'production.insert_past_job',
  `WITH job AS MATERIALIZED (
     SELECT * FROM jsonb_to_record($4::jsonb) AS j
       (code text, "siteId" uuid, "graphVersionId" uuid, line text, sku text, "productName" text, "targetQty" numeric)),
   ticket AS (
     INSERT INTO production.job_ticket
       (id, code, site_id, line, process_mode, execution, sku, product_name, target_qty, graph_version_id, status, started_at,
        completed_at)
     SELECT $1::uuid, code, "siteId", line, 'batch', 'tokens', sku, "productName", "targetQty", "graphVersionId", 'completed',
            $5::timestamptz, $6::timestamptz
     FROM job),
   instance AS (
     INSERT INTO production.job_graph_instance (id, job_ticket_id, graph_version_id, attempt_no, spawned_at, status)
     SELECT $2::uuid, $1::uuid, "graphVersionId", 1, $5::timestamptz, 'completed' FROM job)
   INSERT INTO production.flow_token
     (id, instance_id, token_type, status, qty, rework_count, spawn_seq, spawned_at, first_spawned_at, completed_at)
   SELECT $3::uuid, $2::uuid, 'batch', 'completed', "targetQty", $7::integer, 1, $5::timestamptz, $5::timestamptz, $6::timestamptz
   FROM job`,
);

const visitColumns = `(id uuid, "sessionId" uuid, "nodeId" uuid, "visitNo" integer, "operatorId" uuid, kind text,
  "enteredAt" timestamptz, "startedAt" timestamptz, "endedAt" timestamptz, outcome text, result jsonb)`;

/** The visits $2 of the token $1, each with the session in which its work was done. */
export const insertPastVisits = statement(
  'production.insert_past_visits',
  `WITH past AS MATERIALIZED (
     SELECT v.*, extract(epoch FROM v."endedAt" - v."startedAt") AS seconds, v.kind = 'breakdown' AS idle
     FROM jsonb_to_recordset($2::jsonb) AS v ${visitColumns}),
   visit AS (
     INSERT INTO production.token_node_visit
       (id, token_id, node_id, visit_no, entered_at, admitted_at, first_started_at, completed_at, left_at, wait_seconds,
        work_seconds, pause_seconds, operator_id, qc_result, outcome)
     SELECT id, $1::uuid, "nodeId", "visitNo", "enteredAt", "enteredAt", "startedAt", "endedAt", "endedAt",
            extract(epoch FROM "startedAt" - "enteredAt"), CASE WHEN idle THEN 0 ELSE seconds END,
            CASE WHEN idle THEN seconds ELSE 0 END, "operatorId", result, outcome
     FROM past)
   INSERT INTO production.token_work_session
     (id, token_id, node_id, operator_id, help_type, status, started_at, ended_at, work_seconds, pause_seconds, pause_count,
      pause_reason)
   SELECT "sessionId", $1::uuid, "nodeId", "operatorId", 'own', 'completed', "startedAt", "endedAt",
          CASE WHEN idle THEN 0 ELSE seconds END, CASE WHEN idle THEN seconds ELSE 0 END, idle::integer,
          CASE WHEN idle THEN 'breakdown' END
   FROM past`,
);

/** What happened in the visits $2 to the token $1, in the order in which it did. $3 is the request. */
export const insertPastEvents = statement(
  'production.insert_past_events',
  `WITH past AS MATERIALIZED (
     SELECT v.*, row_number() OVER () AS no FROM jsonb_to_recordset($2::jsonb) AS v ${visitColumns}),
   happened AS (
     SELECT "nodeId", type, at, no, step, actor, payload, status
     FROM past
     CROSS JOIN LATERAL (VALUES
       (CASE WHEN no = 1 THEN 'TOKEN_CREATE' END, "enteredAt", 0, NULL::uuid, '{"imported": true}'::jsonb, 'ready'),
       ('NODE_ENTER', "enteredAt", 1, NULL, '{}', 'ready'),
       ('NODE_START', "startedAt", 2, "operatorId", jsonb_build_object('kind', kind), 'active'),
       ('NODE_COMPLETE', "endedAt", 3, "operatorId", coalesce(result, '{}'), 'ready'),
       (CASE WHEN outcome = 'reworked' THEN 'REWORK' END, "endedAt", 4, NULL, '{}', 'ready'),
       ('NODE_LEAVE', "endedAt", 5, NULL, '{}', 'ready')) AS e (type, at, step, actor, payload, status)
     WHERE type IS NOT NULL),
   -- As everywhere, an event says what the token was from then on; the last one ended it.
   told AS (SELECT h.*, row_number() OVER (ORDER BY at DESC, no DESC, step DESC) = 1 AS is_last FROM happened h)
   INSERT INTO production.token_event (token_id, node_id, type, actor_id, payload, request_id, event_time)
   SELECT $1::uuid, "nodeId", type, actor,
          payload || jsonb_build_object('status', CASE WHEN is_last THEN 'completed' ELSE status END), $3, at
   FROM told ORDER BY at, no, step`,
);
