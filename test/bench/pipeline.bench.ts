/**
 * What Belay's request pipeline costs: sign-in, gate, permission, validation, problem handling and checked answers,
 * against a bare Fastify + pg handler that runs the same two statements, in one run.
 */
import { createHash, randomBytes, randomUUIDv7 } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultFlagsDocument, migrateAll } from '@belay/platform';
import { directory } from '@belay/directory';
import pg from 'pg';
import { EmbeddedPostgres } from '../../apps/cli/src/local/embedded-postgres.js';
import { ledgers } from '../../migrations/index.js';
import { startChild } from './child.js';
import { bench, createItems } from './item.domain.js';
import { compare, table } from './measure.js';

const rows = 100_000;
const pool = 10;

const folder = await mkdtemp(join(tmpdir(), 'belay-bench-'));
const server = await EmbeddedPostgres.start({ folder: join(folder, 'postgres'), durable: true });
for (const name of ['belay', 'belay_control']) await server.ensureDatabase(name);
await migrateAll({ databaseUrl: server.url('belay'), controlUrl: server.url('belay_control') }, ledgers);

const flagsFile = join(folder, 'flags.json');
const flags = defaultFlagsDocument([directory, bench]);
await writeFile(
  flagsFile,
  JSON.stringify({
    ...flags,
    features: flags.features.map((flag) => ({ ...flag, enabled: flag.name === bench.flag })),
  }),
);

const database = new pg.Client({ connectionString: server.url('belay') });
await database.connect();
const id = await createItems(database, rows);
const token = await signUp(database);

const bare = await startChild('bare', [server.url('belay'), String(pool)]);
const belay = await startChild('api', [], {
  DATABASE_URL: server.url('belay'),
  CONTROL_DATABASE_URL: server.url('belay_control'),
  DATABASE_POOL: String(pool),
  SECRET_KEY: randomBytes(32).toString('base64'),
  FLAGS_FILE: flagsFile,
  PORT: '0',
  RATE_LIMIT_PER_MINUTE: '100000000',
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
await database.end();
await server.stop();
await rm(folder, { recursive: true, force: true });

/** An account that may read and write items, and an API token of it. */
async function signUp(client: pg.Client): Promise<string> {
  const account = randomUUIDv7();
  const secret = `bly_${randomBytes(32).toString('base64url')}`;
  await client.query(
    `INSERT INTO directory.account (id, kind, username, display_name, row_version) VALUES ($1, 'machine', 'bench', 'Bench', 1)`,
    [account],
  );
  for (const permission of ['bench.item:read', 'bench.item:write']) {
    await client.query('INSERT INTO directory.account_permission (id, account_id, permission) VALUES ($1, $2, $3)', [
      randomUUIDv7(),
      account,
      permission,
    ]);
  }
  await client.query(
    `INSERT INTO directory.api_token (id, account_id, name, prefix, hash, scopes, expires_at)
     VALUES ($1, $2, 'bench', $3, $4, '{*}', clock_timestamp() + interval '1 hour')`,
    [randomUUIDv7(), account, secret.slice(0, 12), createHash('sha256').update(secret).digest('hex')],
  );
  return secret;
}
