import { statement } from '@belay/platform';
import type { TokenStatus } from './token.rules.js';

export interface GroupRow {
  readonly id: string;
  readonly parentId: string;
  readonly splitNodeId: string;
  readonly kind: 'COMPONENT' | 'FORK';
  readonly joinNodeId: string | null;
  readonly mergedAt: Date | null;
  readonly timedOutAt: Date | null;
  readonly createdAt: Date;
  readonly children: readonly ChildRow[];
}

export interface ChildRow {
  readonly id: string;
  readonly branchKey: string;
  readonly branchNo: number;
  readonly status: TokenStatus;
  readonly nodeId: string | null;
  readonly qty: number;
  readonly component: string | null;
  readonly replacesTokenId: string | null;
  readonly mergedInto: string | null;
  /** Joins that it has come to, with when that was. */
  readonly arrivals: readonly { readonly joinNodeId: string; readonly at: string; readonly outcome: string | null }[];
}

/** The groups $1 with all their children. */
export const groupsById = statement<GroupRow>(
  'production.groups_by_id',
  `SELECT g.id, g.parent_token_id AS "parentId", g.split_node_id AS "splitNodeId", g.kind, g.join_node_id AS "joinNodeId",
          g.merged_at AS "mergedAt", g.timed_out_at AS "timedOutAt", g.created_at AS "createdAt", c.children
   FROM production.token_parallel_group g
   CROSS JOIN LATERAL (
     SELECT coalesce(jsonb_agg(jsonb_build_object(
              'id', t.id, 'branchKey', t.branch_key, 'branchNo', t.branch_no, 'status', t.status,
              'nodeId', t.current_node_id, 'qty', t.qty, 'component', t.metadata->>'component', 'replacesTokenId', t.replaces_token_id,
              'mergedInto', t.merged_into_token_id,
              'arrivals', (SELECT coalesce(jsonb_agg(jsonb_build_object('joinNodeId', a.join_node_id, 'at', a.arrived_at,
                                                                        'outcome', a.outcome)), '[]')
                           FROM production.token_join_arrival a WHERE a.token_id = t.id))
            ORDER BY t.branch_key, t.branch_no, t.id), '[]') AS children
     FROM production.flow_token t WHERE t.parallel_group_id = g.id) c
   WHERE g.id = ANY ($1::uuid[])
   ORDER BY g.id`,
);

/**
 * Notes that tokens have come to joins, each once, while the rows of their groups are locked: $1 a list of {groupId,
 * joinNodeId, branchKey, branchNo, tokenId}, $2 the time.
 */
export const noteArrivals = statement(
  'production.note_arrivals',
  `WITH arrival AS MATERIALIZED (
     SELECT * FROM jsonb_to_recordset($1::jsonb) AS a
       ("groupId" uuid, "joinNodeId" uuid, "branchKey" text, "branchNo" integer, "tokenId" uuid)),
   held AS MATERIALIZED (
     SELECT g.id FROM production.token_parallel_group g WHERE g.id IN (SELECT "groupId" FROM arrival)
     ORDER BY g.id FOR UPDATE)
   INSERT INTO production.token_join_arrival (group_id, join_node_id, branch_key, branch_no, token_id, arrived_at)
   SELECT a."groupId", a."joinNodeId", a."branchKey", a."branchNo", a."tokenId", $2::timestamptz
   FROM arrival a JOIN held ON held.id = a."groupId"
   ON CONFLICT DO NOTHING`,
);

/** Merges groups, once for all: $1 groups, $2 the join of each, $3 the time. Answers those that were open. */
export const mergeGroups = statement<{ readonly id: string }>(
  'production.merge_groups',
  `WITH merged AS (
     UPDATE production.token_parallel_group g SET merged_at = $3::timestamptz, join_node_id = m.join_node_id
     FROM unnest($1::uuid[], $2::uuid[]) AS m (id, join_node_id)
     WHERE g.id = m.id AND g.merged_at IS NULL
     RETURNING g.id, g.join_node_id),
   used AS (
     UPDATE production.token_join_arrival a SET consumed_at = $3::timestamptz, outcome = 'merged'
     FROM merged m WHERE a.group_id = m.id AND a.join_node_id = m.join_node_id AND a.consumed_at IS NULL)
   SELECT id FROM merged ORDER BY id`,
);

/** Ends the group $1 that waited too long, with all that has arrived; $2 is the time. Answers it if it was open. */
export const timeOutGroup = statement<{ readonly id: string }>(
  'production.time_out_group',
  `WITH over AS (
     UPDATE production.token_parallel_group SET timed_out_at = $2::timestamptz, merged_at = $2::timestamptz
     WHERE id = $1 AND merged_at IS NULL RETURNING id),
   used AS (
     UPDATE production.token_join_arrival a SET consumed_at = $2::timestamptz, outcome = 'timeout'
     FROM over WHERE a.group_id = over.id AND a.consumed_at IS NULL)
   SELECT id FROM over`,
);

/** Forgets that the tokens $1 wait at a join: they were scrapped. */
export const forgetArrivals = statement(
  'production.forget_arrivals',
  `DELETE FROM production.token_join_arrival WHERE token_id = ANY ($1::uuid[]) AND consumed_at IS NULL`,
);

/** How often each of the tokens $1 has been at the node $2 of the same row. */
export const visitsOfNodes = statement<{ readonly tokenId: string; readonly visits: number }>(
  'production.visits_of_nodes',
  `SELECT a.token_id AS "tokenId", count(v.id)::integer AS visits
   FROM unnest($1::uuid[], $2::uuid[]) AS a (token_id, node_id)
   LEFT JOIN production.token_node_visit v ON v.token_id = a.token_id AND v.node_id = a.node_id
   GROUP BY a.token_id, a.node_id`,
);

/** How often the single pieces of the instance $1 went along each edge of the split node $2. */
export const sentAlong = statement<{ readonly edgeId: string; readonly times: number }>(
  'production.sent_along',
  `SELECT e.edge_id AS "edgeId", count(*)::integer AS times
   FROM production.flow_token t
   CROSS JOIN LATERAL jsonb_array_elements_text(t.metadata->'sent'->($2::text)) AS e (edge_id)
   WHERE t.instance_id = $1 AND jsonb_typeof(t.metadata->'sent'->($2::text)) = 'array'
   GROUP BY 1`,
);

/** How many tokens wait for others at a join. */
export const waitingAtJoins = statement<{ readonly tokens: number }>(
  'production.count_waiting_at_joins',
  `SELECT count(*)::integer AS tokens FROM production.token_parallel_group g
   JOIN production.token_join_arrival a ON a.group_id = g.id AND a.consumed_at IS NULL
   WHERE g.merged_at IS NULL`,
);
