import { Conflict, NotFound, Problem } from '@belay/platform';
import type { ShiftTimes } from './shift.rules.js';

export class SiteNotFound extends NotFound {
  readonly slug = 'site-not-found';
  readonly title = 'There is no such site';

  constructor(siteId: string) {
    super('No site that you may see has this id.', { siteId });
  }
}

export class CodeTaken extends Conflict {
  readonly slug = 'code-taken';
  readonly title = 'The code is taken';

  constructor(what: 'site' | 'team', code: string) {
    super(`Another ${what} has the code ${code}.`, { code });
  }
}

export class UnknownTimeZone extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'unknown-time-zone';
  readonly title = 'There is no such time zone';

  constructor(timeZone: string) {
    super('A time zone has an IANA name, such as Europe/London.', { timeZone });
  }
}

export class ShiftOverlap extends Conflict {
  readonly slug = 'shift-overlap';
  readonly title = 'Two shifts overlap';

  constructor([one, other]: readonly [ShiftTimes, ShiftTimes]) {
    super(`The shifts ${one.code} and ${other.code} share some time of the day.`, { shifts: [one, other] });
  }
}
