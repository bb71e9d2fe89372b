/**
 * What a step of work costs over HTTP: the session ends, the token is routed on, limits are asked, whoever is next can
 * start. Against a bare Fastify + pg handler that runs the same statements; with round trips to the database counted on the
 * wire; with a hundred people at work at once; and a job of a thousand pieces that begins.
 */
import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { production, ticketView, tokenView, versionItem } from '@belay/production';
import type pg from 'pg';
import { z } from 'zod';
import { BenchServer } from './bench-server.js';
import { startChild } from './child.js';
import { CountingProxy } from './counting-proxy.js';

const pool = 16;
const people = 100;
const atOnce = 16;
const operations = 120;
const rounds = 5;
const seconds = 3;

interface Operator {
  readonly id: string;
  readonly token: string;
  /** What they take up, one after another. */
  tokens: string[];
}

// Without a disk to wait for, so that it does not hide what is done beside the SQL.
const server = await BenchServer.open(production, { durable: false });
const { database } = server;
const siteId = await fill(database);
const admin = await server.signUp('admin');
const environment = { ...server.environment, DATABASE_POOL: String(pool) };
const api = await startChild('floor-api', [], environment);
const proxy = await CountingProxy.before(server.url);
const watched = await startChild('floor-api', [], { ...environment, DATABASE_URL: proxy.url });
console.log(`load ${loadavg()[0]?.toFixed(1) ?? '?'} on ${availableParallelism()} cores, pool of ${pool}`);

const anything = z.looseObject({ id: z.string().optional() });

async function send<Answer>(
  base: string,
  token: string,
  path: string,
  body: object,
  schema: z.ZodType<Answer>,
): Promise<Answer> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'idempotency-key': randomUUID(),
  };
  const answer = await fetch(`${base}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
  return schema.parse(await answer.json());
}

const codes = Array.from({ length: operations }, (_, n) => `OP-${n}`);
const nodes = [
  { code: 'START', name: 'Start', type: 'start' },
  ...codes.map((code) => ({ code, name: code, type: 'operation', teamCategory: 'general' })),
  { code: 'END', name: 'End', type: 'end' },
];
const path = ['START', ...codes, 'END'];
const edges = path.slice(1).map((to, n) => ({ from: path[n], to }));
const post = <Answer>(where: string, body: object, schema: z.ZodType<Answer>) =>
  send(api.url, admin, `/api/production/${where}`, body, schema);
const graph = await post('graphs', { code: 'BENCH', name: 'Bench', nodes, edges }, anything);
const { graphId } = await post(`graphs/${graph.id ?? ''}/publish`, {}, versionItem);

async function begin(targetQty: number): Promise<string> {
  const draft = { siteId, graphId, line: 'atelier', processMode: 'piece', sku: 'BENCH', targetQty };
  const { id } = await post('job-tickets', draft, ticketView);
  await post(`job-tickets/${id}/start`, {}, anything);
  return id;
}

async function piecesOf(job: string): Promise<string[]> {
  const { rows } = await database.query<{ id: string }>(
    `SELECT t.id FROM production.flow_token t JOIN production.job_graph_instance i ON i.id = t.instance_id
     WHERE i.job_ticket_id = $1 ORDER BY t.spawn_seq`,
    [job],
  );
  return rows.map(({ id }) => id);
}

const operators = await hire(server, people);
// Jobs of their own, so that nobody waits for another's job unless that is what is measured.
for (const one of operators) one.tokens = await piecesOf(await begin(4));
const shared = await piecesOf(await begin(people));
await database.query('VACUUM ANALYZE');

const bare = await startChild('bare-step', [server.url, String(pool)]);

type Act = (operator: Operator, tokenId: string, what: 'start' | 'complete') => Promise<unknown>;
const over =
  (base: string): Act =>
  (operator, tokenId, what) =>
    send(base, operator.token, `/api/production/tokens/${tokenId}/${what}`, {}, anything);
const barely: Act = (operator, tokenId, what) =>
  send(bare.url, '', `/${what}`, { tokenId, operatorId: operator.id }, anything);

interface Round {
  readonly steps: number;
  readonly starts: number[];
  readonly completes: number[];
}

/** Everybody starts and completes, again and again; `pause` is what they do between two steps. */
async function drive(
  crew: readonly Operator[],
  act: Act,
  tokenOf: (operator: Operator, turn: number) => string,
  { last = seconds, pause = () => 0 }: { readonly last?: number; readonly pause?: () => number } = {},
): Promise<Round> {
  const until = performance.now() + last * 1_000;
  const round = { steps: 0, starts: new Array<number>(), completes: new Array<number>() };
  const timed = async (times: number[], work: () => Promise<unknown>) => {
    const began = performance.now();
    await work();
    times.push(performance.now() - began);
  };
  await Promise.all(
    crew.map(async (operator) => {
      await sleep(pause());
      for (let turn = 0; performance.now() < until; turn += 1) {
        const tokenId = tokenOf(operator, turn);
        await timed(round.starts, () => act(operator, tokenId, 'start'));
        await sleep(pause());
        await timed(round.completes, () => act(operator, tokenId, 'complete'));
        round.steps += 1;
        await sleep(pause());
      }
    }),
  );
  return round;
}

/** Contestants never work on the same pieces: what one has done does not change what the other does. */
const turnOf = (which: number) => (operator: Operator) => operator.tokens[which] ?? '';
const crew = operators.slice(0, atOnce);
const figures: { rate: number; bareRate: number; p95: number; bareP95: number }[] = [];
for (let round = 0; round <= rounds; round += 1) {
  const floor = await drive(crew, barely, turnOf(0));
  const belay = await drive(crew, over(api.url), turnOf(1));
  if (round === 0) continue;
  figures.push({
    rate: belay.steps / seconds,
    bareRate: floor.steps / seconds,
    p95: percentile(belay.completes, 95),
    bareP95: percentile(floor.completes, 95),
  });
}
const of = (pick: (one: (typeof figures)[number]) => number) => percentile(figures.map(pick), 50);
console.log(
  [
    `start and complete, ${atOnce} people, medians of ${rounds} alternating rounds`,
    `  bare Fastify + pg            ${of((one) => one.bareRate).toFixed(0)} steps/s  complete p95 ${of((one) => one.bareP95).toFixed(1)} ms`,
    `  Belay                        ${of((one) => one.rate).toFixed(0)} steps/s  complete p95 ${of((one) => one.p95).toFixed(1)} ms  ratio ${of((one) => one.rate / one.bareRate).toFixed(2)}`,
  ].join('\n'),
);

const first = operators[0];
if (!first) throw new Error('Nobody was hired');
for (const what of ['warm', 'counted'] as const) {
  const trips = { start: 0, complete: 0 };
  const steps = 10;
  for (let n = 0; n < steps; n += 1) {
    for (const act of ['start', 'complete'] as const) {
      await sleep(60);
      const before = proxy.roundTrips - proxy.rings;
      await over(watched.url)(first, turnOf(2)(first), act);
      trips[act] += proxy.roundTrips - proxy.rings - before;
    }
  }
  if (what === 'counted') {
    console.log(`round trips: ${trips.start / steps} a start, ${trips.complete / steps} a completion`);
  }
}

const jobRound = await drive(crew, over(api.url), (operator) => shared[operators.indexOf(operator)] ?? '');
report(`complete, ${atOnce} people on one job`, jobRound.completes);

const pause = () => 3_000 + Math.random() * 6_000;
const before = await events();
const sustained = await drive(operators, over(api.url), turnOf(3), { last: 25, pause });
const told = ((await events()) - before) / 25;
report(`complete, ${people} people who pause, ${Math.round(told * 3_600)} events an hour`, sustained.completes, 200);
report(`start, the same`, sustained.starts, 200);

const began = performance.now();
const large = await begin(1_000);
console.log(`a job of 1,000 pieces is planned and begun in ${(performance.now() - began).toFixed(0)} ms`);
const [one] = await piecesOf(large);
const read = await fetch(`${api.url}/api/production/tokens/${one ?? ''}`, {
  headers: { authorization: `Bearer ${admin}` },
});
tokenView.parse(await read.json());

await bare.stop();
await api.stop();
await watched.stop();
await proxy.close();
await server.close();

function percentile(times: readonly number[], percent: number): number {
  const sorted = times.toSorted((one_, other) => one_ - other);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

function report(title: string, times: readonly number[], goal?: number): void {
  const p95 = percentile(times, 95);
  const limit = goal === undefined ? '' : ` (goal < ${goal} ms)`;
  console.log(
    `${title}: ${times.length} times, p50 ${percentile(times, 50).toFixed(1)} ms, p95 ${p95.toFixed(1)} ms${limit}`,
  );
  if (goal !== undefined && p95 >= goal) process.exitCode = 1;
}

async function events(): Promise<number> {
  const { rows } = await database.query<{ n: number }>(`SELECT count(*)::integer AS n FROM production.token_event`);
  return rows[0]?.n ?? 0;
}

async function fill(client: pg.Client): Promise<string> {
  const id = randomUUIDv7();
  await client.query(
    `INSERT INTO directory.site (id, code, name, kind, time_zone, working_hours, row_version)
     VALUES ($1, 'BENCH', 'Bench', 'plant', 'Europe/London', '{}', 1)`,
    [id],
  );
  await client.query(
    `INSERT INTO directory.team (id, code, name, site_id, team_category, production_mode, load_mode, dispatch_mode, active, row_version)
     VALUES ($1, 'BENCH', 'Bench', $2, 'general', 'hybrid', 'count', 'PUSH', true, 1)`,
    [randomUUIDv7(), id],
  );
  return id;
}

/** Each account is renamed before the next one signs up. */
async function hire(on: BenchServer, count: number): Promise<Operator[]> {
  const hired: Operator[] = [];
  const rename = `UPDATE directory.account SET username = 'bench-' || id, kind = 'person' WHERE username = 'bench' RETURNING id`;
  await on.database.query(rename);
  for (let n = 0; n < count; n += 1) {
    const token = await on.signUp('operator');
    const { rows } = await on.database.query<{ id: string }>(rename);
    const id = rows[0]?.id ?? '';
    await on.database.query(
      `INSERT INTO directory.team_member (id, team_id, account_id, row_version)
       SELECT $1, id, $2, 1 FROM directory.team`,
      [randomUUIDv7(), id],
    );
    hired.push({ id, token, tokens: [] });
  }
  return hired;
}
