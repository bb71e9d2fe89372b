import { Injectable } from '@nestjs/common';
import { BusyRetry, type Caller } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { Picking, type Wanted } from '../stock/picking.service.js';
import { lockBucketsOfSku, lockReservations, reservationsOfLot, type LockedReservation } from './allocation.queries.js';
import { Allocations } from './allocation.service.js';

const ROUNDS = 4;
const SAVEPOINT = 'before_withdrawing';

/** What becomes of promises when their lot may not be given to anybody any more. */
@Injectable()
export class LotBlocked {
  constructor(
    private readonly allocations: Allocations,
    private readonly picking: Picking,
  ) {}

  /**
   * To be called in the transaction that put the lot on hold, into quarantine, or recalled it, after its status was
   * written. Whatever was promised of it is taken back and looked for in other lots; what is not found there, the
   * reservations are short of. Announces every reservation it touched, and answers their ids.
   */
  async release(tx: EntityManager, _by: Caller, lotId: string): Promise<string[]> {
    const reservations = await this.hold(tx, lotId);
    const ids = reservations.map(({ id }) => id);
    const before = new Map(reservations.map((one) => [one.id, BigInt(one.shortUnits)]));
    const after = await this.allocations.withdraw(tx, ids, lotId);
    const missing = new Map(after.map((row) => [row.id, BigInt(row.shortUnits) - (before.get(row.id) ?? 0n)]));
    for (const warehouseId of new Set(reservations.map((one) => one.warehouseId))) {
      const those = reservations.filter((one) => one.warehouseId === warehouseId);
      const wanted = those.map((one): Wanted => ({ ...one, units: missing.get(one.id) ?? 0n }));
      const found = await this.picking.pick(tx, { id: warehouseId }, wanted);
      const promises = found.flatMap(({ picks }, index) =>
        picks.map(({ balanceId, units }) => ({ reservationId: those[index]?.id ?? '', balanceId, units })),
      );
      await this.allocations.extend(tx, promises);
    }
    return ids;
  }

  /** Locks the reservations and, after them, every bucket of the SKU; nobody promises anything of the lot any more. */
  private async hold(tx: EntityManager, lotId: string): Promise<LockedReservation[]> {
    await tx.query(`SAVEPOINT ${SAVEPOINT}`);
    for (let round = 1; round <= ROUNDS; round += 1) {
      const ids = (await reservationsOfLot(tx, [lotId])).map(({ id }) => id);
      const reservations = await lockReservations(tx, [ids]);
      await lockBucketsOfSku(tx, [lotId]);
      const now = await reservationsOfLot(tx, [lotId]);
      if (now.every(({ id }) => ids.includes(id))) {
        const affected = new Set(now.map(({ id }) => id));
        return reservations.filter(({ id }) => affected.has(id));
      }
      // Somebody was promised something meanwhile. Reservations are locked before buckets, so all begins anew.
      await tx.query(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
    }
    throw new BusyRetry('conflict');
  }
}
