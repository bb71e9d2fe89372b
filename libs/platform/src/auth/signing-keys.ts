import { randomUUIDv7 } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { errors, exportJWK, exportPKCS8, generateKeyPair, importJWK, importPKCS8, jwtVerify, SignJWT } from 'jose';
import type { CryptoKey, JWK, JWTHeaderParameters } from 'jose';
import { z } from 'zod';
import type { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { statement } from '../database/statement.js';
import { CONFIG } from '../runtime.js';
import { TokenRefused } from './auth.problems.js';
import { Seal } from './seal.js';

/** How long an access token is good. */
export const ACCESS_TOKEN_SECONDS = 15 * 60;
/** The issuer of our own tokens; every other issuer is an identity provider. */
export const LOCAL_ISSUER = 'belay';

const signsForDays = 30;
const algorithm = 'EdDSA';
const typ = 'at+jwt';

interface KeyRow {
  kid: string;
  public_jwk: JWK;
  sealed_private: Buffer;
  signs_for_ms: number;
}

// A key signs until it retires, and verifies for as long as a token it has signed can be good.
const readKeys = statement<KeyRow>(
  'platform.signing_keys',
  `SELECT kid, public_jwk, sealed_private,
          extract(epoch FROM retires_at - clock_timestamp())::float8 * 1000 AS signs_for_ms
   FROM platform.signing_key
   WHERE retires_at > clock_timestamp() - make_interval(secs => $1) ORDER BY retires_at DESC, kid DESC`,
);

const claims = z.object({ sub: z.uuid(), exp: z.number(), auth_time: z.number(), sid: z.string() });

export interface AccessClaims {
  readonly accountId: string;
  /** Seconds since 1970 at which the person proved who they are. */
  readonly authTime: number;
  /** The sign-in that the token belongs to: its family of refresh tokens. */
  readonly session: string;
  readonly expiresAt: Date;
}

/** A key with the moment, by our clock, until which it signs. */
type KnownKey = KeyRow & { readonly until: number };

type PublicKey = Awaited<ReturnType<typeof importJWK>>;

interface Keys {
  readonly rows: readonly KnownKey[];
  readonly verifying: ReadonlyMap<string, PublicKey>;
}

/**
 * Issues and verifies the access tokens of local accounts (EdDSA). The keys live in the database, sealed, so that every
 * process signs with the same one; after thirty days a new one follows, while the old one goes on verifying.
 */
@Injectable()
export class SigningKeys {
  readonly #seal: Seal;
  #keys: Promise<Keys> | undefined;
  #signing: { readonly kid: string; readonly key: CryptoKey; readonly until: number } | undefined;

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) config: Config,
  ) {
    this.#seal = new Seal(config.SECRET_KEY);
  }

  async issue(
    accountId: string,
    facts: Pick<AccessClaims, 'authTime' | 'session'>,
  ): Promise<{ token: string; expiresAt: Date }> {
    const { kid, key } = await this.signingKey();
    const expiresAt = Math.floor(Date.now() / 1000) + ACCESS_TOKEN_SECONDS;
    const token = await new SignJWT({ auth_time: facts.authTime, sid: facts.session })
      .setProtectedHeader({ alg: algorithm, typ, kid })
      .setIssuer(LOCAL_ISSUER)
      .setSubject(accountId)
      .setExpirationTime(expiresAt)
      .sign(key);
    return { token, expiresAt: new Date(expiresAt * 1000) };
  }

  /** Throws `token-refused` unless the token was signed here and is still good. */
  async verify(token: string): Promise<AccessClaims> {
    try {
      const options = { issuer: LOCAL_ISSUER, algorithms: [algorithm], typ };
      const { payload } = await jwtVerify(token, ({ kid }: JWTHeaderParameters) => this.verifyingKey(kid), options);
      const { sub, exp, auth_time, sid } = claims.parse(payload);
      return { accountId: sub, authTime: auth_time, session: sid, expiresAt: new Date(exp * 1000) };
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof z.ZodError) throw new TokenRefused();
      throw error;
    }
  }

  private async verifyingKey(kid: string | undefined): Promise<PublicKey> {
    if (kid === undefined) throw new TokenRefused();
    // Another process may have made the key a moment ago, so an unknown one is looked for once more.
    const key = (await this.known()).verifying.get(kid) ?? (await this.reload()).verifying.get(kid);
    if (!key) throw new TokenRefused();
    return key;
  }

  private async signingKey(): Promise<{ kid: string; key: CryptoKey }> {
    if (this.#signing && this.#signing.until > Date.now()) return this.#signing;
    const row = newest(await this.known()) ?? newest(await this.reload()) ?? newest(await this.makeKey());
    if (!row) throw new Error('No key signs access tokens, although one was just made');
    const pkcs8 = this.#seal.open(row.kid, row.sealed_private).toString();
    this.#signing = { kid: row.kid, key: await importPKCS8(pkcs8, algorithm), until: row.until };
    return this.#signing;
  }

  /** Of several processes that find no key at the same time, one makes it. */
  private async makeKey(): Promise<Keys> {
    await this.database.dataSource.transaction(async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('platform.signing_key', 0))`);
      const [newestRow] = await readKeys(tx, [0]);
      if (newestRow) return;
      const pair = await generateKeyPair(algorithm, { extractable: true });
      const kid = randomUUIDv7();
      const sealed = this.#seal.seal(kid, Buffer.from(await exportPKCS8(pair.privateKey)));
      await tx.query(
        `INSERT INTO platform.signing_key (kid, public_jwk, sealed_private, retires_at)
         VALUES ($1, $2, $3, clock_timestamp() + make_interval(days => $4))`,
        [kid, await exportJWK(pair.publicKey), sealed, signsForDays],
      );
    });
    return this.reload();
  }

  private known(): Promise<Keys> {
    return this.#keys ?? this.reload();
  }

  private reload(): Promise<Keys> {
    const keys = this.read();
    keys.catch(() => {
      if (this.#keys === keys) this.#keys = undefined;
    });
    this.#keys = keys;
    return keys;
  }

  private async read(): Promise<Keys> {
    const rows = await readKeys(this.database.dataSource, [ACCESS_TOKEN_SECONDS]);
    const verifying = await Promise.all(
      rows.map(async ({ kid, public_jwk }) => [kid, await importJWK(public_jwk, algorithm)] as const),
    );
    // The database's clock decides; ours only counts from here.
    const now = Date.now();
    return { rows: rows.map((row) => ({ ...row, until: now + row.signs_for_ms })), verifying: new Map(verifying) };
  }
}

function newest(keys: Keys): KnownKey | undefined {
  return keys.rows.find(({ until }) => until > Date.now());
}
