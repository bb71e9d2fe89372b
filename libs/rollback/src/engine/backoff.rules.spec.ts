import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backoffMs, breakMs } from './backoff.rules.js';

describe('the pause before another attempt', () => {
  it('doubles from one second up to thirty', () => {
    expect([1, 2, 3, 4, 5, 6, 7].map((failures) => backoffMs(failures, 1))).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
    ]);
  });

  it('is anywhere between nothing and that', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (n, random) => {
          const ms = backoffMs(n, random);
          expect(ms).toBeGreaterThanOrEqual(0);
          expect(ms).toBeLessThan(30_000.1);
          expect(ms).toBeCloseTo(random * backoffMs(n, 1), 6);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('is short after a connection that broke, and never more than two seconds', () => {
    expect([1, 2, 9, 10, 11].map(breakMs)).toEqual([200, 400, 1_800, 2_000, 2_000]);
  });
});
