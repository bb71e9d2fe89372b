import { statement } from '@belay/platform';

/** Who worked on the token $1 last, elsewhere than at the node $2. */
export const lastWorker = statement<{ readonly operatorId: string }>(
  'production.last_worker',
  `SELECT operator_id AS "operatorId" FROM production.token_work_session
   WHERE token_id = $1 AND node_id <> $2 AND help_type <> 'assist'
   ORDER BY started_at DESC, id DESC LIMIT 1`,
);
