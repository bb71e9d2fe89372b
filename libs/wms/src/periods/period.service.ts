import { Injectable } from '@nestjs/common';
import { Database, decodeCursor, listFrom, Outbox, type Caller, type Executor, type List } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { ChargeCatchUp } from '../charges/charge-catch-up.service.js';
import { writeStockClose } from '../stock.queries.js';
import { WarehouseScope } from '../warehouses/warehouse-scope.service.js';
import type { PeriodClosed, PeriodReopened } from '../wms.events.js';
import type { ClosePeriod, PeriodFilter, PeriodView, ReopenPeriod } from './period.contract.js';
import { PeriodIsOpen, PeriodNotClosable } from './period.problems.js';
import {
  closeThrough,
  lockWarehouse,
  periodList,
  periodToClose,
  reopenFrom,
  setReason,
  type PeriodRow,
  type PeriodToClose,
} from './period.queries.js';

const CLOSE = 'wms.period:close';
const OVERRIDE = 'wms.period:override';
const listKey = z.tuple([z.iso.date()]);

@Injectable()
export class PeriodService {
  constructor(
    private readonly database: Database,
    private readonly scope: WarehouseScope,
    private readonly catchUp: ChargeCatchUp,
    private readonly outbox: Outbox,
  ) {}

  async list(by: Caller, { warehouse, cursor, limit }: PeriodFilter): Promise<List<PeriodView>> {
    const on = this.database.dataSource;
    const { id, code } = await this.scope.seen(on, by, CLOSE, warehouse);
    const [before] = decodeCursor(cursor, listKey) ?? [null];
    const rows = await periodList(on, [id, before, limit + 1]);
    return listFrom(
      rows,
      limit,
      (row) => [row.start],
      (row) => view(code, row),
    );
  }

  /**
   * Closes the period and every one before it: from then on nothing is posted, charged or stored anew in them. Closing what
   * is closed changes nothing.
   */
  close(by: Caller, { warehouse, period }: ClosePeriod): Promise<PeriodView> {
    return this.database.transaction(by, async (tx) => {
      const { id, code } = await this.scope.changeable(tx, by, CLOSE, warehouse);
      await lockWarehouse(tx, [id]);
      const found = await toClose(tx, id, period);
      if (!found.isClosed) {
        await this.refuseUnsettled(tx, id, found);
        await writeStockClose(tx, [id, found.end]);
        await closeThrough(tx, [id, found.start, found.end, by.accountId]);
        const { start, end } = found;
        const fact: PeriodClosed = { name: 'wms.period.closed', body: { warehouseId: id, start, end } };
        await this.outbox.add(tx, fact, 'wms');
      }
      return present(tx, id, code, found);
    });
  }

  /** Opens the period and every one after it. */
  reopen(by: Caller, { warehouse, period, reason }: ReopenPeriod): Promise<PeriodView> {
    return this.database.transaction(by, async (tx) => {
      const { id, code } = await this.scope.changeable(tx, by, OVERRIDE, warehouse);
      await setReason(tx, [reason]);
      await lockWarehouse(tx, [id]);
      const found = await toClose(tx, id, period);
      if (!found.isClosed) throw new PeriodIsOpen(found.start);
      for (const { start, end } of await reopenFrom(tx, [id, found.start])) {
        const fact: PeriodReopened = { name: 'wms.period.reopened', body: { warehouseId: id, start, end } };
        await this.outbox.add(tx, fact, 'wms');
      }
      return present(tx, id, code, found);
    });
  }

  private async refuseUnsettled(tx: EntityManager, id: string, found: PeriodToClose): Promise<void> {
    const { end, isOver, dirty, unrated, openImports } = found;
    const uncharged = isOver ? await this.catchUp.inWant(tx, id, end) : 0;
    if (isOver && dirty + unrated + uncharged + openImports === 0) return;
    throw new PeriodNotClosable(end, isOver, { dirty, unrated, uncharged, openImports });
  }
}

async function toClose(on: Executor, warehouseId: string, day: string): Promise<PeriodToClose> {
  const [found] = await periodToClose(on, [warehouseId, day]);
  if (!found) throw new Error('A warehouse has periods');
  return found;
}

async function present(on: Executor, warehouseId: string, code: string, { end }: PeriodToClose): Promise<PeriodView> {
  const [row] = await periodList(on, [warehouseId, end, 1]);
  if (!row) throw new Error('A period that was closed is listed');
  return view(code, row);
}

function view(warehouse: string, { start, end, isClosed, closedBy, closedAt }: PeriodRow): PeriodView {
  return {
    warehouse,
    start,
    end,
    state: isClosed ? 'closed' : 'open',
    closedBy,
    closedAt: closedAt?.toISOString() ?? null,
  };
}
