import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  AllowedWhenReadOnly,
  By,
  Endpoint,
  IfMatch,
  InFeature,
  listOf,
  Requires,
  type Caller,
  type List,
} from '@belay/platform';
import { id } from '../wms.contract.js';
import {
  changeRate,
  draftRate,
  overlapQuestion,
  overlaps,
  rateFilter,
  rateView,
  succeedRate,
  succession,
  type ChangeRate,
  type DraftRate,
  type OverlapQuestion,
  type Overlaps,
  type RateFilter,
  type RateView,
  type Succession,
  type SucceedRate,
} from './rate.contract.js';
import { RateService } from './rate.service.js';

@ApiTags('wms')
@InFeature('wms_finance')
@Controller('wms/rates')
export class RateController {
  constructor(private readonly rates: RateService) {}

  @Get()
  @Requires('wms.rate:read')
  @Endpoint('Find rates', {
    returns: listOf(rateView),
    problems: ['404 warehouse-not-found'],
    description: 'By name and the day they begin.',
  })
  list(@By() by: Caller, @Query({ schema: rateFilter }) query: RateFilter): Promise<List<RateView>> {
    return this.rates.list(by, query);
  }

  @Post()
  @Requires('wms.rate:write')
  @Endpoint('Add a rate', {
    status: 201,
    returns: rateView,
    problems: ['404 warehouse-not-found', '409 currency-mismatch', '409 rate-overlap'],
    description:
      'Days include both ends. Of one name, and of storage, only one rate is valid at a time; what could not be priced on ' +
      'those days is priced in the background.',
  })
  draft(@By() by: Caller, @Body({ schema: draftRate }) body: DraftRate): Promise<RateView> {
    return this.rates.draft(by, body);
  }

  @Post('check-overlap')
  @Requires('wms.rate:read')
  @AllowedWhenReadOnly()
  @Endpoint('See which rates a rate would overlap', {
    returns: overlaps,
    idempotency: 'none',
    problems: ['404 warehouse-not-found'],
  })
  overlaps(@By() by: Caller, @Body({ schema: overlapQuestion }) body: OverlapQuestion): Promise<Overlaps> {
    return this.rates.overlaps(by, body);
  }

  @Get(':id')
  @Requires('wms.rate:read')
  @Endpoint('Read a rate', { returns: rateView, problems: ['404 rate-not-found'] })
  get(@By() by: Caller, @Param('id', { schema: id }) rate: string): Promise<RateView> {
    return this.rates.get(by, rate);
  }

  @Patch(':id')
  @Requires('wms.rate:write')
  @Endpoint('Change a rate', {
    returns: rateView,
    problems: ['404 rate-not-found', '409 rate-overlap', '409 rate-frozen', '412 precondition-failed'],
    description:
      'Once something was charged by it, only its end may move to an earlier day, at the earliest that of its last charge; ' +
      'label and notes may always change.',
  })
  change(
    @By() by: Caller,
    @Param('id', { schema: id }) rate: string,
    @IfMatch() version: number,
    @Body({ schema: changeRate }) body: ChangeRate,
  ): Promise<RateView> {
    return this.rates.change(by, rate, version, body);
  }

  @Delete(':id')
  @Requires('wms.rate:write')
  @Endpoint('Remove a rate that was never charged by', {
    problems: ['404 rate-not-found', '409 rate-frozen', '412 precondition-failed'],
  })
  remove(@By() by: Caller, @Param('id', { schema: id }) rate: string, @IfMatch() version: number): Promise<void> {
    return this.rates.remove(by, rate, version);
  }

  @Post(':id/succeed')
  @Requires('wms.rate:write')
  @Endpoint('Set a new price from a day on', {
    status: 201,
    returns: succession,
    problems: ['404 rate-not-found', '409 rate-overlap', '409 rate-frozen'],
    description: 'The rate ends the day before, and its successor begins; both or neither.',
  })
  succeed(
    @By() by: Caller,
    @Param('id', { schema: id }) rate: string,
    @Body({ schema: succeedRate }) body: SucceedRate,
  ): Promise<Succession> {
    return this.rates.succeed(by, rate, body);
  }
}
