import { statement, type Executor } from '@belay/platform';
import { boundsOfTheDay, dueAt, placeAndRate, storedOn, type LotScope, type StorageBounds } from './stored.queries.js';

/** The bounds in a common table `bound` of one row. */
const bound: StorageBounds = {
  closedOn: '(SELECT closed_on FROM bound)',
  since: '(SELECT since FROM bound)',
  until: '(SELECT until FROM bound)',
};
const withBound = `bound AS MATERIALIZED (${boundsOfTheDay}), ${placeAndRate}`;

/**
 * Writes the lines of the day over those that are there and differ, by lot, so that neighbours in the ledger are so in the
 * indexes. Lines that are locked stay; a line whose stock was taken back becomes one of nothing.
 */
function writeLines(scope: LotScope, bounds: StorageBounds): string {
  return `
    INSERT INTO wms.storage_ledger AS line (warehouse_id, lot_id, sku_id, snapshot_on, week_ending, units, cartons, pallets,
      cartons_per_pallet, cpp_source, rate_id, rate, amount, currency, period_start, period_end, state, input_max_seq)
    SELECT p.warehouse_id, s.lot_id, s.sku_id, $1::date, $1::date + 6, s.units, s.cartons, s.pallets, s.cpp, s.source,
           s.rate_id, s.rate, s.amount, p.currency, p.period_start, p.period_end, s.state, s.max_seq
    FROM place p CROSS JOIN ${storedOn(scope, bounds)} s
    WHERE p.is_due AND (s.units <> 0 OR EXISTS (
      SELECT FROM wms.storage_ledger g
      WHERE g.warehouse_id = $2::uuid AND g.snapshot_on = $1::date AND g.lot_id = s.lot_id AND g.units <> 0))
    ORDER BY s.lot_id
    ON CONFLICT (warehouse_id, snapshot_on, lot_id, (coalesce(age_tier, ''))) DO UPDATE
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
const warehouseHeld = `FROM wms.warehouse WHERE id = $1::uuid FOR KEY SHARE`;

/**
 * Waits until this transaction is the only one that runs the storage of the warehouse $1, and none closes or opens its
 * periods.
 */
export const awaitStorageLock = statement(
  'wms.await_storage_lock',
  `SELECT pg_advisory_xact_lock(${storageLock}) ${warehouseHeld}`,
);

/**
 * Whether this transaction is now the only one that runs the storage of the warehouse $1; then none closes or opens its
 * periods either.
 */
export const lockStorage = statement<{ locked: boolean }>(
  'wms.lock_storage',
  `SELECT pg_try_advisory_xact_lock(${storageLock}) AS locked ${warehouseHeld}`,
);

const dueDays = (further: string) => `SELECT w.id AS warehouse_id, d.day
   FROM wms.warehouse w
   CROSS JOIN LATERAL (
     SELECT m.effective_at FROM wms.movement m WHERE m.warehouse_id = w.id ORDER BY m.effective_at LIMIT 1) f
   CROSS JOIN LATERAL (
     SELECT n::date AS day FROM generate_series(
       wms.snapshot_day(wms.local_date(f.effective_at, w.timezone), w.storage_snapshot_isodow)::timestamp,
       wms.local_date(now(), w.timezone)::timestamp, interval '7 days') AS n) d
   WHERE w.id = ANY ($1::uuid[]) AND w.storage_method = 'pallet_week' AND now() >= ${dueAt('d.day', 'w.timezone')}
     AND ${further} AND NOT EXISTS (SELECT FROM wms.storage_run r WHERE r.warehouse_id = w.id AND r.snapshot_on = d.day)
   ORDER BY 1, 2`;

/** Days of the warehouses $1 that are over and whose storage was never run, since goods first came. */
export const dueStorageDays = statement<{ warehouse_id: string; day: string }>('wms.due_storage_days', dueDays('true'));

/** Of these the ones that have come to be over since $2. */
export const newlyDueStorageDays = statement<{ warehouse_id: string; day: string }>(
  'wms.newly_due_storage_days',
  dueDays(`${dueAt('d.day', 'w.timezone')} >= $2::timestamptz`),
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

/** Where counting the stock at the end of the day $1 in the warehouse $2 begins and ends. */
const storageBounds = statement<{ closed_on: string | null; since: string; until: string }>(
  'wms.storage_bounds',
  `SELECT b.closed_on, b.since::text, b.until::text FROM (${boundsOfTheDay}) b`,
);

const runBounded = statement<StorageWritten>(
  'wms.run_storage',
  `WITH ${placeAndRate},
     ran AS (
       INSERT INTO wms.storage_run AS run (warehouse_id, snapshot_on)
       SELECT p.warehouse_id, $1::date FROM place p WHERE p.is_due
       ON CONFLICT (warehouse_id, snapshot_on) DO UPDATE SET ran_at = excluded.ran_at),
     line AS (${writeLines('all', { closedOn: '$3::date', since: '$4::timestamptz', until: '$5::timestamptz' })})
   ${written}`,
  'each time',
);

/**
 * Runs the storage of a day in a warehouse in which it is a snapshot day and over; again it changes nothing. The lock of
 * `lockStorage` keeps what was closed before the day closed until this has begun there. Where the day lies in the ledger
 * is known when the statement is planned: guessed at, a million lines are taken for a handful and sorted on disk.
 */
export async function runStorage(on: Executor, day: string, warehouse: string): Promise<StorageWritten[]> {
  const [bounds] = await storageBounds(on, [day, warehouse]);
  return bounds ? runBounded(on, [day, warehouse, bounds.closed_on, bounds.since, bounds.until]) : [];
}

/** As runStorage: the day $1 in the warehouse $2, for the lots $3 only that have changed since it was run. */
export const runStorageOfLots = statement<StorageWritten>(
  'wms.run_storage_of_lots',
  `WITH ${withBound}, line AS (${writeLines('lots', bound)}) ${written}`,
);

/**
 * Charges what the common table `due` says each line costs, where that differs from what was charged for it: the earlier
 * charge is undone by its negative, and the line is charged anew. Both go to the period and under the note of `due`.
 */
const charge = `
  changed AS (
    SELECT due.*, e.times, c.id AS standing, c.name AS standing_name, c.rate_id AS standing_rate_id,
           c.quantity AS standing_quantity, c.rate AS standing_rate, c.amount AS standing_amount,
           c.currency AS standing_currency
    FROM due
    -- For each line on its own: of a day that was just run the planner knows nothing, and takes it for a line or two.
    CROSS JOIN LATERAL (
      SELECT count(*) AS times, max(m.id) FILTER (WHERE u.id IS NULL) AS standing
      FROM wms.cost_charge m LEFT JOIN wms.cost_charge u ON u.adjusts_charge_id = m.id
      WHERE m.storage_ledger_id = due.id AND m.adjusts_charge_id IS NULL) e
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
     WHERE g.snapshot_on = $1::date AND g.warehouse_id = $2::uuid AND g.state <> 'locked' ${which})`;

/** Charges the lines of the day $1 in the warehouse $2; locked ones are left to chargeLateStorage. */
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
 * Charges what locked lines of the day $1 in the warehouse $2 would cost by what is known of the lots $3 now, in the
 * first period that is neither closed nor their own.
 */
export const chargeLateStorage = statement<{ charges: number }>(
  'wms.charge_late_storage',
  `WITH ${withBound},
   due AS (
     SELECT g.id, g.warehouse_id, g.sku_id, g.lot_id, g.snapshot_on, g.currency,
            wms.period_start(o.day, w.billing_cycle_start_day) AS period_start,
            wms.period_end(o.day, w.billing_cycle_start_day) AS period_end,
            'late:' || g.period_start AS note, p.rate_name, p.rate_id, p.pallets, p.rate, p.amount
     FROM wms.storage_ledger g
     JOIN wms.warehouse w ON w.id = g.warehouse_id
     CROSS JOIN LATERAL (SELECT greatest(g.period_end, w.closed_through) + 1 AS day) o
     LEFT JOIN LATERAL (
       SELECT s.rate_name, s.rate_id, s.pallets, s.rate, s.amount FROM ${storedOn('lots', bound)} s
       WHERE s.lot_id = g.lot_id AND s.state = 'final' AND s.pallets > 0) p ON true
     WHERE g.snapshot_on = $1::date AND g.warehouse_id = $2::uuid AND g.lot_id = ANY ($3::uuid[])
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
