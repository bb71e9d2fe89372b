import { Conflict, NotFound } from '@belay/platform';

export class LocationNotFound extends NotFound {
  readonly slug = 'location-not-found';
  readonly title = 'There is no such location';

  constructor(location: string) {
    super(`No location that you may see is ${location}.`, { location });
  }
}

/** Goods without a place of their own are there. */
export class DefaultLocationNeeded extends Conflict {
  readonly slug = 'default-location-needed';
  readonly title = 'Every warehouse has its DEFAULT location';

  constructor() {
    super('The location DEFAULT keeps its code, stays in use and is no virtual place.');
  }
}
