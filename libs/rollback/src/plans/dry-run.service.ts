import { Injectable } from '@nestjs/common';
import type { Preview } from '../engine/action.js';
import { Actions } from '../engine/actions.js';
import type { Actor } from '../engine/actor.js';
import type { JsonObject } from '../engine/json.js';
import { stepContext, stepKeyOf } from '../engine/step-context.js';
import { World } from '../engine/world.js';
import type { DryRunView, PlanStep } from './plan.contract.js';
import { Plans, viewOf } from './plans.service.js';

/** How long all previews together may take. */
const WITHIN_MS = 12_000;
/** A dry run is no run: no journal knows it, and no fence lets it in. */
const NO_RUN = '00000000-0000-0000-0000-000000000000';

/** What a plan would do, step by step, as things are now. */
@Injectable()
export class DryRuns {
  constructor(
    private readonly world: World,
    private readonly actions: Actions,
    private readonly plans: Plans,
  ) {}

  /** Every check again, and every step looked at and previewed. Nothing is changed. */
  async make(by: Actor, planId: string): Promise<DryRunView> {
    const began = performance.now();
    const { plan, verdict } = await this.plans.check(planId);
    const signal = AbortSignal.timeout(WITHIN_MS);
    const previews: DryRunView['previews'] = [];
    for (const [idx, step] of plan.doc.steps.entries())
      previews.push(await this.preview(by, idx, step, plan.doc.reason, signal));
    return {
      plan: viewOf(plan, verdict.results),
      decision: verdict.decision,
      previews,
      tookMs: Math.round(performance.now() - began),
    };
  }

  private async preview(
    by: Actor,
    idx: number,
    step: PlanStep,
    reason: string,
    signal: AbortSignal,
  ): Promise<DryRunView['previews'][number]> {
    const { key, action: name, version, input } = step;
    const began = performance.now();
    const told = (outcome: { inspected: JsonObject | null; preview: Preview | null; problem: string | null }) => ({
      key,
      action: name,
      inspected: outcome.inspected,
      preview: outcome.preview && {
        ...outcome.preview,
        changes: [...outcome.preview.changes],
        notes: [...outcome.preview.notes],
      },
      problem: outcome.problem,
      tookMs: Math.round(performance.now() - began),
    });
    let inspected: JsonObject | null = null;
    try {
      signal.throwIfAborted();
      const action = this.actions.get(name, version);
      const context = stepContext(this.world, {
        runId: NO_RUN,
        stepKey: stepKeyOf(NO_RUN, idx, name),
        epoch: 0n,
        scope: 'live',
        deadline: performance.now() + WITHIN_MS,
        actor: by.id,
        reason,
        signal,
      });
      inspected = await inTime(action.inspect(context, input), signal);
      return told({ inspected, preview: await inTime(action.preview(context, input), signal), problem: null });
    } catch (error) {
      return told({ inspected, preview: null, problem: error instanceof Error ? error.message : String(error) });
    }
  }
}

/** An action that does not heed the signal is not waited for. */
function inTime<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(new Error('It could not be looked at in time'));
    });
  });
  return Promise.race([work, late]);
}
