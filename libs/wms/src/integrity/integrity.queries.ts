import { type Statement, statement } from '@belay/platform';

/** What a failed check means: stock that cannot be believed and a gap in the audit are acted on at once, money within hours. */
export type IntegritySeverity = 'critical' | 'high';

/** A question whose every answer is a defect. */
export interface IntegrityCheck {
  readonly name: string;
  /** What holds when nothing comes back. */
  readonly holds: string;
  readonly severity: IntegritySeverity;
  /** At most $1 of the rows that break it, as JSON. Reads everything: give it the time it needs. */
  readonly find: Statement<{ violation: Readonly<Record<string, unknown>> }>;
}

function check(name: string, severity: IntegritySeverity, holds: string, sql: string): IntegrityCheck {
  const find = statement<{ violation: Readonly<Record<string, unknown>> }>(
    `wms.check.${name}`,
    `SELECT to_jsonb(v) AS violation FROM (${sql}) v LIMIT $1::integer`,
  );
  return { name, severity, holds, find };
}

/** Periods that are closed are looked at in turn, a twentieth of their rows a day. */
const looksAt = (end: string, id: string) =>
  `(${end} > coalesce(w.closed_through, '-infinity') OR (hashint8(${id}) & 1023) % 20 = (current_date - date '2000-01-01') % 20)`;

/** Storage of lots that are dirty is known to be wrong until the next run. */
const isDirty = (warehouse: string, lot: string, day: string) =>
  `EXISTS (SELECT FROM wms.storage_dirty d WHERE d.warehouse_id = ${warehouse} AND d.lot_id = ${lot} AND d.from_date <= ${day})`;

export const integrityChecks: readonly IntegrityCheck[] = [
  check(
    'ledger-equals-balances',
    'critical',
    'The lines of every bucket sum to its balance, and every balance has its lines.',
    `SELECT location_id, lot_id, stock_status, coalesce(l.units, 0) AS ledger, coalesce(b.on_hand, 0) AS balance
     FROM (SELECT location_id, lot_id, stock_status, sum(qty_delta) AS units
           FROM wms.wms_inventory_transaction GROUP BY 1, 2, 3) l
     FULL JOIN wms.stock_balance b USING (location_id, lot_id, stock_status)
     WHERE coalesce(l.units, 0) <> coalesce(b.on_hand, 0)`,
  ),
  check(
    'never-negative',
    'critical',
    'No bucket was ever negative, in the order in which things happened.',
    `SELECT DISTINCT ON (location_id, lot_id, stock_status) location_id, lot_id, stock_status, effective_at, seq, units
     FROM (SELECT location_id, lot_id, stock_status, effective_at, seq,
                  sum(qty_delta) OVER (PARTITION BY location_id, lot_id, stock_status ORDER BY effective_at, seq) AS units
           FROM wms.wms_inventory_transaction) p
     WHERE units < 0
     ORDER BY location_id, lot_id, stock_status, effective_at, seq`,
  ),
  check(
    'reserved-equals-allocations',
    'high',
    'What is reserved in a bucket is what open reservations hold in it.',
    `SELECT b.id AS balance_id, NULL::uuid AS reservation_id, b.reserved, coalesce(a.units, 0) AS allocated
     FROM wms.stock_balance b
     LEFT JOIN (SELECT balance_id, sum(qty - qty_fulfilled) AS units FROM wms.reservation_alloc GROUP BY 1) a
       ON a.balance_id = b.id
     WHERE b.reserved <> coalesce(a.units, 0)
     UNION ALL
     SELECT a.balance_id, a.reservation_id, NULL, a.qty - a.qty_fulfilled
     FROM wms.reservation_alloc a JOIN wms.reservation r ON r.id = a.reservation_id
     WHERE a.qty_fulfilled < a.qty AND r.status NOT IN ('active', 'partially_fulfilled')`,
  ),
  check(
    'lots-only-where-tracked',
    'high',
    'SKUs without lots are only in their one lot.',
    `SELECT b.id AS balance_id, s.code AS sku, l.code AS lot
     FROM wms.stock_balance b JOIN wms.sku s ON s.id = b.sku_id JOIN wms.lot l ON l.id = b.lot_id
     WHERE NOT s.lot_tracked AND l.code <> '-'`,
  ),
  check(
    'movements-are-whole',
    'high',
    'Every movement has lines, and a reversal takes back exactly what its target did.',
    `SELECT m.id AS movement_id, m.number, 'no lines' AS fault, NULL::uuid AS location_id, NULL::uuid AS lot_id
     FROM wms.movement m WHERE NOT EXISTS (SELECT FROM wms.wms_inventory_transaction t WHERE t.movement_id = m.id)
     UNION ALL
     SELECT m.id, m.number, 'not the reverse', location_id, lot_id
     FROM wms.movement m
     CROSS JOIN LATERAL (
       SELECT t.location_id, t.lot_id, t.stock_status
       FROM wms.wms_inventory_transaction t WHERE t.movement_id IN (m.id, m.reverses_movement_id)
       GROUP BY 1, 2, 3 HAVING sum(t.qty_delta) <> 0) r
     WHERE m.kind = 'REVERSAL'`,
  ),
  check(
    'storage-follows-its-inputs',
    'high',
    'Every storage line is what its stock, its stacking and its rate make.',
    `SELECT g.id AS storage_ledger_id, g.warehouse_id, g.lot_id, g.snapshot_on, g.units, a.units AS ledger_units,
            g.cartons, g.pallets, g.amount
     FROM wms.storage_ledger g
     JOIN wms.warehouse w ON w.id = g.warehouse_id
     JOIN wms.lot l ON l.id = g.lot_id
     CROSS JOIN LATERAL (
       SELECT coalesce(sum(t.qty_delta), 0) AS units
       FROM wms.wms_inventory_transaction t JOIN wms.location o ON o.id = t.location_id AND o.type <> 'virtual'
       WHERE t.warehouse_id = g.warehouse_id AND t.lot_id = g.lot_id
         AND t.effective_at < wms.end_of_day(g.snapshot_on, w.timezone)
         AND (g.state <> 'locked' OR t.seq <= g.input_max_seq)) a
     WHERE ${looksAt('g.period_end', 'g.id')}
       AND (g.units <> a.units AND NOT ${isDirty('g.warehouse_id', 'g.lot_id', 'g.snapshot_on')}
            OR g.cartons <> ceil(g.units::numeric / l.units_per_carton)
            OR g.pallets IS DISTINCT FROM CASE WHEN g.units = 0 THEN 0 ELSE ceil(g.cartons::numeric / g.cartons_per_pallet) END
            OR g.amount IS DISTINCT FROM
               CASE WHEN g.units = 0 THEN 0 ELSE round(g.pallets * g.rate, wms.currency_scale(g.currency)) END)`,
  ),
  check(
    'charges-are-quantity-by-rate',
    'high',
    'Every charge is its quantity by its rate, or its parts together are.',
    `SELECT id AS charge_id, dedupe_key, quantity, rate, amount
     FROM (SELECT c.*, wms.currency_scale(currency) AS scale,
                  sum(quantity) OVER document AS whole_quantity, sum(amount) OVER document AS whole_amount
           FROM wms.cost_charge c WHERE state = 'final' AND rate IS NOT NULL
           WINDOW document AS (PARTITION BY movement_id, storage_ledger_id, rate_id, rate, adjusts_charge_id IS NULL)) c
     WHERE amount <> round(quantity * rate, scale) AND whole_amount <> round(whole_quantity * rate, scale)`,
  ),
  check(
    'storage-is-complete',
    'high',
    'Every day that was run has a line for each lot in stock, in the period of the day.',
    `SELECT r.warehouse_id, r.snapshot_on, s.lot_id, 'no line' AS fault
     FROM wms.storage_run r
     JOIN wms.warehouse w ON w.id = r.warehouse_id
     CROSS JOIN LATERAL (
       SELECT t.lot_id
       FROM wms.wms_inventory_transaction t JOIN wms.location o ON o.id = t.location_id AND o.type <> 'virtual'
       WHERE t.warehouse_id = r.warehouse_id AND t.effective_at < wms.end_of_day(r.snapshot_on, w.timezone)
       GROUP BY 1 HAVING sum(t.qty_delta) > 0) s
     WHERE ${looksAt('wms.period_end(r.snapshot_on, w.billing_cycle_start_day)', "r.snapshot_on - date '2000-01-01'")}
       AND NOT EXISTS (SELECT FROM wms.storage_ledger g
                       WHERE (g.warehouse_id, g.lot_id, g.snapshot_on) = (r.warehouse_id, s.lot_id, r.snapshot_on))
       AND NOT ${isDirty('r.warehouse_id', 's.lot_id', 'r.snapshot_on')}
     UNION ALL
     SELECT g.warehouse_id, g.snapshot_on, g.lot_id, 'wrong day or period'
     FROM wms.storage_ledger g JOIN wms.warehouse w ON w.id = g.warehouse_id
     WHERE ${looksAt('g.period_end', 'g.id')}
       AND (extract(isodow FROM g.snapshot_on) <> w.storage_snapshot_isodow
            OR g.period_start <> wms.period_start(g.snapshot_on, w.billing_cycle_start_day)
            OR g.period_end <> wms.period_end(g.snapshot_on, w.billing_cycle_start_day))`,
  ),
  check(
    'invoices-add-up',
    'high',
    'Invoices are the sum of their lines and tax, reconciliations of theirs, and nobody is paid more than was billed.',
    `SELECT i.id AS invoice_id, i.number, 'lines' AS fault, i.net AS stated, coalesce(sum(n.amount), 0) AS found
     FROM wms.invoice i LEFT JOIN wms.invoice_line n ON n.invoice_id = i.id
     WHERE i.status <> 'draft'
     GROUP BY i.id HAVING i.net <> coalesce(sum(n.amount), 0) OR i.total <> i.net + i.tax
     UNION ALL
     SELECT r.invoice_id, r.run_no::text, 'reconciliation', r.difference,
            coalesce(sum(n.invoiced_amount - n.expected_amount), 0)
     FROM wms.recon_run r LEFT JOIN wms.recon_line n ON n.run_id = r.id
     GROUP BY r.id
     HAVING r.expected_total <> coalesce(sum(n.expected_amount), 0) OR r.invoiced_total <> coalesce(sum(n.invoiced_amount), 0)
         OR r.difference <> coalesce(sum(n.difference), 0)
     UNION ALL
     SELECT i.id, i.number, 'payments', i.total, sum(p.amount)
     FROM wms.invoice i JOIN wms.invoice_payment p ON p.invoice_id = i.id
     GROUP BY i.id HAVING sum(p.amount) > i.total`,
  ),
  check(
    'rates-do-not-overlap',
    'high',
    'On no day are there two rates of a name or of storage, and the database still sees to it.',
    `SELECT 'no such rule' AS fault, e.name, NULL::uuid AS rate_id, NULL::uuid AS other_id
     FROM (VALUES ('rates_of_a_name_do_not_overlap', 'wms.cost_rate'), ('one_storage_rate_is_valid_at_a_time', 'wms.cost_rate'),
                  ('pallet_specs_do_not_overlap', 'wms.pallet_spec')) AS e (name, owner)
     WHERE NOT EXISTS (SELECT FROM pg_constraint c
                       WHERE c.conrelid = to_regclass(e.owner) AND c.conname = e.name AND c.contype = 'x' AND c.convalidated)
     UNION ALL
     SELECT 'overlap', r.name, r.id, o.id
     FROM wms.cost_rate r
     JOIN wms.cost_rate o ON o.warehouse_id = r.warehouse_id AND o.id > r.id AND o.valid && r.valid
     WHERE lower(o.name) = lower(r.name)
        OR r.basis IN ('pallet_week', 'pallet_day', 'cuft_month') AND o.basis = r.basis
           AND coalesce(o.params ->> 'tier', '') = coalesce(r.params ->> 'tier', '')`,
  ),
  check(
    'audit-is-complete',
    'critical',
    'The audit log ends with every row as it is, and was written with it.',
    `SELECT table_name, row_key, present, audited FROM wms.audit_differences($1::integer)
     UNION ALL
     SELECT 'movement', jsonb_build_object('id', m.id), to_jsonb(m), NULL
     FROM wms.movement m
     WHERE NOT EXISTS (SELECT FROM platform.audit_log a
                       WHERE a.schema_name = 'wms' AND a.table_name = 'movement' AND a.txid = m.txid
                         AND a.record = jsonb_build_object('id', m.id))`,
  ),
  check(
    'closes-equal-the-ledger',
    'high',
    'The stock of every closed period is still what the ledger says it was.',
    `SELECT k.warehouse_id, k.closed_on, x.location_id, x.lot_id, x.stock_status, x.closed, x.ledger
     FROM (SELECT DISTINCT warehouse_id, closed_on FROM wms.stock_close) k
     JOIN wms.warehouse w ON w.id = k.warehouse_id
     CROSS JOIN LATERAL (
       SELECT location_id, lot_id, stock_status, coalesce(c.qty, 0) AS closed, coalesce(s.units, 0) AS ledger
       FROM (SELECT c.location_id, c.lot_id, c.stock_status, c.qty FROM wms.stock_close c
             WHERE c.warehouse_id = k.warehouse_id AND c.closed_on = k.closed_on) c
       FULL JOIN
            (SELECT t.location_id, t.lot_id, t.stock_status, sum(t.qty_delta) AS units FROM wms.wms_inventory_transaction t
             WHERE t.warehouse_id = k.warehouse_id AND t.effective_at < wms.end_of_day(k.closed_on, w.timezone)
             GROUP BY 1, 2, 3) s USING (location_id, lot_id, stock_status)) x
     WHERE x.closed <> x.ledger`,
  ),
  check(
    'nothing-is-orphaned',
    'high',
    'What a row refers to is there, and the database still sees to it.',
    `SELECT constraint_name, table_name, orphan FROM wms.orphans($1::integer)
     UNION ALL
     SELECT c.conname, t.relname, NULL FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
     WHERE c.contype = 'f' AND c.connamespace = 'wms'::regnamespace AND NOT c.convalidated`,
  ),
];
