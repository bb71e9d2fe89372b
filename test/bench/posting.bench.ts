/**
 * What a posting costs over HTTP, with sign-in, checks, charges and the Idempotency-Key, against a bare Fastify + pg
 * handler that runs the same two statements; and how many round trips to the database it takes, counted on the wire.
 */
import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { wms } from '@belay/wms';
import autocannon from 'autocannon';
import pg from 'pg';
import { BenchServer } from './bench-server.js';
import { startChild } from './child.js';
import { CountingProxy } from './counting-proxy.js';
import { compare, table } from './measure.js';

const pool = 16;
const warehouses = 20;
const lots = 1_000;
const path = '/api/wms/movements/ship';

// Without a disk to wait for, so that it does not hide what is done beside the SQL.
const server = await BenchServer.open(wms, { durable: false });
await fill(server.database);
const token = await server.signUp('wms.inventory:read', 'wms.inventory:ship');

const proxy = await CountingProxy.before(server.url);
const environment = { ...server.environment, DATABASE_POOL: String(pool) };
const bare = await startChild('bare-posting', [server.url, String(pool)]);
const belay = await startChild('warehouse-api', [], environment);
const watched = await startChild('warehouse-api', [], { ...environment, DATABASE_URL: proxy.url });

const someLot = () => `LOT-${Math.floor(Math.random() * lots)}`;
const lineOf = (lot: string) => ({ sku: 'BENCH', lot, location: 'DEFAULT', looseUnits: 1 });
const documentOf = (warehouse: string, lines: object[]) => ({
  warehouse,
  reference: randomUUID(),
  shipMode: 'CARTONS',
  lines,
});
const some = (kind: 'FREE' | 'PAID') => `${kind}-${1 + Math.floor(Math.random() * warehouses)}`;
const single = (kind: 'FREE' | 'PAID') => () => documentOf(some(kind), [lineOf(someLot())]);
const alone = () => documentOf('FREE-1', [lineOf(someLot())]);
const five = () => documentOf(some('FREE'), [...new Set(Array.from({ length: 5 }, someLot))].map(lineOf));
const hot = () => documentOf('FREE-1', [lineOf('LOT-HOT')]);

function request(url: string, body: () => object): autocannon.Options {
  return {
    url: `${url}${path}`,
    requests: [
      {
        method: 'POST',
        setupRequest: (one) => ({
          ...one,
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            'idempotency-key': randomUUID(),
          },
          body: JSON.stringify(body()),
        }),
      },
    ],
  };
}

console.log(
  `${warehouses * lots} buckets in ${warehouses} warehouses, pool of ${pool}, 16 connections, medians of alternating rounds`,
);
const against = async (title: string, body: () => object, goal?: number) => {
  const figures = await compare([
    { name: 'bare Fastify + pg', request: request(bare.url, body) },
    { name: 'Belay', request: request(belay.url, body) },
  ]);
  console.log(table(title, figures, goal));
  return figures;
};
const figures = [...(await against('ship one line', single('FREE'), 0.6)), ...(await against('ship five lines', five))];
const others = await compare(
  [
    { name: 'many warehouses, no rates', request: request(belay.url, single('FREE')) },
    { name: 'charged by three rates', request: request(belay.url, single('PAID')) },
    { name: 'one warehouse', request: request(belay.url, alone) },
    { name: 'one hot bucket, 32 clients', request: { ...request(belay.url, hot), connections: 32 } },
  ],
  3,
);
console.log(table('ship one line, otherwise', others));

for (const [title, body] of [
  ['one line', single('FREE')],
  ['one line that is charged', single('PAID')],
  ['five lines', five],
] as const) {
  await autocannon({ ...request(watched.url, body), connections: 16, duration: 2 });
  const [before, rungBefore] = [proxy.roundTrips, proxy.rings];
  const { '2xx': posted } = await autocannon({ ...request(watched.url, body), connections: 16, amount: 1_000 });
  const rings = proxy.rings - rungBefore;
  const trips = proxy.roundTrips - before - rings;
  console.log(
    `round trips, ${title}: ${(trips / posted).toFixed(2)} a posting (goal ≤ 3), and ${(rings / posted).toFixed(2)} rings after commits`,
  );
}
const { rows } = await server.database.query<{ deadlocks: string }>(
  `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`,
);
console.log(`deadlocks: ${rows[0]?.deadlocks ?? '?'}`);
if ([...figures, ...others].some(({ failed }) => failed > 0)) {
  console.error('Some requests failed: the figures mean nothing.');
  process.exitCode = 1;
}

await bare.stop();
await belay.stop();
await watched.stop();
await proxy.close();
await server.close();

/** Two warehouses with the same goods, of which one bills what is shipped. */
async function fill(client: pg.Client): Promise<void> {
  const by = `created_by`;
  await client.query(`
    INSERT INTO directory.site (id, code, name, kind, time_zone, working_hours, row_version)
    VALUES ('${randomUUIDv7()}', 'BENCH', 'Bench', 'warehouse', 'Europe/London', '{}', 1);
    INSERT INTO wms.warehouse (id, site_id, code, name, kind, timezone, ${by})
    SELECT gen_random_uuid(), s.id, c.code, c.code, 'third_party', 'Europe/London', gen_random_uuid()
    FROM directory.site s, (SELECT kind || '-' || n AS code FROM unnest('{FREE,PAID}'::text[]) kind, generate_series(1, ${warehouses}) n) c;
    INSERT INTO wms.location (id, warehouse_id, code, type, ${by})
    SELECT gen_random_uuid(), id, 'DEFAULT', 'zone', gen_random_uuid() FROM wms.warehouse;
    INSERT INTO wms.sku (id, code, description, default_units_per_carton, ${by})
    VALUES (gen_random_uuid(), 'BENCH', 'Bench', 60, gen_random_uuid());
    INSERT INTO wms.lot (id, sku_id, code, units_per_carton, carton_length_mm, carton_width_mm, carton_height_mm, ${by})
    SELECT gen_random_uuid(), s.id, c.code, 60, 400, 280, 295, gen_random_uuid()
    FROM wms.sku s, (SELECT 'LOT-' || n AS code FROM generate_series(0, ${lots - 1}) n UNION ALL SELECT 'LOT-HOT') c;
    INSERT INTO wms.cost_rate (id, warehouse_id, category, name, basis, value, currency, valid, ${by})
    SELECT gen_random_uuid(), w.id, r.category, r.name, r.basis, r.value, 'GBP', '[2020-01-01,)', gen_random_uuid()
    FROM wms.warehouse w, (VALUES ('Unit', 'Pick', 'per_unit', 0.05), ('Shipment', 'Order', 'per_shipment', 1.5),
      ('Carton', 'Loose', 'per_carton_out_loose', 0.35)) AS r (category, name, basis, value) WHERE w.code LIKE 'PAID%';
    WITH opening AS (
      INSERT INTO wms.movement (id, number, warehouse_id, kind, effective_at, actor_id)
      SELECT gen_random_uuid(), w.code || '-OPN', w.id, 'OPENING', '2025-01-01', gen_random_uuid() FROM wms.warehouse w
      RETURNING id, warehouse_id, effective_at, recorded_at)
    INSERT INTO wms.wms_inventory_transaction
      (movement_id, line_no, warehouse_id, location_id, sku_id, lot_id, stock_status, qty_delta, effective_at, recorded_at)
    SELECT m.id, row_number() OVER (PARTITION BY m.id), m.warehouse_id, o.id, l.sku_id, l.id, 'available', 100000000,
           m.effective_at, m.recorded_at
    FROM opening m JOIN wms.location o ON o.warehouse_id = m.warehouse_id CROSS JOIN wms.lot l;
  `);
  await client.query('VACUUM ANALYZE');
}
