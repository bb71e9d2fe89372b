import { Injectable } from '@nestjs/common';
import { Database, databaseError, InvalidRequest, type Problem } from '@belay/platform';
import { laterShortfalls } from '../stock.queries.js';
import { InsufficientStock, LaterBalanceNegative, PeriodClosed } from './posting.problems.js';
import { stockOfBuckets } from './posting.queries.js';
import { shortBuckets, takings, type LineDraft } from './posting.rules.js';

/** The ledger refused the lines; why exactly can be read only after the transaction that this broke. */
export class LedgerRefusal extends Error {
  override readonly name = 'LedgerRefusal';

  constructor(
    readonly lines: readonly LineDraft[],
    readonly at: Date | undefined,
    override readonly cause: unknown,
  ) {
    super('The ledger refused the lines');
  }
}

/** Says in the words of the business why the ledger refused something. */
@Injectable()
export class Refusals {
  constructor(private readonly database: Database) {}

  /** Undefined when nothing stands in the way any more, so that it is worth trying again. */
  async explain({ lines, at, cause }: LedgerRefusal): Promise<Problem | undefined> {
    const taken = takings(lines);
    const buckets = [
      taken.map(({ locationId }) => locationId),
      taken.map(({ lotId }) => lotId),
      taken.map(({ stockStatus }) => stockStatus),
    ];
    const on = this.database.dataSource;
    const stock = await stockOfBuckets(on, buckets);
    const short = shortBuckets(taken, stock);
    if (short.length > 0) return new InsufficientStock(short);
    if (databaseError(cause)?.code !== 'WM005') return undefined;

    const [later] = await laterShortfalls(on, [
      at ?? new Date(),
      ...buckets,
      taken.map(({ units }) => units.toString()),
    ]);
    const bucket = stock.find(
      (one) =>
        one.location_id === later?.location_id &&
        one.lot_id === later.lot_id &&
        one.stock_status === later.stock_status,
    );
    if (!later || !bucket) return undefined;
    const { sku, lot, location, stock_status: stockStatus } = bucket;
    return new LaterBalanceNegative(later.first_at.toISOString(), { sku, lot, location, stockStatus });
  }
}

const short = new Set(['on_hand_is_never_negative', 'reserved_is_on_hand']);

/** What the caller is to be told when the statement that posts has failed. */
export function refused(
  error: unknown,
  lines: readonly LineDraft[],
  at: Date | undefined,
  closedThrough: string | null,
): unknown {
  const { code, constraint = '' } = databaseError(error) ?? {};
  if (code === 'WM002') return new PeriodClosed(closedThrough);
  if (code === 'WM005' || short.has(constraint)) return new LedgerRefusal(lines, at, error);
  if (constraint !== 'on_hand_is_a_quantity') return error;
  return new InvalidRequest([
    { pointer: '#/lines', detail: 'would make more than 9007199254740991 units of a bucket' },
  ]);
}
