import { randomUUID, randomUUIDv7 } from 'node:crypto';
import pg from 'pg';
import { createDatabases } from '../support/databases.js';
import { quietPool } from '../support/pool.js';

export type Row = Record<string, unknown>;

/** One line of a movement; the lot is one of `lot()`, the place one of `place()` or the warehouse's DEFAULT. */
export interface Line {
  readonly lot: Lot;
  readonly units: number | bigint;
  readonly place?: string;
  readonly status?: 'available' | 'quarantine' | 'damaged';
}

export interface Lot {
  readonly id: string;
  readonly skuId: string;
}

export interface Warehouse {
  readonly id: string;
  /** Its DEFAULT location. */
  readonly place: string;
}

interface Movement {
  readonly at?: string;
  readonly kind?: string;
  readonly warehouse?: Warehouse;
  readonly reverses?: string;
}

const actor = randomUUID();

/** A database with one warehouse in London, and short ways to fill it that go through the tables alone. */
export class Stockroom {
  private constructor(
    readonly pool: pg.Pool,
    readonly url: string,
    readonly warehouse: Warehouse,
    private readonly drop: () => Promise<void>,
  ) {}

  static async open(connections = 4): Promise<Stockroom> {
    const databases = await createDatabases();
    const pool = quietPool(databases.databaseUrl, connections);
    const warehouse = await makeWarehouse(pool, 'FMC', {});
    return new Stockroom(pool, databases.databaseUrl, warehouse, async () => {
      await pool.end();
      await databases.drop();
    });
  }

  /** In a database of somebody else, who drops it. */
  static async within(url: string): Promise<Stockroom> {
    const pool = quietPool(url, 2);
    return new Stockroom(pool, url, await makeWarehouse(pool, 'FMC', {}), () => pool.end());
  }

  close(): Promise<void> {
    return this.drop();
  }

  async rows(sql: string, values: unknown[] = [], on: pg.Pool | pg.ClientBase = this.pool): Promise<Row[]> {
    const result = await on.query<Row>(sql, values);
    return result.rows;
  }

  /** The first value of the first row. */
  async value(sql: string, values: unknown[] = []): Promise<unknown> {
    const [row = {}] = await this.rows(sql, values);
    return Object.values(row)[0];
  }

  /** The SQLSTATE and the constraint with which the database refuses. */
  async refusal(work: Promise<unknown>): Promise<{ code?: string | undefined; constraint?: string | undefined }> {
    try {
      await work;
    } catch (error) {
      if (error instanceof pg.DatabaseError) return { code: error.code, constraint: error.constraint };
      throw error;
    }
    return {};
  }

  /** Runs the work on a connection of its own, in a transaction that is committed, or rolled back when it throws. */
  async transaction<Result>(work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
    const client = await this.pool.connect();
    try {
      await client.query('BEGIN');
      const result = await work(client);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    } finally {
      client.release();
    }
  }

  makeWarehouse(code: string, facts: Row = {}): Promise<Warehouse> {
    return makeWarehouse(this.pool, code, facts);
  }

  async place(code: string, facts: Row = {}, warehouse = this.warehouse): Promise<string> {
    return insert(this.pool, 'location', { warehouse_id: warehouse.id, code, type: 'bin', ...facts });
  }

  async sku(code: string, facts: Row = {}): Promise<string> {
    return insert(this.pool, 'sku', { code, description: code, default_units_per_carton: 60, ...facts });
  }

  /** A lot of a SKU of its own. */
  async lot(code: string, facts: Row = {}): Promise<Lot> {
    const { sku_id: given, ...rest } = facts;
    const skuId = typeof given === 'string' ? given : await this.sku(`SKU ${code}`);
    const id = await insert(this.pool, 'lot', { sku_id: skuId, code, units_per_carton: 60, ...rest });
    return { id, skuId };
  }

  /** A movement with its lines in one statement; opening stock unless something else is said. Returns its id. */
  async post(lines: readonly Line[], facts: Movement = {}, on: pg.Pool | pg.ClientBase = this.pool): Promise<string> {
    const { at = new Date().toISOString(), kind = 'OPENING', warehouse = this.warehouse, reverses = null } = facts;
    const id = randomUUIDv7();
    await on.query(post, [
      id,
      `DOC-${id}`,
      warehouse.id,
      kind,
      at,
      actor,
      reverses,
      lines.map((line) => line.place ?? warehouse.place),
      lines.map((line) => line.lot.skuId),
      lines.map((line) => line.lot.id),
      lines.map((line) => line.status ?? 'available'),
      lines.map((line) => line.units.toString()),
    ]);
    return id;
  }

  async insert(table: string, facts: Row): Promise<string> {
    return insert(this.pool, table, facts);
  }

  async onHand(lot: Lot): Promise<string[]> {
    const found = await this.rows(
      `SELECT on_hand FROM wms.stock_balance WHERE lot_id = $1 ORDER BY location_id, stock_status`,
      [lot.id],
    );
    return found.map((row) => String(row['on_hand']));
  }
}

const post = {
  name: 'test.post',
  text: `
    WITH m AS (
      INSERT INTO wms.movement (id, number, warehouse_id, kind, effective_at, actor_id, reverses_movement_id, reference, reason_code)
      VALUES ($1, $2, $3, $4, $5, $6, $7, 'REF', 'found') RETURNING id, warehouse_id, effective_at, recorded_at)
    INSERT INTO wms.wms_inventory_transaction
      (movement_id, line_no, warehouse_id, location_id, sku_id, lot_id, stock_status, qty_delta, effective_at, recorded_at)
    SELECT m.id, l.line_no, m.warehouse_id, l.location_id, l.sku_id, l.lot_id, l.stock_status, l.units, m.effective_at, m.recorded_at
    FROM m, unnest($8::uuid[], $9::uuid[], $10::uuid[], $11::text[], $12::bigint[]) WITH ORDINALITY
      AS l (location_id, sku_id, lot_id, stock_status, units, line_no)`,
};

async function makeWarehouse(pool: pg.Pool, code: string, facts: Row): Promise<Warehouse> {
  const id = await insert(pool, 'warehouse', {
    site_id: randomUUID(),
    code,
    name: code,
    kind: 'third_party',
    timezone: 'Europe/London',
    ...facts,
  });
  return { id, place: await insert(pool, 'location', { warehouse_id: id, code: 'DEFAULT', type: 'zone' }) };
}

const withoutAuthor = new Set([
  'invoice_line',
  'dispute_line',
  'reservation_alloc',
  'stock_count_line',
  'billing_period',
]);

async function insert(pool: pg.Pool, table: string, facts: Row): Promise<string> {
  const author = withoutAuthor.has(table) ? {} : { created_by: actor };
  const row: Row = { id: randomUUIDv7(), ...author, ...facts };
  const names = Object.keys(row);
  const places = names.map((_, index) => `$${index + 1}`);
  await pool.query(`INSERT INTO wms.${table} (${names.join(', ')}) VALUES (${places.join(', ')})`, Object.values(row));
  return String(row['id']);
}
