export const pickStrategies = ['fifo', 'fefo', 'lifo'] as const;
export type PickStrategy = (typeof pickStrategies)[number];

/** The unit of locking. */
export interface Bucket {
  readonly locationId: string;
  readonly lotId: string;
  readonly stockStatus: string;
}

/** A bucket that could be picked from. Days are `YYYY-MM-DD`, instants ISO texts of one zone. */
export interface PickCandidate extends Bucket {
  readonly balanceId: bigint;
  readonly skuId: string;
  readonly lotStatus: string;
  readonly isPickable: boolean;
  readonly pickPriority: number;
  readonly unitsPerCarton: bigint;
  /** On hand less reserved. */
  readonly available: bigint;
  readonly expiresOn: string | null;
  readonly firstReceivedAt: string | null;
}

interface PickedBucket {
  readonly candidate: PickCandidate;
  readonly units: bigint;
}

export interface PickPlan {
  readonly picks: readonly PickedBucket[];
  /** What could not be found. */
  readonly short: bigint;
}

/** What somebody wants to have of a SKU. */
export interface PickWish {
  readonly skuId: string;
  /** Only of this lot. */
  readonly lotId: string | null;
  readonly units: bigint;
  readonly strategy: PickStrategy;
  /** The day on which it must still be good. */
  readonly neededOn: string;
  readonly minShelfLifeDays: number;
}

/**
 * Whether the bucket may be promised or shipped for the day: goods that are sound, where people pick, in a lot that is
 * neither blocked nor too old. The day of expiry is the last on which a lot is good.
 */
export function mayBePicked(candidate: PickCandidate, neededOn: string, minShelfLifeDays: number): boolean {
  const { expiresOn } = candidate;
  return (
    candidate.stockStatus === 'available' &&
    candidate.lotStatus === 'available' &&
    candidate.isPickable &&
    candidate.available > 0n &&
    (expiresOn === null || daysBetween(neededOn, expiresOn) >= minShelfLifeDays)
  );
}

/**
 * Which buckets give the units. The strategy decides between lots, then the priority of the location, and neither is
 * ever given up; among buckets of one lot that are equal in both, whole cartons go before opened ones, and few buckets
 * before many.
 */
export function pick(candidates: readonly PickCandidate[], strategy: PickStrategy, units: bigint): PickPlan {
  const inOrder = candidates.filter(({ available }) => available > 0n).toSorted(pickOrder(strategy));
  const picks: PickedBucket[] = [];
  let left = units;
  for (const equals of groupsOf(inOrder)) {
    if (left === 0n) break;
    for (const one of fromEquals(equals, left)) {
      picks.push(one);
      left -= one.units;
    }
  }
  return { picks, short: left };
}

/**
 * One plan for each wish, in their order: what one takes, the next no longer finds, so that all of them together can be
 * had.
 */
export function pickAll(candidates: readonly PickCandidate[], wishes: readonly PickWish[]): PickPlan[] {
  const bySku = new Map<string, PickCandidate[]>();
  for (const one of candidates) {
    const those = bySku.get(one.skuId);
    if (those) those.push(one);
    else bySku.set(one.skuId, [one]);
  }
  const left = new Map(candidates.map(({ balanceId, available }) => [balanceId, available]));
  return wishes.map((wish) => {
    const usable = (bySku.get(wish.skuId) ?? [])
      .filter(({ lotId }) => wish.lotId === null || lotId === wish.lotId)
      .map((candidate) => ({ ...candidate, available: left.get(candidate.balanceId) ?? 0n }))
      .filter((candidate) => mayBePicked(candidate, wish.neededOn, wish.minShelfLifeDays));
    const plan = pick(usable, wish.strategy, wish.units);
    for (const { candidate, units } of plan.picks) left.set(candidate.balanceId, candidate.available - units);
    return plan;
  });
}

/** The order of the strategy; ties go to the location that is picked first, then to the older bucket. */
export function pickOrder(strategy: PickStrategy): (one: PickCandidate, other: PickCandidate) => number {
  const age = (one: PickCandidate, other: PickCandidate) => nullsLast(one.firstReceivedAt, other.firstReceivedAt);
  const expiry = (one: PickCandidate, other: PickCandidate) => nullsLast(one.expiresOn, other.expiresOn);
  const keys = {
    fefo: [expiry, age],
    fifo: [age, expiry],
    lifo: [
      (one: PickCandidate, other: PickCandidate) => age(other, one),
      (one: PickCandidate, other: PickCandidate) => expiry(other, one),
    ],
  }[strategy];
  return (one, other) => {
    for (const key of keys) {
      const order = key(one, other);
      if (order !== 0) return order;
    }
    return one.pickPriority - other.pickPriority || compare(one.balanceId, other.balanceId);
  };
}

/** The order in which every transaction locks buckets, so that none waits for another in a circle. */
export function lockOrder(one: Bucket, other: Bucket): number {
  return (
    compare(one.locationId, other.locationId) ||
    compare(one.lotId, other.lotId) ||
    compare(one.stockStatus, other.stockStatus)
  );
}

/** Neighbours of one lot that stand equal in everything but their bucket; lots in the order in which they come first. */
function groupsOf(inOrder: readonly PickCandidate[]): PickCandidate[][] {
  const groups = new Map<string, PickCandidate[]>();
  for (const candidate of inOrder) {
    const { lotId, expiresOn, firstReceivedAt, pickPriority } = candidate;
    const key = JSON.stringify([expiresOn, firstReceivedAt, pickPriority, lotId]);
    const group = groups.get(key);
    if (group) group.push(candidate);
    else groups.set(key, [candidate]);
  }
  return [...groups.values()];
}

/** What a bucket still holds while it is being picked from. */
interface Shelf {
  readonly candidate: PickCandidate;
  full: bigint;
  loose: bigint;
  taken: bigint;
}

function fromEquals(equals: readonly PickCandidate[], units: bigint): PickedBucket[] {
  const shelves = equals.map((candidate): Shelf => {
    const loose = candidate.available % candidate.unitsPerCarton;
    return { candidate, full: candidate.available - loose, loose, taken: 0n };
  });
  const perCarton = equals[0]?.unitsPerCarton ?? 1n;
  let left = least(units, sum(equals.map(({ available }) => available)));
  let whole = left - (left % perCarton);
  const pieces = left - whole;

  const both = shelves.filter(({ full, loose }) => full >= whole && loose >= pieces);
  for (const shelf of [...both.slice(0, 1), ...fewest(shelves, 'full', whole)]) {
    const taken = least(shelf.full, whole);
    take(shelf, 'full', taken);
    whole -= taken;
    left -= taken;
  }
  // Pieces come from cartons that are open already, and only then from a new one.
  for (const source of ['loose', 'full'] as const) {
    for (const shelf of fewest(shelves, source, left)) {
      const taken = least(shelf[source], left);
      take(shelf, source, taken);
      left -= taken;
    }
  }
  return shelves.filter(({ taken }) => taken > 0n).map(({ candidate, taken }) => ({ candidate, units: taken }));
}

/** Shelves to take the units from, few of them: one in use that has them all, one that has them all, else the largest. */
function fewest(shelves: readonly Shelf[], source: 'full' | 'loose', units: bigint): Shelf[] {
  const rank = (shelf: Shelf) => (shelf[source] >= units ? 0 : 2) + (shelf.taken > 0n ? 0 : 1);
  return shelves.toSorted((one, other) => {
    const [first, second] = [rank(one), rank(other)];
    if (first !== second) return first - second;
    return first < 2 ? 0 : compare(other[source], one[source]);
  });
}

function take(shelf: Shelf, source: 'full' | 'loose', units: bigint): void {
  shelf[source] -= units;
  shelf.taken += units;
}

function sum(units: readonly bigint[]): bigint {
  return units.reduce((all, some) => all + some, 0n);
}

function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

function compare<Value extends string | bigint>(one: Value, other: Value): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function nullsLast(one: string | null, other: string | null): number {
  if (one === null || other === null) return Number(one === null) - Number(other === null);
  return compare(one, other);
}

function daysBetween(from: string, to: string): number {
  return (Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000;
}
