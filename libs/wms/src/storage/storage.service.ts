import { Injectable } from '@nestjs/common';
import { Database, decodeCursor, listFrom, type Caller, type List } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { Money } from '../money.rules.js';
import { WarehouseScope, type KnownWarehouse } from '../warehouses/warehouse-scope.service.js';
import { idsAndCodes } from '../wms.contract.js';
import type { StorageFilter, StorageLine, StorageRunRequest, StorageRunView } from './storage.contract.js';
import { storageLines, storageLinesOfDays, storageTotals } from './storage-ledger.queries.js';
import { storageLineView } from './storage-line.rules.js';
import { awaitStorageLock, pastStorageDays } from './storage.queries.js';
import { StorageRun, type StorageRan } from './storage-run.service.js';

const READ = 'wms.cost:read';
const RUN = 'wms.cost:run';
const SHOWN_LINES = 200;
const listKey = z.tuple([z.iso.date(), z.string()]);

/** Carries the answer of a dry run out of a transaction that must not be committed. */
class RolledBack extends Error {
  constructor(readonly answer: StorageRunView) {
    super('a dry run');
  }
}

@Injectable()
export class StorageService {
  constructor(
    private readonly database: Database,
    private readonly scope: WarehouseScope,
    private readonly runs: StorageRun,
  ) {}

  async list(by: Caller, filter: StorageFilter): Promise<List<StorageLine>> {
    const on = this.database.dataSource;
    const { warehouse, sku, lot, limit } = filter;
    const place = warehouse === undefined ? null : (await this.scope.seen(on, by, READ, warehouse)).id;
    const [[skuId, lotId], [skuCode, lotCode]] = idsAndCodes([sku, lot]);
    const rows = await storageLines(on, [
      this.scope.sites(by, READ),
      place,
      skuId,
      skuCode,
      lotId,
      lotCode,
      filter.from ?? null,
      filter.to ?? null,
      filter.period ?? null,
      filter.state ?? null,
      ...(decodeCursor(filter.cursor, listKey) ?? [null, null]),
      limit + 1,
    ]);
    return listFrom(rows, limit, (row) => [row.snapshotOn, row.id], storageLineView);
  }

  /**
   * Runs the weeks, whether or not they are in doubt, and then all others that are. A dry run does the weeks alone, and
   * takes it back. Weeks that nobody ran yet and nobody asks for are left to the job.
   */
  async run(by: Caller, { warehouse, from, to, dryRun }: StorageRunRequest): Promise<StorageRunView> {
    try {
      return await this.database.transaction(by, async (tx) => {
        const known = await this.scope.changeable(tx, by, RUN, warehouse);
        await awaitStorageLock(tx, [known.id]);
        const answer = await this.ran(tx, known, from, to, dryRun);
        if (dryRun) throw new RolledBack(answer);
        await this.runs.settleDoubt(tx, known.id);
        return answer;
      });
    } catch (error) {
      if (error instanceof RolledBack) return error.answer;
      throw error;
    }
  }

  private async ran(
    tx: EntityManager,
    { id, code, currency }: KnownWarehouse,
    from: string,
    to: string,
    dryRun: boolean,
  ): Promise<StorageRunView> {
    const days = (await pastStorageDays(tx, [id, from, to])).map(({ day }) => day);
    const before = new Map((await storageTotals(tx, [id, days])).map((total) => [total.day, total]));
    const ran: StorageRan[] = [];
    for (const day of days) ran.push(await this.runs.runDay(tx, id, day));
    const after = new Map((await storageTotals(tx, [id, days])).map((total) => [total.day, total]));
    const shown = await storageLinesOfDays(tx, [id, days, SHOWN_LINES]);
    const money = (amount = '0') => Money.parse(amount, currency).toString();
    const all = [...after.values()].reduce((sum, { lines }) => sum + lines, 0);
    return {
      warehouse: code,
      dryRun,
      currency,
      days: ran.map(({ day, changed, unrated, unconfigured, charges }) => ({
        snapshotOn: day,
        lines: after.get(day)?.lines ?? 0,
        changed,
        unrated,
        unconfigured,
        charges,
        amountBefore: money(before.get(day)?.amount),
        amount: money(after.get(day)?.amount),
      })),
      lines: shown.map(storageLineView),
      furtherLines: all - shown.length,
    };
  }
}
