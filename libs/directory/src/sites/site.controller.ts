import { Body, Controller, Get, Param, Patch, Post, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, IfMatch, listOf, Requires, type Caller, type List } from '@belay/platform';
import { id } from '../directory.contract.js';
import {
  changeSite,
  draftSite,
  shiftPlan,
  shiftPlanView,
  siteFilter,
  siteView,
  type ChangeSite,
  type DraftSite,
  type ShiftPlan,
  type ShiftPlanView,
  type SiteFilter,
  type SiteView,
} from './site.contract.js';
import { SiteService } from './site.service.js';

@ApiTags('directory')
@Controller('directory/sites')
export class SiteController {
  constructor(private readonly sites: SiteService) {}

  @Get()
  @Requires('directory.site:read')
  @Endpoint('Find sites', { returns: listOf(siteView), description: 'Those of your roles, by name.' })
  list(@By() by: Caller, @Query({ schema: siteFilter }) query: SiteFilter): Promise<List<SiteView>> {
    return this.sites.list(by, query);
  }

  @Post()
  @Requires('directory.site:write')
  @Endpoint('Add a site', {
    status: 201,
    returns: siteView,
    problems: ['409 code-taken', '422 unknown-time-zone'],
    description: 'It starts with three shifts: 06–14, 14–22 and 22–06.',
  })
  draft(@By() by: Caller, @Body({ schema: draftSite }) body: DraftSite): Promise<SiteView> {
    return this.sites.draft(by, body);
  }

  @Get(':id')
  @Requires('directory.site:read')
  @Endpoint('Read a site', { returns: siteView, problems: ['404 site-not-found'] })
  get(@By() by: Caller, @Param('id', { schema: id }) site: string): Promise<SiteView> {
    return this.sites.get(by, site);
  }

  @Patch(':id')
  @Requires('directory.site:write')
  @Endpoint('Change a site', {
    returns: siteView,
    problems: ['404 site-not-found', '409 code-taken', '412 precondition-failed', '422 unknown-time-zone'],
  })
  change(
    @By() by: Caller,
    @Param('id', { schema: id }) site: string,
    @IfMatch() version: number,
    @Body({ schema: changeSite }) body: ChangeSite,
  ): Promise<SiteView> {
    return this.sites.change(by, site, version, body);
  }

  @Get(':id/shifts')
  @Requires('directory.site:read')
  @Endpoint('Read the shifts of a site', { returns: shiftPlanView, problems: ['404 site-not-found'] })
  shifts(@By() by: Caller, @Param('id', { schema: id }) site: string): Promise<ShiftPlanView> {
    return this.sites.shifts(by, site);
  }

  @Put(':id/shifts')
  @Requires('directory.site:write')
  @Endpoint('Replace the shifts of a site', {
    returns: shiftPlanView,
    problems: ['404 site-not-found', '409 shift-overlap', '412 precondition-failed'],
  })
  planShifts(
    @By() by: Caller,
    @Param('id', { schema: id }) site: string,
    @IfMatch() version: number,
    @Body({ schema: shiftPlan }) body: ShiftPlan,
  ): Promise<ShiftPlanView> {
    return this.sites.planShifts(by, site, version, body);
  }
}
