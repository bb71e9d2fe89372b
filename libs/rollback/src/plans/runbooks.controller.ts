import {
  AllowedWhenReadOnly,
  By,
  ControlDatabase,
  decodeCursor,
  Endpoint,
  IfMatch,
  listFrom,
  listOf,
  page,
  Requires,
  type Caller,
  type List,
  type Page,
} from '@belay/platform';
import { Body, Controller, Get, Param, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { actorOf } from '../engine/actor.js';
import {
  runbookDraft,
  runbookPath,
  runbookQuery,
  runbookSummary,
  runbookView,
  type RunbookDraft,
  type RunbookPath,
  type RunbookQuery,
  type RunbookSummary,
  type RunbookView,
} from './runbook.contract.js';
import { Runbooks } from './runbooks.service.js';

/** Ways back that were thought of beforehand. */
@ApiTags('rollback')
@Controller('rollback/runbooks')
export class RunbooksController {
  constructor(
    private readonly runbooks: Runbooks,
    private readonly control: ControlDatabase,
  ) {}

  @Get()
  @Requires('rollback:read')
  @Endpoint('List runbooks in their newest versions', { returns: listOf(runbookSummary) })
  async list(@Query({ schema: page }) { limit, cursor }: Page): Promise<List<RunbookSummary>> {
    const [last = ''] = decodeCursor(cursor, z.tuple([z.string()])) ?? [];
    const later = (await this.runbooks.list()).filter(({ id }) => id > last);
    return listFrom(
      later,
      limit,
      ({ id }) => [id],
      (runbook) => runbook,
    );
  }

  @Get(':id')
  @Requires('rollback:read')
  @Endpoint('Read a runbook', { returns: runbookView, problems: ['404 runbook-not-found', '409 document-too-new'] })
  get(
    @Param({ schema: runbookPath }) { id }: RunbookPath,
    @Query({ schema: runbookQuery }) { version }: RunbookQuery,
  ): Promise<RunbookView> {
    return this.runbooks.get(id, version);
  }

  @Put(':id')
  @AllowedWhenReadOnly()
  @Requires('rollback:plan')
  @Endpoint('Write another version of a runbook, which needs a drill of its own', {
    returns: runbookView,
    problems: ['404 runbook-not-found', '422 plan-refused'],
  })
  write(
    @By() by: Caller,
    @Param({ schema: runbookPath }) { id }: RunbookPath,
    @IfMatch() version: number,
    @Body({ schema: runbookDraft }) draft: RunbookDraft,
  ): Promise<RunbookView> {
    return this.runbooks.write(actorOf(by), id, version, draft, (work) => this.control.transaction(by, work));
  }
}
