import { Injectable } from '@nestjs/common';
import { Database, decodeCursor, listFrom, type Caller, type List } from '@belay/platform';
import { z } from 'zod';
import { day } from '../wms.contract.js';
import { keysOf, stockRows, type StockRow } from './stock-list.queries.js';
import { StockScope } from './stock-scope.service.js';
import type { StockFilter, StockView } from './stock.contract.js';

/** What there is, and what there was. */
@Injectable()
export class StockService {
  constructor(
    private readonly database: Database,
    private readonly scope: StockScope,
  ) {}

  async list(by: Caller, filter: StockFilter): Promise<List<StockView>> {
    const { status, asOf, knownAt, groupBy, cursor, limit } = filter;
    const on = this.database.dataSource;
    const after = decodeCursor(cursor, z.array(z.string()).length(keysOf(groupBy)));
    const scope = await this.scope.of(on, by, filter);
    if (!scope) return { items: [], next: null };

    const isDay = day.safeParse(asOf).success;
    const rows = await stockRows(on, {
      ...scope,
      groupBy,
      status,
      knownAt,
      ...(isDay ? { day: asOf } : { instant: asOf }),
      after,
      rows: limit + 1,
    });
    return listFrom(rows, limit, ({ keys }) => keys, view);
  }
}

function view(row: StockRow): StockView {
  const onHand = Number(row.onHand);
  const reserved = row.reserved === null ? null : Number(row.reserved);
  return {
    ...row,
    onHand,
    reserved,
    available: reserved === null ? null : onHand - reserved,
    cartons: Number(row.cartons),
    looseUnits: Number(row.looseUnits),
    firstReceivedAt: row.firstReceivedAt?.toISOString() ?? null,
    lastCountedAt: row.lastCountedAt?.toISOString() ?? null,
  };
}
