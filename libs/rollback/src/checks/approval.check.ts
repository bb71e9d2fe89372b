import { missingApprovals } from '../plans/approval.rules.js';
import { hashOfDocument } from '../plans/plan-hash.rules.js';
import { votesOn } from '../plans/plan.queries.js';
import { passed, refused, type SafetyCheck } from './check.js';

/** S25: exactly this plan was agreed to, by enough people, none of them its author; asked again before each destructive step. */
export const approvalCheck: SafetyCheck = {
  id: 'S25',
  title: 'The plan is agreed to',
  severity: 'critical',
  phases: ['start', 'step'],
  applies: () => true,

  async run({ world, plan, planId }) {
    const hash = hashOfDocument(plan);
    const votes = planId === null ? [] : await votesOn(world.control, planId);
    const missing = missingApprovals(plan.approvals, votes, plan.author).map(({ permission }) => permission);
    const rejected = votes.filter(({ decision }) => decision === 'reject').map(({ actor }) => actor);
    const measured = { hash, missing, rejected };
    const threshold = { hash: planId, missing: [], rejected: [] };
    if (hash === planId && missing.length === 0 && rejected.length === 0) {
      return passed(measured, threshold, plan.target.kind === 'emergency' ? { breakGlass: plan.author } : {});
    }
    return refused(measured, threshold, [
      {
        kind: 'ask',
        text: `Somebody other than the author with ${missing.join(' and ') || 'rollback:approve'} approves`,
        command: `belay approve ${planId ?? ''}`,
      },
    ]);
  },
};
