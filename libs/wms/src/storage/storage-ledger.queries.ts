import { statement } from '@belay/platform';

export interface StorageLineRow {
  readonly id: string;
  readonly warehouse: string;
  readonly sku: string;
  readonly lot: string;
  readonly snapshotOn: string;
  readonly weekEnding: string;
  readonly units: string;
  readonly unitsPerCarton: number;
  readonly cartons: string;
  readonly cartonsPerPallet: number | null;
  readonly cartonsPerPalletFrom: 'lot' | 'spec' | 'manual' | null;
  readonly pallets: string | null;
  readonly rateId: string | null;
  readonly rateName: string | null;
  readonly rate: string | null;
  readonly amount: string | null;
  readonly currency: string;
  readonly periodStart: string;
  readonly periodEnd: string;
  readonly state: 'final' | 'unrated' | 'unconfigured' | 'locked';
  readonly invoiceId: string | null;
  readonly computedAt: Date;
  readonly lastLedgerSeq: string;
}

const lines = `
  SELECT g.id, w.code AS warehouse, s.code AS sku, l.code AS lot, g.snapshot_on AS "snapshotOn",
         g.week_ending AS "weekEnding", g.units, l.units_per_carton AS "unitsPerCarton", g.cartons,
         g.cartons_per_pallet AS "cartonsPerPallet", g.cpp_source AS "cartonsPerPalletFrom", g.pallets,
         g.rate_id AS "rateId", r.name AS "rateName", g.rate, g.amount, g.currency, g.period_start AS "periodStart",
         g.period_end AS "periodEnd", g.state, g.invoice_id AS "invoiceId", g.computed_at AS "computedAt",
         g.input_max_seq AS "lastLedgerSeq"
  FROM wms.storage_ledger g
  JOIN wms.warehouse w ON w.id = g.warehouse_id
  JOIN wms.sku s ON s.id = g.sku_id
  JOIN wms.lot l ON l.id = g.lot_id
  LEFT JOIN wms.cost_rate r ON r.id = g.rate_id`;

/**
 * $1 the sites the caller may see, null for all, $2 warehouse, $3 id and $4 code of the SKU, $5 id and $6 code of the lot,
 * $7 and $8 first and last snapshot, $9 a day of the period, $10 state, $11 and $12 the row to go on after, $13 rows.
 */
export const storageLines = statement<StorageLineRow>(
  'wms.storage_lines',
  `${lines}
   WHERE ($1::uuid[] IS NULL OR w.site_id = ANY ($1)) AND ($2::uuid IS NULL OR g.warehouse_id = $2)
     AND ($3::uuid IS NULL OR s.id = $3) AND ($4::text IS NULL OR upper(s.code) = upper($4))
     AND ($5::uuid IS NULL OR l.id = $5) AND ($6::text IS NULL OR upper(l.code) = upper($6))
     AND ($7::date IS NULL OR g.snapshot_on >= $7) AND ($8::date IS NULL OR g.snapshot_on <= $8)
     AND ($9::date IS NULL OR $9 BETWEEN g.period_start AND g.period_end) AND ($10::text IS NULL OR g.state = $10)
     AND ($12::bigint IS NULL OR (g.snapshot_on, g.id) > ($11::date, $12))
   ORDER BY g.snapshot_on, g.id LIMIT $13`,
);

/** The lines of the warehouse $1 on the days $2, at most $3 of them. */
export const storageLinesOfDays = statement<StorageLineRow>(
  'wms.storage_lines_of_days',
  `${lines} WHERE g.warehouse_id = $1::uuid AND g.snapshot_on = ANY ($2::date[]) ORDER BY g.snapshot_on, g.id LIMIT $3`,
);

/** How many lines the warehouse $1 has on each of the days $2, and what they come to. */
export const storageTotals = statement<{ day: string; lines: number; amount: string }>(
  'wms.storage_totals',
  `SELECT snapshot_on AS day, count(*)::integer AS lines, coalesce(sum(amount), 0) AS amount
   FROM wms.storage_ledger WHERE warehouse_id = $1::uuid AND snapshot_on = ANY ($2::date[]) GROUP BY 1`,
);
