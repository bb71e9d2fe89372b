import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Caller, IdempotencyClaim } from '../auth/caller.js';
import { IdempotencyKeyReused } from './database.problems.js';
import { statement } from './statement.js';

const begin = statement<{ claimed: boolean }>(
  'platform.begin',
  `WITH claim AS (
     INSERT INTO platform.idempotency_key (account_id, key, route, domain, request_hash)
     SELECT $4, $5, $6, $7, $8 WHERE $5 IS NOT NULL
     ON CONFLICT (account_id, key) DO NOTHING
     RETURNING true AS claimed)
   SELECT set_config('belay.actor', $1, true), set_config('belay.request_id', $2, true), set_config('belay.reason', $3, true),
          coalesce((SELECT claimed FROM claim), false) AS claimed`,
);

const stored = statement<{ request_hash: string; body: unknown }>(
  'platform.idempotent_answer',
  `SELECT request_hash, body FROM platform.idempotency_key WHERE account_id = $1 AND key = $2`,
);

const store = statement(
  'platform.store_idempotent_answer',
  `UPDATE platform.idempotency_key SET body = $3 WHERE account_id = $1 AND key = $2`,
);

/** The application database, as the use cases see it. */
@Injectable()
export class Database {
  constructor(readonly dataSource: DataSource) {}

  /** For reads outside a transaction. */
  get manager(): EntityManager {
    return this.dataSource.manager;
  }

  /**
   * Runs one use case in one transaction, on behalf of the caller: the audit log names them, and when the client sent
   * an Idempotency-Key its claim and the effect commit together. A repeated request waits for the first, changes
   * nothing and gets the first one's answer; another request under the same key is refused with
   * `idempotency-key-reused`. The answer must be JSON.
   */
  async transaction<Answer>(caller: Caller, work: (tx: EntityManager) => Promise<Answer>): Promise<Answer> {
    return this.dataSource.transaction(async (tx) => {
      const claim = caller.idempotency;
      const [begun] = await begin(tx, [
        caller.accountId,
        caller.requestId,
        caller.reason ?? '',
        caller.accountId,
        claim?.key ?? null,
        claim?.route ?? null,
        claim?.domain ?? null,
        claim?.requestHash ?? null,
      ]);
      if (claim && begun?.claimed !== true) return this.replay<Answer>(tx, caller, claim);

      const answer = await work(tx);
      if (claim) await store(tx, [caller.accountId, claim.key, JSON.stringify(answer ?? null)]);
      return answer;
    });
  }

  private async replay<Answer>(tx: EntityManager, caller: Caller, claim: IdempotencyClaim): Promise<Answer> {
    const [earlier] = await stored(tx, [caller.accountId, claim.key]);
    if (earlier?.request_hash !== claim.requestHash) throw new IdempotencyKeyReused(claim.key);
    claim.replayed = true;
    // The hash covers route and body, so the stored JSON is what this use case returned.
    // eslint-disable-next-line @typescript-eslint/consistent-type-assertions
    return earlier.body as Answer;
  }
}
