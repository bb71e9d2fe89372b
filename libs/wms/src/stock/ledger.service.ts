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

    const lots = await this.lots(scope, status);
    const values = [scope.warehouses, from, to, ...after, limit + 1, lots ?? null, scope.locations ?? null, status];
    const rows =
      movement !== undefined
        ? await ledgerOfMovement(on, [...values, movement])
        : await (lots && lots.length <= FEW_LOTS ? ledgerOfLots : ledgerOfWarehouses)(on, values);
    return listFrom(rows, limit, (row) => [row.sortedAt, row.seq], view);
  }

  private async lots(scope: ScopedTo, status: string | null): Promise<readonly string[] | undefined> {
    const { warehouses, skus, lots, locations } = scope;
    if (lots) return lots;
    // Most of the ledger is of sound goods.
    const rare = status === 'available' ? null : status;
    if (!skus && !locations && rare === null) return undefined;
    const found = await lotsEverAt(this.database.dataSource, [warehouses, skus ?? null, locations ?? null, rare]);
    return found.map(({ id }) => id);
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
