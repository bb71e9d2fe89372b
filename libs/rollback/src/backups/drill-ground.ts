import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { migrateUp, openPool } from '@belay/platform';
import pg from 'pg';
import { World } from '../engine/world.js';
import { insertBackup, newestRecord } from './backup.queries.js';
import { writtenBackup } from './backup-record.service.js';
import { openBackup, type OpenBackup } from './open-backup.js';
import { restoreInto } from './restore-into.js';
import { SideDatabase } from './side-database.js';

/** What a drill must know of migrations and of what they left, and nothing of what was done. */
const remembered = ['migration_artifact', 'schema_fingerprint', 'parked_object', 'runbook'];

/** Both databases once more, from a backup, with a memory of its own: whatever is done there nobody else sees. */
export class DrillGround {
  private constructor(
    readonly backup: OpenBackup,
    readonly side: SideDatabase,
    readonly world: World,
    private readonly laid: AsyncDisposableStack,
  ) {}

  static async lay(live: World, signal?: AbortSignal): Promise<DrillGround> {
    await using laying = new AsyncDisposableStack();
    const backup = await sourceOf(live, signal);
    const { database } = backup.manifest;
    const tag = () => randomBytes(4).toString('hex');
    const side = laying.adopt(await SideDatabase.create(live, database, tag()), (one) => one.drop());
    await restoreInto(live, backup, side, signal ? { signal } : {});

    const bare = { ...database, settings: [] };
    const memory = laying.adopt(await SideDatabase.create(live, bare, tag(), 'control'), (one) => one.drop());
    await migrateUp({ databaseUrl: side.url, controlUrl: memory.url }, live.ledgers, 'control');
    const control = laying.adopt(
      openPool(memory.url, {
        max: 5,
        statementTimeoutMs: live.runtime.config.STATEMENT_TIMEOUT_MS,
        lockTimeoutMs: live.runtime.config.LOCK_TIMEOUT_MS,
        applicationName: 'belay-drill',
      }),
      (pool) => pool.end(),
    );
    await recall(live.control, control);

    const folder = join(live.runtime.config.BACKUP_DIR, `drill-${tag()}`);
    await mkdir(folder, { recursive: true });
    laying.defer(() => rm(folder, { recursive: true, force: true }));
    const places = { DATABASE_URL: side.url, CONTROL_DATABASE_URL: memory.url, BACKUP_DIR: folder };
    const config = { ...live.runtime.config, ...places, BACKUP_COPY_DIR: undefined };
    const processId = randomUUIDv7();
    const world = new World({ ...live.runtime, processId, config, control }, live.ledgers, live.stages);
    laying.defer(() => world.close());
    return new DrillGround(backup, side, world, laying.move());
  }

  clear(): Promise<void> {
    return this.laid.disposeAsync();
  }
}

/** The newest backup of the application, or one that is made now when a migration ran since. */
async function sourceOf(live: World, signal?: AbortSignal): Promise<OpenBackup> {
  const newest = await newestRecord(live.control, { domains: 'application', level: 0 });
  const { rows } = await live.control.query<{ stale: boolean }>(
    `SELECT coalesce(max(at) > $1, true) AS stale FROM control.schema_fingerprint WHERE domain <> 'control'`,
    [newest?.snapshotAt ?? null],
  );
  if (newest && rows[0]?.stale === false) return openBackup(live, newest.id, signal);
  const id = randomUUIDv7();
  const scope = { kind: 'application' } as const;
  const location = join(live.runtime.config.BACKUP_DIR, id);
  await insertBackup(live.control, { id, scope, location, runId: null, requestedBy: 'drill', wanted: null });
  await writtenBackup(live, { id, scope, ...(signal && { signal }) });
  return openBackup(live, id, signal);
}

async function recall(from: pg.Pool, to: pg.Pool): Promise<void> {
  for (const table of remembered) {
    const { rows } = await from.query<{ all: unknown }>(`SELECT jsonb_agg(to_jsonb(t)) AS all FROM control.${table} t`);
    await to.query(
      `INSERT INTO control.${table} SELECT * FROM jsonb_populate_recordset(NULL::control.${table}, coalesce($1, '[]'::jsonb))
       ON CONFLICT DO NOTHING`,
      [JSON.stringify(rows[0]?.all ?? [])],
    );
  }
}
