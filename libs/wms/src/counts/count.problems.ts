import { Conflict, NotFound } from '@belay/platform';
import type { CountStatus } from './count.contract.js';

export class CountNotFound extends NotFound {
  readonly slug = 'count-not-found';
  readonly title = 'There is no such count';

  constructor(countId: string) {
    super('No count that you may see has this id.', { countId });
  }
}

export class CountNotOpen extends Conflict {
  readonly slug = 'count-not-open';
  readonly title = 'The count has ended';

  constructor(countId: string, status: CountStatus) {
    super(`The count is ${status}.`, { countId, countStatus: status });
  }
}
