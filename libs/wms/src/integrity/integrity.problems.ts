import { Conflict, NotFound } from '@belay/platform';

export class IntegrityRunInProgress extends Conflict {
  readonly slug = 'integrity-run-in-progress';
  readonly title = 'The checks are running';

  constructor() {
    super('The checks are being run already; read their result when they have ended.');
  }
}

export class IntegrityRunNotFound extends NotFound {
  readonly slug = 'integrity-run-not-found';
  readonly title = 'There is no such run';

  constructor(runId: string) {
    super('The checks were not run under this id.', { runId });
  }
}
