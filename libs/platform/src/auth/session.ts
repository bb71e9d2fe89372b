import type { Grant } from './caller.js';

/** Whom an accepted bearer token stands for, and until when the token is good. */
export interface Session {
  readonly accountId: string;
  readonly username: string;
  readonly kind: 'person' | 'machine';
  readonly roles: readonly string[];
  readonly grants: readonly Grant[];
  /** Seconds since 1970 at which the person proved who they are; absent for API tokens. */
  readonly authTime?: number;
  /** The family of refresh tokens this sign-in belongs to. */
  readonly signIn?: string;
  readonly tokenId?: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}
