import { By, Endpoint, IfMatch, listOf, Requires, type Caller, type List } from '@belay/platform';
import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { id } from '../production.contract.js';
import { ProgressService } from './progress.service.js';
import {
  changeTicket,
  draftTicket,
  progressView,
  reserveSerials,
  serialList,
  ticketFilter,
  ticketView,
  type ChangeTicket,
  type DraftTicket,
  type ProgressView,
  type ReserveSerials,
  type SerialList,
  type TicketFilter,
  type TicketView,
} from './ticket.contract.js';
import { TicketService } from './ticket.service.js';

@ApiTags('production')
@Controller('production/job-tickets')
export class TicketController {
  constructor(
    private readonly progresses: ProgressService,
    private readonly tickets: TicketService,
  ) {}

  @Get()
  @Requires('production.job:read')
  @Endpoint('Find jobs', { returns: listOf(ticketView), description: 'Newest first.' })
  list(@By() by: Caller, @Query({ schema: ticketFilter }) query: TicketFilter): Promise<List<TicketView>> {
    return this.tickets.list(by, query);
  }

  @Post()
  @Requires('production.job:write')
  @Endpoint('Plan a job', {
    status: 201,
    returns: ticketView,
    problems: ['404 graph-not-found', '409 graph-version-closed', '409 code-taken'],
    idempotency: 'required',
    description: 'It follows one version of the graph for good. Planning makes no tokens.',
  })
  draft(@By() by: Caller, @Body({ schema: draftTicket }) body: DraftTicket): Promise<TicketView> {
    return this.tickets.draft(by, body);
  }

  @Get(':id')
  @Requires('production.job:read')
  @Endpoint('Read a job', { returns: ticketView, problems: ['404 job-not-found'] })
  get(@By() by: Caller, @Param('id', { schema: id }) ticket: string): Promise<TicketView> {
    return this.tickets.get(by, ticket);
  }

  @Patch(':id')
  @Requires('production.job:write')
  @Endpoint('Change a job', {
    returns: ticketView,
    problems: ['404 job-not-found', '409 job-state', '409 serial-mismatch', '412 precondition-failed'],
    description: 'Due date and priority at any time, everything else while it is planned.',
  })
  change(
    @By() by: Caller,
    @Param('id', { schema: id }) ticket: string,
    @IfMatch() version: number,
    @Body({ schema: changeTicket }) body: ChangeTicket,
  ): Promise<TicketView> {
    return this.tickets.change(by, ticket, version, body);
  }

  @Get(':id/progress')
  @Requires('production.job:read')
  @Endpoint('Read how far a job is', { returns: progressView, problems: ['404 job-not-found'] })
  progress(@By() by: Caller, @Param('id', { schema: id }) ticket: string): Promise<ProgressView> {
    return this.progresses.get(by, ticket);
  }

  @Post(':id/serials')
  @Requires('production.job:write')
  @Endpoint('Reserve the serials of a job', {
    returns: serialList,
    problems: ['404 job-not-found', '409 job-state', '409 serial-mismatch'],
    idempotency: 'required',
    description: 'One for each piece, to be printed before it is started. Doing it again answers the same ones.',
  })
  reserve(
    @By() by: Caller,
    @Param('id', { schema: id }) ticket: string,
    @Body({ schema: reserveSerials }) body: ReserveSerials,
  ): Promise<SerialList> {
    return this.tickets.reserve(by, ticket, body);
  }
}
