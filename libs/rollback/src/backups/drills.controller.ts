import { AllowedWhenReadOnly, By, ControlDatabase, Endpoint, Requires, type Caller } from '@belay/platform';
import { Controller, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actorOf } from '../engine/actor.js';
import { drillPath, requestedDrill, type DrillPath, type RequestedDrill } from './backup.contract.js';
import { RunbookDrills } from './runbook-drill.service.js';

/** Runbooks that are tried out. */
@ApiTags('rollback')
@Controller('rollback/runbooks')
export class DrillsController {
  constructor(
    private readonly drills: RunbookDrills,
    private readonly control: ControlDatabase,
  ) {}

  @Post(':id/drill')
  @AllowedWhenReadOnly()
  @Requires('rollback:plan')
  @Endpoint('Ask for a runbook to be run, and taken back, on copies of the databases', {
    status: 202,
    returns: requestedDrill,
    idempotency: 'required',
    description: 'A worker carries it out; how the newest version came off is in the runbook.',
    problems: ['404 runbook-not-found'],
  })
  drill(@By() by: Caller, @Param({ schema: drillPath }) { id }: DrillPath): Promise<RequestedDrill> {
    return this.control.transaction(by, (client) => this.drills.request(client, actorOf(by), id));
  }
}
