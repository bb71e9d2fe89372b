import { By, Endpoint, IfMatch, InFeature, listOf, Requires, type Caller, type List } from '@belay/platform';
import { Body, Controller, Get, Param, Patch, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { id, idOrCode } from '../wms.contract.js';
import {
  changeLotStock,
  lotStockFilter,
  lotStockView,
  type ChangeLotStock,
  type LotStockFilter,
  type LotStockView,
} from './lot-stock.contract.js';
import { LotStockService } from './lot-stock.service.js';

@ApiTags('wms')
@Controller('wms/lot-stock')
export class LotStockController {
  constructor(private readonly lotStock: LotStockService) {}

  @Get()
  @Requires('wms.master:read')
  @Endpoint('Find how lots are stacked', {
    returns: listOf(lotStockView),
    problems: ['404 sku-not-found', '404 warehouse-not-found'],
    description: 'In the warehouses at your sites, by warehouse, SKU and lot.',
  })
  list(@By() by: Caller, @Query({ schema: lotStockFilter }) query: LotStockFilter): Promise<List<LotStockView>> {
    return this.lotStock.list(by, query);
  }

  @Get(':warehouse/:lot')
  @Requires('wms.master:read')
  @Endpoint('Read how a lot is stacked', {
    returns: lotStockView,
    problems: ['404 lot-stock-not-found', '404 warehouse-not-found'],
  })
  get(
    @By() by: Caller,
    @Param('warehouse', { schema: idOrCode }) warehouse: string,
    @Param('lot', { schema: id }) lot: string,
  ): Promise<LotStockView> {
    return this.lotStock.get(by, warehouse, lot);
  }

  @Patch(':warehouse/:lot')
  @Requires('wms.master:write')
  @InFeature('wms_write')
  @Endpoint('Stack a lot otherwise from a day on', {
    returns: lotStockView,
    problems: [
      '404 lot-stock-not-found',
      '404 warehouse-not-found',
      '409 inactive-master-data',
      '409 period-closed',
      '412 precondition-failed',
    ],
    description: 'Snapshot days before it keep what was; storage from it on is worked out anew.',
  })
  change(
    @By() by: Caller,
    @Param('warehouse', { schema: idOrCode }) warehouse: string,
    @Param('lot', { schema: id }) lot: string,
    @IfMatch() version: number,
    @Body({ schema: changeLotStock }) body: ChangeLotStock,
  ): Promise<LotStockView> {
    return this.lotStock.change(by, warehouse, lot, version, body);
  }
}
