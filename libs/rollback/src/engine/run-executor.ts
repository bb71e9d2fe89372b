import type { Verdict } from '../checks/verdict.rules.js';
import { Compensation } from './compensation.js';
import { afterFailure } from './failure.rules.js';
import type { JsonObject } from './json.js';
import type { RunEvent, RunMove } from './journal.js';
import { actionOf, planned, type LiveRun } from './live-run.js';
import { mayHaveEffect } from './remaining.rules.js';
import { wishesOf, type StepRow } from './run.queries.js';
import { StepRunner, type StepOutcome } from './step-runner.js';

const WATCHED_S = 24 * 60 * 60;
const inFlight = new Set(['running', 'waiting', 'effect-unknown']);

/** Carries one run from wherever its journal stands to where it rests: paused, watched, or at an end. */
export class RunExecutor {
  /** Who went on although something was not known; their word stands until the run rests again. */
  #acceptedBy: string | null = null;

  constructor(private readonly live: LiveRun) {}

  async carry(): Promise<void> {
    while (!(await this.rests()));
  }

  /** What has become of a step that was under way when somebody else took over; the run itself stays as it is. */
  async reconcile(): Promise<void> {
    for (const step of this.live.steps) {
      if (step.state === 'running' || step.state === 'effect-unknown')
        await new StepRunner(this.live, step).reconcile();
    }
  }

  private async rests(): Promise<boolean> {
    const { run, journal } = this.live;
    switch (run.state) {
      case 'queued':
        if (run.wish === 'cancel') return this.cancel(run.wishBy);
        await this.move({ to: 'running' }, { mode: run.mode, steps: this.live.steps.length }, 'run.started');
        return false;
      case 'paused':
        return this.wake();
      case 'running':
      case 'verifying':
        return this.advance();
      case 'failed':
        await this.move({ to: 'compensating' });
        return false;
      case 'compensating':
        await new Compensation(this.live).run();
        return true;
      case 'manual':
        if (run.wish === 'confirm')
          await journal.write(this.told({ to: 'closed', by: run.wishBy }, {}, 'run.confirmed'));
        return true;
      default:
        return true;
    }
  }

  private async wake(): Promise<boolean> {
    const { run, steps } = this.live;
    const { wish, wishBy: by, pausedFor, pausedFrom } = run;
    if (wish === 'cancel') return this.cancel(by);
    if (wish !== 'resume' && pausedFor !== 'lost-lease') return true;
    if (wish === 'resume') this.#acceptedBy = by;
    for (const step of steps) await this.heed(step);
    await this.move({ to: pausedFrom ?? 'running', by }, { by }, 'run.resumed');
    return false;
  }

  /** Takes back what was done, unless the run was to leave it; without effects there is nothing to take back. */
  private async cancel(by: string | null): Promise<boolean> {
    const { steps, run } = this.live;
    const effects = steps.some((step) => mayHaveEffect(step) && actionOf(this.live, step).effect);
    if (!effects || run.policy === 'continue') {
      await this.move({ to: 'cancelled', by }, { by, effects });
      return true;
    }
    await this.move({ to: 'failed', by }, { by, message: 'cancelled' });
    return false;
  }

  /** The next step that is not at its end, or the end of the run. True when the run rests. */
  private async advance(): Promise<boolean> {
    const { run, steps } = this.live;
    if (await this.stopped()) return false;
    const untouched = steps.every(
      ({ attempt, state }) => attempt === 0 && (state === 'pending' || state === 'previewed'),
    );
    if (run.state === 'running' && untouched) {
      const stop = await this.check('start');
      if (stop !== undefined) return stop;
    }
    for (const step of steps) {
      if (this.isPast(step)) continue;
      if (run.mode !== 'dry' && (await this.stopped())) return false;
      await this.heed(step);
      if (this.isPast(step)) continue;
      const left = steps.filter((one) => one.idx >= step.idx && !this.isPast(one));
      if (run.state === 'running' && left.every((one) => !actionOf(this.live, one).effect))
        await this.move({ to: 'verifying' });
      const stop = await this.take(step);
      if (stop !== undefined) return stop;
    }
    return this.finish();
  }

  private async take(step: StepRow): Promise<boolean | undefined> {
    const { run } = this.live;
    const destructive = actionOf(this.live, step).destructive || planned(this.live, step).destructive;
    if (destructive && !inFlight.has(step.state) && step.state !== 'effect-done') {
      const stop = await this.check('step', step);
      if (stop !== undefined) return stop;
    }
    const runner = new StepRunner(this.live, step);
    if (run.mode !== 'dry') return this.judge(step, await runner.advance());
    const unseen = step.state === 'pending' ? await runner.preview() : undefined;
    const skipReason = unseen && unseen.kind !== 'done' && unseen.kind !== 'wished' ? textOf(unseen.why) : 'dry run';
    await this.live.journal.write({
      step: { step, to: 'skipped', set: { skipReason } },
      events: [{ type: 'step.skipped', payload: { idx: step.idx, reason: skipReason } }],
    });
    return undefined;
  }

  /** What a step that did not come off means for the run: undefined when it goes on. */
  private async judge(step: StepRow, outcome: StepOutcome): Promise<boolean | undefined> {
    if (outcome.kind === 'done') return undefined;
    if (outcome.kind === 'wished') return false;
    const { run } = this.live;
    const payload = { idx: step.idx, action: step.action, ...outcome.why };
    const next = afterFailure(run, planned(this.live, step), actionOf(this.live, step));
    if (next === 'continue') {
      await this.live.journal.write({ events: [{ type: 'step.passed-over', payload }] });
      this.#passedOver.add(step.idx);
      return undefined;
    }
    if (outcome.kind === 'unknown') return this.pause('inconclusive', payload);
    if (next === 'hold') return this.pause('human', payload);
    await this.move({ to: 'failed', result: { failure: payload } }, payload);
    return false;
  }

  readonly #passedOver = new Set<number>();

  private isPast(step: StepRow): boolean {
    return step.state === 'verified' || step.state === 'skipped' || this.#passedOver.has(step.idx);
  }

  private async finish(): Promise<boolean> {
    const { run, steps, checks, plan, signal } = this.live;
    const open = steps.filter((step) => step.state !== 'verified' && step.state !== 'skipped');
    const grave = open.filter((step) => actionOf(this.live, step).critical);
    if (grave.length > 0) {
      const [first] = grave;
      const why = {
        message: 'not everything came off',
        steps: grave.map(({ idx }) => idx),
        first: first?.action ?? '',
      };
      await this.move({ to: 'failed', result: { failure: why } }, why);
      return false;
    }
    if (run.state === 'running') await this.move({ to: 'verifying' });
    const verdict = await checks.run({ planId: run.planId, plan, runId: run.id, phase: 'after', signal });
    const result = { ...summaryOf(verdict), passedOver: open.map(({ idx }) => idx) };
    const watchedS = run.mode === 'dry' || run.mode === 'drill' ? 0 : WATCHED_S;
    await this.move({ to: 'monitoring', watchedS, result }, result);
    return true;
  }

  /** Undefined when the run may go on. */
  private async check(phase: 'start' | 'step', step?: StepRow): Promise<boolean | undefined> {
    const { run, checks, plan, signal, journal } = this.live;
    const subject = { planId: run.planId, plan, runId: run.id, phase, signal, acceptedBy: this.#acceptedBy };
    const verdict = await checks.run(step ? { ...subject, step: planned(this.live, step) } : subject);
    signal.throwIfAborted();
    const summary = { phase, ...summaryOf(verdict) };
    if (verdict.decision === 'go' || run.mode === 'dry') {
      await journal.write({ events: [{ type: 'run.checked', payload: summary }] });
      return undefined;
    }
    // Switching off does no harm: only what is known to be wrong keeps an emergency from it.
    const harmless = run.mode === 'emergency' && !step && plan.steps.every(({ destructive }) => !destructive);
    if (verdict.decision === 'pause' && harmless) {
      await journal.write({ events: [{ type: 'run.checked', payload: summary }] });
      return undefined;
    }
    if (verdict.decision === 'pause') return this.pause('inconclusive', summary);
    await this.move({ to: 'failed', result: { failure: { message: 'checks failed', ...summary } } }, summary);
    return false;
  }

  /** Heeds what people said since; true when the run is no longer to go on as it was. */
  private async stopped(): Promise<boolean> {
    const { run, steps, world } = this.live;
    const wishes = await wishesOf(world.control, run.id);
    for (const wish of wishes.steps) {
      const step = steps[wish.idx];
      if (step && step.state !== 'waiting') Object.assign(step, wish);
    }
    if (wishes.run.wish === 'pause') {
      await this.pause('human', { by: wishes.run.wishBy }, wishes.run.wishBy);
      return true;
    }
    if (wishes.run.wish !== 'cancel') return false;
    await this.pause('human', { by: wishes.run.wishBy }, wishes.run.wishBy);
    run.wish = 'cancel';
    run.wishBy = wishes.run.wishBy;
    return true;
  }

  private async heed(step: StepRow): Promise<void> {
    const { journal } = this.live;
    const { idx, wish, wishBy: by, wishFacts, state, error } = step;
    if (wish === 'retry' && state === 'failed') {
      await journal.write({
        step: { step, to: 'previewed', set: { error: null, attempt: 0 }, by },
        events: [{ type: 'step.retried', payload: { idx, by } }],
      });
    }
    const nothingDone =
      state === 'pending' || state === 'previewed' || (state === 'failed' && error?.['effect'] === 'not-done');
    if (wish === 'skip' && nothingDone) {
      if (state === 'pending') await new StepRunner(this.live, step).preview();
      const skipReason = textOf({ message: wishFacts?.['reason'] ?? 'skipped by a person' });
      await journal.write({
        step: { step, to: 'skipped', set: { skipReason }, by },
        events: [{ type: 'step.skipped', payload: { idx, by, reason: skipReason } }],
      });
    }
  }

  private async pause(pausedFor: 'human' | 'inconclusive', why: JsonObject, by: string | null = null): Promise<true> {
    this.#acceptedBy = null;
    await this.move({ to: 'paused', pausedFor, by, result: { paused: why } }, { for: pausedFor, ...why });
    return true;
  }

  private move(move: RunMove, payload: JsonObject = {}, type = `run.${move.to}`): Promise<void> {
    return this.live.journal.write(this.told(move, payload, type));
  }

  private told(move: RunMove, payload: JsonObject, type: string): { run: RunMove; events: RunEvent[] } {
    return { run: move, events: [{ type, payload }] };
  }
}

function summaryOf({ decision, results, against }: Verdict): JsonObject {
  return {
    decision,
    checks: results.map(({ id, outcome, severity, bypassedBy }) => ({ id, outcome, severity, bypassedBy })),
    against: against.map(({ id, title, measured, threshold, recovery }) => ({
      id,
      title,
      measured,
      threshold,
      recovery: recovery.map(({ kind, text, command = null }) => ({ kind, text, command })),
    })),
  };
}

function textOf(why: JsonObject): string {
  const message = why['message'];
  return typeof message === 'string' ? message : JSON.stringify(why);
}
