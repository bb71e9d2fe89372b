import { statement } from '@belay/platform';

/**
 * Charges that were made since $1, or for the movements $4 that are taken back, and stand; of a charge, its undoing and
 * the undoing of that, the last is undone when they are an odd number. Storage is worked out anew instead. $2 whose alone,
 * $3 whose stay.
 */
const standingCharges = `
  WITH RECURSIVE mine AS (
    SELECT c.id, c.adjusts_charge_id AS next FROM wms.cost_charge c
    WHERE c.storage_ledger_id IS NULL
      AND (c.movement_id = ANY ($4::uuid[])
           OR c.created_at > $1::timestamptz AND NOT $5::boolean
              AND ($2::text[] IS NULL OR c.created_by::text = ANY ($2))
              AND ($3::text[] IS NULL OR c.created_by IS NULL OR c.created_by::text <> ALL ($3)))),
  chain AS (
    SELECT m.id AS tip, m.next, 1 AS length FROM mine m
    WHERE NOT EXISTS (SELECT FROM wms.cost_charge u WHERE u.adjusts_charge_id = m.id)
    UNION ALL
    SELECT c.tip, m.next, c.length + 1 FROM chain c JOIN mine m ON m.id = c.next),
  standing AS (SELECT tip AS id FROM chain GROUP BY tip HAVING max(length) % 2 = 1)`;

/** $5 whether only the charges of the movements are meant. */
export const countStandingCharges = statement<{ charges: number }>(
  'wms.recovery_count_standing_charges',
  `${standingCharges} SELECT count(*)::integer AS charges FROM standing`,
);

/** In their own periods, or the first that is open where those are closed by now. $6 in whose name. */
export const undoStandingCharges = statement<{ id: string }>(
  'wms.recovery_undo_standing_charges',
  `${standingCharges}
   INSERT INTO wms.cost_charge (movement_id, adjusts_charge_id, warehouse_id, sku_id, lot_id, category, name, rate_id,
     quantity, rate, amount, currency, charge_on, period_start, period_end, state, dedupe_key, note, created_by)
   SELECT v.id, c.id, c.warehouse_id, c.sku_id, c.lot_id, c.category, c.name, c.rate_id,
          CASE WHEN c.amount IS NULL THEN 0 ELSE -c.quantity END, c.rate, coalesce(-c.amount, 0), c.currency, c.charge_on,
          wms.period_start(o.day, w.billing_cycle_start_day), wms.period_end(o.day, w.billing_cycle_start_day), 'final',
          'undo:' || c.id, 'recovery', $6::uuid
   FROM standing s
   JOIN wms.cost_charge c ON c.id = s.id
   JOIN wms.warehouse w ON w.id = c.warehouse_id
   LEFT JOIN wms.movement v ON v.reverses_movement_id = c.movement_id AND v.source_type = 'recovery'
   CROSS JOIN LATERAL (
     SELECT CASE WHEN c.period_end <= w.closed_through THEN w.closed_through + 1 ELSE c.period_start END AS day) o
   ORDER BY c.id
   RETURNING id`,
);
