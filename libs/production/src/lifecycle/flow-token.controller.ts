import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, listOf, page, Requires, type Caller, type List, type Page } from '@belay/platform';
import { id, reasoned, type Reasoned } from '../production.contract.js';
import { QcService } from './qc.service.js';
import {
  adjustToken,
  approveStep,
  completeStep,
  holdToken,
  judge,
  moveToken,
  scrapToken,
  stepView,
  submitForm,
  type AdjustToken,
  type ApproveStep,
  type CompleteStep,
  type HoldToken,
  type Judge,
  type MoveToken,
  type ScrapToken,
  type StepView,
  type SubmitForm,
} from './step.contract.js';
import { StepService } from './step.service.js';
import { Supervision } from './supervision.service.js';
import {
  reworkTargets,
  tokenEventView,
  tokenFilter,
  tokenView,
  visitList,
  type ReworkTargets,
  type TokenEventView,
  type TokenFilter,
  type TokenView,
  type VisitList,
} from './token.contract.js';
import { TokenViews } from './token-view.service.js';

const whileRunning = [
  '404 token-not-found',
  '409 token-state',
  '409 job-state',
  '409 job-paused',
  '409 instance-archived',
  '412 version-stale',
] as const;
const ofWork = [...whileRunning, '409 token-held', '422 action-not-for-node'] as const;

@ApiTags('production')
@Controller('production/tokens')
export class FlowTokenController {
  constructor(
    private readonly qc: QcService,
    private readonly steps: StepService,
    private readonly supervision: Supervision,
    private readonly views: TokenViews,
  ) {}

  @Get()
  @Requires('production.job:read')
  @Endpoint('Find tokens', { returns: listOf(tokenView), description: 'Newest first.' })
  list(@By() by: Caller, @Query({ schema: tokenFilter }) query: TokenFilter): Promise<List<TokenView>> {
    return this.views.list(by, query);
  }

  @Get(':id')
  @Requires('production.job:read')
  @Endpoint('Read a token', { returns: tokenView, problems: ['404 token-not-found'] })
  get(@By() by: Caller, @Param('id', { schema: id }) token: string): Promise<TokenView> {
    return this.views.get(by, token);
  }

  @Get(':id/events')
  @Requires('production.job:read')
  @Endpoint('Read the history of a token', {
    returns: listOf(tokenEventView),
    problems: ['404 token-not-found'],
    description: 'Oldest first.',
  })
  events(
    @By() by: Caller,
    @Param('id', { schema: id }) token: string,
    @Query({ schema: page }) query: Page,
  ): Promise<List<TokenEventView>> {
    return this.views.events(by, token, query);
  }

  @Get(':id/visits')
  @Requires('production.job:read')
  @Endpoint('Read where a token was, and for how long', { returns: visitList, problems: ['404 token-not-found'] })
  visits(@By() by: Caller, @Param('id', { schema: id }) token: string): Promise<VisitList> {
    return this.views.visits(by, token);
  }

  @Get(':id/rework-targets')
  @Requires('production.job:read')
  @Endpoint('Where a piece can be sent back to', { returns: reworkTargets, problems: ['404 token-not-found'] })
  targets(@By() by: Caller, @Param('id', { schema: id }) token: string): Promise<ReworkTargets> {
    return this.views.reworkTargets(by, token);
  }

  @Post(':id/complete')
  @Requires('production.token:work')
  @Endpoint('Finish the work at a node', {
    returns: stepView,
    idempotency: 'required',
    problems: [...ofWork, '409 not-assignee'],
    description: 'The session ends, and the token goes on to where people or parts are needed next.',
  })
  complete(
    @By() by: Caller,
    @Param('id', { schema: id }) token: string,
    @Body({ schema: completeStep }) body: CompleteStep,
  ): Promise<StepView> {
    return this.steps.complete(by, token, body);
  }

  @Post(':id/qc')
  @Requires('production.qc:decide')
  @Endpoint('Say whether a piece passes quality control', {
    returns: stepView,
    idempotency: 'required',
    problems: [...ofWork, '409 not-assignee', '422 target-not-allowed'],
    description: 'What fails is never silently scrapped: it goes back, is made anew, or is held.',
  })
  judge(
    @By() by: Caller,
    @Param('id', { schema: id }) token: string,
    @Body({ schema: judge }) body: Judge,
  ): Promise<StepView> {
    return this.qc.judge(by, token, body);
  }

  @Post(':id/form')
  @Requires('production.token:work')
  @Endpoint('Fill in the form of a decision', {
    returns: stepView,
    idempotency: 'required',
    problems: [...ofWork, '409 not-assignee'],
    description:
      'By whoever holds the role of the form; when it names none, by whoever has the work or may take it up.',
  })
  form(
    @By() by: Caller,
    @Param('id', { schema: id }) token: string,
    @Body({ schema: submitForm }) body: SubmitForm,
  ): Promise<StepView> {
    return this.steps.form(by, token, body);
  }

  @Post(':id/approve')
  @Requires('production.token:work')
  @Endpoint('Let on what waits for approval', { returns: stepView, idempotency: 'required', problems: ofWork })
  approve(
    @By() by: Caller,
    @Param('id', { schema: id }) token: string,
    @Body({ schema: approveStep }) body: ApproveStep,
  ): Promise<StepView> {
    return this.steps.approve(by, token, body);
  }

  @Post(':id/scrap')
  @Requires('production.token:scrap')
  @Endpoint('Scrap a token', { returns: stepView, idempotency: 'required', problems: whileRunning })
  scrap(
    @By() by: Caller,
    @Param('id', { schema: id }) token: string,
    @Body({ schema: scrapToken }) body: ScrapToken,
  ): Promise<StepView> {
    return this.supervision.scrap(by, token, body);
  }

  @Post(':id/replacement')
  @Requires('production.token:scrap')
  @Endpoint('Replace a scrapped token', {
    returns: stepView,
    idempotency: 'required',
    problems: whileRunning,
    description: 'Once: with the same serial, in its next revision.',
  })
  replace(
    @By() by: Caller,
    @Param('id', { schema: id }) token: string,
    @Body({ schema: reasoned }) body: Reasoned,
  ): Promise<StepView> {
    return this.supervision.replace(by, token, body);
  }

  @Post(':id/move')
  @Requires('production.token:force')
  @Endpoint('Move a token by hand', {
    returns: stepView,
    idempotency: 'required',
    problems: [...whileRunning, '422 target-not-allowed'],
    description: 'To another node where people work; parts stay between their split and their join.',
  })
  move(
    @By() by: Caller,
    @Param('id', { schema: id }) token: string,
    @Body({ schema: moveToken }) body: MoveToken,
  ): Promise<StepView> {
    return this.supervision.move(by, token, body);
  }

  @Post(':id/hold')
  @Requires('production.token:force')
  @Endpoint('Hold a token', { returns: stepView, idempotency: 'required', problems: whileRunning })
  hold(
    @By() by: Caller,
    @Param('id', { schema: id }) token: string,
    @Body({ schema: holdToken }) body: HoldToken,
  ): Promise<StepView> {
    return this.supervision.hold(by, token, body);
  }

  @Post(':id/release')
  @Requires('production.token:force')
  @Endpoint('Release a token that is held', {
    returns: stepView,
    idempotency: 'required',
    problems: whileRunning,
    description: 'One that found no way on looks for it again.',
  })
  release(
    @By() by: Caller,
    @Param('id', { schema: id }) token: string,
    @Body({ schema: reasoned }) body: Reasoned,
  ): Promise<StepView> {
    return this.supervision.release(by, token, body);
  }

  @Post(':id/adjust')
  @Requires('production.token:force')
  @Endpoint('Correct a token', { returns: stepView, idempotency: 'required', problems: whileRunning })
  adjust(
    @By() by: Caller,
    @Param('id', { schema: id }) token: string,
    @Body({ schema: adjustToken }) body: AdjustToken,
  ): Promise<StepView> {
    return this.supervision.adjust(by, token, body);
  }
}
