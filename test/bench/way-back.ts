import { loadavg } from 'node:os';
import { wms } from '@belay/wms';
import { backupView } from '../../libs/rollback/src/backups/backup.contract.js';
import { BelayRoom } from '../rollback/belay-room.js';
import { carryOut, Client, figure, tookMs, Writers } from '../rollback/main-job.js';
import { BenchServer } from './bench-server.js';

const ledger = 'wms.wms_inventory_transaction';
/** What storage still has to be worked out: jobs of the module take from it as soon as it is back. */
const workList = 'wms.storage_dirty';

/**
 * The main job on a ledger that was filled: it is parked and taken back while clients write to the rest, then damaged and
 * repaired in each way. Everything at the terminal; prints beside each time what it may take.
 */
export async function measureWayBack(fill: (server: BenchServer) => Promise<void>): Promise<void> {
  const server = await BenchServer.open(wms, { durable: true });
  // The whole database is exchanged under it.
  server.database.on('error', () => undefined);
  const { DATABASE_URL: databaseUrl = '', CONTROL_DATABASE_URL: controlUrl = '' } = server.environment;
  const room = await BelayRoom.open({ databaseUrl, controlUrl, drop: () => Promise.resolve() });
  try {
    await fill(server);
    await measure(room);
  } finally {
    await room.close();
    await server.close().catch(() => undefined);
  }
}

async function measure(room: BelayRoom): Promise<void> {
  const [, api] = await Promise.all([room.start('worker'), room.start('api')]);
  const admin = await Client.signIn(api, 'admin');
  const [site] = await room.rows<{ id: string }>(`SELECT id FROM directory.site LIMIT 1`);
  const [filled] = await room.rows<{ lines: string }>(`SELECT count(*) AS lines FROM ${ledger}`);
  console.log(`${filled?.lines} lines, durable, load ${loadavg()[0]?.toFixed(1)}`);

  const before = await room.contentOf('wms');
  const writers = new Writers(admin, site?.id ?? '', 'BENCH');
  const down = await carryOut(room, ['plan', 'module', 'wms', '--depth', 'parked'], ['approver']);
  const up = await carryOut(room, ['undo', down.id], ['approver']);
  await writers.stop();
  expectSame(before, await room.contentOf('wms'), 'undo');
  if (writers.failures.length > 0) throw new Error(`${writers.failures.length} requests of others failed`);
  const step = (action: string) => tookMs(down.steps.find((one) => one.action === action) ?? down);
  console.log(figure('flag off, obeyed and probed', step('flag.off'), '≤ 1 s (runbook 30 s)'));
  console.log(figure('backup', step('backup.create'), '≤ 15 s per 0.5 GB'));
  console.log(figure('backup restored and proven', step('backup.verify'), '≤ 60 s per 0.5 GB'));
  console.log(figure('schema down', step('migration.down'), '≤ 2 s'));
  console.log(figure('parked, all of it', tookMs(down), '≤ 60 s (budget 900 s)'));
  console.log(figure('undone, all of it', tookMs(up), '≤ 10 s'));
  console.log(`  ${writers.codes.length} requests of others, 0 failed, longest ${writers.longestMs.toFixed(0)} ms`);

  const backup = await room.json(['backup', 'create', '--scope', 'application'], backupView);
  const damage = (sql: string) => room.rows(`BEGIN; SET LOCAL session_replication_role = replica; ${sql}; COMMIT`);
  await damage(`UPDATE wms.sku SET description = 'damaged'`);
  const rows = ['restore', 'rows', 'wms', '--backup', backup.id, '--tables', 'wms.sku'];
  const r3 = await carryOut(room, rows, ['approver']);
  expectSame(before, await room.contentOf('wms'), 'R3');
  console.log(figure('R3, a table from a backup', tookMs(r3), '≤ 60 s (budget 900 s)'));
  await damage(`DELETE FROM ${ledger}`);
  const r4 = await carryOut(room, ['restore', 'domain', 'wms', '--backup', backup.id], ['approver', 'admin']);
  expectSame(before, await room.contentOf('wms'), 'R4');
  console.log(figure('R4, the module from a backup', tookMs(r4), '≤ 60 s (budget 900 s)'));
  await damage(`DELETE FROM ${ledger}`);
  const r5 = await carryOut(room, ['restore', 'database', '--backup', backup.id], ['approver', 'admin']);
  expectSame(before, await room.contentOf('wms'), 'R5');
  console.log(figure('R5, the whole database', tookMs(r5), '≤ 120 s (budget 900 s)'));
  if (tookMs(down) > 60_000 || tookMs(r4) > 60_000 || tookMs(r5) > 120_000) process.exitCode = 1;
}

function expectSame(before: Record<string, string>, after: Record<string, string>, way: string): void {
  const other = Object.keys(before).filter((name) => name !== workList && before[name] !== after[name]);
  if (other.length > 0) throw new Error(`${way} left ${other.join(', ')} otherwise than before`);
}
