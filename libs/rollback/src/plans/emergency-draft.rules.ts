import type { Domain } from '@belay/platform';
import { BackupTooWeak } from '../rollback.problems.js';
import { gatesOf, goingWith } from './domain-order.rules.js';
import { isOn, offChanges, type PlanDraft, type PlanningWorld } from './plan-draft.rules.js';
import type { PlanTarget } from './plan.contract.js';
import { NotGated, TargetUnknown } from './plan.problems.js';
import { newestOf, type StepWish } from './plan-step.rules.js';
import { EMERGENCY_ROLLBACK } from './reserved-flag.rules.js';
import { flagOff, gatesOff, jobsStop, verifyAll, verifyDomain } from './step-wish.rules.js';

type EmergencyTarget = Extract<PlanTarget, { kind: 'emergency' }>;

/** The newest proven backups, as far as an emergency may need them. */
export interface ProvenBackups {
  readonly ofDomain: string | null;
  readonly ofApplication: string | null;
}

const times = { budgetS: 300, targetS: 5 } as const;

/**
 * E1: one module and what cannot live without it. E2: every gated one, by one switch. E4: the same, and then the way
 * back from a backup. Overlay first, jobs second; no schema step below E4.
 */
export function draftEmergency(world: PlanningWorld, target: EmergencyTarget, backups: ProvenBackups): PlanDraft {
  const going = target.domain === undefined ? everyGated(world.domains) : named(world, target.domain);
  const names = going.map(({ name }) => name);
  const whole = target.level !== 'E1' && target.domain === undefined;
  const flags = whole ? [flagOff(EMERGENCY_ROLLBACK, null)] : going.flatMap(gatesOff);
  const restore = target.level === 'E4' ? restoreWishes(target, backups) : [];
  const looks = target.level === 'E1' ? names.map((name) => verifyDomain(name, 'off')) : [];
  const changes = whole
    ? [{ component: 'every gated module', from: 'as their flags say', to: 'off' }]
    : offChanges(world, going);
  return {
    ...times,
    domains: target.level === 'E4' && whole ? world.domains.map(({ name }) => name) : names,
    policy: target.level === 'E4' ? 'hold' : 'continue',
    dataLossRisk: target.level === 'E4' ? 'medium' : 'none',
    backup: null,
    wishes: [...flags, ...names.map(jobsStop), ...restore, ...unleash(world, going), ...looks, verifyAll],
    changes: target.level === 'E4' ? [...changes, ...restoreChanges(target, backups)] : changes,
    unavailable: going.map(({ title }) => title),
    warnings: going.every((domain) => gatesOf(domain).every((flag) => !isOn(world, flag)))
      ? ['All of it is off already']
      : [],
    notes: ['Checks that are not critical are made afterwards', 'A second person ratifies within 24 hours'],
  };
}

/** All that an emergency switches off, those that depend on others first. */
function everyGated(domains: readonly Domain[]): readonly Domain[] {
  return domains.filter(({ flag, survivesEmergency }) => flag !== undefined && survivesEmergency !== true).reverse();
}

function named({ domains }: PlanningWorld, name: string): readonly Domain[] {
  const domain = domains.find((one) => one.name === name);
  if (!domain)
    throw new TargetUnknown(
      `module ${name}`,
      domains.map((one) => one.name),
    );
  if (domain.flag === undefined) throw new NotGated(name);
  return goingWith(domains, name);
}

function restoreWishes({ domain }: EmergencyTarget, backups: ProvenBackups): readonly StepWish[] {
  if (domain !== undefined) {
    if (backups.ofDomain === null) throw new BackupTooWeak(domain, null, 4);
    const input = { domain, backupId: backups.ofDomain };
    return [{ key: `restore:${domain}`, action: 'domain.restore', domain, input }];
  }
  if (backups.ofApplication === null) throw new BackupTooWeak('the application', null, 4);
  const input = { scope: 'application', backupId: backups.ofApplication };
  return [{ key: 'restore', action: 'database.restore', domain: null, input }];
}

function restoreChanges({ domain }: EmergencyTarget, backups: ProvenBackups): PlanDraft['changes'] {
  const from = domain === undefined ? backups.ofApplication : backups.ofDomain;
  const component = domain === undefined ? 'the application database' : `schema ${domain}`;
  return [{ component, from: 'as it is', to: `as in backup ${from ?? ''}; what is there is kept` }];
}

/** So that the flag server says the same as the overlay; nothing waits for it. */
function unleash({ catalogue }: PlanningWorld, going: readonly Domain[]): readonly StepWish[] {
  if (!newestOf(catalogue, 'unleash.sync')) return [];
  const flags = going.flatMap(gatesOf);
  return [{ key: 'unleash', action: 'unleash.sync', domain: null, input: { off: flags }, onFail: 'continue' }];
}
