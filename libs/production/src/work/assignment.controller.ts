import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, Requires, SignedIn, type Caller, type List } from '@belay/platform';
import { id, reasoned, type Reasoned } from '../production.contract.js';
import { AssignService } from './assign.service.js';
import { AssignmentViews } from './assignment-view.service.js';
import {
  assignedTokens,
  assignmentFilter,
  assignmentList,
  assignmentView,
  assignTokens,
  myAssignmentFilter,
  overrideWork,
  type AssignedTokens,
  type AssignmentFilter,
  type AssignmentView,
  type AssignTokens,
  type MyAssignmentFilter,
  type OverrideWork,
} from './assignment.contract.js';
import { OverrideService } from './override.service.js';
import { ResponseService } from './response.service.js';

/** Who is meant to do what. Managers give work; so do those who lead a team, in their own. */
@ApiTags('production')
@Controller('production')
export class AssignmentController {
  constructor(
    private readonly assigning: AssignService,
    private readonly overriding: OverrideService,
    private readonly responses: ResponseService,
    private readonly views: AssignmentViews,
  ) {}

  @Get('assignments')
  @Requires('production.job:read')
  @Endpoint('Find assignments', { returns: assignmentList, description: 'Newest first.' })
  list(@By() by: Caller, @Query({ schema: assignmentFilter }) query: AssignmentFilter): Promise<List<AssignmentView>> {
    return this.views.list(by, query);
  }

  @Get('me/assignments')
  @Requires('production.token:work')
  @Endpoint('Find my assignments', { returns: assignmentList })
  mine(
    @By() by: Caller,
    @Query({ schema: myAssignmentFilter }) query: MyAssignmentFilter,
  ): Promise<List<AssignmentView>> {
    return this.views.mine(by, query);
  }

  @Post('assignments')
  @SignedIn()
  @Endpoint('Assign tokens', {
    returns: assignedTokens,
    idempotency: 'required',
    problems: ['403 permission-missing', '404 token-not-found', '409 operator-unavailable', '422 skill-missing'],
    description: 'Each token for itself: those that cannot be assigned are told with the reason.',
  })
  assign(@By() by: Caller, @Body({ schema: assignTokens }) body: AssignTokens): Promise<AssignedTokens> {
    return this.assigning.assign(by, body);
  }

  @Post('assignments/:id/accept')
  @Requires('production.token:work')
  @Endpoint('Accept an assignment', {
    returns: assignmentView,
    idempotency: 'required',
    problems: ['404 assignment-not-found', '409 assignment-state', '409 not-assignee'],
  })
  accept(@By() by: Caller, @Param('id', { schema: id }) assignment: string): Promise<AssignmentView> {
    return this.responses.accept(by, assignment);
  }

  @Post('assignments/:id/reject')
  @Requires('production.token:work')
  @Endpoint('Reject an assignment', {
    returns: assignmentView,
    idempotency: 'required',
    problems: ['404 assignment-not-found', '409 assignment-state', '409 not-assignee'],
  })
  reject(
    @By() by: Caller,
    @Param('id', { schema: id }) assignment: string,
    @Body({ schema: reasoned }) { reason }: Reasoned,
  ): Promise<AssignmentView> {
    return this.responses.reject(by, assignment, reason);
  }

  @Post('assignments/:id/cancel')
  @SignedIn()
  @Endpoint('Cancel an assignment', {
    returns: assignmentView,
    idempotency: 'required',
    problems: ['403 permission-missing', '404 assignment-not-found', '409 assignment-state'],
    description: 'Whoever works on it stops, and somebody else is looked for.',
  })
  cancel(
    @By() by: Caller,
    @Param('id', { schema: id }) assignment: string,
    @Body({ schema: reasoned }) { reason }: Reasoned,
  ): Promise<AssignmentView> {
    return this.responses.cancel(by, assignment, reason);
  }

  @Post('tokens/:id/override')
  @SignedIn()
  @Endpoint('Override an assignment', {
    returns: assignmentView,
    idempotency: 'required',
    problems: [
      '403 permission-missing',
      '404 token-not-found',
      '409 assignment-started',
      '409 assignment-state',
      '409 operator-busy',
      '409 operator-unavailable',
      '409 token-held',
      '409 token-state',
      '422 action-not-for-node',
      '422 mode-mismatch',
      '422 skill-missing',
      '422 team-forbidden',
    ],
  })
  override(
    @By() by: Caller,
    @Param('id', { schema: id }) token: string,
    @Body({ schema: overrideWork }) body: OverrideWork,
  ): Promise<AssignmentView> {
    return this.overriding.override(by, token, body);
  }
}
