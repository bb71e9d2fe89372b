import type { PlanStep } from '../plans/plan.contract.js';
import type { Action } from './action.js';
import type { Json, JsonObject } from './json.js';
import type { StepRow } from './run.queries.js';

/** What is left to people, in the order in which they do it. */
export interface Remaining extends JsonObject {
  readonly idx: number;
  readonly action: string;
  readonly domain: string | null;
  readonly command: string;
  readonly undo: string;
  readonly because: string;
}

/** Whether the world may still hold something of the step's effect. */
export function mayHaveEffect({ state, error }: Pick<StepRow, 'state' | 'error'>): boolean {
  if (state === 'failed') return error?.['effect'] !== 'not-done';
  return [
    'running',
    'waiting',
    'effect-unknown',
    'effect-done',
    'verified',
    'compensating',
    'compensation-failed',
  ].includes(state);
}

/** Whether a failed run takes the step back. What only switches off stays off, and an emergency takes nothing back. */
export function isTakenBack(step: StepRow, action: Action, mode: string): boolean {
  return mode !== 'emergency' && action.effect && action.compensated && mayHaveEffect(step);
}

/**
 * Whether the earlier step must stay as long as the later one does: the plan has it before, and both concern the same
 * domain, or one that comes after the other.
 */
export function restsOn(
  steps: readonly PlanStep[],
  later: PlanStep,
  earlier: PlanStep,
  related: (one: string, other: string) => boolean,
): boolean {
  const before = new Set(later.after);
  for (const key of before) {
    for (const further of steps.find((step) => step.key === key)?.after ?? []) before.add(further);
  }
  if (!before.has(earlier.key)) return false;
  return earlier.domain === null || later.domain === null || related(earlier.domain, later.domain);
}

/** By hand, what the engine would have done to take the step back. */
export function undoCommand(runId: string, { idx, action, domain, input }: StepRow): string {
  const flag = textOf(input['flag']);
  const where = textOf(input['domain'], domain ?? '');
  switch (action) {
    case 'flag.off':
      return `belay on ${flag}`;
    case 'flag.lift':
      return `belay off ${flag}`;
    case 'jobs.stop':
      return `belay jobs start ${where}`;
    case 'jobs.start':
      return `belay jobs stop ${where}`;
    case 'migration.down':
      return `belay migrate up ${where}`;
    case 'migration.up':
      return `belay migrate down ${where}`;
    default:
      return `belay undo ${runId} # step ${idx}`;
  }
}

/** By hand, what the step was to do. */
export function doCommand(runId: string, { idx, action, domain, input }: StepRow): string {
  const flag = textOf(input['flag']);
  const where = textOf(input['domain'], domain ?? '');
  switch (action) {
    case 'flag.off':
      return `belay off ${flag}`;
    case 'flag.lift':
      return `belay on ${flag}`;
    case 'jobs.stop':
      return `belay jobs stop ${where}`;
    case 'jobs.start':
      return `belay jobs start ${where}`;
    default:
      return `belay retry ${runId} ${idx}`;
  }
}

function textOf(value: Json | undefined, otherwise = ''): string {
  return typeof value === 'string' ? value : otherwise;
}
