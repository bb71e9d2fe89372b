import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateAll } from '@belay/platform';
import pg from 'pg';
import { EmbeddedPostgres } from '../../apps/cli/src/local/embedded-postgres.js';
import { ledgers } from '../../migrations/index.js';
import { templates } from './databases.js';

const prefix = 'belay-test-server-';
const settlingMs = 120_000;

/** A PostgreSQL server of its own in a temporary folder, with a migrated template of each database. */
export async function startTestServer(): Promise<{ adminUrl: string; stop(): Promise<void> }> {
  await sweep();
  const folder = mkdtempSync(join(tmpdir(), prefix));
  const server = await EmbeddedPostgres.start({ folder, durable: false, maxConnections: 400 });
  for (const name of Object.values(templates)) await server.ensureDatabase(name);
  await migrateAll(
    { databaseUrl: server.url(templates.application), controlUrl: server.url(templates.control) },
    ledgers,
  );
  // Nobody may connect to what is cloned: a clone is refused while somebody does.
  const admin = new pg.Client({ connectionString: server.url('postgres') });
  await admin.connect();
  for (const name of Object.values(templates)) await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
  await admin.end();
  return {
    adminUrl: server.url('postgres'),
    stop: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Test runs that were killed leave a server and its folder; whoever comes next clears them away. */
async function sweep(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(prefix))) {
    const folder = join(tmpdir(), name);
    const made = statSync(folder, { throwIfNoEntry: false })?.birthtimeMs ?? Date.now();
    if (Date.now() - made < settlingMs) continue;
    if (await EmbeddedPostgres.stopUnused(folder)) rmSync(folder, { recursive: true, force: true });
  }
}
