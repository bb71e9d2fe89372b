/**
 * What Belay's request pipeline costs: sign-in, gate, permission, validation, problem handling and checked answers,
 * against a bare Fastify + pg handler that runs the same two statements, in one run.
 */
import { BenchServer } from './bench-server.js';
import { startChild } from './child.js';
import { bench, createItems } from './item.domain.js';
import { compare, table } from './measure.js';

const rows = 100_000;
const pool = 10;

const server = await BenchServer.open(bench, { durable: true });
const id = await createItems(server.database, rows);
const token = await server.signUp('bench.item:read', 'bench.item:write');

const bare = await startChild('bare', [server.url, String(pool)]);
const belay = await startChild('api', [], {
  ...server.environment,
  DATABASE_POOL: String(pool),
});

const read = { headers: { authorization: `Bearer ${token}` } };
const insert = {
  method: 'POST' as const,
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  body: JSON.stringify({ code: 'IT-7', title: 'A new item', quantity: 7 }),
};
const path = '/api/bench/items';
console.log(`One row of ${rows}, pool of ${pool}, 16 connections, alternating rounds of 2 s, median of 9`);
const reads = await compare([
  { name: 'bare Fastify + pg', request: { url: `${bare.url}${path}/${id}`, ...read } },
  { name: 'Belay', request: { url: `${belay.url}${path}/${id}`, ...read } },
]);
console.log(table('read one row', reads, 0.7));
const inserts = await compare([
  { name: 'bare Fastify + pg', request: { url: `${bare.url}${path}`, ...insert } },
  { name: 'Belay', request: { url: `${belay.url}${path}`, ...insert } },
]);
console.log(table('insert one row', inserts, 0.7));
if ([...reads, ...inserts].some(({ failed }) => failed > 0)) {
  console.error('Some requests failed: the figures mean nothing.');
  process.exitCode = 1;
}

await bare.stop();
await belay.stop();
await server.close();
