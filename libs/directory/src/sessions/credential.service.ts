import { createHmac } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, Database, type Config, type Executor } from '@belay/platform';
import { PasswordService } from './password.service.js';
import { AccountLocked, WrongCredentials } from './session.problems.js';
import { claimAttempt, forgetFailures, LOCK_MINUTES, lockEnds } from './session.queries.js';

/** Proof by username and password, and how often it may fail. */
@Injectable()
export class CredentialService {
  readonly #secret: Buffer;

  constructor(
    private readonly database: Database,
    private readonly passwords: PasswordService,
    @Inject(CONFIG) config: Config,
  ) {
    this.#secret = Buffer.from(config.SECRET_KEY, 'base64');
  }

  /**
   * The active person who has this username and password. Everybody else gets the same answer after the same time;
   * after five failures in a row the username is locked for a quarter of an hour, also when nobody has it.
   */
  async prove(given: string, password: string): Promise<{ accountId: string }> {
    const username = normal(given);
    const [attempt] = await claimAttempt(this.database.dataSource, [this.hashOf(username), username]);
    if (attempt?.claimed !== true) {
      const [lock] = await lockEnds(this.database.dataSource, [this.hashOf(username)]);
      throw new AccountLocked(lock?.seconds ?? LOCK_MINUTES * 60);
    }
    const right = await this.passwords.matches(password, attempt.hash);
    if (!right || attempt.accountId === null || attempt.status !== 'active') throw new WrongCredentials();
    return { accountId: attempt.accountId };
  }

  async forgetFailures(on: Executor, username: string): Promise<void> {
    await forgetFailures(on, [this.hashOf(normal(username))]);
  }

  /** Keyed: people type passwords into the wrong field. */
  private hashOf(username: string): Buffer {
    return createHmac('sha256', this.#secret).update(`sign-in ${username}`).digest();
  }
}

function normal(username: string): string {
  return username.trim().toLowerCase();
}
