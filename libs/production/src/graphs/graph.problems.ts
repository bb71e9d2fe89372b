import { Conflict, NotFound } from '@belay/platform';

export class CodeTaken extends Conflict {
  readonly slug = 'code-taken';
  readonly title = 'The code is taken';

  constructor(what: 'graph' | 'work centre', code: string) {
    super(`Another ${what} has the code ${code}.`, { what, code });
  }
}

export class GraphArchived extends Conflict {
  readonly slug = 'graph-archived';
  readonly title = 'The graph is archived';

  constructor(code: string) {
    super(`${code} is archived: it can neither be changed nor published.`, { code });
  }
}

export class WorkCenterNotFound extends NotFound {
  readonly slug = 'work-center-not-found';
  readonly title = 'No such work centre';

  constructor(id: string) {
    super('There is no such work centre.', { id });
  }
}

export class SiteNotFound extends NotFound {
  readonly slug = 'site-not-found';
  readonly title = 'No such site';

  constructor(id: string) {
    super('There is no such active site.', { id });
  }
}
