import type { PlanDoc, PlanStep, PlanTarget } from './plan.contract.js';

/** Of what can go wrong, not of what is lost: nothing is. */
export function riskOf(
  target: PlanTarget,
  steps: readonly Pick<PlanStep, 'action' | 'destructive'>[],
): PlanDoc['risk'] {
  const has = (...actions: string[]) => steps.some(({ action }) => actions.includes(action));
  if (has('purge', 'domain.restore', 'database.restore')) return 'high';
  if (steps.some(({ destructive }) => destructive)) return 'medium';
  return target.kind === 'emergency' ? 'medium' : 'low';
}

/** For how long what the plan names is away. */
export function downtimeOf(target: PlanTarget, steps: readonly Pick<PlanStep, 'action'>[]): string {
  const has = (action: string) => steps.some((step) => step.action === action);
  if (target.kind === 'undo') return has('migration.up') ? 'until its flags are lifted, last' : 'none';
  if (has('flag.off')) return 'until somebody lets it on again';
  return has('database.restore') ? 'writes, for about two seconds' : 'none';
}

/** Until a step was ever done here, in seconds; what is not listed is taken to need its whole time limit. */
const firstGuess: Readonly<Record<string, number>> = {
  'flag.off': 0.2,
  'flag.lift': 0.2,
  'jobs.stop': 1,
  'jobs.start': 1,
  'marker.create': 1,
  'backup.create': 5,
  'backup.verify': 15,
  'migration.down': 1,
  'migration.up': 1,
  'rows.restore': 10,
  'domain.restore': 30,
  'database.restore': 60,
  'manual.command': 300,
  purge: 5,
  'unleash.sync': 2,
  'verify.domain': 2,
  'verify.flags': 1,
  'verify.all': 3,
};

/** Sum over the steps, which come one after the other; from experience where there is any. */
export function estimateOf(
  steps: readonly Pick<PlanStep, 'action' | 'timeoutS'>[],
  past: ReadonlyMap<string, number>,
): number {
  const seconds = steps.map(({ action, timeoutS }) => past.get(action) ?? firstGuess[action] ?? timeoutS);
  return Math.round(seconds.reduce((sum, one) => sum + one, 0) * 10) / 10;
}
