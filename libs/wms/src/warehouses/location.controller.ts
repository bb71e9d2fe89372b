import { By, Endpoint, IfMatch, InFeature, listOf, Requires, type Caller, type List } from '@belay/platform';
import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { id } from '../wms.contract.js';
import {
  changeLocation,
  draftLocation,
  locationFilter,
  locationView,
  type ChangeLocation,
  type DraftLocation,
  type LocationFilter,
  type LocationView,
} from './location.contract.js';
import { LocationService } from './location.service.js';

@ApiTags('wms')
@Controller('wms/locations')
export class LocationController {
  constructor(private readonly locations: LocationService) {}

  @Get()
  @Requires('wms.master:read')
  @Endpoint('Find locations', {
    returns: listOf(locationView),
    problems: ['404 warehouse-not-found'],
    description: 'Those of the warehouses at your sites, by warehouse and code.',
  })
  list(@By() by: Caller, @Query({ schema: locationFilter }) query: LocationFilter): Promise<List<LocationView>> {
    return this.locations.list(by, query);
  }

  @Post()
  @Requires('wms.master:write')
  @InFeature('wms_write')
  @Endpoint('Add a location', {
    status: 201,
    returns: locationView,
    problems: ['404 warehouse-not-found', '409 inactive-master-data', '409 master-code-taken'],
  })
  draft(@By() by: Caller, @Body({ schema: draftLocation }) body: DraftLocation): Promise<LocationView> {
    return this.locations.draft(by, body);
  }

  @Get(':id')
  @Requires('wms.master:read')
  @Endpoint('Read a location', { returns: locationView, problems: ['404 location-not-found'] })
  get(@By() by: Caller, @Param('id', { schema: id }) location: string): Promise<LocationView> {
    return this.locations.get(by, location);
  }

  @Patch(':id')
  @Requires('wms.master:write')
  @InFeature('wms_write')
  @Endpoint('Change a location', {
    returns: locationView,
    problems: [
      '404 location-not-found',
      '409 default-location-needed',
      '409 master-code-taken',
      '409 still-in-stock',
      '412 precondition-failed',
    ],
    description: 'It is never deleted; `isActive: false` takes it out of use once it is empty.',
  })
  change(
    @By() by: Caller,
    @Param('id', { schema: id }) location: string,
    @IfMatch() version: number,
    @Body({ schema: changeLocation }) body: ChangeLocation,
  ): Promise<LocationView> {
    return this.locations.change(by, location, version, body);
  }
}
