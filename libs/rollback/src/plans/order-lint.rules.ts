import { gatesOf, goingWith } from './domain-order.rules.js';
import { error, isSwitch, type Finding, type Judged } from './judged-plan.rules.js';
import type { PlanDoc, PlanStep } from './plan.contract.js';

/** Steps that rename, replace or drop what a schema has. */
const schemaActions = new Set(['migration.down', 'migration.up', 'purge', 'step.undo']);
/** The whole database is not among them: until its swap, for which it stops all writes itself, everything is served. */
const restoreActions = new Set(['rows.restore', 'domain.restore']);
/** They take back what a run did, and lose nothing by it. */
const takesBack = new Set(['migration.up', 'step.undo']);
/** They keep what they replace under a failed name, and bring a proven backup of their own. */
const ownBackup = new Set(['domain.restore', 'database.restore']);
/** What is put aside first needs to go in one direction, what comes back in the other. */
const goes = new Set(['flag.off', 'migration.down', 'purge']);
const comes = new Set(['flag.lift', 'migration.up']);

/** They can be about one feature alone, and then the rest of its domain goes on. */
const ofFeature = new Set(['migration.down', 'migration.up', 'purge']);

/** Flags of the domain and of all that cannot live without it, or of the one feature that it is about. */
export function flagsFirst(step: PlanStep, place: number, judged: Judged): Finding[] {
  if (!touchesData(step) || judged.writesStopped(place)) return [];
  const feature = featureOf(step, judged);
  const flags = feature === undefined ? judged.touched(step).flatMap(gatesOf) : [feature];
  return flags
    .filter((flag) => !judged.standsOff(flag, place))
    .flatMap((flag) => error('flags-first', step, `${flag} is not off before it.`));
}

export function jobsFirst(step: PlanStep, place: number, judged: Judged): Finding[] {
  if (!touchesData(step) || judged.writesStopped(place)) return [];
  const feature = featureOf(step, judged);
  return judged
    .touched(step)
    .filter(({ name }) => feature === undefined || name === step.domain)
    .filter(({ name }) => !judged.jobsStand(name, place))
    .flatMap(({ name }) => error('jobs-first', step, `The jobs of ${name} are not stopped before it.`));
}

/** That the migrations which the step names are of that feature is looked at by the step itself. */
function featureOf({ action, domain, input: { feature } }: PlanStep, { world }: Judged): string | undefined {
  const own = world.domains.find(({ name }) => name === domain)?.features ?? [];
  return typeof feature === 'string' && ofFeature.has(action) && own.some(({ flag }) => flag === feature)
    ? feature
    : undefined;
}

function touchesData({ action, input }: PlanStep): boolean {
  // Copies are beside what is served: nobody uses them.
  if (action === 'purge' && Array.isArray(input['copies']) && input['copies'].length > 0) return false;
  return schemaActions.has(action) || restoreActions.has(action);
}

/** The level that what the step risks must be kept at before it. */
export function levelNeeded(step: Pick<PlanStep, 'action' | 'destructive'>): number {
  if (step.action === 'purge') return 4;
  return step.destructive && !ownBackup.has(step.action) ? 2 : 0;
}

export function backupFirst(plan: Pick<PlanDoc, 'backup'>, step: PlanStep, place: number, judged: Judged): Finding[] {
  if (ownBackup.has(step.action)) {
    return typeof step.input['backupId'] === 'string'
      ? []
      : error('backup-first', step, 'It names no backup to restore from.');
  }
  const facts = judged.facts(step);
  if (facts?.destructive !== true || takesBack.has(step.action)) return [];
  const level = Math.max(levelNeeded({ ...step, destructive: true }), plan.backup?.level ?? 0);
  const kept = judged.steps
    .slice(0, place)
    .findLastIndex((one) => one.action === 'backup.create' && covers(one, step.domain));
  if (kept < 0) return error('backup-first', step, `There is no backup of ${step.domain ?? 'everything'} before it.`);
  // A proof is of the backup that was made last.
  const later = judged.steps.slice(kept + 1, place);
  const next = later.findIndex(({ action }) => action === 'backup.create');
  const proven = later
    .slice(0, next < 0 ? later.length : next)
    .some(
      ({ action, input }) =>
        action === 'backup.verify' && input['backupId'] == null && Number(input['level'] ?? 0) >= level,
    );
  return proven ? [] : error('backup-first', step, `The backup before it is not brought to level ${level}.`);
}

function covers({ input }: PlanStep, domain: string | null): boolean {
  const { domains, scope } = input;
  if (scope === 'application') return true;
  return domain !== null && (scope === domain || (Array.isArray(domains) && domains.includes(domain)));
}

export function verifiedAfter(step: PlanStep, place: number, judged: Judged): Finding[] {
  if (judged.facts(step)?.effect !== true) return [];
  const looks = (one: PlanStep) =>
    one.action === 'verify.all' ||
    (one.action === 'verify.domain' && step.domain !== null && one.domain === step.domain);
  const looked =
    judged.after(place, looks) || (isSwitch(step) && judged.after(place, ({ action }) => action === 'verify.flags'));
  return looked ? [] : error('verify-after', step, 'Nothing looks at its effect afterwards.');
}

/** Those that depend on others go first and come back last. */
export function dependentsFirst(step: PlanStep, place: number, judged: Judged): Finding[] {
  const going = goes.has(step.action);
  if ((!going && !comes.has(step.action)) || step.domain === null) return [];
  if (featureOf(step, judged) !== undefined) return [];
  const { domains } = judged.world;
  const dependents = new Set(goingWith(domains, step.domain).map(({ name }) => name));
  dependents.delete(step.domain);
  const others = going ? judged.steps.slice(place + 1) : judged.steps.slice(0, place);
  return others
    .filter((other) => other.action === step.action && other.domain !== null && dependents.has(other.domain))
    .flatMap((other) =>
      error(
        'order',
        step,
        `${other.domain ?? ''} depends on ${step.domain ?? ''} and must ${going ? 'go before' : 'come after'} it.`,
      ),
    );
}

/** Contracts and infrastructure come back before the frontend that talks to them. */
export function frontendLast({ target, steps }: Pick<PlanDoc, 'target' | 'steps'>): Finding[] {
  if (target.kind !== 'emergency') return [];
  const last = steps.findLastIndex(({ action }) => /^(contract|config|slot)\./.test(action));
  return steps
    .slice(0, Math.max(last, 0))
    .filter(({ action }) => action.startsWith('frontend.'))
    .flatMap((step) => error('frontend-last', step, 'It comes before a contract or the infrastructure.'));
}
