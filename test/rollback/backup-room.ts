import { randomUUIDv7 } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateUp, readConfig, startRuntime, type Config, type Ledger, type RunningRuntime } from '@belay/platform';
import type pg from 'pg';
import type { BackupLevel, BackupScope } from '../../libs/rollback/src/backups/backup.contract.js';
import { proveBackup } from '../../libs/rollback/src/backups/backup-proof.service.js';
import { writtenBackup } from '../../libs/rollback/src/backups/backup-record.service.js';
import { insertBackup, type BackupRecord } from '../../libs/rollback/src/backups/backup.queries.js';
import { World } from '../../libs/rollback/src/engine/world.js';
import { ledgers } from '../../migrations/index.js';
import { createDatabases, createEmptyDatabase } from '../support/databases.js';
import { environmentOf } from '../support/environment.js';
import { quietPool } from '../support/pool.js';

/** What every installation has; a restore of it takes no longer than it must. */
export const platformOnly = ledgers.filter(({ domain }) => domain === 'control' || domain === 'platform');

/** An installation with the platform and the given domains, and a folder for its backups. */
export class BackupRoom {
  private constructor(
    readonly folder: string,
    readonly env: Readonly<Record<string, string>>,
    readonly config: Config,
    readonly world: World,
    readonly runtime: RunningRuntime,
    readonly pool: pg.Pool,
    private readonly stop: AsyncDisposableStack,
  ) {}

  static async open(of: readonly Ledger[], env: Readonly<Record<string, string>> = {}): Promise<BackupRoom> {
    await using started = new AsyncDisposableStack();
    const control = started.adopt(await createDatabases(), (one) => one.drop());
    const application = started.adopt(await createEmptyDatabase(), (one) => one.drop());
    const folder = mkdtempSync(join(tmpdir(), 'belay-backups-'));
    started.defer(() => {
      rmSync(folder, { recursive: true, force: true });
    });
    const urls = { databaseUrl: application.url, controlUrl: control.controlUrl };
    const variables = environmentOf(urls, join(folder, 'no-flags.json'), {
      BACKUP_DIR: join(folder, 'backups'),
      ...env,
    });
    const config = readConfig(variables);
    const runtime = started.adopt(await startRuntime('worker', [], config), (one) => one.close());
    const all = [...platformOnly, ...of];
    const world = started.adopt(new World(runtime, all), (one) => one.close());
    for (const { domain, database } of all) if (database === 'application') await migrateUp(world.targets, all, domain);
    const pool = started.adopt(quietPool(application.url, 8), (one) => one.end());
    return new BackupRoom(folder, variables, config, world, runtime, pool, started.move());
  }

  /** The same databases as another process or another release sees them. */
  another(config: Partial<Config>, of: readonly Ledger[] = this.world.ledgers): World & AsyncDisposable {
    const world = new World({ ...this.runtime, config: { ...this.config, ...config } }, of);
    let open = true;
    const close = async () => {
      if (open) await world.close();
      open = false;
    };
    this.stop.defer(close);
    return Object.assign(world, { [Symbol.asyncDispose]: close });
  }

  async rows<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.pool.query<Row>(sql, [...values])).rows;
  }

  async control<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.world.control.query<Row>(sql, [...values])).rows;
  }

  /** Announced and not yet made. */
  async announce(scope: BackupScope, wanted: BackupLevel | null = null, id: string = randomUUIDv7()): Promise<string> {
    const location = join(this.config.BACKUP_DIR, id);
    await insertBackup(this.world.control, { id, scope, location, runId: null, requestedBy: 'maria', wanted });
    return id;
  }

  async make(scope: BackupScope, world = this.world): Promise<BackupRecord> {
    return writtenBackup(world, { id: await this.announce(scope), scope });
  }

  prove(id: string, level: BackupLevel, world = this.world): Promise<BackupRecord> {
    return proveBackup(world, id, level);
  }

  /** Names of the side databases that this installation has now. */
  async sides(): Promise<string[]> {
    const [control] = await this.control<{ name: string }>(`SELECT current_database() AS name`);
    const found = await this.rows<{ name: string }>(
      `SELECT datname AS name FROM pg_database WHERE datname LIKE 'belay\\_side\\_%' AND shobj_description(oid, 'pg_database') = $1`,
      [`side database of ${control?.name ?? ''}`],
    );
    return found.map(({ name }) => name);
  }

  close(): Promise<void> {
    return this.stop.disposeAsync();
  }
}
