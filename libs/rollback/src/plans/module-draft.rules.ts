import { goingWith } from './domain-order.rules.js';
import { isOn, offChanges, schemaChange, stateOf, type PlanDraft, type PlanningWorld } from './plan-draft.rules.js';
import type { PlanTarget } from './plan.contract.js';
import { NotGated, NothingToDo, TargetUnknown } from './plan.problems.js';
import {
  backup,
  flagOff,
  jobsStart,
  jobsStop,
  marker,
  migrationDown,
  ofFeature,
  switchOff,
  verifyAll,
  verifyDomain,
} from './step-wish.rules.js';

type ModuleTarget = Extract<PlanTarget, { kind: 'module' }>;

/** Figures that operations people hold us to: the runbooks' times, and ours. */
const offTimes = { budgetS: 30, targetS: 1 } as const;
const parkedTimes = { budgetS: 900, targetS: 60 } as const;
const featureTimes = { budgetS: 330, targetS: 11 } as const;
/** What is parked is kept at this level before. */
const PARKED_LEVEL = 4;

/** A module, or a feature of one, off; with everything that cannot live without it. */
export function draftModule(world: PlanningWorld, target: ModuleTarget): PlanDraft {
  const domain = world.domains.find(({ name }) => name === target.domain);
  if (!domain)
    throw new TargetUnknown(
      `module ${target.domain}`,
      world.domains.map(({ name }) => name),
    );
  if (target.feature !== undefined) return draftFeature(world, target, target.feature);
  if (domain.flag === undefined) throw new NotGated(domain.name);

  const going = goingWith(world.domains, domain.name);
  const names = going.map(({ name }) => name);
  const common = {
    domains: names,
    policy: 'compensate',
    dataLossRisk: 'none',
    unavailable: going.map(({ title }) => title),
  } as const;
  const off = [...switchOff(going), marker(`${domain.name} off`)];
  const looks = [...names.map((name) => verifyDomain(name, 'off')), verifyAll];
  const running = stateOf(world, domain.name);
  if (target.depth === 'off') {
    return {
      ...common,
      ...offTimes,
      backup: null,
      wishes: [...off, ...looks],
      changes: offChanges(world, going),
      warnings: [],
      notes: ['No row is touched: facts and jobs wait until it is on again'],
    };
  }
  if (running.schema === 'parked') throw new NothingToDo(`${domain.name} is parked already`);
  const live = names.filter(
    (name) => stateOf(world, name).schema !== 'parked' && stateOf(world, name).ledger.length > 0,
  );
  if (live.length === 0) throw new NothingToDo(`${domain.name} has no schema that could be parked`);
  return {
    ...common,
    ...parkedTimes,
    backup: { scope: live, level: PARKED_LEVEL },
    wishes: [...off, ...backup(live, PARKED_LEVEL), ...live.map(migrationDown), ...looks],
    changes: [...offChanges(world, going), ...live.map((name) => schemaChange(world, name, 'parked'))],
    warnings: [],
    notes: ['Every row is kept under the parked name; the next up takes it back'],
  };
}

function draftFeature(world: PlanningWorld, target: ModuleTarget, flag: string): PlanDraft {
  const domain = world.domains.find(({ name }) => name === target.domain);
  const feature = domain?.features.find((one) => one.flag === flag);
  if (!domain || !feature) {
    throw new TargetUnknown(`feature ${flag} of ${target.domain}`, domain?.features.map((one) => one.flag) ?? []);
  }
  const off = { component: `flag ${flag}`, from: isOn(world, flag) ? 'on' : 'off', to: 'off, by hand' };
  const common = {
    domains: [domain.name],
    policy: 'compensate' as const,
    dataLossRisk: 'none' as const,
    unavailable: [`${domain.title}: ${feature.title}`],
    warnings: [],
  };
  const looks = [verifyDomain(domain.name), verifyAll];
  if (target.depth === 'off') {
    return {
      ...common,
      ...offTimes,
      backup: null,
      wishes: [flagOff(flag, domain.name), marker(`${flag} off`), ...looks],
      changes: [off],
      notes: ['No row is touched, and the rest of the module goes on'],
    };
  }
  const { ledger } = stateOf(world, domain.name);
  const own = world.migrationsOf(domain.name, flag);
  const going = ledger.filter(({ name, state }) => state === 'applied' && own.includes(name)).map(({ name }) => name);
  if (going.length === 0) throw new NothingToDo(`${flag} has nothing of its own that could be parked`);
  return {
    ...common,
    ...featureTimes,
    backup: { scope: [domain.name], level: PARKED_LEVEL },
    wishes: [
      flagOff(flag, domain.name),
      jobsStop(domain.name),
      marker(`${flag} parked`),
      ...backup([domain.name], PARKED_LEVEL),
      ofFeature(migrationDown(domain.name), flag, going),
      jobsStart(domain.name),
      ...looks,
    ],
    changes: [off, ...going.map((name) => ({ component: `${domain.name}/${name}`, from: 'applied', to: 'parked' }))],
    notes: [
      'The rest of the module goes on; its jobs stand still meanwhile',
      'Every row is kept; the next up takes it back',
    ],
  };
}
