import { By, Endpoint, Requires, type Caller } from '@belay/platform';
import { Body, Controller, Get, Param, Patch } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { id } from '../production.contract.js';
import {
  changeVersion,
  versionItem,
  versionView,
  type ChangeVersion,
  type VersionItem,
  type VersionView,
} from './version.contract.js';
import { VersionService } from './version.service.js';

@ApiTags('production')
@Controller('production/graph-versions')
export class VersionController {
  constructor(private readonly versions: VersionService) {}

  @Get(':id')
  @Requires('production.graph:read')
  @Endpoint('Read a version', {
    returns: versionView,
    problems: ['404 graph-not-found'],
    description: 'With the ids of its nodes. It never changes.',
  })
  get(@Param('id', { schema: id }) version: string): Promise<VersionView> {
    return this.versions.get(version);
  }

  @Patch(':id')
  @Requires('production.graph:publish')
  @Endpoint('Close or open a version', {
    returns: versionItem,
    problems: ['404 graph-not-found', '409 graph-archived'],
    description: 'For new jobs. Running ones go on.',
  })
  change(
    @By() by: Caller,
    @Param('id', { schema: id }) version: string,
    @Body({ schema: changeVersion }) body: ChangeVersion,
  ): Promise<VersionItem> {
    return this.versions.change(by, version, body);
  }
}
