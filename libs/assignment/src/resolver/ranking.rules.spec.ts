import { describe, expect, it } from '@jest/globals';
import { ranked, tieBreak, type Candidate } from './ranking.rules.js';

const candidate = (operatorId: string, facts: Partial<Candidate> = {}): Candidate => ({
  operatorId,
  teamId: 'team',
  load: 1,
  niceSkills: 0,
  cycleMinutes: null,
  lastAssignedAt: null,
  hadTurn: false,
  sortPriority: 50,
  ...facts,
});

describe('of two candidates the first is', () => {
  it.each([
    ['loaded less', { load: 0 }, {}, 'AUTO_LEAST_LOAD'],
    ['skilled better', { niceSkills: 1 }, {}, 'AUTO_LEAST_LOAD'],
    ['usually faster', { cycleMinutes: 10 }, { cycleMinutes: 11 }, 'AUTO_TIE_CYCLE'],
    ['known to be fast', { cycleMinutes: 99 }, {}, 'AUTO_TIE_CYCLE'],
    ['longer without work', { lastAssignedAt: 1 }, { lastAssignedAt: 2 }, 'AUTO_TIE_LRU'],
    ['without work so far', {}, { lastAssignedAt: 1 }, 'AUTO_TIE_LRU'],
    ['still to have a turn', { sortPriority: 60 }, { hadTurn: true, sortPriority: 10 }, 'AUTO_ROUND_ROBIN'],
    ['earlier in the team', { sortPriority: 10 }, {}, 'AUTO_ROUND_ROBIN'],
  ] satisfies [string, Partial<Candidate>, Partial<Candidate>, string][])('%s', (_, one, other, code) => {
    const [a, b] = [candidate('b', one), candidate('a', other)];
    expect(ranked([b, a])).toEqual([a, b]);
    expect(ranked([a, b])).toEqual([a, b]);
    expect(tieBreak(a, b)).toBe(code);
  });

  it('the one whose id comes first, when they are equal in all else', () => {
    expect(ranked([candidate('b'), candidate('a')]).map(({ operatorId }) => operatorId)).toEqual(['a', 'b']);
  });
});

it('somebody alone is loaded least', () => {
  expect(tieBreak(candidate('a'), undefined)).toBe('AUTO_LEAST_LOAD');
});
