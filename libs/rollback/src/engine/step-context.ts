import { createHash } from 'node:crypto';
import type { Confirmation, StepContext } from './action.js';
import { inControl, once, sessionName, type Pass } from './fence.js';
import type { World } from './world.js';

/** What a context is made of; tests of actions need no more than the pass. */
export interface StepFacts extends Pass {
  readonly deadline?: number;
  readonly actor?: string;
  readonly reason?: string;
  readonly signal?: AbortSignal;
  readonly progress?: StepContext['progress'];
  readonly confirmed?: Confirmation | null;
}

export function stepContext(world: World, facts: StepFacts): StepContext {
  const { runId, stepKey, epoch, scope, deadline = Infinity, actor = 'belay', reason = '' } = facts;
  const { signal = new AbortController().signal, progress = () => undefined, confirmed = null } = facts;
  const pass = { runId, stepKey, epoch, scope };
  return {
    world,
    ...pass,
    deadline,
    actor,
    reason,
    signal,
    progress,
    confirmed,
    sessionName: sessionName(pass),
    once: (work) => once(world, pass, signal, work),
    inControl: (work) => inControl(world, pass, signal, work),
  };
}

/** The key of a step of a run, which all its attempts share. */
export function stepKeyOf(runId: string, idx: number, action: string): string {
  return sha256(`${runId}\n${idx}\n${action}`);
}

/** Under which the step is taken back: an effect of its own, had once like the first. */
export function compensationKeyOf(stepKey: string): string {
  return sha256(`${stepKey}\ncompensate`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
