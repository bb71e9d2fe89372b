import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateAll } from '@belay/platform';
import { EmbeddedPostgres } from '../../apps/cli/src/local/embedded-postgres.js';
import { ledgers } from '../../migrations/index.js';
import { templates } from './databases.js';

/** A PostgreSQL server of its own in a temporary folder, with a migrated template of each database. */
export async function startTestServer(): Promise<{ adminUrl: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'belay-test-'));
  const server = await EmbeddedPostgres.start({
    folder: join(folder, 'postgres'),
    durable: false,
    maxConnections: 500,
  });
  for (const name of Object.values(templates)) await server.ensureDatabase(name);
  await migrateAll(
    { databaseUrl: server.url(templates.application), controlUrl: server.url(templates.control) },
    ledgers,
  );
  return {
    adminUrl: server.url('postgres'),
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
