import { AllowedWhenReadOnly, By, ControlDatabase, Endpoint, Requires, type Caller } from '@belay/platform';
import { Body, Controller, Get, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actorOf } from '../engine/actor.js';
import { DryRuns } from './dry-run.service.js';
import {
  dryRunView,
  newPlan,
  planDecision,
  planPath,
  planView,
  type DryRunView,
  type NewPlan,
  type PlanDecision,
  type PlanPath,
  type PlanView,
} from './plan.contract.js';
import { Plans } from './plans.service.js';

/** Ways back as data: made, looked at, agreed to. What carries them out is a run. */
@ApiTags('rollback')
@Controller('rollback/plans')
export class PlansController {
  constructor(
    private readonly plans: Plans,
    private readonly dryRuns: DryRuns,
    private readonly control: ControlDatabase,
  ) {}

  @Post()
  @AllowedWhenReadOnly()
  @Requires('rollback:plan')
  @Endpoint('Plan a way back', {
    status: 201,
    returns: planView,
    idempotency: 'required',
    description: 'Answers the plan with the safety checks; POST /plans/:id/dry-run previews every step.',
    problems: [
      '409 backup-too-weak',
      '409 control-database',
      '409 not-gated',
      '409 not-undoable',
      '409 nothing-to-do',
      '409 parked-too-short',
      '409 run-in-progress',
      '404 run-not-found',
      '404 runbook-not-found',
      '422 confirm-mismatch',
      '422 plan-refused',
      '422 reason-too-short',
      '422 target-incomplete',
      '422 target-unknown',
    ],
  })
  create(@By() by: Caller, @Body({ schema: newPlan }) { target, reason }: NewPlan): Promise<PlanView> {
    return this.plans.create(actorOf(by), target, reason, (work) => this.control.transaction(by, work));
  }

  @Get(':id')
  @Requires('rollback:read')
  @Endpoint('Read a plan with its checks and approvals', {
    returns: planView,
    problems: ['404 plan-not-found', '409 document-too-new'],
  })
  get(@Param({ schema: planPath }) { id }: PlanPath): Promise<PlanView> {
    return this.plans.get(id);
  }

  // It changes nothing but what is known of the plan, so doing it twice does no harm.
  @Post(':id/dry-run')
  @AllowedWhenReadOnly()
  @Requires('rollback:plan')
  @Endpoint('Check again and preview every step', {
    returns: dryRunView,
    idempotency: 'none',
    problems: ['404 plan-not-found', '409 plan-expired', '409 plan-not-open'],
  })
  dryRun(@By() by: Caller, @Param({ schema: planPath }) { id }: PlanPath): Promise<DryRunView> {
    return this.dryRuns.make(actorOf(by), id);
  }

  @Post(':id/approvals')
  @AllowedWhenReadOnly()
  @Requires('rollback:approve', 'rollback:restore', 'rollback:purge')
  @Endpoint('Approve or reject a plan, or withdraw an approval', {
    returns: planView,
    idempotency: 'required',
    description: 'With one of the permissions that the plan asks for; each person counts once.',
    problems: [
      '403 machines-never-approve',
      '403 permission-missing',
      '403 same-person',
      '403 sign-in-not-fresh',
      '404 plan-not-found',
      '409 checks-failed',
      '409 nothing-to-do',
      '409 plan-expired',
      '409 plan-not-open',
      '409 plan-stale',
      '422 reason-too-short',
    ],
  })
  decide(
    @By() by: Caller,
    @Param({ schema: planPath }) { id }: PlanPath,
    @Body({ schema: planDecision }) decision: PlanDecision,
  ): Promise<PlanView> {
    return this.plans.decide(actorOf(by), id, decision, (work) => this.control.transaction(by, work));
  }
}
