import { statement } from '@belay/platform';

/** What the finding is about now: its token, with the session and assignment that are concerned. $1 type, $2 id. */
export const tokenOfSubject = statement<{ readonly tokenId: string }>(
  'production.token_of_subject',
  `SELECT id AS "tokenId" FROM production.flow_token WHERE $1 = 'token' AND id = $2::uuid
   UNION ALL
   SELECT token_id FROM production.token_work_session WHERE $1 = 'session' AND id = $2::uuid
   UNION ALL
   SELECT token_id FROM production.token_assignment WHERE $1 = 'assignment' AND id = $2::uuid`,
);

/** Arrivals of the token $1 at joins where it does not wait. */
export const removeOrphanArrivals = statement<{ readonly groupId: string }>(
  'production.remove_orphan_arrivals',
  `DELETE FROM production.token_join_arrival a USING production.flow_token t
   WHERE t.id = a.token_id AND a.token_id = $1::uuid AND a.consumed_at IS NULL
     AND (t.status <> 'waiting' OR t.current_node_id <> a.join_node_id)
   RETURNING a.group_id AS "groupId"`,
);

/** Ends at $2 whatever visit of the token $1 is open where it is not. */
export const endStrayVisit = statement(
  'production.end_stray_visit',
  `UPDATE production.token_node_visit v SET left_at = $2::timestamptz, outcome = 'skipped'
   FROM production.flow_token t
   WHERE t.id = v.token_id AND v.token_id = $1::uuid AND v.left_at IS NULL AND v.node_id IS DISTINCT FROM t.current_node_id`,
);

export const closeFinding = statement(
  'production.close_finding',
  `UPDATE production.health_finding SET resolved_at = $2::timestamptz WHERE id = $1::uuid AND resolved_at IS NULL`,
);
