import type { StepContext } from './action.js';
import type { Journal } from './journal.js';

const EVERY_MS = 1_000;
const AT_MOST_EVERY_MS = 250;

/** Tells watchers at least once a second that a step is at work, and how far it is when it says so. */
export class Progress {
  #told = performance.now();
  #began = performance.now();
  #latest: { done: number; total: number; unit: string } | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly journal: Journal,
    private readonly idx: number,
  ) {
    this.#timer = setInterval(() => {
      this.tell();
    }, EVERY_MS).unref();
  }

  readonly note: StepContext['progress'] = (done, total, unit) => {
    this.#latest = { done, total, unit };
    if (performance.now() - this.#told >= AT_MOST_EVERY_MS) this.tell();
  };

  stop(): void {
    clearInterval(this.#timer);
  }

  private tell(): void {
    this.#told = performance.now();
    const payload = { idx: this.idx, ms: Math.round(this.#told - this.#began), ...this.#latest };
    // Whoever has lost the lease learns it at the next word that counts.
    this.journal.write({ events: [{ type: 'step.progress', payload }] }).catch(() => undefined);
  }
}
