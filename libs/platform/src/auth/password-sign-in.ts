import type { AccountFacts } from './accounts.js';

/** Proof by username and password outside of HTTP, answered by the domain that owns accounts. */
export abstract class PasswordSignIn {
  /** The active person who has both. Everybody else is refused as at the API, and failures count as they do there. */
  abstract prove(username: string, password: string): Promise<AccountFacts>;
}
