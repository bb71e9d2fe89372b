import { Conflict, NotFound } from '@belay/platform';
import type { ReservationStatus } from './reservation.contract.js';

export class ReservationNotFound extends NotFound {
  readonly slug = 'reservation-not-found';
  readonly title = 'There is no such reservation';

  constructor(reservationId: string) {
    super('No reservation that you may see has this id.', { reservationId });
  }
}

export class ReservationNotOpen extends Conflict {
  readonly slug = 'reservation-not-open';
  readonly title = 'The reservation has ended';

  constructor(reservationId: string, status: ReservationStatus) {
    super(`The reservation is ${status}.`, { reservationId, reservationStatus: status });
  }
}

/** A line of an order has one open reservation at most. */
export class SourceLineReserved extends Conflict {
  readonly slug = 'source-line-reserved';
  readonly title = 'The line has an open reservation';

  constructor(source: { readonly type: string; readonly id: string; readonly line: string }) {
    super(`An open reservation is for line ${source.line} of ${source.type} ${source.id}.`, { source });
  }
}
