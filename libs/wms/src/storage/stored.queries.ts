/** Which lots a statement is about: all of the warehouse, or those whose ids are in $3. */
export type LotScope = 'all' | 'lots';

/** Two hours after the local end of a day its postings are taken for complete. */
export const dueAt = (day: string, zone: string) => `((${day} + 1) + time '02:00') AT TIME ZONE ${zone}`;

/** What is counted: the last close before, if there is one, and the ledger from its end up to that of the day. Expressions. */
export interface StorageBounds {
  readonly closedOn: string;
  readonly since: string;
  readonly until: string;
}

/** The bounds of the day $1 in the warehouse $2: closed_on, since, until. */
export const boundsOfTheDay = `
  SELECT c.closed_on, coalesce(wms.end_of_day(c.closed_on, w.timezone), '-infinity') AS since,
         wms.end_of_day($1::date, w.timezone) AS until
  FROM wms.warehouse w
  LEFT JOIN LATERAL (
    SELECT k.closed_on FROM wms.stock_close k WHERE k.warehouse_id = w.id AND k.closed_on <= $1::date
    ORDER BY k.closed_on DESC LIMIT 1) c ON true
  WHERE w.id = $2::uuid`;

/**
 * Common tables for the day $1 in the warehouse $2: `place`, and `rate`, the storage rates of the day, held so that nobody
 * changes them before what they priced is written.
 */
export const placeAndRate = `
  place AS MATERIALIZED (
    SELECT w.id AS warehouse_id, w.currency, wms.currency_scale(w.currency) AS scale,
           wms.period_start($1::date, w.billing_cycle_start_day) AS period_start,
           wms.period_end($1::date, w.billing_cycle_start_day) AS period_end,
           w.storage_snapshot_isodow = extract(isodow FROM $1::date) AND now() >= ${dueAt('$1::date', 'w.timezone')} AS is_due
    FROM wms.warehouse w WHERE w.id = $2::uuid),
  rate AS MATERIALIZED (
    SELECT id, name, value, currency FROM wms.cost_rate
    WHERE warehouse_id = $2::uuid AND basis = 'pallet_week' AND valid @> $1::date AND coalesce(params ->> 'tier', '') = ''
    FOR KEY SHARE)`;

/** Nothing of each lot that was billed on the day: it may have become virtual, or belong to another day in another zone. */
const billedBefore = `
        UNION ALL
        SELECT g.lot_id, 0, 0 FROM wms.storage_ledger g
        WHERE g.warehouse_id = $2::uuid AND g.lot_id = ANY ($3::uuid[]) AND g.snapshot_on = $1::date`;

/**
 * What is stored at the end of the day $1 in the warehouse $2, and what it costs by the ledger, the stacking and the rates
 * as they are now: a derived table by lot, beside the common tables of `placeAndRate`.
 */
export function storedOn(scope: LotScope, { closedOn, since, until }: StorageBounds): string {
  const lots = (lot: string) => (scope === 'lots' ? `AND ${lot} = ANY ($3::uuid[])` : '');
  const isThere = (location: string) =>
    `${location} NOT IN (SELECT o.id FROM wms.location o WHERE o.warehouse_id = $2::uuid AND o.type = 'virtual')`;
  return `(
    SELECT l.sku_id, s.lot_id, s.units, c.cartons, p.pallets, x.cpp, x.source, r.id AS rate_id, r.name AS rate_name,
           r.value AS rate, CASE WHEN s.units = 0 THEN 0 ELSE round(p.pallets * r.value, place.scale) END AS amount,
           CASE WHEN s.units = 0 THEN 'final' WHEN x.cpp IS NULL THEN 'unconfigured' WHEN r.id IS NULL THEN 'unrated'
                ELSE 'final' END AS state,
           s.max_seq
    FROM (
      SELECT i.lot_id, sum(i.units)::bigint AS units, max(i.seq) AS max_seq
      FROM (
        SELECT k.lot_id, k.qty AS units, k.last_seq AS seq FROM wms.stock_close k
        WHERE k.warehouse_id = $2::uuid AND k.closed_on = ${closedOn} AND ${isThere('k.location_id')} ${lots('k.lot_id')}
        UNION ALL
        SELECT t.lot_id, t.qty_delta, t.seq FROM wms.wms_inventory_transaction t
        WHERE t.warehouse_id = $2::uuid AND t.effective_at >= ${since} AND t.effective_at < ${until}
          AND ${isThere('t.location_id')} ${lots('t.lot_id')}
        ${scope === 'lots' ? billedBefore : ''}) i
      GROUP BY i.lot_id) s
    CROSS JOIN place
    JOIN wms.lot l ON l.id = s.lot_id
    LEFT JOIN (
      SELECT DISTINCT ON (k.lot_id) k.lot_id, k.storage_cartons_per_pallet FROM wms.lot_stock k
      WHERE k.warehouse_id = $2::uuid AND k.valid_from <= $1::date ${lots('k.lot_id')}
      ORDER BY k.lot_id, k.valid_from DESC) ls ON ls.lot_id = s.lot_id
    LEFT JOIN wms.pallet_spec sp ON sp.warehouse_id = $2::uuid AND sp.sku_id = l.sku_id AND sp.valid @> $1::date
    CROSS JOIN LATERAL (
      SELECT coalesce(ls.storage_cartons_per_pallet, sp.storage_cartons_per_pallet) AS cpp,
             CASE WHEN ls.storage_cartons_per_pallet IS NOT NULL THEN 'lot' WHEN sp.id IS NOT NULL THEN 'spec' END AS source) x
    CROSS JOIN LATERAL (SELECT ceil(s.units::numeric / l.units_per_carton)::bigint AS cartons) c
    CROSS JOIN LATERAL (SELECT CASE WHEN s.units = 0 THEN 0 ELSE ceil(c.cartons::numeric / x.cpp) END AS pallets) p
    LEFT JOIN rate r ON r.currency = place.currency)`;
}
