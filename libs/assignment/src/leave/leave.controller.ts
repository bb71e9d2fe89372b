import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, KeptBy, listOf, Requires, type Caller, type List } from '@belay/platform';
import { id } from '../assignment.contract.js';
import {
  leaveFilter,
  leaveView,
  requestLeave,
  type LeaveFilter,
  type LeaveView,
  type RequestLeave,
} from './leave.contract.js';
import { LeaveService, MANAGE_LEAVE, REQUEST_LEAVE } from './leave.service.js';

@ApiTags('assignment')
@Controller('assignment/leave-requests')
@KeptBy('enable_assignment_preview')
export class LeaveController {
  constructor(private readonly leave: LeaveService) {}

  @Get()
  @Requires(REQUEST_LEAVE, MANAGE_LEAVE)
  @Endpoint('Find leaves', {
    returns: listOf(leaveView),
    description: 'Newest first: one’s own, and those of people at the sites where one decides about leave.',
  })
  list(@By() by: Caller, @Query({ schema: leaveFilter }) query: LeaveFilter): Promise<List<LeaveView>> {
    return this.leave.list(by, query);
  }

  @Post()
  @Requires(REQUEST_LEAVE, MANAGE_LEAVE)
  @Endpoint('Ask for leave', {
    status: 201,
    returns: leaveView,
    idempotency: 'required',
    problems: ['404 operator-not-found'],
    description: 'For oneself, or for people whose leave one decides about. It counts once it is approved.',
  })
  request(@By() by: Caller, @Body({ schema: requestLeave }) body: RequestLeave): Promise<LeaveView> {
    return this.leave.request(by, body);
  }

  @Post(':id/approve')
  @Requires(MANAGE_LEAVE)
  @Endpoint('Approve a leave', {
    returns: leaveView,
    idempotency: 'required',
    problems: ['404 leave-not-found', '404 operator-not-found', '409 leave-overlap', '409 leave-state'],
    description:
      'From its first instant on nobody is given work who is on leave: what they have not begun is decided anew, and ' +
      'what they work on is paused. Nobody approves their own.',
  })
  approve(@By() by: Caller, @Param('id', { schema: id }) leave: string): Promise<LeaveView> {
    return this.leave.approve(by, leave);
  }

  @Post(':id/reject')
  @Requires(MANAGE_LEAVE)
  @Endpoint('Reject a leave', {
    returns: leaveView,
    idempotency: 'required',
    problems: ['404 leave-not-found', '404 operator-not-found', '409 leave-state'],
  })
  reject(@By() by: Caller, @Param('id', { schema: id }) leave: string): Promise<LeaveView> {
    return this.leave.reject(by, leave);
  }

  @Post(':id/cancel')
  @Requires(REQUEST_LEAVE, MANAGE_LEAVE)
  @Endpoint('Take back a leave', {
    returns: leaveView,
    idempotency: 'required',
    problems: ['404 leave-not-found', '404 operator-not-found', '409 leave-running', '409 leave-state'],
    description: 'One that was approved only until it begins; then it can be ended.',
  })
  cancel(@By() by: Caller, @Param('id', { schema: id }) leave: string): Promise<LeaveView> {
    return this.leave.cancel(by, leave);
  }

  @Post(':id/end')
  @Requires(MANAGE_LEAVE)
  @Endpoint('End a leave that has begun', {
    returns: leaveView,
    idempotency: 'required',
    problems: ['404 leave-not-found', '404 operator-not-found', '409 leave-state'],
    description: 'The person is available from now on.',
  })
  end(@By() by: Caller, @Param('id', { schema: id }) leave: string): Promise<LeaveView> {
    return this.leave.end(by, leave);
  }
}
