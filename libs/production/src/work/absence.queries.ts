import { statement } from '@belay/platform';

/** Tokens that the operator $1 has, or works on now. */
export const tokensOfOperator = statement<{ readonly tokenId: string }>(
  'production.tokens_of_operator',
  `SELECT token_id AS "tokenId" FROM production.token_assignment
   WHERE operator_id = $1::uuid AND status IN ('assigned', 'accepted')
   UNION
   SELECT token_id FROM production.token_work_session WHERE operator_id = $1::uuid AND status = 'active'`,
);

/** Tokens that a plan is about and that nobody has begun: $1 token, $2 job, $3 graph, $4 node code; $5 only what nobody has. */
export const tokensOfPlan = statement<{ readonly tokenId: string }>(
  'production.tokens_of_plan',
  `SELECT t.id AS "tokenId"
   FROM production.flow_token t
   JOIN production.job_graph_instance i ON i.id = t.instance_id AND i.status = 'active'
   JOIN production.routing_graph_version v ON v.id = i.graph_version_id
   JOIN production.routing_node n ON n.id = t.current_node_id
   LEFT JOIN production.token_assignment a ON a.token_id = t.id AND a.status IN ('assigned', 'accepted', 'started', 'paused')
   WHERE t.status IN ('ready', 'waiting') AND t.hold_code IS NULL
     AND ($1::uuid IS NULL OR t.id = $1) AND ($2::uuid IS NULL OR i.job_ticket_id = $2)
     AND ($3::uuid IS NULL OR v.graph_id = $3) AND ($4::text IS NULL OR n.node_code = $4)
     AND (a.id IS NULL OR (NOT $5 AND a.status IN ('assigned', 'accepted') AND a.method NOT IN ('MANUAL', 'REASSIGN')))
   ORDER BY t.id`,
  'each time',
);
