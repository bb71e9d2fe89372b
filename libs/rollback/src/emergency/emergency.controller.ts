import { AllowedWhenReadOnly, By, ControlDatabase, Endpoint, Requires, type Caller } from '@belay/platform';
import { Body, Controller, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actorOf } from '../engine/actor.js';
import { runPath, runView, type RunPath, type RunView } from '../runs/run.contract.js';
import { Emergencies } from './emergencies.service.js';
import {
  emergencyView,
  newEmergency,
  ratification,
  type EmergencyView,
  type NewEmergency,
  type Ratification,
} from './emergency.contract.js';

/** When something has to be off now. */
@ApiTags('rollback')
@Controller('rollback/emergency')
export class EmergencyController {
  constructor(
    private readonly emergencies: Emergencies,
    private readonly control: ControlDatabase,
  ) {}

  @Post()
  @AllowedWhenReadOnly()
  @Requires('rollback:emergency')
  @Endpoint('Declare an emergency', {
    status: 201,
    returns: emergencyView,
    idempotency: 'required',
    description:
      'The flags are off, and the processes obey, before anything else is done; then a run stops the jobs, looks at ' +
      'everything and sets Unleash to match. It takes over from whatever is at work. Somebody else ratifies it within 24 hours.',
    problems: ['409 not-gated', '422 confirm-mismatch', '422 reason-too-short', '422 target-unknown'],
  })
  declare(@By() by: Caller, @Body({ schema: newEmergency }) body: NewEmergency): Promise<EmergencyView> {
    return this.emergencies.declare(actorOf(by), body, (work) => this.control.transaction(by, work));
  }

  @Post(':id/ratification')
  @AllowedWhenReadOnly()
  @Requires('rollback:approve')
  @Endpoint('Ratify an emergency', {
    returns: runView,
    idempotency: 'required',
    description:
      'By somebody other than who declared it; without it a finding is written into the audit trail after 24 hours.',
    problems: [
      '403 machines-never-approve',
      '403 same-person',
      '403 sign-in-not-fresh',
      '404 emergency-not-found',
      '409 already-ratified',
      '422 reason-too-short',
    ],
  })
  ratify(
    @By() by: Caller,
    @Param({ schema: runPath }) { id }: RunPath,
    @Body({ schema: ratification }) { reason }: Ratification,
  ): Promise<RunView> {
    return this.emergencies.ratify(actorOf(by), id, reason, (work) => this.control.transaction(by, work));
  }
}
