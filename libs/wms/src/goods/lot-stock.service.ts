import {
  Database,
  decodeCursor,
  listFrom,
  PreconditionFailed,
  type Caller,
  type Executor,
  type List,
} from '@belay/platform';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { PeriodClosed } from '../movements/posting.problems.js';
import { WarehouseScope, type KnownWarehouse } from '../warehouses/warehouse-scope.service.js';
import { LotStockNotFound } from './goods.problems.js';
import type { ChangeLotStock, LotStockFilter, LotStockView } from './lot-stock.contract.js';
import { lockLotStock, lotStockList, lotStockOf, markLotDirty, stackFrom } from './lot-stock.queries.js';
import { SkuService } from './sku.service.js';

const READ = 'wms.master:read';
const WRITE = 'wms.master:write';
const listKey = z.tuple([z.string(), z.string(), z.string(), z.uuid(), z.uuid()]);

/** How lots are stacked where they are; taken down at their first receipt in the warehouse. */
@Injectable()
export class LotStockService {
  constructor(
    private readonly database: Database,
    private readonly scope: WarehouseScope,
    private readonly skus: SkuService,
  ) {}

  async list(by: Caller, filter: LotStockFilter): Promise<List<LotStockView>> {
    const on = this.database.dataSource;
    const warehouse = filter.warehouse === undefined ? null : await this.scope.seen(on, by, READ, filter.warehouse);
    const sku = filter.sku === undefined ? null : await this.skus.known(on, filter.sku);
    const after = decodeCursor(filter.cursor, listKey) ?? [null, null, null, null, null];
    const values = [this.scope.sites(by, READ), warehouse?.id ?? null, sku?.id ?? null, filter.lot ?? null];
    const rows = await lotStockList(on, [...values, ...after, filter.limit + 1]);
    return listFrom(
      rows,
      filter.limit,
      (row) => [row.sortWarehouse, row.sortSku, row.sortLot, row.warehouseId, row.lotId],
      (row) => row,
    );
  }

  async get(by: Caller, idOrCode: string, lotId: string): Promise<LotStockView> {
    const on = this.database.dataSource;
    return shown(on, await this.scope.seen(on, by, READ, idOrCode), lotId);
  }

  /** Weeks before the day keep what they were billed by; a day that is closed is not changed any more. */
  async change(
    by: Caller,
    idOrCode: string,
    lotId: string,
    version: number,
    { validFrom, storageCartonsPerPallet, shippingCartonsPerPallet }: ChangeLotStock,
  ): Promise<LotStockView> {
    return this.database.transaction(by, async (tx) => {
      const warehouse = await this.scope.writable(tx, by, WRITE, idOrCode);
      await lockLotStock(tx, [warehouse.id, lotId]);
      const before = await shown(tx, warehouse, lotId);
      if (before.rowVersion !== version) throw new PreconditionFailed(before.rowVersion);
      const { closedThrough } = warehouse;
      if (closedThrough !== null && validFrom <= closedThrough) throw new PeriodClosed(closedThrough);
      const cartons = [storageCartonsPerPallet ?? null, shippingCartonsPerPallet ?? null];
      await stackFrom(tx, [warehouse.id, lotId, validFrom, ...cartons, by.accountId]);
      await markLotDirty(tx, [warehouse.id, lotId, validFrom]);
      return shown(tx, warehouse, lotId);
    });
  }
}

async function shown(on: Executor, { id, code }: KnownWarehouse, lotId: string): Promise<LotStockView> {
  const [lot] = await lotStockOf(on, [id, lotId]);
  if (!lot) throw new LotStockNotFound(code, lotId);
  return lot;
}
