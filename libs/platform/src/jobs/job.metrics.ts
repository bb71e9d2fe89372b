import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { OutboxLag } from '../outbox/outbox-relay.js';
import type { QueueCounts } from './queues.js';

export type JobOutcome = 'done' | 'failed' | 'dead' | 'held';

/** Whom a scrape asks: the application that is at work. */
export interface JobFigures {
  counts(): Promise<ReadonlyMap<string, QueueCounts>>;
  lag(): Promise<OutboxLag>;
}

const ofRegistry = new WeakMap<Registry, JobMetrics>();

/** What is measured of jobs and of the outbox, once a process: totals outlive the application that counts them. */
export class JobMetrics {
  readonly seconds: Histogram<'domain' | 'name'>;
  readonly #total: Counter<'domain' | 'name' | 'outcome'>;
  #figures: JobFigures | undefined;

  private constructor(registry: Registry) {
    const registers = [registry];
    this.seconds = new Histogram({
      name: 'belay_job_seconds',
      help: 'Time from the start of an attempt to its end',
      labelNames: ['domain', 'name'],
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300],
      registers,
    });
    this.#total = new Counter({
      name: 'belay_jobs_total',
      help: 'Attempts by outcome: done, failed (tried again), dead (for good), held (put back)',
      labelNames: ['domain', 'name', 'outcome'],
      registers,
    });
    this.gauges(registers);
  }

  static of(registry: Registry): JobMetrics {
    let metrics = ofRegistry.get(registry);
    if (!metrics) {
      metrics = new JobMetrics(registry);
      ofRegistry.set(registry, metrics);
    }
    return metrics;
  }

  outcome(domain: string, name: string, outcome: JobOutcome): void {
    this.#total.inc({ domain, name, outcome });
  }

  watch(figures: JobFigures): void {
    this.#figures = figures;
  }

  /** Unless others have taken over already. */
  unwatch(figures: JobFigures): void {
    if (this.#figures === figures) this.#figures = undefined;
  }

  private gauges(registers: Registry[]): void {
    const figures = () => this.#figures;
    new Gauge({
      name: 'belay_queue_jobs',
      help: 'Jobs by domain and state',
      labelNames: ['domain', 'state'],
      registers,
      async collect() {
        this.reset();
        for (const [domain, counts] of (await figures()
          ?.counts()
          .catch(() => undefined)) ?? []) {
          for (const [state, count] of Object.entries(counts)) this.set({ domain, state }, Number(count));
        }
      },
    });
    new Gauge({
      name: 'belay_outbox_waiting',
      help: 'Facts not published yet',
      registers,
      async collect() {
        this.set(
          (
            await figures()
              ?.lag()
              .catch(() => undefined)
          )?.waiting ?? Number.NaN,
        );
      },
    });
    new Gauge({
      name: 'belay_outbox_lag_seconds',
      help: 'Age of the oldest fact not published yet',
      registers,
      async collect() {
        this.set(
          (
            await figures()
              ?.lag()
              .catch(() => undefined)
          )?.seconds ?? Number.NaN,
        );
      },
    });
  }
}
