import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { planView } from '../../libs/rollback/src/plans/plan.contract.js';
import { runEvents, runEventView, runReport, logList, runList } from '../../libs/rollback/src/runs/run.contract.js';
import { beacon } from '../support/domains/beacon.js';
import { gauge } from '../support/domains/gauge.js';
import { probe } from '../support/domains/probe.js';
import { probeSql } from '../support/domains/probe.jobs.js';
import { eventually } from '../support/eventually.js';
import { because, Plant, type Person } from './plant.js';

const off = (domain: string) => ({ kind: 'module', domain, depth: 'off' }) as const;

type Seen = [number, string];

/** The events of a stream, until it ends: with the run, or because the modules of the API change. */
async function streamed(person: Person, runId: string, after = 0): Promise<Seen[]> {
  const headers = after === 0 ? {} : { 'last-event-id': String(after) };
  const response = await person.send('GET', `/api/rollback/runs/${runId}/stream`, undefined, headers);
  const text = await response.text();
  return [...text.matchAll(/^event: (.*)\nid: (\d+)$/gm)].map(([, name = '', id]): Seen => [Number(id), name]);
}

/** As a browser follows it, which comes again from where it was. */
async function followed(person: Person, runId: string): Promise<Seen[]> {
  const seen: Seen[] = [];
  while (seen.at(-1)?.[1] !== 'run.monitoring') seen.push(...(await streamed(person, runId, seen.at(-1)?.[0])));
  return seen;
}

describe('a run', () => {
  let plant: Plant;
  let operator: Person;
  let executor: Person;
  let approver: Person;

  beforeAll(async () => {
    plant = await Plant.open({ domains: [probe, gauge, beacon], sql: probeSql });
    operator = await plant.as('ops_operator');
    executor = await plant.as('ops_executor', 'viewer');
    approver = await plant.as('ops_approver');
  }, 60_000);
  afterAll(() => plant.close());

  const lift = async (runId: string) => {
    const undo = await executor.ask('POST', `/api/rollback/runs/${runId}/undo`, planView, { reason: because });
    const approval = { decision: 'approve', reason: because };
    expect(await approver.outcome('POST', `/api/rollback/plans/${undo.id}/approvals`, approval)).toBe('200');
    const { id } = await executor.run(undo.id);
    return executor.until(id, 'monitoring', 'manual', 'compensated');
  };

  it('switches a module off and proves it, and its undo brings it back', async () => {
    expect(await operator.outcome('GET', '/api/gauge')).toBe('200');
    const plan = await operator.plan(off('gauge'));
    expect(plan).toMatchObject({ state: 'approved', missing: [] });

    const asked = await executor.run(plan.id);
    expect(asked).toMatchObject({ state: 'queued', mode: 'normal', reason: because, actor: executor.id });
    const run = await executor.until(asked.id, 'monitoring');
    expect(new Set(run.steps.map(({ state }) => state))).toEqual(new Set(['verified']));
    expect(run).toMatchObject({ percent: 100, currentStep: null });
    expect(await operator.outcome('GET', '/api/gauge')).toBe('404 module-off');
    expect(await operator.outcome('GET', '/api/beacon')).toBe('200');

    const undone = await lift(run.id);
    expect(undone).toMatchObject({ state: 'monitoring', mode: 'undo', undoes: run.id });
    await eventually(async () => {
      expect(await operator.outcome('GET', '/api/gauge')).toBe('200');
    });
  });

  it('tells everybody the same sequence of events, without a gap, wherever they come in', async () => {
    const { id } = await executor.run((await operator.plan(off('beacon'))).id);
    const live = followed(operator, id);
    await executor.until(id, 'monitoring');
    const { items, last } = await operator.ask('GET', `/api/rollback/runs/${id}/events?limit=1000`, runEvents);
    expect(items.map(({ seq }) => seq)).toEqual(Array.from({ length: last }, (_, index) => index + 1));
    const percents = items.flatMap(({ payload }) =>
      typeof payload['percent'] === 'number' ? [payload['percent']] : [],
    );
    expect(percents).toEqual([...percents].sort((one, other) => one - other));
    expect(percents.at(-1)).toBe(100);

    const all = items.map(({ seq, type }): Seen => [seq, type]);
    expect(await live).toEqual(all);
    const middle = Math.floor(last / 2);
    expect(await streamed(operator, id, middle)).toEqual(all.slice(middle));
    expect(await streamed(operator, id, last)).toEqual([]);
    await lift(id);
  });

  it('is told of within a quarter of a second, nineteen times out of twenty', async () => {
    const delays: number[] = [];
    for (let round = 0; round < 2; round++) {
      const { id } = await executor.run((await operator.plan(off('beacon'))).id);
      let last = '0';
      for (let over = false; !over;) {
        const { body } = await operator.send('GET', `/api/rollback/runs/${id}/stream`, undefined, {
          'last-event-id': last,
        });
        let text = '';
        const joined = Date.now();
        for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
          text += chunk;
          const frames = text.split('\n\n');
          text = frames.pop() ?? '';
          for (const frame of frames) {
            const data = /^data: (.*)$/m.exec(frame)?.[1];
            if (data === undefined) continue;
            const event = runEventView.parse(JSON.parse(data));
            // What happened before anybody listened was not told late.
            if (Date.parse(event.at) > joined) delays.push(Date.now() - Date.parse(event.at));
            last = String(event.seq);
            over ||= event.type === 'run.monitoring';
          }
        }
      }
      await lift(id);
    }
    delays.sort((one, other) => one - other);
    const p95 = delays[Math.floor(delays.length * 0.95)] ?? Infinity;
    process.stdout.write(`events: ${delays.length}, p95 ${p95} ms\n`);
    expect(delays.length).toBeGreaterThan(20);
    expect(p95).toBeLessThanOrEqual(250);
  }, 60_000);

  it('is written into the log and has a report, as JSON, Markdown and a page', async () => {
    const { id } = await executor.run((await operator.plan(off('beacon'))).id);
    await executor.until(id, 'monitoring');
    // The half hours around it, to the minute, and what lies just outside of them.
    await plant.control(
      `INSERT INTO control.request_figure (minute, domain, process_id, requests, errors, slots)
       SELECT date_trunc('minute', coalesce(CASE WHEN after > 0 THEN finished_at END, started_at)) + after * interval '1 minute',
              'beacon', gen_random_uuid(), 10, errors, slots
       FROM control.run, (VALUES (-31, 9, '{9,1}'::int[]), (-30, 1, '{10,0}'), (-1, 0, '{0,10}'), (1, 5, '{0,10}'),
                                 (30, 5, '{0,10}'), (31, 9, '{9,1}')) AS f (after, errors, slots)
       WHERE id = $1`,
      [id],
    );
    const report = await operator.ask('GET', `/api/rollback/runs/${id}/report`, runReport);
    expect(report).toMatchObject({ reason: because, dataLoss: 'none', timings: { withinBudget: true } });
    expect(report.traffic.modules.find(({ module }) => module === 'beacon')).toEqual({
      module: 'beacon',
      before: { requests: 20, errors: 1, errorRate: 0.05, p50Ms: 2, p95Ms: 4.7 },
      after: { requests: 20, errors: 10, errorRate: 0.5, p50Ms: 3.5, p95Ms: 4.9 },
    });
    expect(report.checks.length).toBeGreaterThan(0);
    for (const [ending, type] of [
      ['md', 'text/markdown; charset=utf-8'],
      ['html', 'text/html; charset=utf-8'],
    ]) {
      const response = await operator.send('GET', `/api/rollback/runs/${id}/report.${ending}`);
      expect(response.headers.get('content-type')).toBe(type);
      const text = await response.text();
      expect(text).toContain(id);
      expect(text).toContain(because);
      expect(text).toContain('| beacon | before | 20 | 1 (5.0 %) | 2 ms | 4.7 ms |');
      expect(text).toContain('|  | after | 20 | 10 (50.0 %) |');
    }
    const { items } = await operator.ask('GET', '/api/rollback/log?limit=1', logList);
    expect(items[0]).toMatchObject({ runId: id, reason: because, rolledBackBy: executor.id, dataLoss: false });
    const markdown = await (await operator.send('GET', '/api/rollback/log.md')).text();
    expect(markdown).toContain('| Date | Phase | Reason | Rolled back by |');
    await lift(id);
  });

  it('is listed newest first, by page and by state', async () => {
    const first = await operator.ask('GET', '/api/rollback/runs?limit=1', runList);
    const second = await operator.ask('GET', `/api/rollback/runs?limit=1&cursor=${first.next ?? ''}`, runList);
    const [newer, older] = [first.items[0], second.items[0]];
    expect(newer && older && newer.createdAt >= older.createdAt && newer.id !== older.id).toBe(true);
    const { items } = await operator.ask('GET', '/api/rollback/runs?state=cancelled', runList);
    expect(items).toEqual([]);
  });

  it('is asked for 100 times at once and begins once', async () => {
    const plan = await operator.plan(off('beacon'));
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, () =>
        executor.outcome('POST', '/api/rollback/runs', { planId: plan.id, reason: because }),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === '201')).toHaveLength(1);
    expect(new Set(outcomes)).toEqual(new Set(['201', '409 plan-not-open']));
    const [row] = await plant.control<{ id: string }>(`SELECT id FROM control.run WHERE plan_id = $1`, [plan.id]);
    await executor.until(row?.id ?? '', 'monitoring');
    await lift(row?.id ?? '');
  });

  it('of another plan has to wait until the scope is free', async () => {
    const plans = await Promise.all([operator.plan(off('beacon')), operator.plan(off('gauge'))]);
    await plant.control(
      `UPDATE control.lease SET holder = gen_random_uuid(), heartbeat_at = clock_timestamp() + interval '1 hour' WHERE scope = 'live'`,
    );
    const outcomes = await Promise.all(
      plans.map(({ id }) => executor.outcome('POST', '/api/rollback/runs', { planId: id, reason: because })),
    );
    expect(outcomes.sort()).toEqual(['201', '409 run-in-progress']);
    const [row] = await plant.control<{ id: string }>(`SELECT id FROM control.run WHERE state = 'queued'`);
    const runId = row?.id ?? '';
    expect(await executor.outcome('POST', `/api/rollback/runs/${runId}/pause`, { reason: because })).toBe(
      '409 run-not-ready',
    );
    expect(await executor.outcome('POST', `/api/rollback/runs/${runId}/cancel`, { reason: because })).toBe('200');
    await plant.control(`UPDATE control.lease SET holder = NULL, heartbeat_at = NULL WHERE scope = 'live'`);
    expect(await executor.until(runId, 'cancelled')).toMatchObject({ percent: 0 });
    const skip = await executor.outcome('POST', `/api/rollback/runs/${runId}/steps/0/skip`, { reason: because });
    expect(skip).toBe('409 run-not-ready');
  });

  it('is refused without the permission, without a reason, and for what there is not', async () => {
    const { id: planId } = await operator.plan(off('beacon'));
    expect(await operator.outcome('POST', '/api/rollback/runs', { planId, reason: because })).toBe(
      '403 permission-missing',
    );
    expect(await executor.outcome('POST', '/api/rollback/runs', { planId, reason: 'too short' })).toBe(
      '422 reason-too-short',
    );
    expect(await executor.outcome('POST', '/api/rollback/runs', { planId: 'ab'.repeat(32), reason: because })).toBe(
      '404 plan-not-found',
    );
    const nobody = '01980000-0000-7000-8000-000000000999';
    for (const path of ['', '/events', '/stream', '/report', '/report.md']) {
      expect(await operator.outcome('GET', `/api/rollback/runs/${nobody}${path}`)).toBe('404 run-not-found');
    }
    expect(await executor.outcome('POST', `/api/rollback/runs/${nobody}/undo`, { reason: because })).toBe(
      '404 run-not-found',
    );
    expect(await executor.outcome('POST', `/api/rollback/runs/${nobody}/cancel`, { reason: because })).toBe(
      '404 run-not-found',
    );
    expect(await executor.outcome('POST', `/api/rollback/runs/${nobody}/steps/0/skip`, { reason: because })).toBe(
      '404 run-not-found',
    );
  });
});
