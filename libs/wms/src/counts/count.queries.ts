import { statement } from '@belay/platform';
import type { CountStatus } from './count.contract.js';

export interface CountRow {
  readonly id: string;
  readonly warehouse: string;
  readonly warehouseId: string;
  readonly siteId: string;
  readonly status: CountStatus;
  readonly note: string | null;
  readonly lineCount: number;
  readonly countedLineCount: number;
  readonly countedAt: Date | null;
  readonly postedAt: Date | null;
  readonly postedBy: string | null;
  readonly movementId: string | null;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly rowVersion: number;
}

const columns = `
  c.id, w.code AS warehouse, w.id AS "warehouseId", w.site_id AS "siteId", c.status, c.note, n.lines AS "lineCount",
  n.counted AS "countedLineCount", c.counted_at AS "countedAt", c.posted_at AS "postedAt", c.posted_by AS "postedBy",
  c.posted_movement_id AS "movementId", c.created_at AS "createdAt", c.created_by AS "createdBy",
  c.row_version AS "rowVersion"`;

const around = `
  JOIN wms.warehouse w ON w.id = c.warehouse_id
  CROSS JOIN LATERAL (
    SELECT count(*)::integer AS lines, count(counted_qty)::integer AS counted
    FROM wms.stock_count_line WHERE stock_count_id = c.id) n`;

/** The count $1, at the sites $2 only, or at all when null. */
export const countById = statement<CountRow>(
  'wms.count_by_id',
  `SELECT ${columns} FROM wms.stock_count c ${around}
   WHERE c.id = $1::uuid AND ($2::uuid[] IS NULL OR w.site_id = ANY ($2))`,
);

/** Newest first: $1 sites, $2 warehouse, $3 status, $4 the one to go on after, $5 rows. */
export const countList = statement<CountRow>(
  'wms.count_list',
  `SELECT ${columns}
   FROM (SELECT c.* FROM wms.stock_count c JOIN wms.warehouse w ON w.id = c.warehouse_id
         WHERE ($1::uuid[] IS NULL OR w.site_id = ANY ($1))
           AND ($2::uuid IS NULL OR c.warehouse_id = $2)
           AND ($3::text IS NULL OR c.status = $3)
           AND ($4::uuid IS NULL OR c.id < $4)
         ORDER BY c.id DESC LIMIT $5) c
   ${around}
   ORDER BY c.id DESC`,
);

/** Locks the count $1 and answers where it is. */
export const lockCount = statement<{
  id: string;
  warehouseId: string;
  siteId: string;
  status: CountStatus;
  createdBy: string;
}>(
  'wms.lock_count',
  `SELECT c.id, c.warehouse_id AS "warehouseId", w.site_id AS "siteId", c.status, c.created_by AS "createdBy"
   FROM wms.stock_count c JOIN wms.warehouse w ON w.id = c.warehouse_id WHERE c.id = $1::uuid FOR NO KEY UPDATE OF c`,
);

export interface CountLineRow {
  readonly sku: string;
  readonly skuId: string;
  readonly lot: string;
  readonly lotId: string;
  readonly location: string;
  readonly locationId: string;
  readonly stockStatus: 'available' | 'quarantine' | 'damaged';
  readonly expectedUnits: string;
  readonly countedUnits: string | null;
  /** What the count changed; null until it is posted, and when nobody counted the line. */
  readonly deltaUnits: string | null;
  readonly onHand: string;
  readonly countedAt: Date | null;
  readonly countedBy: string | null;
  readonly note: string | null;
}

/** The lines of the count $1, with what is in their buckets now. */
export const countLines = statement<CountLineRow>(
  'wms.count_lines',
  `SELECT s.code AS sku, s.id AS "skuId", l.code AS lot, l.id AS "lotId", o.code AS location, o.id AS "locationId",
          n.stock_status AS "stockStatus", n.expected_qty AS "expectedUnits", n.counted_qty AS "countedUnits",
          n.delta_qty AS "deltaUnits", coalesce(b.on_hand, 0) AS "onHand", n.counted_at AS "countedAt",
          n.counted_by AS "countedBy", n.note
   FROM wms.stock_count_line n
   JOIN wms.sku s ON s.id = n.sku_id
   JOIN wms.lot l ON l.id = n.lot_id
   JOIN wms.location o ON o.id = n.location_id
   LEFT JOIN wms.stock_balance b USING (location_id, lot_id, stock_status)
   WHERE n.stock_count_id = $1::uuid
   ORDER BY upper(o.code), upper(s.code), upper(l.code), n.stock_status`,
);

/** A count $1 in the warehouse $2 with the note $3 by $4. */
export const insertCount = statement(
  'wms.insert_count',
  `INSERT INTO wms.stock_count (id, warehouse_id, note, created_by) VALUES ($1, $2, $3, $4)`,
);

/**
 * Opens lines of the count $1 for whatever there is in the warehouse $2: at the locations $3 and of the SKUs $4, where
 * these are not null; at most $5. What is expected and the last line of the ledger in it are of one moment.
 */
export const openLines = statement<{ opened: number }>(
  'wms.open_count_lines',
  `WITH opened AS (
     INSERT INTO wms.stock_count_line (stock_count_id, warehouse_id, location_id, sku_id, lot_id, stock_status,
                                       expected_qty, expected_seq)
     SELECT $1::uuid, b.warehouse_id, b.location_id, b.sku_id, b.lot_id, b.stock_status, b.on_hand, b.last_seq
     FROM wms.stock_balance b
     WHERE b.warehouse_id = $2::uuid AND b.on_hand > 0
       AND ($3::uuid[] IS NULL OR b.location_id = ANY ($3)) AND ($4::uuid[] IS NULL OR b.sku_id = ANY ($4))
     LIMIT $5 RETURNING 1)
   SELECT count(*)::integer AS opened FROM opened`,
);

/**
 * Writes down what was found in the count $1 by $2: $3 locations, $4 SKUs, $5 lots, $6 statuses, $7 units, $8 notes. A
 * bucket that is not in the count yet is opened with what is there now. The count is counted when every line is.
 */
export const recordCounted = statement<{ lines: number }>(
  'wms.record_counted',
  `WITH found AS (
     INSERT INTO wms.stock_count_line AS n (stock_count_id, warehouse_id, location_id, sku_id, lot_id, stock_status,
                                            expected_qty, expected_seq, counted_qty, counted_by, counted_at, note)
     SELECT c.id, c.warehouse_id, f.location_id, f.sku_id, f.lot_id, f.stock_status, coalesce(b.on_hand, 0),
            coalesce(b.last_seq, 0), f.units, $2::uuid, clock_timestamp(), f.note
     FROM wms.stock_count c
     CROSS JOIN unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::bigint[], $8::text[])
       AS f (location_id, sku_id, lot_id, stock_status, units, note)
     LEFT JOIN wms.stock_balance b USING (location_id, lot_id, stock_status)
     WHERE c.id = $1::uuid
     ON CONFLICT (stock_count_id, location_id, lot_id, stock_status) DO UPDATE
       SET counted_qty = excluded.counted_qty, counted_by = excluded.counted_by, counted_at = excluded.counted_at,
           note = coalesce(excluded.note, n.note)
     RETURNING n.location_id, n.lot_id, n.stock_status),
   others AS (
     SELECT count(*) AS lines, count(*) FILTER (WHERE n.counted_qty IS NULL) AS uncounted
     FROM wms.stock_count_line n
     WHERE n.stock_count_id = $1::uuid
       AND (n.location_id, n.lot_id, n.stock_status) NOT IN (SELECT location_id, lot_id, stock_status FROM found))
   UPDATE wms.stock_count c
   SET status = CASE WHEN o.uncounted = 0 THEN 'counted' ELSE 'draft' END,
       counted_at = CASE WHEN o.uncounted = 0 THEN clock_timestamp() END
   FROM others o WHERE c.id = $1::uuid
   RETURNING (o.lines + (SELECT count(*) FROM found))::integer AS lines`,
);

/** Ends the count $1 as cancelled. */
export const cancelCount = statement(
  'wms.cancel_count',
  `UPDATE wms.stock_count SET status = 'cancelled' WHERE id = $1::uuid`,
);

/**
 * Ends the count $1 as posted by $2 as the movement $3; its lines at $4 locations, of $5 lots with $6 statuses changed
 * their bucket by $7. Answers the lines whose bucket does not hold what was counted.
 */
export const closeCount = statement<{ wrong: number }>(
  'wms.close_count',
  `WITH changed AS (
     UPDATE wms.stock_count_line n SET delta_qty = d.units
     FROM unnest($4::uuid[], $5::uuid[], $6::text[], $7::bigint[]) AS d (location_id, lot_id, stock_status, units)
     WHERE n.stock_count_id = $1::uuid AND n.location_id = d.location_id AND n.lot_id = d.lot_id
       AND n.stock_status = d.stock_status
     RETURNING n.location_id, n.lot_id, n.stock_status, n.counted_qty),
   closed AS (
     UPDATE wms.stock_count
     SET status = 'posted', posted_at = clock_timestamp(), posted_by = $2::uuid, posted_movement_id = $3::uuid
     WHERE id = $1::uuid)
   SELECT count(*)::integer AS wrong
   FROM changed n LEFT JOIN wms.stock_balance b USING (location_id, lot_id, stock_status)
   WHERE coalesce(b.on_hand, 0) <> n.counted_qty`,
);
