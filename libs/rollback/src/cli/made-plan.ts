import type { PlanTarget, PlanView } from '../plans/plan.contract.js';
import { Plans } from '../plans/plans.service.js';
import { codeOfPlan } from './exit-code.rules.js';
import { planText } from './plan-text.rules.js';
import type { Session, Told } from './shell.js';

/** Makes the plan and tells what it would do. */
export async function makePlan(session: Session, target: PlanTarget, permission = 'rollback:plan'): Promise<Told> {
  const by = await session.actor(permission);
  return toldOf(await session.get(Plans).create(by, target, await session.reason(), session.transact));
}

/** A plan as the terminal shows it. */
export function toldOf(plan: PlanView): Told {
  return { text: planText(plan), json: plan, code: codeOfPlan(plan.state) };
}
