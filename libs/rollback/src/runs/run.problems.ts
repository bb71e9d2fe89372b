import { Conflict, NotFound } from '@belay/platform';

export class RunNotFound extends NotFound {
  readonly slug = 'run-not-found';
  readonly title = 'There is no such run';

  constructor(id: string) {
    super(`There is no run ${id}.`, { id });
  }
}

/** The run, or its step, is in no state for what was asked. */
export class RunNotReady extends Conflict {
  readonly slug = 'run-not-ready';
  readonly title = 'This cannot be asked of it now';

  constructor(wish: string, what: string, state: string) {
    super(`${what} is ${state}, so that ${wish} means nothing.`, { wish, state });
  }
}
