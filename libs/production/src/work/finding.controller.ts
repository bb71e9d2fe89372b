import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, Requires, type Caller, type List } from '@belay/platform';
import { id, reasoned, type Reasoned } from '../production.contract.js';
import { findingFilter, findingList, findingView, type FindingFilter, type FindingView } from './finding.contract.js';
import { RepairService } from './repair.service.js';

@ApiTags('production')
@Controller('production/findings')
export class FindingController {
  constructor(private readonly repairs: RepairService) {}

  @Get()
  @Requires('production.session:supervise')
  @Endpoint('Find what does not fit together', { returns: findingList, description: 'Newest first.' })
  list(@Query({ schema: findingFilter }) query: FindingFilter): Promise<List<FindingView>> {
    return this.repairs.list(query);
  }

  @Post(':id/repair')
  @Requires('production.session:supervise')
  @Endpoint('Repair it', {
    returns: findingView,
    idempotency: 'required',
    problems: ['404 finding-not-found', '409 finding-not-repairable'],
  })
  repair(
    @By() by: Caller,
    @Param('id', { schema: id }) finding: string,
    @Body({ schema: reasoned }) { reason }: Reasoned,
  ): Promise<FindingView> {
    return this.repairs.repair(by, finding, reason);
  }
}
