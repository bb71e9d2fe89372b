import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { waitsOf } from './wait-estimate.rules.js';

describe('the estimate of a wait', () => {
  it('serves the queue by whoever is free first', () => {
    expect(waitsOf({ service: 30, servers: 3, elapsed: [10, 25, 40] }, 6)).toEqual([3, 5, 20, 33, 35, 50]);
  });

  it('lets those who are free begin at once', () => {
    expect(waitsOf({ service: 30, servers: 3, elapsed: [10] }, 4)).toEqual([0, 0, 20, 30]);
  });

  it('has one server take one after the other', () => {
    expect(waitsOf({ service: 12, servers: 1, elapsed: [5] }, 3)).toEqual([7, 19, 31]);
  });

  it('counts in rounds when nothing is known of who works', () => {
    expect(waitsOf({ service: 30, servers: 3, elapsed: [] }, 7)).toEqual([30, 30, 30, 60, 60, 60, 90]);
  });

  it('is unknown as long as nobody knows what a token takes', () => {
    expect(waitsOf({ service: null, servers: 3, elapsed: [10] }, 1)).toBeUndefined();
  });

  it('has at least one server, and minutes are rounded up', () => {
    expect(waitsOf({ service: 12.5, servers: 0, elapsed: [] }, 2)).toEqual([13, 25]);
    expect(waitsOf({ service: 12.4, servers: 1, elapsed: [5] }, 1)).toEqual([8]);
  });

  it('never lets a later position begin before an earlier one', () => {
    const minutes = fc.double({ min: 0, max: 600, noNaN: true });
    fc.assert(
      fc.property(
        fc.record({ service: minutes, servers: fc.nat(12), elapsed: fc.array(minutes, { maxLength: 12 }) }),
        fc.integer({ min: 1, max: 40 }),
        (facts, positions) => {
          const waits = waitsOf(facts, positions) ?? [];
          expect(waits).toEqual(waits.toSorted((one, other) => one - other));
          expect(waits).toHaveLength(positions);
        },
      ),
    );
  });

  it('does not depend on the order in which sessions are told', () => {
    const minutes = fc.double({ min: 0, max: 600, noNaN: true });
    fc.assert(
      fc.property(fc.array(minutes, { minLength: 1, maxLength: 8 }), (elapsed) => {
        const facts = { service: 30, servers: 4 };
        expect(waitsOf({ ...facts, elapsed: elapsed.toReversed() }, 10)).toEqual(waitsOf({ ...facts, elapsed }, 10));
      }),
    );
  });
});
