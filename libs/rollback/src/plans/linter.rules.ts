import type { Domain } from '@belay/platform';
import { approvalsFor } from './approval.rules.js';
import { gatesOf, goingWith } from './domain-order.rules.js';
import type { PlanDoc, PlanStep } from './plan.contract.js';
import { PLATFORM_WRITES } from './reserved-flag.rules.js';
import { newestOf, type ActionCatalogue, type ActionFacts } from './plan-step.rules.js';

/** Something of a plan that breaks a rule; an error refuses the plan. */
export interface Finding {
  readonly rule: string;
  readonly severity: 'error' | 'warning';
  readonly step: string | null;
  readonly message: string;
}

export interface LintWorld {
  readonly domains: readonly Domain[];
  readonly catalogue: ActionCatalogue;
}

const MOST_STEPS = 200;

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

/** Judges a plan, whoever wrote it, by the rules of planning alone; it looks at nothing but its arguments. */
export function lint(
  plan: Pick<PlanDoc, 'target' | 'steps' | 'approvals' | 'budgetS' | 'backup'>,
  world: LintWorld,
): readonly Finding[] {
  const judged = new Judged(plan.steps, world);
  return [
    ...sizes(plan),
    ...prerequisites(plan.steps),
    ...plan.steps.flatMap((step, place) => [
      ...actionKnown(step, judged),
      ...flagsFirst(step, place, judged),
      ...jobsFirst(step, place, judged),
      ...backupFirst(plan, step, place, judged),
      ...verifiedAfter(step, place, judged),
      ...dependentsFirst(step, place, judged),
      ...emergencyAllows(plan, step, judged),
      ...onlyItsOwnPlan(plan, step),
    ]),
    ...frontendLast(plan),
    ...approvalsEnough(plan),
    ...withinBudget(plan),
  ];
}

export function errorsOf(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ severity }) => severity === 'error');
}

class Judged {
  constructor(
    readonly steps: readonly PlanStep[],
    readonly world: LintWorld,
  ) {}

  facts({ action, version }: PlanStep): ActionFacts | undefined {
    return this.world.catalogue.all.find((one) => one.name === action && one.version === version);
  }

  /** The domains that a schema or restore step touches. */
  touched({ domain }: PlanStep): readonly Domain[] {
    return domain === null ? [] : goingWith(this.world.domains, domain);
  }

  before(place: number, fits: (step: PlanStep) => boolean): boolean {
    return this.steps.slice(0, place).some(fits);
  }

  after(place: number, fits: (step: PlanStep) => boolean): boolean {
    return this.steps.slice(place + 1).some(fits);
  }

  /** Whether all writes are stopped before the step, by a flag that nothing lifts in between. */
  writesStopped(place: number): boolean {
    return this.standsOff(PLATFORM_WRITES, place);
  }

  /** Whether the last word on the flag before the step is off. */
  standsOff(flag: string, place: number): boolean {
    const last = this.steps.slice(0, place).findLast((step) => isSwitch(step) && step.input['flag'] === flag);
    return last?.action === 'flag.off';
  }

  jobsStand(domain: string, place: number): boolean {
    const last = this.steps
      .slice(0, place)
      .findLast(
        (step) => (step.action === 'jobs.stop' || step.action === 'jobs.start') && step.input['domain'] === domain,
      );
    return last?.action === 'jobs.stop';
  }
}

function isSwitch({ action }: PlanStep): boolean {
  return action === 'flag.off' || action === 'flag.lift';
}

function error(rule: string, step: PlanStep | null, message: string): Finding[] {
  return [{ rule, severity: 'error', step: step?.key ?? null, message }];
}

function sizes({ steps }: Pick<PlanDoc, 'steps'>): Finding[] {
  if (steps.length === 0) return error('no-steps', null, 'It does nothing.');
  if (steps.length > MOST_STEPS) return error('too-many-steps', null, `${steps.length} steps; at most ${MOST_STEPS}.`);
  return [];
}

function prerequisites(steps: readonly PlanStep[]): Finding[] {
  const seen = new Set<string>();
  return steps.flatMap((step) => {
    const twice = seen.has(step.key) ? error('key-twice', step, `Two steps have the key ${step.key}.`) : [];
    const late = step.after
      .filter((key) => !seen.has(key))
      .flatMap((key) => error('prerequisite', step, `It comes after ${key}, which is not before it.`));
    seen.add(step.key);
    return [...twice, ...late];
  });
}

function actionKnown(step: PlanStep, judged: Judged): Finding[] {
  const facts = judged.facts(step);
  if (!facts) {
    const newest = newestOf(judged.world.catalogue, step.action);
    return newest
      ? error(
          'unknown-action',
          step,
          `${step.action} has no version ${step.version}; this build has ${newest.version}.`,
        )
      : error('unknown-action', step, `There is no action ${step.action}.`);
  }
  const input = facts.input.safeParse(step.input);
  return [
    ...(input.success
      ? []
      : error(
          'bad-input',
          step,
          input.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
        )),
    ...(facts.destructive === step.destructive
      ? []
      : error('says-harmless', step, `${step.action} is ${facts.destructive ? '' : 'not '}destructive.`)),
    ...(addressee(step) === step.domain
      ? []
      : error('wrong-domain', step, `It says ${step.domain ?? 'all'} and acts on ${addressee(step) ?? 'all'}.`)),
  ];
}

/** The domain that the input names; what names none may say any. */
function addressee(step: PlanStep): string | null {
  const { domain } = step.input;
  return typeof domain === 'string' ? domain : step.domain;
}

/** Flags of the domain and of all that cannot live without it. */
function flagsFirst(step: PlanStep, place: number, judged: Judged): Finding[] {
  if (!touchesData(step) || judged.writesStopped(place)) return [];
  return judged
    .touched(step)
    .flatMap(gatesOf)
    .filter((flag) => !judged.standsOff(flag, place))
    .flatMap((flag) => error('flags-first', step, `${flag} is not off before it.`));
}

function jobsFirst(step: PlanStep, place: number, judged: Judged): Finding[] {
  if (!touchesData(step) || judged.writesStopped(place)) return [];
  return judged
    .touched(step)
    .filter(({ name }) => !judged.jobsStand(name, place))
    .flatMap(({ name }) => error('jobs-first', step, `The jobs of ${name} are not stopped before it.`));
}

function touchesData({ action, input }: PlanStep): boolean {
  // Failed copies are beside what is served; a purge drops nothing that anybody could use.
  if (action === 'purge' && Array.isArray(input['copies']) && input['copies'].length > 0) return false;
  return schemaActions.has(action) || restoreActions.has(action);
}

/** The level that what the step risks must be kept at before it. */
export function levelNeeded(step: Pick<PlanStep, 'action' | 'destructive'>): number {
  if (step.action === 'purge') return 4;
  return step.destructive && !ownBackup.has(step.action) ? 2 : 0;
}

function backupFirst(plan: Pick<PlanDoc, 'backup'>, step: PlanStep, place: number, judged: Judged): Finding[] {
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

function verifiedAfter(step: PlanStep, place: number, judged: Judged): Finding[] {
  if (judged.facts(step)?.effect !== true) return [];
  const looks = (one: PlanStep) =>
    one.action === 'verify.all' ||
    (one.action === 'verify.domain' && step.domain !== null && one.domain === step.domain);
  const looked =
    judged.after(place, looks) || (isSwitch(step) && judged.after(place, ({ action }) => action === 'verify.flags'));
  return looked ? [] : error('verify-after', step, 'Nothing looks at its effect afterwards.');
}

/** Those that depend on others go first and come back last. */
function dependentsFirst(step: PlanStep, place: number, judged: Judged): Finding[] {
  const going = goes.has(step.action);
  if ((!going && !comes.has(step.action)) || step.domain === null) return [];
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

function emergencyAllows({ target }: Pick<PlanDoc, 'target'>, step: PlanStep, judged: Judged): Finding[] {
  if (target.kind !== 'emergency') return [];
  const allowed = judged.facts(step)?.emergency ?? 'never';
  if (allowed === 'must' || allowed === 'may' || (allowed === 'E4' && target.level === 'E4')) return [];
  return error('not-in-emergency', step, `${step.action} is not for an emergency of level ${target.level}.`);
}

/** Only a purge drops, alone; only an undo, or the end of a restore that stopped all writes, lets something on again. */
function onlyItsOwnPlan({ target }: Pick<PlanDoc, 'target'>, step: PlanStep): Finding[] {
  if (step.action === 'purge' && target.kind !== 'purge')
    return error('purge-alone', step, 'Only a plan to purge may purge.');
  if (step.action === 'flag.lift' && target.kind !== 'undo' && step.input['flag'] !== PLATFORM_WRITES) {
    return error('lifts', step, 'Only an undo may let a module on again.');
  }
  return [];
}

/** Contracts and infrastructure come back before the frontend that talks to them. */
function frontendLast({ target, steps }: Pick<PlanDoc, 'target' | 'steps'>): Finding[] {
  if (target.kind !== 'emergency') return [];
  const last = steps.findLastIndex(({ action }) => /^(contract|config|slot)\./.test(action));
  return steps
    .slice(0, Math.max(last, 0))
    .filter(({ action }) => action.startsWith('frontend.'))
    .flatMap((step) => error('frontend-last', step, 'It comes before a contract or the infrastructure.'));
}

function approvalsEnough({ target, steps, approvals }: Pick<PlanDoc, 'target' | 'steps' | 'approvals'>): Finding[] {
  const needed = approvalsFor(target, steps);
  const counts = (of: readonly { permission: string }[], permission: string) =>
    of.filter((one) => one.permission === permission).length;
  const missing = [...new Set(needed.map(({ permission }) => permission))].filter(
    (permission) => counts(approvals, permission) < counts(needed, permission),
  );
  return missing.flatMap((permission) =>
    error('approvals', null, `It does not ask for an approval with ${permission}.`),
  );
}

function withinBudget({ steps, budgetS }: Pick<PlanDoc, 'steps' | 'budgetS'>): Finding[] {
  const sum = steps.reduce((seconds, { timeoutS }) => seconds + timeoutS, 0);
  if (sum <= budgetS) return [];
  const message = `Its timeouts sum up to ${sum} s, its budget is ${budgetS} s.`;
  return [{ rule: 'over-budget', severity: 'warning', step: null, message }];
}
