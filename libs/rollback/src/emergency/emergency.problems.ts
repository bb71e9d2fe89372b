import { Conflict, NotFound, Problem } from '@belay/platform';

export class EmergencyNotFound extends NotFound {
  readonly slug = 'emergency-not-found';
  readonly title = 'There was no such emergency';

  constructor(id: string) {
    super(`No run ${id} was an emergency.`, { id });
  }
}

export class AlreadyRatified extends Conflict {
  readonly slug = 'already-ratified';
  readonly title = 'Somebody has ratified it already';

  constructor(id: string, by: string) {
    super(`${by} has ratified it.`, { id, by });
  }
}

export class RatifiedBySelf extends Problem {
  readonly kind = 'forbidden';
  readonly slug = 'same-person';
  readonly title = 'Somebody else must agree';

  constructor(id: string) {
    super('Whoever declared an emergency does not ratify it.', { id });
  }
}
