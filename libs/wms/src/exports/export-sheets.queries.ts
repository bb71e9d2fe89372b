import type { ExportKind } from './export.contract.js';
import type { ExportColumn } from './export-file.rules.js';

/** What is exported of one kind. $1 the sites or null, $2 warehouse, $3 SKU, $4 and $5 first and last day. */
export interface Sheet {
  /** Which the caller holds beside wms.export:run. */
  readonly permission: string;
  readonly feature?: 'wms_finance';
  readonly columns: readonly ExportColumn[];
  readonly from: string;
  /** Ends with something unique: the same rows are always in the same order. */
  readonly order: string;
}

const plain = (name: string, sql: string): ExportColumn => ({ name, sql: `(${sql})::text` });
const text = (name: string, sql: string): ExportColumn => ({ name, sql, isText: true });
const time = (name: string, at: string) =>
  plain(name, `to_char(${at} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`);
const scope = `($1::uuid[] IS NULL OR w.site_id = ANY ($1)) AND ($2::uuid IS NULL OR w.id = $2)`;
const noSku = `$3::uuid IS NULL`;
const during = (day: string) => `($4::date IS NULL OR ${day} >= $4) AND ($5::date IS NULL OR ${day} <= $5)`;
const local = (at: string) => `wms.local_date(${at}, w.timezone)`;

const stock: Sheet = {
  permission: 'wms.inventory:read',
  columns: [
    text('Warehouse', 'w.code'),
    text('Location', 'o.code'),
    text('SKU', 's.code'),
    text('Shipment', 'l.code'),
    plain('Stock_Status', 'b.stock_status'),
    plain('On_Hand', 'b.on_hand'),
    plain('Reserved', 'b.reserved'),
    plain('Available', 'b.on_hand - b.reserved'),
    plain('Cartons', 'b.on_hand / l.units_per_carton'),
    plain('Loose_Units', 'b.on_hand % l.units_per_carton'),
    plain('Expires_On', 'l.expires_on'),
  ],
  from: `wms.stock_balance b JOIN wms.warehouse w ON w.id = b.warehouse_id JOIN wms.location o ON o.id = b.location_id
    JOIN wms.sku s ON s.id = b.sku_id JOIN wms.lot l ON l.id = b.lot_id
    WHERE ${scope} AND ($3::uuid IS NULL OR b.sku_id = $3) AND ($4::date IS NULL) AND ($5::date IS NULL) AND b.on_hand > 0`,
  order: 'w.code, s.code, l.code, o.code, b.id',
};

/** With the columns by which it can be imported elsewhere. */
const ledger: Sheet = {
  permission: 'wms.inventory:read',
  columns: [
    time('Timestamp', 't.effective_at'),
    text('Transaction_ID', 'm.number'),
    text('Warehouse', 'w.code'),
    text('SKU', 's.code'),
    text('Shipment', 'l.code'),
    plain('Transaction_Type', 'm.kind'),
    text('Reference_ID', 'm.reference'),
    plain('Cartons_In', `CASE WHEN t.qty_delta > 0 THEN t.qty_delta / l.units_per_carton END`),
    plain('Cartons_Out', `CASE WHEN t.qty_delta < 0 THEN -t.qty_delta / l.units_per_carton END`),
    plain('storage_pallets_in', `CASE WHEN t.qty_delta > 0 THEN t.pallets_reported END`),
    plain('shipping_pallets_out', `CASE WHEN t.qty_delta < 0 THEN t.pallets_reported END`),
    text('Notes', 'a.notes'),
    plain('Units_In', `CASE WHEN t.qty_delta > 0 THEN t.qty_delta % l.units_per_carton END`),
    plain('Units_Out', `CASE WHEN t.qty_delta < 0 THEN -t.qty_delta % l.units_per_carton END`),
    text('Location', 'o.code'),
    plain('Stock_Status', 't.stock_status'),
    text('Reason_Code', `CASE WHEN m.kind IN ('ADJUST_IN', 'ADJUST_OUT') THEN m.reason_code END`),
    text('Counterparty', 'm.counterparty'),
    text('Container_Number', 'm.container_number'),
    plain('Inbound_Type', 'm.inbound_type'),
    plain('Ship_Mode', 'm.ship_mode'),
    text('Reverses', 'r.number'),
    plain('Units_Per_Carton', 'l.units_per_carton'),
    plain('storage_cartons_per_pallet', 'k.storage_cartons_per_pallet'),
    plain('shipping_cartons_per_pallet', 'k.shipping_cartons_per_pallet'),
    plain('Expires_On', 'l.expires_on'),
    time('Recorded_At', 't.recorded_at'),
  ],
  from: `wms.wms_inventory_transaction t JOIN wms.movement m ON m.id = t.movement_id
    JOIN wms.warehouse w ON w.id = t.warehouse_id JOIN wms.location o ON o.id = t.location_id
    JOIN wms.sku s ON s.id = t.sku_id JOIN wms.lot l ON l.id = t.lot_id
    LEFT JOIN wms.movement_attr a ON a.movement_id = m.id LEFT JOIN wms.movement r ON r.id = m.reverses_movement_id
    LEFT JOIN LATERAL (
      SELECT * FROM wms.lot_stock k WHERE k.warehouse_id = w.id AND k.lot_id = l.id ORDER BY k.valid_from LIMIT 1) k ON true
    WHERE ${scope} AND ($3::uuid IS NULL OR t.sku_id = $3) AND ${during(local('t.effective_at'))}`,
  order: 't.effective_at, t.seq',
};

const storage: Sheet = {
  permission: 'wms.cost:read',
  feature: 'wms_finance',
  columns: [
    text('Warehouse', 'w.code'),
    text('SKU', 's.code'),
    text('Shipment', 'l.code'),
    plain('Snapshot_On', 'g.snapshot_on'),
    plain('Week_Ending', 'g.week_ending'),
    plain('Units', 'g.units'),
    plain('Cartons', 'g.cartons'),
    plain('Cartons_Per_Pallet', 'g.cartons_per_pallet'),
    plain('Pallets', 'g.pallets'),
    plain('Rate', 'g.rate'),
    plain('Amount', 'g.amount'),
    plain('Currency', 'g.currency'),
    plain('Period_Start', 'g.period_start'),
    plain('Period_End', 'g.period_end'),
    plain('State', 'g.state'),
  ],
  from: `wms.storage_ledger g JOIN wms.warehouse w ON w.id = g.warehouse_id JOIN wms.sku s ON s.id = g.sku_id
    JOIN wms.lot l ON l.id = g.lot_id
    WHERE ${scope} AND ($3::uuid IS NULL OR g.sku_id = $3) AND ${during('g.snapshot_on')}`,
  order: 'g.snapshot_on, g.id',
};

const costs: Sheet = {
  permission: 'wms.cost:read',
  feature: 'wms_finance',
  columns: [
    text('Warehouse', 'w.code'),
    plain('Charged_On', 'c.charge_on'),
    plain('Period_Start', 'c.period_start'),
    plain('Period_End', 'c.period_end'),
    plain('Category', 'c.category'),
    text('Name', 'c.name'),
    text('SKU', 's.code'),
    text('Shipment', 'l.code'),
    text('Transaction_ID', 'm.number'),
    plain('Quantity', 'c.quantity'),
    plain('Rate', 'c.rate'),
    plain('Amount', 'c.amount'),
    plain('Currency', 'c.currency'),
    plain('State', 'c.state'),
    text('Note', 'c.note'),
  ],
  from: `wms.cost_charge c JOIN wms.warehouse w ON w.id = c.warehouse_id LEFT JOIN wms.sku s ON s.id = c.sku_id
    LEFT JOIN wms.lot l ON l.id = c.lot_id LEFT JOIN wms.movement m ON m.id = c.movement_id
    WHERE ${scope} AND ($3::uuid IS NULL OR c.sku_id = $3) AND ${during('c.charge_on')}`,
  order: 'c.charge_on, c.id',
};

/** With the columns by which they can be imported elsewhere. */
const invoices: Sheet = {
  permission: 'wms.invoice:read',
  feature: 'wms_finance',
  columns: [
    text('Invoice Number', 'i.number'),
    text('Warehouse', 'w.code'),
    plain('Billing Period Start', 'i.period_start'),
    plain('Billing Period End', 'i.period_end'),
    plain('Invoice Date', 'i.issued_on'),
    plain('Due Date', 'i.due_on'),
    plain('Total Amount', 'i.total'),
    plain('Tax', 'i.tax'),
    plain('Currency', 'i.currency'),
    plain('category', 'n.category'),
    text('name', 'n.name'),
    plain('quantity', 'n.quantity'),
    plain('rate', 'n.unit_rate'),
    plain('amount', 'n.amount'),
    plain('Status', 'i.status'),
  ],
  from: `wms.invoice i JOIN wms.warehouse w ON w.id = i.warehouse_id JOIN wms.invoice_line n ON n.invoice_id = i.id
    WHERE ${scope} AND ${noSku} AND ($4::date IS NULL OR i.period_end >= $4) AND ($5::date IS NULL OR i.period_start <= $5)`,
  order: 'i.period_start, i.number, i.id, n.line_no',
};

const reconciliation: Sheet = {
  permission: 'wms.invoice:read',
  feature: 'wms_finance',
  columns: [
    text('Warehouse', 'w.code'),
    text('Invoice Number', 'i.number'),
    plain('Run', 'r.run_no'),
    plain('Category', 'n.category'),
    text('Name', 'n.name'),
    plain('Expected_Quantity', 'n.expected_qty'),
    plain('Invoiced_Quantity', 'n.invoiced_qty'),
    plain('Expected_Amount', 'n.expected_amount'),
    plain('Invoiced_Amount', 'n.invoiced_amount'),
    plain('Difference', 'n.difference'),
    plain('Rate_Variance', 'n.rate_variance'),
    plain('Quantity_Variance', 'n.qty_variance'),
    plain('Currency', 'n.currency'),
    plain('Result', 'n.result'),
    plain('Decision', 'n.decision'),
    text('Note', 'n.note'),
  ],
  from: `wms.invoice i JOIN wms.warehouse w ON w.id = i.warehouse_id
    CROSS JOIN LATERAL (SELECT * FROM wms.recon_run r WHERE r.invoice_id = i.id ORDER BY r.run_no DESC LIMIT 1) r
    JOIN wms.recon_line n ON n.run_id = r.id
    WHERE ${scope} AND ${noSku} AND ($4::date IS NULL OR i.period_end >= $4) AND ($5::date IS NULL OR i.period_start <= $5)`,
  order: 'i.period_start, i.number, i.id, n.category, n.name',
};

const stands = `NOT EXISTS (SELECT FROM wms.movement v WHERE v.reverses_movement_id = m.id)`;

const palletVariance: Sheet = {
  permission: 'wms.ops:read',
  columns: [
    text('Warehouse', 'w.code'),
    text('Transaction_ID', 'm.number'),
    plain('Transaction_Type', 'm.kind'),
    time('Timestamp', 't.effective_at'),
    text('Reference_ID', 'm.reference'),
    text('SKU', 's.code'),
    text('Shipment', 'l.code'),
    plain('Units', 'abs(t.qty_delta)'),
    plain('Pallets_Reported', 't.pallets_reported'),
    plain('Pallets_Computed', 't.pallets_computed'),
    plain('Difference', 't.pallets_reported - t.pallets_computed'),
  ],
  from: `wms.wms_inventory_transaction t JOIN wms.movement m ON m.id = t.movement_id
    JOIN wms.warehouse w ON w.id = t.warehouse_id JOIN wms.sku s ON s.id = t.sku_id JOIN wms.lot l ON l.id = t.lot_id
    WHERE ${scope} AND ${noSku} AND ${during(local('t.effective_at'))} AND t.pallets_reported <> t.pallets_computed
      AND m.kind <> 'REVERSAL' AND ${stands}`,
  order: 't.seq',
};

const missingDocuments: Sheet = {
  permission: 'wms.ops:read',
  columns: [
    text('Warehouse', 'w.code'),
    text('Transaction_ID', 'm.number'),
    plain('Transaction_Type', 'm.kind'),
    time('Timestamp', 'm.effective_at'),
    text('Reference_ID', 'm.reference'),
    plain('Missing', `array_to_string(x.missing, ' ')`),
  ],
  from: `wms.movement m JOIN wms.warehouse w ON w.id = m.warehouse_id
    LEFT JOIN wms.movement_attr a ON a.movement_id = m.id
    CROSS JOIN LATERAL (
      SELECT array_remove(ARRAY[
        CASE WHEN coalesce(jsonb_array_length(a.attachments), 0) = 0 THEN 'attachments' END,
        CASE WHEN m.kind = 'SHIP' AND coalesce(a.tracking_number, '') = '' THEN 'trackingNumber' END,
        CASE WHEN m.kind = 'RECEIVE' AND m.inbound_type LIKE 'CONTAINER%' AND coalesce(a.vessel, '') = '' THEN 'vessel' END
      ], NULL) AS missing) x
    WHERE ${scope} AND ${noSku} AND ${during(local('m.effective_at'))} AND m.kind IN ('RECEIVE', 'SHIP')
      AND cardinality(x.missing) > 0 AND ${stands}`,
  order: 'm.effective_at, m.id',
};

export const sheets: Readonly<Record<ExportKind, Sheet>> = {
  stock,
  ledger,
  storage_ledger: storage,
  costs,
  invoices,
  reconciliation,
  pallet_variance: palletVariance,
  missing_documents: missingDocuments,
};
