import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { randomUUIDv7 } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { domains } from '@belay/domains';
import { AuditTrail, problem } from '@belay/platform';
import { rollback } from '@belay/rollback';
import { startWorker } from '../../apps/worker/src/worker.js';
import { backupList, backupView } from '../../libs/rollback/src/backups/backup.contract.js';
import { BackupUpkeep } from '../../libs/rollback/src/backups/backup-upkeep.service.js';
import { openBackup } from '../../libs/rollback/src/backups/open-backup.js';
import { RunbookDrills } from '../../libs/rollback/src/backups/runbook-drill.service.js';
import { SideDatabase } from '../../libs/rollback/src/backups/side-database.js';
import { actions } from '../../libs/rollback/src/actions/registry.js';
import { Actions } from '../../libs/rollback/src/engine/actions.js';
import { Runbooks } from '../../libs/rollback/src/plans/runbooks.service.js';
import { World } from '../../libs/rollback/src/engine/world.js';
import { eventually } from '../support/eventually.js';
import { TestApi } from '../support/test-api.js';
import { BackupRoom } from './backup-room.js';
import { yardLedger, yardRows } from './yard.js';

function upkeepOf(world: World, trail: AuditTrail): BackupUpkeep {
  const runbooks = new Runbooks(world, new Actions(actions), trail);
  return new BackupUpkeep(world, trail, new RunbookDrills(world, runbooks, trail));
}

const ofYard = { kind: 'domains' as const, domains: ['yard'] };

describe('the upkeep of backups', () => {
  let room: BackupRoom;
  let upkeep: BackupUpkeep;
  let trail: AuditTrail;
  beforeAll(async () => {
    room = await BackupRoom.open([yardLedger]);
    await room.rows(yardRows());
    trail = new AuditTrail(room.world.control);
    upkeep = upkeepOf(room.world, trail);
  });
  afterAll(() => room.close());

  const states = () =>
    room.control<{ scope: string; state: string; level: number; wanted: boolean }>(
      `SELECT scope, state, level, wanted_at IS NOT NULL AS wanted FROM control.backup ORDER BY created_at`,
    );
  const comesDue = (name: string) =>
    room.control(`UPDATE control.timer SET due_at = clock_timestamp() - interval '1 second' WHERE name = $1`, [name]);

  it('makes nothing because a process began, and waits for the hour', async () => {
    await upkeep.turn();
    expect(await states()).toEqual([]);
    const timers = await room.control<{ name: string; ahead: boolean }>(
      `SELECT name, due_at > clock_timestamp() AS ahead FROM control.timer ORDER BY name`,
    );
    expect(timers).toEqual([
      { name: 'backup', ahead: true },
      { name: 'backup upkeep', ahead: true },
    ]);
    expect(await upkeep.turn()).toBe(false);
  });

  it('makes and proves both databases once a day, however many workers there are', async () => {
    await comesDue('backup');
    const other = upkeepOf(room.world, trail);
    await Promise.all([upkeep.turn(), other.turn()]);
    await eventually(async () => {
      await upkeep.turn();
      const proven = { state: 'proven', level: 4, wanted: false };
      expect(await states()).toEqual([
        { scope: 'application', ...proven },
        { scope: 'control', ...proven },
      ]);
    }, 20_000);
    const entries = await room.control<{ outcome: string }>(
      `SELECT outcome FROM control.audit_entry WHERE action = 'backup.prove'`,
    );
    expect(entries).toEqual([{ outcome: 'done' }, { outcome: 'done' }]);
    expect((await trail.verify()).broken).toBeUndefined();
  });

  it('restores the newest backup again after a migration, and keeps how long that took', async () => {
    expect(await upkeep.turn()).toBe(false);
    await room.control(`UPDATE control.backup SET drill_ms = NULL`);
    await room.control(`UPDATE control.schema_fingerprint SET at = clock_timestamp() WHERE domain = 'yard'`);
    expect(await upkeep.turn()).toBe(true);
    const [drilled] = await room.control<{ ms: string }>(
      `SELECT drill_ms AS ms FROM control.backup WHERE scope = 'application' AND drill_at > (SELECT max(at) FROM control.schema_fingerprint)`,
    );
    expect(Number(drilled?.ms)).toBeGreaterThan(0);
    expect(await upkeep.turn()).toBe(false);
  });

  it('tells of one that fails, and does not try for ever', async () => {
    await room.rows(`CREATE TABLE yard.smuggled (id integer)`);
    const id = await room.announce(ofYard, 4);
    expect(await upkeep.turn()).toBe(true);
    await room.rows(`DROP TABLE yard.smuggled`);
    const [failed] = await room.control<{ state: string; problem: string }>(
      `SELECT state, findings -> 0 ->> 'problem' AS problem FROM control.backup WHERE id = $1`,
      [id],
    );
    expect(failed?.state).toBe('broken');
    expect(failed?.problem).toContain('table yard.smuggled added');
    expect(await upkeep.turn()).toBe(false);
  });

  it('clears away what has expired, what was never finished and what was left by the dead', async () => {
    const old = await room.make(ofYard);
    const kept = await Promise.all([1, 2, 3].map(() => room.make(ofYard)));
    for (const [years, { id }] of [...kept, old].entries()) {
      await room.control(
        `UPDATE control.backup SET state = 'proven', created_at = created_at - make_interval(years => $2) WHERE id = $1`,
        [id, years + 2],
      );
    }
    const stuck = await room.announce(ofYard);
    await room.control(`UPDATE control.backup SET created_at = created_at - interval '25 hours' WHERE id = $1`, [
      stuck,
    ]);
    const folder = room.config.BACKUP_DIR;
    const aDayAgo = new Date(Date.now() - 25 * 3_600_000);
    const [half, young, foreign] = [`${randomUUIDv7()}.0123abcd.part`, `${randomUUIDv7()}.0123abcd.part`, 'notes'];
    for (const name of [half, young, foreign]) mkdirSync(join(folder, name));
    for (const name of [half, foreign]) utimesSync(join(folder, name), aDayAgo, aDayAgo);
    const { manifest } = await openBackup(room.world, kept[0]?.id ?? '');
    await SideDatabase.create(room.world, manifest.database, 'dead0002');
    await room.control(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'belay:side:dead0002'`,
    );

    await comesDue('backup upkeep');
    expect(await upkeep.turn()).toBe(true);
    expect(readdirSync(folder)).toEqual(expect.arrayContaining([young, foreign, ...kept.map(({ id }) => id)]));
    expect(readdirSync(folder)).not.toContain(half);
    expect(existsSync(old.location)).toBe(false);
    expect(await room.sides()).toEqual([]);
    const after = await room.control<{ id: string; state: string }>(
      `SELECT id, state FROM control.backup WHERE id = ANY ($1)`,
      [[old.id, stuck]],
    );
    expect(new Map(after.map(({ id, state }) => [id, state]))).toEqual(
      new Map([
        [old.id, 'expired'],
        [stuck, 'broken'],
      ]),
    );
  });
});

describe('a backup that is asked for', () => {
  const folder = mkdtempSync(join(tmpdir(), 'belay-backup-'));
  let api: TestApi;
  let operator: TestApi;
  let reader: TestApi;
  beforeAll(async () => {
    api = await TestApi.start({ config: { BACKUP_DIR: folder } }, rollback);
    operator = await api.as('rollback:backup', 'rollback:read');
    reader = await api.as('rollback:read');
  });
  afterAll(async () => {
    await api.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const once = (by = operator) => by.withHeaders({ 'idempotency-key': randomUUIDv7() });

  it('is announced at once, once for each key, and only to who may', async () => {
    const body = { scope: { kind: 'domains', domains: ['directory'] }, level: 2 };
    const same = once();
    const first = await same.post('/api/rollback/backups', body, 202, backupView);
    expect(first).toMatchObject({ state: 'creating', level: 0, wantedLevel: 2, domains: ['directory'] });
    expect(await same.post('/api/rollback/backups', body, 202, backupView)).toEqual(first);
    await once(reader).post('/api/rollback/backups', body, 403);
    await operator.post('/api/rollback/backups', body, 400);
    const { errors } = problem.parse(
      await once().post('/api/rollback/backups', { scope: { kind: 'domains', domains: ['nobody'] } }, 422),
    );
    expect(errors).toMatchObject([{ pointer: '#/scope/domains' }]);
    const { items } = await reader.get('/api/rollback/backups', 200, backupList);
    expect(items.map(({ id }) => id)).toEqual([first.id]);
  });

  it('is made and proven by a worker, and can be proven again until it is broken', async () => {
    const world = api.app.get(World);
    const upkeep = upkeepOf(world, api.app.get(AuditTrail));
    await upkeep.turn();
    const { items } = await reader.get('/api/rollback/backups', 200, backupList);
    expect(items).toMatchObject([{ state: 'complete', level: 2, wantedLevel: null, findings: [] }]);
    const { id = '', location = '' } = items[0] ?? {};
    await once().post(`/api/rollback/backups/${id}/drill`, {}, 202);
    await upkeep.turn();
    expect(await reader.get(`/api/rollback/backups/${id}`, 200, backupView)).toMatchObject({
      state: 'proven',
      level: 4,
    });
    rmSync(join(location, 'flags.json'));
    await once().post(`/api/rollback/backups/${id}/verify`, { level: 1 }, 202);
    await upkeep.turn();
    expect(await reader.get(`/api/rollback/backups/${id}`, 200, backupView)).toMatchObject({
      state: 'broken',
      findings: [{ subject: 'flags.json', problem: 'is missing' }],
    });
    await once().post(`/api/rollback/backups/${id}/drill`, {}, 409);
    await once().post(`/api/rollback/backups/${randomUUIDv7()}/drill`, {}, 404);
  });

  it('is made and proven without anybody else by a worker that runs, also of a module with routes to ask', async () => {
    const worker = await startWorker({ config: { ...api.config, WORKER_CONTEXTS: ['control'] }, domains });
    try {
      const body = { scope: { kind: 'domains', domains: ['wms'] } };
      const { id } = await once().post('/api/rollback/backups', body, 202, backupView);
      await eventually(async () => {
        const { state, findings } = await reader.get(`/api/rollback/backups/${id}`, 200, backupView);
        expect({ state, findings }).toEqual({ state: 'proven', findings: [] });
      }, 25_000);
    } finally {
      await worker.close();
    }
  });
});
