import { randomUUIDv7 } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { migrateDown, migrateUp } from '@belay/platform';
import { z } from 'zod';
import { actions } from '../../libs/rollback/src/actions/registry.js';
import type { JsonObject } from '../../libs/rollback/src/engine/json.js';
import { runbookDraft } from '../../libs/rollback/src/plans/runbook.contract.js';
import { hashOfDocument } from '../../libs/rollback/src/plans/plan-hash.rules.js';
import { planDoc, type PlanTarget } from '../../libs/rollback/src/plans/plan.contract.js';
import { addPriority, depotLedgers } from './depot.js';
import { maria, outline, PlanRoom, slugOf } from './plan-room.js';

type RunbookTarget = Extract<PlanTarget, { kind: 'runbook' }>;

describe('a plan', () => {
  let room: PlanRoom;
  beforeAll(async () => {
    room = await PlanRoom.open();
  });
  afterAll(() => room.close());

  const plan = async (target: PlanTarget) => outline(await room.draft(target));
  const refusal = (target: PlanTarget) =>
    room.draft(target).then(
      () => 'planned',
      (error: unknown) => slugOf(error),
    );
  const off = ['flag.off enable_stand', 'flag.off enable_depot', 'jobs.stop stand', 'jobs.stop depot'];
  const backedUp = (level: number) => ['backup.create depot', `backup.verify ${level}`];

  it('to switch a module off takes those along that cannot live without it, first', async () => {
    const doc = await room.draft({ kind: 'module', domain: 'depot', depth: 'off' });
    expect(outline(doc)).toEqual([...off, 'marker.create', 'verify.domain stand', 'verify.domain depot', 'verify.all']);
    expect(doc).toMatchObject({
      domains: ['stand', 'depot'],
      approvals: [],
      backup: null,
      risk: 'low',
      dataLossRisk: 'none',
    });
    expect(doc.impact).toMatchObject({
      unavailable: ['Stand', 'Depot'],
      downtime: 'until somebody lets it on again',
    });
    expect(doc.changes).toContainEqual({ component: 'flag enable_depot', from: 'on', to: 'off, by hand' });
    expect(await plan({ kind: 'module', domain: 'stand', depth: 'off' })).toEqual([
      'flag.off enable_stand',
      'jobs.stop stand',
      'marker.create',
      'verify.domain stand',
      'verify.all',
    ]);
  });

  it('to park a module keeps it at level 4 first, says what rests on it and how much it holds, and asks for a second person', async () => {
    await room.room.rows(`INSERT INTO depot.item (id, name) SELECT n, 'item ' || n FROM generate_series(1, 250) n`);
    await room.room.rows(`CREATE SCHEMA other; CREATE VIEW other.named AS SELECT name FROM depot.item;`);
    const doc = await room.draft({ kind: 'module', domain: 'depot', depth: 'parked' });
    await room.room.rows(`DROP SCHEMA other CASCADE`);
    expect(outline(doc)).toEqual([
      ...off,
      'marker.create',
      ...backedUp(4),
      'migration.down depot',
      'verify.domain stand',
      'verify.domain depot',
      'verify.all',
    ]);
    expect(doc).toMatchObject({
      approvals: [{ permission: 'rollback:approve' }],
      backup: { scope: ['depot'], level: 4 },
    });
    expect(doc.impact.dependents).toEqual(['view other.named']);
    expect(doc.impact.rows).toBe(250);
    expect(doc.impact.tables).toContainEqual(expect.objectContaining({ table: 'depot.item', rows: 250 }));
    expect(doc.impact.bytes).toBeGreaterThan(8_192);
    expect(doc.changes).toContainEqual({ component: 'schema depot', from: 'live', to: 'parked' });
  });

  it('to park what cannot be taken back from what it leaves asks for two people', async () => {
    const lossy = (so: boolean) =>
      room.room.control(
        `UPDATE control.migration_artifact SET class = $1 WHERE domain = 'depot' AND name LIKE '%add-priority'`,
        [so ? 'lossy' : 'additive'],
      );
    await lossy(true);
    const doc = await room.draft({ kind: 'module', domain: 'depot', depth: 'parked' });
    await lossy(false);
    expect(doc.approvals).toEqual([{ permission: 'rollback:approve' }, { permission: 'rollback:restore' }]);
    expect(doc.warnings).toContainEqual(expect.stringMatching(/^depot\/\d{13}-add-priority loses/));
  });

  it('for a feature touches its flag alone', async () => {
    const target = { kind: 'module', domain: 'depot', feature: 'depot_priorities' } as const;
    expect(await plan({ ...target, depth: 'off' })).toEqual([
      'flag.off depot_priorities',
      'marker.create',
      'verify.domain depot',
      'verify.all',
    ]);
    expect(await refusal({ ...target, feature: 'depot_colours', depth: 'off' })).toBe('target-unknown');
  });

  it('for a feature parks what its migrations made, while the module goes on', async () => {
    const doc = await room.draft({ kind: 'module', domain: 'depot', feature: 'depot_priorities', depth: 'parked' });
    expect(outline(doc)).toEqual([
      'flag.off depot_priorities',
      'jobs.stop depot',
      'marker.create',
      ...backedUp(4),
      'migration.down depot',
      'jobs.start depot',
      'verify.domain depot',
      'verify.all',
    ]);
    const down = doc.steps.find(({ action }) => action === 'migration.down');
    expect(down?.input).toEqual({ domain: 'depot', only: [addPriority], feature: 'depot_priorities' });
    expect(doc.approvals).toEqual([{ permission: 'rollback:approve' }]);
    expect(await refusal({ kind: 'module', domain: 'depot', feature: 'depot_labels', depth: 'parked' })).toBe(
      'nothing-to-do',
    );
    const purge = { kind: 'purge', domain: 'depot', confirm: 'depot' } as const;
    expect(await refusal({ ...purge, feature: 'depot_priorities' })).toBe('nothing-to-do');
    expect(await refusal({ ...purge, feature: 'depot_colours' })).toBe('target-unknown');
  });

  it('is refused for what does not exist, for what is core, and for the control database', async () => {
    expect(await refusal({ kind: 'module', domain: 'nowhere', depth: 'off' })).toBe('target-unknown');
    expect(await refusal({ kind: 'module', domain: 'core', depth: 'off' })).toBe('not-gated');
    expect(await refusal({ kind: 'module', domain: 'control', depth: 'parked' })).toBe('control-database');
  });

  it('is estimated from how long its steps took before', async () => {
    const before = await room.draft({ kind: 'module', domain: 'stand', depth: 'off' });
    const runId = await room.room.run();
    for (const [idx, seconds] of [100, 1, 400].entries()) {
      await room.room.control(
        `INSERT INTO control.run_step (run_id, idx, key, action, version, input, state, started_at, finished_at)
         VALUES ($1, $2, $3, 'marker.create', 1, '{}', 'verified', now(), now() + $4 * interval '1 second')`,
        [runId, idx, `${runId}-${idx}`, seconds],
      );
    }
    const after = await room.draft({ kind: 'module', domain: 'stand', depth: 'off' });
    await room.room.control(`DELETE FROM control.run_step`);
    // The median in place of the first guess of one second.
    expect(after.estimateS - before.estimateS).toBeCloseTo(99);
  });

  it('cannot be one that drops data: no action takes SQL, and a purge stands in no plan but its own', async () => {
    const runbook = { kind: 'runbook', runbook: 'depot-s2', with: [], params: {} } satisfies PlanTarget;
    const { doc } = await room.runbooks.get('depot-s2');
    const draft = z.object(runbookDraft.shape).parse(doc);
    const write = async (steps: readonly { action: string; params: JsonObject }[]) => {
      const { version } = await room.runbooks.get('depot-s2');
      const written = steps.map((step, place) => ({
        ...step,
        key: `step-${place}`,
        optional: false,
        timeoutS: 10,
        onFail: 'hold' as const,
      }));
      await room.runbooks.write(maria, 'depot-s2', version, { ...draft, steps: written }, room.transact);
      return refusal({ ...runbook, version: version + 1 });
    };
    for (const { name, input } of actions) {
      expect([name, input.safeParse({ domain: 'depot', sql: 'DROP TABLE depot.item' }).success]).toEqual([name, false]);
      expect([name, await write([{ action: name, params: { sql: 'DROP TABLE depot.item' } }])]).toEqual([
        name,
        'plan-refused',
      ]);
    }
    await expect(write([{ action: 'sql.run', params: { sql: 'DROP TABLE depot.item' } }])).rejects.toMatchObject({
      slug: 'plan-refused',
    });
    expect(await write([{ action: 'purge', params: { domain: 'depot' } }])).toBe('plan-refused');
    expect(
      planDoc.safeParse({ ...(await room.draft({ kind: 'module', domain: 'stand', depth: 'off' })), sql: 'x' }).success,
    ).toBe(false);
  });

  it('is another one each time, though it says the same, and does not last beyond a change of what it rests on', async () => {
    const one = await room.draft({ kind: 'module', domain: 'depot', depth: 'off' });
    await new Promise((resolve) => setTimeout(resolve, 2));
    const other = await room.draft({ kind: 'module', domain: 'depot', depth: 'off' });
    expect(hashOfDocument(one)).not.toBe(hashOfDocument(other));
    expect(one.fingerprint).toBe(other.fingerprint);
    expect(hashOfDocument({ ...one, createdAt: other.createdAt })).toBe(hashOfDocument(other));
  });

  describe('from a runbook', () => {
    const runbook = (wanted: string[] = [], params = {}): RunbookTarget => ({
      kind: 'runbook',
      runbook: 'depot-s2',
      version: 1,
      with: wanted,
      params,
    });

    it('has the common frame around its steps, and the optional ones that were asked for', async () => {
      expect(await plan(runbook())).toEqual([
        'flag.off enable_depot',
        'jobs.stop depot',
        'marker.create',
        'backup.create depot',
        'verify.domain depot',
        'verify.all',
      ]);
      const markerId = randomUUIDv7();
      const doc = await room.draft(runbook(['rows', 'down'], { rows: { markerId } }));
      expect(outline(doc)).toEqual([
        ...off,
        'marker.create',
        ...backedUp(2),
        'rows.restore depot',
        'migration.down depot',
        'verify.domain stand',
        'verify.domain depot',
        'verify.all',
      ]);
      expect(doc.steps.find(({ action }) => action === 'rows.restore')?.input).toEqual({
        domain: 'depot',
        mode: 'compensate',
        markerId,
      });
      expect(doc).toMatchObject({ budgetS: 900, targetS: 60, dataLossRisk: 'low' });
    });

    it('is refused without what a step needs, and for steps that the runbook does not have', async () => {
      expect(await refusal(runbook(['rows']))).toBe('plan-refused');
      expect(await refusal(runbook(['sideways']))).toBe('target-unknown');
      expect(await refusal(runbook([], { sideways: {} }))).toBe('target-unknown');
      expect(await refusal({ ...runbook(), runbook: 'nothing-s1' })).toBe('runbook-not-found');
    });
  });

  describe('to restore', () => {
    it('names its target in full: nothing is taken for granted', async () => {
      expect(await refusal({ kind: 'restore', path: 'R2' })).toBe('target-incomplete');
      expect(await refusal({ kind: 'restore', path: 'R2', domain: 'depot' })).toBe('target-incomplete');
      expect(await refusal({ kind: 'restore', path: 'R3', domain: 'depot', backupId: randomUUIDv7() })).toBe(
        'target-incomplete',
      );
      expect(await refusal({ kind: 'restore', path: 'R3', domain: 'depot', tables: ['depot.item'] })).toBe(
        'target-incomplete',
      );
      expect(await refusal({ kind: 'restore', path: 'R4', domain: 'depot' })).toBe('target-incomplete');
      expect(await refusal({ kind: 'restore', path: 'R5' })).toBe('target-incomplete');
    });

    it('rows keeps what is damaged, and lets queues go on behind the gate', async () => {
      const around = (step: string) => [
        ...off,
        'marker.create',
        ...backedUp(2),
        step,
        'verify.domain stand',
        'verify.domain depot',
        'jobs.start depot',
        'jobs.start stand',
        'verify.all',
      ];
      const markerId = randomUUIDv7();
      expect(await plan({ kind: 'restore', path: 'R2', domain: 'depot', markerId })).toEqual(
        around('rows.restore depot'),
      );
      const backupId = randomUUIDv7();
      const kept = { kind: 'restore', path: 'R3', domain: 'depot', backupId, tables: ['depot.item'] } as const;
      expect(await plan({ ...kept, tables: ['depot.item'] })).toEqual(around('rows.restore depot'));
    });

    it('a domain asks a person who may restore, besides one who may approve', async () => {
      const doc = await room.draft({ kind: 'restore', path: 'R4', domain: 'depot', backupId: randomUUIDv7() });
      expect(outline(doc)).toEqual([
        ...off,
        'marker.create',
        'domain.restore depot',
        'verify.domain stand',
        'verify.domain depot',
        'jobs.start depot',
        'jobs.start stand',
        'verify.all',
      ]);
      expect(doc.approvals).toEqual([{ permission: 'rollback:approve' }, { permission: 'rollback:restore' }]);
      expect(doc.risk).toBe('high');
    });

    it('everything lets it be served until the swap', async () => {
      const doc = await room.draft({ kind: 'restore', path: 'R5', backupId: randomUUIDv7() });
      expect(outline(doc)).toEqual(['database.restore application', 'verify.all']);
      expect(doc.approvals).toEqual([{ permission: 'rollback:approve' }, { permission: 'rollback:restore' }]);
    });
  });

  describe('of what is parked', () => {
    beforeAll(async () => {
      await migrateDown(room.room.world.targets, depotLedgers, 'depot');
    });
    afterAll(async () => {
      await migrateUp(room.room.world.targets, depotLedgers, 'depot');
    });
    afterEach(() => room.room.control(`UPDATE control.parked_object SET parked_at = clock_timestamp()`));

    it('takes it back (R1), and does not park it twice', async () => {
      expect(await plan({ kind: 'restore', path: 'R1', domain: 'depot' })).toEqual([
        ...off,
        'migration.up depot',
        'verify.domain stand',
        'verify.domain depot',
        'jobs.start depot',
        'jobs.start stand',
        'verify.all',
      ]);
      expect(await refusal({ kind: 'module', domain: 'depot', depth: 'parked' })).toBe('nothing-to-do');
    });

    it('purges it when it was parked for long enough, its name was typed, and two people agree', async () => {
      const target = { kind: 'purge', domain: 'depot', confirm: 'depot' } as const;
      const parkedFor = (days: number) =>
        room.room.control(`UPDATE control.parked_object SET parked_at = clock_timestamp() - $1 * interval '1 day'`, [
          days,
        ]);
      await parkedFor(29.9);
      expect(await refusal(target)).toBe('parked-too-short');
      await parkedFor(30.1);
      expect(await refusal({ ...target, confirm: 'Depot' })).toBe('confirm-mismatch');
      const doc = await room.draft(target);
      expect(outline(doc)).toEqual([...off, ...backedUp(4), 'purge depot', 'verify.all']);
      expect(doc.approvals).toEqual([{ permission: 'rollback:approve' }, { permission: 'rollback:purge' }]);
    });
  });

  it('to purge a failed copy leaves its module on', async () => {
    const copies = ['depot__failed_0000000a'];
    const target = { kind: 'purge', domain: 'depot', confirm: 'depot', copies } satisfies PlanTarget;
    expect(await refusal(target)).toBe('target-unknown');
    await room.room.control(
      `INSERT INTO control.failed_copy (id, kind, object, domain, run_id, kept_at, purge_after)
       VALUES ($1, 'schema', $2, 'depot', $1, clock_timestamp() - interval '31 days', clock_timestamp())`,
      [randomUUIDv7(), copies[0]],
    );
    expect(await plan(target)).toEqual([...backedUp(4), 'purge depot', 'verify.all']);
    expect(await refusal({ ...target, copies: [...copies, 'depot__failed_0000000b'] })).toBe('target-unknown');
    expect(await refusal({ ...target, confirm: 'stand' })).toBe('confirm-mismatch');
    await room.room.control(`UPDATE control.failed_copy SET kept_at = clock_timestamp() - interval '29.9 days'`);
    expect(await refusal(target)).toBe('parked-too-short');
    // A whole database is no module's, and kept by a backup of the whole.
    await room.room.control(
      `UPDATE control.failed_copy SET kind = 'database', object = 'belay_failed_0000000a', domain = NULL,
         kept_at = clock_timestamp() - interval '31 days'`,
    );
    const database = ['belay_failed_0000000a'];
    expect(await refusal({ ...target, copies: database })).toBe('target-unknown');
    const whole = { kind: 'purge', domain: 'application', confirm: 'application' } as const;
    expect(await refusal(whole)).toBe('target-unknown');
    expect(await plan({ ...whole, copies: database })).toEqual([
      'backup.create application',
      'backup.verify 4',
      'purge application',
      'verify.all',
    ]);
    await room.room.control(`DELETE FROM control.failed_copy`);
  });

  it('to purge is refused for what is not parked', async () => {
    expect(await refusal({ kind: 'purge', domain: 'depot', confirm: 'depot' })).toBe('nothing-to-do');
    expect(await refusal({ kind: 'restore', path: 'R1', domain: 'depot' })).toBe('nothing-to-do');
  });

  describe('for an emergency', () => {
    it('switches one module off (E1), or all (E2), and touches no schema', async () => {
      const one = await room.draft({ kind: 'emergency', level: 'E1', domain: 'depot' });
      expect(outline(one).filter((step) => !step.startsWith('unleash'))).toEqual([
        ...off,
        'verify.domain stand',
        'verify.domain depot',
        'verify.all',
      ]);
      expect(one).toMatchObject({ approvals: [], policy: 'continue' });
      const all = await room.draft({ kind: 'emergency', level: 'E2' });
      expect(outline(all)[0]).toBe('flag.off emergency_rollback');
      expect(all.steps.every(({ destructive }) => !destructive)).toBe(true);
    });

    it('goes back to the newest proven backup (E4), with a person who may restore', async () => {
      expect(await refusal({ kind: 'emergency', level: 'E4', domain: 'depot' })).toBe('backup-too-weak');
      const ids = [randomUUIDv7(), randomUUIDv7(), randomUUIDv7()];
      for (const [age, id] of ids.entries()) {
        await room.room.control(
          `INSERT INTO control.backup (id, scope, domains, location, level, state, snapshot_at)
           VALUES ($1, 'domains', '{depot}', 'x', $2, $3, clock_timestamp() - $4 * interval '1 hour')`,
          [id, age === 0 ? 3 : 4, age === 0 ? 'restored' : 'proven', age],
        );
      }
      const doc = await room.draft({ kind: 'emergency', level: 'E4', domain: 'depot' });
      expect(doc.steps.find(({ action }) => action === 'domain.restore')?.input).toEqual({
        domain: 'depot',
        backupId: ids[1],
      });
      expect(doc.approvals).toEqual([{ permission: 'rollback:restore' }]);
    });
  });

  describe('to undo a run', () => {
    interface Step {
      readonly action: string;
      readonly input: object;
      readonly state?: string;
      readonly result?: object;
    }
    async function ran(steps: readonly Step[], state = 'monitoring'): Promise<string> {
      const runId = await room.room.run();
      await room.room.control(`UPDATE control.run SET state = $2 WHERE id = $1`, [runId, state]);
      for (const [idx, { action, input, state: at = 'verified', result = {} }] of steps.entries()) {
        const domain = 'domain' in input ? input.domain : null;
        await room.room.control(
          `INSERT INTO control.run_step (run_id, idx, key, action, version, domain, input, state, before, result)
           VALUES ($1, $2, $3, $4, 1, $5, $6, $7, '{}', $8)`,
          [runId, idx, `${runId}-${idx}`, action, domain, input, at, result],
        );
      }
      return runId;
    }
    const flag = (name: string, changed = true): Step => ({
      action: 'flag.off',
      input: { flag: name },
      result: { flag: name, changed, seq: '1' },
    });
    const jobs = (domain: string): Step => ({ action: 'jobs.stop', input: { domain } });

    it('brings schema, jobs and flags back in the other order, and asks for a second person', async () => {
      const runId = await ran([
        flag('enable_stand'),
        flag('enable_depot'),
        jobs('stand'),
        jobs('depot'),
        { action: 'marker.create', input: { name: 'x' } },
        { action: 'backup.create', input: { domains: ['depot'] } },
        { action: 'migration.down', input: { domain: 'depot' } },
        { action: 'verify.all', input: {} },
      ]);
      const doc = await room.draft({ kind: 'undo', runId });
      expect(outline(doc)).toEqual([
        ...off,
        'marker.create',
        'migration.up depot',
        'jobs.start depot',
        'jobs.start stand',
        'flag.lift enable_depot',
        'flag.lift enable_stand',
        'verify.domain stand',
        'verify.domain depot',
        'verify.all',
      ]);
      expect(doc.steps.find(({ action }) => action === 'flag.lift')?.input).toEqual({
        flag: 'enable_depot',
        ofRun: runId,
      });
      expect(doc.approvals).toEqual([{ permission: 'rollback:approve' }]);
    });

    it('sets Unleash back to what it was, where the run has changed it, and goes on without it', async () => {
      const sync = (result: object): Step => ({ action: 'unleash.sync', input: { off: ['enable_depot'] }, result });
      const runId = await ran([flag('enable_depot'), sync({ changed: ['enable_depot'], skipped: false })]);
      await room.room.control(
        `UPDATE control.run_step SET before = '{"flags": {"enable_depot": true}}' WHERE run_id = $1`,
        [runId],
      );
      const doc = await room.draft({ kind: 'undo', runId });
      expect(outline(doc)).toEqual(['unleash.sync', 'flag.lift enable_depot', 'verify.all']);
      expect(doc.steps[0]).toMatchObject({ input: { on: ['enable_depot'], off: [] }, onFail: 'continue' });
      const untouched = await ran([flag('enable_depot'), sync({ skipped: true })]);
      expect(await plan({ kind: 'undo', runId: untouched })).toEqual(['flag.lift enable_depot', 'verify.all']);
    });

    it('leaves what was off before, what was not done, and what the run took back by itself', async () => {
      const runId = await ran(
        [
          flag('enable_stand', false),
          flag('enable_depot'),
          { ...jobs('depot'), state: 'skipped' },
          { action: 'migration.down', input: { domain: 'depot' }, state: 'compensated' },
        ],
        'compensated',
      );
      expect(await plan({ kind: 'undo', runId })).toEqual(['flag.lift enable_depot', 'verify.all']);
    });

    it('is refused while it goes on, when it was undone, when it left nothing, and when it purged', async () => {
      expect(await refusal({ kind: 'undo', runId: randomUUIDv7() })).toBe('run-not-found');
      expect(await refusal({ kind: 'undo', runId: await ran([flag('enable_depot')], 'running') })).toBe(
        'run-in-progress',
      );
      expect(await refusal({ kind: 'undo', runId: await ran([{ action: 'verify.all', input: {} }]) })).toBe(
        'nothing-to-do',
      );
      expect(await refusal({ kind: 'undo', runId: await ran([{ action: 'purge', input: { domain: 'depot' } }]) })).toBe(
        'not-undoable',
      );
      const runId = await ran([flag('enable_depot')]);
      const again = await ran([flag('enable_depot')]);
      await room.room.control(`UPDATE control.run SET mode = 'undo', undoes = $1 WHERE id = $2`, [runId, again]);
      expect(await refusal({ kind: 'undo', runId })).toBe('nothing-to-do');
    });
  });
});
