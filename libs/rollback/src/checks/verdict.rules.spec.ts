import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { judge, type CheckResult } from './verdict.rules.js';

const results: fc.Arbitrary<CheckResult[]> = fc.uniqueArray(
  fc
    .record({
      number: fc.integer({ min: 1, max: 30 }),
      severity: fc.constantFrom('critical' as const, 'normal' as const),
      outcome: fc.constantFrom('pass' as const, 'fail' as const, 'inconclusive' as const, 'not-run' as const),
      bypassed: fc.boolean(),
    })
    .map(({ number, severity, outcome, bypassed }): CheckResult => ({
      id: `S${number}`,
      title: 'A check',
      severity,
      outcome,
      measured: { number },
      threshold: { number: 0 },
      evidence: {},
      recovery: outcome === 'pass' ? [] : [{ kind: 'ask', text: 'Ask somebody' }],
      // Nobody can go on in spite of a critical one, whatever is written beside it.
      bypassedBy: bypassed ? 'amina' : null,
    })),
  { selector: ({ id }) => id, maxLength: 19 },
);

describe('Feature: version-rollback, Property 3', () => {
  it('one critical check that did not pass keeps a run from going on, and every one that stands in the way is listed with a way on', () => {
    fc.assert(
      fc.property(results, (all) => {
        const { decision, against } = judge(all);
        const critical = all.filter(({ severity, outcome }) => severity === 'critical' && outcome !== 'pass');
        const normal = all.filter(
          ({ severity, outcome, bypassedBy }) => severity === 'normal' && outcome !== 'pass' && bypassedBy === null,
        );
        expect(decision === 'go').toBe(critical.length + normal.length === 0);
        expect(new Set(against)).toEqual(new Set([...critical, ...normal]));
        expect(against.every(({ recovery }) => recovery.length > 0)).toBe(true);
        const known = critical.some(({ outcome }) => outcome === 'fail' || outcome === 'not-run');
        expect(decision === 'refuse').toBe(known);
      }),
      { numRuns: 2_000 },
    );
  });
});
