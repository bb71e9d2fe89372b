import { Conflict, NotFound } from '@belay/platform';
import type { PlanView } from './plan.contract.js';

export class PlanNotFound extends NotFound {
  readonly slug = 'plan-not-found';
  readonly title = 'There is no such plan';

  constructor(planId: string) {
    super('No plan that you may see has this id.', { planId });
  }
}

export class PinNotFound extends NotFound {
  readonly slug = 'pin-not-found';
  readonly title = 'Nothing is pinned there';

  constructor(where: Readonly<Record<string, unknown>>) {
    super('Nothing is pinned there.', where);
  }
}

/** The same person or team is planned there in the same mode already. */
export class PlanDuplicate extends Conflict {
  readonly slug = 'plan-duplicate';
  readonly title = 'There is such a plan';

  constructor(plan: PlanView | undefined) {
    super('A plan that is in use says the same.', { plan: plan ?? null });
  }
}
