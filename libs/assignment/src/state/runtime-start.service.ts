import { randomUUID } from 'node:crypto';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Caller, Database, LOG, RUNTIME, type Runtime } from '@belay/platform';
import { PlanNews } from '../plans/plan-news.service.js';
import { OperatorStates } from './operator-states.service.js';

/**
 * Tells the floor that choices are made from now on, whenever the runtime goes on: what nobody has is decided then, and
 * who came or went meanwhile is announced. What somebody has is left alone.
 */
@Injectable()
export class RuntimeStart implements OnApplicationBootstrap, OnApplicationShutdown {
  #runs = false;
  #unwatch: (() => void) | undefined;

  constructor(
    private readonly database: Database,
    @Inject(LOG) private readonly log: Runtime['log'],
    private readonly news: PlanNews,
    @Inject(RUNTIME) private readonly runtime: Runtime,
    private readonly states: OperatorStates,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.#unwatch = this.runtime.gate.onChange(() => void this.look());
    await this.look();
  }

  onApplicationShutdown(): void {
    this.#unwatch?.();
  }

  private async look(): Promise<void> {
    const runs = this.news.runs && this.runtime.gate.writesAllowed();
    const begins = runs && !this.#runs;
    this.#runs = runs;
    if (!begins) return;
    try {
      await this.database.transaction(Caller.system(randomUUID(), 'assignment.start'), async (tx) => {
        await this.states.refresh(tx, null);
        await this.news.changed(tx, { scope: 'unassigned', ids: {}, applyToRunning: false });
      });
    } catch (error) {
      // The floor is told at the next change of flags or start; the sweep sees to whoever waits meanwhile.
      this.#runs = false;
      this.log.warn({ err: error }, 'start of assignment not announced');
    }
  }
}
