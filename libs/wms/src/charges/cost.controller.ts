import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AllowedWhenReadOnly, By, Endpoint, InFeature, Requires, type Caller } from '@belay/platform';
import {
  costQuestion,
  costView,
  priceCheck,
  priceCheckRequest,
  type CostQuestion,
  type CostView,
  type PriceCheck,
  type PriceCheckRequest,
} from './cost.contract.js';
import { CostService } from './cost.service.js';
import { PriceCheckService } from './price-check.service.js';

@ApiTags('wms')
@InFeature('wms_finance')
@Controller('wms/costs')
export class CostController {
  constructor(
    private readonly service: CostService,
    private readonly prices: PriceCheckService,
  ) {}

  @Get()
  @Requires('wms.cost:read')
  @Endpoint('See what a warehouse should bill', {
    returns: costView,
    problems: ['404 warehouse-not-found'],
    description: 'Of a billing period, or of the days from and to, in groups.',
  })
  costs(@By() by: Caller, @Query({ schema: costQuestion }) query: CostQuestion): Promise<CostView> {
    return this.service.costs(by, query);
  }

  @Post('dry-runs')
  @Requires('wms.cost:read')
  @AllowedWhenReadOnly()
  @Endpoint('Price a period with other rates', {
    returns: priceCheck,
    idempotency: 'none',
    problems: ['404 warehouse-not-found'],
    description: 'Nothing is written. The period may be closed.',
  })
  check(@By() by: Caller, @Body({ schema: priceCheckRequest }) body: PriceCheckRequest): Promise<PriceCheck> {
    return this.prices.check(by, body);
  }
}
