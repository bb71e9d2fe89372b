import type { JsonObject } from '../engine/json.js';
import type { World } from '../engine/world.js';
import type { PlanDoc } from '../plans/plan.contract.js';

export type CheckOutcome = 'pass' | 'fail' | 'inconclusive' | 'not-run';

/** A way on from a refusal. */
export interface RecoveryOption {
  readonly kind: 'other-target' | 'extra-step' | 'wait-until' | 'ask';
  readonly text: string;
  /** A command that does it, when there is one. */
  readonly command?: string;
}

export interface CheckReport {
  readonly outcome: CheckOutcome;
  readonly measured: JsonObject;
  readonly threshold: JsonObject;
  readonly evidence: JsonObject;
  /** At least one when it did not pass. */
  readonly recovery: readonly RecoveryOption[];
}

export interface CheckContext {
  readonly world: World;
  readonly planId: string | null;
  readonly plan: PlanDoc;
  /** When it is asked: while planning, before the first effect, or before a destructive step. */
  readonly phase: 'plan' | 'start' | 'step';
  readonly runId: string | null;
  readonly signal: AbortSignal;
}

/** One of the safety checks (S01–S28). A critical one is never bypassed; the others are in an emergency. */
export interface SafetyCheck {
  readonly id: string;
  readonly title: string;
  /** `destructive`: critical for plans that have a schema or destructive step, else normal. */
  readonly severity: 'critical' | 'destructive' | 'normal';
  readonly applies: (plan: PlanDoc) => boolean;
  readonly run: (context: CheckContext) => Promise<CheckReport>;
}
