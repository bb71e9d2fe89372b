import { Inject, Injectable } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { CronJob, type CronTime } from 'cron';
import { RUNTIME, type Runtime } from '../runtime.js';
import type { CronDeclaration } from './job.decorators.js';
import { Queues } from './queues.js';

// A timer may fire a little early.
const EARLY_MS = 50;
// A slot that could not be queued for so long, e.g. because the machine slept, is left out. Shorter than a finished job
// is remembered, or a late worker would have the slot done again.
const LATE_MS = 600_000;
const RETRY_MS = 5_000;

/**
 * Turns each slot of a schedule into one job, whose id is the slot: all workers ask for the same job, so it is done
 * once. What comes due while no worker runs is not made up for.
 */
@Injectable()
export class Crons {
  readonly #started: Schedule[] = [];

  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    private readonly registry: SchedulerRegistry,
    private readonly queues: Queues,
  ) {}

  /** `mayRun` is asked at each slot. */
  start(domain: string, cron: CronDeclaration, mayRun: () => boolean): void {
    const enqueue = (slot: Date) => this.enqueue(domain, cron, slot, mayRun);
    const schedule = new Schedule(cron, enqueue, (error) => {
      this.runtime.log.warn({ err: error, domain, cron: cron.name }, 'slot not queued');
    });
    this.registry.addCronJob(`${domain}.${cron.name}`, schedule.timer);
    this.#started.push(schedule);
    schedule.start();
  }

  /** No slot comes due here any more. */
  stop(): void {
    for (const schedule of this.#started) schedule.stop();
  }

  private async enqueue(domain: string, cron: CronDeclaration, slot: Date, mayRun: () => boolean): Promise<void> {
    if (!mayRun()) return;
    const { name, attempts = 3 } = cron;
    const id = slotId(name, slot);
    const data = { version: 1, requestId: id, payload: { slot: slot.toISOString() } };
    await this.queues.add(domain, { id, name, data, attempts, backoffMs: 1_000 });
  }
}

/** `name-2026-01-31T060000Z`: the same on every worker. */
export function slotId(name: string, slot: Date): string {
  return `${name}-${slot.toISOString().replace(/\.\d+/, '').replaceAll(':', '')}`;
}

/** Walks from slot to slot by the expression, not by when a timer fires, so that workers agree and none is left out. */
class Schedule {
  readonly timer: CronJob;
  readonly #time: CronTime;
  #last = new Date();
  #busy = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(
    cron: CronDeclaration,
    private readonly enqueue: (slot: Date) => Promise<void>,
    private readonly failed: (error: unknown) => void,
  ) {
    this.timer = CronJob.from({
      cronTime: cron.cron,
      timeZone: cron.timeZone ?? 'UTC',
      onTick: () => this.tick(),
      start: false,
      unrefTimeout: true,
    });
    this.#time = this.timer.cronTime;
  }

  start(): void {
    this.#last = new Date();
    this.timer.start();
  }

  stop(): void {
    clearTimeout(this.#retry);
    void this.timer.stop();
  }

  private async tick(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    clearTimeout(this.#retry);
    try {
      this.#last = new Date(Math.max(this.#last.getTime(), Date.now() - LATE_MS));
      for (;;) {
        const slot = this.#time.getNextDateFrom(this.#last, this.#time.timeZone).toJSDate();
        if (slot.getTime() > Date.now() + EARLY_MS) return;
        await this.enqueue(slot);
        this.#last = slot;
      }
    } catch (error) {
      this.failed(error);
      this.#retry = setTimeout(() => void this.tick(), RETRY_MS).unref();
    } finally {
      this.#busy = false;
    }
  }
}
