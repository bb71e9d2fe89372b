import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, InFeature, listOf, Requires, type Caller, type List } from '@belay/platform';
import {
  closePeriod,
  periodFilter,
  periodView,
  reopenPeriod,
  type ClosePeriod,
  type PeriodFilter,
  type PeriodView,
  type ReopenPeriod,
} from './period.contract.js';
import { PeriodService } from './period.service.js';

@ApiTags('wms')
@InFeature('wms_finance')
@Controller('wms/periods')
export class PeriodController {
  constructor(private readonly periods: PeriodService) {}

  @Get()
  @Requires('wms.period:close')
  @Endpoint('Find the billing periods of a warehouse', {
    returns: listOf(periodView),
    problems: ['404 warehouse-not-found'],
    description: 'The latest first.',
  })
  list(@By() by: Caller, @Query({ schema: periodFilter }) query: PeriodFilter): Promise<List<PeriodView>> {
    return this.periods.list(by, query);
  }

  @Post('close')
  @Requires('wms.period:close')
  @Endpoint('Close a billing period', {
    returns: periodView,
    problems: ['404 warehouse-not-found', '409 period-not-closable'],
    description:
      'With every one before it, once all of them is settled. Nothing is posted in it any more; what is known of it later ' +
      'is charged in the first open period.',
  })
  close(@By() by: Caller, @Body({ schema: closePeriod }) body: ClosePeriod): Promise<PeriodView> {
    return this.periods.close(by, body);
  }

  @Post('reopen')
  @Requires('wms.period:override')
  @Endpoint('Open a billing period again', {
    returns: periodView,
    problems: ['404 warehouse-not-found', '409 period-is-open'],
    description: 'With every one after it.',
  })
  reopen(@By() by: Caller, @Body({ schema: reopenPeriod }) body: ReopenPeriod): Promise<PeriodView> {
    return this.periods.reopen(by, body);
  }
}
