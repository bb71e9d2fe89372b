import { Problem } from '@belay/platform';
import { StepWaits, type Action, type Confirmation, type Preview } from './action.js';
import { brokeOff, factsOf } from './error-facts.js';
import { endSessions } from './fence.js';
import type { JsonObject } from './json.js';
import type { StepMove } from './journal.js';
import type { JournalPoint } from './journal-point.js';
import { limited, StillAtWork } from './limited.js';
import { actionOf, planned, type LiveRun } from './live-run.js';
import { Progress } from './progress.js';
import { wishesOf, type StepRow } from './run.queries.js';
import { StepSight } from './step-sight.js';

/** How far a step came. `wished`: a person wants the run to stop, or to be taken back, while the step waits. */
export type StepOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'wished' }
  | { readonly kind: 'failed' | 'unknown'; readonly why: JsonObject };

/** A step whose executor dies this often is given up. */
const MOST_CRASHES = 5;

/**
 * Takes one step through its life: looked at, shown, begun, done, verified. Each stage is journaled before and after, so it
 * goes on from wherever it stands; what was begun is looked for in the world before it is done again.
 */
export class StepRunner {
  readonly #action: Action;
  readonly #timeoutS: number;
  readonly #sight: StepSight;

  constructor(
    private readonly live: LiveRun,
    private readonly step: StepRow,
  ) {
    this.#action = actionOf(live, step);
    this.#timeoutS = planned(live, step).timeoutS || this.#action.timeoutS;
    this.#sight = new StepSight(live, step.key, this.#timeoutS);
  }

  async advance(): Promise<StepOutcome> {
    for (;;) {
      const outcome = await this.stage();
      if (outcome) return outcome;
    }
  }

  /** Looks and shows, and changes nothing. */
  async preview(): Promise<StepOutcome | undefined> {
    const { step } = this;
    await this.observe('before-preview');
    let before: JsonObject;
    let shown: Preview;
    try {
      before = await this.#sight.look((context) => this.#action.inspect(context, step.input));
      shown = await this.#sight.look((context) => this.#action.preview(context, step.input));
    } catch (error) {
      return this.undecided(error);
    }
    const { changes, notes, ...facts } = shown;
    const request = { ...facts, changes: [...changes], notes: [...notes] };
    await this.move({ to: 'previewed', set: { before, request } }, 'step.preview', { preview: request });
    return undefined;
  }

  /** After a crash: what has become of the effect, by the world's own word. */
  reconcile(): Promise<StepOutcome | undefined> {
    return this.settle(undefined);
  }

  /** Ends a step that is under way: afterwards it is done, or has failed. */
  async giveUp(): Promise<void> {
    const { step, live } = this;
    if (step.state === 'waiting') await live.journal.write({ step: { step, to: 'running' } });
    if (step.state === 'running' || step.state === 'effect-unknown') await this.settle(undefined, false);
  }

  private async stage(): Promise<StepOutcome | undefined> {
    switch (this.step.state) {
      case 'pending':
        return this.preview();
      case 'previewed':
        return this.begin();
      case 'waiting':
        return this.wait();
      case 'running':
      case 'effect-unknown':
        return this.reconcile();
      case 'effect-done':
        return this.verify();
      case 'failed':
        return { kind: 'failed', why: this.step.error ?? {} };
      default:
        return { kind: 'done' };
    }
  }

  private async begin(): Promise<StepOutcome | undefined> {
    const attempt = this.step.attempt + 1;
    await this.observe('before-intent');
    await this.move({ to: 'running', set: { attempt, error: null }, deadlineS: this.#timeoutS }, 'step.started', {
      attempt,
    });
    await this.observe('after-intent');
    return this.execute(null);
  }

  private async execute(confirmed: Confirmation | null): Promise<StepOutcome | undefined> {
    const { step, live } = this;
    const progress = new Progress(live.journal, step.idx);
    let result: JsonObject;
    try {
      result = await limited(live.signal, this.#timeoutS, (signal, deadline) =>
        this.#action.execute(this.#sight.context(signal, deadline, progress.note, confirmed), step.input),
      );
    } catch (error) {
      if (error instanceof StepWaits) {
        await this.waitFor(error);
        return undefined;
      }
      if (error instanceof StillAtWork) await this.leave(error);
      this.#sight.throwIfOver(error);
      return await this.settle(error);
    } finally {
      progress.stop();
    }
    await this.observe('after-effect');
    await this.move({ to: 'effect-done', set: { result } }, 'step.effect-done', {});
    await this.observe('after-result');
    return undefined;
  }

  /** Somewhere it goes on. Only under another epoch can be said that it will not be done any more. */
  private async leave(error: StillAtWork): Promise<void> {
    const { live, step } = this;
    await live.journal.write({
      step: { step, to: 'effect-unknown', set: { error: { ...factsOf(error), left: true } } },
    });
  }

  private async waitFor({ what, facts }: StepWaits): Promise<void> {
    const again = this.step.waitsFor === what;
    await this.live.journal.write({
      step: { step: this.step, to: 'waiting', set: { waitsFor: what } },
      events: again ? [] : [{ type: 'step.waiting', payload: { idx: this.step.idx, kind: what, ...facts } }],
    });
  }

  private async wait(): Promise<StepOutcome | undefined> {
    const { live, step } = this;
    await live.rings(1_000);
    live.signal.throwIfAborted();
    const wishes = await wishesOf(live.world.control, live.run.id);
    if (wishes.run.wish === 'pause' || wishes.run.wish === 'cancel') return { kind: 'wished' };
    const wish = wishes.steps.find(({ idx }) => idx === step.idx);
    if (wish?.wish === 'skip') {
      const set = { skipReason: reasonOf(wish.wishFacts) };
      await this.move({ to: 'skipped', set, by: wish.wishBy }, 'step.skipped', { reason: set.skipReason });
      return undefined;
    }
    const confirmed = wish?.wish === 'confirm' ? wish : undefined;
    if (step.waitsFor === 'human' && !confirmed) return undefined;
    const by = confirmed?.wishBy ?? null;
    await live.journal.write({
      step: { step, to: 'running', by, deadlineS: this.#timeoutS },
      events: confirmed ? [{ type: 'step.confirmed', payload: { idx: step.idx, by } }] : [],
    });
    return this.execute(
      confirmed ? { by: by ?? '', at: new Date().toISOString(), facts: confirmed.wishFacts ?? {} } : null,
    );
  }

  /** The effect may be there or not. Ends what is still at it, looks, and decides how to go on. */
  private async settle(error: unknown, again = true): Promise<StepOutcome | undefined> {
    const { step, live } = this;
    const facts = error === undefined ? (step.error ?? { message: 'the executor was cut off' }) : factsOf(error);
    if (step.state === 'running') {
      await live.journal.write({ step: { step, to: 'effect-unknown', set: { error: facts } } });
    }
    let found: Awaited<ReturnType<Action['reconcile']>>;
    try {
      found = await this.#sight.look(async (context) => {
        await endSessions(live.world, live.run.id);
        return this.#action.reconcile(context, step.input, step.before ?? {});
      });
    } catch (failure) {
      this.#sight.throwIfOver(failure);
      return { kind: 'unknown', why: factsOf(failure) };
    }
    const told = { effect: found.effect, error: facts };
    if (found.effect === 'done') {
      await this.move({ to: 'effect-done', set: { result: found.result, error: null } }, 'step.reconciled', told);
      return undefined;
    }
    if (again && this.mayTryAgain(error)) {
      await this.move({ to: 'previewed', set: { error: facts } }, 'step.reconciled', told);
      if (error !== undefined) await this.#sight.pause(error, step.attempt);
      return undefined;
    }
    const why = { ...facts, effect: found.effect };
    await this.move({ to: 'failed', set: { error: why } }, 'step.failed', why);
    return undefined;
  }

  private mayTryAgain(error: unknown): boolean {
    const { attempts, when } = this.#action.retries;
    const { attempt } = this.step;
    if (this.step.error?.['left'] === true) return false;
    if (error === undefined || brokeOff(error)) return attempt < attempts + MOST_CRASHES;
    return attempt < attempts && when(error);
  }

  private async verify(): Promise<StepOutcome | undefined> {
    const { step, live } = this;
    await live.journal.write({ events: [{ type: 'step.verify-started', payload: { idx: step.idx } }] });
    await this.observe('in-verify');
    const done = { before: step.before ?? {}, result: step.result };
    let evidence: Awaited<ReturnType<Action['verify']>>;
    try {
      evidence = await this.#sight.look((context) => this.#action.verify(context, step.input, done));
    } catch (error) {
      this.#sight.throwIfOver(error);
      evidence = { outcome: 'inconclusive', facts: factsOf(error) };
    }
    const { outcome, facts } = evidence;
    const told = { type: 'step.verify-result', payload: { idx: step.idx, outcome, evidence: facts } };
    if (outcome === 'inconclusive') {
      await live.journal.write({ events: [told] });
      return { kind: 'unknown', why: facts };
    }
    if (outcome === 'fail') {
      const error = { message: 'verification failed', effect: 'done' };
      const failed = { type: 'step.failed', payload: { idx: step.idx, ...error } };
      await live.journal.write({ step: { step, to: 'failed', set: { after: facts, error } }, events: [told, failed] });
      return undefined;
    }
    const finished = { type: 'step.finished', payload: { idx: step.idx } };
    await live.journal.write({ step: { step, to: 'verified', set: { after: facts } }, events: [told, finished] });
    await this.observe('after-verify');
    return undefined;
  }

  /** Before anything was done: a refusal is final, anything else is for a person to look at. */
  private undecided(error: unknown): StepOutcome {
    this.#sight.throwIfOver(error);
    const refused = error instanceof Problem && error.kind !== 'unavailable';
    return { kind: refused ? 'failed' : 'unknown', why: factsOf(error) };
  }

  private move(change: Omit<StepMove, 'step'>, type: string, payload: JsonObject): Promise<void> {
    const { idx, action, domain } = this.step;
    return this.live.journal.write({
      step: { step: this.step, ...change },
      events: [{ type, payload: { idx, action, domain, ...payload } }],
    });
  }

  private observe(point: JournalPoint): Promise<void> {
    return this.live.observe(point, this.step);
  }
}

function reasonOf(facts: JsonObject | null): string {
  const reason = facts?.['reason'];
  return typeof reason === 'string' ? reason : 'skipped by a person';
}
