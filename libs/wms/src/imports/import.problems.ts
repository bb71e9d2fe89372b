import { Conflict, NotFound } from '@belay/platform';
import type { ImportIssue } from './import.contract.js';

export class ImportNotFound extends NotFound {
  readonly slug = 'import-not-found';
  readonly title = 'There is no such import';

  constructor(importId: string) {
    super('No import that you may see has this id.', { importId });
  }
}

/** Nothing was committed. */
export class ImportHasErrors extends Conflict {
  readonly slug = 'import-has-errors';
  readonly title = 'The file has errors';

  constructor(errors: readonly ImportIssue[], rowsError: number) {
    super('Nothing was imported: upload it corrected, or commit it with skipErrors.', { errors, rowsError });
  }
}

export class ImportNotReady extends Conflict {
  readonly slug = 'import-not-ready';
  readonly title = 'The import is not ready';

  constructor(status: string, detail = `It is ${status}.`) {
    super(detail, { status });
  }
}
