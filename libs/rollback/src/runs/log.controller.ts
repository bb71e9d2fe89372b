import { Endpoint, page, Requires, type List, type Page } from '@belay/platform';
import { Controller, Get, Query, StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { logList, type LogEntry } from './run.contract.js';
import { logAsMarkdown } from './run-report.rules.js';
import { RunReports } from './run-report.service.js';

/** One entry for every run there was. */
@ApiTags('rollback')
@Controller('rollback')
export class RollbackLogController {
  constructor(private readonly reports: RunReports) {}

  @Get('log')
  @Requires('rollback:read')
  @Endpoint('The rollback log', { returns: logList, description: 'Newest first.' })
  list(@Query({ schema: page }) query: Page): Promise<List<LogEntry>> {
    return this.reports.log(query);
  }

  @Get('log.md')
  @Requires('rollback:read')
  @Endpoint('The rollback log as Markdown', { download: 'text/markdown' })
  async markdown(@Query({ schema: page }) query: Page): Promise<StreamableFile> {
    const { items } = await this.reports.log(query);
    return new StreamableFile(Buffer.from(logAsMarkdown(items)), { type: 'text/markdown; charset=utf-8' });
  }
}
