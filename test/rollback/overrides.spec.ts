import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { auditList, auditVerification } from '../../libs/rollback/src/audit/audit.contract.js';
import { verifyExport } from '../../libs/rollback/src/audit/export-verify.js';
import { Signer } from '../../libs/rollback/src/engine/signer.js';
import {
  flagBoard,
  flagExplanation,
  moduleBoard,
  overrideView,
  snapshotList,
  snapshotView,
} from '../../libs/rollback/src/flags/flag.contract.js';
import { beacon } from '../support/domains/beacon.js';
import { gauge } from '../support/domains/gauge.js';
import { probe } from '../support/domains/probe.js';
import { probeSql } from '../support/domains/probe.jobs.js';
import { eventually } from '../support/eventually.js';
import { because, Plant, type Person } from './plant.js';

const path = '/api/rollback/flags/overrides';

describe('a flag', () => {
  let plant: Plant;
  let operator: Person;
  let both: Person;
  let auditor: Person;
  let viewer: Person;

  beforeAll(async () => {
    plant = await Plant.open({ domains: [probe, gauge, beacon], sql: probeSql });
    operator = await plant.as('ops_operator');
    both = await plant.as('ops_operator', 'ops_approver');
    auditor = await plant.as('auditor');
    viewer = await plant.as('viewer');
  }, 60_000);
  afterAll(() => plant.close());

  const off = (flag: string) => operator.ask('POST', path, overrideView, { flag, reason: because });
  const lift = (flag: string, by = both, reason = because) =>
    by.send('DELETE', `${path}/${flag}`, undefined, { 'x-reason': reason }).then(async (response) => {
      const body: unknown = await response.json();
      const code: unknown = Reflect.get(Object(body), 'code');
      return typeof code === 'string' ? `${response.status} ${code}` : String(response.status);
    });
  const stateOf = async (flag: string) => {
    const { flags } = await viewer.ask('GET', '/api/rollback/flags', flagBoard);
    return flags.find((one) => one.flag === flag);
  };
  const audited = (action: string) =>
    plant.control<{ outcome: string }>(`SELECT outcome FROM control.audit_entry WHERE action = $1 ORDER BY seq`, [
      action,
    ]);

  it('is off everywhere at once, by one person, and comes back by one who may do more', async () => {
    expect(await stateOf('enable_beacon')).toMatchObject({ mode: 'on', killed: false, override: null, obeyed: true });
    const made = await off('enable_beacon');
    expect(made).toMatchObject({ flag: 'enable_beacon', off: true, actor: operator.id, runId: null, reason: because });
    await eventually(async () => {
      expect(await operator.outcome('GET', '/api/beacon')).toBe('404 module-off');
      expect(await stateOf('enable_beacon')).toMatchObject({ mode: 'off', killed: true, obeyed: true });
    });
    expect(await off('enable_beacon')).toMatchObject({ seq: made.seq });

    expect(await lift('enable_beacon', operator)).toBe('403 permission-missing');
    const approver = await plant.as('ops_approver');
    expect(await lift('enable_beacon', approver)).toBe('403 permission-missing');
    expect(await lift('enable_beacon', both, 'short')).toBe('422 reason-too-short');
    expect(await lift('enable_beacon')).toBe('200');
    await eventually(async () => {
      expect(await operator.outcome('GET', '/api/beacon')).toBe('200');
    }, 5_000);
    expect(await lift('enable_beacon')).toBe('404 override-not-found');
    expect((await audited('flag.off')).map(({ outcome }) => outcome)).toEqual(['done', 'off already']);
    expect((await audited('flag.lift')).map(({ outcome }) => outcome)).toEqual(['denied: permission-missing', 'done']);
    expect((await audited('request.denied')).map(({ outcome }) => outcome)).toEqual(['denied: permission-missing']);
  });

  it('never becomes true by being lifted', async () => {
    await off('enable_beacon');
    plant.flags.off('enable_beacon');
    expect(await lift('enable_beacon')).toBe('200');
    await eventually(async () => {
      expect(await stateOf('enable_beacon')).toMatchObject({ mode: 'off', killed: false, source: { on: false } });
    }, 5_000);
    plant.flags.on('enable_beacon');
    await eventually(async () => {
      expect(await operator.outcome('GET', '/api/beacon')).toBe('200');
    }, 5_000);
  });

  it('is refused when nobody has it, when it is an emergency, and to whom may not', async () => {
    const refusals: [Person, object, string][] = [
      [operator, { flag: 'enable_nothing', reason: because }, '422 flag-unknown'],
      [operator, { flag: 'emergency_rollback', reason: because }, '409 emergency-only'],
      [operator, { flag: 'enable_beacon', reason: 'too short' }, '422 reason-too-short'],
      [viewer, { flag: 'enable_beacon', reason: because }, '403 permission-missing'],
    ];
    const before = (await audited('request.denied')).length;
    for (const [by, body, outcome] of refusals) expect(await by.outcome('POST', path, body)).toBe(outcome);
    expect(await audited('request.denied')).toHaveLength(before + 1);
    expect(await viewer.outcome('POST', '/api/rollback/flags/snapshots', {})).toBe('403 permission-missing');
    expect(await viewer.outcome('GET', '/api/rollback/audit')).toBe('403 permission-missing');
    expect(await operator.outcome('GET', '/api/rollback/audit/export')).toBe('403 permission-missing');
    const { items } = await auditor.ask('GET', '/api/rollback/audit?action=request.denied&limit=1', auditList);
    expect(items[0]).toMatchObject({ subject: 'GET /api/rollback/audit/export', actor: { id: operator.id } });
  });

  it('is not lifted while a run is at work on it, nor while the tables behind it are parked', async () => {
    const [run] = await plant.control<{ id: string }>(
      `WITH plan AS (
         INSERT INTO control.plan (id, kind, doc, risk, fingerprint, state, created_by, expires_at)
         VALUES (repeat('ab', 32), 'module', '{}', 'none', 'x', 'used', 'maria', now()) RETURNING id)
       INSERT INTO control.run (id, plan_id, mode, state, paused_for, paused_from, policy, reason, actor)
       SELECT gen_random_uuid(), id, 'normal', 'paused', 'human', 'running', 'hold', 'a reason to wait', 'maria' FROM plan
       RETURNING id`,
    );
    await plant.control(`SELECT control.override_flag('live', 'enable_gauge', true, 'of a run', 'maria', $1)`, [
      run?.id,
    ]);
    expect(await lift('enable_gauge')).toBe('409 run-in-progress');
    await plant.control(`UPDATE control.run SET state = 'cancelled', paused_for = NULL, paused_from = NULL`);
    await plant.control(
      `INSERT INTO control.parked_object (id, domain, kind, object, purge_after)
       VALUES (gen_random_uuid(), 'gauge', 'schema', 'gauge', now() + interval '30 days')`,
    );
    expect(await lift('enable_gauge')).toBe('409 schema-parked');
    await plant.control(`UPDATE control.parked_object SET taken_back_at = now()`);
    expect(await lift('enable_gauge')).toBe('200');
    await plant.control(`DELETE FROM control.run`);
  });

  it('says why it is on or off, for whomever', async () => {
    const explain = (flag: string, query = '') =>
      viewer.ask('GET', `/api/rollback/flags/${flag}/explain${query}`, flagExplanation);
    expect(await explain('enable_gauge')).toMatchObject({ mode: 'on', because: ['every layer lets it through'] });
    await off('enable_probe');
    await eventually(async () => {
      expect((await explain('enable_gauge')).because).toEqual(['probe is off']);
      expect((await explain('enable_probe')).because).toEqual([`switched off by hand: ${because}`]);
    });
    expect(await lift('enable_probe')).toBe('200');
    plant.flags.percent('enable_beacon', 0);
    await eventually(async () => {
      expect((await explain('enable_beacon', '?user=maria')).because).toEqual([
        'its source has it off for whoever was asked for',
      ]);
      expect(await explain('enable_beacon', '?user=maria&role=admin')).toMatchObject({ mode: 'on' });
    }, 5_000);
    plant.flags.set('enable_beacon', { strategies: [{ name: 'default', parameters: {}, constraints: [] }] });
    expect(await viewer.outcome('GET', '/api/rollback/flags/nothing/explain')).toBe('422 flag-unknown');
  });

  it('is kept in snapshots, with every layer', async () => {
    const taken = await operator.ask('POST', '/api/rollback/flags/snapshots', snapshotView, { reason: because });
    expect(taken.state.flags.map(({ flag }) => flag)).toEqual(
      expect.arrayContaining(['emergency_rollback', 'platform_writes', 'enable_probe', 'probe_export']),
    );
    const { items } = await viewer.ask('GET', '/api/rollback/flags/snapshots?limit=1', snapshotList);
    expect(items).toEqual([taken]);
  });

  it('is seen on the board of modules, with where it runs, its schema and what is kept of it', async () => {
    await eventually(async () => {
      const { modules } = await viewer.ask('GET', '/api/rollback/modules', moduleBoard);
      const named = Object.fromEntries(modules.map((one) => [one.name, one]));
      expect(named['probe']).toMatchObject({
        mode: 'on',
        flag: { flag: 'enable_probe' },
        parked: [],
        lastBackup: null,
      });
      expect(named['probe']?.processes.map(({ role, booted }) => [role, booted])).toEqual([
        ['api', true],
        ['worker', true],
      ]);
      expect(named['probe']?.features.map(({ flag }) => flag)).toContain('probe_export');
      expect(named['directory']).toMatchObject({ flag: null, mode: 'on', schema: 'live', ledger: { parked: 0 } });
      expect(named['directory']?.ledger.applied).toBeGreaterThan(0);
    }, 10_000);
  });

  it('Property 12: has one audit entry for each act, whatever breaks in between', async () => {
    const [before] = await plant.control<{ count: string }>(
      `SELECT count(*) FROM control.audit_entry WHERE action LIKE 'flag.%'`,
    );
    const killing = new AbortController();
    const kills = (async () => {
      while (!killing.signal.aborted) {
        await plant.control(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE application_name = 'belay-api-control' AND random() < 0.3 AND state <> 'idle'`,
        );
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
    })();
    const act = async (index: number) => {
      const headers = { 'idempotency-key': randomUUIDv7() };
      const body = { flag: index % 2 ? 'enable_gauge' : 'probe_export', reason: `${because} ${index}` };
      for (;;) {
        const { status } = await operator.send('POST', path, body, headers);
        if (status === 201) return;
        expect([409, 500, 503]).toContain(status);
      }
    };
    await Promise.all(Array.from({ length: 100 }, (_, index) => act(index)));
    killing.abort();
    await kills;
    const [after] = await plant.control<{ count: string }>(
      `SELECT count(*) FROM control.audit_entry WHERE action LIKE 'flag.%'`,
    );
    expect(Number(after?.count) - Number(before?.count)).toBe(100);
    expect(await auditor.ask('GET', '/api/rollback/audit/verify', auditVerification)).toMatchObject({
      ok: true,
      broken: null,
    });
    for (const flag of ['enable_gauge', 'probe_export']) expect(await lift(flag)).toBe('200');
  }, 60_000);

  it('leaves a trail that can be read, proven and taken away', async () => {
    const { items, next } = await auditor.ask('GET', '/api/rollback/audit?limit=3', auditList);
    expect(items).toHaveLength(3);
    const older = await auditor.ask('GET', `/api/rollback/audit?limit=3&cursor=${next ?? ''}`, auditList);
    expect(older.items[0]?.seq).toBe((items[2]?.seq ?? 0) - 1);
    expect(await auditor.outcome('GET', '/api/rollback/audit/verify?seq=999999')).toBe('404 audit-entry-not-found');
    expect(await auditor.outcome('GET', '/api/rollback/audit/verify?seq=1')).toBe('409 audit-entry-not-anchored');
    const signer = new Signer(plant.config);
    for (const format of ['jsonl', 'csv', 'ocsf', 'cef', 'html']) {
      const response = await auditor.send('GET', `/api/rollback/audit/export?format=${format}`);
      expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="audit-test-/);
      if (!response.body) throw new Error('an export has a body');
      expect(await verifyExport(response.body, signer)).toMatchObject({ ok: true, format, problems: [] });
    }
    const exported = await audited('audit.export');
    expect(exported).toHaveLength(5);
  });
});
