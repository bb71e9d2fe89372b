import type { Readable } from 'node:stream';
import { Body, Controller, Delete, Get, Param, Post, Query, type StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, EventStreams, FinishesOpenWork, Requires, Upload, type Caller } from '@belay/platform';
import { id } from '../wms.contract.js';
import { RUN_IMPORTS } from './import-access.service.js';
import {
  importCommit,
  importReport,
  importUpload,
  importView,
  issueFilter,
  type ImportCommit,
  type ImportReport,
  type ImportUpload,
  type ImportView,
  type IssueFilter,
} from './import.contract.js';
import { ImportService } from './import.service.js';

const features = ['403 feature-read-only', '404 feature-off'] as const;

@ApiTags('wms')
@Controller('wms/imports')
@Requires(RUN_IMPORTS)
export class ImportController {
  constructor(
    private readonly imports: ImportService,
    private readonly streams: EventStreams,
  ) {}

  @Post()
  @Endpoint('Upload a CSV file and have it checked', {
    status: 201,
    returns: importView,
    upload: 'text/csv',
    problems: [
      ...features,
      '403 feature-draining',
      '404 warehouse-not-found',
      '409 inactive-master-data',
      '413 body-too-large',
    ],
    description:
      'UTF-8, separated by commas or semicolons, at most 20 MB and 100,000 rows. Nothing is imported yet. A file that was ' +
      'committed already is answered as it is.',
  })
  upload(
    @By() by: Caller,
    @Query({ schema: importUpload }) query: ImportUpload,
    @Upload() body: Readable,
  ): Promise<ImportView> {
    return this.imports.upload(by, query, body);
  }

  @Get(':id')
  @Endpoint('Read the report of an import', {
    returns: importReport,
    problems: ['404 import-not-found'],
    description: 'How far it is, and what is wrong: a page of issues, each with its line and column.',
  })
  report(
    @By() by: Caller,
    @Param('id', { schema: id }) importId: string,
    @Query({ schema: issueFilter }) query: IssueFilter,
  ): Promise<ImportReport> {
    return this.imports.report(by, importId, query);
  }

  @Get(':id/events')
  @Endpoint('Follow the progress of an import', { events: true, problems: ['404 import-not-found'] })
  async follow(@By() by: Caller, @Param('id', { schema: id }) importId: string): Promise<StreamableFile> {
    return this.streams.open(await this.imports.follow(by, importId));
  }

  @Post(':id/commit')
  @FinishesOpenWork()
  @Endpoint('Commit an import', {
    returns: importView,
    problems: [...features, '404 import-not-found', '409 import-has-errors', '409 import-not-ready', '409 busy-retry'],
    idempotency: 'required',
    keptDays: 7,
    description:
      'One movement for each Transaction_ID, one invoice for each number, one thing for each row of other kinds. More than ' +
      '5,000 rows are committed by a job: the answer is `committing`, and the report shows the progress.',
  })
  commit(
    @By() by: Caller,
    @Param('id', { schema: id }) importId: string,
    @Body({ schema: importCommit }) body: ImportCommit,
  ): Promise<ImportView> {
    return this.imports.commit(by, importId, body);
  }

  @Delete(':id')
  @FinishesOpenWork()
  @Endpoint('Give up an import that was not committed', {
    problems: ['404 import-not-found', '409 import-not-ready'],
  })
  cancel(@By() by: Caller, @Param('id', { schema: id }) importId: string): Promise<void> {
    return this.imports.cancel(by, importId);
  }
}
