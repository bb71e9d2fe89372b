import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs, breakMs } from './backoff.rules.js';
import { brokeOff, factsOf } from './error-facts.js';
import { endSessions, FencedOff } from './fence.js';
import type { JsonObject } from './json.js';
import { LeaseLost } from './lease.js';
import { limited, StillAtWork } from './limited.js';
import { actionOf, planned, type LiveRun } from './live-run.js';
import { doCommand, isTakenBack, mayHaveEffect, restsOn, undoCommand, type Remaining } from './remaining.rules.js';
import type { StepRow } from './run.queries.js';
import { compensationKeyOf, stepContext } from './step-context.js';
import { StepRunner } from './step-runner.js';

/** How long a database that does not answer is waited for. */
const PATIENCE_MS = 60_000;

/**
 * Takes back what a failed run has done, last effect first. What only switches off stays off. When one cannot be taken back,
 * those it rests on stay as well, the others are taken back, and what is left is listed for people.
 */
export class Compensation {
  constructor(private readonly live: LiveRun) {}

  async run(): Promise<void> {
    const { live } = this;
    for (const step of live.steps) await new StepRunner(live, step).giveUp();
    const remaining: Remaining[] = [];
    const stuck: StepRow[] = [];
    for (const step of live.steps.toReversed()) {
      if (!isTakenBack(step, actionOf(live, step), live.run.mode)) continue;
      const above = stuck.find((one) => this.rests(one, step));
      // Of what nobody could find out it is not known what to take back; what failed before is left to people.
      const known = step.state !== 'effect-unknown' && step.state !== 'compensation-failed';
      const takeable = above === undefined && known;
      if (takeable && (await this.takeBack(step))) continue;
      stuck.push(step);
      const because = above ? `step ${above.idx} rests on it and could not be taken back` : textOf(step.error);
      remaining.push(this.entry(step, undoCommand(live.run.id, step), because));
    }
    if (live.run.mode === 'emergency') remaining.push(...this.undone());
    const kept = live.steps
      .filter((step) => mayHaveEffect(step) && actionOf(live, step).effect && !stuck.includes(step))
      .map(({ idx, action, domain }) => ({ idx, action, domain }));
    const to = remaining.length > 0 ? 'manual' : 'compensated';
    const result: JsonObject = { remaining, kept };
    await live.journal.write({ run: { to, result }, events: [{ type: `run.${to}`, payload: result }] });
  }

  /** What an emergency could not do, or not prove. */
  private undone(): Remaining[] {
    const { steps, run } = this.live;
    return steps
      .filter(({ state }) => state !== 'verified' && state !== 'skipped')
      .map((step) => this.entry(step, doCommand(run.id, step), textOf(step.error)));
  }

  private async takeBack(step: StepRow): Promise<boolean> {
    const { live } = this;
    const { idx, action, domain } = step;
    if (step.state !== 'compensating') {
      await live.observe('before-compensation-intent', step);
      await live.journal.write({
        step: { step, to: 'compensating' },
        events: [{ type: 'step.compensating', payload: { idx, action, domain } }],
      });
    }
    await live.observe('after-compensation-intent', step);
    const until = performance.now() + PATIENCE_MS;
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await this.attempt(step);
        await live.observe('after-compensation', step);
        await live.journal.write({
          step: { step, to: 'compensated', set: { after: result } },
          events: [{ type: 'step.compensated', payload: { idx, action, domain, result } }],
        });
        await live.observe('after-compensation-result', step);
        return true;
      } catch (error) {
        this.throwIfOver(error);
        if (await this.mayTryAgain(step, error, attempt, until)) continue;
        const facts = factsOf(error);
        await live.journal.write({
          step: { step, to: 'compensation-failed', set: { error: facts } },
          events: [{ type: 'step.compensation-failed', payload: { idx, action, domain, ...facts } }],
        });
        await live.observe('after-compensation-result', step);
        return false;
      }
    }
  }

  private attempt(step: StepRow): Promise<JsonObject> {
    const { live } = this;
    const { id: runId, epoch, scope, actor, reason } = live.run;
    const action = actionOf(live, step);
    const done = { before: step.before ?? {}, result: step.result };
    return limited(live.signal, planned(live, step).timeoutS || action.timeoutS, (signal, deadline) => {
      const facts = { runId, stepKey: compensationKeyOf(step.key), epoch, scope, actor, reason, signal, deadline };
      return action.compensate(stepContext(live.world, facts), step.input, done);
    });
  }

  private async mayTryAgain(step: StepRow, error: unknown, attempt: number, until: number): Promise<boolean> {
    const { attempts, when } = actionOf(this.live, step).retries;
    const again = brokeOff(error) ? performance.now() < until : attempt < attempts && when(error);
    if (!again) return false;
    const ms = brokeOff(error) ? breakMs(attempt) : backoffMs(attempt, Math.random());
    await sleep(ms, undefined, { signal: this.live.signal });
    // While the database is away there is nothing to end, and the next attempt says so.
    await endSessions(this.live.world, this.live.run.id).catch(() => undefined);
    return true;
  }

  private throwIfOver(error: unknown): void {
    this.live.signal.throwIfAborted();
    if (error instanceof LeaseLost || error instanceof StillAtWork) throw error;
    if (error instanceof FencedOff) throw new LeaseLost(this.live.run.scope);
  }

  private rests(later: StepRow, earlier: StepRow): boolean {
    const { domains } = this.live.world;
    const comesAfter = (one: string, other: string): boolean =>
      one === other || (domains.find(({ name }) => name === one)?.after ?? []).some((name) => comesAfter(name, other));
    const related = (one: string, other: string) => comesAfter(one, other) || comesAfter(other, one);
    return restsOn(this.live.plan.steps, planned(this.live, later), planned(this.live, earlier), related);
  }

  private entry(step: StepRow, command: string, because: string): Remaining {
    const { idx, action, domain } = step;
    return { idx, action, domain, command, undo: planned(this.live, step).undo, because };
  }
}

function textOf(error: JsonObject | null): string {
  const message = error?.['message'];
  return typeof message === 'string' ? message : 'nobody has seen it done';
}
