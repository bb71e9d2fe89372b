import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { inTransaction } from '@belay/platform';
import Fastify from 'fastify';
import pg from 'pg';
import { lockJobs, lockTokens } from '../../../libs/production/src/lifecycle/lock.queries.js';
import { writeTokens } from '../../../libs/production/src/lifecycle/token-write.queries.js';
import {
  endOpenAssignments,
  insertAssignments,
  lockOpenAssignments,
} from '../../../libs/production/src/work/assignment.queries.js';
import { teamsOfOperator } from '../../../libs/production/src/work/claim.queries.js';
import { announceWake, lockScopes } from '../../../libs/production/src/work/limit.queries.js';
import {
  endSessionsOfTokens,
  insertSession,
  lockOpenSessions,
} from '../../../libs/production/src/work/session.queries.js';

/**
 * The floor that steps are measured against: the statements of a start and of a completion, named, on a pool of the same
 * size, behind Fastify; nobody signs in, nothing is checked, and the way of the tokens is known. Arguments: the database's
 * URL, connections in the pool.
 */
const [, , url, connections] = process.argv;
const pool = new pg.Pool({ connectionString: url, max: Number(connections) });
const server = Fastify();
const ways = await pool.query<{ from: string; to: string; graph: string; code: string; type: string }>(
  `SELECT e.from_node_id AS from, e.to_node_id AS to, v.graph_id AS graph, n.node_code AS code, t.node_type AS type
   FROM production.routing_edge e
   JOIN production.routing_graph_version v ON v.id = e.graph_version_id
   JOIN production.routing_node n ON n.id = e.from_node_id
   JOIN production.routing_node t ON t.id = e.to_node_id`,
);
const wayFrom = new Map(ways.rows.map((way) => [way.from, way]));

interface Body {
  readonly tokenId: string;
  readonly operatorId: string;
}

const scopeOf = (graph: string, code: string) => [[`node/${graph}/*/${code}`], [null], [graph], [code], [null]];

async function within<Answer extends object>(
  by: string,
  work: (tx: pg.ClientBase) => Promise<Answer>,
): Promise<Answer> {
  return inTransaction(pool, async (tx) => {
    const key = randomUUID();
    await tx.query({
      name: 'bare.claim',
      text: `WITH claim AS (
               INSERT INTO platform.idempotency_key (account_id, key, route, domain, request_hash, expires_at)
               VALUES ($1::uuid, $2::text, 'bare', 'production', 'hash', clock_timestamp() + interval '1 day') RETURNING true)
             SELECT set_config('belay.actor', $1::text, true), set_config('belay.request_id', $2, true), EXISTS (SELECT FROM claim)`,
      values: [by, key],
    });
    const answer = await work(tx);
    await tx.query({
      name: 'bare.store',
      text: `UPDATE platform.idempotency_key SET body = $3 WHERE account_id = $1::uuid AND key = $2`,
      values: [by, key, JSON.stringify(answer)],
    });
    return answer;
  });
}

server.post<{ Body: Body }>('/start', async ({ body: { tokenId, operatorId } }) =>
  within(operatorId, async (tx) => {
    await lockJobs.work(tx, [[tokenId]]);
    const [token] = await lockTokens(tx, [[tokenId], null]);
    if (!token) throw new Error('no token');
    await lockOpenAssignments(tx, [[tokenId]]);
    await lockOpenSessions(tx, [[tokenId], operatorId]);
    const { nodeId, at } = token;
    const way = wayFrom.get(nodeId ?? '');
    if (!way) throw new Error('no way');
    const [team] = await teamsOfOperator(tx, [operatorId, nodeId, token.siteId]);
    await lockScopes(tx, [...scopeOf(way.graph, way.code), false]);
    const assignment = {
      id: randomUUIDv7(),
      tokenId,
      nodeId,
      assigneeType: 'operator',
      operatorId,
      teamId: team?.teamId,
    };
    await insertAssignments(tx, [
      JSON.stringify([{ ...assignment, method: 'MANUAL', status: 'started' }]),
      at,
      operatorId,
    ]);
    await insertSession(tx, [randomUUIDv7(), tokenId, nodeId, operatorId, 'own', at, null]);
    await writeTokens(tx, [
      JSON.stringify([{ id: tokenId, from: ['ready'], to: 'active', fields: {} }]),
      JSON.stringify([{ tokenId, started: true }]),
      '[]',
      JSON.stringify([{ no: 0, tokenId, nodeId, type: 'NODE_START', payload: {} }]),
      ...[at, operatorId, tokenId, null, null, '[]', '[]'],
    ]);
    return { status: 'active' };
  }),
);

server.post<{ Body: Body }>('/complete', async ({ body: { tokenId, operatorId } }) =>
  within(operatorId, async (tx) => {
    await lockJobs.route(tx, [[tokenId]]);
    const [token] = await lockTokens(tx, [[tokenId], null]);
    const way = wayFrom.get(token?.nodeId ?? '');
    if (!token || !way) throw new Error('no token');
    const { at } = token;
    await endOpenAssignments(tx, [[tokenId], 'completed', null, at]);
    await endSessionsOfTokens(tx, [[tokenId], at]);
    const onward = wayFrom.get(way.to);
    if (onward) await lockScopes(tx, [...scopeOf(onward.graph, onward.code), false]);
    const fields = { nodeId: way.to, holdCode: null, queueReason: null, queueEnteredAt: null };
    const events = ['NODE_COMPLETE', 'NODE_LEAVE', 'NODE_ENTER'].map((type, no) => {
      return { no, tokenId, nodeId: type === 'NODE_ENTER' ? way.to : way.from, type, payload: {} };
    });
    await writeTokens(tx, [
      JSON.stringify([{ id: tokenId, from: ['active'], to: 'ready', fields }]),
      JSON.stringify([{ tokenId, completed: true, leftAs: 'moved' }]),
      JSON.stringify([{ no: 0, id: randomUUIDv7(), tokenId, nodeId: way.to, admitted: true }]),
      JSON.stringify(events),
      ...[at, operatorId, tokenId, null, null, '[]', '[]'],
    ]);
    await announceWake(tx, [...scopeOf(way.graph, way.code), false]);
    return { status: 'ready' };
  }),
);

process.send?.({ url: await server.listen({ host: '127.0.0.1', port: 0 }) });
process.on('disconnect', () => process.exit(0));
