import { Injectable } from '@nestjs/common';
import { Database, type Caller } from '@belay/platform';
import { Account } from '../accounts/account.entity.js';
import { AccountNotFound } from '../accounts/account.problems.js';
import { AccountService } from '../accounts/account.service.js';
import { permissions } from '../directory.permissions.js';
import type { MeView } from './session.contract.js';

@Injectable()
export class MeService {
  constructor(
    private readonly database: Database,
    private readonly accounts: AccountService,
  ) {}

  async who(by: Caller): Promise<MeView> {
    const [account, row] = await Promise.all([
      this.accounts.get(by, by.accountId),
      this.database.manager.findOneBy(Account, { id: by.accountId }),
    ]);
    if (!row) throw new AccountNotFound(by.accountId);
    return {
      account,
      mustChangePassword: row.mustChangePassword,
      lastSignInAt: row.lastSignInAt?.toISOString() ?? null,
      grants: [...permissions].flatMap((permission) => grants(by, permission)),
    };
  }
}

function grants(by: Caller, permission: string): MeView['grants'] {
  const sites = by.sitesFor(permission);
  return sites === 'all' ? [{ permission, siteId: null }] : sites.map((siteId) => ({ permission, siteId }));
}
