import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { wms } from '@belay/wms';
import { z } from 'zod';
import type { planTarget } from '../../libs/rollback/src/plans/plan.contract.js';
import { runView, type RunView } from '../../libs/rollback/src/runs/run.contract.js';
import { eventually } from '../support/eventually.js';
import { Stockroom } from '../wms/stockroom.js';
import { because, Plant, type Person } from './plant.js';

const settled = ['monitoring', 'manual', 'compensated', 'paused'];

/** API and worker as they run. What a plan says is what is done, and its undo leads back to where it began. */
describe('a run and its undo', () => {
  let plant: Plant;
  let stock: Stockroom;
  let operator: Person;
  let executor: Person;
  let approvers: readonly Person[];
  beforeAll(async () => {
    plant = await Plant.open({ domains: [wms] });
    stock = await Stockroom.within(plant.databases.databaseUrl);
    for (const code of ['A', 'B']) await stock.post([{ lot: await stock.lot(code), units: 600 }]);
    operator = await plant.as('ops_operator', 'viewer');
    executor = await plant.as('ops_executor', 'viewer');
    approvers = [await plant.as('ops_approver'), await plant.as('dba')];
  }, 90_000);
  afterAll(async () => {
    await stock.close();
    await plant.close();
  });

  /** Every table of the warehouse with its count and a hash over its rows. */
  async function content(): Promise<unknown> {
    const tables = await plant.rows<{ name: string }>(
      `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = 'wms' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1`,
    );
    const selects = tables.map(
      ({ name }) =>
        `SELECT '${name}' AS name, count(*)::int AS rows, sum(hashtextextended(t::text, 0))::text AS hash FROM wms.${name} t`,
    );
    return selects.length === 0 ? [] : plant.rows(`${selects.join(' UNION ALL ')} ORDER BY 1`);
  }
  const overrides = () => plant.control(`SELECT flag FROM control.flag_override WHERE off ORDER BY 1`);
  const stockAnswers = async () => (await (await plant.as('warehouse')).send('GET', '/api/wms/stock')).status;

  async function agreed(target: z.input<typeof planTarget>): Promise<string> {
    const { id, state, checks } = await operator.plan(target);
    expect([state, checks.filter(({ outcome, severity }) => severity === 'critical' && outcome !== 'pass')]).toEqual([
      'awaiting-approval',
      [],
    ]);
    for (const person of approvers) {
      const answer = await person.outcome('POST', `/api/rollback/plans/${id}/approvals`, {
        decision: 'approve',
        reason: because,
      });
      expect(answer).toMatch(/^(200|409 plan-not-open)$/);
    }
    return id;
  }

  async function carriedOut(target: z.input<typeof planTarget>): Promise<RunView> {
    const { id } = await executor.run(await agreed(target));
    let run = await executor.until(id, ...settled);
    expect({
      state: run.state,
      steps: run.steps
        .filter(({ state }) => state !== 'verified')
        .map(({ action, state, error }) => ({ action, state, error })),
    }).toEqual({ state: 'monitoring', steps: [] });
    run = await executor.until(id, 'monitoring');
    return run;
  }

  it('parks the warehouse, which is gone then, and brings it back with every row', async () => {
    const before = await content();
    expect(await stockAnswers()).toBe(200);
    const run = await carriedOut({ kind: 'module', domain: 'wms', depth: 'parked' });
    expect(await content()).toEqual([]);
    expect(await plant.rows(`SELECT FROM pg_namespace WHERE nspname = 'wms__parked'`)).toHaveLength(1);
    expect(await stockAnswers()).toBe(404);
    expect(await plant.control(`SELECT level, state FROM control.backup WHERE run_id = $1`, [run.id])).toEqual([
      { level: 4, state: 'proven' },
    ]);

    await carriedOut({ kind: 'undo', runId: run.id });
    expect(await content()).toEqual(before);
    expect(await overrides()).toEqual([]);
    await eventually(async () => {
      expect(await stockAnswers()).toBe(200);
    });
    const again = { target: { kind: 'undo', runId: run.id }, reason: because };
    expect(await operator.outcome('POST', '/api/rollback/plans', again)).toBe('409 nothing-to-do');
  }, 180_000);

  it('stops before it destroys anything when an approval is withdrawn meanwhile', async () => {
    const before = await content();
    const planId = await agreed({ kind: 'module', domain: 'wms', depth: 'parked' });
    const { id } = await executor.run(planId);
    await eventually(async () => {
      const { steps } = await executor.ask('GET', `/api/rollback/runs/${id}`, runView);
      expect(steps.find(({ action }) => action === 'backup.create')?.state).not.toBe('pending');
    }, 30_000);
    const withdrawn = { decision: 'withdraw', reason: because };
    const answers = await Promise.all(
      approvers.map((person) => person.outcome('POST', `/api/rollback/plans/${planId}/approvals`, withdrawn)),
    );
    expect(answers.sort()).toEqual(['200', '409 nothing-to-do']);
    const run = await executor.until(id, ...settled);
    expect(run.state).toBe('compensated');
    expect(run.steps.find(({ action }) => action === 'migration.down')).toMatchObject({ attempt: 0 });
    expect(await content()).toEqual(before);
    const found = await plant.control(
      `SELECT outcome FROM control.check_result WHERE run_id = $1 AND check_id = 'S25' AND outcome <> 'pass'`,
      [id],
    );
    expect(found.length).toBeGreaterThanOrEqual(1);
    // What was switched off stays off, until somebody who may lets it on again.
    await carriedOut({ kind: 'undo', runId: id });
    expect(await overrides()).toEqual([]);
  }, 120_000);
});
