/**
 * A warehouse with a million lines in its ledger: how long people wait for its stock, now and as it was, how long a week
 * of storage takes, and how long it takes to see that ledger and balances agree.
 */
import { availableParallelism, loadavg } from 'node:os';
import { wms } from '@belay/wms';
import pg from 'pg';
import { z } from 'zod';
import { integrityChecks } from '../../libs/wms/src/integrity/integrity.queries.js';
import { limitChecks } from '../../libs/wms/src/integrity/integrity-run.queries.js';
import { writeStockClose } from '../../libs/wms/src/stock.queries.js';
import { stockRows } from '../../libs/wms/src/stock/stock-list.queries.js';
import { chargeStorage, runStorage } from '../../libs/wms/src/storage/storage.queries.js';
import { BenchServer } from './bench-server.js';
import { startChild } from './child.js';
import { fillWarehouse, lines, lots, places, skus, twoYears } from './million-lines.js';

const server = await BenchServer.open(wms, { durable: true });
const { database } = server;
const filled = await took(() => fillWarehouse(database, twoYears));
const warehouse = firstId((await database.query(`SELECT id FROM wms.warehouse`)).rows);
const token = await server.signUp('wms.inventory:read');
const busy = `load ${loadavg()[0]?.toFixed(1) ?? '?'} on ${availableParallelism()} cores`;
console.log(
  `${busy}; ${lines} lines, ${lots} lots of ${skus} SKUs in ${lots * places} buckets; made in ${(filled / 1_000).toFixed(1)} s`,
);

const api = await startChild('warehouse-api', [], server.environment);
const page = z.object({ items: z.array(z.unknown()).min(1), next: z.string().nullable() });
const get = async (query: string) => {
  const answer = await fetch(`${api.url}/api/wms/stock?${query}`, { headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(`${query} answered ${answer.status}: ${await answer.text()}`);
  return page.parse(await answer.json());
};
const someSku = () => `SKU-${Math.floor(Math.random() * skus)}`;
const someDay = () => new Date(Date.UTC(2024, 0, 30 + Math.floor(Math.random() * 600))).toISOString().slice(0, 10);

let next: string | null = null;
await report('stock, page after page', 200, 50, async () => {
  next = (await get(`warehouse=BULK${next === null ? '' : `&cursor=${next}`}`)).next;
});
await report('stock of a SKU', 200, 50, () => get(`warehouse=BULK&sku=${someSku()}`));
await report('stock of a SKU at the end of a day', 200, 100, () => get(`sku=${someSku()}&asOf=${someDay()}`));
await report('stock of all at the end of a day', 7, 3_000, () => get(`warehouse=BULK&asOf=${someDay()}`));
await report('stock by SKU', 20, 1_000, () => get(`warehouse=BULK&groupBy=sku`));
await report('stock by location', 20, 300, () => get(`warehouse=BULK&groupBy=location`));
await report('stock by warehouse', 20, 300, () => get(`groupBy=warehouse`));

await report('stock, first page of a connection', 20, 50, async () => {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await stockRows(client, { warehouses: [warehouse], groupBy: 'bucket', rows: 51 });
  await client.end();
});

const mondays = ['2025-01-06', '2025-06-02', '2025-09-01', '2025-12-01'];
const summed = await report('the bare sum of a Monday, by lot', mondays.length, Infinity, (turn) =>
  database.query(
    `SELECT lot_id, sum(qty_delta), max(seq) FROM wms.wms_inventory_transaction
     WHERE warehouse_id = $1 AND effective_at < wms.end_of_day($2, 'Europe/London') GROUP BY 1`,
    [warehouse, mondays[turn]],
  ),
);
const monday = await report('a Monday of storage, with its charges', mondays.length, 2_000, async (turn) => {
  const day = mondays[turn] ?? '';
  const [ran] = await runStorage(database, day, warehouse);
  const [charged] = await chargeStorage(database, [day, warehouse]);
  if (ran?.lines !== lots || charged?.charges !== lots) throw new Error('Every lot is stored, and charged');
});
console.log(`  ${(monday / summed).toFixed(1)} times the bare sum`);
await report('the same again: nothing changes', 3, 2_000, async () => {
  const [day = ''] = mondays;
  const [ran] = await runStorage(database, day, warehouse);
  await chargeStorage(database, [day, warehouse]);
  if (ran?.lines !== 0) throw new Error('A Monday that was run is as it was');
});
for (const name of ['ledger-equals-balances', 'never-negative', 'storage-follows-its-inputs']) {
  const check = integrityChecks.find((one) => one.name === name);
  await report(`check: ${name}`, 3, 15_000, async () => {
    await database.query('BEGIN');
    await limitChecks(database, ['120000']);
    const found = await check?.find(database, [1]);
    await database.query('COMMIT');
    if (found?.length !== 0) throw new Error(`${name}: ${JSON.stringify(found)}`);
  });
}

await writeStockClose(database, [warehouse, '2025-11-15']);
await database.query('VACUUM ANALYZE wms.stock_close, wms.storage_ledger, wms.cost_charge');
await report('a Monday after a period was closed', 3, 2_000, async (turn) => {
  await runStorage(database, ['2025-11-17', '2025-11-24', '2025-12-08'][turn] ?? '', warehouse);
});

const explained = new pg.Client({ connectionString: server.url });
await explained.connect();
const plans: string[] = [];
explained.on('notice', ({ message = '' }) => plans.push(message));
for (const set of ['log_min_duration = 0', 'log_analyze = on', 'log_buffers = on', 'log_timing = off']) {
  await explained.query(`LOAD 'auto_explain'; SET auto_explain.${set}`);
}
await explained.query(`SET client_min_messages = log`);
const sku = firstId((await explained.query(`SELECT id FROM wms.sku ORDER BY code LIMIT 1`)).rows);
plans.length = 0;
await stockRows(explained, { warehouses: [warehouse], groupBy: 'bucket', rows: 51 });
await stockRows(explained, { warehouses: [warehouse], skus: [sku], groupBy: 'bucket', day: '2025-06-30', rows: 51 });
console.log(`\nEXPLAIN (ANALYZE, BUFFERS): a page of stock, and that of a SKU at the end of a day\n`);
for (const plan of plans)
  console.log(
    plan.slice(plan.search(/^(Limit|Sort|Nested|Gather|Group|Hash|Subquery|Index|Merge|Incremental)/m)),
    '\n',
  );

await explained.end();
await api.stop();
await server.close();

function firstId(rows: unknown): string {
  return (
    z
      .array(z.object({ id: z.string() }))
      .min(1)
      .parse(rows)[0]?.id ?? ''
  );
}

async function took(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Prints what the middle one and one in twenty take, after two that only warm up where there are many. */
async function report(
  what: string,
  times: number,
  goalMs: number,
  work: (turn: number) => Promise<unknown>,
): Promise<number> {
  for (let turn = 0; times > 10 && turn < 6; turn += 1) await work(turn);
  const all: number[] = [];
  for (let turn = 0; turn < times; turn += 1) all.push(await took(() => work(turn)));
  all.sort((one, other) => one - other);
  const at = (share: number) => all[Math.min(all.length - 1, Math.floor(share * all.length))] ?? Number.NaN;
  const [median, p95] = [at(0.5), at(0.95)];
  const figures = `median ${median.toFixed(1).padStart(8)} ms  p95 ${p95.toFixed(1).padStart(8)} ms`;
  console.log(`${what.padEnd(40)} ${figures}${goalMs === Infinity ? '' : `  (goal p95 < ${goalMs} ms)`}`);
  return median;
}
