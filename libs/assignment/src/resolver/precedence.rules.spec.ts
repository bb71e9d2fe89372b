import { describe, expect, it } from '@jest/globals';
import { rulesOf, type Rule, type RuleScope } from './precedence.rules.js';

const token = { id: 'token', jobTicketId: 'job' };
const rule = (mode: Rule['mode'], scope: RuleScope, facts: Partial<Rule> = {}): Rule => ({
  id: `${mode} ${scope}`,
  mode,
  scope,
  tokenId: scope === 'token' ? 'token' : null,
  jobTicketId: scope === 'job' || scope === 'job_node' ? 'job' : null,
  nodeCode: scope === 'job' ? null : 'SEW',
  assigneeType: 'operator',
  assigneeId: 'somebody',
  priority: 100,
  whenAway: mode === 'PIN' ? 'WAIT' : 'NEXT',
  ...facts,
});
const order = (...rules: Rule[]) => rulesOf(rules, token).map(({ id }) => id);

describe('rules are tried', () => {
  it('pins first, the more specific first', () => {
    const all = [
      rule('PLAN', 'job'),
      rule('PIN', 'job'),
      rule('PLAN', 'node'),
      rule('PIN', 'node'),
      rule('PLAN', 'job_node'),
      rule('PIN', 'job_node'),
      rule('PIN', 'token'),
    ];
    const expected = ['PIN token', 'PIN job_node', 'PIN node', 'PIN job', 'PLAN job_node', 'PLAN node', 'PLAN job'];
    expect(order(...all)).toEqual(expected);
    expect(order(...all.toReversed())).toEqual(expected);
  });

  it('by scope before priority, by priority before id', () => {
    expect(
      order(
        rule('PLAN', 'node', { id: 'c', priority: 1 }),
        rule('PLAN', 'job_node', { id: 'd', priority: 90 }),
        rule('PLAN', 'node', { id: 'b', priority: 2 }),
        rule('PLAN', 'node', { id: 'a', priority: 2 }),
      ),
    ).toEqual(['d', 'c', 'a', 'b']);
  });

  it('a pin for the node before one for all nodes of the token', () => {
    expect(order(rule('PIN', 'token', { id: 'a', nodeCode: null }), rule('PIN', 'token', { id: 'b' }))).toEqual([
      'b',
      'a',
    ]);
  });

  it('only where they are about the token or its job', () => {
    expect(
      order(
        rule('PIN', 'token', { tokenId: 'another' }),
        rule('PLAN', 'job', { jobTicketId: 'another' }),
        rule('PLAN', 'node'),
      ),
    ).toEqual(['PLAN node']);
  });
});
