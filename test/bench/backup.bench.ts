/**
 * What a backup of half a gigabyte costs: copied with hashes while others write, then restored into a side database and
 * proven there. Beside it the floor: the same rows over as many connections to nowhere, without hash, packing or disk.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { randomUUIDv7 } from 'node:crypto';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { directory } from '@belay/directory';
import { readConfig, startRuntime } from '@belay/platform';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { apiStages } from '../../apps/api/src/stages.js';
import { eachOf, openFixed } from '../../libs/rollback/src/backups/fixed-session.js';
import { insertBackup } from '../../libs/rollback/src/backups/backup.queries.js';
import { proveBackup } from '../../libs/rollback/src/backups/backup-proof.service.js';
import { writtenBackup } from '../../libs/rollback/src/backups/backup-record.service.js';
import { openBackup } from '../../libs/rollback/src/backups/open-backup.js';
import { lanes } from '../../libs/rollback/src/backups/restore-into.js';
import { World } from '../../libs/rollback/src/engine/world.js';
import { ledgers } from '../../migrations/index.js';
import { BenchServer } from './bench-server.js';

const goals = { backupS: 15, proofS: 60 };
const megabytes = 500;
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1).padStart(6)} s`;

const server = await BenchServer.open(directory, { durable: true });
const folder = await mkdtemp(join(tmpdir(), 'belay-bench-backup-'));
const config = readConfig({ ...server.environment, BACKUP_DIR: folder });
const runtime = await startRuntime('cli', [directory], config);
const world = new World(runtime, ledgers, apiStages(runtime));
try {
  const size = await fill(server.database);
  console.log(`${(size / 1e6).toFixed(0)} MB, ${lanes} connections, load ${loadavg()[0]?.toFixed(1)}`);

  const quiet = await writing(() => new Promise((resolve) => setTimeout(resolve, 3_000)));
  const floor = await timed(() => copyToNowhere());
  const id = randomUUIDv7();
  const scope = { kind: 'application' } as const;
  await insertBackup(world.control, {
    id,
    scope,
    location: join(folder, id),
    runId: null,
    requestedBy: 'bench',
    wanted: null,
  });
  let made = 0;
  const busy = await writing(async () => {
    made = await timed(() => writtenBackup(world, { id, scope }));
  });
  const proof = await timed(() => proveBackup(world, id, 4));
  const { record, manifest } = await openBackup(world, id);
  const rows = manifest.tables.reduce((sum, table) => sum + Number(table.rows), 0);
  const packed = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);

  console.log(`  floor: rows to nowhere     ${seconds(floor)}`);
  console.log(
    `  backup with hashes         ${seconds(made)}  ratio ${(made / floor).toFixed(1)}  goal ≤ ${goals.backupS} s`,
  );
  console.log(
    `  restored and proven        ${seconds(proof)}  ratio ${(proof / floor).toFixed(1)}  goal ≤ ${goals.proofS} s`,
  );
  console.log(
    `  ${rows} rows in ${(packed / 1e6).toFixed(0)} MB; state ${record.state}; findings ${record.findings.length}`,
  );
  console.log(
    `  one writer: ${quiet.rate.toFixed(0)}/s, longest ${quiet.longest.toFixed(0)} ms alone; ` +
      `${busy.rate.toFixed(0)}/s, longest ${busy.longest.toFixed(0)} ms during the backup`,
  );
  if (record.state !== 'proven' || made > goals.backupS * 1_000 || proof > goals.proofS * 1_000) process.exitCode = 1;
} finally {
  await world.close();
  await runtime.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
}

/** Two tables of the platform as a year leaves them. */
async function fill(client: pg.Client): Promise<number> {
  for (;;) {
    await client.query(`
      INSERT INTO platform.audit_log (schema_name, table_name, record, operation, old, new, actor, request_id)
      SELECT 'wms', 'movement', jsonb_build_object('id', md5(n::text)), 'UPDATE',
             jsonb_build_object('id', md5(n::text), 'status', 'draft', 'number', n, 'at', clock_timestamp()),
             jsonb_build_object('id', md5(n::text), 'status', 'posted', 'number', n, 'at', clock_timestamp()),
             gen_random_uuid()::text, gen_random_uuid()::text
      FROM generate_series(1, 50000) n`);
    await client.query(`
      INSERT INTO platform.outbox (name, body, domain, published_at, request_id, actor)
      SELECT 'wms.posted', jsonb_build_object('movementId', gen_random_uuid(), 'lines', n % 9, 'code', md5(n::text)), 'wms',
             clock_timestamp(), gen_random_uuid()::text, gen_random_uuid()::text
      FROM generate_series(1, 50000) n`);
    const { rows } = await client.query<{ size: string }>(`SELECT pg_database_size(current_database()) AS size`);
    const size = Number(rows[0]?.size);
    if (size < megabytes * 1_000_000) continue;
    await client.query('CHECKPOINT; ANALYZE');
    return size;
  }
}

async function copyToNowhere(): Promise<void> {
  const clients = await Promise.all(Array.from({ length: lanes }, () => openFixed(config.DATABASE_URL, 'bench')));
  const lane = (client: pg.Client) => async (table: string) => {
    const nowhere = new Writable({
      write(_chunk, _encoding, done) {
        done();
      },
    });
    await pipeline(client.query(copyTo(`COPY (SELECT * FROM ${table}) TO STDOUT`)), nowhere);
  };
  await eachOf(['platform.audit_log', 'platform.outbox'], clients.map(lane));
  await Promise.all(clients.map((client) => client.end()));
}

/** How a writer of single rows fares meanwhile. */
async function writing(meanwhile: () => Promise<unknown>): Promise<{ rate: number; longest: number }> {
  const client = new pg.Client({ connectionString: config.DATABASE_URL });
  await client.connect();
  const began = performance.now();
  let [going, count, longest] = [true, 0, 0];
  const writer = (async () => {
    while (going) {
      const one = await timed(() =>
        client.query(`INSERT INTO platform.outbox (name, body, domain, published_at) VALUES ('x', '{}', 'wms', now())`),
      );
      longest = Math.max(longest, one);
      count += 1;
    }
  })();
  await meanwhile();
  going = false;
  await writer;
  await client.end();
  return { rate: count / ((performance.now() - began) / 1_000), longest };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
