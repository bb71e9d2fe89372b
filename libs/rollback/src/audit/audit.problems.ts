import { Conflict, NotFound } from '@belay/platform';

export class EntryNotFound extends NotFound {
  readonly slug = 'audit-entry-not-found';
  readonly title = 'There is no such entry';

  constructor(seq: number) {
    super(`The audit trail has no entry ${seq}.`, { seq });
  }
}

export class EntryNotAnchored extends Conflict {
  readonly slug = 'audit-entry-not-anchored';
  readonly title = 'Nothing speaks for the entry yet';

  constructor(seq: number) {
    super(`Entry ${seq} is anchored five minutes after it was written at the latest; walk the chain until then.`, {
      seq,
    });
  }
}
