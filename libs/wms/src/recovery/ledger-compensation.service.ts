import { randomUUIDv7 } from 'node:crypto';
import {
  databaseError,
  RecoveryRefused,
  releaseSavepoint,
  rollBackToSavepoint,
  setSavepoint,
  type RecoveryContext,
} from '@belay/platform';
import { negativeBuckets, postReversals, type StandingMovement } from './standing-movement.queries.js';

/** Their own times leave the past as if nothing had been; later ones hold where something was taken in between. */
const times = ['own', 'last', 'now'] as const;

/** What the ledger answers when a bucket would be negative, now or in between. */
const refused = new Set(['23514', 'WM005']);

/** Takes the movements back, newest first and all at once: at the earliest times at which no bucket is ever negative. */
export async function reverseMovements(
  { tx, actor }: RecoveryContext,
  movements: readonly StandingMovement[],
): Promise<number> {
  if (movements.length === 0) return 0;
  const targets = movements.map(({ id }) => id);
  const lots = [...new Set(movements.flatMap(({ lotIds }) => lotIds))];
  return (await postWhereItFits({ tx, actor }, targets, lots)).length;
}

async function postWhereItFits(
  { tx, actor }: Pick<RecoveryContext, 'tx' | 'actor'>,
  targets: readonly string[],
  lots: readonly string[],
): Promise<Awaited<ReturnType<typeof postReversals>>> {
  let buckets: Readonly<Record<string, unknown>>[] = [];
  for (const time of times) {
    await setSavepoint(tx, []);
    try {
      const ids = targets.map(() => randomUUIDv7());
      const posted = await postReversals(tx, [targets, ids, time, actor]);
      buckets = (await negativeBuckets(tx, [lots])).map((bucket) => ({ ...bucket }));
      if (buckets.length === 0) {
        await releaseSavepoint(tx, []);
        return posted;
      }
    } catch (error) {
      if (!refused.has(databaseError(error)?.code ?? '')) throw error;
    }
    await rollBackToSavepoint(tx, []);
  }
  throw new RecoveryRefused('A bucket would be negative at some time', buckets);
}
