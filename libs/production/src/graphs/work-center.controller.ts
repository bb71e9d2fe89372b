import { By, Endpoint, IfMatch, listOf, Requires, type Caller, type List } from '@belay/platform';
import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { id } from '../production.contract.js';
import {
  changeWorkCenter,
  draftWorkCenter,
  workCenterFilter,
  workCenterView,
  type ChangeWorkCenter,
  type DraftWorkCenter,
  type WorkCenterFilter,
  type WorkCenterView,
} from './work-center.contract.js';
import { WorkCenterService } from './work-center.service.js';

@ApiTags('production')
@Controller('production/work-centers')
export class WorkCenterController {
  constructor(private readonly workCenters: WorkCenterService) {}

  @Get()
  @Requires('production.graph:read')
  @Endpoint('Find work centres', { returns: listOf(workCenterView), description: 'Those at your sites, by code.' })
  list(@By() by: Caller, @Query({ schema: workCenterFilter }) query: WorkCenterFilter): Promise<List<WorkCenterView>> {
    return this.workCenters.list(by, query);
  }

  @Post()
  @Requires('production.limit:write')
  @Endpoint('Add a work centre', {
    status: 201,
    returns: workCenterView,
    problems: ['404 site-not-found', '409 code-taken'],
    idempotency: 'required',
    description: 'Its code never changes.',
  })
  draft(@By() by: Caller, @Body({ schema: draftWorkCenter }) body: DraftWorkCenter): Promise<WorkCenterView> {
    return this.workCenters.draft(by, body);
  }

  @Patch(':id')
  @Requires('production.limit:write')
  @Endpoint('Change a work centre', {
    returns: workCenterView,
    problems: ['404 work-center-not-found', '412 precondition-failed'],
    description: 'Limits hold at once, for all that comes there.',
  })
  change(
    @By() by: Caller,
    @Param('id', { schema: id }) workCenter: string,
    @IfMatch() version: number,
    @Body({ schema: changeWorkCenter }) body: ChangeWorkCenter,
  ): Promise<WorkCenterView> {
    return this.workCenters.change(by, workCenter, version, body);
  }
}
