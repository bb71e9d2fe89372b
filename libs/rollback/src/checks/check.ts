import type { JsonObject } from '../engine/json.js';
import type { World } from '../engine/world.js';
import type { PlanDoc, PlanStep } from '../plans/plan.contract.js';

export type CheckOutcome = 'pass' | 'fail' | 'inconclusive' | 'not-run';

/** A way on from a refusal. */
export interface RecoveryOption {
  readonly kind: 'other-target' | 'extra-step' | 'wait-until' | 'ask';
  readonly text: string;
  /** A command that does it, when there is one. */
  readonly command?: string | undefined;
}

export interface CheckReport {
  readonly outcome: CheckOutcome;
  readonly measured: JsonObject;
  readonly threshold: JsonObject;
  readonly evidence: JsonObject;
  /** At least one when it did not pass. */
  readonly recovery: readonly RecoveryOption[];
}

/** When a check is made: while planning, before the first effect, before a destructive step, after the last effect. */
export type CheckPhase = 'plan' | 'start' | 'step' | 'after';

export interface CheckContext {
  readonly world: World;
  readonly planId: string | null;
  readonly plan: PlanDoc;
  readonly phase: CheckPhase;
  readonly runId: string | null;
  /** Of the destructive step that is next; null in the other phases. */
  readonly step: PlanStep | null;
  readonly signal: AbortSignal;
}

/** One of the safety checks (S01–S28). A critical one is never bypassed; the others are in an emergency. */
export interface SafetyCheck {
  readonly id: string;
  readonly title: string;
  /** `destructive`: critical for plans that have a schema or destructive step, else normal. */
  readonly severity: 'critical' | 'destructive' | 'normal';
  /** In which it can tell something; it is not made in the others. */
  readonly phases: readonly CheckPhase[];
  readonly applies: (plan: PlanDoc) => boolean;
  readonly run: (context: CheckContext) => Promise<CheckReport>;
}

/** What a check found in order. */
export function passed(measured: JsonObject, threshold: JsonObject = {}, evidence: JsonObject = {}): CheckReport {
  return { outcome: 'pass', measured, threshold, evidence, recovery: [] };
}

/** What a check refuses, with a way on. */
export function refused(
  measured: JsonObject,
  threshold: JsonObject,
  recovery: readonly [RecoveryOption, ...RecoveryOption[]],
  evidence: JsonObject = {},
  outcome: 'fail' | 'inconclusive' = 'fail',
): CheckReport {
  return { outcome, measured, threshold, evidence, recovery };
}
