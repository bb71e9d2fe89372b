import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuditTrail } from '@belay/platform';
import { actions } from '../../libs/rollback/src/actions/registry.js';
import { Checks } from '../../libs/rollback/src/checks/checks.js';
import { Actions } from '../../libs/rollback/src/engine/actions.js';
import { ExecutorHost } from '../../libs/rollback/src/engine/executor-host.js';
import type { PlanTarget } from '../../libs/rollback/src/plans/plan.contract.js';
import { eventually } from '../support/eventually.js';
import { because } from './plant.js';
import { jonas, maria, outline, person, PlanRoom } from './plan-room.js';

const amina = person('amina', 'rollback:execute', 'rollback:purge');

/** Planned, agreed to and carried out by an executor, on a module that is on. */
describe('a feature that has a column of its own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'belay-feature-'));
  let room: PlanRoom;
  let host: ExecutorHost;
  beforeAll(async () => {
    room = await PlanRoom.open({ BACKUP_DIR: folder, PURGE_AFTER_DAYS: '2' });
    const { world } = room.room;
    const audit = new AuditTrail(world.control);
    host = new ExecutorHost({ world, actions: new Actions(actions), checks: new Checks(world), audit });
    await host.start();
    await room.room.rows(`INSERT INTO depot.item (id, name, priority) VALUES (1, 'one', 9), (2, 'two', 3)`);
  }, 60_000);
  afterAll(async () => {
    await host.stop();
    await room.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const carriedOut = async (target: PlanTarget): Promise<string> => {
    let plan = await room.plans.create(maria, target, because);
    for (const by of [jonas, amina]) {
      if (plan.state === 'awaiting-approval')
        plan = await room.plans.decide(by, plan.id, { decision: 'approve', reason: because });
    }
    expect([plan.state, plan.checks.filter(({ outcome }) => outcome === 'fail')]).toEqual(['approved', []]);
    const { id } = await room.runs.request(amina, plan.id, because, room.transact);
    await eventually(async () => {
      const found = await room.room.control(`SELECT state FROM control.run WHERE id = $1`, [id]);
      const steps = await room.room.control(
        `SELECT action, state, error FROM control.run_step WHERE run_id = $1 AND state <> 'verified'`,
        [id],
      );
      expect({ found, steps }).toEqual({ found: [{ state: 'monitoring' }], steps: [] });
    }, 60_000);
    return id;
  };
  const isOff = () => room.room.control(`SELECT flag FROM control.flag_override WHERE off ORDER BY 1`);
  const items = () => room.room.rows(`SELECT name, priority FROM depot.item ORDER BY id`);
  const feature = 'depot_priorities';
  const parked = { kind: 'module', domain: 'depot', feature, depth: 'parked' } as const;

  it('is parked with it while the rest goes on, and comes back with every row', async () => {
    const runId = await carriedOut(parked);
    expect(await isOff()).toEqual([{ flag: feature }]);
    expect(await room.room.rows(`SELECT priority__parked AS kept FROM depot.item ORDER BY id`)).toEqual([
      { kept: 9 },
      { kept: 3 },
    ]);
    await room.room.rows(`INSERT INTO depot.item (id, name) VALUES (3, 'three')`);

    expect(outline(await room.draft({ kind: 'undo', runId }))).toEqual([
      `flag.off ${feature}`,
      'jobs.stop depot',
      'marker.create',
      'migration.up depot',
      'jobs.stop depot',
      'jobs.start depot',
      `flag.lift ${feature}`,
      'verify.domain depot',
      'verify.all',
    ]);
    await carriedOut({ kind: 'undo', runId });
    expect(await isOff()).toEqual([]);
    expect(await items()).toEqual([
      { name: 'one', priority: 9 },
      { name: 'two', priority: 3 },
      { name: 'three', priority: 7 },
    ]);
  }, 120_000);

  it('is purged alone, when it was parked for long enough', async () => {
    await carriedOut(parked);
    await room.room.control(`UPDATE control.parked_object SET parked_at = clock_timestamp() - interval '3 days'`);
    await carriedOut({ kind: 'purge', domain: 'depot', feature, confirm: 'depot' });
    expect(
      await room.room.rows(`SELECT FROM pg_attribute WHERE attrelid = 'depot.item'::regclass AND attname ~ 'priority'`),
    ).toEqual([]);
    expect(await room.room.rows(`SELECT count(*)::int AS items FROM depot.item`)).toEqual([{ items: 3 }]);
    expect(await isOff()).toEqual([{ flag: feature }]);
  }, 120_000);
});
