import { describe, expect, it } from '@jest/globals';
import type { Domain } from '@belay/platform';
import { Module } from '@nestjs/common';
import fc from 'fast-check';
import { actions } from '../actions/registry.js';
import { approvalsFor } from './approval.rules.js';
import { gatesOf, goingWith } from './domain-order.rules.js';
import { draftEmergency } from './emergency-draft.rules.js';
import { errorsOf, lint } from './linter.rules.js';
import { draftModule } from './module-draft.rules.js';
import type { PlanDraft, PlanningWorld } from './plan-draft.rules.js';
import type { PlanTarget } from './plan.contract.js';
import { stepsOf } from './plan-step.rules.js';

@Module({})
class EmptyModule {}

type EmergencyTarget = Extract<PlanTarget, { kind: 'emergency' }>;

const catalogue = { all: actions };

const nameOf = (place: number) => `domain_${String.fromCharCode(97 + place)}`;

/** Any domains that come after any others, gated or not, kept by features or not, with or without a schema. */
const situations: fc.Arbitrary<Omit<PlanningWorld, 'catalogue'>> = fc
  .array(
    fc.record({
      gated: fc.boolean(),
      survives: fc.boolean(),
      kept: fc.boolean(),
      parents: fc.nat(),
      live: fc.boolean(),
      on: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((facts) => {
    const domains: Domain[] = [];
    for (const [place, { gated, survives, kept, parents }] of facts.entries()) {
      const name = nameOf(place);
      // What is core rests on nothing that can be switched off.
      const after = domains
        .filter((one, bit) => ((parents >> bit) & 1) === 1 && (gated || one.flag === undefined))
        .map((one) => one.name);
      domains.push({
        name,
        title: name,
        after,
        features: kept && gated ? [{ flag: `${name}_preview`, title: name }] : [],
        module: EmptyModule,
        ...(gated && { flag: `enable_${name}` }),
        ...(kept && gated && { keptBy: [`${name}_preview`] }),
        ...(survives && gated && { survivesEmergency: true }),
      });
    }
    const state = {
      domains: facts.map(({ live }, place) => ({
        domain: nameOf(place),
        schema: live ? ('live' as const) : ('absent' as const),
        catalog: '',
        ledger: live ? [{ name: '1', checksum: 'x', state: 'applied' as const }] : [],
      })),
      flags: domains.flatMap((domain, place) =>
        gatesOf(domain).map((flag) => ({ flag, killed: false, on: facts[place]?.on === true, mode: 'on' })),
      ),
    };
    return { domains, state, migrationsOf: () => [] };
  });

const backups = {
  ofDomain: '01890000-0000-7000-8000-000000000001',
  ofApplication: '01890000-0000-7000-8000-000000000002',
};

function errors(world: PlanningWorld, target: PlanTarget, draft: PlanDraft) {
  const steps = stepsOf(catalogue, draft.wishes);
  const plan = {
    target,
    steps,
    approvals: [...approvalsFor(target, steps)],
    budgetS: draft.budgetS,
    backup: draft.backup,
  };
  return errorsOf(lint(plan, world));
}

describe('Feature: version-rollback, Property 11', () => {
  it('an emergency switches off first, touches no schema below E4, and keeps every rule of planning', () => {
    const levels = fc.constantFrom('E1' as const, 'E2' as const, 'E4' as const);
    fc.assert(
      fc.property(situations, levels, fc.nat(), (situation, level, which) => {
        const world = { ...situation, catalogue };
        const gated = world.domains.filter(({ flag }) => flag !== undefined);
        const domain = gated[which % Math.max(gated.length, 1)]?.name;
        const one: EmergencyTarget = { kind: 'emergency', level, ...(domain !== undefined && { domain }) };
        const all: EmergencyTarget = { kind: 'emergency', level };
        for (const target of [one, all]) {
          if (target.domain === undefined && level === 'E1') continue;
          const draft = draftEmergency(world, target, backups);
          const steps = stepsOf(catalogue, draft.wishes);
          const flags = steps.findLastIndex(({ action }) => action === 'flag.off');
          const others = steps.findIndex(({ action }) => action !== 'flag.off');
          expect(flags).toBeLessThan(others);
          if (level !== 'E4') {
            expect(steps.filter(({ destructive, action }) => destructive || action.startsWith('migration.'))).toEqual(
              [],
            );
          }
          expect(errors(world, target, draft)).toEqual([]);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('a module goes with all that cannot live without it, by every rule of planning', () => {
    fc.assert(
      fc.property(
        situations,
        fc.nat(),
        fc.constantFrom('off' as const, 'parked' as const),
        (situation, which, depth) => {
          const world = { ...situation, catalogue };
          const gated = world.domains.filter(({ flag }) => flag !== undefined);
          const domain = gated[which % Math.max(gated.length, 1)]?.name;
          fc.pre(domain !== undefined);
          const going = goingWith(world.domains, domain).map(({ name }) => name);
          const schemas = world.state.domains.filter((one) => one.schema === 'live' && going.includes(one.domain));
          fc.pre(depth === 'off' || schemas.length > 0);
          const target = { kind: 'module', domain, depth } satisfies PlanTarget;
          expect(errors(world, target, draftModule(world, target))).toEqual([]);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
