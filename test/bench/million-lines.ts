import type pg from 'pg';

export const [lines, lots, places, skus] = [1_000_000, 20_000, 10, 500];

/** When its documents took effect, evenly over the days. */
export interface Span {
  /** SQL of a timestamp. */
  readonly from: string;
  readonly days: number;
}

export const twoYears: Span = { from: `timestamptz '2024-01-01'`, days: 730 };
/** No week of storage was charged, so there must be no more of them than a weekend leaves. */
export const lastDays: Span = { from: `now() - interval '5 days'`, days: 5 };

/**
 * A warehouse with a million lines. Line n is of the bucket n modulo all of them, ten lines to a document. Its lines
 * without their triggers, which are measured elsewhere; the benchmark of the warehouse checks that the balances are right.
 */
export async function fillWarehouse(client: pg.Client, { from, days }: Span): Promise<void> {
  const by = 'created_by';
  await client.query(`
    BEGIN;
    CREATE TEMP VIEW bench_warehouse AS SELECT * FROM wms.warehouse WHERE code = 'BULK';
    INSERT INTO directory.site (id, code, name, kind, time_zone, working_hours, row_version)
    VALUES (gen_random_uuid(), 'BENCH', 'Bench', 'warehouse', 'Europe/London', '{}', 1);
    INSERT INTO wms.warehouse (id, site_id, code, name, kind, timezone, ${by})
    SELECT gen_random_uuid(), id, 'BULK', 'Bulk', 'third_party', 'Europe/London', gen_random_uuid() FROM directory.site WHERE code = 'BENCH';
    INSERT INTO wms.location (id, warehouse_id, code, type, ${by})
    SELECT gen_random_uuid(), w.id, 'BIN-' || n, 'bin', gen_random_uuid()
    FROM bench_warehouse w, generate_series(0, ${places - 1}) n;
    INSERT INTO wms.sku (id, code, description, default_units_per_carton, ${by})
    SELECT gen_random_uuid(), 'SKU-' || n, 'Goods ' || n, 60, gen_random_uuid() FROM generate_series(0, ${skus - 1}) n;
    INSERT INTO wms.lot (id, sku_id, code, units_per_carton, ${by})
    SELECT gen_random_uuid(), s.id, 'LOT-' || n, 60, gen_random_uuid()
    FROM generate_series(0, ${lots - 1}) n JOIN wms.sku s ON s.code = 'SKU-' || n % ${skus};
    INSERT INTO wms.lot_stock (warehouse_id, lot_id, storage_cartons_per_pallet, shipping_cartons_per_pallet, first_received_at, ${by})
    SELECT w.id, l.id, 36, 16, '2024-01-01', gen_random_uuid() FROM bench_warehouse w, wms.lot l WHERE l.code LIKE 'LOT-%';
    INSERT INTO wms.cost_rate (id, warehouse_id, category, name, basis, value, currency, valid, ${by})
    SELECT gen_random_uuid(), id, 'Storage', 'Storage', 'pallet_week', 3.90, 'GBP', '[2024-01-01,)', gen_random_uuid() FROM bench_warehouse;

    CREATE TEMP TABLE document ON COMMIT DROP AS
    SELECT n, gen_random_uuid() AS id, ${from} + n * interval '${days} days' / ${lines / 10} AS effective_at,
           clock_timestamp() AS recorded_at
    FROM generate_series(0, ${lines / 10 - 1}) n;
    INSERT INTO wms.movement (id, number, warehouse_id, kind, effective_at, recorded_at, actor_id)
    SELECT d.id, 'BULK-' || d.n, w.id, 'OPENING', d.effective_at, d.recorded_at, gen_random_uuid()
    FROM document d, bench_warehouse w;
    SET LOCAL session_replication_role = replica;
    INSERT INTO wms.wms_inventory_transaction
      (movement_id, line_no, warehouse_id, location_id, sku_id, lot_id, stock_status, qty_delta, effective_at, recorded_at)
    SELECT d.id, i.n % 10 + 1, w.id, o.id, l.sku_id, l.id, 'available',
           (ARRAY[600, -50, 30, -20, 10])[i.n / ${lots * places} % 5 + 1], d.effective_at, d.recorded_at
    FROM generate_series(0, ${lines - 1}) AS i (n)
    JOIN document d ON d.n = i.n / 10
    JOIN (SELECT id, sku_id, row_number() OVER (ORDER BY code) - 1 AS n FROM wms.lot WHERE code LIKE 'LOT-%') l ON l.n = i.n % ${lots}
    JOIN (SELECT id, row_number() OVER (ORDER BY code) - 1 AS n FROM wms.location WHERE code LIKE 'BIN-%') o ON o.n = i.n / ${lots} % ${places}
    CROSS JOIN bench_warehouse w
    ORDER BY i.n;
    INSERT INTO wms.stock_balance (warehouse_id, location_id, sku_id, lot_id, stock_status, on_hand, last_seq)
    SELECT warehouse_id, location_id, sku_id, lot_id, stock_status, sum(qty_delta), max(seq)
    FROM wms.wms_inventory_transaction JOIN bench_warehouse w ON w.id = warehouse_id GROUP BY 1, 2, 3, 4, 5;
    DROP VIEW bench_warehouse;
    COMMIT;
  `);
  await client.query('VACUUM ANALYZE');
}
