import { randomUUIDv7 } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { AuditTrail } from '@belay/platform';
import { auditList } from '../../libs/rollback/src/audit/audit.contract.js';
import { emergencyView, type EmergencyView } from '../../libs/rollback/src/emergency/emergency.contract.js';
import { EmergencyUpkeep } from '../../libs/rollback/src/emergency/emergency-upkeep.service.js';
import { runReport, runView } from '../../libs/rollback/src/runs/run.contract.js';
import { beacon } from '../support/domains/beacon.js';
import { gauge } from '../support/domains/gauge.js';
import { probe } from '../support/domains/probe.js';
import { probeSql } from '../support/domains/probe.jobs.js';
import { eventually } from '../support/eventually.js';
import { slowness } from '../support/slowness.js';
import { because, Plant, type Person } from './plant.js';
import { openWorld } from './run-room.js';

/** The beacon stays in an emergency, as rollback itself does. */
const domains = [probe, gauge, beacon];
const allOff = ['404 module-off', '404 module-off', '200'];
const confirm = 'test';
const everything = { level: 'E2', reason: because, confirm } as const;
const only = (module: string) => ({ level: 'E1', module, reason: because, confirm }) as const;

describe('an emergency', () => {
  let plant: Plant;
  let chief: Person;
  let approver: Person;
  let operator: Person;
  let executor: Person;

  beforeAll(async () => {
    plant = await Plant.open({ domains, sql: probeSql });
    chief = await plant.as('ops_emergency');
    approver = await plant.as('ops_approver', 'rollback:switch');
    operator = await plant.as('ops_operator');
    executor = await plant.as('ops_executor', 'auditor');
  }, 60_000);
  afterAll(() => plant.close());

  /** As it was: no run at work, nothing switched off. */
  afterEach(async () => {
    await plant.control(`UPDATE control.lease SET holder = NULL, run_id = NULL, heartbeat_at = NULL`);
    await eventually(async () => {
      const open = await plant.control(
        `SELECT state FROM control.run WHERE state NOT IN ('monitoring', 'closed', 'cancelled', 'compensated')
         AND NOT (state = 'paused' AND paused_for = 'preempted')`,
      );
      expect(open).toEqual([]);
    }, 20_000);
    await plant.control(
      `UPDATE control.run SET state = 'cancelled', paused_for = NULL, paused_from = NULL WHERE state = 'paused'`,
    );
    await plant.control(
      `SELECT control.override_flag('live', flag, false, 'as it was', 'test') FROM control.flag_override WHERE off`,
    );
    await eventually(async () => {
      for (const name of ['probe', 'gauge', 'beacon'])
        expect(await operator.outcome('GET', `/api/${name}`)).toBe('200');
    }, 10_000);
  });

  const declare = (body: object, by = chief): Promise<EmergencyView> =>
    by.ask('POST', '/api/rollback/emergency', emergencyView, body);
  const outcomes = () =>
    Promise.all(['probe', 'gauge', 'beacon'].map((name) => operator.outcome('GET', `/api/${name}`)));

  it('has every module off and verified within five seconds, by one person', async () => {
    const began = performance.now();
    const declared = await declare(everything);
    const declaredMs = performance.now() - began;
    expect(declared).toMatchObject({
      level: 'E2',
      module: null,
      flags: ['emergency_rollback'],
      acknowledged: { processes: 2, behind: [] },
      joined: false,
      problem: null,
    });
    expect(await outcomes()).toEqual(allOff);
    await eventually(async () => {
      const { steps } = await operator.ask('GET', `/api/rollback/runs/${declared.emergencyId}`, runView);
      expect(steps.filter(({ action, state }) => action === 'flag.off' && state === 'verified')).toHaveLength(1);
    }, 20_000);
    const verifiedMs = performance.now() - began;
    const run = await chief.until(declared.emergencyId, 'monitoring');
    const wholeMs = performance.now() - began;
    process.stdout.write(
      `emergency: answered ${declaredMs.toFixed(0)} ms, off and verified ${verifiedMs.toFixed(0)} ms, health check ${wholeMs.toFixed(0)} ms\n`,
    );
    expect(verifiedMs).toBeLessThan(5_000 * slowness());
    expect(run).toMatchObject({ mode: 'emergency', level: 'E2', actor: chief.id, ratifiedBy: null });
    expect(run.steps.map(({ action }) => action)).not.toContain('migration.down');
    expect(await operator.outcome('GET', '/api/rollback/flags')).toBe('200');

    const report = await operator.ask('GET', `/api/rollback/runs/${run.id}/report`, runReport);
    const critical = report.checks.filter(({ severity }) => severity === 'critical');
    expect(critical.map(({ bypassedBy }) => bypassedBy)).toEqual(critical.map(() => null));
    const { rows } = await checksOf(run.id);
    const early = rows.filter(({ first }) => first);
    expect(early.filter(({ severity }) => severity === 'normal').every(({ outcome }) => outcome === 'not-run')).toBe(
      true,
    );
    expect(early.some(({ severity, outcome }) => severity === 'critical' && outcome === 'pass')).toBe(true);
  });

  const checksOf = async (runId: string) => {
    const rows = await plant.control<{ check_id: string; severity: string; outcome: string; first: boolean }>(
      `SELECT check_id, severity, outcome, at = min(at) OVER (PARTITION BY check_id) AS first
       FROM control.check_result WHERE run_id = $1`,
      [runId],
    );
    return { rows };
  };

  it('of one module takes those with it that cannot live without it, and leaves the others', async () => {
    const declared = await declare(only('probe'));
    expect(declared.flags).toEqual(expect.arrayContaining(['enable_gauge', 'enable_probe']));
    expect(await outcomes()).toEqual(allOff);
    expect(await chief.until(declared.emergencyId, 'monitoring')).toMatchObject({ level: 'E1' });
  });

  it('is ratified by somebody else, once, and undone like any run', async () => {
    const { emergencyId: id } = await declare(only('beacon'));
    const path = `/api/rollback/emergency/${id}/ratification`;
    const both = await plant.as('ops_emergency', 'ops_approver');
    expect(await operator.outcome('POST', path, { reason: because })).toBe('403 permission-missing');
    expect(await approver.outcome('POST', path, { reason: 'short' })).toBe('422 reason-too-short');
    expect(await approver.outcome('POST', path, { reason: because })).toBe('200');
    expect(await both.outcome('POST', path, { reason: because })).toBe('409 already-ratified');
    const run = await chief.until(id, 'monitoring');
    expect(run.ratifiedBy).toBe(approver.id);
    expect(
      await approver.outcome('POST', `/api/rollback/emergency/${randomUUIDv7()}/ratification`, { reason: because }),
    ).toBe('404 emergency-not-found');
    const own = await declare(only('beacon'), both);
    expect(
      await both.outcome('POST', `/api/rollback/emergency/${own.emergencyId}/ratification`, { reason: because }),
    ).toBe('403 same-person');
    await chief.until(own.emergencyId, 'monitoring');
    const { items } = await executor.ask('GET', '/api/rollback/audit?action=emergency.&limit=4', auditList);
    expect(items.map(({ action, outcome }) => [action, outcome])).toEqual([
      ['emergency.ratify', 'denied: same-person'],
      ['emergency.declare', 'flags off'],
      ['emergency.ratify', 'ratified'],
      ['emergency.declare', 'flags off'],
    ]);
  }, 60_000);

  it('of a machine is ratified by a person, never by a machine, nor by whose token it was', async () => {
    const [machine, other] = [await plant.machine('ops_emergency'), await plant.machine('ops_approver')];
    const { emergencyId: id } = await declare(only('beacon'), machine);
    const ratify = (by: Person, of = id) =>
      by.outcome('POST', `/api/rollback/emergency/${of}/ratification`, { reason: because });
    const approvals = { decision: 'approve', reason: because };
    expect(await ratify(other)).toBe('403 machines-never-approve');
    const own = await plant.as('ops_emergency', 'ops_approver');
    const token = await plant.tokenOf(own);
    expect(await ratify(token)).toBe('403 machines-never-approve');
    expect(await ratify(approver)).toBe('200');
    expect(await chief.until(id, 'monitoring')).toMatchObject({ actor: machine.id, ratifiedBy: approver.id });

    const undo = await operator.plan({ kind: 'undo', runId: id });
    expect(await other.outcome('POST', `/api/rollback/plans/${undo.id}/approvals`, approvals)).toBe(
      '403 machines-never-approve',
    );
    const { emergencyId: byToken } = await declare(only('beacon'), token);
    expect(await ratify(own, byToken)).toBe('403 same-person');
    expect(await ratify(approver, byToken)).toBe('200');
    await chief.until(byToken, 'monitoring');
  }, 60_000);

  it('is undone like any run', async () => {
    const { emergencyId: id } = await declare(only('beacon'));
    await chief.until(id, 'monitoring');
    const undo = await operator.plan({ kind: 'undo', runId: id });
    await approver.outcome('POST', `/api/rollback/plans/${undo.id}/approvals`, {
      decision: 'approve',
      reason: because,
    });
    await executor.until((await executor.run(undo.id)).id, 'monitoring');
    await eventually(async () => {
      expect(await operator.outcome('GET', '/api/beacon')).toBe('200');
    }, 5_000);
  }, 60_000);

  it('that nobody has ratified within 24 hours is a finding, once', async () => {
    const { emergencyId: id } = await declare(only('beacon'));
    await chief.until(id, 'monitoring');
    await using world = await openWorld(plant.config, domains, []);
    const upkeep = new EmergencyUpkeep(world, new AuditTrail(world.control));
    const found = () =>
      plant.control(`SELECT outcome FROM control.audit_entry WHERE action = 'emergency.unratified' AND run_id = $1`, [
        id,
      ]);
    const age = (text: string) =>
      plant.control(`UPDATE control.run SET created_at = clock_timestamp() - $2::interval WHERE id = $1`, [id, text]);
    await age('23:59:30');
    await upkeep.turn();
    expect(await found()).toEqual([]);
    await age('24:00:01');
    await Promise.all([upkeep.turn(), upkeep.turn()]);
    await upkeep.turn();
    expect(await found()).toEqual([{ outcome: 'HIGH' }]);
  });

  it('is refused with nothing switched off when it does not say enough', async () => {
    const refusals: [object, string][] = [
      [{ ...everything, confirm: 'production' }, '422 confirm-mismatch'],
      [{ ...everything, reason: 'too short' }, '422 reason-too-short'],
      [only('nothing'), '422 target-unknown'],
      [only('directory'), '409 not-gated'],
      [{ level: 'E1', reason: because, confirm }, '422 invalid-request'],
      [{ ...everything, level: 'E3' }, '422 invalid-request'],
    ];
    for (const [body, outcome] of refusals) {
      expect(await chief.outcome('POST', '/api/rollback/emergency', body)).toBe(outcome);
    }
    expect(await operator.outcome('POST', '/api/rollback/emergency', everything)).toBe('403 permission-missing');
    expect(await plant.control(`SELECT flag FROM control.flag_override WHERE off`)).toEqual([]);
  });

  it('is had once under one key, also when the answer was lost', async () => {
    const headers = { 'idempotency-key': randomUUIDv7() };
    const responses = await Promise.all(
      [1, 2, 3].map(() => chief.send('POST', '/api/rollback/emergency', only('gauge'), headers)),
    );
    const views = await Promise.all(responses.map(async (response) => emergencyView.parse(await response.json())));
    expect(new Set(views.map(({ emergencyId }) => emergencyId)).size).toBe(1);
    const [first] = views;
    expect(await plant.control(`SELECT FROM control.run WHERE id = $1`, [first?.emergencyId])).toHaveLength(1);
    await chief.until(first?.emergencyId ?? '', 'monitoring');
  });

  it('takes over from a run, and joins or overtakes another emergency', async () => {
    const plan = await operator.plan({ kind: 'module', domain: 'beacon', depth: 'off' });
    await plant.control(
      `UPDATE control.lease SET holder = gen_random_uuid(), heartbeat_at = clock_timestamp() + interval '1 hour' WHERE scope = 'live'`,
    );
    const normal = await executor.run(plan.id);
    const first = await declare(only('gauge'));
    expect(first.joined).toBe(false);
    await executor.until(normal.id, 'cancelled');
    const all = await Promise.all([declare(everything), declare(everything), declare(everything)]);
    const ids = new Set(all.map(({ run }) => run?.id));
    expect(ids.size).toBe(1);
    expect(all.filter(({ joined }) => !joined)).toHaveLength(1);
    const [id = ''] = ids;
    await chief.until(id, 'monitoring');
    expect(await outcomes()).toEqual(allOff);
    const runs = await plant.control<{ level: string }>(
      `SELECT level FROM control.run WHERE mode = 'emergency' AND id = ANY ($1) ORDER BY level`,
      [[first.emergencyId, id]],
    );
    expect(runs).toEqual([{ level: 'E1' }, { level: 'E2' }]);
  });

  it('that is to bring back a backup switches off at once, and says what is missing', async () => {
    const declared = await declare({ level: 'E4', reason: because, confirm });
    expect(declared).toMatchObject({ flags: ['emergency_rollback'], run: null, plan: null });
    expect(declared.problem).toMatch(/^backup-too-weak: /);
    expect(await outcomes()).toEqual(allOff);
  });

  it('brings a backup back only when a second person who may restore has agreed', async () => {
    await plant.control(
      `INSERT INTO control.backup (id, scope, domains, location, level, state, snapshot_at)
       VALUES (gen_random_uuid(), 'application', '{}', '/nowhere', 4, 'proven', clock_timestamp())`,
    );
    const wanted = { level: 'E4', reason: because, confirm } as const;
    const first = await declare(wanted);
    expect(first).toMatchObject({ run: null, problem: null, plan: { missing: [{ permission: 'rollback:restore' }] } });
    const planId = first.plan?.id ?? '';
    // The backup is no real one, so a critical check stands against the plan; here it is about who agrees.
    expect(first.plan).toMatchObject({ state: 'blocked' });
    await plant.control(`UPDATE control.plan SET state = 'awaiting-approval' WHERE id = $1`, [planId]);
    const approve = (by: Person) =>
      by.outcome('POST', `/api/rollback/plans/${planId}/approvals`, { decision: 'approve', reason: because });
    expect(await approve(approver)).toBe('403 permission-missing');
    expect(await approve(executor)).toBe('403 permission-missing');
    expect(await approve(await plant.as('dba'))).toBe('200');

    const second = await declare(wanted);
    expect(second).toMatchObject({ joined: false, plan: null, run: { level: 'E4', planId, mode: 'emergency' } });
    const run = await chief.until(second.emergencyId, 'compensated', 'manual', 'paused');
    expect(run.steps.find(({ action }) => action === 'database.restore')?.state).toBe('pending');
    await plant.control(
      `UPDATE control.run SET state = 'cancelled', paused_for = NULL, paused_from = NULL WHERE id = $1`,
      [run.id],
    );
    await plant.control(`UPDATE control.backup SET state = 'broken' WHERE location = '/nowhere'`);
  });
});

describe('an emergency while Unleash is dead', () => {
  it('has every module off all the same', async () => {
    const plant = await Plant.open({
      domains,
      sql: probeSql,
      env: (flagsPath) => ({
        UNLEASH_URL: 'http://127.0.0.1:9/api',
        UNLEASH_TOKEN: 'default:development.none',
        UNLEASH_ADMIN_TOKEN: 'none',
        FLAGS_BOOTSTRAP_FILE: flagsPath,
        FLAGS_BACKUP_DIR: `${flagsPath}.backup`,
      }),
    });
    try {
      const chief = await plant.as('ops_emergency');
      expect(await chief.outcome('GET', '/api/beacon')).toBe('200');
      const began = performance.now();
      const { emergencyId } = await chief.ask('POST', '/api/rollback/emergency', emergencyView, everything);
      for (const name of ['probe', 'gauge']) expect(await chief.outcome('GET', `/api/${name}`)).toBe('404 module-off');
      expect(performance.now() - began).toBeLessThan(5_000 * slowness());
      const run = await chief.until(emergencyId, 'monitoring');
      const states = Object.fromEntries(run.steps.map(({ action, state }) => [action, state]));
      expect(states).toMatchObject({ 'flag.off': 'verified', 'jobs.stop': 'verified', 'verify.all': 'verified' });
    } finally {
      await plant.close();
    }
  }, 90_000);
});
