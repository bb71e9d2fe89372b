import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import {
  Accounts,
  containing,
  Database,
  decodeCursor,
  InvalidRequest,
  listFrom,
  Outbox,
  PermissionMissing,
  PreconditionFailed,
  type Caller,
  type List,
} from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import type { AccountChanged, AccountDeactivated } from '../directory.events.js';
import { placesOf, sitesValue, viewerValues } from '../people/person.queries.js';
import type { ShownPerson } from '../people/person.rules.js';
import { PersonService } from '../people/person.service.js';
import { CredentialService } from '../sessions/credential.service.js';
import { PasswordService } from '../sessions/password.service.js';
import type { AccountFilter, AccountView, ChangeAccount, DraftAccount, GrantRoles } from './account.contract.js';
import { Account } from './account.entity.js';
import { AccountLeft, AccountNotFound, refusal } from './account.problems.js';
import { accountById, accountList, revokeSignIns, revokeTokens, type AccountRow } from './account.queries.js';
import { governs } from './account.rules.js';
import { AdminService } from './admin.service.js';
import { placesOfRoles, RoleService, unknownSite } from './role.service.js';

const READ = 'directory.account:read';
const WRITE = 'directory.account:write';
const listKey = z.tuple([z.boolean(), z.string(), z.uuid()]);

@Injectable()
export class AccountService {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly people: PersonService,
    private readonly roles: RoleService,
    private readonly admins: AdminService,
    private readonly passwords: PasswordService,
    private readonly credentials: CredentialService,
    private readonly lookup: Accounts,
  ) {}

  async list(
    by: Caller,
    { search, teamId, siteId, role, status, cursor, limit }: AccountFilter,
  ): Promise<List<AccountView>> {
    const after = decodeCursor(cursor, listKey) ?? [null, null, null];
    const rows = await accountList(this.database.dataSource, [
      ...viewerValues(by),
      sitesValue(by, READ),
      containing(search),
      teamId ?? null,
      siteId ?? null,
      role ?? null,
      status ?? null,
      ...after,
      limit + 1,
    ]);
    const shown = await this.people.show(this.database.dataSource, by, rows.slice(0, limit));
    const people = new Map(shown.map((person) => [person.id, person]));
    return listFrom(
      rows,
      limit,
      (row) => [row.sortMasked, row.sortName, row.id],
      (row) => view(row, people.get(row.id)),
    );
  }

  async get(by: Caller, id: string): Promise<AccountView> {
    const rows = await accountById(this.database.dataSource, [...viewerValues(by), sitesValue(by, READ), id]);
    const [row] = rows;
    if (!row) throw new AccountNotFound(id);
    const [person] = await this.people.show(this.database.dataSource, by, rows);
    return view(row, person);
  }

  async draft(by: Caller, { roles, password, ...details }: DraftAccount): Promise<AccountView> {
    if (!governs(by, WRITE, placesOfRoles(roles))) throw new PermissionMissing(WRITE);
    const id = randomUUIDv7();
    try {
      return await this.database.transaction(by, async (tx) => {
        await tx.insert(Account, { id, ...details });
        if (password !== undefined) await this.passwords.save(tx, { id, username: details.username }, password, true);
        await this.roles.replace(tx, by, id, { roles, permissions: [] });
        return this.announced(tx, by, id);
      });
    } catch (error) {
      throw unknownSite(refusal(error, details));
    }
  }

  async change(by: Caller, id: string, version: number, { password, ...details }: ChangeAccount): Promise<AccountView> {
    try {
      return await this.committed(by, id, async (tx) => {
        const account = await this.open(tx, by, id, version);
        if (details.status === 'suspended' && account.status === 'active') {
          await this.admins.letGo(tx, id);
          await revokeSignIns(tx, [id]);
        }
        await tx.save(Object.assign(account, details));
        if (password !== undefined) await this.resetPassword(tx, account, password);
        return this.announced(tx, by, id);
      });
    } catch (error) {
      throw refusal(error, details);
    }
  }

  async grant(by: Caller, id: string, version: number, held: GrantRoles): Promise<AccountView> {
    try {
      return await this.committed(by, id, async (tx) => {
        await this.open(tx, by, id, version);
        await this.roles.replace(tx, by, id, held);
        await tx.increment(Account, { id }, 'rowVersion', 1);
        return this.announced(tx, by, id);
      });
    } catch (error) {
      throw unknownSite(error);
    }
  }

  /** Final. The account's tokens end with it, in the same transaction; doing it again changes nothing. */
  async deactivate(by: Caller, id: string): Promise<AccountView> {
    return this.committed(by, id, async (tx) => {
      const account = await this.locked(tx, by, id);
      if (account.status === 'left') return this.written(tx, by, id);

      await this.admins.letGo(tx, id);
      account.status = 'left';
      await tx.save(account);
      await revokeTokens(tx, [id]);
      const deactivated: AccountDeactivated = { name: 'directory.account-deactivated', body: { accountId: id } };
      await this.outbox.add(tx, deactivated, 'directory');
      return this.announced(tx, by, id);
    });
  }

  /** What this process knows of the account is forgotten before anybody gets the answer. */
  private async committed(
    by: Caller,
    id: string,
    work: (tx: EntityManager) => Promise<AccountView>,
  ): Promise<AccountView> {
    const answer = await this.database.transaction(by, work);
    this.lookup.changed(id);
    return answer;
  }

  private async resetPassword(tx: EntityManager, account: Account, password: string): Promise<void> {
    if (account.kind === 'machine') {
      throw new InvalidRequest([{ pointer: '#/password', detail: 'must be absent: a machine shows a token' }]);
    }
    await this.passwords.save(tx, account, password, true);
    await this.credentials.forgetFailures(tx, account.username);
    await revokeSignIns(tx, [account.id]);
  }

  /** The account, locked, if the caller governs it and it has not left. */
  private async open(tx: EntityManager, by: Caller, id: string, version: number): Promise<Account> {
    const account = await this.locked(tx, by, id);
    if (account.status === 'left') throw new AccountLeft(id);
    if (account.rowVersion !== version) throw new PreconditionFailed(account.rowVersion);
    return account;
  }

  private async locked(tx: EntityManager, by: Caller, id: string): Promise<Account> {
    const account = await tx.findOne(Account, { where: { id }, lock: { mode: 'pessimistic_write' } });
    const [places] = await placesOf(tx, [id]);
    if (!account || !places) throw new AccountNotFound(id);
    if (!governs(by, WRITE, places)) throw new PermissionMissing(WRITE);
    return account;
  }

  private async announced(tx: EntityManager, by: Caller, id: string): Promise<AccountView> {
    const answer = await this.written(tx, by, id);
    const { kind, status } = answer;
    const changed: AccountChanged = { name: 'directory.account-changed', body: { accountId: id, kind, status } };
    await this.outbox.add(tx, changed, 'directory');
    return answer;
  }

  private async written(tx: EntityManager, by: Caller, id: string): Promise<AccountView> {
    const rows = await accountById(tx, [...viewerValues(by), sitesValue(by, WRITE), id]);
    const [row] = rows;
    if (!row) throw new AccountNotFound(id);
    const [person] = await this.people.show(tx, by, rows);
    return view(row, person);
  }
}

function view(row: AccountRow, person: ShownPerson | undefined): AccountView {
  if (!person) throw new Error(`The account ${row.id} was read, but not masked`);
  const { locale, consent, roles, permissions, createdAt, rowVersion } = row;
  return { ...person, locale, consent, roles, permissions, createdAt: createdAt.toISOString(), rowVersion };
}
