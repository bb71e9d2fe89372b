import { Conflict } from '@belay/platform';

/**
 * What is missing in one bucket; `line` is the first that takes from it. Lot, location and status are null where the line
 * leaves them open.
 */
export interface ShortBucket {
  readonly line: number;
  readonly sku: string;
  readonly lot: string | null;
  readonly location: string | null;
  readonly stockStatus: string | null;
  readonly requestedUnits: number;
  readonly onHand: number;
  readonly reserved: number;
  readonly available: number;
  /** Where it was asked for; the line unless said. */
  readonly pointer?: string;
}

export class InsufficientStock extends Conflict {
  readonly slug = 'insufficient-stock';
  readonly title = 'Insufficient stock';

  constructor(short: readonly ShortBucket[]) {
    const errors = short.map((one) => ({
      ...one,
      pointer: one.pointer ?? `#/lines/${one.line - 1}`,
      detail: `${one.requestedUnits} units were asked for, ${one.available} are available`,
    }));
    super('There is less than was asked for, or it is reserved; nothing was posted.', { errors });
  }
}

/** Taking so much at that time would have left less than nothing then or later. */
export class LaterBalanceNegative extends Conflict {
  readonly slug = 'later-balance-negative';
  readonly title = 'Later stock would be negative';

  constructor(firstAt: string, bucket: { sku: string; lot: string; location: string; stockStatus: string }) {
    super(`What was done since needs the stock: it would be negative from ${firstAt} on.`, { firstAt, bucket });
  }
}

export class BackdatingNotAllowed extends Conflict {
  readonly slug = 'backdating-not-allowed';
  readonly title = 'Backdating is not allowed';

  constructor(needs: readonly string[], laterMovementAt: string | null) {
    super(`The time is before what is known already; that needs ${needs.join(' and ')}.`, { needs, laterMovementAt });
  }
}

export class PeriodClosed extends Conflict {
  readonly slug = 'period-closed';
  readonly title = 'The period is closed';

  constructor(closedThrough: string | null) {
    super('The time lies in a period that is closed.', { closedThrough });
  }
}
