import { Conflict } from '@belay/platform';

/** The thing is in a state from which it cannot become what was asked for. */
export class InvalidTransition extends Conflict {
  readonly slug = 'invalid-transition';
  readonly title = 'Not from this state';

  constructor(what: 'invoice' | 'dispute', from: string, allowed: readonly string[], detail?: string) {
    super(detail ?? `The ${what} is ${from.replaceAll('_', ' ')}.`, { what, from, allowed });
  }
}

/** There is no exchange: amounts of two currencies are never reckoned with each other. */
export class CurrencyDiffers extends Conflict {
  readonly slug = 'currency-mismatch';
  readonly title = 'Another currency';

  constructor(expected: string, given: string) {
    super(`The warehouse reckons in ${expected}, and ${given} was given.`, { expected, given });
  }
}
