import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { lockWarehouse } from '../../libs/wms/src/periods/period.queries.js';
import {
  chargeLateStorage,
  chargeStorage,
  dirtyLots,
  dueStorageDays,
  forgetDirtyLots,
  lockStorage,
  ranStorageDays,
  runStorage,
  runStorageOfLots,
} from '../../libs/wms/src/storage/storage.queries.js';
import { type Lot, Stockroom, type Warehouse } from './stockroom.js';

const MONDAY = '2025-01-13';

describe('storage by the week', () => {
  let room: Stockroom;
  let place: Warehouse;
  let made = 0;

  const rate = (value: string, valid = '[2024-01-01,)', facts: Record<string, unknown> = {}) =>
    room.insert('cost_rate', {
      warehouse_id: place.id,
      category: 'Storage',
      name: 'Storage cost per pallet / week',
      basis: 'pallet_week',
      value,
      currency: 'GBP',
      valid,
      ...facts,
    });
  const stack = (lot: Lot, cartons: number, from = '-infinity') =>
    room.rows(
      `INSERT INTO wms.lot_stock (warehouse_id, lot_id, valid_from, storage_cartons_per_pallet, shipping_cartons_per_pallet,
         first_received_at, created_by) VALUES ($1, $2, $4, $3, 16, now(), $1)`,
      [place.id, lot.id, cartons, from],
    );
  const lotOf = async (cartonsPerPallet?: number): Promise<Lot> => {
    const lot = await room.lot(`L${(made += 1)}`);
    if (cartonsPerPallet !== undefined) await stack(lot, cartonsPerPallet);
    return lot;
  };
  const post = (lot: Lot, cartons: number, at: string) =>
    room.post([{ lot, units: cartons * 60 }], { warehouse: place, at });
  const run = async (day = MONDAY) => {
    const [done] = await runStorage(room.pool, day, place.id);
    const [charged] = await chargeStorage(room.pool, [day, place.id]);
    return { ...done, ...charged };
  };
  /** As the job does it: what is due, then what is dirty. */
  const catchUp = async () => {
    const dirty = await dirtyLots(room.pool, [place.id]);
    for (const { day } of await dueStorageDays(room.pool, [[place.id]])) await run(day);
    for (const { lot_id: lot, from_date: from, rev } of dirty) {
      for (const { day } of await ranStorageDays(room.pool, [place.id, from])) {
        await runStorageOfLots(room.pool, [day, place.id, [lot]]);
        await chargeStorage(room.pool, [day, place.id]);
        await chargeLateStorage(room.pool, [day, place.id, [lot]]);
      }
      await forgetDirtyLots(room.pool, [place.id, [lot], [rev]]);
    }
  };
  const lines = (columns: string, day: string | null = MONDAY) =>
    room.rows(
      `SELECT ${columns} FROM wms.storage_ledger WHERE warehouse_id = $1 AND ($2::date IS NULL OR snapshot_on = $2)
       ORDER BY snapshot_on, (SELECT l.created_at FROM wms.lot l WHERE l.id = lot_id)`,
      [place.id, day],
    );
  const charges = () =>
    room.rows(
      `SELECT c.charge_on::text AS on, c.quantity::float8 AS pallets, c.amount, c.period_start::text AS period, c.note,
              regexp_replace(c.dedupe_key, '\\d+', '#') AS key
       FROM wms.cost_charge c WHERE warehouse_id = $1 ORDER BY id`,
      [place.id],
    );

  beforeAll(async () => {
    room = await Stockroom.open();
  });
  beforeEach(async () => {
    place = await room.makeWarehouse(`W${(made += 1)}`);
  });
  afterAll(() => room.close());

  it('costs what the golden rows say', async () => {
    await rate('3.90');
    for (const [cartons, perPallet] of [
      [17, 36],
      [140, 14],
      [46, 36],
      [1, 36],
    ] as const) {
      await post(await lotOf(perPallet), cartons, '2025-01-10T12:00:00Z');
    }
    expect(await run()).toEqual({ lines: 4, unrated: 0, unconfigured: 0, charges: 4 });
    expect(
      await lines(
        `units, cartons, pallets::integer, cartons_per_pallet AS cpp, cpp_source AS source, rate, amount, state,
         snapshot_on::text AS day, week_ending::text AS ending, period_start::text AS start, period_end::text AS end`,
      ),
    ).toEqual(
      [
        { units: '1020', cartons: '17', pallets: 1, cpp: 36, amount: '3.90' },
        { units: '8400', cartons: '140', pallets: 10, cpp: 14, amount: '39.00' },
        { units: '2760', cartons: '46', pallets: 2, cpp: 36, amount: '7.80' },
        { units: '60', cartons: '1', pallets: 1, cpp: 36, amount: '3.90' },
      ].map((line) => ({
        ...line,
        source: 'lot',
        rate: '3.900000',
        state: 'final',
        day: MONDAY,
        ending: '2025-01-19',
        start: '2024-12-16',
        end: '2025-01-15',
      })),
    );
    expect(
      await room.rows(
        `SELECT category, name, sum(quantity)::float8 AS quantity, sum(amount)::text AS amount, count(*)::integer AS lines
         FROM wms.cost_charge WHERE warehouse_id = $1 AND period_start = '2024-12-16' GROUP BY 1, 2`,
        [place.id],
      ),
    ).toEqual([
      { category: 'Storage', name: 'Storage cost per pallet / week', quantity: 14, amount: '54.60', lines: 4 },
    ]);
  });

  it('changes nothing when it is run again', async () => {
    await rate('3.90');
    await post(await lotOf(36), 17, '2025-01-10T12:00:00Z');
    await run();
    const before = [await lines('*'), await charges()];
    for (let again = 0; again < 3; again += 1) {
      expect(await run()).toEqual({ lines: 0, unrated: 0, unconfigured: 0, charges: 0 });
    }
    expect([await lines('*'), await charges()]).toEqual(before);
  });

  it('is by what was in stock that Monday, not by what is today', async () => {
    await rate('3.90');
    const gone = await lotOf(36);
    await post(gone, 40, '2025-01-10T12:00:00Z');
    await post(gone, -40, '2025-01-14T12:00:00Z');
    const late = await lotOf(36);
    await post(late, 40, '2025-01-14T12:00:00Z');
    await run();
    expect(await lines('lot_id, amount')).toEqual([{ lot_id: gone.id, amount: '7.80' }]);
  });

  it.each([
    ['2025-01-13T23:59:59.5Z', '2025-01-13', true],
    ['2025-01-14T00:00:00Z', '2025-01-13', false],
    ['2025-03-31T22:59:59.5Z', '2025-03-31', true],
    ['2025-03-31T23:00:00Z', '2025-03-31', false],
    ['2025-10-27T23:59:59.5Z', '2025-10-27', true],
    ['2025-10-28T00:00:00Z', '2025-10-27', false],
  ])('counts what came at %s to Monday %s: %p', async (at, monday, counted) => {
    await rate('3.90');
    await post(await lotOf(36), 1, at);
    expect((await run(monday)).lines).toBe(counted ? 1 : 0);
  });

  it('takes the rate of that Monday, its last day included, and its stacking', async () => {
    await rate('2.60', '[2025-01-01,2025-01-14)');
    await rate('3.90', '[2025-01-14,)');
    const lot = await lotOf(36);
    await stack(lot, 10, '2025-01-20');
    await post(lot, 36, '2025-01-02T12:00:00Z');
    for (const monday of ['2025-01-06', '2025-01-13', '2025-01-20']) await run(monday);
    expect(
      await lines('snapshot_on::text AS day, pallets::integer, rate, amount, period_start::text AS start', null),
    ).toEqual([
      { day: '2025-01-06', pallets: 1, rate: '2.600000', amount: '2.60', start: '2024-12-16' },
      { day: '2025-01-13', pallets: 1, rate: '2.600000', amount: '2.60', start: '2024-12-16' },
      { day: '2025-01-20', pallets: 4, rate: '3.900000', amount: '15.60', start: '2025-01-16' },
    ]);
  });

  it('rounds pallets up for each lot, over all its places', async () => {
    await rate('3.90');
    const lot = await lotOf(36);
    const bin = await room.place('BIN', {}, place);
    await room.post(
      [
        { lot, units: 18 * 60 },
        { lot, units: 18 * 60 + 1, place: bin, status: 'quarantine' },
      ],
      { warehouse: place, at: '2025-01-10T12:00:00Z' },
    );
    await run();
    expect(await lines('cartons, pallets::integer')).toEqual([{ cartons: '37', pallets: 2 }]);
  });

  it('leaves out what is only virtually there', async () => {
    await rate('3.90');
    const lot = await lotOf(36);
    const transit = await room.place('IN_TRANSIT', { type: 'virtual', is_pickable: false }, place);
    await room.post([{ lot, units: 60, place: transit }], { warehouse: place, at: '2025-01-10T12:00:00Z' });
    expect((await run()).lines).toBe(0);
  });

  it('falls back to the stacking of the SKU, and says when there is none and when there is no rate', async () => {
    const spec = await lotOf();
    await room.insert('pallet_spec', {
      warehouse_id: place.id,
      sku_id: spec.skuId,
      storage_cartons_per_pallet: 20,
      shipping_cartons_per_pallet: 16,
      valid: '[2025-01-01,)',
    });
    const unknown = await lotOf();
    for (const lot of [spec, unknown]) await post(lot, 21, '2025-01-10T12:00:00Z');
    expect(await run()).toEqual({ lines: 2, unrated: 1, unconfigured: 1, charges: 0 });
    expect(await lines('pallets::integer, cpp_source AS source, amount, state')).toEqual([
      { pallets: 2, source: 'spec', amount: null, state: 'unrated' },
      { pallets: null, source: null, amount: null, state: 'unconfigured' },
    ]);
    await rate('3.90');
    await stack(unknown, 36);
    expect(await run()).toEqual({ lines: 2, unrated: 0, unconfigured: 0, charges: 2 });
    expect(await lines('amount, state')).toEqual([
      { amount: '7.80', state: 'final' },
      { amount: '3.90', state: 'final' },
    ]);
  });

  it('does not take a rate of another currency for its own', async () => {
    await rate('3.90', '[2024-01-01,)', { currency: 'USD' });
    await post(await lotOf(36), 1, '2025-01-10T12:00:00Z');
    expect(await run()).toMatchObject({ unrated: 1, charges: 0 });
  });

  it('has its own weekday and first day of the period, where the warehouse has', async () => {
    place = await room.makeWarehouse(`W${(made += 1)}`, { storage_snapshot_isodow: 5, billing_cycle_start_day: 1 });
    await rate('3.90');
    await post(await lotOf(36), 1, '2025-01-10T12:00:00Z');
    expect((await run('2025-01-13')).lines).toBe(0);
    expect((await run('2025-01-17')).lines).toBe(1);
    expect(
      await lines('week_ending::text AS ending, period_start::text AS start, period_end::text AS end', null),
    ).toEqual([{ ending: '2025-01-23', start: '2025-01-01', end: '2025-01-31' }]);
  });

  describe('when the past changes', () => {
    it('puts every week since right, and undoes what was charged', async () => {
      await rate('3.90');
      const lot = await lotOf(36);
      await post(lot, 36, '2025-01-02T12:00:00Z');
      for (const monday of ['2025-01-06', '2025-01-13', '2025-01-20']) await run(monday);
      const dirty = await dirtyLots(room.pool, [place.id]);
      await forgetDirtyLots(room.pool, [place.id, dirty.map((row) => row.lot_id), dirty.map((row) => row.rev)]);
      await post(lot, 36, '2025-01-07T12:00:00Z');
      expect(await dirtyLots(room.pool, [place.id])).toEqual([{ lot_id: lot.id, from_date: '2025-01-07', rev: 1 }]);
      for (const { day } of await ranStorageDays(room.pool, [place.id, '2025-01-07'])) {
        await runStorageOfLots(room.pool, [day, place.id, [lot.id]]);
        await chargeStorage(room.pool, [day, place.id]);
      }
      expect(await lines('snapshot_on::text AS day, amount', null)).toEqual([
        { day: '2025-01-06', amount: '3.90' },
        { day: '2025-01-13', amount: '7.80' },
        { day: '2025-01-20', amount: '7.80' },
      ]);
      expect(
        (await charges()).map((charge) => [charge['on'], charge['pallets'], charge['amount'], charge['key']]),
      ).toEqual([
        ['2025-01-06', 1, '3.90', 'st:#:1'],
        ['2025-01-13', 1, '3.90', 'st:#:1'],
        ['2025-01-20', 1, '3.90', 'st:#:1'],
        ['2025-01-13', -1, '-3.90', 'undo:#'],
        ['2025-01-13', 2, '7.80', 'st:#:2'],
        ['2025-01-20', -1, '-3.90', 'undo:#'],
        ['2025-01-20', 2, '7.80', 'st:#:2'],
      ]);
    });

    it('makes a line of nothing where the stock was taken back, and charges nothing for it', async () => {
      await rate('3.90');
      const lot = await lotOf(36);
      await post(lot, 36, '2025-01-02T12:00:00Z');
      await run();
      await post(lot, -36, '2025-01-03T12:00:00Z');
      expect(await run()).toEqual({ lines: 1, unrated: 0, unconfigured: 0, charges: 1 });
      expect(await lines('units, pallets::integer, amount, state')).toEqual([
        { units: '0', pallets: 0, amount: '0.00', state: 'final' },
      ]);
      expect(await room.value(`SELECT sum(amount) FROM wms.cost_charge WHERE warehouse_id = $1`, [place.id])).toBe(
        '0.00',
      );
      expect((await run()).charges).toBe(0);
      await post(lot, 40, '2025-01-04T12:00:00Z');
      expect(await run()).toMatchObject({ lines: 1, charges: 1 });
      expect(await room.value(`SELECT sum(amount) FROM wms.cost_charge WHERE warehouse_id = $1`, [place.id])).toBe(
        '7.80',
      );
    });

    it('leaves a locked line, and charges the difference in the next open period', async () => {
      await rate('3.90');
      const lot = await lotOf(36);
      await post(lot, 36, '2025-01-02T12:00:00Z');
      await run();
      await room.rows(`UPDATE wms.storage_ledger SET state = 'locked' WHERE warehouse_id = $1`, [place.id]);
      await post(lot, 36, '2025-01-03T12:00:00Z');
      expect(await run()).toMatchObject({ lines: 0, charges: 0 });
      const late = () => chargeLateStorage(room.pool, [MONDAY, place.id, [lot.id]]);
      expect(await late()).toEqual([{ charges: 2 }]);
      expect(await late()).toEqual([{ charges: 0 }]);
      expect(await lines('amount, state')).toEqual([{ amount: '3.90', state: 'locked' }]);
      expect((await charges()).map((charge) => [charge['amount'], charge['period'], charge['note']])).toEqual([
        ['3.90', '2024-12-16', null],
        ['-3.90', '2025-01-16', 'late:2024-12-16'],
        ['7.80', '2025-01-16', 'late:2024-12-16'],
      ]);
      await room.rows(`UPDATE wms.warehouse SET closed_through = '2025-02-15' WHERE id = $1`, [place.id]);
      expect(await late()).toEqual([{ charges: 0 }]);
    });

    it('begins at the last close, and comes to the same', async () => {
      await rate('3.90');
      const lot = await lotOf(36);
      await post(lot, 72, '2025-01-02T12:00:00Z');
      await post(lot, -36, '2025-01-18T12:00:00Z');
      await run('2025-01-20');
      const before = await lines('*', null);
      await room.rows(
        `INSERT INTO wms.stock_close (warehouse_id, closed_on, location_id, lot_id, stock_status, qty, last_seq)
         SELECT warehouse_id, '2025-01-15', location_id, lot_id, stock_status, qty_delta, seq FROM wms.wms_inventory_transaction
         WHERE warehouse_id = $1 AND qty_delta > 0`,
        [place.id],
      );
      expect((await run('2025-01-20')).lines).toBe(0);
      expect(await lines('*', null)).toEqual(before);
      await room.rows(`UPDATE wms.stock_close SET qty = qty + 36 * 60 WHERE warehouse_id = $1`, [place.id]);
      expect((await run('2025-01-20')).lines).toBe(1);
    });
  });

  describe('as a job', () => {
    it('is due two hours after the Monday, for every Monday since goods first came, and once', async () => {
      await post(await lotOf(36), 1, '2024-12-31T12:00:00Z');
      const due = await dueStorageDays(room.pool, [[place.id]]);
      expect(due.slice(0, 3).map((row) => row.day)).toEqual(['2025-01-06', '2025-01-13', '2025-01-20']);
      const last = await room.value(
        `SELECT (date_trunc('week', (now() AT TIME ZONE 'Europe/London') - interval '1 day 2 hours'))::date::text`,
      );
      expect(due.at(-1)?.day).toBe(last);
      await run('2025-01-13');
      expect((await dueStorageDays(room.pool, [[place.id]])).map((row) => row.day)).not.toContain('2025-01-13');
    });

    it('is done with a Monday on which nothing was there', async () => {
      const lot = await lotOf(36);
      await post(lot, 1, '2025-01-02T12:00:00Z');
      await post(lot, -1, '2025-01-03T12:00:00Z');
      await run('2025-01-06');
      expect((await dueStorageDays(room.pool, [[place.id]]))[0]?.day).toBe('2025-01-13');
    });

    it('does not run a week that is not over', async () => {
      await rate('3.90');
      await post(await lotOf(36), 1, '2025-01-02T12:00:00Z');
      const next = String(await room.value(`SELECT wms.snapshot_day(current_date + 1, 1)::text`));
      expect(await run(next)).toEqual({ lines: 0, unrated: 0, unconfigured: 0, charges: 0 });
      expect(
        await room.value(`SELECT count(*)::integer FROM wms.storage_run WHERE warehouse_id = $1`, [place.id]),
      ).toBe(0);
    });

    it('runs once at a time for a warehouse', async () => {
      await room.transaction(async (first) => {
        expect(await lockStorage(first, [place.id])).toEqual([{ locked: true }]);
        await room.transaction(async (second) => {
          expect(await lockStorage(second, [place.id])).toEqual([{ locked: false }]);
          expect(await lockStorage(second, [room.warehouse.id])).toEqual([{ locked: true }]);
        });
      });
    });

    it('begins at a close that nobody takes back while it runs', async () => {
      await room.transaction(async (running) => {
        await lockStorage(running, [place.id]);
        await room.transaction(async (opening) => {
          await opening.query(`SET LOCAL lock_timeout = '50ms'`);
          expect(await room.refusal(lockWarehouse(opening, [place.id]))).toMatchObject({ code: '55P03' });
        });
      });
      await room.transaction(async (opening) => {
        await lockWarehouse(opening, [place.id]);
        await room.transaction(async (running) => {
          await running.query(`SET LOCAL lock_timeout = '50ms'`);
          expect(await room.refusal(lockStorage(running, [place.id]))).toMatchObject({ code: '55P03' });
        });
      });
    });

    it('forgets a dirty lot only if nothing was posted since it looked', async () => {
      const lot = await lotOf(36);
      await post(lot, 1, '2025-01-02T12:00:00Z');
      await post(lot, 1, '2025-01-02T12:00:00Z');
      expect(await forgetDirtyLots(room.pool, [place.id, [lot.id], [1]])).toEqual([]);
      expect(await forgetDirtyLots(room.pool, [place.id, [lot.id], [2]])).toEqual([{ lot_id: lot.id }]);
      expect(await dirtyLots(room.pool, [place.id])).toEqual([]);
    });

    it('comes to the same however often and in whatever order it is run', async () => {
      await rate('3.90');
      const [one, other] = [await lotOf(36), await lotOf(14)];
      await post(one, 100, '2025-01-02T12:00:00Z');
      await catchUp();
      await post(other, 30, '2025-01-09T12:00:00Z');
      await post(one, -50, '2025-01-12T12:00:00Z');
      await catchUp();
      await catchUp();
      await post(other, 10, '2025-01-05T12:00:00Z');
      await catchUp();
      const result = `lot_id, snapshot_on::text AS day, units, cartons, pallets, amount, state`;
      const told = await lines(result, null);
      const charged = await room.value(`SELECT sum(amount) FROM wms.cost_charge WHERE warehouse_id = $1`, [place.id]);

      await room.transaction(async (client) => {
        await client.query(`SET LOCAL session_replication_role = replica`);
        for (const table of ['cost_charge', 'storage_ledger', 'storage_run']) {
          await client.query(`DELETE FROM wms.${table} WHERE warehouse_id = $1`, [place.id]);
        }
      });
      for (const { day } of (await dueStorageDays(room.pool, [[place.id]])).toReversed()) await run(day);
      const sorted = (rows: unknown[]) => rows.map((row) => JSON.stringify(row)).toSorted();
      expect(sorted(await lines(result, null))).toEqual(sorted(told));
      expect(await room.value(`SELECT sum(amount) FROM wms.cost_charge WHERE warehouse_id = $1`, [place.id])).toBe(
        charged,
      );
    });
  });
});
