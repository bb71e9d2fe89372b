import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { type Lot, Stockroom } from './stockroom.js';

describe('the ledger', () => {
  let room: Stockroom;
  let lots = 0;
  const newLot = () => room.lot(`L${(lots += 1)}`);
  const stocked = async (units: number): Promise<Lot> => {
    const lot = await newLot();
    await room.post([{ lot, units }]);
    return lot;
  };

  beforeAll(async () => {
    room = await Stockroom.open();
  });
  afterAll(() => room.close());

  describe('keeps the balances', () => {
    it('of every bucket that a movement touches, at once', async () => {
      const lot = await newLot();
      const bin = await room.place('A-1');
      await room.post([
        { lot, units: 100 },
        { lot, units: 40, place: bin },
        { lot, units: 5, place: bin, status: 'damaged' },
      ]);
      await room.post([
        { lot, units: -30 },
        { lot, units: 30, place: bin },
      ]);
      expect(
        await room.rows(
          `SELECT o.code, b.stock_status, b.on_hand, b.reserved,
                  b.last_seq = (SELECT max(seq) FROM wms.wms_inventory_transaction t
                                WHERE (t.location_id, t.lot_id, t.stock_status) = (b.location_id, b.lot_id, b.stock_status)) AS last
           FROM wms.stock_balance b JOIN wms.location o ON o.id = b.location_id WHERE lot_id = $1 ORDER BY 1, 2`,
          [lot.id],
        ),
      ).toEqual([
        { code: 'A-1', stock_status: 'available', on_hand: '70', reserved: '0', last: true },
        { code: 'A-1', stock_status: 'damaged', on_hand: '5', reserved: '0', last: true },
        { code: 'DEFAULT', stock_status: 'available', on_hand: '70', reserved: '0', last: true },
      ]);
    });

    it('of a bucket that several lines of a movement name', async () => {
      const lot = await stocked(10);
      await room.post([
        { lot, units: -8 },
        { lot, units: 3 },
      ]);
      expect(await room.onHand(lot)).toEqual(['5']);
    });

    it('of a bucket that has become empty', async () => {
      const lot = await stocked(7);
      await room.post([{ lot, units: -7 }]);
      expect(await room.onHand(lot)).toEqual(['0']);
    });
  });

  describe('cannot be taken below zero', () => {
    it('not by a unit, and the whole movement is refused', async () => {
      const [full, short] = [await stocked(100), await stocked(6)];
      const refused = room.post([
        { lot: full, units: -10 },
        { lot: short, units: -7 },
      ]);
      expect(await room.refusal(refused)).toEqual({ code: '23514', constraint: 'on_hand_is_never_negative' });
      expect([await room.onHand(full), await room.onHand(short)]).toEqual([['100'], ['6']]);
      await room.post([{ lot: short, units: -6 }]);
    });

    it('not from a bucket that never was', async () => {
      const lot = await newLot();
      expect(await room.refusal(room.post([{ lot, units: -1 }]))).toMatchObject({
        constraint: 'on_hand_is_never_negative',
      });
      expect(await room.onHand(lot)).toEqual([]);
    });

    it('not below what is reserved', async () => {
      const lot = await stocked(10);
      await room.rows(`UPDATE wms.stock_balance SET reserved = 4 WHERE lot_id = $1`, [lot.id]);
      expect(await room.refusal(room.post([{ lot, units: -7 }]))).toMatchObject({ constraint: 'reserved_is_on_hand' });
      await room.post([{ lot, units: -6 }]);
      expect(
        await room.refusal(room.rows(`UPDATE wms.stock_balance SET reserved = 5 WHERE lot_id = $1`, [lot.id])),
      ).toEqual({
        code: '23514',
        constraint: 'reserved_is_on_hand',
      });
    });

    it('nor above what JSON can carry', async () => {
      const lot = await stocked(1);
      const most = 2n ** 53n - 1n;
      expect(await room.refusal(room.post([{ lot, units: most }]))).toMatchObject({
        constraint: 'on_hand_is_a_quantity',
      });
      expect(await room.refusal(room.post([{ lot, units: most + 1n }]))).toMatchObject({
        constraint: 'ledger_line_is_a_quantity',
      });
      await room.post([{ lot, units: most - 1n }]);
      expect(await room.onHand(lot)).toEqual([most.toString()]);
    });
  });

  describe('is never rewritten', () => {
    it.each([
      ['UPDATE wms.wms_inventory_transaction SET qty_delta = qty_delta + 1'],
      ['DELETE FROM wms.wms_inventory_transaction'],
      ['TRUNCATE wms.wms_inventory_transaction'],
      ['UPDATE wms.movement SET reference = NULL'],
      ['DELETE FROM wms.movement'],
      ['TRUNCATE wms.movement CASCADE'],
      ['TRUNCATE wms.stock_balance CASCADE'],
      ['TRUNCATE wms.reservation_alloc'],
      ['TRUNCATE wms.cost_charge'],
      ['TRUNCATE wms.recon_line CASCADE'],
      ['TRUNCATE wms.recon_run CASCADE'],
    ])('by %s, not even by the owner', async (sql) => {
      await stocked(1);
      expect(await room.refusal(room.rows(sql))).toMatchObject({ code: 'WM001' });
    });

    it('and no movement gains a line later', async () => {
      const lot = await newLot();
      const movement = await room.post([{ lot, units: 1 }]);
      const late = room.rows(
        `INSERT INTO wms.wms_inventory_transaction
           (movement_id, line_no, warehouse_id, location_id, sku_id, lot_id, stock_status, qty_delta, effective_at, recorded_at)
         SELECT m.id, 2, m.warehouse_id, $2, $3, $4, 'available', 1, m.effective_at, m.recorded_at
         FROM wms.movement m WHERE m.id = $1`,
        [movement, room.warehouse.place, lot.skuId, lot.id],
      );
      expect(await room.refusal(late)).toMatchObject({ constraint: 'ledger_line_is_part_of_its_movement' });
    });

    it.each([
      ['effective_at', `m.effective_at - interval '1 day'`],
      ['recorded_at', `m.recorded_at - interval '1 day'`],
    ])('and a line has the %s of its movement', async (column, other) => {
      const lot = await newLot();
      const values = { effective_at: 'm.effective_at', recorded_at: 'm.recorded_at', [column]: other };
      const posted = room.rows(
        `WITH m AS (
           INSERT INTO wms.movement (id, number, warehouse_id, kind, effective_at, actor_id)
           VALUES ($1::uuid, $1::uuid::text, $2, 'OPENING', now(), $1::uuid) RETURNING *)
         INSERT INTO wms.wms_inventory_transaction
           (movement_id, line_no, warehouse_id, location_id, sku_id, lot_id, stock_status, qty_delta, effective_at, recorded_at)
         SELECT m.id, 1, m.warehouse_id, $3, $4, $5, 'available', 1, ${values.effective_at}, ${values.recorded_at} FROM m`,
        [randomUUID(), room.warehouse.id, room.warehouse.place, lot.skuId, lot.id],
      );
      expect(await room.refusal(posted)).toMatchObject({ constraint: 'ledger_line_is_part_of_its_movement' });
    });
  });

  describe('is the only writer of balances', () => {
    it.each([
      [`UPDATE wms.stock_balance SET on_hand = on_hand + 1`],
      [`UPDATE wms.stock_balance SET on_hand = 0`],
      [`UPDATE wms.stock_balance SET last_seq = 0`],
      [`UPDATE wms.stock_balance SET stock_status = 'damaged'`],
      [`DELETE FROM wms.stock_balance`],
      [
        `INSERT INTO wms.stock_balance (warehouse_id, location_id, sku_id, lot_id, stock_status, on_hand)
         SELECT warehouse_id, location_id, sku_id, lot_id, 'quarantine', 5 FROM wms.stock_balance LIMIT 1`,
      ],
    ])('%s is refused, to the owner too', async (sql) => {
      await stocked(3);
      expect(await room.refusal(room.rows(sql))).toMatchObject({ code: 'WM001' });
    });

    it('while what is reserved is written by whoever reserves', async () => {
      const lot = await stocked(3);
      await room.rows(`UPDATE wms.stock_balance SET reserved = 2, row_version = row_version + 1 WHERE lot_id = $1`, [
        lot.id,
      ]);
      expect(await room.value(`SELECT reserved FROM wms.stock_balance WHERE lot_id = $1`, [lot.id])).toBe('2');
    });
  });

  describe('names things that belong together', () => {
    it('a place of the warehouse', async () => {
      const other = await room.makeWarehouse('OTHER');
      const lot = await newLot();
      expect(await room.refusal(room.post([{ lot, units: 1, place: other.place }]))).toMatchObject({
        constraint: 'ledger_line_is_in_its_warehouse',
      });
    });

    it('a lot of the SKU', async () => {
      const [lot, other] = [await newLot(), await newLot()];
      expect(await room.refusal(room.post([{ lot: { id: lot.id, skuId: other.skuId }, units: 1 }]))).toMatchObject({
        constraint: 'ledger_lot_is_of_its_sku',
      });
    });

    it('one reversal of a movement', async () => {
      const lot = await newLot();
      const movement = await room.post([{ lot, units: 5 }]);
      const reverse = () => room.post([{ lot, units: -1 }], { kind: 'REVERSAL', reverses: movement });
      await reverse();
      expect(await room.refusal(reverse())).toMatchObject({ constraint: 'movement_is_reversed_once' });
      expect(await room.refusal(room.post([{ lot, units: -1 }], { kind: 'REVERSAL' }))).toMatchObject({
        constraint: 'only_a_reversal_reverses',
      });
    });

    it.each([
      ['RECEIVE', null, 'damage', 'goods_come_and_go_with_a_reference'],
      ['SHIP', '', 'damage', 'goods_come_and_go_with_a_reference'],
      ['ADJUST_IN', 'R', null, 'adjustment_has_a_reason'],
      ['ADJUST_OUT', 'R', 'whatever', 'adjustment_has_a_reason'],
      ['GIFT', 'R', 'damage', 'movement_kind_is_known'],
    ])('%s with reference %p and reason %p is refused', async (kind, reference, reason, constraint) => {
      const posted = room.rows(
        `INSERT INTO wms.movement (id, number, warehouse_id, kind, reference, reason_code, effective_at, actor_id)
         VALUES ($1::uuid, $1::uuid::text, $2, $3, $4, $5, now(), $1::uuid)`,
        [randomUUID(), room.warehouse.id, kind, reference, reason],
      );
      expect(await room.refusal(posted)).toMatchObject({ constraint });
    });

    it('an imported document once', async () => {
      const imported = () =>
        room.rows(
          `INSERT INTO wms.movement (id, number, warehouse_id, kind, effective_at, actor_id, source_type, source_id)
           VALUES ($1::uuid, $1::uuid::text, $2, 'OPENING', now(), $1::uuid, 'import', 'sha:1')`,
          [randomUUID(), room.warehouse.id],
        );
      await imported();
      expect(await room.refusal(imported())).toMatchObject({ constraint: 'movement_is_imported_once' });
    });
  });

  describe('remembers which weeks are wrong', () => {
    it('from the earliest local day that was posted to, with a revision for each posting', async () => {
      const lot = await newLot();
      const dirty = () => room.rows(`SELECT from_date::text, rev FROM wms.storage_dirty WHERE lot_id = $1`, [lot.id]);
      await room.post([{ lot, units: 5 }], { at: '2025-07-10T12:00:00Z' });
      expect(await dirty()).toEqual([{ from_date: '2025-07-10', rev: 1 }]);
      await room.post([{ lot, units: 5 }], { at: '2025-07-20T12:00:00Z' });
      expect(await dirty()).toEqual([{ from_date: '2025-07-10', rev: 2 }]);
      // Half past midnight in London, where it is summer.
      await room.post([{ lot, units: 5 }], { at: '2025-06-30T23:30:00Z' });
      expect(await dirty()).toEqual([{ from_date: '2025-07-01', rev: 3 }]);
    });
  });

  describe('in a closed period', () => {
    it('takes nothing, to the last instant of the local day', async () => {
      const closed = await room.makeWarehouse('CLOSED', { closed_through: '2025-06-30' });
      const lot = await newLot();
      const at = (instant: string) => room.refusal(room.post([{ lot, units: 1 }], { warehouse: closed, at: instant }));
      expect(await at('2025-06-30T22:59:59.999999Z')).toEqual({
        code: 'WM002',
        constraint: 'movement_is_in_an_open_period',
      });
      expect(await at('2025-06-30T23:00:00Z')).toEqual({});
    });

    it('takes nothing from a posting that was under way when the period was closed', async () => {
      const place = await room.makeWarehouse('CLOSING');
      const lot = await newLot();
      const closing = await room.pool.connect();
      await closing.query('BEGIN');
      await closing.query('SELECT FROM wms.warehouse WHERE id = $1 FOR UPDATE', [place.id]);
      const posting = room.refusal(room.post([{ lot, units: 1 }], { warehouse: place, at: '2025-06-30T12:00:00Z' }));
      await waitForLock(room);
      await closing.query(`UPDATE wms.warehouse SET closed_through = '2025-06-30' WHERE id = $1`, [place.id]);
      await closing.query('COMMIT');
      closing.release();
      expect(await posting).toMatchObject({ constraint: 'movement_is_in_an_open_period' });
    });

    it('keeps a closing waiting for postings that came before it', async () => {
      const place = await room.makeWarehouse('WAITING');
      const lot = await newLot();
      const posting = await room.pool.connect();
      await posting.query('BEGIN');
      await room.post([{ lot, units: 1 }], { warehouse: place, at: '2025-06-30T12:00:00Z' }, posting);
      const closing = room.rows('SELECT count(*) FROM (SELECT FROM wms.warehouse WHERE id = $1 FOR UPDATE) w', [
        place.id,
      ]);
      await waitForLock(room);
      await posting.query('COMMIT');
      posting.release();
      expect(await closing).toEqual([{ count: '1' }]);
      expect(await room.onHand(lot)).toEqual(['1']);
    });
  });

  describe('freezes the units per carton of a lot', () => {
    const repack = (lot: Lot, units: number) =>
      room.refusal(room.rows(`UPDATE wms.lot SET units_per_carton = $2 WHERE id = $1`, [lot.id, units]));

    it('with its first line, and not before', async () => {
      const lot = await newLot();
      expect(await repack(lot, 52)).toEqual({});
      await room.post([{ lot, units: 52 }]);
      expect(await repack(lot, 60)).toEqual({ code: 'WM003', constraint: 'units_per_carton_is_frozen' });
      expect(await repack(lot, 52)).toEqual({});
      await room.post([{ lot, units: -52 }]);
      expect(await repack(lot, 60)).toMatchObject({ code: 'WM003' });
      await room.rows(`UPDATE wms.lot SET status = 'hold' WHERE id = $1`, [lot.id]);
    });

    it('also when the first line is still under way', async () => {
      const lot = await newLot();
      const posting = await room.pool.connect();
      await posting.query('BEGIN');
      await room.post([{ lot, units: 60 }], {}, posting);
      const changed = repack(lot, 52);
      await waitForLock(room);
      await posting.query('COMMIT');
      posting.release();
      expect(await changed).toMatchObject({ code: 'WM003' });
    });
  });

  describe('is audited', () => {
    it('by movement, in the transaction of the movement, and not by line or balance', async () => {
      const before = await room.rows(`SELECT table_name, count(*) FROM platform.audit_log GROUP BY 1`);
      const movement = await room.transaction(async (client) => {
        await client.query(`SELECT set_config('belay.actor', 'maria', true)`);
        return room.post([{ lot: await newLot(), units: 3 }], {}, client);
      });
      expect(
        await room.rows(
          `SELECT a.operation, a.actor, a.txid = m.txid AS together FROM platform.audit_log a
           JOIN wms.movement m ON m.id = $1 WHERE a.record = jsonb_build_object('id', m.id)`,
          [movement],
        ),
      ).toEqual([{ operation: 'INSERT', actor: 'maria', together: true }]);
      expect(before.map((row) => row['table_name'])).not.toContain('stock_balance');
      expect(before.map((row) => row['table_name'])).not.toContain('wms_inventory_transaction');
    });
  });

  describe('opened to roles', () => {
    const as = (role: string, work: (client: pg.PoolClient) => Promise<unknown>) =>
      room.transaction(async (client) => {
        await client.query(`SET LOCAL ROLE ${role}`);
        return work(client);
      });

    it('lets the application post, and reserve', async () => {
      const lot = await stocked(10);
      await as('belay_app', async (client) => {
        await room.post([{ lot, units: -3 }], {}, client);
        await client.query(`SELECT FROM wms.stock_balance WHERE lot_id = $1 FOR NO KEY UPDATE`, [lot.id]);
        await client.query(`UPDATE wms.stock_balance SET reserved = 1 WHERE lot_id = $1`, [lot.id]);
        await client.query(`UPDATE wms.sku SET description = 'changed' WHERE id = $1`, [lot.skuId]);
      });
      expect(await room.onHand(lot)).toEqual(['7']);
    });

    it.each([
      'UPDATE wms.stock_balance SET on_hand = 5',
      'INSERT INTO wms.stock_balance DEFAULT VALUES',
      'DELETE FROM wms.stock_balance',
      'UPDATE wms.wms_inventory_transaction SET qty_delta = 1',
      'DELETE FROM wms.movement',
      'DELETE FROM wms.cost_charge',
      'UPDATE wms.recon_run SET run_no = 2',
      'DELETE FROM wms.dispute_event',
      'TRUNCATE wms.storage_dirty',
      'DELETE FROM platform.audit_log',
    ])('lets the application not: %s', async (sql) => {
      expect(await room.refusal(as('belay_app', (client) => client.query(sql)))).toMatchObject({ code: '42501' });
    });

    it('lets readers only read', async () => {
      await as('belay_readonly', (client) => client.query('SELECT count(*) FROM wms.stock_balance'));
      for (const sql of [`UPDATE wms.sku SET description = ''`, `DELETE FROM wms.lot`]) {
        expect(await room.refusal(as('belay_readonly', (client) => client.query(sql)))).toMatchObject({
          code: '42501',
        });
      }
    });
  });

  describe('in maintenance', () => {
    const truncate = 'TRUNCATE wms.wms_inventory_transaction, wms.stock_balance, wms.reservation_alloc';
    const mark = (client: pg.ClientBase, run: string) =>
      client.query(`INSERT INTO platform.step_marker (step_key, run_id, epoch) VALUES ($1, $2, 1)`, [
        randomUUID(),
        run,
      ]);
    const name = (client: pg.ClientBase, run: string) =>
      client.query(`SELECT set_config('wms.maintenance_run_id', $1, true)`, [run]);
    const become = (client: pg.ClientBase) => client.query('SET LOCAL ROLE belay_maintenance');

    it('is replaced in one transaction, and the balances follow', async () => {
      const lot = await stocked(12);
      await room.post([{ lot, units: -5 }]);
      const balances = () =>
        room.rows(
          `SELECT location_id, lot_id, stock_status, on_hand, last_seq FROM wms.stock_balance ORDER BY 1, 2, 3`,
        );
      const ledger = () => room.rows(`SELECT * FROM wms.wms_inventory_transaction ORDER BY seq`);
      const before = [await balances(), await ledger()];
      await room.transaction(async (client) => {
        const run = randomUUID();
        await client.query(`CREATE TEMPORARY TABLE kept ON COMMIT DROP AS SELECT * FROM wms.wms_inventory_transaction`);
        await client.query(`GRANT SELECT ON kept TO belay_maintenance`);
        await mark(client, run);
        await name(client, run);
        await become(client);
        await client.query(truncate);
        await client.query(
          `INSERT INTO wms.wms_inventory_transaction OVERRIDING SYSTEM VALUE SELECT * FROM kept ORDER BY seq`,
        );
      });
      expect([await balances(), await ledger()]).toEqual(before);
    });

    it.each([
      ['the role alone', async (client: pg.ClientBase) => become(client)],
      [
        'a run that is not named',
        async (client: pg.ClientBase) => {
          await mark(client, randomUUID());
          await become(client);
        },
      ],
      [
        'another run',
        async (client: pg.ClientBase) => {
          await mark(client, randomUUID());
          await name(client, randomUUID());
          await become(client);
        },
      ],
      [
        'a run of an earlier transaction',
        async (client: pg.ClientBase) => {
          const run = randomUUID();
          await room.transaction((earlier) => mark(earlier, run));
          await name(client, run);
          await become(client);
        },
      ],
      [
        'a run without the role',
        async (client: pg.ClientBase) => {
          const run = randomUUID();
          await mark(client, run);
          await name(client, run);
        },
      ],
    ])('%s is not enough', async (_, prepare) => {
      const tried = room.transaction(async (client) => {
        await prepare(client);
        await client.query(truncate);
      });
      expect(await room.refusal(tried)).toMatchObject({ code: 'WM001' });
    });
  });
});

/** Returns once somebody in this database waits for a lock. */
async function waitForLock(room: Stockroom): Promise<void> {
  for (;;) {
    const waiting = await room.value(
      `SELECT count(*)::integer FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if (waiting !== 0) return;
  }
}
