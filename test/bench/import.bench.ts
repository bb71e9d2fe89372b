/**
 * Real data by the way that everybody's files take: uploaded to the API, checked, committed by the worker. Tells how fast,
 * how much memory the server needs for it, and whether every figure is that of the data.
 *
 * BELAY_DATA names a folder with `adventureworks` and `online-retail` as their publishers have them; without it the files
 * and the three days that come along are taken.
 */
import { randomUUIDv7 } from 'node:crypto';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { wms } from '@belay/wms';
import { adventureWorks } from '../../apps/cli/src/wms/adventure-works.js';
import { inChunks, recordsOf } from '../../apps/cli/src/wms/csv-text.js';
import { ImportClient } from '../../apps/cli/src/wms/import-client.js';
import type { Layout } from '../../apps/cli/src/wms/layout.js';
import { onlineRetail } from '../../apps/cli/src/wms/online-retail.js';
import { BenchServer } from './bench-server.js';
import { startChild } from './child.js';
import { Memory } from './memory.js';

const mostGrowth = 150;

// eslint-disable-next-line no-restricted-properties -- where somebody keeps data is nothing that Belay reads
const given = process.env['BELAY_DATA'];
const along = fileURLToPath(new URL('../data', import.meta.url));
const purchases = join(given ?? along, 'adventureworks');
const sales = join(
  given ?? along,
  'online-retail',
  given === undefined ? 'three-days.csv' : 'online_retail_2010-12_2011-02.csv.gz',
);
/** Lines and net value of each month, as published with the data, or counted of the days that come along. */
const months: Readonly<Record<string, readonly [lines: number, value: string]>> =
  given === undefined
    ? { '2010-12': [7_419, '150463.30'] }
    : { '2010-12': [42_481, '748957.02'], '2011-01': [35_147, '560000.26'], '2011-02': [27_707, '498062.65'] };
const units = given === undefined ? 62_667 : 929_183;

const server = await BenchServer.open(wms, { durable: true });
const { database, environment } = server;
const token = await server.signUp('supervisor');
for (const code of ['BIKES', 'SHOP']) await makeWarehouse(code);
const belay = await startChild('warehouse-api', [], environment);
const worker = await startChild('warehouse-worker', [], { ...environment, WORKER_PORT: '0' });
const client = new ImportClient(belay.url, token);
const wrong: string[] = [];
console.log(`load ${loadavg()[0]?.toFixed(1) ?? '?'} on ${availableParallelism()} cores`);

await load('AdventureWorks', adventureWorks, purchases, 'BIKES');
await same(
  'units received, in quarantine and available',
  `SELECT sum(t.qty_delta)::text, sum(t.qty_delta) FILTER (WHERE t.stock_status = 'quarantine')::text,
          sum(t.qty_delta) FILTER (WHERE t.stock_status = 'available')::text
   FROM wms.wms_inventory_transaction t JOIN wms.warehouse w ON w.id = t.warehouse_id WHERE w.code = 'BIKES'`,
  ['2327299', '72700', '2254599'],
);

await load('Online Retail', onlineRetail, sales, 'SHOP', Object.keys(months));
await readSource();
for (const [month, [lines, value]] of Object.entries(months)) {
  await same(
    `lines and value of ${month}`,
    `SELECT sum(s.lines)::text, sum(s.value)::text FROM (
       SELECT invoice, sku, count(*) AS lines, sum(quantity) AS units, sum(quantity * price) AS value
       FROM source WHERE month = '${month}' GROUP BY 1, 2) s
     JOIN (
       SELECT m.reference AS invoice, upper(k.code) AS sku, -sum(t.qty_delta) AS units
       FROM wms.wms_inventory_transaction t JOIN wms.movement m ON m.id = t.movement_id AND m.kind IN ('SHIP', 'RECEIVE')
       JOIN wms.sku k ON k.id = t.sku_id JOIN wms.warehouse w ON w.id = t.warehouse_id AND w.code = 'SHOP'
       GROUP BY 1, 2) l USING (invoice, sku, units)`,
    [String(lines), value],
  );
}
const movements = `SELECT count(*)::text FROM wms.movement`;
await same(
  'units that left',
  `SELECT (-sum(t.qty_delta))::text FROM wms.wms_inventory_transaction t JOIN wms.movement m ON m.id = t.movement_id
   JOIN wms.warehouse w ON w.id = t.warehouse_id WHERE w.code = 'SHOP' AND m.kind <> 'OPENING'`,
  [String(units)],
);
await same(
  'pieces of opening stock beyond the least',
  `WITH walked AS (
     SELECT t.sku_id, m.kind, sum(t.qty_delta) OVER (PARTITION BY t.sku_id ORDER BY t.effective_at, t.seq) AS balance, t.qty_delta
     FROM wms.wms_inventory_transaction t JOIN wms.movement m ON m.id = t.movement_id
     JOIN wms.warehouse w ON w.id = t.warehouse_id WHERE w.code = 'SHOP')
   SELECT coalesce(sum(least), 0)::text FROM (
     SELECT min(balance) FILTER (WHERE kind <> 'OPENING') AS least FROM walked GROUP BY sku_id
     HAVING bool_or(kind = 'OPENING')) s`,
  ['0'],
);
await same(
  'buckets whose ledger is not their balance, or was ever negative',
  `SELECT count(*)::text FROM (
     SELECT b.id FROM wms.stock_balance b
     LEFT JOIN (SELECT *, sum(qty_delta) OVER (PARTITION BY location_id, lot_id, stock_status ORDER BY effective_at, seq) AS balance
                FROM wms.wms_inventory_transaction) t USING (location_id, lot_id, stock_status)
     GROUP BY b.id HAVING coalesce(sum(t.qty_delta), 0) <> b.on_hand OR min(t.balance) < 0) d`,
  ['0'],
);
const before = String((await database.query<{ count: string }>(movements)).rows[0]?.count);
for (const month of Object.keys(months)) {
  const again = await client.upload(optionsOf('SHOP', month), contentsOf(onlineRetail, sales, 'SHOP', month));
  if (again.status !== 'committed') wrong.push(`the file of ${month} was not known again`);
}
await same('movements after the same files again', movements, [before]);

await worker.stop();
await belay.stop();
await server.close();
if (wrong.length > 0) throw new Error(wrong.join('\n'));

async function load(name: string, layout: Layout, path: string, warehouse: string, parts: readonly string[] = ['']) {
  const master = { sku_master: {}, warehouse_config: { warehouse } };
  for (const kind of ['sku_master', 'warehouse_config'] as const) {
    const content = inChunks(layout[kind](path, { warehouse }));
    await take(`${name}, ${kind}`, { kind, ...master[kind] }, content);
  }
  for (const part of parts) {
    await take(`${name} ${part}`.trim(), optionsOf(warehouse, part), contentsOf(layout, path, warehouse, part));
  }
}

function optionsOf(warehouse: string, part: string) {
  const opening = warehouse === 'SHOP' ? { opening: 'least' } : {};
  return { kind: 'inventory_ledger', warehouse, fileName: `${warehouse} ${part}`.trim(), ...opening };
}

function contentsOf(layout: Layout, path: string, warehouse: string, part: string): AsyncGenerator<string> {
  return inChunks(layout.inventory_ledger(path, { warehouse, month: part === '' ? undefined : part }));
}

async function take(name: string, options: Readonly<Record<string, string>>, content: AsyncIterable<string>) {
  const memory = await Promise.all([belay, worker].map(({ url }) => Memory.watch(url)));
  const began = performance.now();
  const file = await client.upload(options, content);
  const checked = performance.now();
  if (file.rowsError > 0) wrong.push(`${name}: ${(await client.report(file.id)).issues[0]?.detail ?? '?'}`);
  await client.commit(file.id, false, () => undefined);
  const ended = performance.now();
  const growths = await Promise.all(memory.map((one) => one.growth()));
  const growth = Math.max(...growths);
  const rows = file.rowsTotal ?? 0;
  const rate = (ms: number) => `${Math.round(rows / (ms / 1_000))} lines/s`;
  console.log(
    `${name}: ${rows} lines in ${((ended - began) / 1_000).toFixed(1)} s = ${rate(ended - began)} ` +
      `(checked ${rate(checked - began)}, committed ${rate(ended - checked)}), memory of API and worker ${growths.map((one) => `+${one.toFixed(0)}`).join(' and ')} MB (goal < ${mostGrowth})`,
  );
  if (growth >= mostGrowth) wrong.push(`${name} took ${growth.toFixed(0)} MB of memory`);
}

async function same(name: string, sql: string, expected: readonly string[]): Promise<void> {
  const { rows } = await database.query<string[]>({ text: sql, rowMode: 'array' });
  const found = rows[0] ?? [];
  const isSame = JSON.stringify(found) === JSON.stringify(expected);
  console.log(`  ${isSame ? '✓' : '✗'} ${name}: ${found.join(', ')}`);
  if (!isSame) wrong.push(`${name}: ${found.join(', ')} instead of ${expected.join(', ')}`);
}

/** The lines as they are published, beside the ledger, so that the database compares them. */
async function readSource(): Promise<void> {
  await database.query(`CREATE TEMP TABLE source (month text, invoice text, sku text, quantity bigint, price numeric)`);
  let rows: (readonly string[])[] = [];
  const keep = async () => {
    await database.query(
      `INSERT INTO source SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::numeric[])`,
      [0, 1, 2, 3, 4].map((place) => rows.map((row) => row[place])),
    );
    rows = [];
  };
  for await (const { InvoiceDate = '', InvoiceNo = '', StockCode = '', Quantity = '', UnitPrice = '' } of recordsOf(
    sales,
  )) {
    rows.push([InvoiceDate.slice(0, 7), InvoiceNo, StockCode.toUpperCase(), Quantity, UnitPrice]);
    if (rows.length === 5_000) await keep();
  }
  await keep();
}

async function makeWarehouse(code: string): Promise<void> {
  const id = randomUUIDv7();
  await database.query(
    `INSERT INTO wms.warehouse (id, site_id, code, name, kind, timezone, created_by)
     VALUES ($1, gen_random_uuid(), $2, $2, 'own', 'Europe/London', gen_random_uuid())`,
    [id, code],
  );
  await database.query(
    `INSERT INTO wms.location (id, warehouse_id, code, type, created_by) VALUES ($1, $2, 'DEFAULT', 'zone', gen_random_uuid())`,
    [randomUUIDv7(), id],
  );
}
