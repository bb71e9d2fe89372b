import { statement } from '@belay/platform';

/** The tokens of the instance $1 are there since $2. */
export const markSpawned = statement(
  'production.mark_spawned',
  `UPDATE production.job_graph_instance SET spawned_at = $2 WHERE id = $1 AND spawned_at IS NULL`,
);

/** How many top-level tokens the instance $1 was given. */
export const spawnedTokens = statement<{ readonly tokens: number }>(
  'production.spawned_tokens',
  `SELECT count(*)::integer AS tokens FROM production.flow_token WHERE instance_id = $1 AND spawn_seq IS NOT NULL`,
);

/** What lives of the instance $1. */
export const liveTokens = statement<{ readonly id: string }>(
  'production.live_tokens',
  `SELECT id FROM production.flow_token
   WHERE instance_id = $1 AND status IN ('ready', 'waiting', 'active', 'paused') ORDER BY id`,
);

/** Parts, and parts of parts, that the tokens $1 wait for. */
export const livePartsOf = statement<{ readonly id: string }>(
  'production.live_parts_of',
  `WITH RECURSIVE part AS (
     SELECT id, status FROM production.flow_token WHERE parent_token_id = ANY ($1::uuid[]) AND token_type = 'component'
     UNION
     SELECT t.id, t.status FROM production.flow_token t JOIN part p ON t.parent_token_id = p.id)
   SELECT id FROM part WHERE status IN ('ready', 'waiting', 'active', 'paused') ORDER BY id`,
);
