import type { IdempotencyClaim } from '../auth/caller.js';
import { IdempotencyKeyReused } from './database.problems.js';

/** A defect: a repeated request would get its answer from the first transaction and do the second one again. */
export class SecondTransaction extends Error {
  constructor(route: string) {
    super(`${route} takes an Idempotency-Key and opens more than one transaction`);
  }
}

/** The answer that was kept under the key; another request under the same key is refused. */
// The hash covers route and body, so the stored JSON is what the use case returned.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export function answerOf<Answer>(
  claim: IdempotencyClaim,
  earlier: { readonly request_hash: string; readonly body: unknown } | undefined,
): Answer {
  if (earlier?.request_hash !== claim.requestHash) throw new IdempotencyKeyReused(claim.key);
  claim.replayed();
  // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- as said above
  return earlier.body as Answer;
}
