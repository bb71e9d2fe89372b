import { Inject, Injectable } from '@nestjs/common';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from 'jose';
import { z } from 'zod';
import type { Config } from '../config/config.js';
import { CONFIG } from '../runtime.js';
import type { Problem } from '../problem/problem.js';
import type { OidcIdentity } from './accounts.js';
import { IdentityProviderUnavailable, TokenRefused } from './auth.problems.js';

const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const clockToleranceSeconds = 30;
const fetchTimeoutMs = 5_000;
/** For a key that the provider does not have it is asked again after a minute at the earliest. */
const cooldownMs = 60_000;
const keysGoodMs = 600_000;

const discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });
const token = z.object({ sub: z.string().min(1), exp: z.number(), auth_time: z.number().optional() });

export interface OidcAnswer {
  readonly identity: OidcIdentity;
  readonly authTime?: number;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

type KeySet = ReturnType<typeof createRemoteJWKSet>;

/** Verifies the tokens of the configured identity provider; without one every token is refused. */
@Injectable()
export class OidcTokens {
  #keySet: Promise<KeySet> | undefined;

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** Throws `token-refused`, or `identity-provider-unavailable` when its keys cannot be had. */
  async verify(jwt: string): Promise<OidcAnswer> {
    const { OIDC_ISSUER: issuer, OIDC_AUDIENCE: audience } = this.config;
    if (issuer === undefined || audience === undefined) throw new TokenRefused();
    try {
      const { payload } = await jwtVerify(jwt, await this.keySet(issuer), {
        issuer,
        audience,
        algorithms,
        clockTolerance: clockToleranceSeconds,
        requiredClaims: ['sub', 'exp'],
      });
      return this.answer(issuer, payload);
    } catch (error) {
      throw refusal(error);
    }
  }

  private answer(issuer: string, payload: JWTPayload): OidcAnswer {
    const { sub: subject, exp, auth_time: authTime } = token.parse(payload);
    const roles = this.roles(valueAt(payload, this.config.OIDC_ROLES_CLAIM));
    return {
      identity: { issuer, subject, ...this.link(payload), roles },
      ...(authTime !== undefined && { authTime }),
      expiresAt: exp * 1000,
    };
  }

  private link(payload: JWTPayload): Pick<OidcIdentity, 'linkedBy' | 'value'> {
    const claim = this.config.OIDC_LINK_CLAIM;
    const value = valueAt(payload, claim);
    if (typeof value !== 'string' || value === '') throw new TokenRefused();
    if (claim !== 'email') return { linkedBy: 'username', value };
    // An address that nobody has verified may be somebody else's.
    if (payload['email_verified'] !== true) throw new TokenRefused();
    return { linkedBy: 'email', value };
  }

  private roles(claimed: unknown): string[] {
    const names = typeof claimed === 'string' ? claimed.split(' ') : Array.isArray(claimed) ? claimed : [];
    const map = new Map(Object.entries(this.config.OIDC_ROLE_MAP));
    const roles = names.map((name: unknown) => (typeof name === 'string' ? map.get(name) : undefined));
    return [...new Set(roles.filter((role) => role !== undefined))];
  }

  private keySet(issuer: string): Promise<KeySet> {
    if (this.#keySet) return this.#keySet;
    const keySet = discover(issuer);
    this.#keySet = keySet;
    keySet.catch(() => {
      this.#keySet = undefined;
    });
    return keySet;
  }
}

async function discover(issuer: string): Promise<KeySet> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(url, { signal: AbortSignal.timeout(fetchTimeoutMs), redirect: 'error' });
  const found = discovery.safeParse(await response.json());
  if (!found.success || found.data.issuer !== issuer) throw new Error(`${url} does not describe the issuer ${issuer}`);
  return createRemoteJWKSet(new URL(found.data.jwks_uri), {
    timeoutDuration: fetchTimeoutMs,
    cooldownDuration: cooldownMs,
    cacheMaxAge: keysGoodMs,
  });
}

/** The claim itself, or one inside others (`realm_access.roles`). */
function valueAt(payload: JWTPayload, claim: string): unknown {
  if (Object.hasOwn(payload, claim)) return payload[claim];
  return claim.split('.').reduce<unknown>((value, part) => {
    return typeof value === 'object' && value !== null ? new Map(Object.entries(value)).get(part) : undefined;
  }, payload);
}

/** A token that is not good, or a provider that does not answer as one. */
function refusal(error: unknown): Problem {
  if (error instanceof TokenRefused || error instanceof z.ZodError) return new TokenRefused();
  const faults = [errors.JWKSTimeout.code, errors.JWKSInvalid.code, errors.JOSEError.code];
  if (error instanceof errors.JOSEError && !faults.includes(error.code)) return new TokenRefused();
  return new IdentityProviderUnavailable(error);
}
