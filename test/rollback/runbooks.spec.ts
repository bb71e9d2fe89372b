import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { wms } from '@belay/wms';
import { rollback } from '@belay/rollback';
import { z } from 'zod';
import { dryRunView, planView } from '../../libs/rollback/src/plans/plan.contract.js';
import { runbookDraft, runbookSummary, runbookView } from '../../libs/rollback/src/plans/runbook.contract.js';
import { randomUUIDv7 } from 'node:crypto';
import { listOf } from '@belay/platform';
import { outcome } from '../support/people.js';
import { TestApi } from '../support/test-api.js';

const reason = 'the counts are wrong';
const offRunbook = { kind: 'runbook', runbook: 'wms-read-only' };
const key = () => ({ 'idempotency-key': randomUUIDv7() });

describe('over HTTP', () => {
  let nobody: TestApi;
  let operator: TestApi;
  let approver: TestApi;
  beforeAll(async () => {
    nobody = await TestApi.with(wms, rollback);
    operator = await nobody.as('ops_operator');
    approver = await nobody.as('ops_approver');
  });
  afterAll(() => nobody.close());

  const create = (target: object, status = 201) =>
    operator.withHeaders(key()).post('/api/rollback/plans', { target, reason }, status, planView);

  describe('runbooks', () => {
    it('are those of the manifests, in pages', async () => {
      const all = await operator.get('/api/rollback/runbooks?limit=4', 200, listOf(runbookSummary));
      expect(all.items.map(({ id }) => id)).toEqual(['wms-off', 'wms-read-only', 'wms-s1', 'wms-s2']);
      const rest = await operator.get(`/api/rollback/runbooks?cursor=${all.next ?? ''}`, 200, listOf(runbookSummary));
      expect(rest.items.map(({ id }) => id)).toEqual(['wms-s3', 'wms-s4']);
      expect(all.items[0]).toMatchObject({ version: 1, domain: 'wms', createdBy: 'release', drill: null, budgetS: 30 });
    });

    it('get another version from people, once from each version, with a hash of its own and no drill', async () => {
      const before = await operator.get('/api/rollback/runbooks/wms-off', 200, runbookView);
      const { schemaVersion, id, version, domain, ...draft } = before.doc;
      expect({ schemaVersion, id, version, domain }).toEqual({
        schemaVersion: 1,
        id: 'wms-off',
        version: 1,
        domain: 'wms',
      });
      const contacts = [{ role: 'DBA', name: 'Jonas', reach: 'extension 12' }];
      const write = (match: string) =>
        outcome(operator, 'PUT', '/api/rollback/runbooks/wms-off', { ...draft, contacts }, { 'if-match': match });
      expect(await outcome(operator, 'PUT', '/api/rollback/runbooks/wms-off', draft)).toBe('428 precondition-required');
      const outcomes = await Promise.all([write('"1"'), write('"1"'), write('"1"')]);
      expect(outcomes.sort()).toEqual(['200', '412 precondition-failed', '412 precondition-failed']);
      const after = await operator.get('/api/rollback/runbooks/wms-off', 200, runbookView);
      expect(after).toMatchObject({ version: 2, versions: [1, 2], drill: null, doc: { contacts } });
      expect(after.sha256).not.toBe(before.sha256);
      expect(await operator.get('/api/rollback/runbooks/wms-off?version=1', 200, runbookView)).toMatchObject({
        sha256: before.sha256,
      });
    });

    it('cannot do what no action does, and nobody can write one without the permission', async () => {
      const { doc } = await operator.get('/api/rollback/runbooks/wms-s1', 200, runbookView);
      const draft = z.object(runbookDraft.shape).parse(doc);
      const drop = { key: 'drop', action: 'sql.run', params: { sql: 'DROP SCHEMA wms' }, timeoutS: 1, onFail: 'hold' };
      const put = (api: TestApi, steps: object[]) =>
        outcome(api, 'PUT', '/api/rollback/runbooks/wms-s1', { ...draft, steps }, { 'if-match': '"1"' });
      expect(await put(operator, [drop])).toBe('422 plan-refused');
      expect(await put(operator, [])).toBe('422 invalid-request');
      expect(await put(await nobody.as('viewer'), doc.steps)).toBe('403 permission-missing');
      expect(await outcome(operator, 'GET', '/api/rollback/runbooks/wms-s9')).toBe('404 runbook-not-found');
    });
  });

  describe('plans', () => {
    it('of every runbook of the warehouse can be made, once what they leave open is said', async () => {
      const markerId = randomUUIDv7();
      const backupId = randomUUIDv7();
      for (const [runbook, more] of [
        ['wms-off', {}],
        ['wms-read-only', {}],
        ['wms-s1', {}],
        ['wms-s2', { with: ['rows', 'down'], params: { rows: { markerId } } }],
        ['wms-s2', { with: ['restore'], params: { restore: { backupId } } }],
        ['wms-s3', {}],
        ['wms-s4', { params: { restore: { backupId } } }],
      ] as const) {
        const { doc } = await create({ kind: 'runbook', runbook, ...more });
        expect(doc.steps.at(-1)?.action).toBe('verify.all');
      }
      expect(
        await outcome(
          operator,
          'POST',
          '/api/rollback/plans',
          { target: { kind: 'runbook', runbook: 'wms-s4' }, reason },
          key(),
        ),
      ).toBe('422 plan-refused');
    });

    it('are made once, however often a request is repeated', async () => {
      const again = operator.withHeaders(key());
      const body = { target: offRunbook, reason };
      const one = await again.post('/api/rollback/plans', body, 201, planView);
      const other = await again.post('/api/rollback/plans', body, 201, planView);
      expect(other.id).toBe(one.id);
      expect(await outcome(operator, 'POST', '/api/rollback/plans', body)).toMatch(/^4/);
    });

    it('to park the warehouse say what it holds, are previewed with their SQL, and are approved by somebody else', async () => {
      const began = performance.now();
      const plan = await create({ kind: 'module', domain: 'wms', depth: 'parked' });
      const planned = performance.now() - began;
      expect(plan.state).toBe('awaiting-approval');
      expect(plan.doc.impact.tables.length).toBeGreaterThan(20);
      const dry = await operator.post(`/api/rollback/plans/${plan.id}/dry-run`, undefined, 200, dryRunView);
      expect(dry.previews.filter(({ problem }) => problem !== null)).toEqual([]);
      const sql = dry.previews.flatMap(({ preview }) => preview?.changes ?? []).join('\n');
      expect(sql).toContain('RENAME TO "wms__parked"');
      expect(sql).not.toMatch(/\bDROP (SCHEMA|TABLE|COLUMN)\b/);
      expect(planned).toBeLessThan(2_000);
      expect(dry.tookMs).toBeLessThan(15_000);

      const path = `/api/rollback/plans/${plan.id}/approvals`;
      const body = { decision: 'approve', reason: 'I have looked at it' };
      expect(await outcome(operator, 'POST', path, body, key())).toBe('403 permission-missing');
      const both = await nobody.as('ops_operator', 'ops_approver');
      const own = await both
        .withHeaders(key())
        .post('/api/rollback/plans', { target: plan.doc.target, reason }, 201, planView);
      expect(await outcome(both, 'POST', `/api/rollback/plans/${own.id}/approvals`, body, key())).toBe(
        '403 same-person',
      );
      const agreed = await approver.withHeaders(key()).post(path, body, 200, planView);
      expect(agreed).toMatchObject({ state: 'approved', missing: [] });
      expect(agreed.approvals).toEqual([expect.objectContaining({ decision: 'approve' })]);
      expect(await operator.get(`/api/rollback/plans/${plan.id}`, 200, z.object({ state: z.string() }))).toEqual({
        state: 'approved',
      });
    });

    it('for what is not there say what is', async () => {
      expect(
        await outcome(
          operator,
          'POST',
          '/api/rollback/plans',
          { target: { kind: 'module', domain: 'sop', depth: 'off' }, reason },
          key(),
        ),
      ).toBe('422 target-unknown');
      expect(
        await outcome(operator, 'POST', '/api/rollback/plans', { target: offRunbook, reason: 'short' }, key()),
      ).toBe('422 reason-too-short');
      expect(await outcome(operator, 'GET', `/api/rollback/plans/${'0'.repeat(64)}`)).toBe('404 plan-not-found');
    });
  });
});
