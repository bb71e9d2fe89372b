import { Counter, Histogram, type Registry } from 'prom-client';
import { LiveGauge } from '../metrics/live-gauge.js';
import type { OutboxLag } from '../outbox/outbox-relay.js';
import type { QueueCounts } from './queues.js';

export type JobOutcome = 'done' | 'failed' | 'dead' | 'held';

/** What an application that is at work can tell. */
export interface JobFigures {
  readonly counts: () => Promise<ReadonlyMap<string, QueueCounts>>;
  readonly lag: () => Promise<OutboxLag>;
}

const ofRegistry = new WeakMap<Registry, JobMetrics>();

/** What is measured of jobs and of the outbox, once a process: totals outlive the application that counts them. */
export class JobMetrics {
  readonly seconds: Histogram<'domain' | 'name'>;
  readonly #total: Counter<'domain' | 'name' | 'outcome'>;
  readonly #queued: LiveGauge<'domain' | 'state'>;
  readonly #waiting: LiveGauge;
  readonly #lag: LiveGauge;

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
    this.#queued = new LiveGauge(registry, 'belay_queue_jobs', 'Jobs by domain and state', ['domain', 'state']);
    this.#waiting = new LiveGauge(registry, 'belay_outbox_waiting', 'Facts not published yet', []);
    this.#lag = new LiveGauge(registry, 'belay_outbox_lag_seconds', 'Age of the oldest fact not published yet', []);
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

  /** A scrape asks these figures too, until the answered function is called. */
  watch({ counts, lag }: JobFigures): () => void {
    const sources = [
      this.#queued.from(async () =>
        [...(await counts())].flatMap(([domain, { paused, ...states }]) =>
          Object.entries({ ...states, paused: Number(paused) }).map(([state, value]) => ({
            labels: { domain, state },
            value,
          })),
        ),
      ),
      this.#waiting.from(async () => [{ labels: {}, value: (await lag()).waiting }]),
      this.#lag.from(async () => [{ labels: {}, value: (await lag()).seconds }]),
    ];
    return () => {
      for (const leave of sources) leave();
    };
  }
}
