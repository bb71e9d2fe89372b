import { Injectable } from '@nestjs/common';
import { Database, Outbox, type Caller, type Executor } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import type { ChargeUnrated } from '../wms.events.js';
import {
  chargeLateStorage,
  chargeStorage,
  chargeStorageOfLots,
  dirtyLots,
  dueStorageDays,
  forgetDirtyLots,
  lockStorage,
  ranStorageDays,
  runStorage,
  runStorageOfLots,
} from './storage.queries.js';

export interface StorageRan {
  readonly day: string;
  /** Lines that are new or differ from what they were. */
  readonly changed: number;
  readonly unrated: number;
  readonly unconfigured: number;
  readonly charges: number;
}

interface Doubt {
  readonly dirty: Awaited<ReturnType<typeof dirtyLots>>;
  /** The days that were run before the doubt was read, and so may be wrong. */
  readonly ran: readonly string[];
}

/**
 * What is stored at the end of each week, and what it costs. Running it again changes nothing, in whatever order and
 * however often, unless what it rests on has changed.
 */
@Injectable()
export class StorageRun {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
  ) {}

  /**
   * Runs what is in doubt of the days that were run, and then every day of the warehouse that is due: one transaction for
   * the doubt and one for each day, each ended by `checkpoint`. Leaves off when somebody else is at it.
   */
  async settle(by: Caller, warehouseId: string, checkpoint: () => void): Promise<void> {
    const on = this.database.dataSource;
    // Read before anything is run: what is posted from here on raises the revision, and is looked at next time.
    const doubt = await doubtOf(on, warehouseId);
    const due = await dueStorageDays(on, [[warehouseId]]);
    const steps = [
      ...due.map(
        ({ day }) =>
          (tx: EntityManager) =>
            this.runDay(tx, warehouseId, day),
      ),
      ...(doubt.dirty.length > 0 ? [(tx: EntityManager) => this.rerun(tx, warehouseId, doubt)] : []),
    ];
    for (const step of steps) {
      const done = await this.database.transaction(by, async (tx) => {
        const [lock] = await lockStorage(tx, [warehouseId]);
        if (lock?.locked !== true) return false;
        await step(tx);
        checkpoint();
        return true;
      });
      if (!done) return;
    }
  }

  /** Runs the days again that are in doubt, inside a transaction that has the lock. */
  async settleDoubt(tx: EntityManager, warehouseId: string): Promise<void> {
    await this.rerun(tx, warehouseId, await doubtOf(tx, warehouseId));
  }

  /** Runs one day whole; locked lines stay. */
  async runDay(tx: EntityManager, warehouseId: string, day: string): Promise<StorageRan> {
    const [written] = await runStorage(tx, day, warehouseId);
    const [charged] = await chargeStorage(tx, [day, warehouseId]);
    const ran = ranOf(day, written, charged);
    await this.announce(tx, warehouseId, ran);
    return ran;
  }

  /** Runs the days since again for the lots in doubt; for locked lines the difference is charged in an open period. */
  private async rerun(tx: EntityManager, warehouseId: string, { dirty, ran }: Doubt): Promise<void> {
    for (const day of ran) {
      const lots = dirty.filter((row) => row.from_date <= day).map((row) => row.lot_id);
      const which = [day, warehouseId, lots];
      const [written] = await runStorageOfLots(tx, which);
      const [charged] = await chargeStorageOfLots(tx, which);
      await chargeLateStorage(tx, which);
      await this.announce(tx, warehouseId, ranOf(day, written, charged));
    }
    await forgetDirtyLots(tx, [warehouseId, dirty.map((row) => row.lot_id), dirty.map((row) => row.rev)]);
  }

  private async announce(tx: EntityManager, warehouseId: string, ran: StorageRan): Promise<void> {
    if (ran.unrated === 0) return;
    const charges = [{ category: 'Storage', name: 'Storage' }];
    const fact: ChargeUnrated = {
      name: 'wms.charge.unrated',
      body: { warehouseId, movementId: null, on: ran.day, charges },
    };
    await this.outbox.add(tx, fact, 'wms');
  }
}

async function doubtOf(on: Executor, warehouseId: string): Promise<Doubt> {
  const dirty = await dirtyLots(on, [warehouseId]);
  const [first] = dirty.map((row) => row.from_date).sort();
  const ran = first === undefined ? [] : await ranStorageDays(on, [warehouseId, first]);
  return { dirty, ran: ran.map(({ day }) => day) };
}

function ranOf(
  day: string,
  written: { lines: number; unrated: number; unconfigured: number } | undefined,
  charged: { charges: number } | undefined,
): StorageRan {
  const { lines = 0, unrated = 0, unconfigured = 0 } = written ?? {};
  return { day, changed: lines, unrated, unconfigured, charges: charged?.charges ?? 0 };
}
