import { NotFound, Problem } from '../problem/problem.js';

export class ModuleOff extends NotFound {
  readonly slug = 'module-off';
  readonly title = 'The module is switched off';

  constructor(domain: string) {
    super(`The module ${domain} is switched off here.`, { module: domain });
  }
}

export class FeatureOff extends NotFound {
  readonly slug = 'feature-off';
  readonly title = 'The feature is switched off';

  constructor(flag: string) {
    super(`The feature ${flag} is switched off here.`, { flag });
  }
}

export class FeatureReadOnly extends Problem {
  readonly kind = 'forbidden';
  readonly slug = 'feature-read-only';
  readonly title = 'Only reading is possible';

  constructor(flag: string) {
    super(`${flag} is read-only at the moment.`, { flag, mode: 'read_only' });
  }
}

export class FeatureDraining extends Problem {
  readonly kind = 'forbidden';
  readonly slug = 'feature-draining';
  readonly title = 'Nothing new can be started';

  constructor(flag: string) {
    super(`${flag} is being drained: what is open may be finished.`, { flag, mode: 'drain' });
  }
}

/** Every write of the platform is held back; reads go on. */
export class WritesStopped extends Problem {
  readonly kind = 'unavailable';
  readonly slug = 'read-only';
  readonly title = 'Writes are stopped';
  override readonly retryAfter = 30;

  constructor() {
    super('Belay is read-only at the moment; nothing was changed.');
  }
}
