import { randomUUID } from 'node:crypto';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Caller, Jobs, jobType, LOG, RUNTIME, type Runtime } from '@belay/platform';
import { z } from 'zod';

export const runtimeBegins = jobType({ domain: 'assignment', name: 'runtime-begins', payload: z.strictObject({}) });

/** Applications of before, which choose nobody, are gone by then; they would take the news for nothing. */
const SETTLED_MS = 3_000;
/** Has the floor told that choices are made from now on, whenever the runtime goes on; by each worker, which does no harm. */
@Injectable()
export class RuntimeStart implements OnApplicationBootstrap, OnApplicationShutdown {
  #runs = false;
  #unwatch: (() => void) | undefined;

  constructor(
    private readonly jobs: Jobs,
    @Inject(LOG) private readonly log: Runtime['log'],
    @Inject(RUNTIME) private readonly runtime: Runtime,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.#unwatch = this.runtime.gate.onChange(() => void this.look());
    await this.look();
  }

  onApplicationShutdown(): void {
    this.#unwatch?.();
  }

  private async look(): Promise<void> {
    const runs = this.runtime.gate.domainMode('assignment') === 'on';
    const begins = runs && !this.#runs;
    this.#runs = runs;
    if (!begins) return;
    try {
      await this.jobs.addNow(
        Caller.system(randomUUID(), 'assignment.start'),
        runtimeBegins,
        {},
        { delayMs: SETTLED_MS },
      );
    } catch (error) {
      // It is asked for again at the next change of flags; the sweep sees to whoever waits meanwhile.
      this.#runs = false;
      this.log.warn({ err: error }, 'start of assignment not announced');
    }
  }
}
