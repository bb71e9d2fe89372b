import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { newHolder } from '../support/people.js';
import type { TestApi } from '../support/test-api.js';
import { Floor } from './floor.js';

const SKUS = 10_000;
const LOTS = 2;
const PLACES = 10;
const LIMIT_MS = 50;
/** A request that reads one row takes less on a machine that has nothing else to do. */
const IDLE_MS = 4;

/** 10,000 SKUs of two lots in ten places each: 200,000 buckets with three lines of the ledger each. */
describe('200,000 buckets', () => {
  let floor: Floor;
  let local: TestApi;

  beforeAll(async () => {
    floor = await Floor.open();
    const { api, warehouse } = floor;
    local = await newHolder(api, floor.admin, 'viewer', (await floor.another()).warehouse.siteId);
    await api.rows(
      `INSERT INTO wms.location (id, warehouse_id, code, type, created_by)
       SELECT gen_random_uuid(), $1, 'P-' || n, 'bin', gen_random_uuid() FROM generate_series(1, ${PLACES}) n`,
      [warehouse.id],
    );
    await api.rows(
      `INSERT INTO wms.sku (id, code, description, default_units_per_carton, created_by)
       SELECT gen_random_uuid(), 'K-' || lpad(n::text, 5, '0'), 'Goods', 12, gen_random_uuid() FROM generate_series(1, ${SKUS}) n`,
    );
    await api.rows(
      `INSERT INTO wms.lot (id, sku_id, code, units_per_carton, created_by)
       SELECT gen_random_uuid(), s.id, 'L-' || n, 12, gen_random_uuid() FROM wms.sku s, generate_series(1, ${LOTS}) n`,
    );
    // As the ledger's trigger would have kept them; a restore loads them like this.
    await api.rows(`
      SET session_replication_role = replica;
      INSERT INTO wms.movement (id, number, warehouse_id, kind, effective_at, actor_id)
      SELECT gen_random_uuid(), 'D-' || n || '-' || m || '-' || k, '${warehouse.id}', 'OPENING',
             timestamptz '2025-01-01 12:00Z' + m * interval '31 days' + (k * 10 + n) * interval '1 minute', gen_random_uuid()
      FROM generate_series(1, ${PLACES}) n, generate_series(0, 2) m, generate_series(0, 99) k;
      INSERT INTO wms.wms_inventory_transaction
        (movement_id, line_no, warehouse_id, location_id, sku_id, lot_id, stock_status, qty_delta, effective_at, recorded_at)
      SELECT m.id, row_number() OVER (PARTITION BY m.id ORDER BY l.id), m.warehouse_id, o.id, l.sku_id, l.id, 'available',
             (ARRAY[60, -24, 7])[split_part(m.number, '-', 3)::integer + 1], m.effective_at, m.recorded_at
      FROM wms.movement m
      JOIN wms.location o ON o.code = 'P-' || split_part(m.number, '-', 2) AND o.warehouse_id = m.warehouse_id
      JOIN (SELECT *, row_number() OVER (ORDER BY id) % 100 AS k FROM wms.lot) l
        ON l.k = split_part(m.number, '-', 4)::integer
      ORDER BY m.effective_at;
      INSERT INTO wms.stock_balance (warehouse_id, location_id, sku_id, lot_id, stock_status, on_hand, last_seq)
      SELECT warehouse_id, location_id, sku_id, lot_id, stock_status, sum(qty_delta), max(seq)
      FROM wms.wms_inventory_transaction GROUP BY 1, 2, 3, 4, 5;
      RESET session_replication_role`);
    const [odd] = await api.rows<{ location_id: string; lot_id: string; sku_id: string }>(
      `SELECT location_id, lot_id, sku_id FROM wms.stock_balance ORDER BY id DESC LIMIT 1`,
    );
    if (odd) {
      await floor.put([
        { lot: { id: odd.lot_id, skuId: odd.sku_id }, units: 3, place: odd.location_id, status: 'damaged' },
      ]);
    }
    await api.rows('ANALYZE');
  }, 300_000);
  afterAll(() => floor.close());

  const fastest = async (path: string, by: TestApi): Promise<{ ms: number; items: unknown[] }> => {
    let ms = Infinity;
    let items: unknown[] = [];
    for (let n = 0; n < 10; n += 1) {
      const began = performance.now();
      const response = await by.send('GET', `/api/wms/${path}`);
      ms = Math.min(ms, performance.now() - began);
      items = z.object({ items: z.array(z.unknown()).default([]) }).parse(response.json()).items;
      expect(response.statusCode).toBe(200);
    }
    return { ms, items };
  };
  /** Milliseconds, as far as the machine had them for us; and how many rows came. */
  const time = async (path: string, by = floor.admin): Promise<{ ms: number; rows: number }> => {
    const { ms, items } = await fastest(path, by);
    const one = await fastest(`warehouses/${floor.warehouse.id}`, floor.admin);
    return { ms: ms / Math.max(1, one.ms / IDLE_MS), rows: items.length };
  };

  it.each([
    ['the first page', 'stock', 50],
    ['a long page', 'stock?limit=200', 200],
    [
      'a page far behind',
      `stock?cursor=${Buffer.from(JSON.stringify(['K-09000', 'W', 'L-1', 'P-1', 'available'])).toString('base64url')}`,
      50,
    ],
    ['a SKU', 'stock?sku=K-05000', 20],
    ['a lot', 'stock?sku=K-05000&lot=L-2', 10],
    ['a place', 'stock?location=P-7', 50],
    ['what is damaged', 'stock?status=damaged', 1],
    ['sums by SKU', 'stock?groupBy=sku', 50],
    ['sums by lot', 'stock?groupBy=lot', 50],
    ['the past', 'stock?asOf=2025-02-15', 50],
    ['the past of a SKU', 'stock?sku=K-05000&asOf=2025-02-15', 20],
    ['the past of a place', 'stock?location=P-7&asOf=2025-02-15', 50],
    ['the ledger', 'inventory-transactions', 50],
    ['the ledger of a SKU', 'inventory-transactions?sku=K-05000', 50],
    ['the ledger of what is damaged', 'inventory-transactions?status=damaged', 1],
  ])('show %s in less than 50 ms', async (_, path, expected) => {
    const { ms, rows } = await time(path);
    expect(rows).toBe(expected);
    expect(ms).toBeLessThan(LIMIT_MS);
  });

  it('are no burden to who sees none of them', async () => {
    for (const path of ['stock', 'stock?groupBy=sku', 'inventory-transactions']) {
      const { ms, rows } = await time(path, local);
      expect([path, rows]).toEqual([path, 0]);
      expect(ms).toBeLessThan(LIMIT_MS);
    }
  });
});
