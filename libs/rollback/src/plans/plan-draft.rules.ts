import type { Domain } from '@belay/platform';
import type { ActualState, DomainState } from './actual-state.queries.js';
import { gatesOf } from './domain-order.rules.js';
import type { PlanDoc } from './plan.contract.js';
import type { ActionCatalogue, StepWish } from './plan-step.rules.js';

/** What a planner says; hash, figures and approvals are the same for all of them. */
export interface PlanDraft extends Pick<
  PlanDoc,
  'domains' | 'policy' | 'dataLossRisk' | 'changes' | 'backup' | 'budgetS' | 'targetS' | 'warnings'
> {
  readonly wishes: readonly StepWish[];
  readonly unavailable: readonly string[];
  readonly notes: readonly string[];
}

export interface PlanningWorld {
  readonly domains: readonly Domain[];
  readonly catalogue: ActionCatalogue;
  readonly state: ActualState;
  /** Names of the migrations that one feature of a domain can take down alone. */
  readonly migrationsOf: (domain: string, feature: string) => readonly string[];
}

type Change = PlanDoc['changes'][number];

export function stateOf({ state }: Pick<PlanningWorld, 'state'>, domain: string): DomainState {
  return state.domains.find((one) => one.domain === domain) ?? { domain, schema: 'absent', catalog: '', ledger: [] };
}

/** Whether the flag lets anybody in as things are. */
export function isOn({ state }: Pick<PlanningWorld, 'state'>, flag: string): boolean {
  const found = state.flags.find((one) => one.flag === flag);
  return found !== undefined && found.on && !found.killed;
}

/** What going off changes, one line a flag and one for its jobs. */
export function offChanges(world: PlanningWorld, going: readonly Domain[]): Change[] {
  return going.flatMap((domain) => {
    const flags = gatesOf(domain).map((flag) => ({
      component: `flag ${flag}`,
      from: isOn(world, flag) ? 'on' : 'off',
      to: 'off, by hand',
    }));
    return flags.length === 0
      ? []
      : [...flags, { component: `jobs of ${domain.name}`, from: 'as they are', to: 'stopped' }];
  });
}

export function schemaChange(world: PlanningWorld, domain: string, to: string): Change {
  return { component: `schema ${domain}`, from: stateOf(world, domain).schema, to };
}
