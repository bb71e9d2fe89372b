import { describe, expect, it } from '@jest/globals';
import { joinState, type JoinChild } from './join.rules.js';

const child = (branchKey: string, details: Partial<JoinChild> = {}): JoinChild => ({
  id: `${branchKey}-1`,
  branchKey,
  status: 'ready',
  hasArrived: false,
  mayArrive: true,
  replacesTokenId: null,
  ...details,
});
const here = (branchKey: string, details: Partial<JoinChild> = {}) =>
  child(branchKey, { status: 'waiting', hasArrived: true, ...details });
const lost = (branchKey: string) => child(branchKey, { status: 'scrapped', mayArrive: false });
const and = { joinType: 'AND', joinQuorum: null } as const;
const or = { joinType: 'OR', joinQuorum: null } as const;
const quorum = (joinQuorum: number) => ({ joinType: 'N_OF_M', joinQuorum }) as const;

describe('a join', () => {
  it('of all waits for the last', () => {
    expect(joinState(and, [here('1'), here('2'), child('3')])).toMatchObject({
      isSatisfied: false,
      arrived: ['1', '2'],
      missing: ['3'],
    });
    expect(joinState(and, [here('1'), here('2'), here('3')]).isSatisfied).toBe(true);
  });

  it('of all does not wait for what went another way', () => {
    expect(joinState(and, [here('1'), child('2', { mayArrive: false })]).isSatisfied).toBe(true);
    expect(joinState(and, [here('1'), child('2', { status: 'completed', mayArrive: false })]).isSatisfied).toBe(true);
  });

  it('is never satisfied by nobody', () => {
    for (const join of [and, or, quorum(1)]) {
      expect(joinState(join, [child('1'), child('2')]).isSatisfied).toBe(false);
      expect(joinState(join, [child('1', { mayArrive: false })]).isSatisfied).toBe(false);
    }
  });

  it('of one goes on with the first, of two with the second', () => {
    expect(joinState(or, [here('1'), child('2')]).isSatisfied).toBe(true);
    expect(joinState(quorum(2), [here('1'), child('2'), child('3')]).isSatisfied).toBe(false);
    expect(joinState(quorum(2), [here('1'), here('2'), child('3')]).isSatisfied).toBe(true);
  });

  it('counts a branch when all its children are there', () => {
    const second = here('1', { id: '1-2' });
    expect(joinState(or, [here('1'), child('1', { id: '1-2' })]).isSatisfied).toBe(false);
    expect(joinState(or, [here('1'), second]).isSatisfied).toBe(true);
  });

  it('has no hope when too much is lost', () => {
    expect(joinState(and, [here('1'), lost('2')])).toMatchObject({ isHopeless: true, isSatisfied: false });
    expect(joinState(quorum(2), [here('1'), child('2'), lost('3')]).isHopeless).toBe(false);
    expect(joinState(quorum(3), [here('1'), child('2'), lost('3')]).isHopeless).toBe(true);
    expect(joinState(or, [child('1'), lost('2')]).isHopeless).toBe(false);
    expect(joinState(or, [lost('1'), lost('2')]).isHopeless).toBe(true);
  });

  it('expects what comes in the place of what is lost', () => {
    const anew = child('2', { id: '2-2', replacesTokenId: '2-1' });
    expect(joinState(and, [here('1'), lost('2'), anew])).toMatchObject({ isHopeless: false, missing: ['2'] });
    expect(joinState(and, [here('1'), lost('2'), { ...anew, hasArrived: true }]).isSatisfied).toBe(true);
  });
});
