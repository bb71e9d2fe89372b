import type { EventLine } from '../charges/charge.rules.js';
import { addPallets, mergedByBucket, palletsFor, roomOf, type NamedLine } from './movement.rules.js';

/** A line of a shipment; its units are negative. */
export interface OutgoingLine extends NamedLine {
  /** The line of the request, counted from 0. */
  readonly of: number;
  /** Cartons on a shipping pallet; null when nobody knows, or when goods go without pallets. */
  readonly cartonsPerPallet: number | null;
  readonly cartonMm3: bigint | null;
}

/**
 * The lines with their pallets, one for each bucket. What people counted is of the whole line of the request: it stands on
 * the first bucket that the line is taken from, beside what the cartons of all of them make.
 */
export function withPallets(lines: readonly OutgoingLine[], reported: readonly (number | undefined)[]): OutgoingLine[] {
  const counted = lines.map((line, index) => {
    const isFirst = lines.findIndex(({ of }) => of === line.of) === index;
    return { ...line, palletsReported: isFirst ? (reported[line.of] ?? null) : null };
  });
  const merged = mergedByBucket(counted, (one, other) => ({
    ...one,
    units: one.units + other.units,
    palletsReported: addPallets(one.palletsReported, other.palletsReported),
  })).map((line) => ({ ...line, palletsComputed: palletsFor(cartonsOf(line), line.cartonsPerPallet) }));

  return groupsOf(merged).flatMap((group): OutgoingLine[] => {
    const [first, ...others] = group;
    if (first?.palletsReported == null) return group;
    const palletsComputed = group.reduce<number | null>((sum, one) => addPallets(sum, one.palletsComputed), null);
    return [{ ...first, palletsComputed }, ...others.map((one) => ({ ...one, palletsComputed: null }))];
  });
}

/** What the shipment is charged by: one entry for each line of the request, numbered as its first bucket. */
export function shippedEvents(lines: readonly OutgoingLine[]): EventLine[] {
  return groupsOf(lines).flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const pallets = group.reduce(
      (sum, { palletsReported, palletsComputed }) => sum + BigInt(palletsReported ?? palletsComputed ?? 0),
      0n,
    );
    const isOneSize = group.every(({ cartonMm3 }) => cartonMm3 === first.cartonMm3);
    return [
      {
        lineNo: lines.indexOf(first) + 1,
        skuId: first.skuId,
        units: group.reduce((sum, { units }) => sum - units, 0n),
        cartons: group.reduce((sum, line) => sum + cartonsOf(line), 0n),
        pallets: first.palletsReported == null ? pallets : BigInt(first.palletsReported),
        cartonMm3: isOneSize ? first.cartonMm3 : null,
      },
    ];
  });
}

/** Lines of one line of the request beside each other. */
function groupsOf(lines: readonly OutgoingLine[]): OutgoingLine[][] {
  const groups = new Map<number, OutgoingLine[]>();
  for (const line of lines) groups.set(line.of, [...(groups.get(line.of) ?? []), line]);
  return [...groups.values()];
}

function cartonsOf({ units, unitsPerCarton }: OutgoingLine): bigint {
  return roomOf(-units, unitsPerCarton);
}
