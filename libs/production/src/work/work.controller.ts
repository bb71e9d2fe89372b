import { Body, Controller, Get, Param, Post, Query, StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, LastEventId, Requires, type Caller, type List, type Page } from '@belay/platform';
import { id } from '../production.contract.js';
import { assignmentView, type AssignmentView } from './assignment.contract.js';
import { PauseService } from './pause.service.js';
import { ResponseService } from './response.service.js';
import { ResumeService } from './resume.service.js';
import {
  pauseWork,
  resumeWork,
  startWork,
  workView,
  type PauseWork,
  type ResumeWork,
  type StartWork,
  type WorkView,
} from './session.contract.js';
import { StartService } from './start.service.js';
import { workQueue, workQueueFilter, type WorkItem } from './work-queue.contract.js';
import { WorkQueueService } from './work-queue.service.js';
import { WorkQueueStream } from './work-queue-stream.service.js';

const running = [
  '404 token-not-found',
  '409 token-state',
  '409 token-held',
  '409 job-state',
  '409 job-paused',
] as const;
const working = [...running, '409 instance-archived', '412 precondition-failed', '422 action-not-for-node'] as const;

/** What people do at their work: see what there is, take it up, put it down. */
@ApiTags('production')
@Controller('production')
export class WorkController {
  constructor(
    private readonly pausing: PauseService,
    private readonly queue: WorkQueueService,
    private readonly responses: ResponseService,
    private readonly resuming: ResumeService,
    private readonly starting: StartService,
    private readonly stream: WorkQueueStream,
  ) {}

  @Get('work-queue')
  @Requires('production.token:work')
  @Endpoint('Read my work queue', {
    returns: workQueue,
    description: 'What I work on, what is mine and what I may claim, in the order in which it is due.',
  })
  list(@By() by: Caller, @Query({ schema: workQueueFilter }) query: Page): Promise<List<WorkItem>> {
    return this.queue.list(by, query);
  }

  @Get('work-queue/stream')
  @Requires('production.token:work')
  @Endpoint('Follow my work queue', {
    events: true,
    description: 'An event `work-queue` with the first page whenever it has changed.',
  })
  follow(@By() by: Caller, @LastEventId() seen: string | undefined): StreamableFile {
    return this.stream.open(by, seen);
  }

  @Post('tokens/:id/start')
  @Requires('production.token:work')
  @Endpoint('Start to work', {
    returns: workView,
    idempotency: 'required',
    problems: [
      ...working,
      '409 operator-busy',
      '409 not-assignee',
      '409 concurrency-full',
      '409 operator-unavailable',
      '422 skill-missing',
    ],
  })
  start(
    @By() by: Caller,
    @Param('id', { schema: id }) token: string,
    @Body({ schema: startWork }) body: StartWork,
  ): Promise<WorkView> {
    return this.starting.start(by, token, body);
  }

  @Post('tokens/:id/pause')
  @Requires('production.token:work')
  @Endpoint('Pause', {
    returns: workView,
    idempotency: 'required',
    problems: ['404 token-not-found', '409 token-state', '412 precondition-failed'],
    description: 'The place becomes free for somebody else.',
  })
  pause(
    @By() by: Caller,
    @Param('id', { schema: id }) token: string,
    @Body({ schema: pauseWork }) body: PauseWork,
  ): Promise<WorkView> {
    return this.pausing.pause(by, token, body);
  }

  @Post('tokens/:id/resume')
  @Requires('production.token:work')
  @Endpoint('Go on', {
    returns: workView,
    idempotency: 'required',
    problems: [
      ...working,
      '409 operator-busy',
      '409 concurrency-full',
      '409 operator-unavailable',
      '422 skill-missing',
    ],
  })
  resume(
    @By() by: Caller,
    @Param('id', { schema: id }) token: string,
    @Body({ schema: resumeWork }) body: ResumeWork,
  ): Promise<WorkView> {
    return this.resuming.resume(by, token, body);
  }

  @Post('tokens/:id/claim')
  @Requires('production.token:work')
  @Endpoint('Claim work', {
    returns: assignmentView,
    idempotency: 'required',
    problems: [
      '404 token-not-found',
      '409 token-state',
      '409 token-held',
      '409 not-assignee',
      '409 assignment-state',
      '409 operator-unavailable',
      '422 action-not-for-node',
      '422 skill-missing',
    ],
    description: 'What is nobody’s, or my team’s; whoever comes first gets it.',
  })
  claim(@By() by: Caller, @Param('id', { schema: id }) token: string): Promise<AssignmentView> {
    return this.responses.claim(by, token);
  }
}
