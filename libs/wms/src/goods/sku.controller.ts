import { By, Endpoint, IfMatch, InFeature, listOf, Requires, type Caller, type List } from '@belay/platform';
import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { idOrCode } from '../wms.contract.js';
import {
  changeSku,
  draftSku,
  skuFilter,
  skuView,
  type ChangeSku,
  type DraftSku,
  type SkuFilter,
  type SkuView,
} from './sku.contract.js';
import { SkuService } from './sku.service.js';

@ApiTags('wms')
@Controller('wms/skus')
export class SkuController {
  constructor(private readonly skus: SkuService) {}

  @Get()
  @Requires('wms.master:read')
  @Endpoint('Find SKUs', { returns: listOf(skuView), description: 'By code.' })
  list(@Query({ schema: skuFilter }) query: SkuFilter): Promise<List<SkuView>> {
    return this.skus.list(query);
  }

  @Post()
  @Requires('wms.master:write')
  @InFeature('wms_write')
  @Endpoint('Add a SKU', {
    status: 201,
    returns: skuView,
    problems: ['409 master-code-taken'],
    description: 'What expires is picked by expiry (fefo); a SKU without lots gets its one lot, named -.',
  })
  draft(@By() by: Caller, @Body({ schema: draftSku }) body: DraftSku): Promise<SkuView> {
    return this.skus.draft(by, body);
  }

  @Get(':sku')
  @Requires('wms.master:read')
  @Endpoint('Read a SKU', { returns: skuView, problems: ['404 sku-not-found'] })
  get(@Param('sku', { schema: idOrCode }) sku: string): Promise<SkuView> {
    return this.skus.get(sku);
  }

  @Patch(':sku')
  @Requires('wms.master:write')
  @InFeature('wms_write')
  @Endpoint('Change a SKU', {
    returns: skuView,
    problems: [
      '404 sku-not-found',
      '409 lot-tracking-frozen',
      '409 master-code-taken',
      '409 still-in-stock',
      '412 precondition-failed',
    ],
    description: 'It is never deleted; `isActive: false` takes it out of use once none is left.',
  })
  change(
    @By() by: Caller,
    @Param('sku', { schema: idOrCode }) sku: string,
    @IfMatch() version: number,
    @Body({ schema: changeSku }) body: ChangeSku,
  ): Promise<SkuView> {
    return this.skus.change(by, sku, version, body);
  }
}
