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

  const at = (minute: number) => new Date(Date.UTC(2025, 10, 20, 12, minute));

  it('is compared with what was', () => {
    const made = [
      { at: at(0), operatorId: 'light', trace: { candidates } },
      { at: at(0), operatorId: 'fast', trace: { candidates } },
    ];
    expect(replayAll(made, 'as-decided')).toEqual({
      choices: 2,
      same: 1,
      sigma: { then: 0.5, now: Math.sqrt(0.75) },
      backlog: { known: 0, then: null, now: null },
    });
  });

  it('waits for what the same person was given before, where it is known what they need', () => {
    const pace = [candidate('slow', { cycleMinutes: 10 }), candidate('fast', { load: 1, cycleMinutes: 3 })];
    const unpaced = [candidate('new', {})];
    const made = [0, 1, 2].map((minute) => ({ at: at(minute), operatorId: 'slow', trace: { candidates: pace } }));
    const choices = [...made, { at: at(3), operatorId: 'new', trace: { candidates: unpaced } }];
    // Ten minutes each: none, 9 and 18. Three minutes each: none, 2 and 4.
    expect(replayAll(choices, 'fastest')).toMatchObject({ choices: 4, backlog: { known: 3, then: 9, now: 2 } });
    expect(replayAll(choices, 'as-decided').backlog).toEqual({ known: 3, then: 9, now: 9 });
    // Who is done by then does not wait.
    const apart = [0, 10].map((minute) => ({ at: at(minute), operatorId: 'slow', trace: { candidates: pace } }));
    expect(replayAll(apart, 'as-decided').backlog).toEqual({ known: 2, then: 0, now: 0 });
  });
});
