import { approvalsFor } from './approval.rules.js';
import { error, Judged, type Finding, type LintWorld } from './judged-plan.rules.js';
import {
  backupFirst,
  dependentsFirst,
  flagsFirst,
  frontendLast,
  jobsFirst,
  verifiedAfter,
} from './order-lint.rules.js';
import type { PlanDoc, PlanStep } from './plan.contract.js';
import { newestOf } from './plan-step.rules.js';
import { PLATFORM_WRITES } from './reserved-flag.rules.js';

const MOST_STEPS = 200;

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
