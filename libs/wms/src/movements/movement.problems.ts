import { Conflict, NotFound, Problem } from '@belay/platform';

export class MovementNotFound extends NotFound {
  readonly slug = 'movement-not-found';
  readonly title = 'There is no such movement';

  constructor(movementId: string) {
    super('No movement that you may see has this id.', { movementId });
  }
}

export interface BlockedLine {
  readonly line: number;
  readonly sku: string;
  readonly lot: string;
  /** The status of the lot; `expired` also when its day has passed. */
  readonly status: string;
}

export class LotBlocked extends Conflict {
  readonly slug = 'lot-blocked';
  readonly title = 'The lot is blocked';

  constructor(blocked: readonly BlockedLine[]) {
    const errors = blocked.map((one) => ({
      ...one,
      pointer: `#/lines/${one.line - 1}`,
      detail: `the lot ${one.lot} is ${one.status}`,
    }));
    super('Goods of a blocked lot only go into quarantine or are written off.', { errors });
  }
}

export class AlreadyReversed extends Conflict {
  readonly slug = 'already-reversed';
  readonly title = 'The movement was reversed';

  constructor(movementId: string, reversedByMovementId: string | null) {
    super('A movement can be reversed once.', { movementId, reversedByMovementId });
  }
}

/** What was posted stays as it was. */
export class ImmutableLedger extends Problem {
  readonly kind = 'not-allowed';
  readonly slug = 'immutable-ledger';
  readonly title = 'The ledger is never rewritten';

  constructor(what: string) {
    super('Movements and their lines are neither changed nor deleted.', {
      what,
      hint: 'Post a reversal: POST /api/wms/movements/{id}/reverse, then the movement as it should have been.',
    });
  }
}
