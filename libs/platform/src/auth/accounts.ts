import type { Grant } from './caller.js';

export interface AccountFacts {
  readonly id: string;
  readonly username: string;
  readonly kind: 'person' | 'machine';
  readonly status: 'active' | 'suspended' | 'left';
  readonly roles: readonly string[];
  readonly grants: readonly Grant[];
}

export interface ApiTokenFacts {
  readonly tokenId: string;
  readonly account: AccountFacts;
  /** Permissions the token is cut down to; `*` keeps all of the account's. */
  readonly scopes: readonly string[];
  /** The only site the token works at; null keeps all of the account's. */
  readonly siteId: string | null;
  readonly expiresAt: Date;
}

/** Who an identity provider says is asking; its signature, issuer, audience and times have been checked. */
export interface OidcIdentity {
  readonly issuer: string;
  readonly subject: string;
  /** `email` is a verified address; `username` is the value of the claim that OIDC_LINK_CLAIM names. */
  readonly linkedBy: 'email' | 'username';
  readonly value: string;
  /** Our roles, from the claim map, held everywhere and in addition to the account's own. */
  readonly roles: readonly string[];
}

/**
 * What the platform must know of accounts, answered by the domain that owns them. Revoked tokens and accounts that do
 * not exist are undefined; status and expiry are facts that the platform judges.
 */
export abstract class Accounts {
  readonly #listeners = new Set<(accountId: string) => void>();

  /** With the sign-in that the token belongs to: undefined when that was ended. */
  abstract byId(id: string, signIn?: string): Promise<AccountFacts | undefined>;
  /** `hash` is the SHA-256 of the token in lower-case hex. */
  abstract byApiToken(hash: string): Promise<ApiTokenFacts | undefined>;
  abstract byOidc(identity: OidcIdentity): Promise<AccountFacts | undefined>;
  /** Called at most once a minute per token and never on a request's path. */
  abstract tokenUsed(tokenId: string, at: Date): Promise<void>;

  /** Called at once with the account of each change that this process has committed; others are told by the database. */
  onChange(listener: (accountId: string) => void): void {
    this.#listeners.add(listener);
  }

  /** Says that a change of the account, its roles, its sign-ins or its tokens has been committed. */
  changed(accountId: string): void {
    for (const listener of this.#listeners) listener(accountId);
  }
}
