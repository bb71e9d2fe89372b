import { By, Endpoint, IfMatch, line, Requires, type Caller } from '@belay/platform';
import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { id } from '../production.contract.js';
import { limitView, nodeLimits, setLimits, type LimitView, type NodeLimits, type SetLimits } from './limit.contract.js';
import { LimitService } from './limit.service.js';

@ApiTags('production')
@Controller('production/limits')
export class LimitController {
  constructor(private readonly limits: LimitService) {}

  @Get(':graphId')
  @Requires('production.graph:read')
  @Endpoint('Read the limits of a graph', {
    returns: nodeLimits,
    problems: ['404 graph-not-found'],
    description: 'Of every node at which people work. A node at a work centre has the limits of that instead.',
  })
  of(@Param('graphId', { schema: id }) graphId: string): Promise<NodeLimits> {
    return this.limits.of(graphId);
  }

  @Put(':graphId/:nodeCode')
  @Requires('production.limit:write')
  @Endpoint('Set the limits of a node', {
    returns: limitView,
    problems: ['404 node-not-found', '412 precondition-failed'],
    description: 'For all versions and at once; publishing leaves them alone from then on.',
  })
  set(
    @By() by: Caller,
    @Param('graphId', { schema: id }) graphId: string,
    @Param('nodeCode', { schema: line(64) }) code: string,
    @IfMatch() version: number,
    @Body({ schema: setLimits }) body: SetLimits,
  ): Promise<LimitView> {
    return this.limits.set(by, { graphId, code }, version, body);
  }
}
