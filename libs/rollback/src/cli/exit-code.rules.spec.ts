import { describe, expect, it } from '@jest/globals';
import { codeOfPlan, codeOfProblem, codeOfRun } from './exit-code.rules.js';

describe('exit codes', () => {
  it.each([
    ['checks-failed', 2],
    ['plan-stale', 2],
    ['backup-too-weak', 2],
    ['approval-missing', 3],
    ['run-in-progress', 6],
    ['plan-not-found', 1],
    ['permission-missing', 1],
  ])('of the problem %s is %i', (slug, code) => {
    expect(codeOfProblem(slug)).toBe(code);
  });

  it('tell a plan that checks block from one that is used up', () => {
    expect(codeOfProblem('plan-not-open', { state: 'blocked' })).toBe(2);
    expect(codeOfProblem('plan-not-open', { state: 'used' })).toBe(1);
    expect([codeOfPlan('blocked'), codeOfPlan('awaiting-approval'), codeOfPlan('cancelled')]).toEqual([2, 0, 1]);
  });

  it.each([
    ['monitoring', null, 0],
    ['closed', null, 0],
    ['cancelled', null, 1],
    ['compensated', null, 4],
    ['manual', null, 5],
    ['paused', 'human', 5],
    ['paused', 'preempted', 6],
    ['paused', 'inconclusive', 7],
  ])('of a run that is %s (%s) is %i', (state, pausedFor, code) => {
    expect(codeOfRun({ state, pausedFor })).toBe(code);
  });
});
