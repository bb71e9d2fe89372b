import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AuditTrail, createLogger, Flags, Metrics, openPool, readConfig } from '@belay/platform';
import pg from 'pg';
import { writtenBackup } from '../../libs/rollback/src/backups/backup-record.service.js';
import { insertBackup } from '../../libs/rollback/src/backups/backup.queries.js';
import { hostActor } from '../../libs/rollback/src/engine/actor.js';
import { World } from '../../libs/rollback/src/engine/world.js';
import { restoreControl } from '../../libs/rollback/src/restores/control-restore.service.js';
import { ledgers } from '../../migrations/index.js';
import { FlagsFile } from '../gate/flags-file.js';
import { createDatabases, type TestDatabases } from '../support/databases.js';

const entry = (subject: string) =>
  ({ actor: { id: 'maria' }, action: 'flag.off', subject, environment: 'test', outcome: 'done' }) as const;
const by = hostActor('maria');
const reason = 'the memory is damaged';

/** Whoever sits at the machine while everything else stands still. */
class Desk {
  private constructor(
    readonly databases: TestDatabases,
    readonly world: World,
    readonly folder: string,
    private readonly stop: () => Promise<void>,
  ) {}

  static async open(): Promise<Desk> {
    const databases = await createDatabases();
    const folder = mkdtempSync(join(tmpdir(), 'belay-control-'));
    const flagsFile = new FlagsFile([]);
    const config = readConfig({
      NODE_ENV: 'test',
      LOG_LEVEL: 'silent',
      SECRET_KEY: randomBytes(32).toString('base64'),
      DATABASE_URL: databases.databaseUrl,
      CONTROL_DATABASE_URL: databases.controlUrl,
      FLAGS_FILE: flagsFile.path,
      BACKUP_DIR: folder,
    });
    const processId = randomUUIDv7();
    const log = createLogger(config, 'cli', processId);
    const flags = await Flags.open(config, [], processId, log);
    const limits = { max: 3, statementTimeoutMs: 10_000, lockTimeoutMs: 2_000, applicationName: 'belay-cli-control' };
    const control = openPool(databases.controlUrl, limits);
    const metrics = new Metrics('cli', config.BUILD_SHA);
    const world = new World({ config, control, domains: [], flags, log, metrics, processId, role: 'cli' }, ledgers);
    return new Desk(databases, world, folder, async () => {
      flags.close();
      await world.close();
      await control.end();
      flagsFile.remove();
      rmSync(folder, { recursive: true, force: true });
      await databases.drop();
    });
  }

  close(): Promise<void> {
    return this.stop();
  }

  get trail(): AuditTrail {
    return new AuditTrail(this.world.control);
  }

  async rows<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.world.control.query<Row>(sql, [...values])).rows;
  }

  async backUp(): Promise<string> {
    const id = randomUUIDv7();
    const location = join(this.folder, id);
    const scope = { kind: 'control' } as const;
    await insertBackup(this.world.control, { id, scope, location, runId: null, requestedBy: 'maria', wanted: null });
    await writtenBackup(this.world, { id, scope });
    return location;
  }

  /** A run as it is in the middle of its work. */
  async runs(state: string): Promise<string> {
    const id = randomUUIDv7();
    const planId = randomBytes(32).toString('hex');
    await this.rows(
      `INSERT INTO control.plan (id, kind, doc, risk, fingerprint, state, created_by, expires_at)
       VALUES ($1, 'module', '{}', 'none', 'x', 'used', 'maria', now())`,
      [planId],
    );
    await this.rows(
      `INSERT INTO control.run (id, plan_id, mode, state, policy, reason, actor)
       VALUES ($1, $2, 'normal', $3, 'compensate', 'the counts are wrong', 'maria')`,
      [id, planId, state],
    );
    return id;
  }
}

// A busy machine takes its time.
jest.setTimeout(120_000);

describe('the memory as it was in a backup', () => {
  let desk: Desk;
  beforeEach(async () => {
    desk = await Desk.open();
  });
  afterEach(() => desk.close());

  it('keeps off what was off, gives no epoch twice, stops what ran, and tells what its trail has lost', async () => {
    for (const subject of ['one', 'two', 'three']) await desk.trail.append(entry(subject));
    await desk.rows(`SELECT control.override_flag('live', 'enable_wms_module', true, 'wrong', 'maria')`);
    const runId = await desk.runs('running');
    const folder = await desk.backUp();
    await desk.trail.append(entry('four'));
    const last = await desk.trail.append(entry('five'));
    await desk.rows(`SELECT control.override_flag('live', 'enable_sop_module', true, 'wrong', 'maria')`);
    await desk.world.application.query(`UPDATE platform.fence SET epoch = 41 WHERE scope = 'live'`);

    const newestAnchor = { seq: last.seq, hash: last.hash.toString('hex') };
    const request = { folder, newestAnchor, by, reason };
    const api = new pg.Client({ connectionString: desk.databases.controlUrl, application_name: 'belay-api-control' });
    await api.connect();
    await expect(restoreControl(desk.world, request)).rejects.toMatchObject({
      slug: 'restore-refused',
      members: { connected: ['belay-api-control'] },
    });
    await api.end();

    const done = await restoreControl(desk.world, request);
    expect(done).toMatchObject({
      gap: { from: 4, to: 5, anchorHash: newestAnchor.hash },
      fork: null,
      stillOff: ['enable_sop_module', 'enable_wms_module'],
      stopped: [runId],
    });
    expect(done.kept).toMatch(/_failed_[0-9a-f]{8}$/);
    expect(await desk.trail.verify()).toMatchObject({ broken: undefined, entries: 5, head: done.head });
    expect(await desk.rows(`SELECT action, outcome FROM control.audit_entry WHERE seq > 3 ORDER BY seq`)).toEqual([
      { action: 'audit.gap', outcome: 'lost' },
      { action: 'control.restore', outcome: 'done' },
    ]);
    expect(await desk.rows(`SELECT flag FROM control.flag_override WHERE off ORDER BY 1`)).toEqual([
      { flag: 'enable_sop_module' },
      { flag: 'enable_wms_module' },
    ]);
    expect(await desk.rows(`SELECT epoch, holder FROM control.lease WHERE scope = 'live'`)).toEqual([
      { epoch: '41', holder: null },
    ]);
    expect(await desk.rows(`SELECT state, paused_for FROM control.run`)).toEqual([
      { state: 'paused', paused_for: 'human' },
    ]);
    await desk.rows(`DROP DATABASE ${done.kept ?? ''} WITH (FORCE)`);
  }, 60_000);

  it('says so when the trail of the backup is not the one that was anchored', async () => {
    await desk.trail.append(entry('one'));
    const folder = await desk.backUp();
    const newestAnchor = { seq: 1, hash: 'ab'.repeat(32) };
    const done = await restoreControl(desk.world, { folder, newestAnchor, by, reason });
    expect(done).toMatchObject({ gap: null, fork: { seq: 1, anchorHash: newestAnchor.hash } });
    expect(await desk.rows(`SELECT action, outcome FROM control.audit_entry WHERE seq > 1 ORDER BY seq`)).toEqual([
      { action: 'audit.fork', outcome: 'differs' },
      { action: 'control.restore', outcome: 'done' },
    ]);
    await desk.rows(`DROP DATABASE ${done.kept ?? ''} WITH (FORCE)`);
  }, 60_000);

  it('is made where there is none any more', async () => {
    const first = await desk.trail.append(entry('one'));
    const folder = await desk.backUp();
    const name = new URL(desk.databases.controlUrl).pathname.slice(1);
    await desk.world.application.query(`DROP DATABASE ${name} WITH (FORCE)`);
    const newestAnchor = { seq: 1, hash: first.hash.toString('hex') };
    const done = await restoreControl(desk.world, { folder, newestAnchor, by, reason });
    expect(done).toMatchObject({ kept: null, gap: null, fork: null });
    expect(await desk.trail.verify()).toMatchObject({ broken: undefined, entries: 2 });
  }, 60_000);

  it('is nothing else but a backup of it', async () => {
    const id = randomUUIDv7();
    const scope = { kind: 'application' } as const;
    const location = join(desk.folder, id);
    await insertBackup(desk.world.control, { id, scope, location, runId: null, requestedBy: 'maria', wanted: null });
    await writtenBackup(desk.world, { id, scope });
    await expect(
      restoreControl(desk.world, { folder: location, newestAnchor: null, by, reason }),
    ).rejects.toMatchObject({ slug: 'restore-refused' });
    await expect(
      restoreControl(desk.world, { folder: join(desk.folder, 'nothing'), newestAnchor: null, by, reason }),
    ).rejects.toMatchObject({ slug: 'backup-broken' });
  }, 60_000);
});
