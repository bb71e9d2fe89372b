import Fastify from 'fastify';
import pg from 'pg';
import { workQueueOf } from '../../../libs/production/src/work/work-queue.queries.js';

/**
 * The floor that work queues are measured against: their one statement, named, on a pool of the same size, behind Fastify;
 * nobody signs in and nothing is shaped. Arguments: the database's URL, connections in the pool.
 */
const [, , url, connections] = process.argv;
const pool = new pg.Pool({ connectionString: url, max: Number(connections) });
const server = Fastify();

server.get<{ Querystring: { operator: string } }>('/work-queue', async ({ query }) => {
  const none = [null, null, null, null, null];
  const rows = await workQueueOf(pool, [query.operator, null, ...none, 51]);
  return { items: rows.slice(0, 50), next: null };
});

process.send?.({ url: await server.listen({ host: '127.0.0.1', port: 0 }) });
process.on('disconnect', () => process.exit(0));
