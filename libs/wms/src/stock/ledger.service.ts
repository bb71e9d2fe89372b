import { Injectable } from '@nestjs/common';
import { Database, decodeCursor, listFrom, type Caller, type List } from '@belay/platform';
import { z } from 'zod';
import { ledgerOfLots, ledgerOfMovement, ledgerOfWarehouses, type LedgerRow } from './ledger.queries.js';
import { lotsEverAt } from './stock-filter.queries.js';
import { StockScope, type ScopedTo } from './stock-scope.service.js';
import type { LedgerFilter, LedgerLine } from './stock.contract.js';

const listKey = z.tuple([z.string(), z.string().regex(/^\d{1,18}$/)]);
/** Of more lots than that, the latest lines are found sooner by looking at all. */
const FEW_LOTS = 500;

/** Every change of stock, latest first. */
@Injectable()
export class LedgerService {
  constructor(
    private readonly database: Database,
    private readonly scope: StockScope,
  ) {}

  async list(by: Caller, filter: LedgerFilter): Promise<List<LedgerLine>> {
    const { status = null, movement, from = null, to = null, cursor, limit } = filter;
    const on = this.database.dataSource;
    const after = decodeCursor(cursor, listKey) ?? [null, null];
    const scope = await this.scope.of(on, by, filter);
    if (!scope) return { items: [], next: null };

    const { warehouses, locations = null, skus = null } = scope;
    const lots = await this.fewLots(scope, status);
    const values = [warehouses, from, to, ...after, limit + 1, lots ?? scope.lots ?? null, locations, status, skus];
    const rows =
      movement !== undefined
        ? await ledgerOfMovement(on, [...values, movement])
        : await (lots ? ledgerOfLots : ledgerOfWarehouses)(on, values);
    return listFrom(rows, limit, (row) => [row.sortedAt, row.seq], view);
  }

  /** The lots that it can be about, when they are few. */
  private async fewLots(scope: ScopedTo, status: string | null): Promise<readonly string[] | undefined> {
    const { warehouses, skus = null, lots, locations = null } = scope;
    // Most of the ledger is of sound goods.
    const rare = status === 'available' ? null : status;
    if (!lots && !skus && !locations && rare === null) return undefined;
    const on = this.database.dataSource;
    const found = lots ?? (await lotsEverAt(on, [warehouses, skus, locations, rare, FEW_LOTS + 1])).map(({ id }) => id);
    return found.length <= FEW_LOTS ? found : undefined;
  }
}

function view(row: LedgerRow): LedgerLine {
  return {
    ...row,
    seq: Number(row.seq),
    units: Number(row.units),
    balance: Number(row.balance),
    effectiveAt: row.effectiveAt.toISOString(),
    recordedAt: row.recordedAt.toISOString(),
  };
}
