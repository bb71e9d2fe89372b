import { By, Endpoint, IfMatch, InFeature, listOf, Requires, type Caller, type List } from '@belay/platform';
import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { idOrCode } from '../wms.contract.js';
import {
  changeWarehouse,
  draftWarehouse,
  warehouseFilter,
  warehouseView,
  type ChangeWarehouse,
  type DraftWarehouse,
  type WarehouseFilter,
  type WarehouseView,
} from './warehouse.contract.js';
import { WarehouseService } from './warehouse.service.js';

@ApiTags('wms')
@Controller('wms/warehouses')
export class WarehouseController {
  constructor(private readonly warehouses: WarehouseService) {}

  @Get()
  @Requires('wms.master:read')
  @Endpoint('Find warehouses', { returns: listOf(warehouseView), description: 'Those at your sites, by code.' })
  list(@By() by: Caller, @Query({ schema: warehouseFilter }) query: WarehouseFilter): Promise<List<WarehouseView>> {
    return this.warehouses.list(by, query);
  }

  @Post()
  @Requires('wms.master:write')
  @InFeature('wms_write')
  @Endpoint('Add a warehouse', {
    status: 201,
    returns: warehouseView,
    problems: ['409 master-code-taken', '409 inactive-master-data'],
    description: 'It stands at a site and begins with one location, DEFAULT.',
  })
  draft(@By() by: Caller, @Body({ schema: draftWarehouse }) body: DraftWarehouse): Promise<WarehouseView> {
    return this.warehouses.draft(by, body);
  }

  @Get(':warehouse')
  @Requires('wms.master:read')
  @Endpoint('Read a warehouse', { returns: warehouseView, problems: ['404 warehouse-not-found'] })
  get(@By() by: Caller, @Param('warehouse', { schema: idOrCode }) warehouse: string): Promise<WarehouseView> {
    return this.warehouses.get(by, warehouse);
  }

  @Patch(':warehouse')
  @Requires('wms.master:write')
  @InFeature('wms_write')
  @Endpoint('Change a warehouse', {
    returns: warehouseView,
    problems: [
      '404 warehouse-not-found',
      '409 billing-terms-frozen',
      '409 inactive-master-data',
      '409 still-in-stock',
      '412 precondition-failed',
    ],
    description: 'It is never deleted; `isActive: false` takes it out of use once it is empty.',
  })
  change(
    @By() by: Caller,
    @Param('warehouse', { schema: idOrCode }) warehouse: string,
    @IfMatch() version: number,
    @Body({ schema: changeWarehouse }) body: ChangeWarehouse,
  ): Promise<WarehouseView> {
    return this.warehouses.change(by, warehouse, version, body);
  }
}
