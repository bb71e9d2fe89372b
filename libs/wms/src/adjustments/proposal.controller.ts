import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, FinishesOpenWork, InFeature, listOf, Requires, type Caller, type List } from '@belay/platform';
import { adjustment, type Adjustment } from '../movements/movement.contract.js';
import { id } from '../wms.contract.js';
import { proposalFilter, proposalView, type ProposalFilter, type ProposalView } from './proposal.contract.js';
import { ProposalService } from './proposal.service.js';

@ApiTags('wms')
@Controller('wms/adjustment-proposals')
export class ProposalController {
  constructor(private readonly proposals: ProposalService) {}

  @Get()
  @Requires('wms.inventory:read')
  @Endpoint('Find proposed adjustments', {
    returns: listOf(proposalView),
    problems: ['404 warehouse-not-found'],
    description: 'In the warehouses at your sites, newest first.',
  })
  list(@By() by: Caller, @Query({ schema: proposalFilter }) query: ProposalFilter): Promise<List<ProposalView>> {
    return this.proposals.list(by, query);
  }

  @Post()
  @InFeature('wms_write')
  @Requires('wms.inventory:adjust')
  @Endpoint('Propose an adjustment', {
    status: 201,
    returns: proposalView,
    idempotency: 'required',
    problems: ['404 warehouse-not-found', '409 inactive-master-data'],
    description: 'For one that is too large for one person; nothing is posted before another approves it.',
  })
  propose(@By() by: Caller, @Body({ schema: adjustment }) body: Adjustment): Promise<ProposalView> {
    return this.proposals.propose(by, body);
  }

  @Get(':id')
  @Requires('wms.inventory:read')
  @Endpoint('Read a proposed adjustment', { returns: proposalView, problems: ['404 adjustment-proposal-not-found'] })
  get(@By() by: Caller, @Param('id', { schema: id }) proposal: string): Promise<ProposalView> {
    return this.proposals.get(by, proposal);
  }

  @Post(':id/approval')
  @InFeature('wms_write')
  @FinishesOpenWork()
  @Requires('wms.inventory:adjust')
  @Endpoint('Approve a proposed adjustment', {
    returns: proposalView,
    idempotency: 'required',
    problems: [
      '403 same-person',
      '404 adjustment-proposal-not-found',
      '409 adjustment-proposal-decided',
      '409 inactive-master-data',
      '409 insufficient-stock',
      '409 later-balance-negative',
      '409 period-closed',
      '409 backdating-not-allowed',
      '409 busy-retry',
    ],
    description: 'Posts it.',
  })
  approve(@By() by: Caller, @Param('id', { schema: id }) proposal: string): Promise<ProposalView> {
    return this.proposals.approve(by, proposal);
  }

  @Post(':id/rejection')
  @InFeature('wms_write')
  @FinishesOpenWork()
  @Requires('wms.inventory:adjust')
  @Endpoint('Reject a proposed adjustment', {
    returns: proposalView,
    problems: ['404 adjustment-proposal-not-found', '409 adjustment-proposal-decided'],
    description: 'Or take back what you proposed.',
  })
  reject(@By() by: Caller, @Param('id', { schema: id }) proposal: string): Promise<ProposalView> {
    return this.proposals.reject(by, proposal);
  }
}
