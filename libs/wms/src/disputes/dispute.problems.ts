import { Conflict, NotFound } from '@belay/platform';

export class DisputeNotFound extends NotFound {
  readonly slug = 'dispute-not-found';
  readonly title = 'There is no such dispute';

  constructor(disputeId: string) {
    super('No dispute that you may see has this id.', { disputeId });
  }
}

export class DisputeOnPaid extends Conflict {
  readonly slug = 'dispute-on-paid';
  readonly title = 'The invoice is paid';

  constructor(number: string) {
    super(`The invoice ${number} is paid: what was wrong with it is put right by a credit note.`, { number });
  }
}

export class LineInDispute extends Conflict {
  readonly slug = 'line-in-dispute';
  readonly title = 'The line is disputed already';

  constructor(dispute: string, lines: readonly { category: string; name: string }[]) {
    super(`The dispute ${dispute} is about the same and has not ended.`, { dispute, lines });
  }
}
