import { statement } from '@belay/platform';

/** Two hours after the local end of a day its postings are taken for complete. */
const dueAt = (day: string, zone: string) => `((${day} + 1) + time '02:00') AT TIME ZONE ${zone}`;

/** Nothing of each lot that was billed on the day: it may have become virtual, or belong to another day in another zone. */
const billedBefore = `
        UNION ALL
        SELECT g.warehouse_id, NULL, g.lot_id, 0, 0 FROM wms.storage_ledger g
        WHERE g.warehouse_id = ANY ($2::uuid[]) AND g.lot_id = ANY ($3::uuid[]) AND g.snapshot_on = $1::date`;

/**
 * What is stored at the end of the day $1 in the warehouses $2 (with `lots`, only of the lots $3), and what it costs by
 * the ledger, the stacking and the rates as they are now: a derived table by warehouse and lot. It begins at the last
 * close before the day. The common table `rate` must hold the storage rates of the day.
 */
function storedOn(scope: 'all' | 'lots'): string {
  const lots = (lot: string) => (scope === 'lots' ? `AND ${lot} = ANY ($3::uuid[])` : '');
  const bounds = `
    SELECT w.id AS warehouse_id, wms.end_of_day($1::date, w.timezone) AS until, c.closed_on,
           coalesce(wms.end_of_day(c.closed_on, w.timezone), '-infinity') AS since
    FROM wms.warehouse w
    LEFT JOIN LATERAL (
      SELECT k.closed_on FROM wms.stock_close k WHERE k.warehouse_id = w.id AND k.closed_on <= $1::date
      ORDER BY k.closed_on DESC LIMIT 1) c ON true
    WHERE w.id = ANY ($2::uuid[])`;
  return `(
    SELECT s.warehouse_id, s.isodow, s.timezone, l.sku_id, s.lot_id, s.units, c.cartons, p.pallets, x.cpp, x.source,
           r.id AS rate_id, r.name AS rate_name, r.value AS rate, CASE WHEN s.units = 0 THEN 0 ELSE
             round(p.pallets * r.value, wms.currency_scale(s.currency)) END AS amount, s.currency,
           wms.period_start($1::date, s.start_day) AS period_start, wms.period_end($1::date, s.start_day) AS period_end,
           CASE WHEN s.units = 0 THEN 'final' WHEN x.cpp IS NULL THEN 'unconfigured' WHEN r.id IS NULL THEN 'unrated'
                ELSE 'final' END AS state,
           s.max_seq
    FROM (
      -- The warehouse is joined before its rows are counted: afterwards the planner takes what is left for a handful.
      SELECT w.id AS warehouse_id, w.storage_snapshot_isodow AS isodow, w.timezone, w.currency,
             w.billing_cycle_start_day AS start_day, i.lot_id, sum(i.units)::bigint AS units, max(i.seq) AS max_seq
      FROM (
        SELECT k.warehouse_id, k.location_id, k.lot_id, k.qty AS units, k.last_seq AS seq
        FROM (${bounds}) b
        JOIN wms.stock_close k ON k.warehouse_id = b.warehouse_id AND k.closed_on = b.closed_on ${lots('k.lot_id')}
        UNION ALL
        SELECT t.warehouse_id, t.location_id, t.lot_id, t.qty_delta, t.seq
        FROM (${bounds}) b
        JOIN wms.wms_inventory_transaction t
          ON t.warehouse_id = b.warehouse_id AND t.effective_at >= b.since AND t.effective_at < b.until ${lots('t.lot_id')}
        ${scope === 'lots' ? billedBefore : ''}) i
      ${scope === 'lots' ? 'LEFT JOIN' : 'JOIN'} wms.location o ON o.id = i.location_id
      JOIN wms.warehouse w ON w.id = i.warehouse_id
      WHERE ${scope === 'lots' ? 'o.id IS NULL OR ' : ''}o.type <> 'virtual'
      GROUP BY w.id, i.lot_id) s
    JOIN wms.lot l ON l.id = s.lot_id
    LEFT JOIN LATERAL (
      SELECT k.storage_cartons_per_pallet FROM wms.lot_stock k
      WHERE k.warehouse_id = s.warehouse_id AND k.lot_id = s.lot_id AND k.valid_from <= $1::date
      ORDER BY k.valid_from DESC LIMIT 1) ls ON true
    LEFT JOIN wms.pallet_spec sp
      ON sp.warehouse_id = s.warehouse_id AND sp.sku_id = l.sku_id AND sp.valid @> $1::date
    CROSS JOIN LATERAL (
      SELECT coalesce(ls.storage_cartons_per_pallet, sp.storage_cartons_per_pallet) AS cpp,
             CASE WHEN ls.storage_cartons_per_pallet IS NOT NULL THEN 'lot' WHEN sp.id IS NOT NULL THEN 'spec' END AS source) x
    CROSS JOIN LATERAL (SELECT ceil(s.units::numeric / l.units_per_carton)::bigint AS cartons) c
    CROSS JOIN LATERAL (SELECT CASE WHEN s.units = 0 THEN 0 ELSE ceil(c.cartons::numeric / x.cpp) END AS pallets) p
    LEFT JOIN rate r ON r.warehouse_id = s.warehouse_id AND r.currency = s.currency)`;
}

/** The storage rates of the day, held so that nobody changes them before what they priced is written. */
const rateOfTheDay = `
  rate AS MATERIALIZED (
    SELECT id, warehouse_id, name, value, currency FROM wms.cost_rate
    WHERE warehouse_id = ANY ($2::uuid[]) AND basis = 'pallet_week' AND valid @> $1::date
      AND coalesce(params ->> 'tier', '') = ''
    FOR KEY SHARE)`;

/**
 * Writes the lines of the day over those that are there and differ. Lines that are locked stay; a line whose stock was
 * taken back becomes one of nothing.
 */
function writeLines(scope: 'all' | 'lots'): string {
  return `
    INSERT INTO wms.storage_ledger AS line (warehouse_id, lot_id, sku_id, snapshot_on, week_ending, units, cartons, pallets,
      cartons_per_pallet, cpp_source, rate_id, rate, amount, currency, period_start, period_end, state, input_max_seq)
    SELECT s.warehouse_id, s.lot_id, s.sku_id, $1::date, $1::date + 6, s.units, s.cartons, s.pallets, s.cpp, s.source,
           s.rate_id, s.rate, s.amount, s.currency, s.period_start, s.period_end, s.state, s.max_seq
    FROM ${storedOn(scope)} s
    WHERE s.isodow = extract(isodow FROM $1::date) AND now() >= ${dueAt('$1::date', 's.timezone')}
      AND (s.units <> 0 OR EXISTS (
        SELECT FROM wms.storage_ledger g
        WHERE g.warehouse_id = s.warehouse_id AND g.lot_id = s.lot_id AND g.snapshot_on = $1::date AND g.units <> 0))
    ON CONFLICT (warehouse_id, lot_id, snapshot_on, (coalesce(age_tier, ''))) DO UPDATE
      SET units = excluded.units, cartons = excluded.cartons, pallets = excluded.pallets,
          cartons_per_pallet = excluded.cartons_per_pallet, cpp_source = excluded.cpp_source, rate_id = excluded.rate_id,
          rate = excluded.rate, amount = excluded.amount, currency = excluded.currency,
          period_start = excluded.period_start, period_end = excluded.period_end, state = excluded.state,
          input_max_seq = excluded.input_max_seq, computed_at = clock_timestamp()
      WHERE line.state <> 'locked'
        AND (line.units, line.cartons, line.pallets, line.cartons_per_pallet, line.cpp_source, line.rate_id, line.rate,
             line.amount, line.currency, line.period_start, line.period_end, line.state, line.input_max_seq)
            IS DISTINCT FROM
            (excluded.units, excluded.cartons, excluded.pallets, excluded.cartons_per_pallet, excluded.cpp_source,
             excluded.rate_id, excluded.rate, excluded.amount, excluded.currency, excluded.period_start,
             excluded.period_end, excluded.state, excluded.input_max_seq)
    RETURNING line.state`;
}

const written = `
  SELECT count(*)::integer AS lines, count(*) FILTER (WHERE state = 'unrated')::integer AS unrated,
         count(*) FILTER (WHERE state = 'unconfigured')::integer AS unconfigured
  FROM line`;

/** How many lines changed, and how many of those nobody can price. */
interface StorageWritten {
  readonly lines: number;
  readonly unrated: number;
  readonly unconfigured: number;
}

const storageLock = `hashtextextended('wms.storage:' || $1::uuid::text, 0)`;

/** Waits until this transaction is the only one that runs the storage of the warehouse $1. */
export const awaitStorageLock = statement('wms.await_storage_lock', `SELECT pg_advisory_xact_lock(${storageLock})`);

/** Whether this transaction is now the only one that runs the storage of the warehouse $1. */
export const lockStorage = statement<{ locked: boolean }>(
  'wms.lock_storage',
  `SELECT pg_try_advisory_xact_lock(${storageLock}) AS locked`,
);

/** Days of the warehouses $1 that are over and whose storage was never run, since goods first came. */
export const dueStorageDays = statement<{ warehouse_id: string; day: string }>(
  'wms.due_storage_days',
  `SELECT w.id AS warehouse_id, d.day
   FROM wms.warehouse w
   CROSS JOIN LATERAL (
     SELECT m.effective_at FROM wms.movement m WHERE m.warehouse_id = w.id ORDER BY m.effective_at LIMIT 1) f
   CROSS JOIN LATERAL (
     SELECT n::date AS day FROM generate_series(
       wms.snapshot_day(wms.local_date(f.effective_at, w.timezone), w.storage_snapshot_isodow)::timestamp,
       wms.local_date(now(), w.timezone)::timestamp, interval '7 days') AS n) d
   WHERE w.id = ANY ($1::uuid[]) AND w.storage_method = 'pallet_week' AND now() >= ${dueAt('d.day', 'w.timezone')}
     AND NOT EXISTS (SELECT FROM wms.storage_run r WHERE r.warehouse_id = w.id AND r.snapshot_on = d.day)
   ORDER BY 1, 2`,
);

/** The snapshot days of the warehouse $1 from $2 to $3 that are over. */
export const pastStorageDays = statement<{ day: string }>(
  'wms.past_storage_days',
  `SELECT d.day FROM wms.warehouse w
   CROSS JOIN LATERAL (
     SELECT n::date AS day FROM generate_series(
       wms.snapshot_day($2::date, w.storage_snapshot_isodow)::timestamp, $3::date::timestamp, interval '7 days') AS n) d
   WHERE w.id = $1::uuid AND w.storage_method = 'pallet_week' AND now() >= ${dueAt('d.day', 'w.timezone')}
   ORDER BY 1`,
);

/** Warehouses that have days to run or lots whose storage is in doubt. */
export const warehousesToSettle = statement<{ id: string }>(
  'wms.warehouses_to_settle',
  `SELECT w.id FROM wms.warehouse w
   WHERE w.storage_method = 'pallet_week' AND (
     EXISTS (SELECT FROM wms.storage_dirty d WHERE d.warehouse_id = w.id)
     OR EXISTS (
       SELECT FROM (SELECT m.effective_at FROM wms.movement m WHERE m.warehouse_id = w.id ORDER BY m.effective_at LIMIT 1) f
       CROSS JOIN LATERAL (
         SELECT n::date AS day FROM generate_series(
           wms.snapshot_day(wms.local_date(f.effective_at, w.timezone), w.storage_snapshot_isodow)::timestamp,
           wms.local_date(now(), w.timezone)::timestamp, interval '7 days') AS n) d
       WHERE now() >= ${dueAt('d.day', 'w.timezone')}
         AND NOT EXISTS (SELECT FROM wms.storage_run r WHERE r.warehouse_id = w.id AND r.snapshot_on = d.day)))
   ORDER BY 1`,
);

/** Runs the storage of the day $1 in the warehouses $2 in which it is a snapshot day and over; again it changes nothing. */
export const runStorage = statement<StorageWritten>(
  'wms.run_storage',
  `WITH ${rateOfTheDay},
     ran AS (
       INSERT INTO wms.storage_run AS run (warehouse_id, snapshot_on)
       SELECT w.id, $1::date FROM wms.warehouse w
       WHERE w.id = ANY ($2::uuid[]) AND w.storage_snapshot_isodow = extract(isodow FROM $1::date)
         AND now() >= ${dueAt('$1::date', 'w.timezone')}
       ON CONFLICT (warehouse_id, snapshot_on) DO UPDATE SET ran_at = excluded.ran_at),
     line AS (${writeLines('all')})
   ${written}`,
);

/** As runStorage, for the lots $3 only: a day that was run already and on which they have changed since. */
export const runStorageOfLots = statement<StorageWritten>(
  'wms.run_storage_of_lots',
  `WITH ${rateOfTheDay}, line AS (${writeLines('lots')}) ${written}`,
);

/**
 * Charges what the common table `due` says each line costs, where that differs from what was charged for it: the earlier
 * charge is undone by its negative, and the line is charged anew. Both go to the period and under the note of `due`.
 */
const charge = `
  earlier AS (
    SELECT m.storage_ledger_id AS id, count(*) AS times, max(m.id) FILTER (WHERE u.id IS NULL) AS standing
    FROM wms.cost_charge m LEFT JOIN wms.cost_charge u ON u.adjusts_charge_id = m.id
    WHERE m.storage_ledger_id IN (SELECT id FROM due) AND m.adjusts_charge_id IS NULL
    GROUP BY 1),
  changed AS (
    SELECT due.*, coalesce(e.times, 0) AS times, c.id AS standing, c.name AS standing_name, c.rate_id AS standing_rate_id,
           c.quantity AS standing_quantity, c.rate AS standing_rate, c.amount AS standing_amount,
           c.currency AS standing_currency
    FROM due
    LEFT JOIN earlier e ON e.id = due.id
    LEFT JOIN wms.cost_charge c ON c.id = e.standing
    WHERE (c.rate_id, c.quantity, c.rate, c.amount, c.currency)
          IS DISTINCT FROM (due.rate_id, due.pallets, due.rate, due.amount, due.currency)),
  made AS (
    INSERT INTO wms.cost_charge (storage_ledger_id, adjusts_charge_id, warehouse_id, sku_id, lot_id, category, name, rate_id,
      quantity, rate, amount, currency, charge_on, period_start, period_end, state, dedupe_key, note)
    SELECT id, standing, warehouse_id, sku_id, lot_id, 'Storage', standing_name, standing_rate_id, -standing_quantity,
           standing_rate, -standing_amount, standing_currency, snapshot_on, period_start, period_end, 'final',
           'undo:' || standing, note
    FROM changed WHERE standing IS NOT NULL
    UNION ALL
    SELECT id, NULL, warehouse_id, sku_id, lot_id, 'Storage', rate_name, rate_id, pallets, rate, amount, currency,
           snapshot_on, period_start, period_end, 'final', 'st:' || id || ':' || times + 1, note
    FROM changed WHERE amount IS NOT NULL
    RETURNING id)`;

const openLines = (which: string) => `
   due AS (
     SELECT g.id, g.warehouse_id, g.sku_id, g.lot_id, g.snapshot_on, g.currency, g.period_start, g.period_end,
            NULL::text AS note, p.rate_name, p.rate_id, p.pallets, p.rate, p.amount
     FROM wms.storage_ledger g
     LEFT JOIN LATERAL (
       SELECT r.name AS rate_name, g.rate_id, g.pallets, g.rate, g.amount FROM wms.cost_rate r
       WHERE r.id = g.rate_id AND g.state = 'final' AND g.pallets > 0) p ON true
     WHERE g.snapshot_on = $1::date AND g.warehouse_id = ANY ($2::uuid[]) AND g.state <> 'locked' ${which})`;

/** Charges the lines of the day $1 in the warehouses $2; locked ones are left to chargeLateStorage. */
export const chargeStorage = statement<{ charges: number }>(
  'wms.charge_storage',
  `WITH ${openLines('')}, ${charge} SELECT count(*)::integer AS charges FROM made`,
);

/** As chargeStorage, of the lots $3 only. */
export const chargeStorageOfLots = statement<{ charges: number }>(
  'wms.charge_storage_of_lots',
  `WITH ${openLines('AND g.lot_id = ANY ($3::uuid[])')}, ${charge} SELECT count(*)::integer AS charges FROM made`,
);

/**
 * Charges what locked lines of the day $1 in the warehouses $2 would cost by what is known of the lots $3 now, in the
 * first period that is neither closed nor their own.
 */
export const chargeLateStorage = statement<{ charges: number }>(
  'wms.charge_late_storage',
  `WITH ${rateOfTheDay},
   due AS (
     SELECT g.id, g.warehouse_id, g.sku_id, g.lot_id, g.snapshot_on, g.currency,
            wms.period_start(o.day, w.billing_cycle_start_day) AS period_start,
            wms.period_end(o.day, w.billing_cycle_start_day) AS period_end,
            'late:' || g.period_start AS note, p.rate_name, p.rate_id, p.pallets, p.rate, p.amount
     FROM wms.storage_ledger g
     JOIN wms.warehouse w ON w.id = g.warehouse_id
     CROSS JOIN LATERAL (SELECT greatest(g.period_end, w.closed_through) + 1 AS day) o
     LEFT JOIN LATERAL (
       SELECT s.rate_name, s.rate_id, s.pallets, s.rate, s.amount FROM ${storedOn('lots')} s
       WHERE s.warehouse_id = g.warehouse_id AND s.lot_id = g.lot_id AND s.state = 'final' AND s.pallets > 0) p ON true
     WHERE g.snapshot_on = $1::date AND g.warehouse_id = ANY ($2::uuid[]) AND g.lot_id = ANY ($3::uuid[])
       AND g.state = 'locked'),
   ${charge}
   SELECT count(*)::integer AS charges FROM made`,
);

/** Lots of the warehouse $1 whose storage may be wrong from a day on. Read it before running their days. */
export const dirtyLots = statement<{ lot_id: string; from_date: string; rev: number }>(
  'wms.dirty_lots',
  `SELECT lot_id, from_date, rev FROM wms.storage_dirty WHERE warehouse_id = $1::uuid ORDER BY lot_id`,
);

/** The days of the warehouse $1 from $2 on that were run already, and so must be run again. */
export const ranStorageDays = statement<{ day: string }>(
  'wms.ran_storage_days',
  `SELECT snapshot_on AS day FROM wms.storage_run WHERE warehouse_id = $1::uuid AND snapshot_on >= $2::date ORDER BY 1`,
);

/**
 * Forgets that the lots $2 of the warehouse $1 were dirty, unless their revision is no longer $3: then something was
 * posted since it was read, and may not have been seen.
 */
export const forgetDirtyLots = statement<{ lot_id: string }>(
  'wms.forget_dirty_lots',
  `WITH done AS (
     SELECT d.warehouse_id, d.lot_id FROM wms.storage_dirty d
     JOIN unnest($2::uuid[], $3::integer[]) AS seen (lot_id, rev) ON d.lot_id = seen.lot_id AND d.rev = seen.rev
     WHERE d.warehouse_id = $1::uuid
     ORDER BY d.warehouse_id, d.lot_id FOR UPDATE OF d)
   DELETE FROM wms.storage_dirty d USING done
   WHERE d.warehouse_id = done.warehouse_id AND d.lot_id = done.lot_id
   RETURNING d.lot_id`,
);
