import type { ShortBucket } from './posting.problems.js';
import type { BucketStock } from './posting.queries.js';

export const movementKinds = [
  'OPENING',
  'RECEIVE',
  'SHIP',
  'ADJUST_IN',
  'ADJUST_OUT',
  'TRANSFER',
  'COUNT',
  'REPACK',
  'REVERSAL',
] as const;
export type MovementKind = (typeof movementKinds)[number];

export const stockStatuses = ['available', 'quarantine', 'damaged'] as const;
export type StockStatus = (typeof stockStatuses)[number];

/** How the numbers of documents say what they are: FMC-RCV-20250106-000123. */
export const documentPrefixes: Readonly<Record<MovementKind, string>> = {
  OPENING: 'OPN',
  RECEIVE: 'RCV',
  SHIP: 'SHP',
  ADJUST_IN: 'ADI',
  ADJUST_OUT: 'ADO',
  TRANSFER: 'TRF',
  COUNT: 'CNT',
  REPACK: 'RPK',
  REVERSAL: 'REV',
};

/** A change of one bucket; `units` is negative for what goes. */
export interface LineDraft {
  readonly locationId: string;
  readonly skuId: string;
  readonly lotId: string;
  readonly stockStatus: StockStatus;
  readonly units: bigint;
  readonly palletsReported?: number | null;
  readonly palletsComputed?: number | null;
  /** Where the line stands in the request, e.g. `#/lines/0`. */
  readonly pointer?: string;
}

/** What is taken from one bucket by all lines together. */
export interface Taking {
  readonly locationId: string;
  readonly lotId: string;
  readonly stockStatus: StockStatus;
  readonly units: bigint;
  /** The first line that takes from it, counted from 1. */
  readonly line: number;
}

/** The buckets that the lines leave with less. Several lines of one bucket are summed before anything is decided. */
export function takings(lines: readonly LineDraft[]): Taking[] {
  const buckets = new Map<string, Taking>();
  for (const [index, { locationId, lotId, stockStatus, units }] of lines.entries()) {
    const key = JSON.stringify([locationId, lotId, stockStatus]);
    const before = buckets.get(key);
    const line = before && before.units > 0n ? before.line : index + 1;
    buckets.set(key, { locationId, lotId, stockStatus, units: (before?.units ?? 0n) - units, line });
  }
  return [...buckets.values()].filter(({ units }) => units > 0n);
}

/** The takings that the stock does not cover. `stock` has the bucket of each taking at its place. */
export function shortBuckets(taken: readonly Taking[], stock: readonly BucketStock[]): ShortBucket[] {
  return taken.flatMap(({ units, line }, index) => {
    const bucket = stock[index];
    if (!bucket) return [];
    const [onHand, reserved] = [BigInt(bucket.on_hand), BigInt(bucket.reserved)];
    if (units <= onHand - reserved) return [];
    const { sku, lot, location, stock_status: stockStatus } = bucket;
    return [
      {
        line,
        sku,
        lot,
        location,
        stockStatus,
        requestedUnits: Number(units),
        onHand: Number(onHand),
        reserved: Number(reserved),
        available: Number(onHand - reserved),
      },
    ];
  });
}
