import { Inject, Injectable } from '@nestjs/common';
import pg from 'pg';
import type { Caller, IdempotencyClaim } from '../auth/caller.js';
import { CONTROL } from '../runtime.js';
import { RequestInProgress, waitedInVain } from './database.problems.js';
import { answerOf, SecondTransaction } from './idempotent-answer.js';
import { statement } from './statement.js';
import { inTransaction } from './transaction.js';

const claimKey = statement<{ claimed: boolean }>(
  'control.claim_key',
  `INSERT INTO control.idempotency_key AS held (account_id, key, route, request_hash)
   VALUES ($1, $2, $3, $4)
   ON CONFLICT (account_id, key) DO UPDATE
     SET route = excluded.route, request_hash = excluded.request_hash, body = NULL, at = excluded.at,
         expires_at = excluded.expires_at
     WHERE held.expires_at <= clock_timestamp()
   RETURNING true AS claimed`,
);

const stored = statement<{ request_hash: string; body: unknown }>(
  'control.idempotent_answer',
  `SELECT request_hash, body FROM control.idempotency_key
   WHERE account_id = $1 AND key = $2 AND expires_at > clock_timestamp()`,
);

const store = statement(
  'control.store_idempotent_answer',
  `UPDATE control.idempotency_key SET body = $3 WHERE account_id = $1 AND key = $2`,
);

const forget = statement<{ key: string }>(
  'control.forget_idempotency_keys',
  `DELETE FROM control.idempotency_key WHERE expires_at <= clock_timestamp() RETURNING key`,
);

/** The control database, as use cases see it that must work while the application database is away. */
@Injectable()
export class ControlDatabase {
  readonly #spent = new WeakSet<IdempotencyClaim>();

  constructor(@Inject(CONTROL) private readonly pool: pg.Pool) {}

  /**
   * Runs one use case in one transaction. When the client sent an Idempotency-Key, its claim, the effect and the answer
   * commit together, with the promises of `Database.transaction`. What takes long is looked at before: the transaction
   * holds one of few connections, and the work uses no other.
   */
  async transaction<Answer>(caller: Caller, work: (client: pg.ClientBase) => Promise<Answer>): Promise<Answer> {
    const { idempotency } = caller;
    if (idempotency && this.#spent.has(idempotency)) throw new SecondTransaction(idempotency.route);
    const answer = await inTransaction(this.pool, (client) => inside(client, caller, work));
    if (idempotency) this.#spent.add(idempotency);
    return answer;
  }

  /** Clears away keys that have run out; says how many. */
  async forgetIdempotencyKeys(): Promise<number> {
    return (await forget(this.pool, [])).length;
  }
}

async function inside<Answer>(
  client: pg.ClientBase,
  caller: Caller,
  work: (client: pg.ClientBase) => Promise<Answer>,
): Promise<Answer> {
  const claim = caller.idempotency;
  if (!claim) return work(client);
  if (!(await claims(client, caller.accountId, claim))) {
    const [earlier] = await stored(client, [caller.accountId, claim.key]);
    return answerOf<Answer>(claim, earlier);
  }
  const answer = await work(client);
  await store(client, [caller.accountId, claim.key, JSON.stringify(answer ?? null)]);
  return answer;
}

async function claims(client: pg.ClientBase, accountId: string, claim: IdempotencyClaim): Promise<boolean> {
  try {
    const [claimed] = await claimKey(client, [accountId, claim.key, claim.route, claim.requestHash]);
    return claimed !== undefined;
  } catch (error) {
    if (waitedInVain(error)) throw new RequestInProgress(claim.key);
    throw error;
  }
}
