import { describe, expect, it } from '@jest/globals';
import { figuresOf } from './traffic.rules.js';

const bounds = [10, 100, 1_000];

describe('what was served of a module', () => {
  it('has a rate of errors, and latencies within the slot in which they fall', () => {
    const found = figuresOf({ requests: 100, errors: 3, slots: [50, 40, 10, 0] }, bounds);
    expect(found).toEqual({ requests: 100, errors: 3, errorRate: 0.03, p50Ms: 10, p95Ms: 550 });
  });

  it('took as long as the last bound where it took longer than all', () => {
    expect(figuresOf({ requests: 2, errors: 2, slots: [0, 0, 0, 2] }, bounds)).toMatchObject({
      errorRate: 1,
      p50Ms: 1_000,
      p95Ms: 1_000,
    });
  });

  it('has no latency where nobody asked', () => {
    expect(figuresOf({ requests: 0, errors: 0, slots: [] }, bounds)).toMatchObject({ errorRate: 0, p50Ms: null });
  });
});
