import {
  AllowedWhenReadOnly,
  By,
  ControlDatabase,
  Endpoint,
  EventStreams,
  LastEventId,
  Requires,
  type Caller,
  type List,
} from '@belay/platform';
import { Body, Controller, Get, Param, Post, Query, StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actorOf } from '../engine/actor.js';
import { planView, type PlanView } from '../plans/plan.contract.js';
import { Plans } from '../plans/plans.service.js';
import {
  eventFilter,
  newRun,
  runEvents,
  runFilter,
  runList,
  runPath,
  runReport,
  runView,
  runWish,
  stepPath,
  stepWish,
  type EventFilter,
  type NewRun,
  type RunEvents,
  type RunFilter,
  type RunPath,
  type RunReport,
  type RunSummary,
  type RunView,
  type RunWishBody,
  type StepPath,
  type StepWishBody,
} from './run.contract.js';
import { RunEventLog } from './run-events.service.js';
import { RunReader } from './run-reader.service.js';
import { reportAsHtml, reportAsMarkdown } from './run-report.rules.js';
import { RunReports } from './run-report.service.js';
import { Runs } from './runs.service.js';
import { RunWishes } from './run-wishes.service.js';

const asked = {
  returns: runView,
  idempotency: 'required',
  problems: ['404 run-not-found', '409 run-not-ready', '422 reason-too-short'],
} as const;

/** Plans that are carried out. */
@ApiTags('rollback')
@Controller('rollback/runs')
export class RunsController {
  constructor(
    private readonly runs: Runs,
    private readonly wishes: RunWishes,
    private readonly reader: RunReader,
    private readonly events: RunEventLog,
    private readonly reports: RunReports,
    private readonly plans: Plans,
    private readonly streams: EventStreams,
    private readonly control: ControlDatabase,
  ) {}

  @Post()
  @AllowedWhenReadOnly()
  @Requires('rollback:execute')
  @Endpoint('Carry an approved plan out', {
    status: 201,
    returns: runView,
    idempotency: 'required',
    description: 'It is queued when this answers; follow it at /runs/:id/stream.',
    problems: [
      '404 plan-not-found',
      '409 approval-missing',
      '409 plan-expired',
      '403 sign-in-not-fresh',
      '409 checks-failed',
      '409 plan-not-open',
      '409 run-in-progress',
      '422 reason-too-short',
    ],
  })
  request(@By() by: Caller, @Body({ schema: newRun }) { planId, reason }: NewRun): Promise<RunView> {
    return this.runs.request(actorOf(by), planId, reason, (work) => this.control.transaction(by, work));
  }

  @Get()
  @Requires('rollback:read')
  @Endpoint('List runs', { returns: runList, description: 'Newest first.' })
  list(@Query({ schema: runFilter }) query: RunFilter): Promise<List<RunSummary>> {
    return this.reader.list(query);
  }

  @Get(':id')
  @Requires('rollback:read')
  @Endpoint('Read a run with its steps', { returns: runView, problems: ['404 run-not-found'] })
  get(@Param({ schema: runPath }) { id }: RunPath): Promise<RunView> {
    return this.reader.get(id);
  }

  @Get(':id/events')
  @Requires('rollback:read')
  @Endpoint('Read what happened, from any number on', { returns: runEvents, problems: ['404 run-not-found'] })
  eventsOf(
    @Param({ schema: runPath }) { id }: RunPath,
    @Query({ schema: eventFilter }) query: EventFilter,
  ): Promise<RunEvents> {
    return this.events.read(id, query);
  }

  @Get(':id/stream')
  @Requires('rollback:read')
  @Endpoint('Follow a run', {
    events: true,
    description: 'Every event once, in order, under its number; the stream ends with the run.',
    problems: ['404 run-not-found'],
  })
  async stream(@Param({ schema: runPath }) { id }: RunPath, @LastEventId() last?: string): Promise<StreamableFile> {
    const seen = /^\d{1,15}$/.test(last ?? '') ? Number(last) : 0;
    await this.events.read(id, { after: seen, limit: 1 });
    return this.streams.open((send, signal) =>
      this.events.follow(
        id,
        seen,
        (event) => {
          send({ id: String(event.seq), name: event.type, data: event });
        },
        signal,
      ),
    );
  }

  @Get(':id/report')
  @Requires('rollback:read')
  @Endpoint('What a run changed, and what it took', { returns: runReport, problems: ['404 run-not-found'] })
  report(@Param({ schema: runPath }) { id }: RunPath): Promise<RunReport> {
    return this.reports.report(id);
  }

  @Get(':id/report.md')
  @Requires('rollback:read')
  @Endpoint('The report as Markdown', { download: 'text/markdown', problems: ['404 run-not-found'] })
  async markdown(@Param({ schema: runPath }) { id }: RunPath): Promise<StreamableFile> {
    return file(reportAsMarkdown(await this.reports.report(id)), 'text/markdown; charset=utf-8');
  }

  @Get(':id/report.html')
  @Requires('rollback:read')
  @Endpoint('The report as a page', { download: 'text/html', problems: ['404 run-not-found'] })
  async html(@Param({ schema: runPath }) { id }: RunPath): Promise<StreamableFile> {
    return file(reportAsHtml(await this.reports.report(id)), 'text/html; charset=utf-8');
  }

  @Post(':id/pause')
  @AllowedWhenReadOnly()
  @Requires('rollback:execute')
  @Endpoint('Stop behind the step that is under way', asked)
  pause(
    @By() by: Caller,
    @Param({ schema: runPath }) { id }: RunPath,
    @Body({ schema: runWish }) body: RunWishBody,
  ): Promise<RunView> {
    return this.wishes.run(actorOf(by), id, 'pause', body.reason, (work) => this.control.transaction(by, work));
  }

  @Post(':id/resume')
  @AllowedWhenReadOnly()
  @Requires('rollback:execute')
  @Endpoint('Go on', asked)
  resume(
    @By() by: Caller,
    @Param({ schema: runPath }) { id }: RunPath,
    @Body({ schema: runWish }) body: RunWishBody,
  ): Promise<RunView> {
    return this.wishes.run(actorOf(by), id, 'resume', body.reason, (work) => this.control.transaction(by, work));
  }

  @Post(':id/cancel')
  @AllowedWhenReadOnly()
  @Requires('rollback:execute')
  @Endpoint('Give it up', {
    ...asked,
    description: 'What it has done already is treated as its failure policy says; what it switched off stays off.',
  })
  cancel(
    @By() by: Caller,
    @Param({ schema: runPath }) { id }: RunPath,
    @Body({ schema: runWish }) body: RunWishBody,
  ): Promise<RunView> {
    return this.wishes.run(actorOf(by), id, 'cancel', body.reason, (work) => this.control.transaction(by, work));
  }

  @Post(':id/confirm')
  @AllowedWhenReadOnly()
  @Requires('rollback:execute')
  @Endpoint('Say that what remained was done by hand', asked)
  confirm(
    @By() by: Caller,
    @Param({ schema: runPath }) { id }: RunPath,
    @Body({ schema: runWish }) body: RunWishBody,
  ): Promise<RunView> {
    return this.wishes.run(actorOf(by), id, 'confirm', body.reason, (work) => this.control.transaction(by, work));
  }

  @Post(':id/undo')
  @AllowedWhenReadOnly()
  @Requires('rollback:execute')
  @Endpoint('Plan the way back from a run', {
    status: 201,
    returns: planView,
    idempotency: 'required',
    description: 'Answers the plan, which needs its own approval and is carried out like any other.',
    problems: [
      '404 run-not-found',
      '409 not-undoable',
      '409 nothing-to-do',
      '409 run-in-progress',
      '422 plan-refused',
      '422 reason-too-short',
    ],
  })
  undo(
    @By() by: Caller,
    @Param({ schema: runPath }) { id }: RunPath,
    @Body({ schema: runWish }) { reason }: RunWishBody,
  ): Promise<PlanView> {
    const target = { kind: 'undo', runId: id } as const;
    return this.plans.create(actorOf(by), target, reason, (work) => this.control.transaction(by, work));
  }

  @Post(':id/steps/:idx/retry')
  @AllowedWhenReadOnly()
  @Requires('rollback:execute')
  @Endpoint('Try a failed step again', asked)
  retry(
    @By() by: Caller,
    @Param({ schema: stepPath }) at: StepPath,
    @Body({ schema: stepWish }) body: StepWishBody,
  ): Promise<RunView> {
    return this.wishes.step(actorOf(by), at, 'retry', body, (work) => this.control.transaction(by, work));
  }

  @Post(':id/steps/:idx/skip')
  @AllowedWhenReadOnly()
  @Requires('rollback:execute')
  @Endpoint('Go on without a step', asked)
  skip(
    @By() by: Caller,
    @Param({ schema: stepPath }) at: StepPath,
    @Body({ schema: stepWish }) body: StepWishBody,
  ): Promise<RunView> {
    return this.wishes.step(actorOf(by), at, 'skip', body, (work) => this.control.transaction(by, work));
  }

  @Post(':id/steps/:idx/confirm')
  @AllowedWhenReadOnly()
  @Requires('rollback:execute')
  @Endpoint('Say that a person has done what the step waits for', asked)
  confirmStep(
    @By() by: Caller,
    @Param({ schema: stepPath }) at: StepPath,
    @Body({ schema: stepWish }) body: StepWishBody,
  ): Promise<RunView> {
    return this.wishes.step(actorOf(by), at, 'confirm', body, (work) => this.control.transaction(by, work));
  }
}

function file(text: string, type: string): StreamableFile {
  return new StreamableFile(Buffer.from(text), { type });
}
