import { Injectable } from '@nestjs/common';
import { Database, decodeCursor, listFrom, type Caller } from '@belay/platform';
import { z } from 'zod';
import { LotNotFound } from '../goods/goods.problems.js';
import { StockScope } from './stock-scope.service.js';
import type { LotTrace, TraceFilter, TraceStep } from './stock.contract.js';
import { bucketsOfLot, promisesOfLot, tracedLot, traceSteps, type TraceRow } from './trace.queries.js';

const listKey = z.tuple([z.string(), z.uuid()]);

/** Where the goods of a lot came from, where they are and where they went: what a recall must know. */
@Injectable()
export class TraceService {
  constructor(
    private readonly database: Database,
    private readonly scope: StockScope,
  ) {}

  async trace(by: Caller, lotId: string, { direction, cursor, limit }: TraceFilter): Promise<LotTrace> {
    const on = this.database.dataSource;
    const after = decodeCursor(cursor, listKey) ?? [null, null];
    const warehouses = await this.scope.warehouses(on, by);
    const [lot] = await tracedLot(on, [lotId, warehouses]);
    if (!lot) throw new LotNotFound(lotId);

    const sign = direction === undefined ? null : direction === 'from' ? 1 : -1;
    const steps = await traceSteps(on, [lotId, warehouses, sign, ...after, limit + 1]);
    const stock = (await bucketsOfLot(on, [lotId, warehouses])).map((row) => ({
      ...row,
      onHand: Number(row.onHand),
      reserved: Number(row.reserved),
    }));
    const promises = await promisesOfLot(on, [lotId, warehouses]);
    return {
      ...lot,
      unitsIn: Number(lot.unitsIn),
      unitsOut: Number(lot.unitsOut),
      onHand: stock.reduce((sum, { onHand }) => sum + onHand, 0),
      reserved: stock.reduce((sum, { reserved }) => sum + reserved, 0),
      stock,
      reservations: promises.map(({ reservationId, warehouse, sourceType, sourceId, sourceLine, units }) => ({
        reservationId,
        warehouse,
        source: { type: sourceType, id: sourceId, line: sourceLine },
        units: Number(units),
      })),
      ...listFrom(steps, limit, (row) => [row.sortedAt, row.movementId], step),
    };
  }
}

function step(row: TraceRow): TraceStep {
  const units = Number(row.units);
  return {
    ...row,
    direction: units > 0 ? 'from' : 'to',
    units: Math.abs(units),
    effectiveAt: row.effectiveAt.toISOString(),
  };
}
