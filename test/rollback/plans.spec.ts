import { createHash, randomUUIDv7 } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Actor } from '../../libs/rollback/src/engine/actor.js';
import type { PlanTarget, PlanView } from '../../libs/rollback/src/plans/plan.contract.js';
import { depotContents } from './depot.js';
import { amina, jonas, maria, person, PlanRoom, slugOf } from './plan-room.js';

const reason = 'the counts are wrong';
const off: PlanTarget = { kind: 'module', domain: 'depot', depth: 'off' };
const parked: PlanTarget = { kind: 'module', domain: 'depot', depth: 'parked' };

describe('plans', () => {
  const folders: string[] = [];
  let room: PlanRoom;
  beforeAll(async () => {
    room = await PlanRoom.open();
    await room.room.rows(`INSERT INTO depot.item (id, name) SELECT n, 'item ' || n FROM generate_series(1, 100) n`);
  });
  afterAll(async () => {
    for (const folder of folders) rmSync(folder, { recursive: true });
    await room.close();
  });
  beforeEach(() => room.room.control(`DELETE FROM control.backup`));

  const create = (target: PlanTarget, by: Actor = maria) => room.plans.create(by, target, reason);
  const decide = (by: Actor, { id }: PlanView, decision: 'approve' | 'reject' | 'withdraw' = 'approve') =>
    room.plans.decide(by, id, { decision, reason: 'I have looked at it' });
  const slug = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: unknown) => slugOf(error),
    );
  /** A proven backup, as far as the control database and a folder with its manifest can tell. */
  const restoreReady = async (): Promise<PlanTarget> => {
    const backupId = randomUUIDv7();
    const location = mkdtempSync(join(tmpdir(), 'belay-plans-'));
    folders.push(location);
    writeFileSync(join(location, 'manifest.json'), '{}');
    await room.room.control(
      `INSERT INTO control.backup (id, scope, domains, location, level, state, snapshot_at, sha256)
       VALUES ($1, 'domains', '{depot}', $2, 4, 'proven', clock_timestamp(), $3)`,
      [backupId, location, createHash('sha256').update('{}').digest('hex')],
    );
    return { kind: 'restore', path: 'R4', domain: 'depot', backupId };
  };

  it('that only switch off are approved at once, and those that destroy wait for another person than their author', async () => {
    await create(off);
    const began = performance.now();
    expect(await create(off)).toMatchObject({ state: 'approved', missing: [], createdBy: 'maria' });
    expect(performance.now() - began).toBeLessThan(2_000);

    const plan = await create(parked);
    expect(plan).toMatchObject({ state: 'awaiting-approval', missing: [{ permission: 'rollback:approve' }] });
    expect(plan.checks.filter(({ severity, outcome }) => severity === 'critical' && outcome !== 'pass')).toEqual([]);
    expect(await slug(decide(maria, plan))).toBe('same-person');
    expect(await slug(decide(person('karl'), plan))).toBe('permission-missing');
    expect(await decide(jonas, plan)).toMatchObject({ state: 'approved', missing: [] });
    expect(await slug(decide(amina, plan))).toBe('plan-not-open');
    const trail = await room.room.control(
      `SELECT actor->>'id' AS who, action, outcome FROM control.audit_entry WHERE plan_id = $1 ORDER BY seq`,
      [plan.id],
    );
    expect(trail).toEqual([
      { who: 'maria', action: 'plan.create', outcome: 'awaiting-approval' },
      { who: 'maria', action: 'plan.approve', outcome: 'denied: same-person' },
      { who: 'karl', action: 'plan.approve', outcome: 'denied: permission-missing' },
      { who: 'jonas', action: 'plan.approve', outcome: 'approved' },
    ]);
  });

  it('are never approved by machines, nor by Belay itself', async () => {
    const plan = await create(parked);
    expect(await slug(decide({ ...jonas, kind: 'machine' }, plan))).toBe('machines-never-approve');
    expect(await slug(decide({ ...jonas, kind: 'system' }, plan))).toBe('machines-never-approve');
    expect((await room.plans.get(plan.id)).state).toBe('awaiting-approval');
  });

  it('that need two people need two, of whom one may restore', async () => {
    for (const [first, second] of [
      [jonas, amina],
      [amina, jonas],
    ] as const) {
      const plan = await create(await restoreReady());
      expect(plan.missing).toHaveLength(2);
      expect((await decide(first, plan)).state).toBe('awaiting-approval');
      expect((await decide(first, plan)).state).toBe('awaiting-approval');
      expect(await slug(decide(maria, plan))).toBe('same-person');
      expect((await decide(second, plan)).state).toBe('approved');
    }
    const plan = await create(await restoreReady());
    await decide(jonas, plan);
    expect(await slug(decide(person('karl', 'rollback:approve'), plan))).toBe('permission-missing');
  });
  it('end when somebody rejects them, and when an approval is withdrawn; an approval that was one of two is only gone', async () => {
    const rejected = await create(parked);
    expect((await decide(jonas, rejected, 'reject')).state).toBe('cancelled');
    expect(await slug(decide(amina, rejected))).toBe('plan-not-open');

    const approved = await create(parked);
    expect(await slug(decide(jonas, approved, 'withdraw'))).toBe('nothing-to-do');
    await decide(jonas, approved);
    expect((await decide(jonas, approved, 'withdraw')).state).toBe('cancelled');
    expect((await room.plans.get(approved.id)).missing).toEqual([{ permission: 'rollback:approve' }]);

    const half = await create(await restoreReady());
    await decide(jonas, half);
    const without = await decide(jonas, half, 'withdraw');
    expect(without).toMatchObject({ state: 'awaiting-approval' });
    expect(without.missing).toHaveLength(2);
  });

  it('are approved once when two approve at the same time', async () => {
    for (let round = 0; round < 5; round += 1) {
      const plan = await create(parked);
      const outcomes = await Promise.all([jonas, amina].map((by) => slug(decide(by, plan))));
      expect(outcomes.sort()).toEqual(['done', 'plan-not-open']);
      expect((await room.plans.get(plan.id)).state).toBe('approved');
    }
  });

  it('run out after half an hour', async () => {
    const plan = await create(parked);
    const left = async (seconds: number) =>
      room.room.control(
        `UPDATE control.plan SET expires_at = clock_timestamp() + $2 * interval '1 second' WHERE id = $1`,
        [plan.id, seconds],
      );
    const [facts] = await room.room.control<{ minutes: number }>(
      `SELECT round(extract(epoch FROM expires_at - created_at) / 60)::int AS minutes FROM control.plan WHERE id = $1`,
      [plan.id],
    );
    expect(facts).toEqual({ minutes: 30 });
    await left(-1);
    expect((await room.plans.get(plan.id)).state).toBe('expired');
    expect(await slug(decide(jonas, plan))).toBe('plan-expired');
    expect(await slug(room.dryRuns.make(maria, plan.id))).toBe('plan-expired');
    await left(5);
    expect((await decide(jonas, plan)).state).toBe('approved');
  });

  it('are not approved once something has changed that they rest on', async () => {
    const plan = await create(parked);
    await room.room.rows(`ALTER TABLE depot.item ADD COLUMN colour text`);
    expect(await slug(decide(jonas, plan))).toBe('plan-stale');
    await room.room.rows(`ALTER TABLE depot.item DROP COLUMN colour`);
    expect(await slug(decide(jonas, plan))).toBe('done');
  });

  it('say why: ten characters at least', async () => {
    expect(await slug(room.plans.create(maria, off, '  too short  '))).toBe('reason-too-short');
    expect(await slug(room.plans.create(maria, off, ' 123456789 '))).toBe('reason-too-short');
    expect(await slug(room.plans.create(maria, off, '1234567890'))).toBe('done');
    const plan = await create(parked);
    expect(await slug(room.plans.decide(jonas, plan.id, { decision: 'approve', reason: 'fine' }))).toBe(
      'reason-too-short',
    );
  });

  it('that a check stands against are blocked, say how to go on, and go on once it is put right', async () => {
    await room.room.rows(`INSERT INTO depot.batch (item_id) VALUES (1)`);
    const plan = await create(parked);
    expect(plan.state).toBe('blocked');
    expect(plan.checks.find(({ id }) => id === 'S09')).toMatchObject({
      outcome: 'fail',
      severity: 'critical',
      measured: { against: [{ object: 'depot.batch', mode: 'require-empty', rows: 1 }] },
      threshold: { against: [] },
    });
    expect(
      plan.checks.flatMap(({ outcome, recovery }) => (outcome === 'pass' ? [] : [recovery.length > 0])),
    ).not.toContain(false);
    const refusal = await decide(jonas, plan).catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      slug: 'checks-failed',
      members: { checks: [{ id: 'S09' }], recovery: [{ check: 'S09' }, { check: 'S09' }] },
    });
    expect(await slug(room.runs.request(maria, plan.id, reason, room.transact))).toBe('checks-failed');
    await room.room.rows(`UPDATE depot.batch SET state = 'done'`);
    expect((await room.dryRuns.make(maria, plan.id)).plan.state).toBe('awaiting-approval');
    expect((await decide(jonas, plan)).state).toBe('approved');
  });

  it('are previewed step by step, with the SQL, and nothing is changed by it', async () => {
    const plan = await create(parked);
    const content = async () => ({
      depot: await room.room.rows(depotContents),
      ledger: await room.room.rows(`SELECT * FROM public.depot_migrations ORDER BY name`),
      markers: await room.room.rows(`SELECT count(*)::int AS rows FROM platform.step_marker`),
      control: await room.room.control(
        `SELECT (SELECT count(*)::int FROM control.flag_override) AS overrides, (SELECT count(*)::int FROM control.backup) AS backups,
                (SELECT count(*)::int FROM control.marker) AS markers, (SELECT count(*)::int FROM control.run) AS runs,
                (SELECT count(*)::int FROM control.parked_object) AS parked, (SELECT seq FROM control.audit_head) AS audit`,
      ),
    });
    const before = await content();
    const { previews, tookMs } = await room.dryRuns.make(maria, plan.id);
    expect(await content()).toEqual(before);
    expect(tookMs).toBeLessThan(15_000);
    expect(previews.map(({ key }) => key)).toEqual(plan.doc.steps.map(({ key }) => key));
    expect(previews.filter(({ problem }) => problem !== null)).toEqual([]);
    const down = previews.find(({ action }) => action === 'migration.down');
    expect(down?.preview?.changes.join('\n')).toContain('RENAME TO "depot__parked"');
  });

  it('of a newer release are refused, and so is what no plan has', async () => {
    const plan = await create(off);
    await room.room.control(`UPDATE control.plan SET doc = jsonb_set(doc, '{schemaVersion}', '2') WHERE id = $1`, [
      plan.id,
    ]);
    expect(await slug(room.plans.get(plan.id))).toBe('document-too-new');
    expect(await slug(room.plans.get('0'.repeat(64)))).toBe('plan-not-found');
  });
});

describe('in production', () => {
  let room: PlanRoom;
  beforeAll(async () => {
    room = await PlanRoom.open({ NODE_ENV: 'production' });
  });
  afterAll(() => room.close());

  it('an approval, and a run, need a sign-in of the last ten minutes', async () => {
    const plan = await room.plans.create(maria, parked, reason);
    const signedIn = (ago: number | null): Actor => ({
      ...jonas,
      authTime: ago === null ? null : Math.floor(Date.now() / 1_000) - ago,
    });
    const approve = (by: Actor) =>
      room.plans.decide(by, plan.id, { decision: 'approve', reason: 'I have looked at it' }).then(
        ({ state }) => state,
        (error: unknown) => slugOf(error),
      );
    expect(await approve(signedIn(null))).toBe('sign-in-not-fresh');
    expect(await approve(signedIn(605))).toBe('sign-in-not-fresh');
    expect(await approve(signedIn(595))).toBe('approved');
    const run = (by: Actor) =>
      room.runs.request(by, plan.id, reason, room.transact).then(
        ({ state }) => state,
        (error: unknown) => slugOf(error),
      );
    expect(await run(signedIn(605))).toBe('sign-in-not-fresh');
    expect(await run(signedIn(595))).toBe('queued');
  });
});
