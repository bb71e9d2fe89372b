import { describe, expect, it } from '@jest/globals';
import { RateWindow } from './rate-window.js';

describe('a window of requests', () => {
  it('lets the limit through and not one more, until a minute has passed since the first', () => {
    const window = new RateWindow(2);
    expect(window.count('a', 0)).toEqual({ limit: 2, remaining: 1, reset: 60, exceeded: false });
    expect(window.count('a', 30_000)).toMatchObject({ remaining: 0, reset: 30, exceeded: false });
    expect(window.count('a', 59_999)).toEqual({ limit: 2, remaining: 0, reset: 1, exceeded: true });
    expect(window.count('a', 60_000)).toMatchObject({ remaining: 1, reset: 60, exceeded: false });
  });

  it('counts each key apart', () => {
    const window = new RateWindow(1);
    expect(window.count('a', 0).exceeded).toBe(false);
    expect(window.count('b', 0).exceeded).toBe(false);
    expect(window.count('a', 0).exceeded).toBe(true);
  });

  it('forgets the oldest windows rather than growing without end', () => {
    const window = new RateWindow(1);
    for (let n = 0; n <= 10_000; n++) window.count(`key ${n}`, n);
    expect(window.count('key 1', 10_001).exceeded).toBe(true);
    expect(window.count('key 0', 10_001).exceeded).toBe(false);
  });
});
