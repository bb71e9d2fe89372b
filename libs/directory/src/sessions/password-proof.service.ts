import { Injectable } from '@nestjs/common';
import { Accounts, Database, PasswordSignIn, type AccountFacts } from '@belay/platform';
import { CredentialService } from './credential.service.js';
import { WrongCredentials } from './session.problems.js';

/** Signs people in where there is no HTTP: the command line, for one act. */
@Injectable()
export class PasswordProof extends PasswordSignIn {
  constructor(
    private readonly database: Database,
    private readonly credentials: CredentialService,
    private readonly accounts: Accounts,
  ) {
    super();
  }

  async prove(username: string, password: string): Promise<AccountFacts> {
    const { accountId } = await this.credentials.prove(username, password);
    const account = await this.accounts.byId(accountId);
    if (account?.status !== 'active') throw new WrongCredentials();
    await this.credentials.forgetFailures(this.database.dataSource, username);
    return account;
  }
}
