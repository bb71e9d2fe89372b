import type { PlanStep } from '../plans/plan.contract.js';
import type { Action } from './action.js';
import type { RunRow } from './run.queries.js';

/** What becomes of a run when one of its steps did not come off. */
export type AfterFailure = 'continue' | 'hold' | 'compensate';

/**
 * The step has the first word; where it says to take everything back, the run may say to stop and ask instead. Only what
 * is not critical is passed over. An emergency goes on in any case: what else can be switched off is.
 */
export function afterFailure(
  { mode, policy }: Pick<RunRow, 'mode' | 'policy'>,
  { onFail }: Pick<PlanStep, 'onFail'>,
  { critical, emergency }: Pick<Action, 'critical' | 'emergency'>,
): AfterFailure {
  if (mode === 'emergency' || !critical) return 'continue';
  const wanted = onFail === 'compensate' ? policy : onFail;
  if (wanted === 'continue') return emergency === 'may' ? 'continue' : 'compensate';
  return wanted;
}
