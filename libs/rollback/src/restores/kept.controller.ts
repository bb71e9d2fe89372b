import { Endpoint, Requires, type List } from '@belay/platform';
import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { keptList, keptQuery, type KeptQuery, type KeptView } from './kept.contract.js';
import { Kept } from './kept.service.js';

/** What was put aside and not dropped. */
@ApiTags('rollback')
@Controller('rollback/parked')
export class KeptController {
  constructor(private readonly kept: Kept) {}

  @Get()
  @Requires('rollback:read')
  @Endpoint('List what is parked and which failed copies are kept, newest first', { returns: keptList })
  list(@Query({ schema: keptQuery }) query: KeptQuery): Promise<List<KeptView>> {
    return this.kept.list(query);
  }
}
