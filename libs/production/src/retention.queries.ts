import { statement } from '@belay/platform';

/**
 * Attempts that have ended, with all of their tokens: whole ones only, because what was scrapped still says what is missing
 * while the job runs. An attempt is kept for $1 days after its last token ended, or $2 when all were scrapped, and counts
 * from when it was written here if that was later. At most $3, which nobody else is at.
 */
export const endedAttempts = statement<{ readonly id: string }>(
  'production.ended_attempts',
  `SELECT i.id FROM production.job_graph_instance i
   CROSS JOIN LATERAL (
     SELECT bool_and(t.status IN ('completed', 'scrapped', 'merged', 'consumed')) AS ended,
            bool_and(t.status = 'scrapped') AS scrapped,
            max(greatest(t.created_at, t.completed_at,
                         (SELECT max(v.left_at) FROM production.token_node_visit v WHERE v.token_id = t.id))) AS at
     FROM production.flow_token t WHERE t.instance_id = i.id) last
   WHERE i.status IN ('completed', 'cancelled', 'archived') AND last.ended
     AND last.at < now() - make_interval(days => CASE WHEN last.scrapped THEN $2::integer ELSE $1::integer END)
   ORDER BY i.id LIMIT $3 FOR NO KEY UPDATE OF i SKIP LOCKED`,
);

/** Takes the tokens of the attempts $1 away with all that belongs to them, and keeps them in the archive. */
export const archiveTokens = statement<{ readonly tokens: number }>(
  'production.archive_tokens',
  `WITH token AS MATERIALIZED (SELECT id FROM production.flow_token WHERE instance_id = ANY ($1::uuid[])),
   held AS MATERIALIZED (SELECT id FROM production.token_parallel_group WHERE parent_token_id IN (SELECT id FROM token)),
   arrival AS (DELETE FROM production.token_join_arrival WHERE group_id IN (SELECT id FROM held)),
   visit AS (DELETE FROM production.token_node_visit WHERE token_id IN (SELECT id FROM token) RETURNING *),
   kept_visit AS (INSERT INTO production.token_node_visit_archive SELECT now(), * FROM visit),
   session AS (DELETE FROM production.token_work_session WHERE token_id IN (SELECT id FROM token) RETURNING *),
   kept_session AS (INSERT INTO production.token_work_session_archive SELECT now(), * FROM session),
   assignment AS (DELETE FROM production.token_assignment WHERE token_id IN (SELECT id FROM token) RETURNING *),
   kept_assignment AS (INSERT INTO production.token_assignment_archive SELECT now(), * FROM assignment),
   parallel AS (DELETE FROM production.token_parallel_group WHERE id IN (SELECT id FROM held) RETURNING *),
   kept_parallel AS (INSERT INTO production.token_parallel_group_archive SELECT now(), * FROM parallel),
   gone AS (DELETE FROM production.flow_token WHERE id IN (SELECT id FROM token) RETURNING *),
   kept AS (INSERT INTO production.flow_token_archive SELECT now(), * FROM gone)
   SELECT count(*)::integer AS tokens FROM gone`,
);

/**
 * What came to a join, and was merged more than $1 days ago; at most $2 at a time. Of groups that still have tokens on their
 * way it stays: by it is known who went on for them.
 */
export const forgetArrivalsBefore = statement<{ readonly id: string }>(
  'production.forget_old_arrivals',
  `DELETE FROM production.token_join_arrival
   WHERE (group_id, join_node_id, branch_key, branch_no) IN (
     SELECT group_id, join_node_id, branch_key, branch_no FROM production.token_join_arrival a
     WHERE consumed_at < now() - make_interval(days => $1::integer)
       AND NOT EXISTS (SELECT FROM production.flow_token t
                       WHERE t.parallel_group_id = a.group_id AND t.status IN ('ready', 'waiting', 'active', 'paused'))
     LIMIT $2)
   RETURNING token_id AS id`,
);

const forget = (table: string) =>
  statement<{ readonly id: string }>(
    `production.forget_${table}`,
    `DELETE FROM production.${table}
     WHERE id IN (SELECT id FROM production.${table} WHERE archived_at < now() - interval '3 years' LIMIT $1)
     RETURNING id`,
  );

/** What has been in the archive for three years; at most $1 of each at a time. */
export const forgetArchived = [
  forget('token_node_visit_archive'),
  forget('token_work_session_archive'),
  forget('token_assignment_archive'),
  forget('token_parallel_group_archive'),
  forget('flow_token_archive'),
];

/** Months of events that are older than three years, and were not written later than that. */
export const dropOldEvents = statement<{ readonly months: number }>(
  'production.drop_old_events',
  `SELECT production.drop_old_events() AS months`,
);

/** This month and the next two have a table each for their events. */
export const openMonths = statement(
  'production.open_months',
  `SELECT production.open_event_month(now() + make_interval(months => n)) FROM generate_series(0, 2) AS n`,
);
