import { describe, expect, it } from '@jest/globals';
import type { PastVisit } from './history.contract.js';
import { visitsInOrder } from './history.rules.js';

function visit(nodeCode: string, from: string, to: string, details: Partial<PastVisit> = {}): PastVisit {
  const times = { startedAt: `2012-01-30T${from}:00Z`, endedAt: `2012-01-30T${to}:00Z` };
  const rest = { operatorId: 'o', kind: 'work', goodQty: 1, scrapQty: 0, reviewQty: 0, isRework: false } as const;
  return { nodeCode, ...times, ...rest, ...details };
}

const clock = (at: number) => new Date(at).toISOString().slice(11, 16);

describe('what was done in the past', () => {
  it('is put in the order in which it began, and waited since whatever was begun before had ended', () => {
    const visits = visitsInOrder([
      visit('B', '09:00', '10:00'),
      visit('A', '07:00', '08:00'),
      visit('A', '10:30', '11:00'),
    ]);
    expect(
      visits.map(({ visit: { nodeCode }, visitNo, enteredAt }) => `${nodeCode}${visitNo} ${clock(enteredAt)}`),
    ).toEqual(['A1 07:00', 'B1 08:00', 'A2 10:00']);
  });

  it('may overlap: then it did not wait, and what comes after waits for the longest', () => {
    const visits = visitsInOrder([
      visit('A', '07:00', '09:00'),
      visit('B', '08:00', '08:30'),
      visit('C', '09:30', '09:30'),
    ]);
    expect(visits.map(({ enteredAt, overlaps }) => [clock(enteredAt), overlaps])).toEqual([
      ['07:00', false],
      ['08:00', true],
      ['09:00', false],
    ]);
  });

  it('was sent back by the visit before what is done again', () => {
    const visits = visitsInOrder([visit('A', '07:00', '08:00'), visit('B', '08:00', '09:00', { isRework: true })]);
    expect(visits.map(({ outcome }) => outcome)).toEqual(['reworked', 'moved']);
  });
});
