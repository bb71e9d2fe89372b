import { goingWith } from './domain-order.rules.js';
import { schemaChange, stateOf, type PlanDraft, type PlanningWorld } from './plan-draft.rules.js';
import type { PlanTarget } from './plan.contract.js';
import { ConfirmMismatch, NothingToDo, ParkedTooShort, TargetUnknown } from './plan.problems.js';
import type { StepWish } from './plan-step.rules.js';
import { backup, flagOff, jobsStart, jobsStop, switchOff, verifyAll } from './step-wish.rules.js';

type PurgeTarget = Extract<PlanTarget, { kind: 'purge' }>;

interface Kept {
  readonly kind: string;
  readonly object: string;
  readonly since: Date;
}

/** What is kept of a domain, or of the whole database. */
export interface KeptFacts {
  readonly parked: readonly Kept[];
  readonly copies: readonly Kept[];
  readonly now: Date;
}

/** Of the plans that drop: their name for the whole database, which is no domain. */
const WHOLE = 'application';
const gone = 'gone; only the proven backup has it';

/** The only plans that drop: what was put aside long enough, with a backup that was proven after that. */
export function draftPurge(
  world: PlanningWorld,
  target: PurgeTarget,
  facts: KeptFacts & { readonly afterDays: number },
): PlanDraft {
  const { domain: name, confirm } = target;
  const known = world.state.domains.filter(({ ledger }) => ledger.length > 0).map(({ domain }) => domain);
  if (!known.includes(name) && !(name === WHOLE && target.copies))
    throw new TargetUnknown(`module ${name} with a schema`, known);
  if (confirm !== name) throw new ConfirmMismatch(name, confirm);
  const { going, ...own } = target.copies
    ? copiesOf(name, target.copies, facts)
    : parkedOf(world, name, target.feature, facts);
  for (const { object, since } of going) {
    if (facts.now.getTime() < since.getTime() + facts.afterDays * 86_400_000)
      throw new ParkedTooShort(object, since, facts.afterDays);
  }
  return {
    domains: goingWith(world.domains, name).map((domain) => domain.name),
    policy: 'hold',
    dataLossRisk: 'none',
    budgetS: 3_600,
    targetS: 300,
    backup: { scope: name === WHOLE ? known : [name], level: 4 },
    warnings: ['Nothing takes this back but a restore from the backup'],
    notes: [],
    ...own,
  };
}

type Own = Pick<PlanDraft, 'wishes' | 'changes' | 'unavailable'> & { readonly going: readonly Kept[] };

/** What is served is not touched by it, so that copies go while their module is on. */
function copiesOf(name: string, copies: readonly string[], facts: KeptFacts): Own {
  const strange = copies.find((copy) => !facts.copies.some(({ object }) => object === copy));
  if (strange !== undefined) {
    throw new TargetUnknown(
      `copy ${strange} of ${name}`,
      facts.copies.map(({ object }) => object),
    );
  }
  return {
    going: facts.copies.filter(({ object }) => copies.includes(object)),
    wishes: [...backup(name === WHOLE ? WHOLE : [name], 4), purgeOf(name, { copies: [...copies] }), verifyAll],
    changes: copies.map((copy) => ({ component: copy, from: 'kept', to: gone })),
    unavailable: [],
  };
}

function parkedOf(world: PlanningWorld, name: string, feature: string | undefined, facts: KeptFacts): Own {
  if (feature !== undefined) return parkedByFeature(world, name, feature, facts);
  if (facts.parked.length === 0) throw new NothingToDo(`Nothing of ${name} is parked`);
  const going = goingWith(world.domains, name);
  return {
    going: facts.parked,
    wishes: [...switchOff(going), ...backup([name], 4), purgeOf(name, {}), verifyAll],
    changes: stateOf(world, name).schema === 'parked' ? [schemaChange(world, name, gone)] : [],
    unavailable: going.map(({ title }) => title),
  };
}

/** The rest of the module goes on; its jobs stand still meanwhile. */
function parkedByFeature(world: PlanningWorld, name: string, feature: string, facts: KeptFacts): Own {
  const domain = world.domains.find((one) => one.name === name);
  const found = domain?.features.find(({ flag }) => flag === feature);
  if (!domain || !found)
    throw new TargetUnknown(`feature ${feature} of ${name}`, domain?.features.map(({ flag }) => flag) ?? []);
  const own = world.migrationsOf(name, feature);
  const parked = stateOf(world, name).ledger.filter((line) => line.state === 'parked' && own.includes(line.name));
  if (parked.length === 0) throw new NothingToDo(`Nothing of ${feature} is parked`);
  return {
    going: facts.parked,
    wishes: [
      flagOff(feature, name),
      jobsStop(name),
      ...backup([name], 4),
      purgeOf(name, { feature }),
      jobsStart(name),
      verifyAll,
    ],
    changes: parked.map((line) => ({ component: `${name}/${line.name}`, from: 'parked', to: gone })),
    unavailable: [`${domain.title}: ${found.title}`],
  };
}

const purgeOf = (domain: string, more: StepWish['input']): StepWish => ({
  key: `purge:${domain}`,
  action: 'purge',
  domain,
  input: { domain, ...more },
});
