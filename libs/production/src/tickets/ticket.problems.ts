import { Conflict } from '@belay/platform';

export class JobCodeTaken extends Conflict {
  readonly slug = 'code-taken';
  readonly title = 'The code is taken';

  constructor(code: string) {
    super(`Another job already has the code ${code}.`, { code });
  }
}
