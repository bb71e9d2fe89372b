import type { Executor } from '@belay/platform';
import { DataSource, EntityManager } from 'typeorm';
import { stockAsOf } from '../stock.queries.js';
import type { StockStatus } from '../movements/posting.rules.js';
import type { Grouping } from './stock.contract.js';

/** Which stock is asked for; what is absent does not narrow it. */
export interface StockQuestion {
  readonly groupBy: Grouping;
  readonly warehouses: readonly string[];
  readonly skus?: readonly string[] | undefined;
  readonly lots?: readonly string[] | undefined;
  readonly locations?: readonly string[] | undefined;
  readonly status?: StockStatus | undefined;
  readonly day?: string | undefined;
  readonly instant?: string | undefined;
  readonly knownAt?: string | undefined;
  /** The sort keys of the row to go on after. */
  readonly after?: readonly string[] | undefined;
  readonly rows: number;
}

/** Quantities are texts of integers; `keys` is what the row is sorted by. */
export interface StockRow {
  readonly keys: readonly string[];
  readonly warehouseId: string;
  readonly warehouse: string;
  readonly skuId: string | null;
  readonly sku: string | null;
  readonly lotId: string | null;
  readonly lot: string | null;
  readonly locationId: string | null;
  readonly location: string | null;
  readonly stockStatus: StockStatus;
  readonly onHand: string;
  readonly reserved: string | null;
  readonly cartons: string;
  readonly looseUnits: string;
  readonly expiresOn: string | null;
  readonly firstReceivedAt: Date | null;
  readonly lastCountedAt: Date | null;
}

/** How many sort keys a row of the grouping has. */
export function keysOf(groupBy: Grouping): number {
  return orders[groupBy].length;
}

/**
 * A page of stock. SKUs are walked in the order of their codes, so that a page reads little more than it shows. Not a
 * statement that is planned once: what is best depends on what is asked for, and planning is a millisecond.
 */
export async function stockRows(on: Executor, question: StockQuestion): Promise<StockRow[]> {
  const { sql, values } = new StockList(question).build();
  if (on instanceof DataSource || on instanceof EntityManager) return on.query<StockRow[]>(sql, values);
  return (await on.query<StockRow>(sql, values)).rows;
}

const sortKeys = {
  sku: 'upper(s.code)',
  warehouse: 'upper(w.code)',
  lot: 'upper(l.code)',
  location: 'upper(o.code)',
  status: 'q.stock_status',
} as const;

const orders: Readonly<Record<Grouping, readonly (keyof typeof sortKeys)[]>> = {
  bucket: ['sku', 'warehouse', 'lot', 'location', 'status'],
  lot: ['sku', 'warehouse', 'lot', 'status'],
  sku: ['sku', 'warehouse', 'status'],
  location: ['warehouse', 'location', 'status'],
  warehouse: ['warehouse', 'status'],
};

type Driver = 's' | 'w';

/**
 * The row behind an id that was summed by. As a plain join it would be taken for one that leaves a handful of rows, and
 * all of the stock would be sorted for one page of it.
 */
function named(table: string, as: string, id: string): string {
  return `CROSS JOIN LATERAL (SELECT * FROM wms.${table} x WHERE x.id = ${id} LIMIT 1) ${as}`;
}

class StockList {
  private readonly values: unknown[] = [];

  constructor(private readonly question: StockQuestion) {}

  build(): { sql: string; values: unknown[] } {
    const { groupBy, after, rows } = this.question;
    const order = orders[groupBy];
    const keys = order.map((key) => sortKeys[key]);
    const source = this.source();
    const first = after && keys[0] ? [`${keys[0]} >= ${this.value(after[0], 'text')}`] : [];
    const beyond = after ? [`(${keys.join(', ')}) > (${after.map((key) => this.value(key, 'text')).join(', ')})`] : [];
    const where = [...source.where, ...first, ...beyond];
    const has = (key: keyof typeof sortKeys) => order.includes(key);
    const sql = `
      SELECT r.*, f.at AS "firstReceivedAt", c.at AS "lastCountedAt"
      FROM (
        SELECT ARRAY[${keys.join(', ')}] AS keys, w.id AS "warehouseId", w.code AS warehouse,
               ${has('sku') ? 's.id' : 'NULL::uuid'} AS "skuId", ${has('sku') ? 's.code' : 'NULL::text'} AS sku,
               ${has('lot') ? 'l.id' : 'NULL::uuid'} AS "lotId", ${has('lot') ? 'l.code' : 'NULL::text'} AS lot,
               ${has('location') ? 'o.id' : 'NULL::uuid'} AS "locationId",
               ${has('location') ? 'o.code' : 'NULL::text'} AS location,
               q.stock_status AS "stockStatus", q.units AS "onHand", q.reserved, q.cartons, q.loose AS "looseUnits",
               ${has('lot') ? 'l.expires_on' : 'NULL::date'} AS "expiresOn"
        FROM ${source.from}
        ${where.length > 0 ? `WHERE ${where.join(' AND ')}` : ''}
        ORDER BY ${keys.join(', ')} LIMIT ${this.value(rows, 'integer')}) r
      CROSS JOIN LATERAL (
        SELECT min(k.first_received_at) AS at FROM wms.lot_stock k
        WHERE k.warehouse_id = r."warehouseId" AND k.lot_id = r."lotId") f
      CROSS JOIN LATERAL (
        SELECT max(n.counted_at) AS at FROM wms.stock_count_line n
        JOIN wms.stock_count t ON t.id = n.stock_count_id AND t.status = 'posted'
        WHERE n.location_id = r."locationId" AND n.lot_id = r."lotId" AND n.stock_status = r."stockStatus") c
      ORDER BY r.keys`;
    return { sql, values: this.values };
  }

  /** What the rows are made of, and the conditions on it; `q` has the quantities. */
  private source(): { from: string; where: string[] } {
    const { groupBy, skus } = this.question;
    const warehouses = this.value(this.question.warehouses, 'uuid[]');
    const columns = orders[groupBy];
    const grouped = [
      'b.warehouse_id',
      ...(columns.includes('lot') ? ['b.lot_id'] : []),
      ...(columns.includes('location') ? ['b.location_id'] : []),
      'b.stock_status',
    ].join(', ');
    const sums = (driver: Driver) => `(
        SELECT ${grouped}, sum(b.units)::bigint AS units, sum(b.reserved)::bigint AS reserved,
               sum(b.units / k.units_per_carton)::bigint AS cartons, sum(b.units % k.units_per_carton)::bigint AS loose
        FROM ${this.buckets(driver, warehouses)} b JOIN wms.lot k ON k.id = b.lot_id
        GROUP BY ${grouped}) q`;
    const lot = columns.includes('lot') ? named('lot', 'l', 'q.lot_id') : '';
    const location = columns.includes('location') ? named('location', 'o', 'q.location_id') : '';
    if (columns.includes('sku')) {
      return {
        from: `wms.sku s CROSS JOIN LATERAL ${sums('s')} ${named('warehouse', 'w', 'q.warehouse_id')} ${lot} ${location}`,
        where: [...(skus ? [`s.id = ANY (${this.value(skus, 'uuid[]')})`] : []), ...this.worthALook(warehouses)],
      };
    }
    return {
      from: `wms.warehouse w CROSS JOIN LATERAL ${sums('w')} ${location}`,
      where: [`w.id = ANY (${warehouses})`],
    };
  }

  /** What is narrowed to few buckets is found from them, not by walking through all SKUs. */
  private worthALook(warehouses: string): string[] {
    const { lots, locations, status } = this.question;
    if (!lots && !locations && (status === undefined || status === 'available')) return [];
    const here = [`x.warehouse_id = ANY (${warehouses})`, ...this.filters('x')];
    return [`s.id IN (SELECT x.sku_id FROM wms.stock_balance x WHERE ${here.join(' AND ')})`];
  }

  private filters(of: string): string[] {
    const { lots, locations, status } = this.question;
    return [
      ...(lots ? [`${of}.lot_id = ANY (${this.value(lots, 'uuid[]')})`] : []),
      ...(locations ? [`${of}.location_id = ANY (${this.value(locations, 'uuid[]')})`] : []),
      // Said in the SQL itself, which an index of what is not sound needs.
      ...(status !== undefined ? [`${of}.stock_status = '${status}'`] : []),
    ];
  }

  /** The buckets of a SKU `s` or a warehouse `w` that have stock, as far as the filters let them through. */
  private buckets(driver: Driver, warehouses: string): string {
    const { skus } = this.question;
    const here = {
      s: ['b.sku_id = s.id', `b.warehouse_id = ANY (${warehouses})`],
      w: ['b.warehouse_id = w.id'],
    }[driver];
    const filters = [
      ...(driver !== 's' && skus ? [`b.sku_id = ANY (${this.value(skus, 'uuid[]')})`] : []),
      ...this.filters('b'),
    ];
    if (!this.isPast) {
      const conditions = [...here, ...filters, 'b.on_hand > 0'].join(' AND ');
      return `(SELECT b.*, b.on_hand AS units FROM wms.stock_balance b WHERE ${conditions})`;
    }
    // A bucket that ever had stock keeps its balance, so the balances name every lot whose past is worth a look.
    const whose =
      driver === 's'
        ? `(SELECT DISTINCT b.warehouse_id, b.lot_id FROM wms.stock_balance b WHERE ${[...here, ...filters].join(' AND ')})`
        : `(SELECT w.id AS warehouse_id)`;
    const conditions = [...(driver === 's' ? ['b.lot_id = p.lot_id'] : []), ...filters];
    // Without OFFSET the history of the whole warehouse would be summed before one lot of it is chosen. Within the sum
    // `w` is another warehouse than here.
    return `(SELECT a.*, NULL::bigint AS reserved FROM ${whose} p
        CROSS JOIN LATERAL (
          SELECT * FROM ${this.asOf('ARRAY[p.warehouse_id]')} b
          ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''} OFFSET 0) a)`;
  }

  private asOf(warehouses: string): string {
    const { day, instant, knownAt } = this.question;
    return stockAsOf({
      warehouses,
      day: day === undefined ? 'NULL::date' : this.value(day, 'date'),
      instant: instant === undefined ? 'NULL::timestamptz' : this.value(instant, 'timestamptz'),
      knownAt: knownAt === undefined ? 'NULL::timestamptz' : this.value(knownAt, 'timestamptz'),
    });
  }

  private get isPast(): boolean {
    const { day, instant, knownAt } = this.question;
    return day !== undefined || instant !== undefined || knownAt !== undefined;
  }

  private value(value: unknown, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}
