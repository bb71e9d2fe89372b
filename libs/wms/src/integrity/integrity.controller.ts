import { Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, listOf, Requires, type Caller, type List } from '@belay/platform';
import { id } from '../wms.contract.js';
import {
  integrityRunSummary,
  integrityRunView,
  integrityView,
  runFilter,
  type IntegrityRunSummary,
  type IntegrityRunView,
  type IntegrityView,
  type RunFilter,
} from './integrity.contract.js';
import { IntegrityService } from './integrity.service.js';

@ApiTags('wms')
@Controller('wms/integrity')
export class IntegrityController {
  constructor(private readonly integrity: IntegrityService) {}

  @Get()
  @Requires('wms.ops:read')
  @Endpoint('Read what the integrity checks found last', { returns: integrityView })
  last(@By() by: Caller): Promise<IntegrityView> {
    return this.integrity.last(by);
  }

  @Post('run')
  @Requires('wms.ops:run')
  @Endpoint('Run the integrity checks', {
    returns: integrityRunView,
    problems: ['409 integrity-run-in-progress'],
    idempotency: 'none',
    description: 'They are run every night, too.',
  })
  run(@By() by: Caller): Promise<IntegrityRunView> {
    return this.integrity.run(by);
  }

  @Get('runs')
  @Requires('wms.ops:read')
  @Endpoint('List the runs of the integrity checks', { returns: listOf(integrityRunSummary) })
  list(@Query({ schema: runFilter }) query: RunFilter): Promise<List<IntegrityRunSummary>> {
    return this.integrity.list(query);
  }

  @Get('runs/:id')
  @Requires('wms.ops:read')
  @Endpoint('Read a run of the integrity checks', {
    returns: integrityRunView,
    problems: ['404 integrity-run-not-found'],
  })
  get(@By() by: Caller, @Param('id', { schema: id }) run: string): Promise<IntegrityRunView> {
    return this.integrity.get(by, run);
  }
}
