import { statement } from '@belay/platform';
import { stagedFacts } from './import.queries.js';

/**
 * The rows of the import $1 into the warehouse $2 with what is known of their goods. Rows of documents that are not going to
 * be posted are left out: those that have an error, and those that the same file has posted before.
 */
const lines = `
  staged AS MATERIALIZED (
    SELECT r.row_no, r.document, min(r.row_no) OVER (PARTITION BY r.document) AS first_row, r.effective_at AS at, f.*,
           s.id AS sku_id, s.code AS sku_code, s.is_active AS sku_active, s.lot_tracked, l.id AS lot_id,
           coalesce(upper(f.lot), '-') AS lot_key, l.status AS lot_status, l.expires_on, o.id AS location_id,
           o.is_active AS location_active, wms.local_date(r.effective_at, w.timezone) AS on_date, w.timezone,
           w.closed_through,
           coalesce(l.storage_cartons_per_pallet, f.storage) AS storage_cpp,
           coalesce(l.shipping_cartons_per_pallet, f.shipping) AS shipping_cpp,
           f.sign * (f.cartons * coalesce(l.units_per_carton, f.upc, s.default_units_per_carton) + f.loose) AS delta
    FROM (SELECT r.* ${stagedFacts}) r
    CROSS JOIN LATERAL jsonb_to_record(r.facts) AS f (
      kind text, sku text, lot text, location text, status text, sign integer, cartons bigint, loose bigint,
      reference text, upc integer, storage integer, shipping integer, reverses text, "expiresOn" date)
    JOIN wms.warehouse w ON w.id = $2
    LEFT JOIN wms.sku s ON upper(s.code) = upper(f.sku)
    LEFT JOIN wms.lot l ON l.sku_id = s.id AND upper(l.code) = coalesce(upper(f.lot), '-')
    LEFT JOIN wms.location o ON o.warehouse_id = w.id AND upper(o.code) = upper(f.location)),
  line AS MATERIALIZED (
    SELECT s.* FROM staged s JOIN wms.import_batch b ON b.id = $1
    WHERE NOT EXISTS (
      SELECT FROM wms.movement m
      WHERE m.source_type = 'import' AND m.source_id = 'import:' || b.file_sha256 || ':' || s.first_row))`;

/** Every bucket as it goes, with what it holds already: documents are seen as a whole, in the order in which they happened. */
const walk = `
  past AS (
    SELECT NULL::integer AS row_no, d.sku_id, d.lot_key, d.location_id, d.status, t.effective_at AS at, 0 AS late,
           t.seq AS place, t.qty_delta AS delta
    FROM (SELECT DISTINCT sku_id, lot_id, lot_key, location_id, status FROM line
          WHERE lot_id IS NOT NULL AND location_id IS NOT NULL) d
    JOIN wms.wms_inventory_transaction t
      ON t.warehouse_id = $2 AND t.lot_id = d.lot_id AND t.location_id = d.location_id AND t.stock_status = d.status),
  walked AS (
    SELECT m.*, sum(m.delta) OVER w AS balance, max(m.row_no) OVER w AS last_row
    FROM (SELECT * FROM past
          UNION ALL
          SELECT row_no, sku_id, lot_key, location_id, status, at, 1, first_row, delta FROM line
          WHERE sku_id IS NOT NULL AND location_id IS NOT NULL) m
    WINDOW w AS (PARTITION BY m.sku_id, m.lot_key, m.location_id, m.status ORDER BY m.at, m.late, m.place))`;

export interface FoundIssue {
  readonly row: number;
  readonly severity: 'warning' | 'error';
  readonly column: string | null;
  readonly code: string;
  readonly detail: string;
}

/** What the rows of the import $1 into the warehouse $2 say of goods, places and times that cannot be. */
export const ledgerIssues = statement<FoundIssue>(
  'wms.ledger_import_issues',
  `WITH ${lines},
   first_receipt AS (
     SELECT DISTINCT ON (sku_id, lot_key) row_no, sku_id, lot_id, on_date, storage_cpp, shipping_cpp FROM line
     WHERE kind = 'RECEIVE' AND sku_id IS NOT NULL ORDER BY sku_id, lot_key, at, row_no),
   brought AS (SELECT sku_id, lot_key, min(at) AS at FROM line WHERE sign > 0 GROUP BY 1, 2)
   SELECT row_no AS row, severity, column_name AS column, code, detail FROM (
     SELECT row_no, 'error' AS severity, 'SKU' AS column_name, 'unknown-sku' AS code, format('%s is no SKU that is known', sku) AS detail
     FROM line WHERE sku_id IS NULL
     UNION ALL
     SELECT row_no, 'error', 'SKU', 'inactive-master-data', format('%s is not in use any more', sku) FROM line WHERE NOT sku_active
     UNION ALL
     SELECT row_no, 'error', 'Shipment', 'empty', 'must be given: the SKU has lots' FROM line WHERE lot_tracked AND lot IS NULL
     UNION ALL
     SELECT row_no, 'error', 'Shipment', 'no-lots', 'must be empty: the SKU has no lots' FROM line WHERE NOT lot_tracked AND lot IS NOT NULL
     UNION ALL
     SELECT l.row_no, 'error', 'Shipment', 'unknown-lot', format('%s is no lot of %s', l.lot, l.sku)
     FROM line l LEFT JOIN brought b USING (sku_id, lot_key)
     WHERE l.lot_tracked AND l.lot IS NOT NULL AND l.lot_id IS NULL AND (b.at IS NULL OR b.at > l.at)
     UNION ALL
     SELECT row_no, 'error', 'Shipment', 'lot-blocked', format('the lot is %s', lot_status)
     FROM line WHERE kind = 'SHIP' AND lot_status <> 'available'
     UNION ALL
     SELECT row_no, 'error', 'Shipment', 'lot-blocked', format('the lot expired on %s', expires_on)
     FROM line WHERE kind = 'SHIP' AND lot_status = 'available' AND expires_on < on_date
     UNION ALL
     SELECT row_no, 'error', 'Location', 'unknown-location', format('%s is no location of the warehouse', location)
     FROM line WHERE location_id IS NULL
     UNION ALL
     SELECT row_no, 'error', 'Location', 'inactive-master-data', format('%s is not in use any more', location)
     FROM line WHERE NOT location_active
     UNION ALL
     SELECT row_no, 'error', 'Timestamp', 'future-date', 'must not be more than five minutes from now'
     FROM line WHERE at > clock_timestamp() + interval '5 minutes'
     UNION ALL
     SELECT row_no, 'error', 'Timestamp', 'period-closed', format('the warehouse is closed through %s', closed_through)
     FROM line WHERE on_date <= closed_through
     UNION ALL
     SELECT l.row_no, 'error', 'Timestamp', 'not-one-document', 'must be the same on every row of its Transaction_ID'
     FROM line l JOIN line f ON f.row_no = l.first_row WHERE l.at <> f.at
     UNION ALL
     SELECT l.row_no, 'error', 'Transaction_Type', 'not-one-document', 'must be the same on every row of its Transaction_ID'
     FROM line l JOIN line f ON f.row_no = l.first_row WHERE l.kind <> f.kind
     UNION ALL
     SELECT l.row_no, 'error', 'Reference_ID', 'not-one-document', 'must be the same on every row of its Transaction_ID'
     FROM line l JOIN line f ON f.row_no = l.first_row WHERE l.reference IS DISTINCT FROM f.reference
     UNION ALL
     SELECT min(row_no), 'error', 'Transaction_Type', 'not-balanced', 'takes from one place as much as it puts to others'
     FROM line WHERE kind = 'TRANSFER' GROUP BY document, sku_id, lot_key HAVING sum(delta) <> 0
     UNION ALL
     SELECT f.row_no, 'error', 'storage_cartons_per_pallet', 'no-pallet-configuration',
            'must be given with shipping_cartons_per_pallet: it is the first receipt, and nothing says how the lot is stacked'
     FROM first_receipt f
     LEFT JOIN wms.pallet_spec p ON p.warehouse_id = $2 AND p.sku_id = f.sku_id AND p.valid @> f.on_date
     WHERE (coalesce(f.storage_cpp, p.storage_cartons_per_pallet) IS NULL
            OR coalesce(f.shipping_cpp, p.shipping_cartons_per_pallet) IS NULL)
       AND NOT EXISTS (SELECT FROM wms.lot_stock k
                       WHERE k.warehouse_id = $2 AND k.lot_id = f.lot_id AND k.valid_from <= f.on_date)
     UNION ALL
     SELECT l.row_no, 'warning', 'Reference_ID', 'possible-duplicate', format('%s was posted already, as %s', l.reference, m.number)
     FROM line l
     JOIN wms.movement m ON m.reference = l.reference AND m.warehouse_id = $2 AND m.kind = l.kind AND m.effective_at = l.at
     WHERE l.row_no = l.first_row) found
   ORDER BY row_no`,
);

/** Where stock would be negative, first in each bucket. */
export const ledgerShortfalls = statement<FoundIssue>(
  'wms.ledger_import_shortfalls',
  `WITH ${lines}, ${walk}
   SELECT DISTINCT ON (w.sku_id, w.lot_key, w.location_id, w.status)
          coalesce(w.row_no, w.last_row) AS row, 'error' AS severity, 'Cartons_Out' AS column, 'insufficient-stock' AS code,
          format('%s %s at %s would be %s units at %s', s.code, w.status, o.code, w.balance,
                 to_char(w.at AT TIME ZONE h.timezone, 'YYYY-MM-DD HH24:MI')) AS detail
   FROM walked w JOIN wms.sku s ON s.id = w.sku_id JOIN wms.location o ON o.id = w.location_id
   JOIN wms.warehouse h ON h.id = $2
   WHERE w.balance < 0 AND w.last_row IS NOT NULL
   ORDER BY w.sku_id, w.lot_key, w.location_id, w.status, w.at, w.late, w.place, w.row_no`,
);

export interface LeastOpening {
  readonly skuId: string;
  readonly lotId: string;
  readonly locationId: string;
  readonly status: 'available' | 'quarantine' | 'damaged';
  readonly units: string;
}

/** The opening stock without which a bucket would be negative at some time, and not a unit more. */
export const leastOpening = statement<LeastOpening>(
  'wms.least_opening',
  `WITH ${lines}, ${walk}
   SELECT w.sku_id AS "skuId", l.id AS "lotId", w.location_id AS "locationId", w.status, (-min(w.balance))::text AS units
   FROM walked w JOIN wms.lot l ON l.sku_id = w.sku_id AND upper(l.code) = w.lot_key
   GROUP BY 1, 2, 3, 4 HAVING min(w.balance) < 0
   ORDER BY w.location_id, l.id, w.status`,
);

/** When the first day of the import $1 begins in the warehouse $2. */
export const firstDay = statement<{ readonly at: Date }>(
  'wms.first_day_of_import',
  `WITH ${lines}
   SELECT min(on_date)::timestamp AT TIME ZONE min(timezone) AS at FROM line HAVING count(*) > 0`,
);

export interface LotToBe {
  readonly sku: string;
  readonly lot: string;
  readonly upc: number | null;
  readonly storage: number | null;
  readonly shipping: number | null;
  readonly expiresOn: string | null;
}

/** Lots that the rows of the import $1 bring to the warehouse $2, and that nobody knows yet. */
export const lotsToBe = statement<LotToBe>(
  'wms.lots_of_import',
  `WITH ${lines}
   SELECT DISTINCT ON (sku_id, lot_key) sku_code AS sku, lot, upc, storage, shipping, "expiresOn"
   FROM line WHERE lot_tracked AND lot_id IS NULL AND lot IS NOT NULL AND sign > 0
   ORDER BY sku_id, lot_key, at, row_no`,
);

/** Holds every bucket that the import $1 touches in the warehouse $2, in the order in which everybody holds them. */
export const holdBuckets = statement(
  'wms.hold_buckets_of_import',
  `WITH ${lines},
   touched AS (SELECT DISTINCT location_id, lot_id, status FROM line WHERE lot_id IS NOT NULL AND location_id IS NOT NULL)
   SELECT FROM wms.stock_balance b JOIN touched t
     ON (b.location_id, b.lot_id, b.stock_status) = (t.location_id, t.lot_id, t.status)
   ORDER BY b.location_id, b.lot_id, b.stock_status FOR NO KEY UPDATE OF b`,
);

/** Which of the sources $1 were posted already. */
export const postedSources = statement<{ readonly source: string; readonly movementId: string }>(
  'wms.posted_sources',
  `SELECT source_id AS source, id AS "movementId" FROM wms.movement
   WHERE source_type = 'import' AND source_id = ANY ($1::text[])`,
);
