import { Body, Controller, Get, Param, Patch, Post, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, IfMatch, listOf, Requires, SignedIn, type Caller, type List } from '@belay/platform';
import { id } from '../directory.contract.js';
import { ConsentService } from '../people/consent.service.js';
import { changeConsent, consentView, type ChangeConsent, type ConsentView } from '../people/person.contract.js';
import {
  accountFilter,
  accountView,
  changeAccount,
  draftAccount,
  grantRoles,
  type AccountFilter,
  type AccountView,
  type ChangeAccount,
  type DraftAccount,
  type GrantRoles,
} from './account.contract.js';
import { AccountService } from './account.service.js';

@ApiTags('directory')
@Controller('directory/accounts')
export class AccountController {
  constructor(
    private readonly accounts: AccountService,
    private readonly consents: ConsentService,
  ) {}

  @Get()
  @Requires('directory.account:read')
  @Endpoint('Find accounts', {
    returns: listOf(accountView),
    description:
      'By name, then id. People whose name you do not see in full come last, and no search finds what is masked.',
  })
  list(@By() by: Caller, @Query({ schema: accountFilter }) query: AccountFilter): Promise<List<AccountView>> {
    return this.accounts.list(by, query);
  }

  @Post()
  @Requires('directory.account:write')
  @Endpoint('Add an account', {
    status: 201,
    returns: accountView,
    problems: ['409 username-taken', '409 email-taken', '409 employee-no-taken', '422 password-too-weak'],
  })
  draft(@By() by: Caller, @Body({ schema: draftAccount }) body: DraftAccount): Promise<AccountView> {
    return this.accounts.draft(by, body);
  }

  @Get(':id')
  @Requires('directory.account:read')
  @Endpoint('Read an account', { returns: accountView, problems: ['404 account-not-found'] })
  get(@By() by: Caller, @Param('id', { schema: id }) account: string): Promise<AccountView> {
    return this.accounts.get(by, account);
  }

  @Patch(':id')
  @Requires('directory.account:write')
  @Endpoint('Change an account', {
    returns: accountView,
    problems: [
      '404 account-not-found',
      '409 account-left',
      '409 username-taken',
      '409 email-taken',
      '409 employee-no-taken',
      '409 last-admin',
      '412 precondition-failed',
      '422 password-too-weak',
    ],
  })
  change(
    @By() by: Caller,
    @Param('id', { schema: id }) account: string,
    @IfMatch() version: number,
    @Body({ schema: changeAccount }) body: ChangeAccount,
  ): Promise<AccountView> {
    return this.accounts.change(by, account, version, body);
  }

  @Post(':id/deactivation')
  @Requires('directory.account:write')
  @Endpoint('Let an account leave for good', {
    returns: accountView,
    problems: ['404 account-not-found', '409 last-admin'],
    description: 'Ends its sign-ins and tokens at once.',
  })
  deactivate(@By() by: Caller, @Param('id', { schema: id }) account: string): Promise<AccountView> {
    return this.accounts.deactivate(by, account);
  }

  @Put(':id/roles')
  @Requires('directory.role:grant')
  @Endpoint('Say what an account may', {
    returns: accountView,
    problems: ['404 account-not-found', '409 account-left', '409 last-admin', '412 precondition-failed'],
  })
  grant(
    @By() by: Caller,
    @Param('id', { schema: id }) account: string,
    @IfMatch() version: number,
    @Body({ schema: grantRoles }) body: GrantRoles,
  ): Promise<AccountView> {
    return this.accounts.grant(by, account, version, body);
  }

  @Put(':id/consent')
  @SignedIn()
  @Endpoint('Say how a person is shown to others', {
    returns: consentView,
    problems: ['404 account-not-found'],
    description: 'Everybody decides for themself; for others it needs people.consent:write. In force at once.',
  })
  consent(
    @By() by: Caller,
    @Param('id', { schema: id }) account: string,
    @Body({ schema: changeConsent }) body: ChangeConsent,
  ): Promise<ConsentView> {
    return this.consents.change(by, account, body);
  }
}
