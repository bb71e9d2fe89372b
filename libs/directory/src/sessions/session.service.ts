import { createHash, randomBytes, randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Accounts, Database, SigningKeys, type Caller } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { Account } from '../accounts/account.entity.js';
import { revokeSignIns } from '../accounts/account.queries.js';
import { CredentialService } from './credential.service.js';
import { PasswordService } from './password.service.js';
import type { ChangePassword, Refresh, SessionView, SignIn } from './session.contract.js';
import { PasswordTooWeak, PersonNeeded, TokenReused, WrongCredentials } from './session.problems.js';
import { addRefreshToken, lockHolder, noteSignIn, revokeFamily, useToken, wasUsed } from './session.queries.js';

interface Opening {
  readonly accountId: string;
  readonly family: string;
  readonly authenticatedAt: Date;
  readonly client: string | null;
  readonly mustChangePassword: boolean;
}

interface Opened extends Opening {
  readonly refreshToken: string;
  readonly refreshExpiresAt: Date;
}

/** Signing in and staying signed in. */
@Injectable()
export class SessionService {
  constructor(
    private readonly database: Database,
    private readonly credentials: CredentialService,
    private readonly passwords: PasswordService,
    private readonly keys: SigningKeys,
    private readonly accounts: Accounts,
  ) {}

  async signIn(by: Caller, { username, password, client }: SignIn): Promise<SessionView> {
    const proven = await this.credentials.prove(username, password);
    const opened = await this.database.transaction(by, async (tx) => {
      const [noted] = await noteSignIn(tx, [proven.accountId]);
      if (!noted) throw new WrongCredentials();
      await this.credentials.forgetFailures(tx, username);
      return this.open(tx, {
        accountId: proven.accountId,
        family: randomUUIDv7(),
        authenticatedAt: new Date(),
        client: client ?? null,
        mustChangePassword: noted.mustChangePassword,
      });
    });
    return this.answer(opened);
  }

  /**
   * Of several that show the same token, one is served. The others prove that there are copies of it, so they end the
   * whole sign-in, with what the first one got.
   */
  async refresh(by: Caller, { refreshToken }: Refresh): Promise<SessionView> {
    const hash = hashOf(refreshToken);
    const outcome = await this.database.transaction(by, async (tx) => {
      const [holder] = await lockHolder(tx, [hash]);
      if (holder?.status !== 'active') throw new WrongCredentials();
      const [token] = await useToken(tx, [hash]);
      if (token) return { opened: await this.open(tx, { ...holder, ...token }) };

      const [known] = await wasUsed(tx, [hash]);
      if (known?.used !== true) throw new WrongCredentials();
      await revokeFamily(tx, [holder.family]);
      return { ended: holder.accountId };
    });
    if ('opened' in outcome) return this.answer(outcome.opened);
    this.accounts.changed(outcome.ended);
    throw new TokenReused();
  }

  /** Ends the sign-in that the token came from. A token that nobody knows is as good as signed out. */
  async signOut(by: Caller, { refreshToken }: Refresh): Promise<void> {
    const ended = await this.database.transaction(by, async (tx) => {
      const [holder] = await lockHolder(tx, [hashOf(refreshToken)]);
      if (holder) await revokeFamily(tx, [holder.family]);
      return holder?.accountId;
    });
    if (ended !== undefined) this.accounts.changed(ended);
  }

  /** Ends every sign-in of the person, so that who knew the old password is out, and starts a new one. */
  async changePassword(by: Caller, { currentPassword, newPassword }: ChangePassword): Promise<SessionView> {
    if (by.tokenId !== undefined) throw new PersonNeeded();
    await this.credentials.prove(by.username, currentPassword);
    if (newPassword === currentPassword) throw new PasswordTooWeak('It is the one you have.');
    const opened = await this.database.transaction(by, async (tx) => {
      const account = await tx.findOne(Account, { where: { id: by.accountId }, lock: { mode: 'pessimistic_write' } });
      if (account?.status !== 'active') throw new WrongCredentials();
      await this.passwords.save(tx, account, newPassword, false);
      await this.credentials.forgetFailures(tx, account.username);
      await revokeSignIns(tx, [account.id]);
      return this.open(tx, {
        accountId: account.id,
        family: randomUUIDv7(),
        authenticatedAt: new Date(),
        client: null,
        mustChangePassword: false,
      });
    });
    this.accounts.changed(by.accountId);
    return this.answer(opened);
  }

  /** Starts a sign-in for an account that has just proved itself, or goes on with one. */
  private async open(tx: EntityManager, opening: Opening): Promise<Opened> {
    const refreshToken = randomBytes(32).toString('base64url');
    const { accountId, family, authenticatedAt, client } = opening;
    const values = [randomUUIDv7(), accountId, family, hashOf(refreshToken), authenticatedAt, client];
    const [added] = await addRefreshToken(tx, values);
    if (!added) throw new Error('The refresh token was not stored');
    return { ...opening, refreshToken, refreshExpiresAt: added.expiresAt };
  }

  /** Outside the transaction: the keys may have to be read, on a connection that is not ours. */
  private async answer(opened: Opened): Promise<SessionView> {
    const authTime = Math.floor(opened.authenticatedAt.getTime() / 1000);
    const access = await this.keys.issue(opened.accountId, { authTime, session: opened.family });
    return {
      tokenType: 'Bearer',
      accessToken: access.token,
      expiresAt: access.expiresAt.toISOString(),
      refreshToken: opened.refreshToken,
      refreshExpiresAt: opened.refreshExpiresAt.toISOString(),
      mustChangePassword: opened.mustChangePassword,
    };
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
