import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Caller, IdempotencyClaim } from '../auth/caller.js';
import { RequestInProgress, waitedInVain } from './database.problems.js';
import { answerOf, SecondTransaction } from './idempotent-answer.js';
import { statement, type Executor } from './statement.js';

const context = `set_config('belay.actor', $1, true), set_config('belay.request_id', $2, true), set_config('belay.reason', $3, true)`;

/** Says for the rest of the transaction in whose name it is done, under which request and why. */
export const begin = statement('platform.begin', `SELECT ${context}`);

// A key that has run out is free again, whether or not it was cleared away. Another request that holds the key is waited for.
const beginClaim = statement<{ claimed: boolean }>(
  'platform.begin_claim',
  `WITH claim AS (
     INSERT INTO platform.idempotency_key AS held (account_id, key, route, domain, request_hash, expires_at)
     VALUES ($4::uuid, $5::text, $6::text, $7::text, $8::text, clock_timestamp() + make_interval(hours => 24 * $9::integer))
     ON CONFLICT (account_id, key) DO UPDATE
       SET route = excluded.route, domain = excluded.domain, request_hash = excluded.request_hash, body = NULL,
           at = excluded.at, expires_at = excluded.expires_at
       WHERE held.expires_at <= clock_timestamp()
     RETURNING true)
   SELECT ${context}, EXISTS (SELECT FROM claim) AS claimed`,
);

const stored = statement<{ request_hash: string; body: unknown }>(
  'platform.idempotent_answer',
  `SELECT request_hash, body FROM platform.idempotency_key
   WHERE account_id = $1 AND key = $2 AND expires_at > clock_timestamp()`,
);

const store = statement(
  'platform.store_idempotent_answer',
  `UPDATE platform.idempotency_key SET body = $3 WHERE account_id = $1 AND key = $2`,
);

const forgetKeys = statement<{ key: string }>(
  'platform.forget_idempotency_keys',
  `DELETE FROM platform.idempotency_key
   WHERE (account_id, key) IN (
     SELECT account_id, key FROM platform.idempotency_key
     WHERE expires_at <= clock_timestamp() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)
   RETURNING key`,
);

/** Clears away keys that have run out, at most `limit` at a time; says how many. */
export async function forgetIdempotencyKeys(on: Executor, limit = 10_000): Promise<number> {
  return (await forgetKeys(on, [limit])).length;
}

/**
 * For a statement that is a whole use case, see `Database.once`: keeps its answer under the key of the request, and fails
 * as a whole while another request holds that. The statement's parameters from `first` on are `claimValues`; `answer` is an
 * expression of jsonb, and `from` what it is computed from.
 */
export function keepAnswer(first: number, answer: string, from: string): string {
  const [account, key, route, domain, hash] = [0, 1, 2, 3, 4].map((n) => `$${first + n}`);
  return `
    INSERT INTO platform.idempotency_key AS held (account_id, key, route, domain, request_hash, body)
    SELECT ${account}::uuid, ${key}::text, ${route}::text, ${domain}::text, ${hash}::text, ${answer} FROM ${from}
    WHERE ${key} IS NOT NULL
    ON CONFLICT (account_id, key) DO UPDATE
      -- It must not be null, which is what stops a statement whose key is held.
      SET request_hash = CASE WHEN held.expires_at <= clock_timestamp() THEN excluded.request_hash END,
          route = excluded.route, domain = excluded.domain, body = excluded.body, at = excluded.at,
          expires_at = excluded.expires_at`;
}

/** The parameters of `keepAnswer`; without a caller's key, or without a caller, nothing is kept. */
export function claimValues(caller?: Caller): readonly (string | null)[] {
  const claim = caller?.idempotency;
  if (!caller || !claim) return [null, null, null, null, null];
  if (claim.keptDays !== undefined) throw new Error(`${claim.route} keeps its answers by Database.transaction`);
  return [caller.accountId, claim.key, claim.route, claim.domain, claim.requestHash];
}

/** The application database, as the use cases see it. */
@Injectable()
export class Database {
  /** Claims whose effect and answer are committed. */
  readonly #spent = new WeakSet<IdempotencyClaim>();
  readonly #afterCommit = new WeakMap<EntityManager, (() => void)[]>();

  constructor(readonly dataSource: DataSource) {}

  /** For reads outside a transaction. */
  get manager(): EntityManager {
    return this.dataSource.manager;
  }

  /**
   * Runs one use case in one transaction, on behalf of the caller: the audit log names them, and when the client sent
   * an Idempotency-Key its claim and the effect commit together. A repeated request waits for the first, changes
   * nothing and gets the first one's answer (or `request-in-progress`, when the first takes longer than the lock
   * timeout); another request under the same key is refused with `idempotency-key-reused`. A use case that such a
   * request can reach opens one transaction, and its answer must be JSON.
   */
  async transaction<Answer>(caller: Caller, work: (tx: EntityManager) => Promise<Answer>): Promise<Answer> {
    const { idempotency } = caller;
    if (idempotency && this.#spent.has(idempotency)) throw new SecondTransaction(idempotency.route);
    const afterwards: (() => void)[] = [];
    const answer = await this.dataSource.transaction((tx) => {
      this.#afterCommit.set(tx, afterwards);
      return this.inside(tx, caller, work);
    });
    if (idempotency) this.#spent.add(idempotency);
    for (const act of afterwards) act();
    return answer;
  }

  /**
   * For a use case that is one statement: it needs no transaction around it, and claims the key of the request itself by
   * `keepAnswer`. Whatever else the work does before must only look. The promises are those of `transaction`: when the
   * statement fails because an earlier request holds the key, or for any reason that comes from what that request did, the
   * caller gets the earlier answer.
   */
  async once<Answer>(caller: Caller, work: () => Promise<Answer>): Promise<Answer> {
    const { idempotency } = caller;
    if (idempotency && this.#spent.has(idempotency)) throw new SecondTransaction(idempotency.route);
    try {
      const answer = await work();
      if (idempotency) this.#spent.add(idempotency);
      return answer;
    } catch (error) {
      if (!idempotency) throw error;
      const [earlier] = await stored(this.dataSource, [caller.accountId, idempotency.key]);
      if (!earlier) throw error;
      return answerOf<Answer>(idempotency, earlier);
    }
  }

  /**
   * Has something done as soon as the transaction has committed, and never when it is rolled back. Only what may get
   * lost with the process belongs here; a transaction that was not opened by `transaction` ignores it.
   */
  afterCommit(tx: EntityManager, work: () => void): void {
    this.#afterCommit.get(tx)?.push(work);
  }

  private async inside<Answer>(
    tx: EntityManager,
    caller: Caller,
    work: (tx: EntityManager) => Promise<Answer>,
  ): Promise<Answer> {
    const claim = caller.idempotency;
    const context = [caller.accountId, caller.requestId, caller.reason ?? ''];
    if (!claim) {
      await begin(tx, context);
      return work(tx);
    }
    if (!(await this.claims(tx, context, caller.accountId, claim))) return this.replay<Answer>(tx, caller, claim);

    const answer = await work(tx);
    await store(tx, [caller.accountId, claim.key, JSON.stringify(answer ?? null)]);
    return answer;
  }

  private async claims(
    tx: EntityManager,
    context: readonly string[],
    accountId: string,
    claim: IdempotencyClaim,
  ): Promise<boolean> {
    try {
      const values = [
        ...context,
        accountId,
        claim.key,
        claim.route,
        claim.domain,
        claim.requestHash,
        claim.keptDays ?? 1,
      ];
      const [begun] = await beginClaim(tx, values);
      return begun?.claimed === true;
    } catch (error) {
      if (waitedInVain(error)) throw new RequestInProgress(claim.key);
      throw error;
    }
  }

  private async replay<Answer>(tx: EntityManager, caller: Caller, claim: IdempotencyClaim): Promise<Answer> {
    const [earlier] = await stored(tx, [caller.accountId, claim.key]);
    return answerOf<Answer>(claim, earlier);
  }
}
