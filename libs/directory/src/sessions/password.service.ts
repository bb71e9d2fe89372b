import { hash, verify } from '@node-rs/argon2';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { statement, type Executor } from '@belay/platform';
import { PasswordTooWeak } from './session.problems.js';
import { passwordWeakness } from './password.rules.js';

/** Argon2id, its default here, at the cost OWASP recommends: 19 MiB, two passes, one lane. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

const savePassword = statement(
  'directory.save_password',
  `WITH saved AS (
     INSERT INTO directory.password (account_id, hash) VALUES ($1, $2)
     ON CONFLICT (account_id) DO UPDATE SET hash = excluded.hash)
   UPDATE directory.account SET password_changed_at = clock_timestamp(), must_change_password = $3,
          row_version = row_version + 1
   WHERE id = $1`,
);

@Injectable()
export class PasswordService implements OnModuleInit {
  #nobodys = '';

  async onModuleInit(): Promise<void> {
    this.#nobodys = await hash('the password of nobody', cost);
  }

  /** Takes the same time for an account without a password, which none matches. */
  async matches(password: string, stored: string | null): Promise<boolean> {
    const right = await verify(stored ?? this.#nobodys, password);
    return right && stored !== null;
  }

  /** Refuses a weak one with `password-too-weak`. A temporary one must be changed at the next sign-in. */
  async save(
    on: Executor,
    account: { readonly id: string; readonly username: string },
    password: string,
    temporary: boolean,
  ): Promise<void> {
    const weakness = passwordWeakness(password, account.username);
    if (weakness !== undefined) throw new PasswordTooWeak(weakness);
    await savePassword(on, [account.id, await hash(password, cost), temporary]);
  }
}
