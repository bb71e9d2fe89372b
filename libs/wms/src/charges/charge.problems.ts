import { Conflict } from '@belay/platform';

/** The warehouse wants no movement whose cost nobody knows. */
export class RateMissing extends Conflict {
  readonly slug = 'rate-missing';
  readonly title = 'No rate is valid on that day';

  constructor(on: string, charges: readonly { category: string; name: string }[]) {
    const names = charges.map(({ name }) => name).join(', ');
    super(`On ${on} no rate is valid for: ${names}.`, { on, charges });
  }
}
