import { RecoveredSchema, statement } from '@belay/platform';

export const schema = new RecoveredSchema('wms');

/** Closes of periods that are open again. */
export const dropCloses = statement<{ day: string }>(
  'wms.recovery_drop_closes',
  `DELETE FROM wms.stock_close k USING wms.warehouse w
   WHERE w.id = k.warehouse_id AND (w.closed_through IS NULL OR k.closed_on > w.closed_through)
   RETURNING k.closed_on AS day`,
);

/** All storage since the day of $1 may be wrong. */
export const markAllDirty = statement<{ lot: string }>(
  'wms.recovery_mark_all_dirty',
  `INSERT INTO wms.storage_dirty AS dirty (warehouse_id, lot_id, from_date, rev)
   SELECT l.warehouse_id, l.lot_id, wms.local_date($1::timestamptz, w.timezone), 1
   FROM (SELECT DISTINCT warehouse_id, lot_id FROM wms.wms_inventory_transaction) l
   JOIN wms.warehouse w ON w.id = l.warehouse_id
   ORDER BY 1, 2
   ON CONFLICT (warehouse_id, lot_id) DO UPDATE
     SET from_date = least(dirty.from_date, excluded.from_date), rev = dirty.rev + 1
   RETURNING lot_id AS lot`,
);

export const allWarehouses = statement<{ id: string }>(
  'wms.recovery_warehouses',
  `SELECT id FROM wms.warehouse ORDER BY id`,
);

/** Invoices whose reconciliation may have to say something else, each locked. */
export const openInvoices = statement<{ id: string }>(
  'wms.recovery_open_invoices',
  `SELECT i.id FROM wms.invoice i
   WHERE i.status IN ('needs_review', 'reconciled', 'disputed')
     AND EXISTS (SELECT FROM wms.recon_run r WHERE r.invoice_id = i.id)
   ORDER BY i.id FOR UPDATE`,
);

/** Of the invoices $1, those that a reconciliation or a dispute rests on. */
export const restedOnInvoices = statement<{ id: string }>(
  'wms.recovery_rested_on_invoices',
  `SELECT i.id FROM wms.invoice i
   WHERE i.id = ANY ($1::uuid[])
     AND (EXISTS (SELECT FROM wms.recon_run r WHERE r.invoice_id = i.id)
          OR EXISTS (SELECT FROM wms.dispute d WHERE d.invoice_id = i.id))`,
);

/** Stock by bucket as one number, and how far the ledger goes. */
export const stockFingerprint = statement<{
  buckets: number;
  units: string;
  hash: string;
  seq: string;
  lastReconLine: string;
}>(
  'wms.recovery_stock_fingerprint',
  `SELECT count(*)::integer AS buckets, coalesce(sum(b.on_hand), 0)::text AS units,
          coalesce(sum(hashtextextended(concat_ws('|', b.location_id, b.lot_id, b.stock_status, b.on_hand, b.reserved), 0)), 0)::text
            AS hash,
          (SELECT coalesce(max(seq), 0) FROM wms.wms_inventory_transaction)::text AS seq,
          (SELECT coalesce(max(id), 0) FROM wms.recon_line)::text AS "lastReconLine"
   FROM wms.stock_balance b WHERE b.on_hand <> 0`,
);

/** Decisions about the lines up to $1. */
export const decisionFingerprint = statement<{ rows: number; hash: string }>(
  'wms.recovery_decision_fingerprint',
  `SELECT count(*)::integer AS rows,
          coalesce(sum(hashtextextended((to_jsonb(n) - 'row_version' - 'updated_at')::text, 0)), 0)::text AS hash
   FROM wms.recon_line n WHERE n.id <= $1::bigint`,
);
