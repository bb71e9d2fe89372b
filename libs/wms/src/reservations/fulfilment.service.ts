import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { InsufficientStock } from '../movements/posting.problems.js';
import { pick, type PickCandidate } from '../stock/pick.rules.js';
import type { Picked } from '../stock/picking.service.js';
import type { KnownWarehouse } from '../warehouses/warehouse-scope.service.js';
import {
  lockOpenAllocations,
  lockReservations,
  type LockedReservation,
  type OpenAllocation,
} from './allocation.queries.js';
import { Allocations, type Allocation } from './allocation.service.js';
import { ReservationNotFound, ReservationNotOpen } from './reservation.problems.js';

export interface Taking {
  readonly reservationId: string;
  /** All that the reservation is still promised, unless said. */
  readonly units?: bigint | null;
  /** The line of the document, from 1, to name it when there is less. */
  readonly line?: number;
}

/** What a reservation gives, bucket by bucket. */
export interface Taken {
  readonly reservationId: string;
  readonly skuId: string;
  readonly picks: readonly Picked[];
}

/** How reservations are used up by the movement that ships their goods. */
@Injectable()
export class Fulfilment {
  constructor(private readonly allocations: Allocations) {}

  /**
   * Turns promises into goods that may be shipped: reservations and buckets are locked, and `reserved` is less by what is
   * taken. The same transaction must post it. An answer for each taking, in their order.
   */
  async take(tx: EntityManager, warehouse: KnownWarehouse, takings: readonly Taking[]): Promise<Taken[]> {
    if (takings.length === 0) return [];
    const ids = [...new Set(takings.map(({ reservationId }) => reservationId))];
    const reservations = new Map((await lockReservations(tx, [ids])).map((one) => [one.id, one]));
    const known = (id: string) => openOne(id, reservations.get(id), warehouse);
    for (const id of ids) known(id);
    const open = (await lockOpenAllocations(tx, [ids, null])).map(heldOf);

    const used: Allocation[] = [];
    const taken = takings.map((taking, index): Taken => {
      const { reservationId, units, line = index + 1 } = taking;
      const held = open.filter((one) => one.reservationId === reservationId);
      const all = held.reduce((sum, { candidate }) => sum + candidate.available, 0n);
      const { strategy, skuId, sku } = known(reservationId);
      const plan = pick(
        held.map(({ candidate }) => candidate),
        strategy,
        units ?? all,
      );
      if (plan.short > 0n || all === 0n) throw lessPromised(line, sku, units ?? 1n, all);
      for (const one of plan.picks) {
        const { balanceId } = one.candidate;
        const from = held.find(({ candidate }) => candidate.balanceId === balanceId);
        if (from) from.candidate = { ...from.candidate, available: from.candidate.available - one.units };
        used.push({ reservationId, balanceId, units: one.units });
      }
      return { reservationId, skuId, picks: plan.picks.map(({ candidate, units }) => ({ ...candidate, units })) };
    });
    await this.allocations.use(tx, merged(used));
    return taken;
  }
}

interface Held {
  readonly reservationId: string;
  candidate: PickCandidate;
}

function openOne(id: string, one: LockedReservation | undefined, warehouse: KnownWarehouse): LockedReservation {
  if (one?.warehouseId !== warehouse.id) throw new ReservationNotFound(id);
  if (one.status !== 'active' && one.status !== 'partially_fulfilled') throw new ReservationNotOpen(id, one.status);
  return one;
}

/** More is wanted of a reservation than it is promised. */
function lessPromised(line: number, sku: string, wanted: bigint, promised: bigint): InsufficientStock {
  const [requestedUnits, units] = [Number(wanted), Number(promised)];
  const open = { lot: null, location: null, stockStatus: null };
  return new InsufficientStock([
    { line, sku, ...open, requestedUnits, onHand: units, reserved: units, available: units },
  ]);
}

function heldOf(row: OpenAllocation): Held {
  const { reservationId, balanceId, units, unitsPerCarton, ...facts } = row;
  return {
    reservationId,
    candidate: {
      ...facts,
      balanceId: BigInt(balanceId),
      unitsPerCarton: BigInt(unitsPerCarton),
      available: BigInt(units),
      isPickable: true,
    },
  };
}

/** Two lines of a document may take from the same promise. */
function merged(used: readonly Allocation[]): Allocation[] {
  const sums = new Map<string, Allocation>();
  for (const one of used) {
    const key = `${one.reservationId} ${one.balanceId}`;
    sums.set(key, { ...one, units: one.units + (sums.get(key)?.units ?? 0n) });
  }
  return [...sums.values()];
}
