import { Conflict, NotFound } from '@belay/platform';

export class OverrideNotFound extends NotFound {
  readonly slug = 'override-not-found';
  readonly title = 'Nobody has switched it off';

  constructor(flag: string) {
    super(`${flag} is not switched off by hand.`, { flag });
  }
}

export class EmergencyOnly extends Conflict {
  readonly slug = 'emergency-only';
  readonly title = 'That is an emergency';

  constructor(flag: string) {
    super(`${flag} switches everything off; declare an emergency, which somebody else ratifies.`, { flag });
  }
}

/** What is switched on without its tables answers nothing but failures. */
export class SchemaParked extends Conflict {
  readonly slug = 'schema-parked';
  readonly title = 'The tables are parked';

  constructor(flag: string, objects: readonly string[]) {
    super(`What ${flag} lets run needs ${objects.join(', ')}, which is parked; undo the run that parked it.`, {
      flag,
      objects,
    });
  }
}
