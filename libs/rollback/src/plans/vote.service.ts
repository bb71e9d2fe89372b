import { PermissionMissing, SamePerson } from '@belay/platform';
import type { Actor } from '../engine/actor.js';
import type { PlanState } from '../engine/state.rules.js';
import { helps, missingApprovals, type Vote } from './approval.rules.js';
import type { PlanDoc } from './plan.contract.js';
import { MachinesNeverApprove, NothingToDo, PlanExpired, PlanNotOpen } from './plan.problems.js';
import type { StoredPlan } from './plan.queries.js';

const APPROVE = 'rollback:approve';

/** Throws unless this person may say this of this plan now. */
export function checkVote(plan: StoredPlan, by: Actor, decision: Vote['decision']): void {
  if (by.kind !== 'person' && (by.kind !== 'host' || decision === 'approve')) throw new MachinesNeverApprove();
  if (plan.state === 'expired') throw new PlanExpired(plan.id, plan.expiresAt);
  const withdrawn = decision === 'withdraw' && (plan.state === 'approved' || plan.state === 'used');
  if (plan.state !== 'awaiting-approval' && !withdrawn) throw new PlanNotOpen(plan.id, plan.state);
  if (decision === 'withdraw' && !plan.votes.some((vote) => vote.actor === by.id && vote.decision === 'approve')) {
    throw new NothingToDo('You have not approved the plan');
  }
  if (decision === 'reject' && !mayReject(by, plan.doc)) throw new PermissionMissing(APPROVE);
  if (decision !== 'approve') return;
  if (by.id === plan.doc.author) throw new SamePerson('Whoever made a plan does not approve it.', { id: plan.id });
  const { approvals, author } = plan.doc;
  if (!helps(approvals, plan.votes, author, { actor: by.id, permissions: heldBy(by, plan.doc) })) {
    const [wanted] = missingApprovals(approvals, plan.votes, author);
    throw new PermissionMissing(wanted?.permission ?? APPROVE);
  }
}

/** Whoever is asked, and whoever approves plans at all. */
function mayReject(by: Actor, doc: PlanDoc): boolean {
  return by.may(APPROVE) || heldBy(by, doc).length > 0;
}

/** Of the permissions that the plan asks for. */
export function heldBy(by: Actor, { approvals }: PlanDoc): string[] {
  return [...new Set(approvals.map(({ permission }) => permission))].filter((permission) => by.may(permission));
}

/** What the word makes of the plan; one that is used up stays so, and its run asks again before it destroys anything. */
export function stateVoted(plan: StoredPlan, decision: Vote['decision']): PlanState {
  if (plan.state === 'used') return 'used';
  if (decision === 'reject' || (decision === 'withdraw' && plan.state === 'approved')) return 'cancelled';
  const missing = missingApprovals(plan.doc.approvals, plan.votes, plan.doc.author);
  return missing.length === 0 ? 'approved' : 'awaiting-approval';
}
