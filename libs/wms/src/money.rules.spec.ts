import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CurrencyMismatch, currencyScale, Money, NotExact, Qty, Rate, rounded } from './money.rules.js';

const gbp = (text: string) => Money.parse(text, 'GBP');

describe('an amount', () => {
  it.each([
    ['0', '0.00'],
    ['-0.00', '0.00'],
    ['3.9', '3.90'],
    ['3.900', '3.90'],
    ['-0.05', '-0.05'],
    ['0012.50', '12.50'],
    ['999999999999.99', '999999999999.99'],
    ['90071992547409.93', '90071992547409.93'],
  ])('is read from %s and written %s', (text, written) => {
    expect(gbp(text).toString()).toBe(written);
    expect(JSON.stringify({ amount: gbp(text) })).toBe(`{"amount":"${written}"}`);
  });

  it.each(['', '-', '.5', '5.', '1e3', '+1', ' 1', '1 ', '1,5', 'NaN', 'Infinity', '٣', '1\n', '3.901', '0x10'])(
    'is not read from %j',
    (text) => {
      expect(() => gbp(text)).toThrow(NotExact);
    },
  );

  it('cannot be made from a number, at compile time or when it runs', () => {
    // @ts-expect-error -- the compiler refuses
    expect(() => Money.parse(3.9, 'GBP')).toThrow(NotExact);
    // @ts-expect-error -- the compiler refuses
    expect(() => Money.ofMinor(390, 'GBP').plus(gbp('1'))).toThrow(TypeError);
    // @ts-expect-error -- the compiler refuses
    expect(() => Qty.of(3)).toThrow(TypeError);
  });

  it('cannot become a number', () => {
    expect(() => Number(gbp('3.90'))).toThrow(NotExact);
    // @ts-expect-error -- the compiler refuses
    expect(() => gbp('3.90') * 2).toThrow(NotExact);
    expect(() => gbp('3.90') < gbp('4.00')).toThrow(NotExact);
    expect(() => Math.round(Number(Rate.parse('1', 'GBP')))).toThrow(NotExact);
    expect(() => Number(Qty.of(1n))).toThrow(NotExact);
  });

  it('is added, taken away, compared and summed', () => {
    expect(gbp('0.10').plus(gbp('0.20')).toString()).toBe('0.30');
    expect(gbp('0.10').minus(gbp('0.20')).toString()).toBe('-0.10');
    expect(gbp('-0.10').absolute().toString()).toBe('0.10');
    expect([gbp('1').compare(gbp('2')), gbp('2').compare(gbp('2')), gbp('3').compare(gbp('2'))]).toEqual([-1, 0, 1]);
    expect(Money.sum([gbp('3.90'), gbp('39.00'), gbp('7.80'), gbp('3.90')], 'GBP').toString()).toBe('54.60');
    expect(Money.sum([], 'GBP').toString()).toBe('0.00');
  });

  it('is never reckoned with another currency', () => {
    expect(() => gbp('1').plus(Money.parse('1', 'USD'))).toThrow(CurrencyMismatch);
    expect(() => gbp('1').compare(Money.zero('EUR'))).toThrow(CurrencyMismatch);
    expect(() => Money.sum([gbp('1')], 'USD')).toThrow(CurrencyMismatch);
  });

  it('has the decimals of its currency', () => {
    expect(['GBP', 'JPY', 'KWD'].map(currencyScale)).toEqual([2, 0, 3]);
    expect(Money.parse('1200', 'JPY').toString()).toBe('1200');
    expect(() => Money.parse('1200.5', 'JPY')).toThrow(NotExact);
    expect(Money.parse('1.234', 'KWD').toString()).toBe('1.234');
  });
});

describe('a rate', () => {
  it.each([
    ['3.900000', '3.90'],
    ['650', '650.00'],
    ['0.95', '0.95'],
    ['0.000001', '0.000001'],
    ['0.125000', '0.125'],
  ])('%s is written %s', (text, written) => {
    expect(Rate.parse(text, 'GBP').toString()).toBe(written);
  });

  it('has at most six decimals', () => {
    expect(() => Rate.parse('0.0000001', 'GBP')).toThrow(NotExact);
  });

  it.each([
    ['3.90', '14', 'GBP', '54.60'],
    ['2.345', '1', 'GBP', '2.35'],
    ['2.345', '-1', 'GBP', '-2.35'],
    ['2.344999', '1', 'GBP', '2.34'],
    ['0.005', '1', 'GBP', '0.01'],
    ['0.0049', '1', 'GBP', '0.00'],
    ['0.69', '9.6667', 'USD', '6.67'],
    ['1234.5', '1', 'JPY', '1235'],
    ['0.0005', '1', 'KWD', '0.001'],
  ])('%s for %s in %s is %s', (rate, quantity, currency, amount) => {
    expect(Rate.parse(rate, currency).times(Qty.parse(quantity)).toString()).toBe(amount);
  });
});

describe('a quantity', () => {
  it('is written without zeros at the end', () => {
    expect(['14', '14.5000', '0.3334', '-2.0'].map((text) => Qty.parse(text).toString())).toEqual([
      '14',
      '14.5',
      '0.3334',
      '-2',
    ]);
    expect(() => Qty.parse('0.33333')).toThrow(NotExact);
    expect(Qty.sum([Qty.of(2n), Qty.parse('0.5')]).toString()).toBe('2.5');
  });
});

describe('rounding', () => {
  it('goes to the nearest, and from the middle away from zero', () => {
    const halves: [bigint, bigint][] = [
      [5n, 10n],
      [-5n, 10n],
      [4n, 10n],
      [-4n, 10n],
      [15n, 10n],
      [-15n, 10n],
      [1n, 3n],
      [2n, 3n],
    ];
    expect(halves.map(([dividend, divisor]) => rounded(dividend, divisor))).toEqual([1n, -1n, 0n, 0n, 2n, -2n, 0n, 1n]);
    expect(() => rounded(1n, 0n)).toThrow(RangeError);
  });
});

describe('a split', () => {
  it.each([
    ['100.00', [1n, 1n, 1n], ['33.34', '33.33', '33.33']],
    ['0.02', [1n, 1n, 1n], ['0.01', '0.01', '0.00']],
    ['-100.00', [1n, 1n, 1n], ['-33.34', '-33.33', '-33.33']],
    ['10.00', [0n, 1n], ['0.00', '10.00']],
    ['10.01', [0n, 0n], ['5.01', '5.00']],
    ['1.00', [2n, 3n, 1n], ['0.33', '0.50', '0.17']],
  ])('of %s by %p is %p', (amount, weights, parts) => {
    expect(gbp(amount).split(weights).map(String)).toEqual(parts);
  });

  it('needs somebody, and no negative weight', () => {
    expect(() => gbp('1').split([])).toThrow(RangeError);
    expect(() => gbp('1').split([1n, -1n])).toThrow(RangeError);
  });

  it('always sums to the whole, and no part is a coin away from its share', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 14n), max: 10n ** 14n }),
        fc.array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { minLength: 1, maxLength: 40 }),
        (minor, weights) => {
          const parts = Money.ofMinor(minor, 'GBP').split(weights);
          expect(Money.sum(parts, 'GBP').minor).toBe(minor);
          const sum = weights.reduce((all, weight) => all + weight, 0n);
          for (const [index, weight] of weights.entries()) {
            const off = sum === 0n ? 0n : (parts[index]?.minor ?? 0n) * sum - minor * weight;
            expect(off < sum || sum === 0n).toBe(true);
            expect(off > -sum || sum === 0n).toBe(true);
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
