import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

/** Does something again and again, at least so long after it was done, until it is stopped; a failure is logged once. */
export class Repeated {
  readonly #closing = new AbortController();
  readonly #loop: Promise<void>;

  constructor(what: string, everyMs: number, log: Logger, work: (signal: AbortSignal) => Promise<unknown>) {
    this.#loop = this.run(what, everyMs, log, work);
  }

  async stop(): Promise<void> {
    this.#closing.abort();
    await this.#loop;
  }

  private async run(
    what: string,
    everyMs: number,
    log: Logger,
    work: (signal: AbortSignal) => Promise<unknown>,
  ): Promise<void> {
    const { signal } = this.#closing;
    const stopped = () => signal.aborted;
    let failing = false;
    while (!stopped()) {
      try {
        await work(signal);
        failing = false;
      } catch (error) {
        if (!failing && !stopped()) log.warn({ err: error }, `${what} failed`);
        failing = true;
      }
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
