import { createHash, randomBytes, randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import {
  Accounts,
  Database,
  decodeCursor,
  InvalidRequest,
  listFrom,
  PermissionMissing,
  violates,
  type Caller,
  type Grant,
  type List,
} from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { Account } from '../accounts/account.entity.js';
import { AccountLeft, AccountNotFound } from '../accounts/account.problems.js';
import { heldById } from '../accounts/account.queries.js';
import { governs } from '../accounts/account.rules.js';
import { grantsOf } from '../directory.permissions.js';
import { placesOf } from '../people/person.queries.js';
import { PersonNeeded } from '../sessions/session.problems.js';
import { ApiToken } from './api-token.entity.js';
import type { DraftToken, IssuedToken, TokenFilter, TokenView } from './token.contract.js';
import { OthersToken, TokenNotFound } from './token.problems.js';
import { tokenList } from './token.queries.js';
import { beyond } from './token.rules.js';

const MANAGE = 'directory.token:manage';
const DAY_MS = 86_400_000;
const listKey = z.tuple([z.uuid()]);

@Injectable()
export class TokenService {
  constructor(
    private readonly database: Database,
    private readonly accounts: Accounts,
  ) {}

  async list(by: Caller, accountId: string, { cursor, limit }: TokenFilter): Promise<List<TokenView>> {
    const [places] = await placesOf(this.database.dataSource, [accountId]);
    if (!places || (by.accountId !== accountId && !governs(by, MANAGE, places))) throw new AccountNotFound(accountId);
    const [after] = decodeCursor(cursor, listKey) ?? [null];
    const rows = await tokenList(this.database.dataSource, [accountId, after, limit + 1]);
    return listFrom(rows, limit, (row) => [row.id], view);
  }

  /** The only time the token itself is known here. */
  async issue(by: Caller, accountId: string, { name, scopes, siteId, days }: DraftToken): Promise<IssuedToken> {
    if (by.tokenId !== undefined) throw new PersonNeeded();
    const token = `bly_${randomBytes(32).toString('base64url')}`;
    try {
      return await this.database.transaction(by, async (tx) => {
        const account = await this.governed(tx, by, accountId);
        if (account.status === 'left') throw new AccountLeft(accountId);
        if (by.accountId !== accountId && account.kind === 'person') throw new OthersToken();
        const [held] = await heldById(tx, [accountId, null]);
        refuseBeyond(scopes, siteId, grantsOf(held?.roles ?? [], held?.permissions ?? []));

        const row = tx.create(ApiToken, {
          id: randomUUIDv7(),
          accountId,
          name,
          prefix: token.slice(0, 12),
          hash: createHash('sha256').update(token).digest('hex'),
          scopes: [...new Set(scopes)],
          siteId,
          expiresAt: new Date(Date.now() + days * DAY_MS),
        });
        await tx.insert(ApiToken, row);
        return { ...view(row), token };
      });
    } catch (error) {
      if (!violates(error, 'api_token_is_at_a_site')) throw error;
      throw new InvalidRequest([{ pointer: '#/siteId', detail: 'is no site' }]);
    }
  }

  /** Revoking twice changes nothing. */
  async revoke(by: Caller, accountId: string, tokenId: string): Promise<void> {
    await this.database.transaction(by, async (tx) => {
      await this.governed(tx, by, accountId);
      const token = await tx.findOneBy(ApiToken, { id: tokenId, accountId });
      if (!token) throw new TokenNotFound(tokenId);
      if (token.revokedAt) return;
      token.revokedAt = new Date();
      await tx.save(token);
    });
    this.accounts.changed(accountId);
  }

  /** Locked, so that no token is made while the account leaves. */
  private async governed(tx: EntityManager, by: Caller, accountId: string): Promise<Account> {
    const account = await tx.findOne(Account, { where: { id: accountId }, lock: { mode: 'pessimistic_write' } });
    const [places] = await placesOf(tx, [accountId]);
    if (!account || !places) throw new AccountNotFound(accountId);
    if (by.accountId !== accountId && !governs(by, MANAGE, places)) throw new PermissionMissing(MANAGE);
    return account;
  }
}

function refuseBeyond(scopes: readonly string[], siteId: string | null, grants: readonly Grant[]): void {
  const errors = beyond(scopes, siteId, grants).map((index) => ({
    pointer: `#/scopes/${index}`,
    detail: 'is more than the account may do there',
  }));
  if (errors.length > 0) throw new InvalidRequest(errors);
}

function view(row: Omit<ApiToken, 'hash'>): TokenView {
  return {
    id: row.id,
    accountId: row.accountId,
    name: row.name,
    prefix: row.prefix,
    scopes: row.scopes,
    siteId: row.siteId,
    expiresAt: row.expiresAt.toISOString(),
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    revokedAt: row.revokedAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
  };
}
