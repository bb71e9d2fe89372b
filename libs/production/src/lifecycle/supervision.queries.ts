import { statement } from '@belay/platform';

export const hasReplacement = statement<{ readonly replaced: boolean }>(
  'production.has_replacement',
  `SELECT EXISTS (SELECT FROM production.flow_token WHERE replaces_token_id = $1) AS replaced`,
);

/** Where the token $1 was last. */
export const lastNodeOf = statement<{ readonly nodeId: string }>(
  'production.last_node_of',
  `SELECT node_id AS "nodeId" FROM production.token_node_visit WHERE token_id = $1
   ORDER BY left_at DESC NULLS FIRST, id DESC LIMIT 1`,
);
