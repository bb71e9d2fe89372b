import { Body, Controller, Get, Param, Post, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, FinishesOpenWork, InFeature, listOf, Requires, type Caller, type List } from '@belay/platform';
import { id } from '../wms.contract.js';
import { CountPosting } from './count-posting.service.js';
import {
  countedLines,
  countFilter,
  countSummary,
  countView,
  draftCount,
  postCount,
  type CountedLines,
  type CountFilter,
  type CountSummary,
  type CountView,
  type DraftCount,
  type PostCount,
} from './count.contract.js';
import { CountService } from './count.service.js';

@ApiTags('wms')
@Controller('wms/counts')
export class CountController {
  constructor(
    private readonly counts: CountService,
    private readonly posting: CountPosting,
  ) {}

  @Get()
  @Requires('wms.inventory:read')
  @Endpoint('Find counts', {
    returns: listOf(countSummary),
    problems: ['404 warehouse-not-found'],
    description: 'In the warehouses at your sites, newest first.',
  })
  list(@By() by: Caller, @Query({ schema: countFilter }) query: CountFilter): Promise<List<CountSummary>> {
    return this.counts.list(by, query);
  }

  @Post()
  @InFeature('wms_write')
  @Requires('wms.count:write')
  @Endpoint('Start a count', {
    status: 201,
    returns: countView,
    problems: ['404 warehouse-not-found', '409 inactive-master-data'],
    description: 'With a line for everything that is there, at most 500. What is expected is kept as it is now.',
  })
  start(@By() by: Caller, @Body({ schema: draftCount }) body: DraftCount): Promise<CountView> {
    return this.counts.start(by, body);
  }

  @Get(':id')
  @Requires('wms.inventory:read')
  @Endpoint('Read a count', { returns: countView, problems: ['404 count-not-found'] })
  get(@By() by: Caller, @Param('id', { schema: id }) count: string): Promise<CountView> {
    return this.counts.get(by, count);
  }

  @Put(':id/lines')
  @InFeature('wms_write')
  @FinishesOpenWork()
  @Requires('wms.count:write')
  @Endpoint('Write down what was counted', {
    returns: countView,
    problems: ['404 count-not-found', '409 count-not-open', '409 inactive-master-data'],
    description: 'Lines that are not named stay as they are.',
  })
  count(
    @By() by: Caller,
    @Param('id', { schema: id }) count: string,
    @Body({ schema: countedLines }) body: CountedLines,
  ): Promise<CountView> {
    return this.counts.count(by, count, body);
  }

  @Post(':id/post')
  @InFeature('wms_write')
  @FinishesOpenWork()
  @Requires('wms.count:approve')
  @Endpoint('Post a count', {
    returns: countView,
    idempotency: 'required',
    problems: [
      '403 same-person',
      '404 count-not-found',
      '409 count-not-open',
      '409 insufficient-stock',
      '409 period-closed',
      '409 inactive-master-data',
      '409 busy-retry',
    ],
    description: 'Stock becomes what was counted; movements since the count began are taken into account.',
  })
  post(
    @By() by: Caller,
    @Param('id', { schema: id }) count: string,
    @Body({ schema: postCount }) body: PostCount,
  ): Promise<CountView> {
    return this.posting.post(by, count, body);
  }

  @Post(':id/cancel')
  @InFeature('wms_write')
  @FinishesOpenWork()
  @Requires('wms.count:write')
  @Endpoint('Give a count up', { returns: countView, problems: ['404 count-not-found', '409 count-not-open'] })
  cancel(@By() by: Caller, @Param('id', { schema: id }) count: string): Promise<CountView> {
    return this.counts.cancel(by, count);
  }
}
