import { Conflict, NotFound } from '@belay/platform';

export class RateNotFound extends NotFound {
  readonly slug = 'rate-not-found';
  readonly title = 'There is no such rate';

  constructor(rateId: string) {
    super('No rate that you may see has this id.', { rateId });
  }
}

interface Overlapped {
  readonly id: string;
  readonly name: string;
  readonly effectiveFrom: string;
  readonly effectiveTo: string | null;
}

export class RateOverlap extends Conflict {
  readonly slug = 'rate-overlap';
  readonly title = 'Another rate is valid then';

  constructor({ id, name, effectiveFrom, effectiveTo }: Overlapped) {
    super(`The rate ${name} is valid from ${effectiveFrom} ${effectiveTo === null ? 'on' : `to ${effectiveTo}`}.`, {
      period: { rateId: id, name, effectiveFrom, effectiveTo },
    });
  }
}

export class RateFrozen extends Conflict {
  readonly slug = 'rate-frozen';
  readonly title = 'The rate was charged by';

  constructor(rateId: string, lastChargedOn: string | null) {
    super('Only its end may be moved, not to before the last charge; a new price is a successor.', {
      rateId,
      lastChargedOn,
    });
  }
}

export class AliasNotFound extends NotFound {
  readonly slug = 'rate-alias-not-found';
  readonly title = 'There is no such wording';

  constructor(aliasId: string) {
    super('No wording that you may see has this id.', { aliasId });
  }
}

export class AliasTaken extends Conflict {
  readonly slug = 'rate-alias-taken';
  readonly title = 'The wording already stands for a rate';

  constructor(alias: string) {
    super(`${alias} already stands for a rate of that category.`, { alias });
  }
}
