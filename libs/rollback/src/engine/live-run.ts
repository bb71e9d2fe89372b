import type { Logger } from 'pino';
import type { Checks } from '../checks/checks.js';
import type { PlanDoc, PlanStep } from '../plans/plan.contract.js';
import type { Action } from './action.js';
import type { Actions } from './actions.js';
import type { Journal } from './journal.js';
import type { JournalObserver } from './journal-point.js';
import type { RunRow, StepRow } from './run.queries.js';
import type { World } from './world.js';

/** How patient an executor is. */
export interface Timing {
  readonly leaseTtlMs: number;
  readonly heartbeatMs: number;
  /** How long the doorbell may be missed. */
  readonly pollMs: number;
}

/** A run in the hands of the one executor that holds its lease. */
export interface LiveRun {
  readonly world: World;
  readonly actions: Actions;
  readonly checks: Pick<Checks, 'run'>;
  readonly journal: Journal;
  readonly plan: PlanDoc;
  readonly run: RunRow;
  readonly steps: readonly StepRow[];
  readonly log: Logger;
  /** Aborted when the lease is lost, or the executor ends. */
  readonly signal: AbortSignal;
  /** Answers when the doorbell rings or the time is over. */
  readonly rings: (ms: number) => Promise<void>;
  readonly observe: JournalObserver;
}

export function planned(live: LiveRun, { idx }: StepRow): PlanStep {
  const step = live.plan.steps[idx];
  if (!step) throw new Error(`The plan has no step ${idx}`);
  return step;
}

export function actionOf(live: LiveRun, { action, version }: StepRow): Action {
  return live.actions.get(action, version);
}
