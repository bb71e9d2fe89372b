import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, IfMatch, InFeature, listOf, Requires, type Caller, type List } from '@belay/platform';
import { id } from '../wms.contract.js';
import {
  aliasFilter,
  aliasView,
  changeAlias,
  draftAlias,
  type AliasFilter,
  type AliasView,
  type ChangeAlias,
  type DraftAlias,
} from './rate.contract.js';
import { RateAliasService } from './rate-alias.service.js';

@ApiTags('wms')
@InFeature('wms_finance')
@Controller('wms/rate-aliases')
export class RateAliasController {
  constructor(private readonly aliases: RateAliasService) {}

  @Get()
  @Requires('wms.rate:read')
  @Endpoint("Find the operators' wordings", {
    returns: listOf(aliasView),
    problems: ['404 warehouse-not-found'],
  })
  list(@By() by: Caller, @Query({ schema: aliasFilter }) query: AliasFilter): Promise<List<AliasView>> {
    return this.aliases.list(by, query);
  }

  @Post()
  @Requires('wms.rate:write')
  @Endpoint('Say which rate a wording means', {
    status: 201,
    returns: aliasView,
    problems: ['404 warehouse-not-found', '409 rate-alias-taken'],
  })
  draft(@By() by: Caller, @Body({ schema: draftAlias }) body: DraftAlias): Promise<AliasView> {
    return this.aliases.draft(by, body);
  }

  @Patch(':id')
  @Requires('wms.rate:write')
  @Endpoint('Change which rate a wording means', {
    returns: aliasView,
    problems: ['404 rate-alias-not-found', '412 precondition-failed'],
  })
  change(
    @By() by: Caller,
    @Param('id', { schema: id }) alias: string,
    @IfMatch() version: number,
    @Body({ schema: changeAlias }) body: ChangeAlias,
  ): Promise<AliasView> {
    return this.aliases.change(by, alias, version, body);
  }

  @Delete(':id')
  @Requires('wms.rate:write')
  @Endpoint('Forget a wording', {
    problems: ['404 rate-alias-not-found', '412 precondition-failed'],
  })
  remove(@By() by: Caller, @Param('id', { schema: id }) alias: string, @IfMatch() version: number): Promise<void> {
    return this.aliases.remove(by, alias, version);
  }
}
