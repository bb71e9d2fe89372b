import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { integrityChecks } from '../../libs/wms/src/integrity/integrity.queries.js';
import { writeStockClose } from '../../libs/wms/src/stock.queries.js';
import { chargeStorage, dueStorageDays, runStorage } from '../../libs/wms/src/storage/storage.queries.js';
import { type Lot, Stockroom } from './stockroom.js';

/** What is planted, by the check that must find it: SQL that only a superuser without triggers can run, and what is found. */
const planted: [string, string, string, Record<string, unknown>][] = [
  [
    'ledger-equals-balances',
    'a balance without its lines',
    `UPDATE wms.stock_balance SET on_hand = on_hand + 1 WHERE lot_id = $1`,
    { ledger: 590, balance: 591 },
  ],
  [
    'ledger-equals-balances',
    'lines without a balance',
    `DELETE FROM wms.stock_balance WHERE lot_id = $1`,
    { ledger: 590, balance: 0 },
  ],
  [
    'never-negative',
    'a movement before there was anything',
    `UPDATE wms.wms_inventory_transaction SET effective_at = '2020-01-01' WHERE lot_id = $1 AND qty_delta = -10`,
    { units: -10 },
  ],
  [
    'reserved-equals-allocations',
    'a reserved unit that nobody holds',
    `UPDATE wms.stock_balance SET reserved = reserved + 1 WHERE lot_id = $1`,
    { reserved: 31, allocated: 30 },
  ],
  [
    'reserved-equals-allocations',
    'an allocation of a reservation that has ended',
    `UPDATE wms.reservation SET status = 'released'`,
    { allocated: 30 },
  ],
  [
    'lots-only-where-tracked',
    'a lot of a SKU without lots',
    `UPDATE wms.sku SET lot_tracked = false WHERE id = (SELECT sku_id FROM wms.lot WHERE id = $1)`,
    { lot: 'GOOD' },
  ],
  [
    'movements-are-whole',
    'a movement without lines',
    `INSERT INTO wms.movement (id, number, warehouse_id, kind, effective_at, actor_id)
     SELECT gen_random_uuid(), 'EMPTY', id, 'OPENING', now(), id FROM wms.warehouse LIMIT 1`,
    { number: 'EMPTY', fault: 'no lines' },
  ],
  [
    'movements-are-whole',
    'a reversal of something else',
    `UPDATE wms.wms_inventory_transaction t SET qty_delta = qty_delta - 1
     FROM wms.movement m WHERE m.id = t.movement_id AND m.kind = 'REVERSAL'`,
    { fault: 'not the reverse' },
  ],
  [
    'storage-follows-its-inputs',
    'units that were not there',
    `UPDATE wms.storage_ledger SET units = units - 1 WHERE snapshot_on = '2026-01-05'`,
    { units: 589, ledger_units: 590 },
  ],
  [
    'storage-follows-its-inputs',
    'a pallet too many',
    `UPDATE wms.storage_ledger SET pallets = pallets + 1 WHERE snapshot_on = '2026-01-05'`,
    { pallets: 2 },
  ],
  [
    'storage-follows-its-inputs',
    'a penny too many',
    `UPDATE wms.storage_ledger SET amount = amount + 0.01 WHERE snapshot_on = '2026-01-05'`,
    { amount: 3.91 },
  ],
  [
    'charges-are-quantity-by-rate',
    'a charge that is not its price',
    `UPDATE wms.cost_charge SET amount = amount + 0.01 WHERE charge_on = '2026-01-05'`,
    { amount: 3.91 },
  ],
  [
    'storage-is-complete',
    'a week without its line',
    `DELETE FROM wms.storage_ledger WHERE snapshot_on = '2026-01-05'`,
    { snapshot_on: '2026-01-05', fault: 'no line' },
  ],
  [
    'storage-is-complete',
    'a line in another period',
    `UPDATE wms.storage_ledger SET period_start = period_start - 1 WHERE snapshot_on = '2026-01-05'`,
    { fault: 'wrong day or period' },
  ],
  [
    'storage-is-complete',
    'a line of a Tuesday',
    `UPDATE wms.storage_ledger SET snapshot_on = snapshot_on + 1, week_ending = week_ending + 1 WHERE snapshot_on = '2026-01-05'`,
    { snapshot_on: '2026-01-06', fault: 'wrong day or period' },
  ],
  [
    'invoices-add-up',
    'a line more than the total',
    `UPDATE wms.invoice_line SET amount = amount + 0.01`,
    { number: 'INV-1', fault: 'lines', stated: 54.6, found: 54.61 },
  ],
  [
    'invoices-add-up',
    'a reconciliation that is not the sum of its lines',
    `UPDATE wms.recon_line SET expected_amount = 50, difference = 4.6, qty_variance = 4.6`,
    { fault: 'reconciliation' },
  ],
  [
    'invoices-add-up',
    'more paid than was billed',
    `UPDATE wms.invoice_payment SET amount = 65.53`,
    { fault: 'payments', stated: 65.52, found: 65.53 },
  ],
  [
    'rates-do-not-overlap',
    'a rule that is gone',
    `ALTER TABLE wms.cost_rate DROP CONSTRAINT one_storage_rate_is_valid_at_a_time`,
    { fault: 'no such rule', name: 'one_storage_rate_is_valid_at_a_time' },
  ],
  [
    'rates-do-not-overlap',
    'two storage rates of a day',
    `ALTER TABLE wms.cost_rate DROP CONSTRAINT one_storage_rate_is_valid_at_a_time;
     INSERT INTO wms.cost_rate (id, warehouse_id, category, name, basis, value, currency, valid, created_by)
     SELECT gen_random_uuid(), warehouse_id, category, 'Another', basis, value, currency, valid, created_by
     FROM wms.cost_rate WHERE basis = 'pallet_week'`,
    { fault: 'overlap' },
  ],
  [
    'rates-do-not-overlap',
    'two rates of a name',
    `ALTER TABLE wms.cost_rate DROP CONSTRAINT rates_of_a_name_do_not_overlap;
     INSERT INTO wms.cost_rate (id, warehouse_id, category, name, basis, value, currency, valid, created_by)
     SELECT gen_random_uuid(), warehouse_id, category, upper(name), 'flat', value, currency, valid, created_by
     FROM wms.cost_rate WHERE basis = 'pallet_week'`,
    { fault: 'overlap' },
  ],
  [
    'audit-is-complete',
    'a change that nobody made',
    `UPDATE wms.cost_rate SET value = value + 1`,
    { table_name: 'cost_rate' },
  ],
  [
    'audit-is-complete',
    'a row that vanished',
    `DELETE FROM wms.rate_alias`,
    { table_name: 'rate_alias', present: null },
  ],
  [
    'audit-is-complete',
    'a row from nowhere',
    `INSERT INTO wms.rate_alias (id, warehouse_id, category, alias, rate_name, created_by)
     SELECT gen_random_uuid(), id, 'Unit', 'x', 'y', id FROM wms.warehouse LIMIT 1`,
    { table_name: 'rate_alias', audited: null },
  ],
  [
    'audit-is-complete',
    'a movement that was written into the log by another transaction',
    `UPDATE platform.audit_log SET txid = '3' WHERE table_name = 'movement'`,
    { table_name: 'movement' },
  ],
  [
    'closes-equal-the-ledger',
    'a close that says something else',
    `UPDATE wms.stock_close SET qty = qty + 5`,
    { closed: 605, ledger: 600 },
  ],
  [
    'closes-equal-the-ledger',
    'a close that leaves a bucket out',
    `INSERT INTO wms.stock_close (warehouse_id, closed_on, location_id, lot_id, stock_status, qty, last_seq)
     SELECT warehouse_id, closed_on, location_id, lot_id, 'damaged', qty, last_seq FROM wms.stock_close;
     DELETE FROM wms.stock_close WHERE stock_status = 'available'`,
    { closed: 0, ledger: 600 },
  ],
  [
    'nothing-is-orphaned',
    'lines without their movement',
    `DELETE FROM wms.movement WHERE kind = 'REVERSAL'`,
    { constraint_name: 'ledger_line_is_part_of_its_movement', table_name: 'wms_inventory_transaction' },
  ],
  [
    'nothing-is-orphaned',
    'a line whose movement says another time',
    `UPDATE wms.movement SET effective_at = effective_at + interval '1 second' WHERE kind = 'REVERSAL'`,
    { constraint_name: 'ledger_line_is_part_of_its_movement' },
  ],
  [
    'nothing-is-orphaned',
    'a foreign key that is not enforced',
    `ALTER TABLE wms.movement_attr DROP CONSTRAINT papers_are_of_a_movement;
     ALTER TABLE wms.movement_attr ADD CONSTRAINT papers_are_of_a_movement
       FOREIGN KEY (movement_id) REFERENCES wms.movement (id) NOT VALID`,
    { constraint_name: 'papers_are_of_a_movement', orphan: null },
  ],
];

describe('the integrity checks', () => {
  let room: Stockroom;
  let lot: Lot;

  const find = async (name: string, on: pg.Pool | pg.ClientBase = room.pool, limit = 100) => {
    const check = integrityChecks.find((one) => one.name === name);
    if (!check) throw new Error(`There is no check ${name}`);
    return (await check.find(on, [limit])).map((row) => row.violation);
  };

  /** Runs the work without triggers and foreign keys, and takes everything back. */
  const withoutRules = async (work: (client: pg.PoolClient) => Promise<void>): Promise<void> => {
    const client = await room.pool.connect();
    await client.query('BEGIN');
    try {
      await client.query('SET LOCAL session_replication_role = replica');
      await work(client);
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  };

  beforeAll(async () => {
    room = await Stockroom.open();
    const { warehouse } = room;
    lot = await room.lot('GOOD');
    await room.rows(
      `INSERT INTO wms.lot_stock (warehouse_id, lot_id, storage_cartons_per_pallet, shipping_cartons_per_pallet,
         first_received_at, created_by) VALUES ($1, $2, 36, 16, now(), $1)`,
      [warehouse.id, lot.id],
    );
    await room.insert('cost_rate', {
      warehouse_id: warehouse.id,
      category: 'Storage',
      name: 'Week',
      basis: 'pallet_week',
      value: '3.90',
      currency: 'GBP',
      valid: '[2025-01-01,)',
    });
    await room.insert('rate_alias', {
      warehouse_id: warehouse.id,
      category: 'Storage',
      alias: 'rent',
      rate_name: 'Week',
    });
    await room.post([{ lot, units: 600 }], { at: '2025-12-01T12:00:00Z' });
    await room.transaction(async (client) => {
      await client.query('SELECT FROM wms.warehouse FOR UPDATE');
      await writeStockClose(client, [warehouse.id, '2025-12-15']);
      await client.query(`UPDATE wms.warehouse SET closed_through = '2025-12-15'`);
    });
    const wrong = await room.post([{ lot, units: 40 }], { at: '2025-12-20T12:00:00Z' });
    await room.post([{ lot, units: -40 }], { at: '2025-12-21T12:00:00Z', kind: 'REVERSAL', reverses: wrong });
    await room.post([{ lot, units: -10 }], { at: '2025-12-22T12:00:00Z', kind: 'SHIP' });

    const reservation = await room.insert('reservation', {
      warehouse_id: warehouse.id,
      sku_id: lot.skuId,
      source_type: 'order',
      source_id: 'SO-1',
      source_line: '1',
      qty: 30,
      strategy: 'fifo',
    });
    await room.rows(`UPDATE wms.stock_balance SET reserved = 30 WHERE lot_id = $1`, [lot.id]);
    await room.rows(
      `INSERT INTO wms.reservation_alloc (reservation_id, balance_id, qty)
       SELECT $1, id, 30 FROM wms.stock_balance WHERE lot_id = $2`,
      [reservation, lot.id],
    );
    for (const { day } of await dueStorageDays(room.pool, [[warehouse.id]])) {
      await runStorage(room.pool, day, warehouse.id);
      await chargeStorage(room.pool, [day, warehouse.id]);
    }
    await room.rows(`DELETE FROM wms.storage_dirty`);

    const invoice = await room.insert('invoice', {
      warehouse_id: warehouse.id,
      number: 'INV-1',
      period_start: '2025-12-16',
      period_end: '2026-01-15',
      issued_on: '2026-01-16',
      currency: 'GBP',
      net: '54.60',
      tax: '10.92',
      total: '65.52',
      status: 'approved',
    });
    await room.insert('invoice_line', {
      invoice_id: invoice,
      line_no: 1,
      category: 'Storage',
      name: 'Rent',
      quantity: '14',
      amount: '54.60',
    });
    await room.insert('invoice_payment', {
      invoice_id: invoice,
      method: 'BACS',
      reference: 'P',
      paid_on: '2026-02-01',
      amount: '65.52',
    });
    await room.rows(
      `WITH run AS (
         INSERT INTO wms.recon_run (id, invoice_id, run_no, engine_version, currency, expected_total, invoiced_total, difference,
           abs_tolerance, pct_tolerance, started_at, created_by)
         VALUES ($1::uuid, $2, 1, '1', 'GBP', 54.6, 54.6, 0, 0.01, 0, now(), $1::uuid) RETURNING id)
       INSERT INTO wms.recon_line (run_id, category, name, currency, expected_qty, invoiced_qty, expected_amount,
         invoiced_amount, difference, rate_variance, qty_variance, result)
       SELECT id, 'Storage', 'Week', 'GBP', 14, 14, 54.6, 54.6, 0, 0, 0, 'match' FROM run`,
      [randomUUID(), invoice],
    );
  });
  afterAll(() => room.close());

  it.each(integrityChecks.map((check) => [check.name]))('%s finds nothing where nothing is wrong', async (name) => {
    expect(await find(name)).toEqual([]);
  });

  it.each(planted)('%s finds %s', async (name, _, sql, violation) => {
    await withoutRules(async (client) => {
      const given = sql.includes('$1') ? { text: sql, values: [lot.id] } : sql;
      await client.query(given);
      expect(await find(name, client)).toContainEqual(expect.objectContaining(violation));
    });
    expect(await find(name)).toEqual([]);
  });

  it('each find something that is planted', () => {
    const tested = new Set(planted.map(([name]) => name));
    expect(integrityChecks.map((check) => check.name).filter((name) => !tested.has(name))).toEqual([]);
  });

  it('say as much as they are asked for', async () => {
    await withoutRules(async (client) => {
      await client.query(`UPDATE wms.storage_ledger SET amount = amount + 1`);
      const most = await find('storage-follows-its-inputs', client, 1000);
      expect(most.length).toBeGreaterThan(3);
      expect(await find('storage-follows-its-inputs', client, 3)).toHaveLength(3);
    });
  });

  it('believe that a dirty lot is put right by the next run', async () => {
    await withoutRules(async (client) => {
      await client.query(
        `UPDATE wms.storage_ledger SET units = 0, cartons = 0, pallets = 0, amount = 0 WHERE snapshot_on = '2026-01-12'`,
      );
      await client.query(`DELETE FROM wms.storage_ledger WHERE snapshot_on = '2026-01-05'`);
      const faults = async () => [
        (await find('storage-follows-its-inputs', client)).length,
        (await find('storage-is-complete', client)).length,
      ];
      expect(await faults()).toEqual([1, 1]);
      const dirty = (from: string) =>
        client.query(
          `INSERT INTO wms.storage_dirty VALUES ($1, $2, $3, 1) ON CONFLICT (warehouse_id, lot_id) DO UPDATE SET from_date = excluded.from_date`,
          [room.warehouse.id, lot.id, from],
        );
      await dirty('2026-01-06');
      expect(await faults()).toEqual([0, 1]);
      await dirty('2026-01-05');
      expect(await faults()).toEqual([0, 0]);
    });
  });

  it('look at closed periods in turn: at every row within twenty days', async () => {
    await withoutRules(async (client) => {
      await client.query(`UPDATE wms.warehouse SET closed_through = '2100-01-01'`);
      await client.query(`UPDATE wms.storage_ledger SET amount = amount + 1`);
      const sampled = await find('storage-follows-its-inputs', client, 1000);
      const all = Number(
        (await client.query<{ n: string }>(`SELECT count(*) AS n FROM wms.storage_ledger`)).rows[0]?.n,
      );
      expect(sampled.length).toBeLessThan(all / 3);
      const turns = await client.query<{ n: number }>(
        `SELECT count(DISTINCT (hashint8(n) & 1023) % 20)::integer AS n FROM generate_series(1, 1000) AS n`,
      );
      expect(turns.rows[0]?.n).toBe(20);
    });
  });
});
