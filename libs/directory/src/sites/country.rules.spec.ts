import { describe, expect, it } from '@jest/globals';
import { isCountry } from './country.rules.js';

describe('a country code', () => {
  it.each([
    ['GB', true],
    ['UK', false],
    ['US', true],
    ['EU', false],
    ['XK', false],
    ['us', false],
    ['', false],
  ])('%s is assigned: %s', (code, assigned) => {
    expect(isCountry(code)).toBe(assigned);
  });

  it('is one of 249', () => {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('');
    expect(letters.flatMap((one) => letters.map((two) => one + two)).filter(isCountry)).toHaveLength(249);
  });
});
