/**
 * A work queue read over HTTP on a floor with a million events behind it and a thousand live tokens, against a bare
 * Fastify + pg handler that runs the same statement; with the round trips to the database counted on the wire.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { availableParallelism, loadavg } from 'node:os';
import { production, versionItem, workQueue } from '@belay/production';
import type autocannon from 'autocannon';
import { z } from 'zod';
import { BenchServer } from './bench-server.js';
import { startChild } from './child.js';
import { CountingProxy } from './counting-proxy.js';
import { compare, table } from './measure.js';
import { done, fillFloor, live, operators, visits } from './million-events.js';

const pool = 16;
const reads = 400;
const goalMs = 100;
const categories = ['cutting', 'sewing', 'qc', 'finishing'];

const server = await BenchServer.open(production, { durable: false });
const { database } = server;
await database.query(
  `INSERT INTO directory.site (id, code, name, kind, time_zone, working_hours, row_version)
   VALUES (gen_random_uuid(), 'BENCH', 'Bench', 'plant', 'Europe/London', '{}', 1)`,
);
const admin = await server.signUp('admin');
const environment = { ...server.environment, DATABASE_POOL: String(pool) };
const api = await startChild('floor-api', [], environment);
await publishGraph();
const began = performance.now();
await fillFloor(database);
const took = (performance.now() - began) / 1_000;
console.log(
  `load ${loadavg()[0]?.toFixed(1) ?? '?'} on ${availableParallelism()} cores; ${done * visits * 4} events of ${done} tokens that are done, ${live} live ones; made in ${took.toFixed(0)} s`,
);

const people = await signIn();
const proxy = await CountingProxy.before(server.url);
const watched = await startChild('floor-api', [], { ...environment, DATABASE_URL: proxy.url });
const bare = await startChild('bare-work-queue', [server.url, String(pool)]);
const somebody = () => people[Math.floor(Math.random() * people.length)] ?? { id: '', token: '' };

const read = async (base: string) => {
  const headers = { authorization: `Bearer ${somebody().token}` };
  const answer = await fetch(`${base}/api/production/work-queue`, { headers });
  if (!answer.ok) throw new Error(`The work queue answered ${answer.status}: ${await answer.text()}`);
  return workQueue.parse(await answer.json());
};
for (let n = 0; n < 20; n += 1) await read(api.url);
const times: number[] = [];
let items = 0;
for (let n = 0; n < reads; n += 1) {
  const start = performance.now();
  items += (await read(api.url)).items.length;
  times.push(performance.now() - start);
}
const p95 = percentile(95);
console.log(
  `one after another: ${(items / reads).toFixed(1)} items a page, p50 ${percentile(50).toFixed(1)} ms, p95 ${p95.toFixed(1)} ms (goal < ${goalMs} ms)`,
);
if (p95 >= goalMs) process.exitCode = 1;

for (let n = 0; n < 20; n += 1) await read(watched.url);
const before = proxy.roundTrips - proxy.rings;
for (let n = 0; n < 100; n += 1) await read(watched.url);
console.log(`round trips: ${((proxy.roundTrips - proxy.rings - before) / 100).toFixed(1)} a page`);

const asSomebody = (one: autocannon.Request): autocannon.Request => ({
  ...one,
  headers: { authorization: `Bearer ${somebody().token}` },
});
const ofSomebody = (one: autocannon.Request): autocannon.Request => ({
  ...one,
  path: `/work-queue?operator=${somebody().id}`,
});
const figures = await compare(
  [
    { name: 'bare Fastify + pg', request: { url: bare.url, requests: [{ method: 'GET', setupRequest: ofSomebody }] } },
    {
      name: 'Belay',
      request: { url: `${api.url}/api/production/work-queue`, requests: [{ method: 'GET', setupRequest: asSomebody }] },
    },
  ],
  5,
);
console.log(table(`work queues of ${operators} people, 16 at once`, figures));
if (figures.some(({ failed }) => failed > 0)) {
  console.error('Some requests failed: the figures mean nothing.');
  process.exitCode = 1;
}

await bare.stop();
await api.stop();
await watched.stop();
await proxy.close();
await server.close();

function percentile(percent: number): number {
  const sorted = times.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

async function publishGraph(): Promise<void> {
  const codes = Array.from({ length: visits }, (_, n) => `OP-${n}`);
  const path = ['START', ...codes, 'END'];
  const nodes = [
    { code: 'START', name: 'Start', type: 'start' },
    ...codes.map((code, n) => ({
      code,
      name: code,
      type: 'operation',
      teamCategory: categories[n % categories.length],
      estimatedMinutes: 30,
    })),
    { code: 'END', name: 'End', type: 'end' },
  ];
  const edges = path.slice(1).map((to, n) => ({ from: path[n], to }));
  const post = async <Answer>(where: string, body: object, schema: z.ZodType<Answer>) => {
    const headers = {
      authorization: `Bearer ${admin}`,
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
    };
    const url = `${api.url}/api/production/graphs${where}`;
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${where} answered ${answer.status}: ${await answer.text()}`);
    return schema.parse(await answer.json());
  };
  const { id } = await post('', { code: 'BENCH', name: 'Bench', nodes, edges }, z.looseObject({ id: z.string() }));
  await post(`/${id}/publish`, {}, versionItem);
}

/** Everybody on the floor, each with an API token. */
async function signIn(): Promise<{ id: string; token: string }[]> {
  const { rows } = await database.query<{ id: string }>(
    `SELECT id FROM directory.account WHERE username LIKE 'operator-%' ORDER BY username`,
  );
  const signed: { id: string; token: string }[] = [];
  for (const { id } of rows) {
    const token = `bly_${randomBytes(32).toString('base64url')}`;
    await database.query(
      `INSERT INTO directory.account_role (id, account_id, role) VALUES (gen_random_uuid(), $1, 'operator')`,
      [id],
    );
    await database.query(
      `INSERT INTO directory.api_token (id, account_id, name, prefix, hash, scopes, expires_at)
       VALUES (gen_random_uuid(), $1, 'bench', $2, $3, '{*}', clock_timestamp() + interval '2 hours')`,
      [id, token.slice(0, 12), createHash('sha256').update(token).digest('hex')],
    );
    signed.push({ id, token });
  }
  return signed;
}
