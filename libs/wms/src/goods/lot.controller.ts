import { By, Endpoint, IfMatch, InFeature, listOf, Requires, type Caller, type List } from '@belay/platform';
import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { id } from '../wms.contract.js';
import {
  changeLot,
  draftLot,
  lotFilter,
  lotView,
  type ChangeLot,
  type DraftLot,
  type LotFilter,
  type LotView,
} from './lot.contract.js';
import { LotService } from './lot.service.js';

@ApiTags('wms')
@Controller('wms/lots')
export class LotController {
  constructor(private readonly lots: LotService) {}

  @Get()
  @Requires('wms.master:read')
  @Endpoint('Find lots', {
    returns: listOf(lotView),
    problems: ['404 sku-not-found'],
    description: 'By SKU and code.',
  })
  list(@Query({ schema: lotFilter }) query: LotFilter): Promise<List<LotView>> {
    return this.lots.list(query);
  }

  @Post()
  @Requires('wms.master:write')
  @InFeature('wms_write')
  @Endpoint('Add a lot', {
    status: 201,
    returns: lotView,
    problems: ['404 sku-not-found', '409 inactive-master-data', '409 master-code-taken'],
  })
  draft(@By() by: Caller, @Body({ schema: draftLot }) body: DraftLot): Promise<LotView> {
    return this.lots.draft(by, body);
  }

  @Get(':id')
  @Requires('wms.master:read')
  @Endpoint('Read a lot', { returns: lotView, problems: ['404 lot-not-found'] })
  get(@Param('id', { schema: id }) lot: string): Promise<LotView> {
    return this.lots.get(lot);
  }

  @Patch(':id')
  @Requires('wms.master:write')
  @InFeature('wms_write')
  @Endpoint('Change a lot', {
    returns: lotView,
    problems: ['404 lot-not-found', '409 master-code-taken', '409 units-per-carton-frozen', '412 precondition-failed'],
    description:
      'A lot on hold, expired or recalled is not shipped, and what was promised of it is taken from others. Its cartons are fixed once any were received.',
  })
  change(
    @By() by: Caller,
    @Param('id', { schema: id }) lot: string,
    @IfMatch() version: number,
    @Body({ schema: changeLot }) body: ChangeLot,
  ): Promise<LotView> {
    return this.lots.change(by, lot, version, body);
  }
}
