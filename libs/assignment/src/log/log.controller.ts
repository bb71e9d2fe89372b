import { Controller, Get, Query, StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, KeptBy, listOf, Requires, type Caller, type List } from '@belay/platform';
import { logEntry, logExport, logFilter, type LogEntry, type LogExport, type LogFilter } from './log.contract.js';
import { EXPORT_LOG, LogService, READ_LOG } from './log.service.js';

const csv = { type: 'text/csv; charset=utf-8', disposition: 'attachment; filename="assignment-log.csv"' };

@ApiTags('assignment')
@Controller('assignment')
@KeptBy('enable_assignment_preview')
export class LogController {
  constructor(private readonly log: LogService) {}

  @Get('log')
  @Requires(READ_LOG)
  @Endpoint('Read who was given what, and why', {
    returns: listOf(logEntry),
    description: 'Newest first: every choice with what it rested on, and what people did about it.',
  })
  list(@By() by: Caller, @Query({ schema: logFilter }) query: LogFilter): Promise<List<LogEntry>> {
    return this.log.list(by, query);
  }

  @Get('log.csv')
  @Requires(EXPORT_LOG)
  @Endpoint('Fetch the log as a CSV file', { download: 'text/csv', description: 'As the list, without pages.' })
  export(@By() by: Caller, @Query({ schema: logExport }) query: LogExport): StreamableFile {
    return new StreamableFile(this.log.export(by, query), csv);
  }
}
