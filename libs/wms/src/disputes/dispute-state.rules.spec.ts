import { describe, expect, it } from '@jest/globals';
import { disputeMayBecome, disputeStates } from './dispute-state.rules.js';

describe('a dispute', () => {
  it('goes the ways that are drawn, and no other', () => {
    const ways = disputeStates.flatMap((from) =>
      disputeStates.filter((to) => disputeMayBecome(from, to)).map((to) => `${from} > ${to}`),
    );
    expect(ways).toEqual([
      'open > contacted',
      'open > withdrawn',
      'contacted > escalated',
      'contacted > resolved',
      'contacted > withdrawn',
      'escalated > resolved',
      'escalated > withdrawn',
    ]);
  });
});
