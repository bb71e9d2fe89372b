import { By, Endpoint, Requires, type Caller } from '@belay/platform';
import { Body, Controller, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { id, reasoned, type Reasoned } from '../production.contract.js';
import { HandOverService } from './hand-over.service.js';
import { RunService } from './run.service.js';
import {
  handedOver,
  handOver,
  handOverMany,
  runView,
  ticketView,
  type HandedOver,
  type HandOver,
  type HandOverMany,
  type RunView,
  type TicketView,
} from './ticket.contract.js';

@ApiTags('production')
@Controller('production/job-tickets')
export class RunController {
  constructor(
    private readonly handOvers: HandOverService,
    private readonly runs: RunService,
  ) {}

  @Post(':id/start')
  @Requires('production.job:start')
  @Endpoint('Start a job', {
    returns: runView,
    problems: ['404 job-not-found', '409 job-state', '409 job-runs-at-stations', '409 serial-mismatch'],
    idempotency: 'required',
    description: 'Makes its tokens. They are made once, however often it is asked for.',
  })
  start(@By() by: Caller, @Param('id', { schema: id }) ticket: string): Promise<RunView> {
    return this.runs.start(by, ticket);
  }

  @Post(':id/pause')
  @Requires('production.job:start')
  @Endpoint('Pause a job', {
    returns: ticketView,
    problems: ['404 job-not-found', '409 job-state'],
    idempotency: 'required',
    description: 'Everybody who works on it pauses; nothing of it is started until it is resumed.',
  })
  pause(
    @By() by: Caller,
    @Param('id', { schema: id }) ticket: string,
    @Body({ schema: reasoned }) body: Reasoned,
  ): Promise<TicketView> {
    return this.runs.pause(by, ticket, body);
  }

  @Post(':id/resume')
  @Requires('production.job:start')
  @Endpoint('Resume a job', {
    returns: ticketView,
    problems: ['404 job-not-found', '409 job-state'],
    idempotency: 'required',
    description: 'People resume their own work themselves.',
  })
  resume(@By() by: Caller, @Param('id', { schema: id }) ticket: string): Promise<TicketView> {
    return this.runs.resume(by, ticket);
  }

  @Post(':id/cancel')
  @Requires('production.job:cancel')
  @Endpoint('Cancel a job', {
    returns: ticketView,
    problems: ['404 job-not-found', '409 job-state'],
    idempotency: 'required',
    description: 'What lives of it is scrapped, and never used again.',
  })
  cancel(
    @By() by: Caller,
    @Param('id', { schema: id }) ticket: string,
    @Body({ schema: reasoned }) body: Reasoned,
  ): Promise<TicketView> {
    return this.runs.cancel(by, ticket, body);
  }

  @Post(':id/restart')
  @Requires('production.job:cancel')
  @Endpoint('Restart a job that was cancelled', {
    returns: runView,
    problems: ['404 job-not-found', '409 job-state', '409 job-runs-at-stations', '409 serial-mismatch'],
    idempotency: 'required',
    description: 'A new attempt with new tokens under the serials that were printed.',
  })
  restart(@By() by: Caller, @Param('id', { schema: id }) ticket: string): Promise<RunView> {
    return this.runs.restart(by, ticket);
  }

  @Post(':id/close-short')
  @Requires('production.job:start')
  @Endpoint('Close a job that is short', {
    returns: ticketView,
    problems: ['404 job-not-found', '409 job-state'],
    idempotency: 'required',
    description: 'Nothing of it lives any more, and what was scrapped is not replaced.',
  })
  closeShort(
    @By() by: Caller,
    @Param('id', { schema: id }) ticket: string,
    @Body({ schema: reasoned }) body: Reasoned,
  ): Promise<TicketView> {
    return this.runs.closeShort(by, ticket, body);
  }

  @Post('to-tokens')
  @Requires('production.token:force')
  @Endpoint('Hand several jobs over to tokens', {
    returns: handedOver,
    problems: ['404 job-not-found'],
    idempotency: 'required',
    description: 'Each at the first node that is not finished. One that cannot be handed over stops no other.',
  })
  handOverMany(@By() by: Caller, @Body({ schema: handOverMany }) body: HandOverMany): Promise<HandedOver> {
    return this.handOvers.many(by, body);
  }

  @Post(':id/to-tokens')
  @Requires('production.token:force')
  @Endpoint('Hand a job over to tokens', {
    returns: runView,
    problems: ['404 job-not-found', '404 node-not-found', '409 job-state', '422 target-not-allowed'],
    idempotency: 'required',
    description: 'A job that stations run goes on with one batch token.',
  })
  handOver(
    @By() by: Caller,
    @Param('id', { schema: id }) ticket: string,
    @Body({ schema: handOver }) body: HandOver,
  ): Promise<RunView> {
    return this.handOvers.one(by, ticket, body);
  }
}
