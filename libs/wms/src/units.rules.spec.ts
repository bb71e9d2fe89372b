import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Money, Qty, Rate } from './money.rules.js';
import { cartonsOf, palletsOf, unitsOf } from './units.rules.js';

describe('cartons', () => {
  it.each([
    [1020n, 60n, 17n, 0n, 17n],
    [1019n, 60n, 16n, 59n, 17n],
    [1n, 60n, 0n, 1n, 1n],
    [0n, 60n, 0n, 0n, 0n],
    [52n, 52n, 1n, 0n, 1n],
  ])('%p units of %p in a carton are %p full ones, %p loose, and the room of %p', (units, per, full, loose, room) => {
    expect(cartonsOf(units, per)).toEqual({ full, loose, equivalents: room });
  });

  it('and loose units become units and come back', () => {
    const count = fc.bigInt({ min: 0n, max: 99_999n });
    fc.assert(
      fc.property(count, fc.bigInt({ min: 1n, max: 10_000n }), count, (cartons, per, pieces) => {
        const loose = pieces % per;
        const units = unitsOf(cartons, loose, per);
        expect(cartonsOf(units, per)).toEqual({ full: cartons, loose, equivalents: cartons + (loose > 0n ? 1n : 0n) });
      }),
    );
  });

  it('cannot be empty, nor fewer than none', () => {
    expect(() => cartonsOf(1n, 0n)).toThrow(RangeError);
    expect(() => cartonsOf(-1n, 1n)).toThrow(RangeError);
    expect(() => unitsOf(1n, 0n, 0n)).toThrow(RangeError);
    expect(() => palletsOf(1n, 0n)).toThrow(RangeError);
    expect(() => palletsOf(-1n, 1n)).toThrow(RangeError);
  });
});

describe('storage pallets at 3.90', () => {
  const golden: [bigint, bigint, bigint, string][] = [
    [17n, 36n, 1n, '3.90'],
    [140n, 14n, 10n, '39.00'],
    [46n, 36n, 2n, '7.80'],
    [1n, 36n, 1n, '3.90'],
  ];

  it.each(golden)('%p cartons at %p on a pallet are %p for %s', (cartons, perPallet, pallets, amount) => {
    expect(palletsOf(cartons, perPallet)).toBe(pallets);
    expect(Rate.parse('3.90', 'GBP').times(Qty.of(pallets)).toString()).toBe(amount);
  });

  it('are rounded up for each lot, and cost 54.60 together', () => {
    const amounts = golden.map(([cartons, perPallet]) =>
      Rate.parse('3.90', 'GBP').times(Qty.of(palletsOf(cartons, perPallet))),
    );
    expect(Money.sum(amounts, 'GBP').toString()).toBe('54.60');
  });

  it('are none for nothing', () => {
    expect(palletsOf(0n, 36n)).toBe(0n);
  });
});
