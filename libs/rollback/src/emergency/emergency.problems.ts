import { Conflict, NotFound } from '@belay/platform';

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
