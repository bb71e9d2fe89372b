import { Body, Controller, Delete, Get, Param, Patch, Post, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, IfMatch, KeptBy, listOf, Requires, type Caller, type List } from '@belay/platform';
import { id } from '../assignment.contract.js';
import { PinService } from './pin.service.js';
import { READ_PLANS, WRITE_PLANS } from './plan-places.service.js';
import {
  changePlan,
  draftPlan,
  pinQuery,
  pinView,
  planFilter,
  planView,
  setPin,
  withdrawal,
  type ChangePlan,
  type DraftPlan,
  type PinQuery,
  type PinView,
  type PlanFilter,
  type PlanView,
  type SetPin,
  type Withdrawal,
} from './plan.contract.js';
import { PlanService } from './plan.service.js';

@ApiTags('assignment')
@Controller('assignment')
@KeptBy('enable_assignment_preview')
export class PlanController {
  constructor(
    private readonly plans: PlanService,
    private readonly pins: PinService,
  ) {}

  @Get('plans')
  @Requires(READ_PLANS)
  @Endpoint('Find plans', {
    returns: listOf(planView),
    description:
      'Newest first: those for nodes of graphs, and those for jobs of your sites. Pins of tokens are not here.',
  })
  list(@By() by: Caller, @Query({ schema: planFilter }) query: PlanFilter): Promise<List<PlanView>> {
    return this.plans.list(by, query);
  }

  @Post('plans')
  @Requires(WRITE_PLANS)
  @Endpoint('Plan who does the work of a node or a job', {
    status: 201,
    returns: planView,
    idempotency: 'required',
    problems: ['409 plan-duplicate', '422 node-not-operable', '422 team-forbidden', '422 mode-mismatch'],
    description:
      'Several plans for the same place are tried by their priority. A plan for a node of a job goes before one for the ' +
      'node in every job, and that before one for the whole job.',
  })
  draft(@By() by: Caller, @Body({ schema: draftPlan }) body: DraftPlan): Promise<PlanView> {
    return this.plans.draft(by, body);
  }

  @Patch('plans/:id')
  @Requires(WRITE_PLANS)
  @Endpoint('Change a plan', {
    returns: planView,
    problems: ['404 plan-not-found', '409 plan-duplicate', '412 precondition-failed'],
  })
  change(
    @By() by: Caller,
    @Param('id', { schema: id }) plan: string,
    @IfMatch() version: number,
    @Body({ schema: changePlan }) body: ChangePlan,
  ): Promise<PlanView> {
    return this.plans.change(by, plan, version, body);
  }

  @Delete('plans/:id')
  @Requires(WRITE_PLANS)
  @Endpoint('Take a plan out of use', {
    problems: ['404 plan-not-found'],
    description: 'It is kept, because assignments name it.',
  })
  withdraw(
    @By() by: Caller,
    @Param('id', { schema: id }) plan: string,
    @Query({ schema: withdrawal }) query: Withdrawal,
  ): Promise<void> {
    return this.plans.withdraw(by, plan, query.applyToRunning ?? false);
  }

  @Put('pins')
  @Requires(WRITE_PLANS)
  @Endpoint('Pin work on a person or a team', {
    returns: pinView,
    problems: ['409 operator-unavailable', '422 node-not-operable', '422 team-forbidden', '422 mode-mismatch'],
    description: 'A pin is obeyed, and takes the place of whatever was pinned there.',
  })
  pin(@By() by: Caller, @Body({ schema: setPin }) body: SetPin): Promise<PinView> {
    return this.pins.set(by, body);
  }

  @Delete('pins')
  @Requires(WRITE_PLANS)
  @Endpoint('Take off a pin', { problems: ['404 pin-not-found'] })
  unpin(@By() by: Caller, @Query({ schema: pinQuery }) query: PinQuery): Promise<void> {
    return this.pins.remove(by, query);
  }
}
