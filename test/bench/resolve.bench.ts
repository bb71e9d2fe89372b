/**
 * What the choice of a person costs: in a spawn of a thousand tokens, alone, and in a preview, on a floor with a hundred
 * people who have worked for a month. The choice itself is measured by what the log says it took; the requests around it
 * are measured here.
 */
import { randomUUID } from 'node:crypto';
import { availableParallelism, loadavg } from 'node:os';
import { assignment } from '@belay/assignment';
import { production, ticketView, versionItem } from '@belay/production';
import type pg from 'pg';
import { z } from 'zod';
import { BenchServer } from './bench-server.js';
import { startChild } from './child.js';

const [teams, people, visits, batch, alone, few] = [10, 100, 100_000, 1_000, 200, 20];

const server = await BenchServer.open([production, assignment], { durable: true });
const { database } = server;
const siteId = await fill(database);
const token = await server.signUp('admin');
const api = await startChild('floor-api', [], server.environment);
console.log(
  `load ${loadavg()[0]?.toFixed(1) ?? '?'} on ${availableParallelism()} cores; ${people} people in ${teams} teams, all of one category`,
);

async function send<Answer>(path: string, body: object, schema: z.ZodType<Answer>): Promise<Answer> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'idempotency-key': randomUUID(),
  };
  const answer = await fetch(`${api.url}/api/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
  return schema.parse(await answer.json());
}

const anything = z.looseObject({});
const nodes = [
  { code: 'START', name: 'Start', type: 'start' },
  { code: 'SEW', name: 'Sew', type: 'operation', teamCategory: 'sewing', estimatedMinutes: 10 },
  { code: 'END', name: 'End', type: 'end' },
];
const edges = [
  { from: 'START', to: 'SEW' },
  { from: 'SEW', to: 'END' },
];
const graph = await send(
  'production/graphs',
  { code: 'BENCH', name: 'Bench', nodes, edges },
  z.looseObject({ id: z.string() }),
);
const { id: versionId, graphId } = await send(`production/graphs/${graph.id}/publish`, {}, versionItem);
await remember(database, versionId);

async function spawn(targetQty: number): Promise<{ readonly id: string; readonly ms: number }> {
  const draft = { siteId, graphId, line: 'atelier', processMode: 'piece', sku: 'BENCH', targetQty };
  const { id } = await send('production/job-tickets', draft, ticketView);
  const began = performance.now();
  await send(`production/job-tickets/${id}/start`, {}, anything);
  return { id, ms: performance.now() - began };
}

const took = async (jobs: readonly string[]) =>
  (
    await database.query<{ ms: number }>(
      `SELECT latency_ms::float8 AS ms FROM assignment.assignment_log WHERE job_ticket_id = ANY ($1) AND event = 'assigned'`,
      [jobs],
    )
  ).rows.map(({ ms }) => ms);

await spawn(10);
const ones = [];
for (let turn = 0; turn < alone; turn += 1) ones.push(await spawn(1));
report('a choice alone', await took(ones.map(({ id }) => id)), alone, 50);
report(
  'a start of one token, over HTTP',
  ones.map(({ ms }) => ms),
  alone,
);

const batches = [];
for (let turn = 0; turn < 5; turn += 1) batches.push(await spawn(batch));
report('a choice in a batch of a thousand', await took(batches.map(({ id }) => id)), batch * 5, 5);
report(
  'a start of a thousand tokens, over HTTP',
  batches.map(({ ms }) => ms),
  5,
);

const [waiting] = (
  await database.query<{ token: string; node: string }>(
    `SELECT t.id AS token, t.current_node_id AS node FROM production.flow_token t WHERE t.status = 'ready' LIMIT 1`,
  )
).rows;
/** Asks so many times, one after the other. */
async function look(what: string, times: number, path: string, body?: object): Promise<void> {
  const all = [];
  for (let turn = 0; turn < times; turn += 1) {
    const began = performance.now();
    const answer = await fetch(`${api.url}/api/assignment/${path}`, {
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    await answer.arrayBuffer();
    all.push(performance.now() - began);
  }
  report(what, all, times, body ? undefined : 150);
}
const preview = (of: string | undefined) => `preview?tokenId=${of ?? ''}&nodeId=${waiting?.node ?? ''}`;
await look('a preview, over HTTP', alone, preview(waiting?.token));
await database.query(
  `INSERT INTO production.node_limit (graph_id, node_code, concurrency_limit, source) VALUES ($1, 'SEW', 0, 'manual')
   ON CONFLICT (graph_id, node_code) DO UPDATE SET concurrency_limit = 0`,
  [graphId],
);
const [queued] = (
  await database.query<{ id: string }>(
    `UPDATE production.flow_token SET status = 'waiting', queue_reason = 'CONCURRENCY_LIMIT', queue_entered_at = now()
     WHERE id = (SELECT id FROM production.flow_token WHERE status = 'ready' AND id <> $1 LIMIT 1) RETURNING id`,
    [waiting?.token],
  )
).rows;
await look('a preview under a full limit, over HTTP', alone, preview(queued?.id));
await look('a preview of plans, over HTTP', few, 'plans/preview', { jobTicketId: batches[0]?.id ?? '' });
const [person] = (await database.query<{ id: string }>(`SELECT id FROM directory.account WHERE username = 'p1'`)).rows;
await look('a leave that is only supposed, over HTTP', few, 'what-if', {
  graphId,
  leave: { operatorId: person?.id ?? '' },
});

await api.stop();
await server.close();

function report(what: string, all: readonly number[], expected: number, goalMs?: number): void {
  if (all.length !== expected) throw new Error(`${what}: ${all.length} of ${expected} were measured`);
  const sorted = all.toSorted((one, other) => one - other);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  const figures = `median ${at(0.5).toFixed(2).padStart(9)} ms  p95 ${at(0.95).toFixed(2).padStart(9)} ms`;
  console.log(`${what.padEnd(42)} ${figures}${goalMs === undefined ? '' : `  (goal p95 < ${goalMs} ms)`}`);
}

/** A plant, its shifts, teams and people with a roster. */
async function fill(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO directory.site (id, code, name, kind, time_zone, working_hours, row_version)
     VALUES (gen_random_uuid(), 'BENCH', 'Bench', 'plant', 'Europe/London', '{}', 1) RETURNING id`,
  );
  const [site] = rows;
  if (!site) throw new Error('The site was made');
  await client.query(
    `INSERT INTO directory.shift (site_id, code, starts, ends)
     VALUES ($1, 'morning', '06:00', '14:00'), ($1, 'evening', '14:00', '22:00'), ($1, 'night', '22:00', '06:00'), ($1, 'full', '00:00', '00:00')`,
    [site.id],
  );
  await client.query(
    `WITH t AS (
       INSERT INTO directory.team (id, code, name, site_id, team_category, row_version)
       SELECT gen_random_uuid(), 'T' || n, 'Team', $1, 'sewing', 1 FROM generate_series(1, $2::integer) n RETURNING id, code),
     a AS (
       INSERT INTO directory.account (id, kind, username, display_name, row_version)
       SELECT gen_random_uuid(), 'person', 'p' || n, 'Person', 1 FROM generate_series(1, $3::integer) n RETURNING id, username)
     INSERT INTO directory.team_member (id, team_id, account_id, capacity_per_day, row_version)
     SELECT gen_random_uuid(), t.id, a.id, 1000000, 1
     FROM a JOIN t ON t.code = 'T' || 1 + substr(a.username, 2)::integer % $2::integer`,
    [site.id, teams, people],
  );
  await client.query(
    `INSERT INTO assignment.operator_availability (operator_id, day, shift, status)
     SELECT id, current_date + n, 'full', 'work' FROM directory.account, generate_series(-30, 30) n WHERE username LIKE 'p%'`,
  );
  return site.id;
}

/** A month of finished work at the node, the same share for everybody. */
async function remember(client: pg.Client, versionId: string): Promise<void> {
  await client.query(
    `BEGIN;
     SET LOCAL session_replication_role = replica;
     CREATE TEMP TABLE done ON COMMIT DROP AS
     SELECT gen_random_uuid() AS id, n, now() - n * interval '40 days' / ${visits} AS at FROM generate_series(1, ${visits}) n;
     CREATE TEMP TABLE hand ON COMMIT DROP AS
     SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM directory.account WHERE username LIKE 'p%';
     INSERT INTO production.flow_token (id, instance_id, token_type, status, qty, spawned_at, first_spawned_at, completed_at)
     SELECT id, gen_random_uuid(), 'batch', 'completed', 1, at, at, at FROM done;
     INSERT INTO production.token_node_visit (id, token_id, node_id, visit_no, entered_at, first_started_at, completed_at, left_at,
                                              outcome, work_seconds, operator_id)
     SELECT gen_random_uuid(), d.id, v.id, 1, d.at, d.at, d.at, d.at, 'moved', 300 + d.n % 600, h.id
     FROM done d JOIN hand h ON h.n = d.n % ${people}
     CROSS JOIN (SELECT id FROM production.routing_node WHERE graph_version_id = '${versionId}' AND node_code = 'SEW') v;
     INSERT INTO production.token_assignment (id, token_id, node_id, assigned_to_type, operator_id, method, status, assigned_at,
                                              started_at, completed_at, status_changed_at)
     SELECT gen_random_uuid(), d.id, v.id, 'operator', h.id, 'AUTO', 'completed', d.at, d.at, d.at, d.at
     FROM done d JOIN hand h ON h.n = d.n % ${people}
     CROSS JOIN (SELECT id FROM production.routing_node WHERE graph_version_id = '${versionId}' AND node_code = 'SEW') v;
     COMMIT;`,
  );
  await client.query('VACUUM ANALYZE production.flow_token, production.token_node_visit, production.token_assignment');
}
