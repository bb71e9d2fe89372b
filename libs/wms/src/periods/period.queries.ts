import { statement } from '@belay/platform';

export interface PeriodRow {
  readonly start: string;
  readonly end: string;
  readonly closedBy: string | null;
  readonly closedAt: Date | null;
  readonly isClosed: boolean;
}

/**
 * The periods of the warehouse $1 that begin before $2 (null for all), the latest first, at most $3: from the one in which
 * goods first came, or the first that was closed, to the present one.
 */
export const periodList = statement<PeriodRow>(
  'wms.period_list',
  `SELECT p.start, p."end", coalesce(p."end" <= w.closed_through, false) AS "isClosed",
          CASE WHEN p."end" <= w.closed_through THEN b.closed_by END AS "closedBy",
          CASE WHEN p."end" <= w.closed_through THEN b.closed_at END AS "closedAt"
   FROM wms.warehouse w
   CROSS JOIN LATERAL (
     SELECT wms.local_date(now(), w.timezone) AS today, least(
       (SELECT wms.local_date(m.effective_at, w.timezone) FROM wms.movement m WHERE m.warehouse_id = w.id
        ORDER BY m.effective_at LIMIT 1),
       (SELECT min(period_start) FROM wms.billing_period WHERE warehouse_id = w.id)) AS first) d
   CROSS JOIN LATERAL (
     SELECT n::date AS start, wms.period_end(n::date, w.billing_cycle_start_day) AS "end"
     FROM generate_series(wms.period_start(coalesce(d.first, d.today), w.billing_cycle_start_day)::timestamp,
                          d.today::timestamp, interval '1 month') AS n) p
   LEFT JOIN wms.billing_period b ON b.warehouse_id = w.id AND b.period_start = p.start
   WHERE w.id = $1::uuid AND ($2::date IS NULL OR p.start < $2)
   ORDER BY p.start DESC LIMIT $3`,
);

export interface PeriodToClose {
  readonly start: string;
  readonly end: string;
  readonly isClosed: boolean;
  readonly isOver: boolean;
  readonly dirty: number;
  readonly unrated: number;
  readonly openImports: number;
}

/** Nobody posts in the warehouse $1 until the transaction ends. */
export const lockWarehouse = statement(
  'wms.lock_warehouse',
  `SELECT FROM wms.warehouse WHERE id = $1::uuid FOR UPDATE`,
);

/** What of the warehouse $1 up to the end of the period of the day $2 is not settled; a week settles two hours late. */
export const periodToClose = statement<PeriodToClose>(
  'wms.period_to_close',
  `SELECT p.start, p."end", coalesce(p."end" <= w.closed_through, false) AS "isClosed",
          now() >= wms.end_of_day(p."end", w.timezone) AS "isOver",
          ((SELECT count(*) FROM wms.storage_dirty d WHERE d.warehouse_id = w.id AND d.from_date <= p."end")
           + (SELECT count(*) FROM (
                SELECT m.effective_at FROM wms.movement m WHERE m.warehouse_id = w.id ORDER BY m.effective_at LIMIT 1) f
              CROSS JOIN LATERAL generate_series(
                wms.snapshot_day(wms.local_date(f.effective_at, w.timezone), w.storage_snapshot_isodow)::timestamp,
                p."end"::timestamp, interval '7 days') AS n
              WHERE NOT EXISTS (
                SELECT FROM wms.storage_run r WHERE r.warehouse_id = w.id AND r.snapshot_on = n::date)))::integer AS dirty,
          ((SELECT count(*) FROM wms.cost_charge c
            WHERE c.warehouse_id = w.id AND c.state = 'unrated' AND c.period_start <= p.start
              AND NOT EXISTS (SELECT FROM wms.cost_charge a WHERE a.adjusts_charge_id = c.id))
           + (SELECT count(*) FROM wms.storage_ledger g
              WHERE g.warehouse_id = w.id AND g.state = 'unrated' AND g.snapshot_on <= p."end"))::integer AS unrated,
          (SELECT count(*) FROM wms.import_batch b
           WHERE b.warehouse_id = w.id AND b.kind = 'inventory_ledger'
             AND b.status IN ('uploaded', 'checking', 'checked', 'committing'))::integer AS "openImports"
   FROM wms.warehouse w
   CROSS JOIN LATERAL (
     SELECT wms.period_start($2::date, w.billing_cycle_start_day) AS start,
            wms.period_end($2::date, w.billing_cycle_start_day) AS "end") p
   WHERE w.id = $1::uuid`,
);

/**
 * Closes the warehouse $1 through the day $3, the end of the period that begins at $2, in the name of $4: it and every
 * period before that is open, with their storage.
 */
export const closeThrough = statement(
  'wms.close_through',
  `WITH place AS (
     UPDATE wms.warehouse SET closed_through = $3::date WHERE id = $1::uuid RETURNING id, billing_cycle_start_day),
   locked AS (
     UPDATE wms.storage_ledger SET state = 'locked'
     WHERE warehouse_id = $1 AND period_end <= $3 AND state <> 'locked')
   INSERT INTO wms.billing_period AS b (warehouse_id, period_start, period_end, state, closed_by, closed_at)
   SELECT w.id, n::date, wms.period_end(n::date, w.billing_cycle_start_day), 'closed', $4::uuid, clock_timestamp()
   FROM wms.warehouse w
   CROSS JOIN LATERAL generate_series(
     least($2::date, (SELECT wms.period_start(wms.local_date(min(m.effective_at), w.timezone), w.billing_cycle_start_day)
                      FROM wms.movement m WHERE m.warehouse_id = w.id))::timestamp, $2::timestamp, interval '1 month') AS n
   WHERE w.id = $1 AND NOT EXISTS (
     SELECT FROM wms.billing_period k WHERE k.warehouse_id = w.id AND k.period_start = n::date AND k.state = 'closed')
   ON CONFLICT (warehouse_id, period_start) DO UPDATE
     SET state = excluded.state, closed_by = excluded.closed_by, closed_at = excluded.closed_at`,
);

/** The periods of the warehouse $1 from the day $2 on are open again; what was written down at their ends is dropped. */
export const reopenFrom = statement<{ start: string; end: string }>(
  'wms.reopen_from',
  `WITH dropped AS (DELETE FROM wms.stock_close WHERE warehouse_id = $1::uuid AND closed_on >= $2::date),
   place AS (
     UPDATE wms.warehouse SET closed_through = (
       SELECT max(b.period_end) FROM wms.billing_period b
       WHERE b.warehouse_id = $1 AND b.state = 'closed' AND b.period_start < $2)
     WHERE id = $1),
   unlocked AS (
     UPDATE wms.storage_ledger SET state = CASE WHEN amount IS NULL THEN 'unconfigured' ELSE 'final' END
     WHERE warehouse_id = $1 AND period_start >= $2 AND state = 'locked' AND invoice_id IS NULL)
   UPDATE wms.billing_period SET state = 'open', closed_by = NULL, closed_at = NULL
   WHERE warehouse_id = $1 AND period_start >= $2 AND state = 'closed'
   RETURNING period_start AS start, period_end AS "end"`,
);

/** Why the transaction does what it does, for the audit log. */
export const setReason = statement('wms.set_reason', `SELECT set_config('belay.reason', $1, true)`);
