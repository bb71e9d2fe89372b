import { randomUUIDv7 } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { AuditTrail, readConfig, type Domain } from '@belay/platform';
import pg from 'pg';
import { backupCreate } from '../../libs/rollback/src/backups/backup.create.action.js';
import { capacityCheckOf } from '../../libs/rollback/src/checks/capacity.check.js';
import type { CheckPhase, CheckReport } from '../../libs/rollback/src/checks/check.js';
import { Checks, safetyChecks } from '../../libs/rollback/src/checks/checks.js';
import type { JsonObject } from '../../libs/rollback/src/engine/json.js';
import { World } from '../../libs/rollback/src/engine/world.js';
import { fingerprintNow } from '../../libs/rollback/src/plans/fingerprint.queries.js';
import { hashOfDocument } from '../../libs/rollback/src/plans/plan-hash.rules.js';
import { planDoc, type PlanDoc, type PlanStep } from '../../libs/rollback/src/plans/plan.contract.js';
import { workshop } from '../jobs/workshop.js';
import { connect } from '../migrations/databases.js';
import { eventually } from '../support/eventually.js';
import { ActionRoom } from './action-room.js';
import { createDepot, depot, depotLedgers, recovery } from './depot.js';
import { Standby } from './standby.js';

@Module({})
class StandModule {}

/** Cannot live without the depot, and has no schema of its own. */
const stand: Domain = {
  name: 'stand',
  title: 'Stand',
  flag: 'enable_stand',
  after: ['depot'],
  features: [],
  module: StandModule,
};

const step = (action: string, input: JsonObject = {}, more: Partial<PlanStep> = {}): PlanStep => ({
  key: action,
  action,
  version: 1,
  domain: typeof input['domain'] === 'string' ? input['domain'] : null,
  input,
  after: [],
  destructive: ['migration.down', 'rows.restore', 'domain.restore', 'purge'].includes(action),
  timeoutS: 10,
  onFail: 'hold',
  undo: '',
  ...more,
});
const down = step('migration.down', { domain: 'depot' });

describe('a safety check', () => {
  let room: ActionRoom;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'belay-checks-'));
    room = await ActionRoom.open({
      domains: [depot, stand, workshop],
      ledgers: depotLedgers,
      on: ['enable_depot', 'enable_stand'],
      env: { LONG_TRANSACTION_S: '1', MOST_REPLICA_LAG_S: '1', BACKUP_DIR: folder },
    });
    await createDepot(room.world.targets);
  });
  afterAll(async () => {
    await room.close();
    rmSync(folder, { recursive: true });
  });

  async function plan(steps: readonly PlanStep[], more: Partial<PlanDoc> = {}): Promise<PlanDoc> {
    const domains = more.domains ?? ['stand', 'depot'];
    return planDoc.parse({
      schemaVersion: 1,
      target: { kind: 'module', domain: 'depot', depth: 'parked' },
      reason: 'the counts are wrong',
      author: 'maria',
      createdAt: new Date().toISOString(),
      fingerprint: await fingerprintNow(room.world, domains),
      domains,
      policy: 'compensate',
      risk: 'medium',
      dataLossRisk: 'none',
      changes: [],
      impact: { unavailable: [], dependents: [], rows: 0, bytes: 0, tables: [], notes: [] },
      backup: { scope: ['depot'], level: 4 },
      steps,
      approvals: [],
      budgetS: 900,
      targetS: 60,
      estimateS: 1,
      warnings: [],
      ...more,
    });
  }

  interface Facts {
    readonly phase?: CheckPhase;
    readonly step?: PlanStep;
    readonly runId?: string;
    readonly planId?: string;
    readonly world?: World;
  }

  async function report(id: string, doc: PlanDoc, facts: Facts = {}): Promise<CheckReport> {
    const check = safetyChecks.find((one) => one.id === id);
    if (!check) throw new Error(`no check ${id}`);
    const { phase = facts.step ? 'step' : 'plan', runId = null, planId = hashOfDocument(doc) } = facts;
    if (!check.applies(doc)) throw new Error(`${id} does not apply`);
    if (!check.phases.includes(phase)) throw new Error(`${id} is not made in phase ${phase}`);
    const context = { world: facts.world ?? room.world, planId, plan: doc, phase, runId, step: facts.step ?? null };
    const found = await check.run({ ...context, signal: new AbortController().signal });
    // Whatever does not pass says what was measured against what, and how to go on.
    if (found.outcome !== 'pass') {
      expect(found.recovery.length).toBeGreaterThanOrEqual(1);
      expect(Object.keys(found.measured).length).toBeGreaterThanOrEqual(1);
      expect(Object.keys(found.threshold).length).toBeGreaterThanOrEqual(1);
    }
    return found;
  }

  describe('S01', () => {
    afterEach(() =>
      room.control(`UPDATE control.lease SET holder = NULL, run_id = NULL, purpose = NULL, heartbeat_at = NULL`),
    );
    const hold = (age: string, runId: string | null = null) =>
      room.control(
        `UPDATE control.lease SET holder = gen_random_uuid(), purpose = 'deploy', run_id = $1,
                heartbeat_at = clock_timestamp() - $2::interval WHERE scope = 'live'`,
        [runId, age],
      );

    it('refuses while somebody holds the lease, and not when they were silent for too long or it is the run itself', async () => {
      const doc = await plan([down]);
      expect(await report('S01', doc)).toMatchObject({ outcome: 'pass' });
      await hold('1 second');
      expect(await report('S01', doc)).toMatchObject({ outcome: 'fail', measured: { heldBy: 'deploy' } });
      await hold('4 seconds');
      expect(await report('S01', doc)).toMatchObject({ outcome: 'pass' });
      const runId = await room.run();
      await hold('1 second', runId);
      expect(await report('S01', doc, { phase: 'start', runId })).toMatchObject({ outcome: 'pass' });
      expect(await report('S01', doc)).toMatchObject({ outcome: 'fail', evidence: { run: runId } });
    });

    it('lets an emergency take over from a run, and from another emergency only when it is higher', async () => {
      const runId = await room.run();
      const emergency = (level: 'E1' | 'E2') => plan([step('verify.all')], { target: { kind: 'emergency', level } });
      await hold('1 second', runId);
      expect(await report('S01', await emergency('E1'))).toMatchObject({
        outcome: 'pass',
        evidence: { preempts: runId },
      });
      await room.control(`UPDATE control.run SET mode = 'emergency', level = 'E1' WHERE id = $1`, [runId]);
      expect(await report('S01', await emergency('E1'))).toMatchObject({ outcome: 'fail' });
      expect(await report('S01', await emergency('E2'))).toMatchObject({ outcome: 'pass' });
    });

    it('refuses while migrations run', async () => {
      const client = new pg.Client({ connectionString: room.databases.databaseUrl });
      await client.connect();
      await client.query(`SELECT pg_advisory_lock(hashtextextended('belay.migrations', 0))`);
      expect(await report('S01', await plan([down]))).toMatchObject({ outcome: 'fail', measured: { migrations: 1 } });
      await client.end();
    });
  });

  it('S02 refuses a trail that was tampered with, or that cannot be written, unless it is an emergency', async () => {
    const doc = await plan([down]);
    const trail = new AuditTrail(room.world.control);
    for (const subject of ['one', 'two']) {
      await trail.append({ actor: { id: 'maria' }, action: 'test', subject, environment: 'test', outcome: 'done' });
    }
    expect(await report('S02', doc)).toMatchObject({ outcome: 'pass', measured: { entries: 2 } });
    const [{ seq } = { seq: 0 }] = await room.control<{ seq: string }>(`SELECT seq FROM control.audit_head`);
    expect(seq).toBe('2');

    await room.control(
      `ALTER TABLE control.audit_entry ADD CONSTRAINT closed CHECK (action <> 'check.audit') NOT VALID`,
    );
    expect(await report('S02', doc)).toMatchObject({ outcome: 'fail', measured: { writable: false, broken: null } });
    await room.control(`ALTER TABLE control.audit_entry DROP CONSTRAINT closed`);

    await room.control(`ALTER TABLE control.audit_entry DISABLE TRIGGER ALL`);
    await room.control(`UPDATE control.audit_entry SET subject = 'nothing' WHERE seq = 2`);
    expect(await report('S02', doc)).toMatchObject({ outcome: 'fail', measured: { broken: { seq: 2 } } });
    const emergency = await plan([step('verify.all')], { target: { kind: 'emergency', level: 'E1' } });
    expect(await report('S02', emergency)).toMatchObject({ outcome: 'pass', evidence: { journal: 'local' } });
    await room.control(`UPDATE control.audit_entry SET subject = 'two' WHERE seq = 2`);
    await room.control(`ALTER TABLE control.audit_entry ENABLE TRIGGER ALL`);
    expect(await report('S02', doc)).toMatchObject({ outcome: 'pass' });
  });

  it('S03 refuses backups, markers and schemas that are not there', async () => {
    const ids = [randomUUIDv7(), randomUUIDv7()];
    const named = await plan([
      step('domain.restore', { domain: 'depot', backupId: ids[0] ?? '' }),
      step('rows.restore', { domain: 'depot', markerId: ids[1] ?? '' }),
      step('rows.restore', { domain: 'depot', failedSchema: 'depot__failed_00000000' }),
    ]);
    expect(await report('S03', named)).toMatchObject({
      outcome: 'fail',
      measured: { missing: [`backup ${ids[0]}`, `marker ${ids[1]}`, 'schema depot__failed_00000000'] },
    });
    expect(await report('S03', await plan([down]))).toMatchObject({ outcome: 'pass' });
    expect(await report('S03', await plan([step('migration.down', { domain: 'stand' })]))).toMatchObject({
      outcome: 'fail',
    });
  });

  it('S05 refuses a plan whose schema, ledger or flags have changed since, or that is older than half an hour', async () => {
    const doc = await plan([down]);
    expect(await report('S05', doc)).toMatchObject({ outcome: 'pass' });
    for (const [change, back] of [
      [`ALTER TABLE depot.item ADD COLUMN colour text`, `ALTER TABLE depot.item DROP COLUMN colour`],
      [
        `UPDATE public.depot_migrations SET state = 'parked' WHERE name LIKE '%add-priority'`,
        `UPDATE public.depot_migrations SET state = 'applied'`,
      ],
    ] as const) {
      await room.rows(change);
      expect(await report('S05', doc)).toMatchObject({ outcome: 'fail' });
      await room.rows(back);
      expect(await report('S05', doc)).toMatchObject({ outcome: 'pass' });
    }
    const override = (flag: string, off: boolean) =>
      room.control(`SELECT control.override_flag('live', $1, $2, 'a test of it', 'maria')`, [flag, off]);
    await override('enable_stand', true);
    expect(await report('S05', doc)).toMatchObject({ outcome: 'fail' });
    await override('enable_stand', false);
    expect(await report('S05', doc)).toMatchObject({ outcome: 'pass' });

    const aged = (minutes: number) =>
      plan([down], { createdAt: new Date(Date.now() - minutes * 60_000).toISOString() });
    expect(await report('S05', await aged(29.8))).toMatchObject({ outcome: 'pass' });
    expect(await report('S05', await aged(30.2))).toMatchObject({ outcome: 'fail', threshold: { minutes: 30 } });
  });

  it('S06 names what no migration has done to the schema', async () => {
    const doc = await plan([down]);
    expect(await report('S06', doc)).toMatchObject({ outcome: 'pass' });
    await room.rows(`CREATE INDEX by_hand ON depot.item (qty)`);
    expect(await report('S06', doc)).toMatchObject({
      outcome: 'fail',
      measured: { drifted: [{ domain: 'depot', first: ['index depot.item.by_hand added'] }] },
    });
    await room.rows(`DROP INDEX depot.by_hand`);
    const [kept] = await room.control<{ sha256: string; catalog: object }>(
      `DELETE FROM control.schema_fingerprint WHERE domain = 'depot' RETURNING sha256, catalog`,
    );
    expect(await report('S06', doc)).toMatchObject({ outcome: 'inconclusive', measured: { unknown: ['depot'] } });
    await room.control(`INSERT INTO control.schema_fingerprint (domain, sha256, catalog) VALUES ('depot', $1, $2)`, [
      kept?.sha256,
      kept?.catalog,
    ]);
    expect(await report('S06', doc)).toMatchObject({ outcome: 'pass' });
  });

  it('S07 refuses when neither build nor vault knows what was applied', async () => {
    const doc = await plan([down]);
    expect(await report('S07', doc)).toMatchObject({ outcome: 'pass', measured: { unknown: [] } });
    const foreign = 'f'.repeat(64);
    const [row] = await room.rows<{ name: string; checksum: string }>(
      `SELECT name, checksum FROM public.depot_migrations ORDER BY name DESC LIMIT 1`,
    );
    const name = row?.name ?? '';
    await room.rows(`UPDATE public.depot_migrations SET checksum = $1 WHERE name = $2`, [foreign, name]);
    expect(await report('S07', doc)).toMatchObject({ outcome: 'fail', measured: { unknown: [`depot/${name}`] } });
    await room.control(
      `INSERT INTO control.migration_artifact (domain, name, checksum, up_sql, down_sql, up_again_sql, class, release)
       VALUES ('depot', $1, $2, '{}', '{}', '{}', 'additive', 'test')`,
      [name, foreign],
    );
    expect(await report('S07', doc)).toMatchObject({ outcome: 'pass' });
    await room.rows(`UPDATE public.depot_migrations SET checksum = $1 WHERE name = $2`, [row?.checksum, name]);
  });

  it('S08 asks for level 4 and two people when a migration cannot be taken back from what it leaves', async () => {
    const two = [{ permission: 'rollback:approve' }, { permission: 'rollback:restore' }];
    const weak = await plan([down], { backup: { scope: ['depot'], level: 3 }, approvals: two });
    expect(await report('S08', weak)).toMatchObject({ outcome: 'pass' });
    await room.control(
      `UPDATE control.migration_artifact SET class = 'lossy' WHERE domain = 'depot' AND name LIKE '%add-priority'`,
    );
    expect(await report('S08', weak)).toMatchObject({ outcome: 'fail', measured: { level: 3 } });
    expect(await report('S08', await plan([down], { approvals: two.slice(0, 1) }))).toMatchObject({ outcome: 'fail' });
    expect(await report('S08', await plan([down], { approvals: two }))).toMatchObject({ outcome: 'pass' });
    await room.control(`UPDATE control.migration_artifact SET class = 'additive' WHERE domain = 'depot'`);
    const purge = step('purge', { domain: 'depot' });
    expect(await report('S08', await plan([purge]))).toMatchObject({ outcome: 'fail' });
  });

  it('S09 refuses while rows forbid it, and counts those that do not', async () => {
    const doc = await plan([down]);
    await room.rows(`INSERT INTO depot.item (id, name) VALUES (1, 'bolt')`);
    expect(await report('S09', doc)).toMatchObject({
      outcome: 'pass',
      evidence: {
        counted: [
          { object: 'depot.item', rows: 1 },
          { object: 'depot.batch', rows: 0 },
        ],
      },
    });
    await room.rows(`INSERT INTO depot.batch (item_id) VALUES (1)`);
    expect(await report('S09', doc, { step: down })).toMatchObject({
      outcome: 'fail',
      measured: { against: [{ object: 'depot.batch', mode: 'require-empty', rows: 1 }] },
    });
    await room.rows(`UPDATE depot.batch SET state = 'done'`);
    expect(await report('S09', doc)).toMatchObject({ outcome: 'pass' });
  });

  it('S10 refuses to drop what others rest on, refuses to replace what they refer to, and names who sees parked rows', async () => {
    await room.rows(`CREATE SCHEMA other; CREATE VIEW other.named AS SELECT name FROM depot.item;`);
    const purge = await plan([step('purge', { domain: 'depot' })]);
    const replace = await plan([step('domain.restore', { domain: 'depot' })]);
    const parked = async (work: () => Promise<void>) => {
      await room.rows(`ALTER SCHEMA depot RENAME TO depot__parked`);
      await work();
      await room.rows(`ALTER SCHEMA depot__parked RENAME TO depot`);
    };
    await parked(async () => {
      expect(await report('S10', purge)).toMatchObject({
        outcome: 'fail',
        measured: { against: ['view other.named'] },
      });
    });
    expect(await report('S10', replace)).toMatchObject({
      outcome: 'pass',
      evidence: { rebound: ['view other.named'] },
    });
    expect(await report('S10', await plan([down]))).toMatchObject({
      outcome: 'pass',
      evidence: { seeFrozenRows: ['view other.named'] },
    });
    await room.rows(`CREATE TABLE other.tag (item_id bigint CONSTRAINT tag_is_of_an_item REFERENCES depot.item)`);
    expect(await report('S10', replace)).toMatchObject({
      outcome: 'fail',
      measured: { against: ['foreign key tag_is_of_an_item of other.tag'] },
    });
    await room.rows(`CREATE SCHEMA depot__failed_00000001; CREATE TABLE depot__failed_00000001.item (id int);
                     CREATE VIEW other.old AS SELECT * FROM depot__failed_00000001.item;`);
    const copy = await plan([step('purge', { domain: 'depot', copies: ['depot__failed_00000001'] })]);
    expect(await report('S10', copy)).toMatchObject({ outcome: 'fail', measured: { against: ['view other.old'] } });
    await room.rows(`DROP SCHEMA other, depot__failed_00000001 CASCADE`);
    expect(await report('S10', copy)).toMatchObject({ outcome: 'pass' });
    await parked(async () => {
      expect(await report('S10', purge)).toMatchObject({ outcome: 'pass' });
    });
  });

  describe('S11', () => {
    let runId: string;
    beforeEach(async () => {
      await room.control(`DELETE FROM control.backup`);
      runId = await room.run();
    });
    /** Made now, and said to be of that level and age. */
    const keep = async (level: number, age: string, state = 'proven') => {
      runId = await room.run();
      await (await room.step(backupCreate, { domains: ['depot'] }, { runId })).execute();
      await room.control(`UPDATE control.backup SET level = $1, state = $2, snapshot_at = snapshot_at - $3::interval`, [
        level,
        state,
        age,
      ]);
    };
    const asked = async (level: number) => {
      const doc = await plan([down], { backup: { scope: ['depot'], level } });
      return report('S11', doc, { step: down, runId });
    };

    it('refuses a step without a backup, with one that is too weak, and with one that is too old', async () => {
      expect(await asked(4)).toMatchObject({ outcome: 'fail', measured: { level: null } });
      await room.rows(`ALTER TABLE platform.audit_log DISABLE TRIGGER ALL`);
      await room.rows(`UPDATE platform.audit_log SET at = at - interval '1 hour'`);
      await room.rows(`ALTER TABLE platform.audit_log ENABLE TRIGGER ALL`);
      await keep(3, '1 minute', 'restored');
      expect(await asked(4)).toMatchObject({ outcome: 'fail', measured: { level: 3 } });
      expect(await asked(3)).toMatchObject({ outcome: 'pass' });
      await room.control(
        `UPDATE control.backup SET level = 4, snapshot_at = clock_timestamp() - interval '14.8 minutes'`,
      );
      expect(await asked(4)).toMatchObject({ outcome: 'pass' });
      await room.control(`UPDATE control.backup SET snapshot_at = clock_timestamp() - interval '15.2 minutes'`);
      expect(await asked(4)).toMatchObject({ outcome: 'fail', threshold: { minutes: 15 } });
    });

    it('refuses a backup that somebody has written behind', async () => {
      await keep(4, '0 seconds');
      expect(await asked(4)).toMatchObject({ outcome: 'pass', measured: { writesSince: 0 } });
      await room.rows(`UPDATE depot.item SET qty = qty + 1`);
      expect(await asked(4)).toMatchObject({ outcome: 'fail', measured: { writesSince: 1 } });
    });

    it('refuses a backup behind which a table was written that nothing logs, whatever was done to it', async () => {
      const done = `INSERT INTO depot.batch (item_id, state) SELECT id, 'done' FROM depot.item LIMIT 1`;
      await room.rows(`INSERT INTO depot.item (id, name) VALUES (77, 'bolt'); ${done}; ${done}`);
      for (const write of [
        done,
        `UPDATE depot.batch SET state = 'done'`,
        `DELETE FROM depot.batch WHERE id = (SELECT max(id) FROM depot.batch)`,
        `ALTER TABLE depot.item DISABLE TRIGGER audit_log_change; UPDATE depot.item SET qty = qty + 1`,
      ]) {
        await room.control(`DELETE FROM control.backup`);
        await keep(4, '0 seconds');
        expect(await asked(4)).toMatchObject({ outcome: 'pass', measured: { writesSince: 0, unlogged: [] } });
        await room.rows(write);
        const unlogged = [write.includes('TRIGGER') ? 'depot.item' : 'depot.batch'];
        expect(await asked(4)).toMatchObject({ outcome: 'fail', measured: { writesSince: 0, unlogged } });
      }
      await room.rows(`ALTER TABLE depot.item ENABLE TRIGGER audit_log_change; DELETE FROM depot.batch`);
    });

    it('does not take for kept what was written while somebody else was at work when the backup was made', async () => {
      const other = new pg.Client({ connectionString: room.databases.databaseUrl });
      await other.connect();
      await other.query(`BEGIN; SELECT pg_current_xact_id()`);
      await room.rows(`INSERT INTO depot.reading (id, value) VALUES (1, 1)`);
      await keep(4, '0 seconds');
      expect(await asked(4)).toMatchObject({ outcome: 'fail', measured: { unlogged: ['depot.reading'] } });
      await other.end();
      await room.control(`DELETE FROM control.backup`);
      await keep(4, '0 seconds');
      expect(await asked(4)).toMatchObject({ outcome: 'pass' });
      await room.rows(`DELETE FROM depot.reading`);
    });

    it('refuses to begin without twice the room, and to restore from what is not proven', async () => {
      const create = step('backup.create', { domains: ['depot'] });
      const impact = (bytes: number) => ({
        unavailable: [],
        downtime: '',
        dependents: [],
        rows: 0,
        bytes,
        tables: [],
        notes: [],
      });
      expect(await report('S11', await plan([create, down], { impact: impact(1_000) }))).toMatchObject({
        outcome: 'pass',
      });
      const vast = await plan([create, down], { impact: impact(2 ** 52) });
      expect(await report('S11', vast)).toMatchObject({ outcome: 'fail', threshold: { freeBytes: 2 ** 53 } });

      const id = randomUUIDv7();
      await room.control(
        `INSERT INTO control.backup (id, scope, domains, location, level, state) VALUES ($1, 'domains', '{depot}', 'x', 3, 'restored')`,
        [id],
      );
      const restore = await plan([step('domain.restore', { domain: 'depot', backupId: id })]);
      expect(await report('S11', restore)).toMatchObject({ outcome: 'fail', measured: { source: [id] } });
      await room.control(`UPDATE control.backup SET level = 4, state = 'proven' WHERE id = $1`, [id]);
      expect(await report('S11', restore)).toMatchObject({ outcome: 'pass' });
    });

    it('S12 refuses when a restore took longer than the budget when it was rehearsed', async () => {
      const id = randomUUIDv7();
      await room.control(
        `INSERT INTO control.backup (id, scope, domains, location, level, state, drill_ms)
         VALUES ($1, 'domains', '{depot}', 'x', 4, 'proven', 60000)`,
        [id],
      );
      const restore = (budgetS: number) =>
        plan([step('domain.restore', { domain: 'depot', backupId: id })], { budgetS });
      expect(await report('S12', await restore(60))).toMatchObject({ outcome: 'pass', measured: { seconds: 60 } });
      expect(await report('S12', await restore(59))).toMatchObject({ outcome: 'fail', threshold: { seconds: 59 } });
    });
  });

  describe('of what goes on', () => {
    const alive = (facts: { requests?: object; jobs?: object[] }) =>
      room.control(
        `INSERT INTO control.process (id, role, host, pid, build_sha, last_request, active_jobs)
         VALUES (gen_random_uuid(), 'api', 'somewhere', 1, 'test', $1, $2)`,
        [JSON.stringify(facts.requests ?? {}), JSON.stringify(facts.jobs ?? [])],
      );
    const ago = (seconds: number) => new Date(Date.now() - seconds * 1_000).toISOString();
    afterEach(() => room.control(`DELETE FROM control.process WHERE host = 'somewhere'`));

    it('S13 refuses while a process served the module within a minute although it is off', async () => {
      const doc = await plan([down]);
      await room.control(`SELECT control.override_flag('live', 'enable_depot', true, 'a test of it', 'maria')`);
      await alive({ requests: { depot: ago(3), directory: ago(0) } });
      // Served before it went off.
      expect(await report('S13', doc, { step: down })).toMatchObject({ outcome: 'pass' });
      await room.control(`ALTER TABLE control.flag_override DISABLE TRIGGER ALL`);
      await room.control(`UPDATE control.flag_override SET at = clock_timestamp() - interval '2 minutes'`);
      await room.control(`ALTER TABLE control.flag_override ENABLE TRIGGER ALL`);
      expect(await report('S13', doc, { step: down })).toMatchObject({
        outcome: 'fail',
        measured: { served: [{ host: 'somewhere', domain: 'depot' }] },
      });
      await room.control(`UPDATE control.process SET last_request = $1 WHERE host = 'somewhere'`, [
        JSON.stringify({ depot: ago(61) }),
      ]);
      expect(await report('S13', doc, { step: down })).toMatchObject({ outcome: 'pass' });
      await room.control(`SELECT control.override_flag('live', 'enable_depot', false, 'a test of it', 'maria')`);
    });

    it('S14 refuses while a job of the module runs, and names it', async () => {
      const doc = await plan([down]);
      await alive({ jobs: [{ id: 'j1', domain: 'directory', name: 'sync', since: ago(1) }] });
      expect(await report('S14', doc, { step: down })).toMatchObject({ outcome: 'pass' });
      await alive({ jobs: [{ id: 'j2', domain: 'depot', name: 'count', since: ago(1) }] });
      expect(await report('S14', doc, { step: down })).toMatchObject({
        outcome: 'fail',
        measured: { jobs: [{ host: 'somewhere', domain: 'depot', id: 'j2', name: 'count' }] },
      });
    });

    it('S14 refuses while jobs wait that this build does not know, or whose payload is of a later one', async () => {
      const doc = await plan([step('migration.down', { domain: 'workshop' })], { domains: ['workshop'] });
      const asked = () => report('S14', doc, { step: doc.steps[0] ?? down });
      const { queues } = room.world;
      const wait = (name: string, version: number, delayMs = 0) =>
        queues.add('workshop', {
          id: randomUUIDv7(),
          name,
          data: { version, requestId: 'r', payload: {} },
          attempts: 1,
          backoffMs: 1,
          delayMs,
        });
      await wait('build-part', 1);
      await wait('tick-1', 1, 60_000);
      await wait('foundry.part-cast', 1);
      expect(await asked()).toMatchObject({ outcome: 'fail', measured: { unreadable: [{ name: 'tick-1' }] } });
      await queues.of('workshop').obliterate({ force: true });
      await wait('build-part', 1);
      expect(await asked()).toMatchObject({ outcome: 'pass', measured: { unreadable: [] } });
      await wait('build-part', 2);
      await wait('build-part', 2, 60_000);
      await queues.pause('workshop');
      expect(await asked()).toMatchObject({
        outcome: 'fail',
        measured: { unreadable: [{ domain: 'workshop', name: 'build-part', version: 2, readable: 1, jobs: 2 }] },
      });
      await queues.of('workshop').obliterate({ force: true });
    });
  });

  it('S16 names promises of the domain that do not hold, and constraints that nobody has validated', async () => {
    const doc = await plan([down]);
    expect(await report('S16', doc)).toMatchObject({ outcome: 'pass' });
    await room.rows(`INSERT INTO depot.item (id, name) VALUES (9, '')`);
    expect(await report('S16', doc)).toMatchObject({
      outcome: 'fail',
      measured: { violated: [{ name: 'items have names' }] },
    });
    await room.rows(`DELETE FROM depot.item WHERE id = 9`);
    await room.rows(`ALTER TABLE depot.item ADD CONSTRAINT few CHECK (qty < 1000) NOT VALID`);
    expect(await report('S16', doc)).toMatchObject({
      outcome: 'fail',
      measured: { unvalidated: ['few of depot.item'] },
    });
    await room.rows(`ALTER TABLE depot.item DROP CONSTRAINT few`);
  });

  it('S16 looks at everything for a plan, and after an emergency at what five seconds allow; the rest is not known', async () => {
    const clock = performance.now.bind(performance);
    const promises = (ms: number): Domain => {
      const promise = (name: string, passes: number) => ({
        name,
        holds: 'always',
        severity: 'high' as const,
        find: () => {
          const now = clock() + passes;
          performance.now = () => now;
          return Promise.resolve([]);
        },
      });
      return { ...depot, runbook: { ...recovery, invariants: [promise('first', ms), promise('second', 0)] } };
    };
    const emergency = await plan([step('verify.all')], { target: { kind: 'emergency', level: 'E1', domain: 'depot' } });
    const looked = async (doc: PlanDoc, ms: number) => {
      const world = new World({ ...room.world.runtime, domains: [promises(ms), stand] }, depotLedgers);
      try {
        return await report('S16', doc, { phase: 'after', world });
      } finally {
        performance.now = clock;
        await world.close();
      }
    };
    expect(await looked(emergency, 4_500)).toMatchObject({ outcome: 'pass', measured: { unknown: [] } });
    expect(await looked(emergency, 5_100)).toMatchObject({
      outcome: 'inconclusive',
      measured: { unknown: ['second'] },
    });
    expect(await looked(await plan([down]), 8_000)).toMatchObject({ outcome: 'pass' });
    expect(await looked(await plan([down]), 9_100)).toMatchObject({ outcome: 'inconclusive' });
  });

  it('S25 refuses without enough approvals of others, after one was withdrawn, and for another document than was agreed to', async () => {
    const approvals = [{ permission: 'rollback:approve' }, { permission: 'rollback:purge' }];
    const doc = await plan([down], { approvals });
    const planId = hashOfDocument(doc);
    await room.control(
      `INSERT INTO control.plan (id, kind, doc, risk, fingerprint, state, created_by, expires_at)
       VALUES ($1, 'module', $2, 'medium', 'x', 'used', 'maria', now() + interval '1 hour')`,
      [planId, doc],
    );
    const vote = (actor: string, decision: string, ...permissions: string[]) =>
      room.control(
        `INSERT INTO control.approval (plan_id, actor, role, permissions, decision, reason)
         VALUES ($1, $2, '', $3, $4, 'I have looked at it') ON CONFLICT (plan_id, actor) DO UPDATE SET decision = excluded.decision`,
        [planId, actor, permissions, decision],
      );
    const asked = () => report('S25', doc, { step: down });
    expect(await asked()).toMatchObject({
      outcome: 'fail',
      measured: { missing: ['rollback:approve', 'rollback:purge'] },
    });
    await vote('maria', 'approve', 'rollback:approve', 'rollback:purge');
    expect(await asked()).toMatchObject({
      outcome: 'fail',
      measured: { missing: ['rollback:approve', 'rollback:purge'] },
    });
    await vote('jonas', 'approve', 'rollback:approve', 'rollback:purge');
    expect(await asked()).toMatchObject({ outcome: 'fail' });
    await vote('amina', 'approve', 'rollback:approve');
    expect(await asked()).toMatchObject({ outcome: 'pass' });
    expect(await report('S25', { ...doc, budgetS: 901 }, { step: down, planId })).toMatchObject({ outcome: 'fail' });
    await vote('jonas', 'withdraw');
    expect(await asked()).toMatchObject({ outcome: 'fail', measured: { missing: ['rollback:purge'] } });
  });

  it('S26 refuses when connections, memory or disk are too few for what the plan needs beside it', async () => {
    const proof = step('backup.verify', { level: 4 });
    const impact = { unavailable: [], downtime: '', dependents: [], rows: 0, bytes: 1_000, tables: [], notes: [] };
    const doc = await plan([proof, down], { impact });
    const looked = async (memoryBytes: number, freeBytes: number, { pool = 2, of = doc } = {}) => {
      const { runtime } = room.world;
      const world = new World({ ...runtime, config: { ...room.config, DATABASE_POOL: pool } }, depotLedgers);
      const machine = { memoryBytes: () => Promise.resolve(memoryBytes), freeBytes: () => Promise.resolve(freeBytes) };
      const check = capacityCheckOf(machine);
      const context = { world, planId: null, plan: of, phase: 'plan', runId: null, step: null } as const;
      const { outcome, threshold, recovery } = await check.run({ ...context, signal: new AbortController().signal });
      await world.close();
      return { outcome, threshold, ways: recovery.length };
    };
    const enough = 128 * 1024 * 1024;
    expect(await looked(enough, 2_000)).toEqual({
      outcome: 'pass',
      threshold: { connections: 8, memoryBytes: enough, diskBytes: 2_000 },
      ways: 0,
    });
    expect(await looked(enough - 1, 2_000)).toMatchObject({ outcome: 'fail', ways: 1 });
    expect(await looked(enough, 1_999)).toMatchObject({ outcome: 'fail', ways: 1 });
    expect(await looked(enough, 0, { of: await plan([down], { impact }) })).toMatchObject({ outcome: 'pass' });
    const whole = await plan([step('database.restore', { backupId: 'x' })]);
    expect(Number((await looked(enough, 0, { of: whole })).threshold['diskBytes'])).toBeGreaterThan(1_000_000);

    const { measured } = await report('S26', doc);
    const left = Number(measured['connections']);
    expect(Number(measured['diskBytes'])).toBeGreaterThan(0);
    expect(Number(measured['memoryBytes'])).toBeGreaterThan(0);
    // Others come and go meanwhile.
    expect(await looked(enough, 2_000, { pool: left - 100 })).toMatchObject({ outcome: 'pass' });
    expect(await looked(0, 0, { pool: left + 100 })).toMatchObject({ outcome: 'fail', ways: 3 });
  });

  it('S27 warns of a runbook that was not rehearsed since it, or a migration, changed, or for 92 days', async () => {
    const doc = await plan([down], { target: { kind: 'runbook', runbook: 'depot-off', with: [], params: {} } });
    expect(await report('S27', doc)).toMatchObject({ outcome: 'fail', measured: { drilled: null } });
    await room.control(
      `INSERT INTO control.runbook (id, version, domain, doc, sha256, budget_s, target_s, created_by, last_drill_at, last_drill_ok)
       VALUES ('depot-off', 1, 'depot', '{}', 'x', 1, 1, 'maria', clock_timestamp(), true)`,
    );
    expect(await report('S27', doc)).toMatchObject({ outcome: 'pass' });
    await room.control(`UPDATE control.runbook SET last_drill_ok = false`);
    expect(await report('S27', doc)).toMatchObject({ outcome: 'fail' });
    await room.control(
      `UPDATE control.runbook SET last_drill_ok = true, last_drill_at = clock_timestamp() - interval '1 hour'`,
    );
    expect(await report('S27', doc)).toMatchObject({ outcome: 'fail' });
    await room.rows(`UPDATE public.depot_migrations SET at = at - interval '100 days'`);
    const drilled = (days: number) =>
      room.control(`UPDATE control.runbook SET last_drill_at = clock_timestamp() - $1 * interval '1 day'`, [days]);
    await drilled(91.9);
    expect(await report('S27', doc)).toMatchObject({ outcome: 'pass' });
    await drilled(92.1);
    expect(await report('S27', doc)).toMatchObject({ outcome: 'fail' });
    await room.control(
      `INSERT INTO control.runbook (id, version, domain, doc, sha256, budget_s, target_s, created_by)
       VALUES ('depot-off', 2, 'depot', '{}', 'y', 1, 1, 'maria')`,
    );
    await drilled(1);
    await room.control(`UPDATE control.runbook SET last_drill_at = NULL, last_drill_ok = NULL WHERE version = 2`);
    expect(await report('S27', doc)).toMatchObject({ outcome: 'fail', measured: { drilled: null } });
  });

  it('S28 refuses when the clocks are more than two seconds apart', async () => {
    const doc = await plan([down]);
    expect(await report('S28', doc)).toMatchObject({ outcome: 'pass' });
    const now = Date.now;
    try {
      Date.now = () => now() + 1_900;
      expect(await report('S28', doc)).toMatchObject({ outcome: 'pass' });
      Date.now = () => now() + 2_600;
      expect(await report('S28', doc)).toMatchObject({ outcome: 'fail', threshold: { ms: 2_000 } });
      Date.now = () => now() - 2_600;
      expect(await report('S28', doc)).toMatchObject({ outcome: 'fail' });
    } finally {
      Date.now = now;
    }
  });

  it('is made before effects in an emergency only when it is critical, and after them when it is not', async () => {
    const checks = new Checks(room.world);
    const doc = await plan([step('flag.off', { flag: 'enable_depot' }), step('verify.all')], {
      target: { kind: 'emergency', level: 'E1', domain: 'depot' },
    });
    const subject = { planId: hashOfDocument(doc), plan: doc, runId: null } as const;
    const before = await checks.look({ ...subject, phase: 'start', acceptedBy: 'amina' });
    expect(before.decision).toBe('go');
    for (const { id, severity, outcome, bypassedBy } of before.results) {
      expect([id, outcome, bypassedBy]).toEqual(
        severity === 'critical' ? [id, 'pass', null] : [id, 'not-run', 'amina'],
      );
    }
    expect(before.results.filter(({ severity }) => severity === 'critical').map(({ id }) => id)).toEqual([
      'S01',
      'S02',
      'S03',
      'S05',
      'S25',
      'S28',
    ]);
    expect(before.results.filter(({ bypassedBy }) => bypassedBy !== null).map(({ id }) => id)).toEqual(['S16', 'S26']);
    const after = await checks.look({ ...subject, phase: 'after', acceptedBy: null });
    expect(after.results.map(({ id, outcome, bypassedBy }) => [id, outcome, bypassedBy])).toEqual([
      ['S16', 'pass', null],
      ['S26', 'pass', null],
    ]);
  });

  it('that cannot look says so, and is not taken for passed', async () => {
    const checks = new Checks(room.world);
    const doc = await plan([step('migration.down', { domain: 'depot' })]);
    await room.rows(`ALTER TABLE depot.batch RENAME TO batch_elsewhere`);
    const verdict = await checks.look({ planId: hashOfDocument(doc), plan: doc, runId: null, phase: 'plan' });
    await room.rows(`ALTER TABLE depot.batch_elsewhere RENAME TO batch`);
    expect(verdict.results.find(({ id }) => id === 'S09')).toMatchObject({
      outcome: 'inconclusive',
      severity: 'critical',
    });
    expect(verdict.decision).not.toBe('go');
  });

  it('S15 refuses while an old transaction holds a table of the module', async () => {
    const doc = await plan([down]);
    await using idle = await connect(room.databases.databaseUrl);
    await idle.query(`BEGIN; SELECT FROM depot.reading`);
    expect(await report('S15', doc)).toMatchObject({ outcome: 'pass', threshold: { olderThanS: 1 } });
    await sleep(1_100);
    expect(await report('S15', doc)).toMatchObject({
      outcome: 'fail',
      measured: { transactions: [{ state: 'idle in transaction' }] },
    });
    await idle.query(`COMMIT`);
    expect(await report('S15', doc)).toMatchObject({ outcome: 'pass' });
    const { DATABASE_URL, CONTROL_DATABASE_URL, SECRET_KEY } = room.config;
    const { LONG_TRANSACTION_S, MOST_REPLICA_LAG_S } = readConfig({ DATABASE_URL, CONTROL_DATABASE_URL, SECRET_KEY });
    expect([LONG_TRANSACTION_S, MOST_REPLICA_LAG_S]).toEqual([30, 10]);
  });

  it('S15 refuses while a replica is behind, or says nothing, or nobody may see how far it is', async () => {
    const doc = await plan([down]);
    const standby = await Standby.of(room.databases.databaseUrl);
    try {
      await sleep(1_200);
      expect(await report('S15', doc)).toMatchObject({ outcome: 'fail', measured: { behind: [{ name: 'standby' }] } });
      // What it was silent about counts until it has applied something that came later.
      await eventually(async () => {
        standby.apply();
        expect(await report('S15', doc)).toMatchObject({ outcome: 'pass', measured: { behind: [] } });
      });

      await room.rows(`CREATE ROLE onlooker_of_checks LOGIN PASSWORD 'x'`);
      const url = new URL(room.databases.databaseUrl);
      Object.assign(url, { username: 'onlooker_of_checks', password: 'x' });
      const config = { ...room.config, DATABASE_URL: url.href };
      const blind = new World({ ...room.world.runtime, config }, depotLedgers);
      expect(await report('S15', doc, { world: blind })).toMatchObject({
        outcome: 'inconclusive',
        measured: { unseen: 1 },
      });
      await blind.close();
      await room.rows(`DROP ROLE onlooker_of_checks`);
    } finally {
      await standby.close();
    }
  });
});
