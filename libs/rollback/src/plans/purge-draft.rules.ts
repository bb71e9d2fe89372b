import { goingWith } from './domain-order.rules.js';
import { schemaChange, stateOf, type PlanDraft, type PlanningWorld } from './plan-draft.rules.js';
import type { PlanTarget } from './plan.contract.js';
import { ConfirmMismatch, NothingToDo, ParkedTooShort, TargetUnknown } from './plan.problems.js';
import { backup, switchOff, verifyAll } from './step-wish.rules.js';

type PurgeTarget = Extract<PlanTarget, { kind: 'purge' }>;

export interface KeptFacts {
  /** Of what was put aside last; null when nothing is. */
  readonly parkedAt: Date | null;
  /** Those of the copies asked for that there are. */
  readonly copies: readonly string[];
  readonly now: Date;
  readonly afterDays: number;
}

/** The only plan that drops: what was parked long enough, with a backup that was proven after it was parked. */
export function draftPurge(world: PlanningWorld, target: PurgeTarget, facts: KeptFacts): PlanDraft {
  const { domain: name } = target;
  const state = stateOf(world, name);
  if (state.ledger.length === 0) {
    throw new TargetUnknown(
      `module ${name} with a schema`,
      world.state.domains.map(({ domain }) => domain),
    );
  }
  if (target.confirm !== name) throw new ConfirmMismatch(name, target.confirm);
  if (facts.parkedAt === null) throw new NothingToDo(`Nothing of ${name} is parked`);
  const purgeable = facts.parkedAt.getTime() + facts.afterDays * 86_400_000;
  if (facts.now.getTime() < purgeable) throw new ParkedTooShort(name, facts.parkedAt, facts.afterDays);

  const strange = target.copies?.find((copy) => !facts.copies.includes(copy));
  if (strange !== undefined) throw new TargetUnknown(`copy ${strange}`, facts.copies);

  const going = goingWith(world.domains, name);
  // What is served is not touched by it, so that a copy can go while its module is on.
  const off = facts.copies.length > 0 ? [] : switchOff(going);
  const databases = facts.copies.some((copy) => !copy.startsWith(`${name}__`));
  const input = { domain: name, ...(facts.copies.length > 0 && { copies: [...facts.copies] }) };
  return {
    domains: going.map((domain) => domain.name),
    policy: 'hold',
    dataLossRisk: 'none',
    budgetS: 3_600,
    targetS: 300,
    backup: { scope: [name], level: 4 },
    wishes: [
      ...off,
      ...backup(databases ? 'application' : [name], 4),
      { key: `purge:${name}`, action: 'purge', domain: name, input },
      verifyAll,
    ],
    changes: [
      ...(state.schema === 'parked' ? [schemaChange(world, name, 'gone; only the proven backup has it')] : []),
      ...facts.copies.map((copy) => ({ component: copy, from: 'kept', to: 'gone; only the proven backup has it' })),
    ],
    unavailable: off.length > 0 ? going.map(({ title }) => title) : [],
    warnings: ['Nothing takes this back but a restore from the backup'],
    notes: [],
  };
}
