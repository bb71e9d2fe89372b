import { createHash, randomUUID } from 'node:crypto';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { decodeJwt, errors } from 'jose';
import type { Logger } from 'pino';
import { Listener } from '../database/listener.js';
import { LOG } from '../runtime.js';
import { Accounts, type AccountFacts, type ApiTokenFacts } from './accounts.js';
import { TokenRefused } from './auth.problems.js';
import { SYSTEM_ACCOUNT, type Grant } from './caller.js';
import { OidcTokens } from './oidc-tokens.js';
import type { Session } from './session.js';
import { LOCAL_ISSUER, SigningKeys } from './signing-keys.js';

const mostSessions = 10_000;
const usedEveryMs = 60_000;
const apiToken = /^bly_[A-Za-z0-9_-]{43}$/;

/**
 * Bearer tokens that were accepted, so that a token is verified and its account read once per process and not per
 * request. Every change of an account, its roles or its tokens is told by the database on a connection of its own; while
 * that connection is down nothing is remembered.
 */
@Injectable()
export class Sessions implements OnModuleInit {
  readonly #sessions = new Map<string, Session>();
  /** Tokens that were accepted and must be looked at again. */
  readonly #stale = new Set<string>();
  readonly #used = new Map<string, number>();
  #changes = 0;

  constructor(
    private readonly accounts: Accounts,
    private readonly keys: SigningKeys,
    private readonly oidc: OidcTokens,
    private readonly listener: Listener,
    @Inject(LOG) private readonly log: Logger,
  ) {}

  async onModuleInit(): Promise<void> {
    this.accounts.onChange((accountId) => {
      this.forget(accountId);
    });
    await this.listener.listen(
      'account_changed',
      (accountId) => {
        this.forget(accountId);
      },
      () => {
        this.forgetAll();
      },
    );
  }

  /** The session of a token that was accepted before and still is. */
  known(token: string): Session | undefined {
    if (!this.listener.connected) return undefined;
    const session = this.#sessions.get(token);
    if (!session) return undefined;
    if (session.expiresAt <= Date.now()) {
      this.#sessions.delete(token);
      return undefined;
    }
    this.noteUse(session);
    return session;
  }

  /** Whether the token was accepted before, though it may not be any more: then it is no guess. */
  wasKnown(token: string): boolean {
    return this.#sessions.has(token) || this.#stale.has(token);
  }

  /** Verifies a token; throws `token-refused` unless it stands for an active account. */
  async open(token: string): Promise<Session> {
    const changes = this.#changes;
    this.#sessions.delete(token);
    this.#stale.delete(token);
    const session = apiToken.test(token) ? await this.ofApiToken(token) : await this.ofJwt(token);
    // What was read before a change must not be remembered after it.
    if (changes === this.#changes) this.remember(token, session);
    else this.#stale.add(token);
    this.noteUse(session);
    return session;
  }

  /**
   * A token for what this process asks of itself, with these permissions everywhere and for a minute; it was never
   * written down and is good in this application only.
   */
  vouch(permissions: readonly string[]): string {
    const token = `${randomUUID()}${randomUUID()}`;
    const grants = permissions.map((permission) => ({ permission, siteId: null }));
    const expiresAt = Date.now() + 60_000;
    this.remember(token, {
      accountId: SYSTEM_ACCOUNT,
      username: 'belay',
      kind: 'machine',
      roles: [],
      grants,
      expiresAt,
    });
    return token;
  }

  private forget(accountId: string): void {
    this.#changes += 1;
    for (const [token, session] of this.#sessions) if (session.accountId === accountId) this.doubt(token);
  }

  private forgetAll(): void {
    this.#changes += 1;
    for (const token of this.#sessions.keys()) this.doubt(token);
  }

  private doubt(token: string): void {
    this.#sessions.delete(token);
    if (this.#stale.size >= mostSessions) this.#stale.clear();
    this.#stale.add(token);
  }

  private remember(token: string, session: Session): void {
    if (this.#sessions.size >= mostSessions) {
      const [oldest] = this.#sessions.keys();
      if (oldest !== undefined) this.#sessions.delete(oldest);
    }
    this.#sessions.set(token, session);
  }

  private async ofApiToken(token: string): Promise<Session> {
    const facts = await this.accounts.byApiToken(createHash('sha256').update(token).digest('hex'));
    if (!facts || facts.expiresAt.getTime() <= Date.now()) throw new TokenRefused();
    const { tokenId, account, expiresAt } = facts;
    return { ...active(account), grants: grantsOf(facts), tokenId, expiresAt: expiresAt.getTime() };
  }

  private async ofJwt(token: string): Promise<Session> {
    if (issuerOf(token) !== LOCAL_ISSUER) {
      const { identity, authTime, expiresAt } = await this.oidc.verify(token);
      return {
        ...active(await this.accounts.byOidc(identity)),
        ...(authTime !== undefined && { authTime }),
        expiresAt,
      };
    }
    const { accountId, authTime, session, expiresAt } = await this.keys.verify(token);
    return {
      ...active(await this.accounts.byId(accountId, session)),
      authTime,
      signIn: session,
      expiresAt: expiresAt.getTime(),
    };
  }

  private noteUse({ tokenId }: Session): void {
    if (tokenId === undefined) return;
    const now = Date.now();
    if (now - (this.#used.get(tokenId) ?? 0) < usedEveryMs) return;
    if (this.#used.size >= mostSessions) this.#used.clear();
    this.#used.set(tokenId, now);
    this.accounts.tokenUsed(tokenId, new Date(now)).catch((error: unknown) => {
      this.log.warn({ err: error, tokenId }, 'last use of a token not written');
    });
  }
}

type Holder = Pick<Session, 'accountId' | 'username' | 'kind' | 'roles' | 'grants'>;

function active(account: AccountFacts | undefined): Holder {
  if (account?.status !== 'active') throw new TokenRefused();
  const { id, username, kind, roles, grants } = account;
  return { accountId: id, username, kind, roles, grants };
}

/** What the account may, cut down to the token's scopes and site: never more. */
function grantsOf({ account, scopes, siteId }: Pick<ApiTokenFacts, 'account' | 'scopes' | 'siteId'>): Grant[] {
  return account.grants.flatMap((grant) => {
    if (!scopes.includes('*') && !scopes.includes(grant.permission)) return [];
    if (siteId === null) return [grant];
    return grant.siteId === null || grant.siteId === siteId ? [{ permission: grant.permission, siteId }] : [];
  });
}

function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch (error) {
    if (error instanceof errors.JOSEError) throw new TokenRefused();
    throw error;
  }
}
