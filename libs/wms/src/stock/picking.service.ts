import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { lockBuckets, pickCandidates, pickPolicies, type CandidateRow, type PickPolicy } from './pick.queries.js';
import {
  lockOrder,
  mayBePicked,
  pickAll,
  type Bucket,
  type PickCandidate,
  type PickPlan,
  type PickStrategy,
  type PickWish,
} from './pick.rules.js';

/** Units of a SKU that somebody wants to have; what is left open follows the SKU. */
export interface Wanted {
  readonly skuId: string;
  /** Only of this lot. */
  readonly lotId?: string | null | undefined;
  readonly units: bigint;
  /** Ignored for what can expire: that goes by expiry. */
  readonly strategy?: PickStrategy | null | undefined;
  /** The local day on which the goods must still be good; today unless said. */
  readonly neededOn?: string | null | undefined;
  readonly minShelfLifeDays?: number | null | undefined;
}

/** Units that the same document takes from a bucket it names. */
export interface Claim extends Bucket {
  readonly units: bigint;
}

export interface Picked extends Bucket {
  readonly balanceId: bigint;
  readonly skuId: string;
  readonly units: bigint;
  readonly unitsPerCarton: bigint;
  readonly expiresOn: string | null;
}

/** What was found for a wish, and how many units were not. */
export interface Found {
  readonly picks: readonly Picked[];
  readonly short: bigint;
  readonly strategy: PickStrategy;
}

/** The last of them locks whatever may be picked, so that it cannot fail. */
const ROUNDS = 4;
const SAVEPOINT = 'before_picking';

/** Finds the buckets from which goods are promised or shipped, and holds them. */
@Injectable()
export class Picking {
  /**
   * An answer for each wish, in their order. What is found is locked until the transaction ends and is there: on hand
   * and promised to nobody, neither to another wish nor to the claims, whose buckets are locked as well. Nothing is
   * reserved yet.
   */
  async pick(
    tx: EntityManager,
    warehouse: { readonly id: string },
    wanted: readonly Wanted[],
    claims: readonly Claim[] = [],
  ): Promise<Found[]> {
    const skus = [...new Set(wanted.map(({ skuId }) => skuId))];
    const policies = new Map((await pickPolicies(tx, [warehouse.id, skus])).map((one) => [one.skuId, one]));
    const wishes = wanted.map((one) => wishOf(one, policies.get(one.skuId)));
    const read = async () => lessClaims((await pickCandidates(tx, [warehouse.id, skus])).map(candidateOf), claims);
    const plans = await this.holdPlans(tx, read, wishes, claims);
    return plans.map(({ picks, short }, index) => ({
      picks: picks.map(({ candidate, units }) => ({ ...candidate, units })),
      short,
      strategy: wishes[index]?.strategy ?? 'fifo',
    }));
  }

  private async holdPlans(
    tx: EntityManager,
    read: () => Promise<PickCandidate[]>,
    wishes: readonly PickWish[],
    claims: readonly Claim[],
  ): Promise<PickPlan[]> {
    const locked = new Map<string, Bucket>();
    await tx.query(`SAVEPOINT ${SAVEPOINT}`);
    for (let round = 1; ; round += 1) {
      const candidates = await read();
      const held = pickAll(
        candidates.filter((one) => locked.has(nameOf(one))),
        wishes,
      );
      if (round > ROUNDS || held.every(({ short }) => short === 0n)) return held;

      const plans = pickAll(candidates, wishes);
      const picked = plans.flatMap(({ picks }) => picks.map(({ candidate }) => candidate));
      const wantedLocks = [...claims, ...(round === ROUNDS ? usableBy(candidates, wishes) : picked)];
      const missing = wantedLocks.filter((one) => !locked.has(nameOf(one)));
      if (missing.length === 0) return plans;
      if (isBefore(missing, locked)) {
        // Locks must not be taken against the order, so those that are held are given back first.
        await tx.query(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
        locked.clear();
      }
      await lock(
        tx,
        wantedLocks.filter((one) => !locked.has(nameOf(one))),
      );
      for (const one of wantedLocks) locked.set(nameOf(one), one);
    }
  }
}

async function lock(tx: EntityManager, buckets: readonly Bucket[]): Promise<void> {
  await lockBuckets(tx, [
    buckets.map(({ locationId }) => locationId),
    buckets.map(({ lotId }) => lotId),
    buckets.map(({ stockStatus }) => stockStatus),
  ]);
}

function isBefore(missing: readonly Bucket[], locked: ReadonlyMap<string, Bucket>): boolean {
  const last = [...locked.values()].toSorted(lockOrder).at(-1);
  return last !== undefined && missing.some((one) => lockOrder(one, last) < 0);
}

function usableBy(candidates: readonly PickCandidate[], wishes: readonly PickWish[]): PickCandidate[] {
  return candidates.filter((candidate) =>
    wishes.some(
      ({ skuId, neededOn, minShelfLifeDays }) =>
        skuId === candidate.skuId && mayBePicked(candidate, neededOn, minShelfLifeDays),
    ),
  );
}

function nameOf({ locationId, lotId, stockStatus }: Bucket): string {
  return `${locationId} ${lotId} ${stockStatus}`;
}

function wishOf(wanted: Wanted, policy: PickPolicy | undefined): PickWish {
  if (!policy) throw new Error(`The SKU ${wanted.skuId} is picked without being known`);
  const { skuId, lotId = null, units, strategy, neededOn, minShelfLifeDays } = wanted;
  return {
    skuId,
    lotId,
    units,
    strategy: policy.isForced ? policy.strategy : (strategy ?? policy.strategy),
    neededOn: neededOn ?? policy.today,
    minShelfLifeDays: minShelfLifeDays ?? policy.minShelfLifeDays,
  };
}

function candidateOf(row: CandidateRow): PickCandidate {
  const { balanceId, unitsPerCarton, available, ...facts } = row;
  return {
    ...facts,
    balanceId: BigInt(balanceId),
    unitsPerCarton: BigInt(unitsPerCarton),
    available: BigInt(available),
  };
}

/** What is left when the claims have had theirs. */
function lessClaims(candidates: readonly PickCandidate[], claims: readonly Claim[]): PickCandidate[] {
  const claimed = new Map<string, bigint>();
  for (const claim of claims) claimed.set(nameOf(claim), (claimed.get(nameOf(claim)) ?? 0n) + claim.units);
  return candidates.map((one) => ({ ...one, available: one.available - (claimed.get(nameOf(one)) ?? 0n) }));
}
