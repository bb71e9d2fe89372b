import { statement } from '@belay/platform';

/** The attempt of the job $1 that was begun last. */
export const newestInstance = statement<{ readonly id: string; readonly attemptNo: number; readonly status: string }>(
  'production.newest_instance',
  `SELECT id, attempt_no AS "attemptNo", status FROM production.job_graph_instance
   WHERE job_ticket_id = $1 ORDER BY attempt_no DESC LIMIT 1`,
);

/** The job $1 runs from $2 on, or again. */
export const beginJob = statement(
  'production.begin_job',
  `UPDATE production.job_ticket
   SET status = 'in_progress', started_at = coalesce(started_at, $2::timestamptz), cancelled_at = NULL, cancel_reason = NULL
   WHERE id = $1 AND status IN ('planned', 'cancelled')`,
);

/** $1 id of the next attempt at the job $2. */
export const beginAttempt = statement(
  'production.begin_attempt',
  `INSERT INTO production.job_graph_instance (id, job_ticket_id, graph_version_id, attempt_no)
   SELECT $1, j.id, j.graph_version_id,
          1 + coalesce((SELECT max(attempt_no) FROM production.job_graph_instance i WHERE i.job_ticket_id = j.id), 0)
   FROM production.job_ticket j WHERE j.id = $2`,
);

/** The attempt $1 becomes $3 if it is $2. */
export const changeAttempt = statement<{ readonly id: string }>(
  'production.change_attempt',
  `UPDATE production.job_graph_instance SET status = $3 WHERE id = $1 AND status = $2 RETURNING id`,
);

/** What was begun of the job $1 is over and is never used again. */
export const archiveAttempts = statement(
  'production.archive_attempts',
  `UPDATE production.job_graph_instance SET status = 'archived' WHERE job_ticket_id = $1 AND status IN ('active', 'paused')`,
);

export const cancelJob = statement(
  'production.cancel_job',
  `UPDATE production.job_ticket SET status = 'cancelled', cancelled_at = $2, cancel_reason = $3 WHERE id = $1`,
);

/** The job $1 and the attempt $2 are done at $3. */
export const completeJob = statement(
  'production.complete_job',
  `WITH attempt AS (UPDATE production.job_graph_instance SET status = 'completed' WHERE id = $2)
   UPDATE production.job_ticket SET status = 'completed', completed_at = $3::timestamptz WHERE id = $1`,
);

/** How many of the attempt $1 live, and how many top-level tokens it has. */
export const tokenCounts = statement<{ readonly live: number; readonly topLevel: number }>(
  'production.token_counts',
  `SELECT (count(*) FILTER (WHERE status IN ('ready', 'waiting', 'active', 'paused')))::integer AS live,
          (count(*) FILTER (WHERE spawn_seq IS NOT NULL))::integer AS "topLevel"
   FROM production.flow_token WHERE instance_id = $1`,
);

/** What the finding `job-short` said of the job $1 is settled at $2, and why. */
export const settleShort = statement(
  'production.settle_short',
  `UPDATE production.health_finding
   SET resolved_at = $2::timestamptz, detail = detail || jsonb_build_object('closedShort', $3::text)
   WHERE kind = 'job-short' AND subject_id = $1 AND resolved_at IS NULL`,
);

/** Why the rest of the transaction is done, for the audit log. */
export const noteReason = statement('production.note_reason', `SELECT set_config('belay.reason', $1, true)`);
