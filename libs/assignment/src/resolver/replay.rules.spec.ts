import { describe, expect, it } from '@jest/globals';
import type { Candidate } from './ranking.rules.js';
import { replayAll, replayed, type Strategy } from './replay.rules.js';

const candidate = (operatorId: string, facts: Partial<Candidate>): Candidate => ({
  operatorId,
  teamId: 'team',
  load: 0,
  niceSkills: 0,
  cycleMinutes: null,
  lastAssignedAt: 1,
  hadTurn: false,
  sortPriority: 50,
  ...facts,
});
const candidates = [
  candidate('idle', { load: 1, lastAssignedAt: null, hadTurn: true }),
  candidate('light', { hadTurn: true }),
  candidate('fast', { load: 2, cycleMinutes: 3, hadTurn: true }),
  candidate('next', { load: 3, sortPriority: 10 }),
];

describe('a decision that is made again', () => {
  it.each([
    ['as-decided', 'light'],
    ['fastest', 'fast'],
    ['longest-idle', 'idle'],
    ['in-turn', 'next'],
  ] satisfies [Strategy, string][])('by the strategy %s goes to %s', (strategy, operatorId) => {
    expect(replayed({ candidates: candidates.toReversed() }, strategy)?.operatorId).toBe(operatorId);
  });

  it('goes to nobody when nothing was written down', () => {
    expect([replayed({ candidates: [] }), replayed({}), replayed(null)]).toEqual([undefined, undefined, undefined]);
  });

  it('is compared with what was', () => {
    const made = [
      { operatorId: 'light', trace: { candidates } },
      { operatorId: 'fast', trace: { candidates } },
    ];
    expect(replayAll(made, 'as-decided')).toEqual({ choices: 2, same: 1, sigma: { then: 0.5, now: Math.sqrt(0.75) } });
  });
});
