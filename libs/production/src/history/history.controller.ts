import { By, Endpoint, Requires, type Caller } from '@belay/platform';
import { Body, Controller, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { pastJob, takenJob, type PastJob, type TakenJob } from './history.contract.js';
import { HistoryService } from './history.service.js';

@ApiTags('production')
@Controller('production/history')
export class HistoryController {
  constructor(private readonly history: HistoryService) {}

  @Post()
  @Requires('production.job:write')
  @Endpoint('Take over a job that was done before', {
    returns: takenJob,
    problems: ['404 graph-not-found', '409 code-taken'],
    idempotency: 'required',
    description:
      'One batch with its visits and who worked in them. It is over: nothing of it is announced or can be worked on.',
  })
  take(@By() by: Caller, @Body({ schema: pastJob }) body: PastJob): Promise<TakenJob> {
    return this.history.take(by, body);
  }
}
