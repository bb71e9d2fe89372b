import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { approvalsFor, helps, missingApprovals, type Vote } from './approval.rules.js';
import type { PlanTarget } from './plan.contract.js';

const approve = 'rollback:approve';
const purge = 'rollback:purge';
const restore = 'rollback:restore';
const needed = [{ permission: approve }, { permission: purge }];
const vote = (actor: string, ...permissions: string[]): Vote => ({ actor, decision: 'approve', permissions });

describe('approvals', () => {
  it('are needed for what destroys or lets on again, from two people for what is lost or replaced, and for nothing else', () => {
    const of = (target: PlanTarget, ...actions: string[]) =>
      approvalsFor(
        target,
        actions.map((action) => ({ action, destructive: !/^(flag|jobs|verify)/.test(action) })),
      ).map(({ permission }) => permission);
    const off: PlanTarget = { kind: 'module', domain: 'wms', depth: 'off' };
    expect(of(off, 'flag.off', 'jobs.stop')).toEqual([]);
    expect(of(off, 'flag.off', 'migration.down')).toEqual([approve]);
    expect(of({ kind: 'undo', runId: 'r' }, 'jobs.start')).toEqual([approve]);
    expect(of({ kind: 'restore', path: 'R2' }, 'rows.restore')).toEqual([approve]);
    expect(of({ kind: 'restore', path: 'R4' }, 'domain.restore')).toEqual([approve, restore]);
    expect(of({ kind: 'restore', path: 'R5' }, 'database.restore')).toEqual([approve, restore]);
    expect(of({ kind: 'purge', domain: 'wms', confirm: 'wms' }, 'purge')).toEqual([approve, purge]);
    expect(of({ kind: 'emergency', level: 'E2' }, 'flag.off')).toEqual([]);
    expect(of({ kind: 'emergency', level: 'E4' }, 'flag.off', 'domain.restore')).toEqual([restore]);
  });

  it('of one person count once, and of the author never', () => {
    expect(missingApprovals(needed, [vote('amina', approve, purge)], 'maria')).toEqual([{ permission: approve }]);
    expect(missingApprovals(needed, [vote('maria', approve, purge), vote('jonas', approve)], 'maria')).toEqual([
      { permission: purge },
    ]);
    expect(missingApprovals(needed, [vote('amina', approve, purge), vote('jonas', approve)], 'maria')).toEqual([]);
    expect(missingApprovals(needed, [vote('jonas', approve), vote('amina', purge)], 'maria')).toEqual([]);
    const withdrawn: Vote = { ...vote('jonas', approve), decision: 'withdraw' };
    expect(missingApprovals(needed, [withdrawn, vote('amina', purge)], 'maria')).toEqual([{ permission: approve }]);
  });

  it('do not depend on the order in which they are given, and a person who helps brings the plan further', () => {
    const person = fc.record({
      actor: fc.constantFrom('maria', 'jonas', 'amina', 'karl', 'lena'),
      decision: fc.constantFrom('approve' as const, 'reject' as const, 'withdraw' as const),
      permissions: fc.uniqueArray(fc.constantFrom(approve, purge, restore)),
    });
    const votes = fc.uniqueArray(person, { selector: ({ actor }) => actor });
    const wanted = fc.array(
      fc.constantFrom(approve, purge, restore).map((permission) => ({ permission })),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(votes, wanted, person, (given, asked, another) => {
        const missing = missingApprovals(asked, given, 'maria').length;
        expect(missingApprovals(asked, [...given].reverse(), 'maria')).toHaveLength(missing);
        const people = given.filter(({ actor, decision }) => actor !== 'maria' && decision === 'approve').length;
        expect(missing).toBeGreaterThanOrEqual(asked.length - people);
        const others = given.filter(({ actor }) => actor !== another.actor);
        const after = missingApprovals(asked, [...others, { ...another, decision: 'approve' }], 'maria').length;
        const before = missingApprovals(asked, others, 'maria').length;
        expect(helps(asked, given, 'maria', another)).toBe(after < before);
        if (another.actor === 'maria') expect(after).toBe(before);
      }),
      { numRuns: 2_000 },
    );
  });
});
