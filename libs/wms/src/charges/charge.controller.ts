import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, InFeature, listOf, Requires, type Caller, type List } from '@belay/platform';
import {
  chargeFilter,
  chargeView,
  draftCharge,
  type ChargeFilter,
  type ChargeView,
  type DraftCharge,
} from './charge.contract.js';
import { ChargeService } from './charge.service.js';

@ApiTags('wms')
@InFeature('wms_finance')
@Controller('wms/charges')
export class ChargeController {
  constructor(private readonly charges: ChargeService) {}

  @Get()
  @Requires('wms.cost:read')
  @Endpoint('Find charges', {
    returns: listOf(chargeView),
    problems: ['404 warehouse-not-found'],
    description:
      'In the order in which they were made. Nothing is ever changed: what was wrong is taken back by another.',
  })
  list(@By() by: Caller, @Query({ schema: chargeFilter }) query: ChargeFilter): Promise<List<ChargeView>> {
    return this.charges.list(by, query);
  }

  @Post()
  @Requires('wms.cost:write')
  @Endpoint('Charge something by hand', {
    status: 201,
    returns: chargeView,
    problems: ['404 warehouse-not-found', '409 rate-missing'],
    description:
      'At the rate by hand of that name, or at the one that is given. A closed period leaves it to the next one.',
  })
  draft(@By() by: Caller, @Body({ schema: draftCharge }) body: DraftCharge): Promise<ChargeView> {
    return this.charges.draft(by, body);
  }
}
