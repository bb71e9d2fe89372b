import { AllowedWhenReadOnly, By, ControlDatabase, Endpoint, Requires, type Caller, type List } from '@belay/platform';
import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actorOf } from '../engine/actor.js';
import {
  markerList,
  markerQuery,
  markerView,
  newMarker,
  type MarkerQuery,
  type MarkerView,
  type NewMarker,
} from './marker.contract.js';
import { Markers } from './markers.service.js';

/** Points that rows can be taken back to. */
@ApiTags('rollback')
@Controller('rollback/markers')
export class MarkersController {
  constructor(
    private readonly markers: Markers,
    private readonly control: ControlDatabase,
  ) {}

  @Get()
  @Requires('rollback:read')
  @Endpoint('List markers, newest first', { returns: markerList })
  list(@Query({ schema: markerQuery }) query: MarkerQuery): Promise<List<MarkerView>> {
    return this.markers.list(query);
  }

  @Post()
  @AllowedWhenReadOnly()
  @Requires('rollback:backup')
  @Endpoint('Remember this moment', { status: 201, returns: markerView, idempotency: 'required' })
  create(@By() by: Caller, @Body({ schema: newMarker }) { name }: NewMarker): Promise<MarkerView> {
    return this.control.transaction(by, (client) => this.markers.create(client, actorOf(by), name));
  }
}
