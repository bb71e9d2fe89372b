import { Conflict, NotFound } from '@belay/platform';

/** Or it is somebody else's, or its link is not right or too old. */
export class ExportNotFound extends NotFound {
  readonly slug = 'export-not-found';
  readonly title = 'There is no such export';

  constructor(exportId: string) {
    super('No export that you may fetch has this id, or its link has expired.', { exportId });
  }
}

export class ExportNotReady extends Conflict {
  readonly slug = 'export-not-ready';
  readonly title = 'The export is not ready';

  constructor(status: string) {
    super(`It is ${status}.`, { status });
  }
}
