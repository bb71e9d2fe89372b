import { hasRightCheckDigit } from '../container-number.rules.js';
import { cartonsOf, MOST_UNITS, palletsOf, unitsOf } from '../units.rules.js';
import type { MovementLine, MovementWarning, PalletVariance } from './movement.contract.js';
import type { LineDraft, StockStatus } from './posting.rules.js';

/** What a warehouse can plausibly mean by one line; more is a slip of the keyboard. */
export interface Limits {
  readonly cartons: number;
  readonly pallets: number;
  /** Units that an adjustment may change without a word about it. */
  readonly silentUnits: number;
}

export interface Quantity {
  readonly cartons: number;
  readonly looseUnits: number;
}

export interface Issue {
  readonly pointer: string;
  readonly detail: string;
}

/** A line of the request, counted from 0. */
export function pointerTo(line: number): string {
  return `#/lines/${line}`;
}

/** What is wrong with a quantity by itself. */
export function quantityIssues(
  limits: Limits,
  pointer: string,
  { cartons, looseUnits, palletsReported = 0 }: Quantity & { readonly palletsReported?: number | undefined },
): Issue[] {
  const issues: Issue[] = [];
  if (cartons === 0 && looseUnits === 0) issues.push({ pointer, detail: 'must be at least one unit' });
  if (cartons > limits.cartons) issues.push({ pointer: `${pointer}/cartons`, detail: atMost(limits.cartons) });
  if (palletsReported > limits.pallets) {
    issues.push({ pointer: `${pointer}/palletsReported`, detail: atMost(limits.pallets) });
  }
  return issues;
}

function atMost(most: number): string {
  return `must be at most ${most}`;
}

/** The base units of a quantity. */
export function unitsAsked({ cartons, looseUnits }: Quantity, unitsPerCarton: number): bigint {
  return unitsOf(BigInt(cartons), BigInt(looseUnits), BigInt(unitsPerCarton));
}

/** What is wrong with a quantity of goods that are known, on pallets when it is known of how many cartons. */
export function unitsIssues(
  limits: Limits,
  pointer: string,
  quantity: Quantity,
  unitsPerCarton: number,
  cartonsPerPallet: number | null = null,
): Issue[] {
  const units = unitsAsked(quantity, unitsPerCarton);
  if (units > MOST_UNITS) return [{ pointer, detail: `must be at most ${MOST_UNITS.toString()} units` }];
  const pallets = palletsFor(roomOf(units, unitsPerCarton), cartonsPerPallet) ?? 0;
  return pallets > limits.pallets ? [{ pointer, detail: `must be at most ${limits.pallets} pallets` }] : [];
}

/** Cartons as they take up room. */
export function roomOf(units: bigint, unitsPerCarton: number): bigint {
  return cartonsOf(units, BigInt(unitsPerCarton)).equivalents;
}

/** The pallets that are begun for so many cartons; null when nobody knows how they are stacked. */
export function palletsFor(cartons: bigint, cartonsPerPallet: number | null | undefined): number | null {
  return cartonsPerPallet == null ? null : Number(palletsOf(cartons, BigInt(cartonsPerPallet)));
}

/** A line as it is going to be posted, with the names that people know. */
export interface NamedLine extends LineDraft {
  readonly sku: string;
  readonly lot: string;
  readonly location: string;
  readonly unitsPerCarton: number;
}

export interface Bucket {
  readonly locationId: string;
  readonly lotId: string;
  readonly stockStatus: StockStatus;
}

export function sameBucket(one: Bucket, other: Bucket): boolean {
  return one.locationId === other.locationId && one.lotId === other.lotId && one.stockStatus === other.stockStatus;
}

/** Lines that name a bucket which an earlier one names. */
export function repeatedBuckets(lines: readonly NamedLine[]): Issue[] {
  return lines.flatMap((line, index) => {
    const first = lines.findIndex((one) => sameBucket(one, line));
    if (first === index) return [];
    const detail = `is in the same bucket as ${lines[first]?.pointer ?? 'another'}; send mergeLines to sum them`;
    return [{ pointer: line.pointer ?? '#/lines', detail }];
  });
}

/** One line for each bucket, where its first stood. */
export function mergedByBucket<Line extends NamedLine>(
  lines: readonly Line[],
  merge: (one: Line, other: Line) => Line,
): Line[] {
  const merged: Line[] = [];
  for (const line of lines) {
    const at = merged.findIndex((one) => sameBucket(one, line));
    const before = merged[at];
    if (before) merged[at] = merge(before, line);
    else merged.push(line);
  }
  return merged;
}

export function addPallets(one: number | null | undefined, other: number | null | undefined): number | null {
  return one == null && other == null ? null : (one ?? 0) + (other ?? 0);
}

/** Where people counted other pallets than the cartons make. */
export function variancesOf(
  lines: readonly { readonly palletsReported?: number | null; readonly palletsComputed?: number | null }[],
): PalletVariance[] {
  return lines.flatMap(({ palletsReported, palletsComputed }, index) =>
    palletsReported == null || palletsComputed == null || palletsReported === palletsComputed
      ? []
      : [{ lineNo: index + 1, palletsReported, palletsComputed }],
  );
}

export function lineView(line: NamedLine, index: number): MovementLine {
  const { skuId, sku, lotId, lot, locationId, location, stockStatus, units, unitsPerCarton } = line;
  const { full, loose } = cartonsOf(units < 0n ? -units : units, BigInt(unitsPerCarton));
  return {
    lineNo: index + 1,
    skuId,
    sku,
    lotId,
    lot,
    locationId,
    location,
    stockStatus,
    units: Number(units),
    cartons: Number(full),
    looseUnits: Number(loose),
    palletsReported: line.palletsReported ?? null,
    palletsComputed: line.palletsComputed ?? null,
  };
}

/** The same reference was posted a moment ago: two deliveries, or one that was sent twice. */
export function likelyRepeated(ids: readonly string[]): MovementWarning[] {
  if (ids.length === 0) return [];
  const detail = 'The reference was posted within the last minute; if that was the same, reverse one of them.';
  return [{ code: 'possible-duplicate', detail, ids: [...ids] }];
}

export function containerWarnings(containerNumber: string | undefined): MovementWarning[] {
  if (containerNumber === undefined || hasRightCheckDigit(containerNumber)) return [];
  return [{ code: 'container-check-digit', detail: `The last digit of ${containerNumber} does not fit the others.` }];
}
