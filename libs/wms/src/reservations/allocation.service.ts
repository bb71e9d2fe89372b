import { Injectable } from '@nestjs/common';
import { Outbox } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import type { Found } from '../stock/picking.service.js';
import type { ReservationChanged } from '../wms.events.js';
import {
  extendReservations,
  fulfilAllocations,
  insertReservation,
  lockOpenAllocations,
  releaseAllocations,
  type ReservationState,
} from './allocation.queries.js';

type Change = ReservationChanged['body']['change'];

export interface NewReservation {
  readonly id: string;
  readonly warehouseId: string;
  readonly skuId: string;
  readonly lotId: string | null;
  readonly source: { readonly type: string; readonly id: string; readonly line: string };
  readonly units: bigint;
  readonly policy: 'all_or_nothing' | 'allow_partial';
  readonly neededOn: string | null;
  readonly minShelfLifeDays: number | null;
  readonly expiresAt: string | null;
  readonly createdBy: string;
}

/** Units of a balance that are promised to a reservation. */
export interface Allocation {
  readonly reservationId: string;
  readonly balanceId: bigint;
  readonly units: bigint;
}

/**
 * The only one who changes what is reserved, so that the reserved units of a bucket are always those that open
 * reservations hold in it. Reservations are locked before balances, both by the caller unless it says otherwise.
 */
@Injectable()
export class Allocations {
  constructor(private readonly outbox: Outbox) {}

  /** The units found are locked. */
  async begin(tx: EntityManager, draft: NewReservation, found: Found): Promise<void> {
    const { source } = draft;
    const rows = await insertReservation(tx, [
      draft.id,
      draft.warehouseId,
      draft.skuId,
      draft.lotId,
      source.type,
      source.id,
      source.line,
      draft.units,
      found.short,
      found.strategy,
      draft.policy,
      draft.neededOn,
      draft.minShelfLifeDays,
      draft.expiresAt,
      draft.createdBy,
      found.picks.map(({ balanceId }) => balanceId),
      found.picks.map(({ units }) => units),
    ]);
    await this.announce(tx, 'reserved', rows);
  }

  /** Adds to what reservations are promised, by so much are they less short. */
  async extend(tx: EntityManager, promises: readonly Allocation[]): Promise<void> {
    if (promises.length === 0) return;
    await this.announce(tx, 'allocated', await extendReservations(tx, columnsOf(promises)));
  }

  /** Locks the balances. Ended as said, the reservations hold nothing and are short of nothing. */
  async end(tx: EntityManager, reservationIds: readonly string[], status: 'released' | 'expired'): Promise<void> {
    if (reservationIds.length === 0) return;
    await lockOpenAllocations(tx, [reservationIds, null]);
    await this.announce(tx, status, await releaseAllocations(tx, [reservationIds, null, status]));
  }

  /** Takes back what is promised of a lot; the reservations stay open and are short of it. */
  async withdraw(tx: EntityManager, reservationIds: readonly string[], lotId: string): Promise<ReservationState[]> {
    if (reservationIds.length === 0) return [];
    const rows = await releaseAllocations(tx, [reservationIds, lotId, null]);
    await this.announce(tx, 'withdrawn', rows);
    return rows;
  }

  /** Uses up promises: their units are on hand and promised to nobody, and leave with the movement that follows. */
  async use(tx: EntityManager, promises: readonly Allocation[]): Promise<void> {
    if (promises.length === 0) return;
    await this.announce(tx, 'fulfilled', await fulfilAllocations(tx, columnsOf(promises)));
  }

  private async announce(tx: EntityManager, change: Change, rows: readonly ReservationState[]): Promise<void> {
    for (const row of rows) {
      const { id, warehouseId, skuId, lotId, status } = row;
      const event: ReservationChanged = {
        name: 'wms.reservation.changed',
        body: {
          reservationId: id,
          warehouseId,
          skuId,
          lotId,
          source: { type: row.sourceType, id: row.sourceId, line: row.sourceLine },
          change,
          status,
          units: Number(row.units),
          fulfilledUnits: Number(row.fulfilledUnits),
          shortUnits: Number(row.shortUnits),
        },
      };
      await this.outbox.add(tx, event, 'wms');
    }
  }
}

function columnsOf(promises: readonly Allocation[]): unknown[][] {
  return [
    promises.map(({ reservationId }) => reservationId),
    promises.map(({ balanceId }) => balanceId),
    promises.map(({ units }) => units),
  ];
}
