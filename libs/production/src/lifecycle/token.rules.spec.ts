import { describe, expect, it } from '@jest/globals';
import { isLive, mayEndAs, tokenStatuses } from './token.rules.js';

describe('a token', () => {
  it.each([
    ['ready', ['ready', 'waiting', 'active', 'completed', 'scrapped', 'merged', 'consumed']],
    // A person starts the work: what waits is let in first.
    ['waiting', ['ready', 'waiting', 'completed', 'scrapped', 'merged', 'consumed']],
    ['active', ['ready', 'waiting', 'active', 'paused', 'completed', 'scrapped', 'merged', 'consumed']],
    ['paused', ['ready', 'waiting', 'active', 'paused', 'completed', 'scrapped', 'merged', 'consumed']],
    ['completed', []],
    ['scrapped', []],
    ['merged', []],
    ['consumed', []],
  ] as const)('that is %s may become %j', (from, expected) => {
    expect(tokenStatuses.filter((to) => mayEndAs(from, to))).toEqual(
      tokenStatuses.filter((to) => expected.some((one) => one === to)),
    );
  });

  it('lives until its way has ended', () => {
    expect(tokenStatuses.filter(isLive)).toEqual(['ready', 'waiting', 'active', 'paused']);
  });
});
