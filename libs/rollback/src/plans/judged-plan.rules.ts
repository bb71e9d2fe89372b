import type { Domain } from '@belay/platform';
import { goingWith } from './domain-order.rules.js';
import type { PlanStep } from './plan.contract.js';
import type { ActionCatalogue, ActionFacts } from './plan-step.rules.js';
import { PLATFORM_WRITES } from './reserved-flag.rules.js';

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

/** The steps of a plan, as rules ask about them. */
export class Judged {
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

export function isSwitch({ action }: PlanStep): boolean {
  return action === 'flag.off' || action === 'flag.lift';
}

export function error(rule: string, step: PlanStep | null, message: string): Finding[] {
  return [{ rule, severity: 'error', step: step?.key ?? null, message }];
}
