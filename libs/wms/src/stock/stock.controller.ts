import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, Requires, type Caller, type List } from '@belay/platform';
import { id } from '../wms.contract.js';
import { LedgerService } from './ledger.service.js';
import {
  ledgerFilter,
  ledgerPage,
  lotTrace,
  stockFilter,
  stockPage,
  traceFilter,
  type LedgerFilter,
  type LedgerLine,
  type LotTrace,
  type StockFilter,
  type StockView,
  type TraceFilter,
} from './stock.contract.js';
import { StockService } from './stock.service.js';
import { TraceService } from './trace.service.js';

@ApiTags('wms')
@Controller('wms')
export class StockController {
  constructor(
    private readonly ledger: LedgerService,
    private readonly stock: StockService,
    private readonly traces: TraceService,
  ) {}

  @Get('stock')
  @Requires('wms.inventory:read')
  @Endpoint('Read stock', {
    returns: stockPage,
    problems: ['404 warehouse-not-found'],
    description:
      'In the warehouses at your sites, by the codes of SKU, warehouse, lot and location. Empty buckets are left out.',
  })
  list(@By() by: Caller, @Query({ schema: stockFilter }) query: StockFilter): Promise<List<StockView>> {
    return this.stock.list(by, query);
  }

  @Get('stock/lots/:id/trace')
  @Requires('wms.inventory:read')
  @Endpoint('Trace a lot', {
    returns: lotTrace,
    problems: ['404 lot-not-found'],
    description: 'Where its goods came from, where they are and where they went, in the warehouses at your sites.',
  })
  trace(
    @By() by: Caller,
    @Param('id', { schema: id }) lot: string,
    @Query({ schema: traceFilter }) query: TraceFilter,
  ): Promise<LotTrace> {
    return this.traces.trace(by, lot, query);
  }

  @Get('inventory-transactions')
  @Requires('wms.inventory:read')
  @Endpoint('Read the inventory ledger', {
    returns: ledgerPage,
    problems: ['404 warehouse-not-found'],
    description: 'Latest first, each line with the balance of its bucket behind it.',
  })
  transactions(@By() by: Caller, @Query({ schema: ledgerFilter }) query: LedgerFilter): Promise<List<LedgerLine>> {
    return this.ledger.list(by, query);
  }
}
