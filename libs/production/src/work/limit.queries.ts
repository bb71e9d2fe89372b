import { statement } from '@belay/platform';

/** The parameters $1 to $5 of every statement about scopes: key, work centre, graph, node code, instance; see `scopeColumns`. */
const asked = `
  asked AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[])
      AS s (key, work_center_id, graph_id, node_code, instance_id))`;

/** The nodes, of whatever version, whose tokens count in a scope. */
export const nodesOfScope = (scope: string) => `(
  SELECT n.id FROM production.routing_node n WHERE n.work_center_id = ${scope}.work_center_id
  UNION ALL
  SELECT n.id FROM production.routing_node n
  JOIN production.routing_graph_version v ON v.id = n.graph_version_id
  WHERE v.graph_id = ${scope}.graph_id AND n.node_code = ${scope}.node_code AND n.work_center_id IS NULL)`;

/** What the scopes that are asked about allow, in the order of their keys. */
const limited = `
  limited AS MATERIALIZED (
    SELECT s.*, coalesce(w.concurrency_limit, l.concurrency_limit) AS concurrency, coalesce(w.wip_limit, l.wip_limit) AS wip,
           coalesce(w.queue_limit, l.queue_limit) AS queue
    FROM asked s
    LEFT JOIN production.work_center w ON w.id = s.work_center_id
    LEFT JOIN production.node_limit l ON l.graph_id = s.graph_id AND l.node_code = s.node_code
    ORDER BY s.key)`;
const hasLimit = `(concurrency IS NOT NULL OR wip IS NOT NULL OR queue IS NOT NULL)`;

export interface ScopeLimits {
  readonly key: string;
  readonly concurrency: number | null;
  readonly wip: number | null;
  readonly queue: number | null;
}

/**
 * The limits of the scopes, which are locked until the transaction ends, in the order of their keys; those without any
 * limit are left out and not locked, unless $6.
 */
export const lockScopes = statement<ScopeLimits>(
  'production.lock_scopes',
  `WITH ${asked}, ${limited}
   SELECT key, concurrency, wip, queue, pg_advisory_xact_lock(hashtextextended('production.scope ' || key, 0))::text AS held
   FROM limited WHERE $6 OR ${hasLimit}`,
);

export interface ScopeOccupancy {
  readonly key: string;
  readonly started: number;
  readonly admitted: number;
  readonly waiting: number;
  readonly queued: number;
}

/** What there is in a scope, the tokens $6 not counted. */
const present = (scope: string) => `
   CROSS JOIN LATERAL (
     SELECT count(*) FILTER (WHERE t.status IN ('ready', 'active', 'paused'))::integer AS admitted,
            count(*) FILTER (WHERE t.status = 'waiting' AND t.queue_reason NOT IN ('JOIN_WAIT', 'WAIT_CONDITION'))::integer
              AS waiting,
            count(*) FILTER (WHERE t.status = 'waiting' AND t.queue_reason IN ('WIP_LIMIT', 'CONCURRENCY_LIMIT', 'QUEUE_LIMIT'))::integer
              AS queued
     FROM ${nodesOfScope(scope)} n
     JOIN production.flow_token t ON t.current_node_id = n.id AND t.status IN ('ready', 'waiting', 'active', 'paused')
     WHERE (${scope}.instance_id IS NULL OR t.instance_id = ${scope}.instance_id) AND t.id <> ALL ($6::uuid[])) t
   CROSS JOIN LATERAL (
     SELECT count(*)::integer AS started
     FROM ${nodesOfScope(scope)} n
     JOIN production.token_assignment a ON a.node_id = n.id AND a.status = 'started'
     JOIN production.flow_token t ON t.id = a.token_id
     WHERE (${scope}.instance_id IS NULL OR t.instance_id = ${scope}.instance_id) AND t.id <> ALL ($6::uuid[])) a`;

/** What there is in the scopes, the tokens $6 not counted. Only under the scopes' locks is it still so afterwards. */
export const occupancyOf = statement<ScopeOccupancy>(
  'production.occupancy_of_scopes',
  `WITH ${asked}
   SELECT s.key, a.started, t.admitted, t.waiting, t.queued FROM asked s ${present('s')}`,
);

/**
 * What the scopes allow and what there is in them, the tokens $6 not counted, without a lock; those without any limit are
 * left out, unless $7.
 */
export const roomsOf = statement<ScopeLimits & ScopeOccupancy>(
  'production.rooms_of_scopes',
  `WITH ${asked}, ${limited}
   SELECT s.key, s.concurrency, s.wip, s.queue, a.started, t.admitted, t.waiting, t.queued
   FROM (SELECT * FROM limited WHERE $7 OR ${hasLimit}) s ${present('s')}`,
);

/**
 * Announces that somebody may be let in, for those scopes that have a limit: elsewhere nobody waits for a place. $6 says
 * for all, whether they have one or not.
 */
export const announceWake = statement<{ key: string }>(
  'production.announce_wake',
  `WITH ${asked}
   INSERT INTO platform.outbox (name, body, domain, request_id, actor)
   SELECT 'production.queue-wake', jsonb_build_object('scope', s.key), 'production',
          nullif(current_setting('belay.request_id', true), ''), nullif(current_setting('belay.actor', true), '')
   FROM asked s
   LEFT JOIN production.work_center w ON w.id = s.work_center_id
   LEFT JOIN production.node_limit l ON l.graph_id = s.graph_id AND l.node_code = s.node_code
   WHERE $6 OR coalesce(w.concurrency_limit, w.wip_limit, w.queue_limit, l.concurrency_limit, l.wip_limit, l.queue_limit)
               IS NOT NULL
   ORDER BY s.key
   RETURNING body->>'scope' AS key`,
);
