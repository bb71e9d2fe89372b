import { statement } from '@belay/platform';
import type { ChargeCategory } from '../charges/charge.rules.js';

/** Warehouses that are asked about: $1 sites or null, $2 one of them or null. */
const asked = `($1::uuid[] IS NULL OR w.site_id = ANY ($1)) AND ($2::uuid IS NULL OR w.id = $2)`;

/** Lines of the last reconciliation of each invoice that counts and whose period touches $3 to $4. */
const lastLines = `
  FROM wms.warehouse w
  JOIN wms.invoice i ON i.warehouse_id = w.id AND i.status NOT IN ('draft', 'void')
    AND ($3::date IS NULL OR i.period_end >= $3) AND ($4::date IS NULL OR i.period_start <= $4)
  CROSS JOIN LATERAL (
    SELECT r.id FROM wms.recon_run r WHERE r.invoice_id = i.id ORDER BY r.run_no DESC LIMIT 1) r
  JOIN wms.recon_line n ON n.run_id = r.id`;

export interface VarianceRow {
  readonly warehouseId: string;
  readonly warehouse: string;
  readonly currency: string;
  readonly invoices: number;
  readonly expected: string;
  readonly invoiced: string;
  readonly difference: string;
  readonly rateVariance: string;
  readonly qtyVariance: string;
  readonly overbilled: string;
  readonly underbilled: string;
  readonly unexpected: string;
  readonly notBilled: string;
  readonly openDisputes: number;
  readonly disputed: string;
  readonly agreedCredits: string;
}

const of = (result: string) => `coalesce(sum(n.difference) FILTER (WHERE n.result = '${result}'), 0.00)`;

/** $5 to $7 the row to go on after, $8 rows. */
export const varianceByWarehouse = statement<VarianceRow>(
  'wms.variance_by_warehouse',
  `SELECT v.*, d.*
   FROM (
     SELECT w.id AS "warehouseId", w.code AS warehouse, n.currency, count(DISTINCT i.id)::integer AS invoices,
            sum(n.expected_amount) AS expected, sum(n.invoiced_amount) AS invoiced, sum(n.difference) AS difference,
            sum(n.rate_variance) AS "rateVariance", sum(n.qty_variance) AS "qtyVariance",
            ${of('overbilled')} AS overbilled, ${of('underbilled')} AS underbilled, ${of('unexpected')} AS unexpected,
            ${of('not_billed')} AS "notBilled"
     ${lastLines}
     WHERE ${asked}
     GROUP BY w.id, n.currency) v
   CROSS JOIN LATERAL (
     SELECT count(*) FILTER (WHERE d.resolution IS NULL)::integer AS "openDisputes",
            coalesce(sum(d.disputed_amount) FILTER (WHERE d.resolution IS NULL), 0.00) AS disputed,
            coalesce(sum(d.agreed_amount), 0.00) AS "agreedCredits"
     FROM wms.dispute d JOIN wms.invoice i ON i.id = d.invoice_id
     WHERE i.warehouse_id = v."warehouseId" AND d.currency = v.currency AND i.status <> 'void'
       AND ($3::date IS NULL OR i.period_end >= $3) AND ($4::date IS NULL OR i.period_start <= $4)) d
   WHERE $6::uuid IS NULL OR (v.warehouse, v."warehouseId", v.currency) > ($5::text, $6, $7::text)
   ORDER BY v.warehouse, v."warehouseId", v.currency LIMIT $8`,
);

export interface UnexpectedRow {
  readonly lineId: string;
  readonly warehouseId: string;
  readonly warehouse: string;
  readonly invoiceId: string;
  readonly invoiceNumber: string;
  readonly periodStart: string;
  readonly periodEnd: string;
  readonly category: ChargeCategory;
  readonly name: string;
  readonly quantity: string;
  readonly amount: string;
  readonly currency: string;
  readonly decision: 'pending' | 'accepted' | 'disputed';
}

/** The latest first. $5 the line to go on after, $6 rows. */
export const unexpectedCharges = statement<UnexpectedRow>(
  'wms.unexpected_charges',
  `SELECT n.id AS "lineId", w.id AS "warehouseId", w.code AS warehouse, i.id AS "invoiceId", i.number AS "invoiceNumber",
          i.period_start AS "periodStart", i.period_end AS "periodEnd", n.category, n.name, n.invoiced_qty AS quantity,
          n.invoiced_amount AS amount, n.currency, n.decision
   ${lastLines}
   WHERE ${asked} AND n.result = 'unexpected' AND ($5::bigint IS NULL OR n.id < $5)
   ORDER BY n.id DESC LIMIT $6`,
);

export interface LongStorageRow {
  readonly warehouseId: string;
  readonly warehouse: string;
  readonly skuId: string;
  readonly sku: string;
  readonly lotId: string;
  readonly lot: string;
  readonly units: string;
  readonly firstReceivedOn: string;
  readonly days: number;
  readonly storageCost: string;
  readonly currency: string;
}

/** What has been in stock for at least $3 days, the oldest first. $4 to $6 the row to go on after, $7 rows. */
export const longStorage = statement<LongStorageRow>(
  'wms.long_storage',
  `SELECT s.* FROM (
     SELECT w.id AS "warehouseId", w.code AS warehouse, k.id AS "skuId", k.code AS sku, l.id AS "lotId", l.code AS lot,
            b.units, f.day AS "firstReceivedOn", wms.local_date(now(), w.timezone) - f.day AS days,
            coalesce((SELECT sum(g.amount) FROM wms.storage_ledger g
                      WHERE g.warehouse_id = w.id AND g.lot_id = l.id AND g.currency = w.currency), 0.00) AS "storageCost",
            w.currency
     FROM wms.warehouse w
     JOIN LATERAL (
       SELECT b.lot_id, sum(b.on_hand)::bigint AS units
       FROM wms.stock_balance b JOIN wms.location o ON o.id = b.location_id AND o.type <> 'virtual'
       WHERE b.warehouse_id = w.id GROUP BY 1 HAVING sum(b.on_hand) > 0) b ON true
     JOIN wms.lot l ON l.id = b.lot_id
     JOIN wms.sku k ON k.id = l.sku_id
     CROSS JOIN LATERAL (
       SELECT wms.local_date(min(s.first_received_at), w.timezone) AS day
       FROM wms.lot_stock s WHERE s.warehouse_id = w.id AND s.lot_id = l.id) f
     WHERE ${asked} AND wms.local_date(now(), w.timezone) - f.day >= $3::integer) s
   WHERE $5::uuid IS NULL OR (s."firstReceivedOn", s."warehouseId", s."lotId") > ($4::date, $5, $6::uuid)
   ORDER BY s."firstReceivedOn", s."warehouseId", s."lotId" LIMIT $7`,
);

/** Days of the warehouse, both included. */
const happened = `($3::date IS NULL OR m.effective_at >= wms.end_of_day($3 - 1, w.timezone))
  AND ($4::date IS NULL OR m.effective_at < wms.end_of_day($4, w.timezone))`;

export interface PalletVarianceRow {
  readonly seq: string;
  readonly warehouseId: string;
  readonly warehouse: string;
  readonly movementId: string;
  readonly movement: string;
  readonly kind: string;
  readonly effectiveAt: Date;
  readonly reference: string | null;
  readonly sku: string;
  readonly lot: string;
  readonly units: string;
  readonly palletsReported: number;
  readonly palletsComputed: number;
  readonly difference: number;
}

/** The latest recorded first. $5 the line to go on after, $6 rows. */
export const palletVariances = statement<PalletVarianceRow>(
  'wms.pallet_variances',
  `SELECT t.seq, w.id AS "warehouseId", w.code AS warehouse, m.id AS "movementId", m.number AS movement, m.kind,
          m.effective_at AS "effectiveAt", m.reference, k.code AS sku, l.code AS lot, abs(t.qty_delta) AS units,
          t.pallets_reported AS "palletsReported", t.pallets_computed AS "palletsComputed",
          t.pallets_reported - t.pallets_computed AS difference
   FROM wms.wms_inventory_transaction t
   JOIN wms.movement m ON m.id = t.movement_id
   JOIN wms.warehouse w ON w.id = t.warehouse_id
   JOIN wms.sku k ON k.id = t.sku_id
   JOIN wms.lot l ON l.id = t.lot_id
   WHERE ${asked} AND ${happened} AND t.pallets_reported <> t.pallets_computed AND m.kind <> 'REVERSAL'
     AND NOT EXISTS (SELECT FROM wms.movement v WHERE v.reverses_movement_id = m.id)
     AND ($5::bigint IS NULL OR t.seq < $5)
   ORDER BY t.seq DESC LIMIT $6`,
);

export interface MissingDocumentsRow {
  readonly movementId: string;
  readonly movement: string;
  readonly warehouseId: string;
  readonly warehouse: string;
  readonly kind: string;
  readonly effectiveAt: Date;
  readonly sortAt: string;
  readonly reference: string | null;
  readonly missing: string[];
}

/** Receipts and shipments that stand, whose papers are not there. $5 and $6 the row to go on after, $7 rows. */
export const missingDocuments = statement<MissingDocumentsRow>(
  'wms.missing_documents',
  `SELECT m.id AS "movementId", m.number AS movement, w.id AS "warehouseId", w.code AS warehouse, m.kind,
          m.effective_at AS "effectiveAt", m.effective_at::text AS "sortAt", m.reference, x.missing
   FROM wms.movement m
   JOIN wms.warehouse w ON w.id = m.warehouse_id
   LEFT JOIN wms.movement_attr a ON a.movement_id = m.id
   CROSS JOIN LATERAL (
     SELECT array_remove(ARRAY[
       CASE WHEN coalesce(jsonb_array_length(a.attachments), 0) = 0 THEN 'attachments' END,
       CASE WHEN m.kind = 'SHIP' AND coalesce(a.tracking_number, '') = '' THEN 'trackingNumber' END,
       CASE WHEN m.kind = 'RECEIVE' AND m.inbound_type LIKE 'CONTAINER%' AND coalesce(a.vessel, '') = '' THEN 'vessel' END
     ], NULL) AS missing) x
   WHERE ${asked} AND ${happened} AND m.kind IN ('RECEIVE', 'SHIP') AND cardinality(x.missing) > 0
     AND NOT EXISTS (SELECT FROM wms.movement v WHERE v.reverses_movement_id = m.id)
     AND ($6::uuid IS NULL OR (m.effective_at, m.id) < ($5::timestamptz, $6))
   ORDER BY m.effective_at DESC, m.id DESC LIMIT $7`,
);

export interface AnomalyRow {
  readonly kind: string;
  readonly key: string;
  readonly warehouseId: string;
  readonly warehouse: string;
  readonly day: string;
  readonly subject: string;
  readonly detail: string;
}

/** What the rules allow and somebody should yet look at. $3 and $4 the row to go on after, $5 rows. */
export const anomalies = statement<AnomalyRow>(
  'wms.anomalies',
  `SELECT a.* FROM (
     SELECT 'unrated-charge' AS kind, c.id::text AS key, w.id AS "warehouseId", w.code AS warehouse, c.charge_on AS day,
            c.name AS subject, 'no rate is valid on the day' AS detail
     FROM wms.cost_charge c JOIN wms.warehouse w ON w.id = c.warehouse_id
     WHERE ${asked} AND c.state = 'unrated' AND NOT EXISTS (SELECT FROM wms.cost_charge s WHERE s.adjusts_charge_id = c.id)
     UNION ALL
     SELECT g.state || '-storage', g.id::text, w.id, w.code, g.snapshot_on, k.code || ' ' || l.code,
            CASE g.state WHEN 'unrated' THEN 'no storage rate is valid on the day'
                         ELSE 'nobody says how many cartons are on a pallet' END
     FROM wms.storage_ledger g
     JOIN wms.warehouse w ON w.id = g.warehouse_id
     JOIN wms.lot l ON l.id = g.lot_id
     JOIN wms.sku k ON k.id = g.sku_id
     WHERE ${asked} AND g.state IN ('unrated', 'unconfigured')
     UNION ALL
     SELECT 'expired-stock', b.id::text, w.id, w.code, l.expires_on, k.code || ' ' || l.code,
            b.on_hand || ' units are past their last day and still available'
     FROM wms.stock_balance b
     JOIN wms.warehouse w ON w.id = b.warehouse_id
     JOIN wms.lot l ON l.id = b.lot_id
     JOIN wms.sku k ON k.id = b.sku_id
     WHERE ${asked} AND b.on_hand > 0 AND b.stock_status = 'available' AND l.expires_on < wms.local_date(now(), w.timezone)
     UNION ALL
     SELECT 'waiting-invoice', i.id::text, w.id, w.code, i.issued_on, i.number, 'submitted a month ago and not approved'
     FROM wms.invoice i JOIN wms.warehouse w ON w.id = i.warehouse_id
     WHERE ${asked} AND i.status IN ('pending', 'needs_review') AND i.created_at < now() - interval '30 days') a
   WHERE $4::text IS NULL OR (a.kind, a.key) > ($3::text, $4)
   ORDER BY a.kind, a.key LIMIT $5`,
);
