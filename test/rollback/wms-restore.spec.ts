import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { directory } from '@belay/directory';
import { wms } from '@belay/wms';
import { z } from 'zod';
import { markerCreate } from '../../libs/rollback/src/actions/marker.create.action.js';
import { backupCreate } from '../../libs/rollback/src/backups/backup.create.action.js';
import { domainRestore } from '../../libs/rollback/src/restores/domain.restore.action.js';
import { rowsRestore } from '../../libs/rollback/src/restores/rows.restore.action.js';
import { ledgers } from '../../migrations/index.js';
import { type Lot, Stockroom } from '../wms/stockroom.js';
import { ActionRoom } from './action-room.js';

const LEDGER = 'wms.wms_inventory_transaction';

/** A warehouse at work, with stock, promises, rates and papers. */
class Warehouse {
  readonly lots: Lot[] = [];

  private constructor(
    readonly room: ActionRoom,
    readonly stock: Stockroom,
    readonly folder: string,
  ) {}

  static async open(): Promise<Warehouse> {
    const folder = mkdtempSync(join(tmpdir(), 'belay-wms-'));
    const room = await ActionRoom.open({ domains: [directory, wms], ledgers, env: { BACKUP_DIR: folder } });
    const stock = await Stockroom.within(room.databases.databaseUrl);
    const warehouse = new Warehouse(room, stock, folder);
    await warehouse.fill();
    return warehouse;
  }

  async close(): Promise<void> {
    await this.stock.close();
    await this.room.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get lot(): Lot {
    const [first] = this.lots;
    if (!first) throw new Error('There is no lot');
    return first;
  }

  balances() {
    return this.stock.rows(
      `SELECT location_id, lot_id, stock_status, on_hand, reserved FROM wms.stock_balance
       WHERE on_hand <> 0 OR reserved <> 0 ORDER BY 1, 2, 3`,
    );
  }

  /** Of every table, in whatever order its rows stand. */
  async content(): Promise<Record<string, unknown>> {
    const content: Record<string, unknown> = {};
    for (const { name } of await this.room.rows<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = 'wms'::regnamespace AND relkind = 'r' ORDER BY 1`,
    )) {
      content[name] = await this.room.rows(
        `SELECT count(*)::integer AS rows, sum(hashtextextended(t::text, 0))::text AS hash FROM wms.${name} t`,
      );
    }
    return content;
  }

  ledger(): Promise<unknown> {
    return this.room.rows(`SELECT to_jsonb(t) FROM ${LEDGER} t ORDER BY seq`);
  }

  async broken(): Promise<string[]> {
    const names: string[] = [];
    for (const { name, find } of wms.runbook.invariants) {
      if ((await find(this.stock.pool, 10)).length > 0) names.push(name);
    }
    return names;
  }

  async mark(): Promise<string> {
    const { markerId } = z
      .object({ markerId: z.string() })
      .parse(await (await this.room.step(markerCreate, { name: 'before' })).execute());
    return markerId;
  }

  async backUp(): Promise<string> {
    const create = await this.room.step(backupCreate, { domains: ['wms'] });
    const { backupId } = z.object({ backupId: z.string() }).parse(await create.execute());
    await this.room.control(`UPDATE control.backup SET level = 4, state = 'proven' WHERE id = $1`, [backupId]);
    return backupId;
  }

  private async fill(): Promise<void> {
    const { stock } = this;
    for (const code of ['A', 'B', 'C', 'D']) {
      const lot = await stock.lot(code);
      this.lots.push(lot);
      await stock.rows(
        `INSERT INTO wms.lot_stock (warehouse_id, lot_id, storage_cartons_per_pallet, shipping_cartons_per_pallet, first_received_at, created_by)
         VALUES ($1, $2, 36, 16, now(), $1)`,
        [stock.warehouse.id, lot.id],
      );
      await stock.post([{ lot, units: 600 }]);
      await stock.post([{ lot, units: -30 }], { kind: 'SHIP' });
    }
    const reservation = await stock.insert('reservation', {
      warehouse_id: stock.warehouse.id,
      sku_id: this.lot.skuId,
      source_type: 'order',
      source_id: 'SO-1',
      source_line: '1',
      qty: 60,
      strategy: 'fifo',
    });
    await stock.rows(
      `WITH b AS (UPDATE wms.stock_balance SET reserved = 60 WHERE lot_id = $1 RETURNING id)
       INSERT INTO wms.reservation_alloc (reservation_id, balance_id, qty) SELECT $2, id, 60 FROM b`,
      [this.lot.id, reservation],
    );
  }
}

// A busy machine takes its time.
jest.setTimeout(120_000);

describe('the warehouse taken back', () => {
  let warehouse: Warehouse;
  beforeEach(async () => {
    warehouse = await Warehouse.open();
  });
  afterEach(() => warehouse.close());

  it('to a marker has its movements reversed, not deleted, and can be taken forward again', async () => {
    const before = await warehouse.balances();
    const markerId = await warehouse.mark();
    const { lot, stock, room } = warehouse;
    await stock.post([{ lot, units: 500 }]);
    await stock.post([{ lot, units: -120 }], { kind: 'SHIP' });
    await stock.rows(`UPDATE wms.sku SET description = 'wrong'`);
    const after = await warehouse.balances();
    expect(after).not.toEqual(before);

    const step = await room.step(rowsRestore, { domain: 'wms', markerId });
    expect(await step.inspect()).toMatchObject({ counterposted: { movements: 2 }, refusals: [] });
    expect(await warehouse.balances()).toEqual(after);
    await step.execute();
    expect(await warehouse.balances()).toEqual(before);
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
    expect(await room.rows(`SELECT kind, count(*)::integer FROM wms.movement GROUP BY 1 ORDER BY 1`)).toEqual([
      { kind: 'OPENING', count: 5 },
      { kind: 'REVERSAL', count: 2 },
      { kind: 'SHIP', count: 5 },
    ]);
    step.forget();
    expect(await step.reconcile()).toMatchObject({ effect: 'done' });

    await step.compensate();
    expect(await warehouse.balances()).toEqual(after);
    expect(await room.rows(`SELECT DISTINCT description FROM wms.sku`)).toEqual([{ description: 'wrong' }]);
    expect(await warehouse.broken()).toEqual([]);
  });

  it('from a backup has its ledger put back line by line, with what was written since', async () => {
    const ledger = await warehouse.ledger();
    const backupId = await warehouse.backUp();
    const { stock, room } = warehouse;
    const [, second] = warehouse.lots;
    if (!second) throw new Error('There is no lot');
    await stock.post([{ lot: second, units: 11 }]);
    const expected = await warehouse.balances();
    await room.rows(
      `BEGIN; SET LOCAL session_replication_role = replica;
       DELETE FROM ${LEDGER} WHERE seq IN (1, 4);
       UPDATE ${LEDGER} SET qty_delta = 7 WHERE seq = 2;
       DELETE FROM wms.movement WHERE id = '${z.array(z.object({ to_jsonb: z.object({ movement_id: z.string() }) })).parse(ledger)[0]?.to_jsonb.movement_id ?? ''}';
       UPDATE wms.stock_balance SET on_hand = on_hand + 1;
       COMMIT`,
    );
    expect(await warehouse.broken()).toContain('ledger-equals-balances');
    const damaged = [await warehouse.ledger(), await warehouse.balances()];
    const tables = [LEDGER, 'wms.movement', 'wms.reservation_alloc', 'wms.stock_balance'];
    const step = await room.step(rowsRestore, { path: 'R3', domain: 'wms', backupId, tables });
    expect(await step.inspect()).toMatchObject({
      refusals: [],
      tables: expect.arrayContaining([expect.objectContaining({ table: LEDGER, missing: 2, changed: 1, extra: 1 })]),
    });
    await step.execute();
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
    expect(await warehouse.balances()).toEqual(expected);
    expect(
      z
        .array(z.unknown())
        .parse(await warehouse.ledger())
        .slice(0, -1),
    ).toEqual(ledger);
    expect(await warehouse.broken()).toEqual([]);
    const next = await stock.post([{ lot: second, units: 1 }]);
    expect(await stock.value(`SELECT seq FROM ${LEDGER} WHERE movement_id = $1`, [next])).toBe('10');
    await room.rows(
      `BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM ${LEDGER} WHERE movement_id = '${next}'; DELETE FROM wms.movement WHERE id = '${next}'; COMMIT`,
    );

    await step.compensate();
    expect(await warehouse.ledger()).toEqual(damaged[0]);
  });

  it('as a whole is what it was in the backup, to the last row, and passes every check', async () => {
    const before = await warehouse.content();
    const backupId = await warehouse.backUp();
    const { room, stock, lot } = warehouse;
    await stock.post([{ lot, units: 11 }]);
    await room.rows(`UPDATE wms.sku SET description = 'wrong'`);
    await room.rows(
      `BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM ${LEDGER}; UPDATE wms.lot SET code = code || '!'; COMMIT`,
    );
    const damaged = await warehouse.content();
    const step = await room.step(domainRestore, { domain: 'wms', backupId });
    await step.execute();
    expect(await warehouse.content()).toEqual(before);
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
    expect(await warehouse.broken()).toEqual([]);
    await stock.post([{ lot, units: 1 }]);
    await step.compensate();
    expect(await warehouse.content()).toEqual(damaged);
  });
});
