import type { PlanStep, PlanTarget } from './plan.contract.js';

export interface NeededApproval {
  readonly permission: string;
}

const APPROVE = 'rollback:approve';

/** Who must agree to the steps, each of them a person of their own. Nobody for what only switches off. */
export function approvalsFor(
  target: PlanTarget,
  steps: readonly Pick<PlanStep, 'action' | 'destructive'>[],
  /** Whether a migration that moves cannot be taken back from what it leaves. */
  lossy = false,
): readonly NeededApproval[] {
  const has = (...actions: string[]) => steps.some(({ action }) => actions.includes(action));
  if (target.kind === 'emergency' && target.level !== 'E4') return [];
  if (has('purge')) return [{ permission: APPROVE }, { permission: 'rollback:purge' }];
  if (target.kind === 'emergency') return [{ permission: 'rollback:restore' }];
  if (lossy || has('domain.restore', 'database.restore'))
    return [{ permission: APPROVE }, { permission: 'rollback:restore' }];
  if (has('flag.lift') || target.kind === 'undo' || steps.some(({ destructive }) => destructive)) {
    return [{ permission: APPROVE }];
  }
  return [];
}

/** One person's word on a plan. */
export interface Vote {
  readonly actor: string;
  readonly decision: 'approve' | 'reject' | 'withdraw';
  readonly permissions: readonly string[];
}

/** The approvals that nobody has given yet; each person counts for one, and the author for none. */
export function missingApprovals(
  needed: readonly NeededApproval[],
  votes: readonly Vote[],
  author: string,
): readonly NeededApproval[] {
  const people = votes.filter(({ actor, decision }) => decision === 'approve' && actor !== author);
  // What few may is given to them first, so that what is left is what most may.
  return unmet([...needed].reverse(), people).reverse();
}

/** Whether this person's approval would bring the plan further. */
export function helps(
  needed: readonly NeededApproval[],
  votes: readonly Vote[],
  author: string,
  by: Pick<Vote, 'actor' | 'permissions'>,
): boolean {
  const others = votes.filter(({ actor }) => actor !== by.actor);
  const without = missingApprovals(needed, others, author);
  return missingApprovals(needed, [...others, { ...by, decision: 'approve' }], author).length < without.length;
}

/** Tries every way to give each approval to a person of its own, and answers what remains in the best one. */
function unmet(needed: readonly NeededApproval[], people: readonly Vote[]): NeededApproval[] {
  const [first, ...others] = needed;
  if (!first) return [];
  const ways = people
    .filter(({ permissions }) => permissions.includes(first.permission))
    .map((person) =>
      unmet(
        others,
        people.filter((one) => one !== person),
      ),
    );
  return [...ways, [first, ...unmet(others, people)]].reduce((best, way) => (way.length < best.length ? way : best));
}
