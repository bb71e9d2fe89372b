import { describe, expect, it } from '@jest/globals';
import { loadOf, moreWork, spreadOf, type Work } from './load.rules.js';

const work: Work = { open: 3, sessions: 2, lastDay: 5, minutes: 90, pieces: 250, serials: 2 };

describe('load', () => {
  it.each([
    ['count', 3],
    ['weighted', 4.5],
    ['minutes', 90],
    ['combined', 22.5],
  ] as const)('by %s is %p', (mode, load) => {
    expect(loadOf(mode, work)).toBe(load);
  });

  it('grows by what is given', () => {
    const token = { minutes: 12, pieces: 40 };
    expect(moreWork(work, { ...token, oem: true })).toEqual({
      ...work,
      open: 4,
      lastDay: 6,
      minutes: 102,
      pieces: 290,
    });
    expect(moreWork(work, { ...token, oem: false })).toEqual({
      ...work,
      open: 4,
      lastDay: 6,
      minutes: 102,
      serials: 3,
    });
  });
});

describe('the spread of loads', () => {
  it.each([
    [[5, 4, 4], 0.471, 0.103],
    [[6, 2, 1], 2.16, 0.667],
    [[3, 3], 0, 0],
    [[0, 0], 0, 0],
    [[], 0, 0],
  ])('of %p has sigma %p and drift %p', (loads, sigma, drift) => {
    const spread = spreadOf(loads);
    expect([spread.people, Number(spread.sigma.toFixed(3)), Number(spread.drift.toFixed(3))]).toEqual([
      loads.length,
      sigma,
      drift,
    ]);
  });
});
