import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { migrateDown, migrateUp } from '@belay/platform';
import { wms } from '@belay/wms';
import type { z } from 'zod';
import { backupView } from '../../libs/rollback/src/backups/backup.contract.js';
import { keptList } from '../../libs/rollback/src/restores/kept.contract.js';
import type { planTarget } from '../../libs/rollback/src/plans/plan.contract.js';
import { markerView } from '../../libs/rollback/src/restores/marker.contract.js';
import { fingerprintNow, fingerprintRecorded } from '../../libs/rollback/src/actions/schema.queries.js';
import { ledgers } from '../../migrations/index.js';
import { eventually } from '../support/eventually.js';
import { Stockroom } from '../wms/stockroom.js';
import { because, Plant, type Person } from './plant.js';
import { openWorld } from './run-room.js';

const ledger = 'wms.wms_inventory_transaction';

/** API and worker as they run, people who agree, and nothing that is called by hand. */
describe('restores of the warehouse, planned, agreed to, carried out and taken back again', () => {
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
    }, 120_000);
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

  const ledgerRows = () => plant.rows(`SELECT to_jsonb(t) AS row FROM ${ledger} t ORDER BY seq`);
  const silently = (sql: string) => plant.rows(`BEGIN; SET LOCAL session_replication_role = replica; ${sql}; COMMIT`);
  const damage = () => silently(`DELETE FROM ${ledger}; DELETE FROM wms.stock_balance`);
  const takenBack = (run: { readonly id: string }) => carriedOut({ kind: 'undo', runId: run.id });
  const isOff = () => plant.control(`SELECT flag FROM control.flag_override WHERE off ORDER BY 1`);
  /** What the migrator would find, compared with what was written down. */
  const drifted = async () => {
    await using world = await openWorld(plant.config, [wms], ledgers);
    const found: string[] = [];
    for (const { domain, database } of ledgers) {
      if (database !== 'application') continue;
      if ((await fingerprintNow(world, domain)) !== (await fingerprintRecorded(world, domain))) found.push(domain);
    }
    return found;
  };

  it('R2, to a marker: movements since are reversed, and are made again', async () => {
    const { id: markerId } = await operator.ask('POST', '/api/rollback/markers', markerView, { name: 'before' });
    const before = await balances();
    await stock.post([{ lot: await stock.lot('C'), units: 500 }]);
    const after = await balances();
    const run = await carriedOut({ kind: 'restore', path: 'R2', domain: 'wms', markerId });
    expect(await balances()).toEqual(before);
    await takenBack(run);
    expect(await balances()).toEqual(after);
    expect(await isOff()).toEqual([]);
  }, 240_000);

  it('R3, R4 and R5, from backups: rows, one domain and everything', async () => {
    // The backup of the domain is of a release that knew one migration less.
    await migrateDown(plant.databases, ledgers, 'wms', { only: ['1764006980000-order-storage-by-day'] });
    const ofDomain = await proven({ kind: 'domains', domains: ['wms'] });
    await migrateUp(plant.databases, ledgers, 'wms');
    const ofAll = await proven({ kind: 'application' });
    const before = await balances();
    const rows = await ledgerRows();

    await silently(`DELETE FROM ${ledger} WHERE seq = 1; UPDATE wms.stock_balance SET on_hand = on_hand + 1`);
    const damaged = await ledgerRows();
    const tables = [ledger, 'wms.stock_balance'];
    const byRows = await carriedOut({ kind: 'restore', path: 'R3', domain: 'wms', backupId: ofDomain, tables });
    expect([await ledgerRows(), await balances()]).toEqual([rows, before]);
    await takenBack(byRows);
    expect(await ledgerRows()).toEqual(damaged);

    await damage();
    const byDomain = await carriedOut({ kind: 'restore', path: 'R4', domain: 'wms', backupId: ofDomain });
    expect(await balances()).toEqual(before);
    expect(await drifted()).toEqual([]);
    await takenBack(byDomain);
    expect(await balances()).toEqual([]);
    expect(await drifted()).toEqual([]);
    expect(await isOff()).toEqual([]);

    const byAll = await carriedOut({ kind: 'restore', path: 'R5', backupId: ofAll });
    expect(await balances()).toEqual(before);
    expect(await isOff()).toEqual([]);
    expect(await drifted()).toEqual([]);
    // Queues are there in the new database, and whoever signs in is answered.
    expect(await plant.rows(`SELECT to_regclass('bullmq.job') IS NOT NULL AS found`)).toEqual([{ found: true }]);
    await eventually(async () => {
      expect((await fetch(`${plant.api.url}/health/ready`)).status).toBe(200);
    });
    await takenBack(byAll);
    expect(await balances()).toEqual([]);
    expect(await drifted()).toEqual([]);
    expect(await isOff()).toEqual([]);
    const { items } = await operator.ask('GET', '/api/rollback/parked', keptList);
    expect(items.map(({ kind, object }) => [kind, /_(failed|undone)_/.exec(object)?.[1]])).toEqual([
      ['database', 'undone'],
      ['schema', 'undone'],
    ]);
  }, 480_000);
});
