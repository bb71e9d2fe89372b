import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AllowedWhenReadOnly, By, Endpoint, InFeature, KeptBy, Requires, type Caller } from '@belay/platform';
import { READ_PLANS } from '../plans/plan-places.service.js';
import {
  decisionView,
  plansPreview,
  plansPreviewQuery,
  previewQuery,
  whatIf,
  whatIfView,
  type DecisionView,
  type PlansPreview,
  type PlansPreviewQuery,
  type PreviewQuery,
  type WhatIf,
  type WhatIfView,
} from './preview.contract.js';
import { PreviewService } from './preview.service.js';
import { WhatIfService } from './what-if.service.js';

@ApiTags('assignment')
@Controller('assignment')
@KeptBy('enable_assignment_preview')
@InFeature('enable_assignment_preview')
export class PreviewController {
  constructor(
    private readonly previews: PreviewService,
    private readonly whatIfs: WhatIfService,
  ) {}

  @Get('preview')
  @Requires(READ_PLANS)
  @Endpoint('See who would get a token, and why', {
    returns: decisionView,
    problems: ['404 token-not-found', '404 node-not-found'],
    description: 'As limits and people are at this moment. Nothing is assigned, locked or logged.',
  })
  preview(@By() by: Caller, @Query({ schema: previewQuery }) query: PreviewQuery): Promise<DecisionView> {
    return this.previews.preview(by, query);
  }

  @Post('plans/preview')
  @AllowedWhenReadOnly()
  @Requires(READ_PLANS)
  @Endpoint('See who would get the work of a job, node by node', {
    returns: plansPreview,
    problems: ['404 job-not-found'],
    description:
      'How its tokens would be spread if all of them came to the node now; of more than a thousand, the first. Limits are ' +
      'left out, because they will not come all at once.',
  })
  plans(@By() by: Caller, @Body({ schema: plansPreviewQuery }) body: PlansPreviewQuery): Promise<PlansPreview> {
    return this.previews.plans(by, body.jobTicketId);
  }

  @Post('what-if')
  @AllowedWhenReadOnly()
  @Requires(READ_PLANS)
  @Endpoint('See what a plan, a leave or a limit would change', {
    returns: whatIfView,
    problems: ['404 node-not-found'],
    description:
      'Decides the work at all nodes of a graph anew as things are and as they would be, and saves nothing. Work that is ' +
      'begun, or was given by hand, stays where it is. Of more than a thousand tokens, the first of each node.',
  })
  whatIf(@By() by: Caller, @Body({ schema: whatIf }) body: WhatIf): Promise<WhatIfView> {
    return this.whatIfs.ask(by, body);
  }
}
