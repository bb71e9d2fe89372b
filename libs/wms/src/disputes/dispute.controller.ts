import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  By,
  Endpoint,
  FinishesOpenWork,
  IfMatch,
  InFeature,
  listOf,
  Requires,
  type Caller,
  type List,
} from '@belay/platform';
import { id } from '../wms.contract.js';
import {
  addDisputeEvent,
  disputeFilter,
  disputeSummary,
  disputeView,
  draftDispute,
  nameCreditNote,
  resolveDispute,
  type AddDisputeEvent,
  type DisputeFilter,
  type DisputeSummary,
  type DisputeView,
  type DraftDispute,
  type NameCreditNote,
  type ResolveDispute,
} from './dispute.contract.js';
import { DisputeService } from './dispute.service.js';
import { ResolutionService } from './resolution.service.js';

const transition = ['404 dispute-not-found', '409 invalid-transition', '412 precondition-failed'] as const;

@ApiTags('wms')
@Controller('wms/disputes')
@InFeature('wms_finance')
export class DisputeController {
  constructor(
    private readonly disputes: DisputeService,
    private readonly resolutions: ResolutionService,
  ) {}

  @Get()
  @Requires('wms.invoice:read')
  @Endpoint('Find disputes', {
    returns: listOf(disputeSummary),
    problems: ['404 warehouse-not-found'],
    description: 'About invoices of your warehouses, the latest first.',
  })
  list(@By() by: Caller, @Query({ schema: disputeFilter }) query: DisputeFilter): Promise<List<DisputeSummary>> {
    return this.disputes.list(by, query);
  }

  @Post()
  @Requires('wms.dispute:write')
  @Endpoint('Dispute an invoice or lines of it', {
    status: 201,
    returns: disputeView,
    problems: ['404 invoice-not-found', '409 dispute-on-paid', '409 invalid-transition', '409 line-in-dispute'],
  })
  open(@By() by: Caller, @Body({ schema: draftDispute }) body: DraftDispute): Promise<DisputeView> {
    return this.disputes.open(by, body);
  }

  @Get(':id')
  @Requires('wms.invoice:read')
  @Endpoint('Read a dispute', { returns: disputeView, problems: ['404 dispute-not-found'] })
  get(@By() by: Caller, @Param('id', { schema: id }) dispute: string): Promise<DisputeView> {
    return this.disputes.get(by, dispute);
  }

  @Post(':id/events')
  @Requires('wms.dispute:write')
  @FinishesOpenWork()
  @Endpoint('Note what happened', { returns: disputeView, problems: transition })
  add(
    @By() by: Caller,
    @Param('id', { schema: id }) dispute: string,
    @IfMatch() version: number,
    @Body({ schema: addDisputeEvent }) body: AddDisputeEvent,
  ): Promise<DisputeView> {
    return this.disputes.add(by, dispute, version, body);
  }

  @Post(':id/resolve')
  @Requires('wms.dispute:resolve')
  @FinishesOpenWork()
  @Endpoint('End a dispute', {
    returns: disputeView,
    problems: transition,
    description: 'Accepted: the operator credits all of it. Rejected: we pay. In part: they credit what was agreed.',
  })
  resolve(
    @By() by: Caller,
    @Param('id', { schema: id }) dispute: string,
    @IfMatch() version: number,
    @Body({ schema: resolveDispute }) body: ResolveDispute,
  ): Promise<DisputeView> {
    return this.resolutions.resolve(by, dispute, version, body);
  }

  @Post(':id/credit-note')
  @Requires('wms.dispute:write')
  @FinishesOpenWork()
  @Endpoint('Name the credit note of a dispute', {
    returns: disputeView,
    problems: transition,
    description: 'The invoice of that number is then expected to bring the credit that was agreed.',
  })
  credit(
    @By() by: Caller,
    @Param('id', { schema: id }) dispute: string,
    @IfMatch() version: number,
    @Body({ schema: nameCreditNote }) body: NameCreditNote,
  ): Promise<DisputeView> {
    return this.disputes.credit(by, dispute, version, body);
  }
}
