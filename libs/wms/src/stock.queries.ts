import { statement } from '@belay/platform';

/** The SQL expressions, parameters mostly, that say which stock is asked for. */
export interface StockQuestion {
  /** uuid[] */
  readonly warehouses: string;
  /** date: a local day, which counts to its end. NULL leaves it to the instant. */
  readonly day: string;
  /** timestamptz, which counts itself. NULL lets everything count. */
  readonly instant: string;
  /** timestamptz: only what had been recorded by then. NULL is what is known today. */
  readonly knownAt: string;
}

const everything = { instant: 'NULL::timestamptz', knownAt: 'NULL::timestamptz' };
const parameters: StockQuestion = {
  warehouses: '$1::uuid[]',
  day: '$2::date',
  instant: '$3::timestamptz',
  knownAt: '$4::timestamptz',
};

/**
 * Stock by bucket as it was, to select from: warehouse_id, location_id, sku_id, lot_id, stock_status, units, last_seq. It
 * begins at the last close before, if that was known; conditions on its columns reach the indexes.
 */
export function stockAsOf(question: StockQuestion): string {
  const { knownAt } = question;
  const bounds = boundsOf(question);
  return `(
    SELECT s.warehouse_id, s.location_id, l.sku_id, s.lot_id, s.stock_status, sum(s.units)::bigint AS units,
           max(s.seq) AS last_seq
    FROM (
      SELECT k.warehouse_id, k.location_id, k.lot_id, k.stock_status, k.qty AS units, k.last_seq AS seq
      FROM (${bounds}) b
      JOIN wms.stock_close k ON k.warehouse_id = b.warehouse_id AND k.closed_on = b.closed_on
      UNION ALL
      SELECT t.warehouse_id, t.location_id, t.lot_id, t.stock_status, t.qty_delta, t.seq
      FROM (${bounds}) b
      JOIN wms.wms_inventory_transaction t
        ON t.warehouse_id = b.warehouse_id AND t.effective_at >= b.since AND t.effective_at < b.until
      WHERE ${knownAt} IS NULL OR t.recorded_at <= ${knownAt}) s
    JOIN wms.lot l ON l.id = s.lot_id
    GROUP BY 1, 2, 3, 4, 5
    HAVING sum(s.units) <> 0)`;
}

/** Of every warehouse, the first instant that no longer counts, and the last usable close before it. */
function boundsOf({ warehouses, day, instant, knownAt }: StockQuestion): string {
  return `
    SELECT w.id AS warehouse_id, u.until, c.closed_on,
           coalesce(wms.end_of_day(c.closed_on, w.timezone), '-infinity') AS since
    FROM wms.warehouse w
    CROSS JOIN LATERAL (
      SELECT coalesce(wms.end_of_day(${day}, w.timezone), ${instant} + interval '1 microsecond', 'infinity') AS until) u
    LEFT JOIN LATERAL (
      SELECT k.closed_on FROM wms.stock_close k
      WHERE k.warehouse_id = w.id AND k.closed_on < wms.local_date(u.until, w.timezone)
        AND (${knownAt} IS NULL OR k.created_at <= ${knownAt})
      ORDER BY k.closed_on DESC LIMIT 1) c ON true
    WHERE w.id = ANY (${warehouses})`;
}

interface BucketAsOf {
  readonly warehouse_id: string;
  readonly location_id: string;
  readonly sku_id: string;
  readonly lot_id: string;
  readonly stock_status: string;
  readonly units: string;
}

const buckets = `SELECT warehouse_id, location_id, sku_id, lot_id, stock_status, units FROM ${stockAsOf(parameters)} s`;
const inOrder = `ORDER BY warehouse_id, location_id, lot_id, stock_status`;

/** $1 warehouses, $2 local day or null, $3 instant or null, $4 known at or null. */
export const bucketsAsOf = statement<BucketAsOf>('wms.buckets_as_of', `${buckets} ${inOrder}`);

/** As bucketsAsOf, of the lots $5 only; a condition that could be null would keep a prepared plan from the index. */
export const bucketsOfLotsAsOf = statement<BucketAsOf>(
  'wms.buckets_of_lots_as_of',
  `${buckets} WHERE lot_id = ANY ($5::uuid[]) ${inOrder}`,
);

/**
 * Writes down the stock of the warehouse $1 at the end of its day $2, so that later questions begin there. The warehouse
 * must be locked FOR UPDATE: postings under way have then ended, and later ones meet the closed day.
 */
export const writeStockClose = statement(
  'wms.write_stock_close',
  `INSERT INTO wms.stock_close (warehouse_id, closed_on, location_id, lot_id, stock_status, qty, last_seq)
   SELECT warehouse_id, $2::date, location_id, lot_id, stock_status, units, last_seq
   FROM ${stockAsOf({ ...everything, warehouses: 'ARRAY[$1::uuid]', day: '$2::date' })} s`,
);

/** The buckets of $2 locations, $3 lots and $4 statuses that want $5 units each. */
const wanted = `unnest($2::uuid[], $3::uuid[], $4::text[], $5::bigint[]) AS w (location_id, lot_id, stock_status, units)`;

/** Lines of the ledger of the bucket w in the balance b that are later than $1. */
const later = `wms.wms_inventory_transaction t
      WHERE t.warehouse_id = b.warehouse_id AND t.lot_id = w.lot_id AND t.effective_at > $1::timestamptz
        AND t.location_id = w.location_id AND t.stock_status = w.stock_status`;

/**
 * The buckets from which the units cannot be taken at $1 without making that moment or a later one negative: `least` is
 * what could be taken, `first_at` the first moment that would be negative. Nothing comes back when all can be taken. The
 * balances must have been locked by an earlier statement, so that they and the ledger agree.
 */
export const laterShortfalls = statement<{
  location_id: string;
  lot_id: string;
  stock_status: string;
  units: string;
  least: string;
  first_at: Date;
}>(
  'wms.later_shortfalls',
  `SELECT w.location_id, w.lot_id, w.stock_status, w.units, m.least, m.first_at
   FROM ${wanted}
   LEFT JOIN wms.stock_balance b USING (location_id, lot_id, stock_status)
   CROSS JOIN LATERAL (SELECT coalesce(b.on_hand, 0) - coalesce(sum(t.qty_delta), 0) AS units FROM ${later}) at
   CROSS JOIN LATERAL (
     SELECT min(p.units) AS least, min(p.effective_at) FILTER (WHERE p.units < w.units) AS first_at
     FROM (SELECT $1::timestamptz AS effective_at, at.units
           UNION ALL
           SELECT t.effective_at, at.units + sum(t.qty_delta) OVER (ORDER BY t.effective_at, t.seq) FROM ${later}) p) m
   WHERE m.least < w.units
   ORDER BY w.location_id, w.lot_id, w.stock_status`,
);
