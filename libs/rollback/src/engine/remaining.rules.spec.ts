import { describe, expect, it } from '@jest/globals';
import type { PlanStep } from '../plans/plan.contract.js';
import { doCommand, mayHaveEffect, restsOn, undoCommand } from './remaining.rules.js';
import type { StepRow } from './run.queries.js';

const step = (action: string, input: StepRow['input'], domain: string | null = 'wms'): StepRow => ({
  idx: 3,
  key: 'k',
  action,
  version: 1,
  domain,
  input,
  state: 'failed',
  attempt: 1,
  before: null,
  request: null,
  after: null,
  result: null,
  error: null,
  waitsFor: null,
  wish: null,
  wishBy: null,
  wishFacts: null,
  skipReason: null,
});

describe('what is left to people', () => {
  it.each([
    ['flag.off', { flag: 'enable_wms_module' }, 'belay off enable_wms_module', 'belay on enable_wms_module'],
    ['flag.lift', { flag: 'wms_write' }, 'belay on wms_write', 'belay off wms_write'],
    ['jobs.stop', { domain: 'wms' }, 'belay jobs stop wms', 'belay jobs start wms'],
    ['jobs.start', { domain: 'wms' }, 'belay jobs start wms', 'belay jobs stop wms'],
    ['migration.down', { domain: 'wms' }, 'belay retry r 3', 'belay migrate up wms'],
    ['migration.up', { domain: 'wms' }, 'belay retry r 3', 'belay migrate down wms'],
    ['rows.restore', {}, 'belay retry r 3', 'belay undo r # step 3'],
  ])('of %s is said as a command', (action, input, forth, back) => {
    expect([doCommand('r', step(action, input)), undoCommand('r', step(action, input))]).toEqual([forth, back]);
  });

  it('takes the domain of the step when its input has none', () => {
    expect(undoCommand('r', step('jobs.stop', {}, 'sop'))).toBe('belay jobs start sop');
  });
});

describe('an effect', () => {
  it.each([
    ['pending', false],
    ['previewed', false],
    ['skipped', false],
    ['compensated', false],
    ['running', true],
    ['waiting', true],
    ['effect-unknown', true],
    ['effect-done', true],
    ['verified', true],
    ['compensating', true],
    ['compensation-failed', true],
  ] as const)('of a step that is %s may be there: %s', (state, expected) => {
    expect(mayHaveEffect({ state, error: null })).toBe(expected);
  });

  it('of a step that failed may be there unless somebody saw that it is not', () => {
    expect(mayHaveEffect({ state: 'failed', error: { effect: 'partial' } })).toBe(true);
    expect(mayHaveEffect({ state: 'failed', error: null })).toBe(true);
    expect(mayHaveEffect({ state: 'failed', error: { effect: 'not-done' } })).toBe(false);
  });
});

describe('a step rests on an earlier one', () => {
  const planned = (key: string, domain: string | null, after: string[]): PlanStep => ({
    key,
    action: 'flag.off',
    version: 1,
    domain,
    input: {},
    after,
    destructive: false,
    timeoutS: 1,
    onFail: 'hold',
    undo: '',
  });
  const a = planned('a', 'wms', []);
  const b = planned('b', 'sop', ['a']);
  const c = planned('c', 'wms', ['b']);
  const all = planned('all', null, ['c']);
  const steps = [a, b, c, all];
  const same = (one: string, other: string) => one === other;

  it('of the same domain that the plan has before it, at any distance', () => {
    expect(restsOn(steps, c, a, same)).toBe(true);
    expect(restsOn(steps, a, c, same)).toBe(false);
  });

  it('not when they concern domains that have nothing to do with each other', () => {
    expect(restsOn(steps, c, b, same)).toBe(false);
    expect(restsOn(steps, c, b, () => true)).toBe(true);
  });

  it('whatever concerns all rests on all before it', () => {
    expect(restsOn(steps, all, b, same)).toBe(true);
  });
});
