import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, listOf, Requires, type Caller, type List } from '@belay/platform';
import { id } from '../directory.contract.js';
import {
  draftToken,
  issuedToken,
  tokenFilter,
  tokenView,
  type DraftToken,
  type IssuedToken,
  type TokenFilter,
  type TokenView,
} from './token.contract.js';
import { TokenService } from './token.service.js';

@ApiTags('directory')
@Controller('directory/accounts/:id/tokens')
export class TokenController {
  constructor(private readonly tokens: TokenService) {}

  @Get()
  @Requires('directory.token:write')
  @Endpoint('List the tokens of an account', { returns: listOf(tokenView), problems: ['404 account-not-found'] })
  list(
    @By() by: Caller,
    @Param('id', { schema: id }) account: string,
    @Query({ schema: tokenFilter }) query: TokenFilter,
  ): Promise<List<TokenView>> {
    return this.tokens.list(by, account, query);
  }

  @Post()
  @Requires('directory.token:write')
  @Endpoint('Issue a token', {
    status: 201,
    returns: issuedToken,
    problems: ['403 person-needed', '403 others-token', '404 account-not-found', '409 account-left'],
    // The answer holds the token, which must be stored nowhere.
    idempotency: 'none',
    description: 'One’s own, or with directory.token:manage one of a machine. The token is shown this once.',
  })
  issue(
    @By() by: Caller,
    @Param('id', { schema: id }) account: string,
    @Body({ schema: draftToken }) body: DraftToken,
  ): Promise<IssuedToken> {
    return this.tokens.issue(by, account, body);
  }

  @Delete(':token')
  @Requires('directory.token:write')
  @Endpoint('Revoke a token', { problems: ['404 account-not-found', '404 token-not-found'] })
  revoke(
    @By() by: Caller,
    @Param('id', { schema: id }) account: string,
    @Param('token', { schema: id }) token: string,
  ): Promise<void> {
    return this.tokens.revoke(by, account, token);
  }
}
