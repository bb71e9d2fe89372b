import { describe, expect, it } from '@jest/globals';
import { containerCheckDigit, containerNumber, hasRightCheckDigit } from './container-number.rules.js';

describe('a container number', () => {
  it.each([
    ['CSQU3054383', true],
    ['MSKU9070323', true],
    ['TEXU3070079', true],
    ['CSQU3054384', false],
    ['OOLU1234567', true],
    ['OOLU1234568', false],
    ['csqu3054383', false],
    ['CSQU305438', false],
    ['CSQU30543833', false],
  ])('%s has the right check digit: %s', (number, right) => {
    expect(hasRightCheckDigit(number)).toBe(right);
  });

  it('has four letters and seven digits', () => {
    expect(['OOLU1234567', 'OOL1234567', 'OOLU123456X'].map((number) => containerNumber.test(number))).toEqual([
      true,
      false,
      false,
    ]);
    expect(() => containerCheckDigit('OOL1234567')).toThrow(RangeError);
  });

  it('whose remainder is ten ends in zero', () => {
    const tens = Array.from({ length: 200 }, (_, number) => `ABCU${String(number).padStart(6, '0')}`).filter(
      (number) => containerCheckDigit(number) === 0,
    );
    expect(tens.length).toBeGreaterThan(200 / 11);
  });
});
