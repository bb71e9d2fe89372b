import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  RecoveryRefused,
  type RecoveryContext,
  type RecoveryFinding,
  type RecoveryInput,
  type RecoveryMarker,
  type RecoveryOutcome,
} from '@belay/platform';
import { wms } from '@belay/wms';
import pg from 'pg';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { invoiceById } from '../../libs/wms/src/invoices/invoice.queries.js';
import { runReconciliation } from '../../libs/wms/src/invoices/recon-engine.service.js';
import { recoveredTables } from '../../libs/wms/src/recovery/recovered-table.rules.js';
import { dueStorageDays } from '../../libs/wms/src/storage/storage.queries.js';
import { type Lot, type Row, Stockroom } from './stockroom.js';

const { hooks, invariants } = wms.runbook;
const actor = randomUUID();

/** Numbers that look random and are the same for the same seed. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * sides);
  };
}

/** A warehouse at work, a marker, and whatever happens to it afterwards. */
class Drill {
  readonly lots: Lot[] = [];
  readonly movements: string[] = [];
  places: string[] = [];
  invoice = '';
  #made = 0;

  private constructor(
    readonly room: Stockroom,
    readonly source: DataSource,
  ) {}

  static async open(): Promise<Drill> {
    const room = await Stockroom.open();
    const source = await new DataSource({ type: 'postgres', url: room.url }).initialize();
    const drill = new Drill(room, source);
    await drill.fill();
    return drill;
  }

  async close(): Promise<void> {
    await this.source.destroy();
    await this.room.close();
  }

  /** As the executor works: one transaction, with the marker of its step in it. */
  inRun<Result>(work: (context: RecoveryContext) => Promise<Result>): Promise<Result> {
    const runId = randomUUIDv7();
    return this.source.transaction(async (tx) => {
      await tx.query(`INSERT INTO platform.step_marker (step_key, run_id, epoch) VALUES ($1, $2, 1)`, [runId, runId]);
      return work({ tx, runId, actor, signal: AbortSignal.timeout(60_000) });
    });
  }

  async mark(): Promise<RecoveryMarker> {
    return this.inRun(async (context) => {
      const facts = await hooks.mark(context);
      const now = `SELECT pg_current_snapshot()::text AS snapshot, clock_timestamp() AS at`;
      const [row] = z.array(z.object({ snapshot: z.string(), at: z.date() })).parse(await context.tx.query(now));
      if (!row) throw new Error('There is no time');
      return { snapshot: row.snapshot, at: row.at, facts };
    });
  }

  /** Plan, compensation, what follows, and the verdict. */
  async recover(
    marker: RecoveryMarker,
    input: Partial<RecoveryInput> = {},
  ): Promise<{ outcome: RecoveryOutcome; findings: RecoveryFinding[] }> {
    const asked: RecoveryInput = { marker: { snapshot: marker.snapshot, at: marker.at }, mode: 'compensate', ...input };
    const { hash } = await this.inRun((context) => hooks.plan(context, asked));
    return this.inRun(async (context) => {
      const outcome = await hooks.compensate(context, asked, hash);
      await hooks.afterRestore(context, marker);
      return { outcome, findings: await hooks.verify(context, marker, outcome) };
    });
  }

  /** Stock and promises, by bucket. */
  balances(): Promise<Row[]> {
    return this.room.rows(
      `SELECT location_id, lot_id, stock_status, on_hand, reserved FROM wms.stock_balance
       WHERE on_hand <> 0 OR reserved <> 0 ORDER BY 1, 2, 3`,
    );
  }

  /** What has been charged, apart from storage, which is run anew. */
  charges(): Promise<Row[]> {
    return this.room.rows(
      `SELECT name, sum(amount) AS amount FROM wms.cost_charge WHERE storage_ledger_id IS NULL
       GROUP BY 1 HAVING sum(amount) <> 0 ORDER BY 1`,
    );
  }

  async post(
    lines: { lot: Lot; units: number; place?: string }[],
    facts: { at?: string; kind?: string; reverses?: string } = {},
  ) {
    const id = await this.room.post(lines, facts);
    this.movements.push(id);
    return id;
  }

  async charge(movement: string | null, name = 'Handling'): Promise<void> {
    this.#made += 1;
    await this.room.rows(
      `INSERT INTO wms.cost_charge (movement_id, warehouse_id, category, name, quantity, rate, amount, currency, charge_on,
         period_start, period_end, state, dedupe_key)
       VALUES ($1, $2, 'Carton', $3, 2, 1.25, 2.50, 'GBP', '2026-01-20', '2026-01-16', '2026-02-15', 'final', $4)`,
      [movement, this.room.warehouse.id, name, `c:${randomUUID()}`],
    );
  }

  async reserve(lot: Lot, units: number): Promise<string> {
    const [balance] = await this.room.rows(
      `UPDATE wms.stock_balance SET reserved = reserved + $2 WHERE id = (
         SELECT id FROM wms.stock_balance WHERE lot_id = $1 AND on_hand - reserved >= $2 ORDER BY id LIMIT 1) RETURNING id`,
      [lot.id, units],
    );
    if (!balance) return '';
    this.#made += 1;
    const id = await this.room.insert('reservation', {
      warehouse_id: this.room.warehouse.id,
      sku_id: lot.skuId,
      source_type: 'order',
      source_id: `SO-${this.#made}`,
      source_line: '1',
      qty: units,
      strategy: 'fifo',
    });
    await this.room.rows(`INSERT INTO wms.reservation_alloc (reservation_id, balance_id, qty) VALUES ($1, $2, $3)`, [
      id,
      balance['id'],
      units,
    ]);
    return id;
  }

  async release(reservation: string): Promise<void> {
    await this.room.rows(
      `UPDATE wms.stock_balance b SET reserved = b.reserved - (a.qty - a.qty_fulfilled)
       FROM wms.reservation_alloc a WHERE a.balance_id = b.id AND a.reservation_id = $1`,
      [reservation],
    );
    await this.room.rows(`DELETE FROM wms.reservation_alloc WHERE reservation_id = $1`, [reservation]);
    await this.room.rows(`UPDATE wms.reservation SET status = 'released' WHERE id = $1`, [reservation]);
  }

  async bill(amount: string): Promise<string> {
    this.#made += 1;
    const id = await this.room.insert('invoice', {
      warehouse_id: this.room.warehouse.id,
      number: `INV-${this.#made}`,
      period_start: '2026-01-16',
      period_end: '2026-02-15',
      issued_on: '2026-02-16',
      currency: 'GBP',
      net: amount,
      tax: '0',
      total: amount,
      status: 'pending',
    });
    await this.room.insert('invoice_line', {
      invoice_id: id,
      line_no: 1,
      category: 'Carton',
      name: 'Handling',
      quantity: '1',
      amount,
    });
    return id;
  }

  async reconcile(invoice: string): Promise<void> {
    await this.source.transaction(async (tx) => {
      const [row] = await invoiceById(tx, [invoice]);
      if (row) await runReconciliation(tx, actor, row);
      await tx.query(`UPDATE wms.invoice SET status = 'needs_review' WHERE id = $1 AND status = 'pending'`, [invoice]);
    });
  }

  /** One act out of many, some of them honest, all of them to be taken back. What the rules refuse is not done. */
  async act(roll: (sides: number) => number): Promise<string> {
    const lot = this.lots[roll(this.lots.length)] ?? this.lot;
    const place = this.places[roll(this.places.length)] ?? this.room.warehouse.place;
    const units = 1 + roll(120);
    const ago = new Date(Date.now() - roll(20) * 86_400_000).toISOString();
    const acts: [string, () => Promise<unknown>][] = [
      ['receive', () => this.post([{ lot, units, place }])],
      ['receive late', () => this.post([{ lot, units, place }], { at: ago })],
      ['ship', () => this.post([{ lot, units: -units, place }], { kind: 'SHIP' })],
      ['ship late', () => this.post([{ lot, units: -units, place }], { kind: 'SHIP', at: ago })],
      [
        'transfer',
        () =>
          this.post(
            [
              { lot, units: -units, place },
              { lot, units, place: this.places[0] ?? place },
            ],
            { kind: 'TRANSFER' },
          ),
      ],
      ['reverse', () => this.reverse(this.movements[roll(this.movements.length)] ?? '')],
      ['charge', () => this.charge(this.movements[roll(this.movements.length)] ?? null)],
      ['charge by hand', () => this.charge(null, 'Manual')],
      ['reserve', () => this.reserve(lot, 1 + roll(10))],
      ['rename', () => this.room.rows(`UPDATE wms.sku SET description = 'damaged' WHERE id = $1`, [lot.skuId])],
      ['hold', () => this.room.rows(`UPDATE wms.lot SET status = 'hold' WHERE id = $1`, [lot.id])],
      [
        'restack',
        () => this.room.rows(`UPDATE wms.lot_stock SET storage_cartons_per_pallet = 7 WHERE lot_id = $1`, [lot.id]),
      ],
      ['forget alias', () => this.room.rows(`DELETE FROM wms.rate_alias`)],
      ['price', () => this.room.rows(`UPDATE wms.cost_rate SET value = value * 2 WHERE name = 'Spare'`)],
      [
        'decide',
        () =>
          this.room.rows(`UPDATE wms.recon_line SET decision = 'accepted', decided_by = $1, decided_at = now()`, [
            actor,
          ]),
      ],
      ['bill', async () => this.reconcile(await this.bill(`${units}.00`))],
      ['draft', () => this.bill(`${units}.00`)],
      [
        'close',
        () =>
          this.room.rows(`UPDATE wms.warehouse SET closed_through = current_date - 30 WHERE closed_through IS NULL`),
      ],
      ['new lot', () => this.addLot(`N${(this.#made += 1)}`, units)],
    ];
    const [name, work] = acts[roll(acts.length)] ?? ['nothing', () => Promise.resolve()];
    try {
      await work();
      return name;
    } catch (error) {
      if (error instanceof pg.DatabaseError) return `${name} (${error.code ?? ''})`;
      throw error;
    }
  }

  get lot(): Lot {
    const [first] = this.lots;
    if (!first) throw new Error('There is no lot');
    return first;
  }

  async reverse(movement: string): Promise<string> {
    const lines = await this.room.rows(
      `SELECT location_id, sku_id, lot_id, qty_delta FROM wms.wms_inventory_transaction WHERE movement_id = $1`,
      [movement],
    );
    return this.post(
      lines.map((line) => ({
        lot: { id: String(line['lot_id']), skuId: String(line['sku_id']) },
        units: -Number(line['qty_delta']),
        place: String(line['location_id']),
      })),
      { kind: 'REVERSAL', reverses: movement },
    );
  }

  private async addLot(code: string, units: number): Promise<void> {
    const lot = await this.room.lot(code);
    this.lots.push(lot);
    await this.room.rows(
      `INSERT INTO wms.lot_stock (warehouse_id, lot_id, storage_cartons_per_pallet, shipping_cartons_per_pallet, first_received_at, created_by)
       VALUES ($1, $2, 36, 16, now(), $1)`,
      [this.room.warehouse.id, lot.id],
    );
    await this.post([{ lot, units }], { at: new Date(Date.now() - 40 * 86_400_000).toISOString() });
  }

  private async fill(): Promise<void> {
    const { room } = this;
    this.places = [room.warehouse.place, await room.place('BIN')];
    for (const code of ['A', 'B', 'C']) await this.addLot(code, 600);
    for (const [name, basis] of [
      ['Week', 'pallet_week'],
      ['Spare', 'manual'],
    ]) {
      await room.insert('cost_rate', {
        warehouse_id: room.warehouse.id,
        category: name === 'Week' ? 'Storage' : 'Unit',
        name,
        basis,
        value: '3.90',
        currency: 'GBP',
        valid: '[2025-01-01,)',
      });
    }
    await room.insert('rate_alias', {
      warehouse_id: room.warehouse.id,
      category: 'Storage',
      alias: 'rent',
      rate_name: 'Week',
    });
    await this.charge(this.movements[0] ?? null);
    await this.reserve(this.lot, 60);
    this.invoice = await this.bill('10.00');
    await this.reconcile(this.invoice);
    await this.inRun((context) => hooks.afterRestore(context, { at: new Date(Date.now() - 60 * 86_400_000) }));
  }
}

const failed = (findings: readonly RecoveryFinding[]) =>
  findings
    .filter(({ outcome }) => outcome !== 'passed')
    .map(({ name, evidence }) => [name, JSON.stringify(evidence).slice(0, 600)]);

describe('the recovery of the warehouse', () => {
  let drill: Drill;
  beforeEach(async () => {
    drill = await Drill.open();
  });
  afterEach(() => drill.close());

  it('knows every table whose changes are written down', async () => {
    const audited = await drill.room.rows(
      `SELECT DISTINCT c.relname AS name FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
       WHERE c.relnamespace = 'wms'::regnamespace AND t.tgname IN ('audit_log_row', 'audit_log_change') AND c.relname <> 'movement'`,
    );
    const names = recoveredTables.map(({ name }) => name);
    expect(names.toSorted()).toEqual(audited.map(({ name }) => String(name)).sort());
    const keys = await drill.room.rows(
      `SELECT c.relname AS name, array_agg(a.attname::text ORDER BY k.place) AS key
       FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
       CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
       WHERE i.indisprimary AND c.relnamespace = 'wms'::regnamespace AND c.relname = ANY ($1) GROUP BY 1`,
      [names],
    );
    const keyOf = new Map(keys.map(({ name, key }) => [name, key]));
    for (const { name, key } of recoveredTables) expect([name, keyOf.get(name)]).toEqual([name, [...key]]);
  });

  it('puts parents before their children', async () => {
    const names = recoveredTables.map(({ name }) => name);
    const references = await drill.room.rows(
      `SELECT c.relname AS child, p.relname AS parent FROM pg_constraint f
       JOIN pg_class c ON c.oid = f.conrelid JOIN pg_class p ON p.oid = f.confrelid
       WHERE f.contype = 'f' AND c.relnamespace = 'wms'::regnamespace AND c.oid <> p.oid
         AND c.relname = ANY ($1) AND p.relname = ANY ($1)`,
      [names],
    );
    expect(references.length).toBeGreaterThan(10);
    const wrong = references.filter(
      ({ child, parent }) => names.indexOf(String(child)) < names.indexOf(String(parent)),
    );
    expect(wrong).toEqual([]);
  });

  it('says that nothing happened where nothing did', async () => {
    const marker = await drill.mark();
    const { outcome, findings } = await drill.recover(marker);
    expect(outcome).toEqual({ upserts: 0, deletes: 0, counterposted: { movements: 0, charges: 0 }, kept: [] });
    expect(failed(findings)).toEqual([]);
    expect(findings.length).toBeGreaterThan(invariants.length + 15);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'takes back what happened by chance, seed %d: balances equal the marker',
    async (seed) => {
      const before = [await drill.balances(), await drill.charges()];
      const marker = await drill.mark();
      const roll = dice(seed);
      const done: string[] = [];
      for (let n = 0; n < 40; n += 1) done.push(await drill.act(roll));
      expect(await drill.balances()).not.toEqual(before[0]);
      const { outcome, findings } = await drill.recover(marker);
      expect({ seed, done, failed: failed(findings) }).toEqual({ seed, done, failed: [] });
      expect([await drill.balances(), await drill.charges()]).toEqual(before);
      expect(outcome.counterposted['movements']).toBeGreaterThan(0);
      // Again there is nothing left but what was kept.
      const again = await drill.inRun((context) =>
        hooks.plan(context, { marker: { snapshot: marker.snapshot, at: marker.at }, mode: 'compensate' }),
      );
      expect(again.counterposted).toEqual({ movements: 0, charges: 0 });
    },
  );

  it('finds a transaction that began before the marker and committed after it, which no time could tell', async () => {
    const client = await drill.room.pool.connect();
    await client.query('BEGIN');
    const early = await drill.room.post([{ lot: drill.lot, units: 77 }], {}, client);
    const marker = await drill.mark();
    await client.query('COMMIT');
    client.release();
    const [row] = await drill.room.rows(`SELECT recorded_at FROM wms.movement WHERE id = $1`, [early]);
    expect(row?.['recorded_at']).toBeInstanceOf(Date);
    expect(Number(row?.['recorded_at'])).toBeLessThan(marker.at.getTime());
    const { outcome, findings } = await drill.recover(marker);
    expect(outcome.counterposted['movements']).toBe(1);
    expect(failed(findings)).toEqual([]);
  });

  it('takes movements back at their own times when nothing was taken from them, so that the past is as it was', async () => {
    const marker = await drill.mark();
    const at = new Date(Date.now() - 10 * 86_400_000).toISOString();
    const id = await drill.post([{ lot: drill.lot, units: 50 }], { at });
    await drill.recover(marker);
    const [reversal] = await drill.room.rows(
      `SELECT number, effective_at, reason_code FROM wms.movement WHERE reverses_movement_id = $1`,
      [id],
    );
    expect(reversal).toMatchObject({ effective_at: new Date(at), reason_code: 'data_fix' });
    expect(String(reversal?.['number'])).toMatch(/^FMC-REV-\d{8}-000001$/);
  });

  it('takes them back later where something was taken in between', async () => {
    const marker = await drill.mark();
    const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString();
    const lot = await drill.room.lot('BETWEEN');
    const received = await drill.post([{ lot, units: 10 }], { at: day(9) });
    await drill.post([{ lot, units: -10 }], { at: day(5), kind: 'SHIP' });
    const { outcome, findings } = await drill.recover(marker);
    expect(failed(findings)).toEqual([]);
    expect(outcome.counterposted['movements']).toBe(2);
    const [reversal] = await drill.room.rows(`SELECT effective_at FROM wms.movement WHERE reverses_movement_id = $1`, [
      received,
    ]);
    expect(Number(reversal?.['effective_at'])).toBeGreaterThan(Date.parse(day(9)));
  });

  it('puts out of use what cannot go, and says so', async () => {
    const marker = await drill.mark();
    const lot = await drill.room.lot('NEW');
    await drill.post([{ lot, units: 10 }]);
    const invoice = await drill.bill('99.00');
    await drill.reconcile(invoice);
    const { outcome, findings } = await drill.recover(marker);
    expect(failed(findings)).toEqual([]);
    expect(outcome.kept.map(({ table, how }) => `${table} ${how}`)).toEqual(
      expect.arrayContaining(['wms.lot put out of use', 'wms.sku put out of use', 'wms.invoice put out of use']),
    );
    expect(await drill.room.rows(`SELECT status FROM wms.lot WHERE id = $1`, [lot.id])).toEqual([{ status: 'hold' }]);
    expect(await drill.room.rows(`SELECT is_active FROM wms.sku WHERE id = $1`, [lot.skuId])).toEqual([
      { is_active: false },
    ]);
    expect(await drill.room.rows(`SELECT status FROM wms.invoice WHERE id = $1`, [invoice])).toEqual([
      { status: 'void' },
    ]);
  });

  it('refuses a plan after which something was changed', async () => {
    const marker = await drill.mark();
    await drill.post([{ lot: drill.lot, units: 5 }]);
    const input: RecoveryInput = { marker: { snapshot: marker.snapshot, at: marker.at }, mode: 'compensate' };
    const { hash } = await drill.inRun((context) => hooks.plan(context, input));
    await drill.room.rows(`UPDATE wms.sku SET description = 'meanwhile' WHERE id = $1`, [drill.lot.skuId]);
    await expect(drill.inRun((context) => hooks.compensate(context, input, hash))).rejects.toThrow(RecoveryRefused);
    const anew = await drill.inRun((context) => hooks.plan(context, input));
    expect(anew.hash).not.toBe(hash);
    expect(anew.tables).toEqual([expect.objectContaining({ table: 'wms.sku', updated: 1, upserts: 1, deletes: 0 })]);
    expect((await drill.inRun((context) => hooks.plan(context, input))).hash).toBe(anew.hash);
  });

  describe('of one account alone', () => {
    const as = async (tx: EntityManager, who: string): Promise<void> => {
      await tx.query(`SELECT set_config('belay.actor', $1, true)`, [who]);
    };

    it('leaves what others did, and what both did', async () => {
      const [careless, other] = [randomUUID(), randomUUID()];
      const marker = await drill.mark();
      const [first, second, third] = drill.lots.map(({ skuId }) => skuId);
      const rename = (who: string, sku: string | undefined, text: string) =>
        drill.source.transaction(async (tx) => {
          await as(tx, who);
          await tx.query(`UPDATE wms.sku SET description = $2 WHERE id = $1`, [sku, text]);
        });
      await rename(careless, first, 'wrong');
      await rename(other, second, 'right');
      await rename(careless, third, 'wrong');
      await rename(other, third, 'right');
      const input = { mode: 'selective', only: { actors: [careless] } } as const;
      const plan = await drill.inRun((context) =>
        hooks.plan(context, { marker: { snapshot: marker.snapshot, at: marker.at }, ...input }),
      );
      expect(plan.tables).toEqual([
        expect.objectContaining({ table: 'wms.sku', updated: 2, upserts: 1, conflicts: [{ id: third }] }),
      ]);
      const { outcome } = await drill.recover(marker, input);
      expect(outcome.upserts).toBe(1);
      expect(outcome.kept).toEqual([expect.objectContaining({ record: { id: third }, how: 'left' })]);
      expect(
        await drill.room.rows(`SELECT description FROM wms.sku WHERE id = ANY ($1) ORDER BY id`, [
          [first, second, third],
        ]),
      ).toEqual([{ description: 'SKU A' }, { description: 'right' }, { description: 'right' }]);
    });

    it('is refused where later movements would go negative, with the buckets', async () => {
      const marker = await drill.mark();
      const lot = await drill.room.lot('USED');
      await drill.post([{ lot, units: 10 }]);
      const [received] = await drill.room.rows(`SELECT actor_id FROM wms.movement LIMIT 1`);
      await drill.room.rows(`ALTER TABLE wms.movement DISABLE TRIGGER block_mutation`);
      const careless = randomUUID();
      await drill.room.rows(
        `UPDATE wms.movement SET actor_id = $1 WHERE id = (SELECT movement_id FROM wms.wms_inventory_transaction WHERE lot_id = $2)`,
        [careless, lot.id],
      );
      await drill.room.rows(`ALTER TABLE wms.movement ENABLE TRIGGER block_mutation`);
      await drill.post([{ lot, units: -4 }], { kind: 'SHIP' });
      expect(received).toBeDefined();
      const input = { mode: 'selective', only: { actors: [careless] } } as const;
      const plan = await drill.inRun((context) =>
        hooks.plan(context, { marker: { snapshot: marker.snapshot, at: marker.at }, ...input }),
      );
      expect(plan.refusals).toEqual([expect.objectContaining({ lotId: lot.id, onHand: '6', wouldBe: '-4' })]);
      await expect(drill.recover(marker, input)).rejects.toThrow('less than nothing');
      expect(await drill.room.onHand(lot)).toEqual(['6']);
    });
  });

  it('takes back the movements of given SKUs alone, with what they were charged', async () => {
    const marker = await drill.mark();
    const [one, other] = drill.lots;
    if (!one || !other) throw new Error('There are no lots');
    const wrong = await drill.post([{ lot: one, units: 30 }]);
    const right = await drill.post([{ lot: other, units: 40 }]);
    for (const movement of [wrong, right, null]) await drill.charge(movement, 'Since');
    await drill.room.rows(`UPDATE wms.sku SET description = 'stays' WHERE id = $1`, [one.skuId]);
    const input = { mode: 'selective', only: { keys: { sku: [one.skuId] } } } as const;
    const { outcome } = await drill.recover(marker, input);
    expect(outcome).toMatchObject({ upserts: 0, deletes: 0, counterposted: { movements: 1, charges: 1 } });
    const reversed = await drill.room.rows(
      `SELECT reverses_movement_id AS id FROM wms.movement WHERE kind = 'REVERSAL'`,
    );
    expect(reversed).toEqual([{ id: wrong }]);
    expect(await drill.charges()).toContainEqual({ name: 'Since', amount: '5.00' });
    const elsewhere = { mode: 'selective', only: { keys: { warehouse: [randomUUID()] } } } as const;
    expect((await drill.recover(marker, elsewhere)).outcome.counterposted).toEqual({ movements: 0, charges: 0 });
    await expect(drill.recover(marker, { mode: 'selective', only: { keys: { sku: ['x'] } } })).rejects.toThrow();
  });

  it('finds whatever is not as it was at the marker', async () => {
    const marker = await drill.mark();
    await drill.post([{ lot: drill.lot, units: 5 }]);
    await drill.room.rows(`UPDATE wms.sku SET description = 'other' WHERE id = $1`, [drill.lot.skuId]);
    await drill.room.rows(`UPDATE wms.recon_line SET decision = 'accepted', decided_by = $1, decided_at = now()`, [
      actor,
    ]);
    const findings = await drill.inRun((context) => hooks.verify(context, marker));
    expect(failed(findings).map(([name]) => name)).toEqual([
      'stock equals the marker',
      'decisions equal the marker',
      'wms.sku equals the marker',
    ]);
    const blind = await drill.inRun((context) => hooks.verify(context, { ...marker, facts: {} }));
    expect(failed(blind).map(([name]) => name)).toEqual(['equal to the marker']);
  });

  it('works out anew what follows from other rows', async () => {
    await drill.room.rows(`UPDATE wms.stock_balance SET reserved = 0`);
    await drill.room.rows(
      `INSERT INTO platform.idempotency_key (account_id, key, route, domain, request_hash, at)
       VALUES ($1, 'old', 'r', 'wms', 'h', now() - interval '1 hour'), ($1, 'new', 'r', 'wms', 'h', now()),
              ($1, 'foreign', 'r', 'sop', 'h', now())`,
      [actor],
    );
    await drill.room.rows(`DELETE FROM wms.storage_dirty`);
    await drill.charge(null, 'Handling');
    const done = await drill.inRun((context) => hooks.afterRestore(context, { at: new Date(Date.now() - 60_000) }));
    expect(done).toEqual({
      promisesRebuilt: 1,
      lotsInDoubt: 3,
      warehousesSettled: 1,
      invoicesReconciled: 1,
      answersForgotten: 1,
    });
    expect(await drill.room.value(`SELECT sum(reserved) FROM wms.stock_balance`)).toBe('60');
    expect(await drill.room.value(`SELECT count(*) FROM wms.recon_run WHERE invoice_id = $1`, [drill.invoice])).toBe(
      '3',
    );
    expect(await drill.room.value(`SELECT count(*) FROM wms.storage_dirty`)).toBe('0');
    expect(
      (await drill.room.rows(`SELECT key FROM platform.idempotency_key ORDER BY key`)).map(({ key }) => key),
    ).toEqual(['foreign', 'old']);
  });

  it('runs the storage that has come due since the marker, and leaves the hourly job what was due before', async () => {
    await drill.room.rows(`DELETE FROM wms.storage_run`);
    const due = async () => (await dueStorageDays(drill.room.pool, [[drill.room.warehouse.id]])).map(({ day }) => day);
    const before = await due();
    expect(before.length).toBeGreaterThan(2);
    const fortnight = new Date(Date.now() - 14 * 86_400_000);
    await drill.inRun((context) => hooks.afterRestore(context, { at: fortnight }));
    expect(await due()).toEqual(before.slice(0, -2));
  });
});

describe('the declaration of the recovery', () => {
  const { probes, guards, runbooks, dataLoss } = wms.runbook;
  let room: Stockroom;
  beforeEach(async () => {
    room = await Stockroom.open();
  });
  afterEach(() => room.close());
  it('has what every way needs: probes, guards that count, and a runbook for each', async () => {
    expect(probes.off.length * probes.fallback.length * probes.on.length).toBeGreaterThan(0);
    expect(runbooks.map(({ id }) => id)).toEqual(['wms-off', 'wms-read-only', 'wms-s1', 'wms-s2', 'wms-s3', 'wms-s4']);
    expect(new Set(dataLoss.map(({ path }) => path)).size).toBe(6);
    for (const { count } of guards) expect(await room.value(count)).toEqual(expect.any(String));
    for (const probe of Object.values(probes).flat()) {
      if (probe.kind === 'rows') expect(await room.rows(probe.sql, [10, new Date()])).toEqual([]);
    }
    for (const { steps } of runbooks) {
      const first = steps.findIndex(({ action }) => /^(migration|domain|database|rows)\./.test(action));
      const off = steps.findIndex(({ action }) => action === 'flag.off');
      if (first >= 0) expect(off).toBeLessThan(first);
    }
  });

  it('is invariant where nothing is wrong, and names what breaks it', async () => {
    for (const { find } of wms.runbook.invariants) expect(await find(room.pool, 10)).toEqual([]);
    await room.rows(`ALTER TABLE wms.stock_balance DISABLE TRIGGER USER`);
    const lot = await room.lot('GHOST');
    await room.rows(
      `INSERT INTO wms.stock_balance (warehouse_id, location_id, sku_id, lot_id, stock_status, on_hand) VALUES ($1, $2, $3, $4, 'available', 5)`,
      [room.warehouse.id, room.warehouse.place, lot.skuId, lot.id],
    );
    await room.rows(`ALTER TABLE wms.stock_balance ENABLE TRIGGER USER`);
    const ledger = wms.runbook.invariants.find(({ name }) => name === 'ledger-equals-balances');
    expect(await ledger?.find(room.pool, 10)).toEqual([expect.objectContaining({ ledger: 0, balance: 5 })]);
  });

  it('puts the ledger back from a copy in one transaction, as the maintenance role', async () => {
    const lots = [await room.lot('X'), await room.lot('Y')];
    for (const lot of lots)
      await room.post([
        { lot, units: 100 },
        { lot, units: 20, status: 'damaged' },
      ]);
    const [first] = lots;
    if (!first) throw new Error('There is no lot');
    const reservation = await room.insert('reservation', {
      warehouse_id: room.warehouse.id,
      sku_id: first.skuId,
      source_type: 'order',
      source_id: 'SO',
      source_line: '1',
      qty: 30,
      strategy: 'fifo',
    });
    await room.rows(
      `WITH b AS (UPDATE wms.stock_balance SET reserved = 30 WHERE lot_id = $1 AND stock_status = 'available' RETURNING id)
       INSERT INTO wms.reservation_alloc (reservation_id, balance_id, qty) SELECT $2, id, 30 FROM b`,
      [first.id, reservation],
    );
    const state = () =>
      room.rows(`SELECT location_id, lot_id, stock_status, on_hand, reserved FROM wms.stock_balance ORDER BY 1, 2, 3`);
    const before = await state();
    const { clears, truncates, fills, rebind, derived } = wms.runbook.hooks.physical;
    const runId = randomUUIDv7();
    await room.transaction(async (client) => {
      await client.query(`CREATE SCHEMA aside`);
      for (const { table, order } of fills) {
        await client.query(`CREATE TABLE aside."${table}" AS SELECT * FROM ${table} ORDER BY ${order}`);
      }
      await client.query(
        `CREATE TABLE aside.bucket AS SELECT id, location_id, lot_id, stock_status FROM wms.stock_balance`,
      );
      await client.query(`GRANT USAGE ON SCHEMA aside TO belay_maintenance`);
      await client.query(`GRANT SELECT ON ALL TABLES IN SCHEMA aside TO belay_maintenance`);
      await client.query(`INSERT INTO platform.step_marker (step_key, run_id, epoch) VALUES ($1, $2, 1)`, [
        runId,
        runId,
      ]);
      await client.query(`SELECT set_config('wms.maintenance_run_id', $1, true)`, [runId]);
      await client.query(`GRANT UPDATE ON SEQUENCE wms.wms_inventory_transaction_seq_seq TO belay_maintenance`);
      await client.query(`SET LOCAL ROLE belay_maintenance`);
      for (const table of clears) await client.query(`DELETE FROM ${table}`);
      await client.query(`TRUNCATE ${truncates.join(', ')}`);
      expect((await client.query(`SELECT FROM wms.stock_balance`)).rowCount).toBe(0);
      await client.query(
        `INSERT INTO wms.wms_inventory_transaction OVERRIDING SYSTEM VALUE
         SELECT * FROM aside."wms.wms_inventory_transaction" ORDER BY seq`,
      );
      await client.query(
        `INSERT INTO wms.reservation_alloc (reservation_id, balance_id, qty, qty_fulfilled)
         SELECT a.reservation_id, n.id, a.qty, a.qty_fulfilled
         FROM aside."wms.reservation_alloc" a JOIN aside.bucket o ON o.id = a.balance_id
         JOIN wms.stock_balance n USING (location_id, lot_id, stock_status)`,
      );
      for (const sql of rebind) await client.query(sql);
    });
    expect(derived).toContain('wms.stock_balance');
    expect(await state()).toEqual(before);
    const next = await room.post([{ lot: first, units: 1 }]);
    expect(await room.value(`SELECT seq FROM wms.wms_inventory_transaction WHERE movement_id = $1`, [next])).toBe('5');
    for (const { find } of wms.runbook.invariants) expect(await find(room.pool, 10)).toEqual([]);
  });
});
