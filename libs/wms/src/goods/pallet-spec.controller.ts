import { By, Endpoint, IfMatch, InFeature, listOf, Requires, type Caller, type List } from '@belay/platform';
import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { id } from '../wms.contract.js';
import {
  changePalletSpec,
  draftPalletSpec,
  palletSpecFilter,
  palletSpecView,
  type ChangePalletSpec,
  type DraftPalletSpec,
  type PalletSpecFilter,
  type PalletSpecView,
} from './pallet-spec.contract.js';
import { PalletSpecService } from './pallet-spec.service.js';

@ApiTags('wms')
@Controller('wms/pallet-specs')
export class PalletSpecController {
  constructor(private readonly specs: PalletSpecService) {}

  @Get()
  @Requires('wms.master:read')
  @Endpoint('Find pallet specifications', {
    returns: listOf(palletSpecView),
    problems: ['404 sku-not-found', '404 warehouse-not-found'],
    description: 'Of the warehouses at your sites, by warehouse, SKU and day.',
  })
  list(@By() by: Caller, @Query({ schema: palletSpecFilter }) query: PalletSpecFilter): Promise<List<PalletSpecView>> {
    return this.specs.list(by, query);
  }

  @Post()
  @Requires('wms.master:write')
  @InFeature('wms_write')
  @Endpoint('Add a pallet specification', {
    status: 201,
    returns: palletSpecView,
    problems: ['404 sku-not-found', '404 warehouse-not-found', '409 inactive-master-data', '409 pallet-spec-overlap'],
    description: 'How cartons of a SKU are stacked in a warehouse where the lot does not say so. Dates are inclusive.',
  })
  draft(@By() by: Caller, @Body({ schema: draftPalletSpec }) body: DraftPalletSpec): Promise<PalletSpecView> {
    return this.specs.draft(by, body);
  }

  @Get(':id')
  @Requires('wms.master:read')
  @Endpoint('Read a pallet specification', { returns: palletSpecView, problems: ['404 pallet-spec-not-found'] })
  get(@By() by: Caller, @Param('id', { schema: id }) spec: string): Promise<PalletSpecView> {
    return this.specs.get(by, spec);
  }

  @Patch(':id')
  @Requires('wms.master:write')
  @InFeature('wms_write')
  @Endpoint('Change a pallet specification', {
    returns: palletSpecView,
    problems: ['404 pallet-spec-not-found', '409 pallet-spec-overlap', '412 precondition-failed'],
    description: 'It is never deleted; `effectiveTo` ends it. Storage of days that are not closed is worked out anew.',
  })
  change(
    @By() by: Caller,
    @Param('id', { schema: id }) spec: string,
    @IfMatch() version: number,
    @Body({ schema: changePalletSpec }) body: ChangePalletSpec,
  ): Promise<PalletSpecView> {
    return this.specs.change(by, spec, version, body);
  }
}
