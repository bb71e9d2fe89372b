import { Injectable } from '@nestjs/common';
import { Database, Outbox, PermissionMissing, type Caller } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { Account } from '../accounts/account.entity.js';
import { AccountNotFound } from '../accounts/account.problems.js';
import { reaches } from '../accounts/account.rules.js';
import type { AccountChanged } from '../directory.events.js';
import type { ConsentValue } from './consent.entity.js';
import { copyConsent, saveConsent } from './consent.queries.js';
import type { ChangeConsent, ConsentView } from './person.contract.js';
import { placesOf } from './person.queries.js';

const WRITE = 'people.consent:write';

@Injectable()
export class ConsentService {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
  ) {}

  /** Takes no version and asks no status: withdrawing consent must never fail, also not for those who have left. */
  async change(by: Caller, accountId: string, { value }: ChangeConsent): Promise<ConsentView> {
    const self = by.accountId === accountId && by.tokenId === undefined;
    return this.database.transaction(by, async (tx) => {
      const account = await tx.findOneBy(Account, { id: accountId });
      const [places] = await placesOf(tx, [accountId]);
      if (!account || !places) throw new AccountNotFound(accountId);
      if (!self && !reaches(by, WRITE, places)) throw new PermissionMissing(WRITE);

      const [saved] = await saveConsent(tx, [accountId, value, self ? 'self' : 'manager']);
      if (!saved) throw new Error('The consent was not stored');
      await this.announce(tx, accountId, account);
      return { accountId, ...saved, at: saved.at.toISOString() };
    });
  }

  /** Takes over what the person agreed to elsewhere, unless something newer is known here. */
  async copy(tx: EntityManager, accountId: string, value: ConsentValue, at: Date): Promise<void> {
    const [account] = await copyConsent(tx, [accountId, value, at]);
    if (account) await this.announce(tx, accountId, account);
  }

  private async announce(
    tx: EntityManager,
    accountId: string,
    { kind, status }: Pick<Account, 'kind' | 'status'>,
  ): Promise<void> {
    const changed: AccountChanged = { name: 'directory.account-changed', body: { accountId, kind, status } };
    await this.outbox.add(tx, changed, 'directory');
  }
}
