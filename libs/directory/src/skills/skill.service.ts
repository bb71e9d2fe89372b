import { Injectable } from '@nestjs/common';
import { Database, decodeCursor, listFrom, Outbox, PermissionMissing, type Caller, type List } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { Account } from '../accounts/account.entity.js';
import { AccountLeft, AccountNotFound } from '../accounts/account.problems.js';
import { reaches } from '../accounts/account.rules.js';
import type { AccountChanged } from '../directory.events.js';
import { placesOf } from '../people/person.queries.js';
import type { CertifySkill, SkillFilter, SkillView } from './skill.contract.js';
import { SkillNotFound } from './skill.problems.js';
import { deleteSkill, leads, saveSkill, skillList } from './skill.queries.js';

const READ = 'directory.skill:read';
const WRITE = 'directory.skill:write';
const listKey = z.tuple([z.string()]);

@Injectable()
export class SkillService {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
  ) {}

  /** Seen by the person, by who leads a team they are in, and by holders of the permission at one of their sites. */
  async list(by: Caller, accountId: string, { cursor, limit }: SkillFilter): Promise<List<SkillView>> {
    const on = this.database.dataSource;
    const [places] = await placesOf(on, [accountId]);
    if (!places) throw new AccountNotFound(accountId);
    if (by.accountId !== accountId && !reaches(by, READ, places)) {
      const [answer] = await leads(on, [by.accountId, accountId]);
      if (answer?.leads !== true) throw new AccountNotFound(accountId);
    }
    const [after] = decodeCursor(cursor, listKey) ?? [null];
    const rows = await skillList(on, [accountId, after, limit + 1]);
    return listFrom(
      rows,
      limit,
      (row) => [row.skillCode],
      (row) => row,
    );
  }

  async certify(by: Caller, accountId: string, code: string, skill: CertifySkill): Promise<SkillView> {
    return this.database.transaction(by, async (tx) => {
      const account = await this.writable(tx, by, accountId);
      const { level, certifiedAt, expiresAt } = skill;
      const [row] = await saveSkill(tx, [accountId, code, level, certifiedAt, expiresAt]);
      if (!row) throw new Error('The skill was not stored');
      await this.announce(tx, account);
      return row;
    });
  }

  async withdraw(by: Caller, accountId: string, code: string): Promise<void> {
    await this.database.transaction(by, async (tx) => {
      const account = await this.writable(tx, by, accountId);
      const withdrawn = await deleteSkill(tx, [accountId, code]);
      if (withdrawn.length === 0) throw new SkillNotFound(accountId, code);
      await this.announce(tx, account);
    });
  }

  private async writable(tx: EntityManager, by: Caller, accountId: string): Promise<Account> {
    const account = await tx.findOne(Account, { where: { id: accountId }, lock: { mode: 'for_no_key_update' } });
    const [places] = await placesOf(tx, [accountId]);
    if (!account || !places) throw new AccountNotFound(accountId);
    if (!reaches(by, WRITE, places)) throw new PermissionMissing(WRITE);
    if (account.status === 'left') throw new AccountLeft(accountId);
    return account;
  }

  private async announce(tx: EntityManager, { id, kind, status }: Account): Promise<void> {
    const changed: AccountChanged = { name: 'directory.account-changed', body: { accountId: id, kind, status } };
    await this.outbox.add(tx, changed, 'directory');
  }
}
