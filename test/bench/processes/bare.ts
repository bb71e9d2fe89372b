import Fastify from 'fastify';
import pg from 'pg';
import { insertItem, readItem } from '../item.sql.js';

/**
 * The floor that Belay is measured against: the same SQL, named, on a pool of the same size, behind Fastify; no
 * validation, no sign-in, no gate. Arguments: the database's URL, connections in the pool.
 */
const [, , url, connections] = process.argv;
const pool = new pg.Pool({ connectionString: url, max: Number(connections) });
const server = Fastify();

server.get<{ Params: { id: string } }>('/api/bench/items/:id', async ({ params }) => {
  const { rows } = await pool.query({ name: 'read', text: readItem, values: [params.id] });
  return rows[0];
});

server.post<{ Body: { code: string; title: string; quantity: number } }>(
  '/api/bench/items',
  async ({ body }, reply) => {
    const values = [body.code, body.title, body.quantity, null];
    const { rows } = await pool.query({ name: 'insert', text: insertItem, values });
    reply.status(201);
    return rows[0];
  },
);

process.send?.({ url: await server.listen({ host: '127.0.0.1', port: 0 }) });
process.on('disconnect', () => process.exit(0));
