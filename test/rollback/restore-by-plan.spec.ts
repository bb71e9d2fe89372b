import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { wms } from '@belay/wms';
import type { z } from 'zod';
import { backupView } from '../../libs/rollback/src/backups/backup.contract.js';
import { keptList } from '../../libs/rollback/src/restores/kept.contract.js';
import type { planTarget } from '../../libs/rollback/src/plans/plan.contract.js';
import { eventually } from '../support/eventually.js';
import { Stockroom } from '../wms/stockroom.js';
import { because, Plant, type Person } from './plant.js';

/** API and worker as they run, people who agree, and nothing that is called by hand. */
describe('restores of the warehouse, planned, agreed to and carried out', () => {
  let plant: Plant;
  let stock: Stockroom;
  let folder: string;
  let operator: Person;
  let executor: Person;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'belay-by-plan-'));
    plant = await Plant.open({ domains: [wms], env: { BACKUP_DIR: folder } });
    stock = await Stockroom.within(plant.databases.databaseUrl);
    for (const code of ['A', 'B']) await stock.post([{ lot: await stock.lot(code), units: 600 }]);
    operator = await plant.as('ops_operator', 'viewer');
    executor = await plant.as('ops_executor', 'viewer');
  }, 90_000);
  afterAll(async () => {
    await stock.close();
    const live = new URL(plant.databases.databaseUrl).pathname.slice(1);
    const kept = await plant.control<{ name: string }>(
      `SELECT datname AS name FROM pg_database WHERE datname ~ ('^' || $1 || '_(failed|undone)_')`,
      [live],
    );
    for (const { name } of kept) await plant.control(`DROP DATABASE ${name} WITH (FORCE)`);
    await plant.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const balances = () => plant.rows(`SELECT lot_id, on_hand FROM wms.stock_balance WHERE on_hand <> 0 ORDER BY lot_id`);
  const proven = async (scope: object): Promise<string> => {
    const { id } = await operator.ask('POST', '/api/rollback/backups', backupView, { scope, level: 4 }, 202);
    await eventually(async () => {
      const { level, state, findings } = await operator.ask('GET', `/api/rollback/backups/${id}`, backupView);
      if (level !== 4) throw new Error(`the backup is ${state}: ${JSON.stringify(findings)}`);
    }, 60_000);
    return id;
  };
  const carriedOut = async (target: z.input<typeof planTarget>) => {
    const plan = await operator.plan(target);
    expect(plan.state).toBe('awaiting-approval');
    for (const role of ['ops_approver', 'dba']) {
      const person = await plant.as(role, 'rollback:approve');
      const decision = { decision: 'approve', reason: because };
      expect(await person.outcome('POST', `/api/rollback/plans/${plan.id}/approvals`, decision)).toMatch(
        /^(200|409 plan-not-open)$/,
      );
    }
    const { id } = await executor.run(plan.id);
    const run = await executor.until(id, 'monitoring', 'manual', 'compensated', 'paused');
    const against = await plant.control(
      `SELECT check_id, outcome, severity, measured FROM control.check_result WHERE run_id = $1 AND outcome <> 'pass'`,
      [id],
    );
    const left = run.steps.filter(({ state }) => state !== 'verified' && state !== 'skipped');
    if (left.length > 0) throw new Error(`the run is ${run.state}: ${JSON.stringify({ left, against })}`);
    expect(run.state).toBe('monitoring');
    return run;
  };

  it('bring back one domain, and then everything', async () => {
    const before = await balances();
    const ofDomain = await proven({ kind: 'domains', domains: ['wms'] });
    const ofAll = await proven({ kind: 'application' });
    const damage = () =>
      plant.rows(
        `BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM wms.wms_inventory_transaction; DELETE FROM wms.stock_balance; COMMIT`,
      );
    await damage();
    expect(await balances()).toEqual([]);
    await carriedOut({ kind: 'restore', path: 'R4', domain: 'wms', backupId: ofDomain });
    expect(await balances()).toEqual(before);

    await damage();
    await carriedOut({ kind: 'restore', path: 'R5', backupId: ofAll });
    expect(await balances()).toEqual(before);
    expect(
      await plant.control(`SELECT flag FROM control.flag_override WHERE flag = 'platform_writes' AND off`),
    ).toEqual([]);
    // Queues are there in the new database, and whoever signs in is answered.
    expect(await plant.rows(`SELECT to_regclass('bullmq.job') IS NOT NULL AS found`)).toEqual([{ found: true }]);
    await eventually(async () => {
      expect((await fetch(`${plant.api.url}/health/ready`)).status).toBe(200);
    });
    const { items } = await operator.ask('GET', '/api/rollback/parked', keptList);
    expect(items).toMatchObject([
      { how: 'failed', kind: 'database', domain: null },
      { how: 'failed', kind: 'schema', domain: 'wms' },
    ]);
  }, 240_000);
});
