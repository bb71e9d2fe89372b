import { AllowedWhenReadOnly, By, ControlDatabase, Endpoint, Requires, type Caller, type List } from '@belay/platform';
import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { actorOf } from '../engine/actor.js';
import {
  asker,
  flagBoard,
  flagExplanation,
  flagPath,
  newOverride,
  newSnapshot,
  overrideView,
  snapshotFilter,
  snapshotList,
  snapshotView,
  type Asker,
  type FlagBoard,
  type FlagExplanation,
  type FlagPath,
  type NewOverride,
  type OverrideView,
  type SnapshotFilter,
  type SnapshotView,
} from './flag.contract.js';
import { FlagBoards } from './flag-boards.service.js';
import { Overrides } from './overrides.service.js';
import { FlagSnapshots } from './snapshots.service.js';

/** What is on and why, and what people switch off by hand. */
@ApiTags('rollback')
@Controller('rollback/flags')
export class FlagsController {
  constructor(
    private readonly boards: FlagBoards,
    private readonly overrides: Overrides,
    private readonly snapshots: FlagSnapshots,
    private readonly control: ControlDatabase,
  ) {}

  @Get()
  @Requires('rollback:read')
  @Endpoint('Read every flag with its layers', {
    returns: flagBoard,
    description: 'As the process that answers sees it.',
  })
  board(): Promise<FlagBoard> {
    return this.boards.board();
  }

  @Get('snapshots')
  @Requires('rollback:read')
  @Endpoint('List snapshots of the flags, newest first', { returns: snapshotList })
  list(@Query({ schema: snapshotFilter }) query: SnapshotFilter): Promise<List<SnapshotView>> {
    return this.snapshots.list(query);
  }

  @Post('snapshots')
  @AllowedWhenReadOnly()
  @Requires('rollback:plan')
  @Endpoint('Keep what every flag is now', { status: 201, returns: snapshotView, idempotency: 'required' })
  take(
    @By() by: Caller,
    @Body({ schema: newSnapshot }) { reason }: z.infer<typeof newSnapshot>,
  ): Promise<SnapshotView> {
    return this.snapshots.take(actorOf(by), reason, (work) => this.control.transaction(by, work));
  }

  @Post('overrides')
  @AllowedWhenReadOnly()
  @Requires('rollback:switch')
  @Endpoint('Switch a module or a feature off by hand', {
    status: 201,
    returns: overrideView,
    idempotency: 'required',
    description:
      'It is in force everywhere within a second, without any flag server; what was off already stays whose it is.',
    problems: ['409 emergency-only', '422 flag-unknown', '422 reason-too-short'],
  })
  off(@By() by: Caller, @Body({ schema: newOverride }) { flag, reason }: NewOverride): Promise<OverrideView> {
    return this.overrides.off(actorOf(by), flag, reason, (work) => this.control.transaction(by, work));
  }

  @Delete('overrides/:flag')
  @AllowedWhenReadOnly()
  @Requires('rollback:approve')
  @Endpoint('Lift an override, so that the source of the flag has its say again', {
    returns: overrideView,
    description: 'Needs rollback:switch as well, and the reason in X-Reason.',
    problems: [
      '403 permission-missing',
      '404 override-not-found',
      '409 run-in-progress',
      '409 schema-parked',
      '422 reason-too-short',
    ],
  })
  lift(@By() by: Caller, @Param({ schema: flagPath }) { flag }: FlagPath): Promise<OverrideView> {
    return this.overrides.lift(actorOf(by), flag, by.reason ?? '', (work) => this.control.transaction(by, work));
  }

  @Get(':flag/explain')
  @Requires('rollback:read')
  @Endpoint('Say why a flag is on or off', { returns: flagExplanation, problems: ['422 flag-unknown'] })
  explain(
    @Param({ schema: flagPath }) { flag }: FlagPath,
    @Query({ schema: asker }) asked: Asker,
  ): Promise<FlagExplanation> {
    return this.boards.explain(flag, asked);
  }
}
