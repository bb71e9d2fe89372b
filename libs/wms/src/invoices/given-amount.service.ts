import { InvalidRequest } from '@belay/platform';
import { Money, NotExact } from '../money.rules.js';

/** The amount that a request gives; refused at its pointer when the currency has no such coins. */
export function givenAmount(text: string, currency: string, pointer: string): Money {
  try {
    return Money.parse(text, currency);
  } catch (error) {
    if (!(error instanceof NotExact)) throw error;
    throw new InvalidRequest([{ pointer, detail: error.message }]);
  }
}
