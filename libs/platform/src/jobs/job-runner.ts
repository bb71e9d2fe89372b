import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { OutboxRelay } from '../outbox/outbox-relay.js';
import { abortJobs } from '../flags/registry.js';
import { RUNTIME, type Runtime } from '../runtime.js';
import { Crons } from './crons.js';
import { DomainWorker } from './domain-worker.js';
import { findHandlers, type JobDomain } from './job-handlers.js';
import { JobMetrics } from './job.metrics.js';
import { hurried, type Patience } from './patience.js';
import { PLATFORM } from './platform.jobs.js';
import { Queues, type QueueCounts } from './queues.js';

export const JOB_DOMAINS = Symbol('job domains');

/** Has the jobs of the composed domains done, from bootstrap to shutdown. */
@Injectable()
export class JobRunner implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #workers: readonly DomainWorker[] = [];
  #stopped = false;
  readonly #metrics: JobMetrics;
  #unwatch: (() => void) | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(JOB_DOMAINS) private readonly domains: readonly JobDomain[],
    private readonly modules: ModulesContainer,
    private readonly queues: Queues,
    private readonly crons: Crons,
    private readonly relay: OutboxRelay,
  ) {
    this.#metrics = JobMetrics.of(runtime.metrics);
  }

  async onApplicationBootstrap(): Promise<void> {
    // All are looked at before the first begins, so that a mistake starts nothing.
    const found = this.domains.map((domain) => ({ domain, handlers: findHandlers(this.modules, domain) }));
    const busy = found.filter(({ handlers }) => handlers.size > 0);
    this.#workers = busy.map(({ domain: { name }, handlers }) => {
      const mayRun = (feature: string | undefined) => this.mayRun(name, feature);
      return new DomainWorker(name, handlers, mayRun, this.runtime, this.#metrics, this.queues);
    });
    for (const { domain, handlers } of busy) {
      for (const { cron, feature } of handlers.values()) {
        if (cron) this.crons.start(domain.name, cron, () => this.mayRun(domain.name, feature));
      }
    }
    this.#unsubscribe = this.runtime.overlay.onChange(() => {
      for (const worker of this.#workers) {
        if (this.runtime.overlay.killed(abortJobs(worker.domain))) worker.abort();
      }
    });
    this.#unwatch = this.#metrics.watch({ counts: () => this.counts(), lag: () => this.relay.lag() });
    await this.relay.start();
  }

  /**
   * Begins nothing any more and ends once nothing is under way: no slot, no fact, no job. Jobs that outlast the patience
   * are named in the log and left behind; another worker takes them when their locks run out. May be asked again with
   * less patience.
   */
  async stop(patience: Patience): Promise<void> {
    this.#stopped = true;
    this.crons.stop();
    this.#unwatch?.();
    await this.relay.stop();
    const stuck = (await Promise.all(this.#workers.map((worker) => worker.close(patience)))).flat();
    if (stuck.length > 0) this.runtime.log.error({ jobs: stuck }, 'jobs left behind');
  }

  async beforeApplicationShutdown(): Promise<void> {
    if (!this.#stopped) await this.stop(hurried);
    this.#unsubscribe?.();
  }

  /** A job writes, so it waits while nothing may be written; what is open may still be finished in `drain`. */
  private mayRun(domain: string, feature: string | undefined): boolean {
    const { gate } = this.runtime;
    if (!gate.writesAllowed()) return false;
    if (domain === PLATFORM) return true;
    const mode = feature === undefined ? gate.domainMode(domain) : gate.featureMode(feature);
    return mode === 'on' || mode === 'drain';
  }

  private async counts(): Promise<ReadonlyMap<string, QueueCounts>> {
    const withJobs = this.runtime.domains.filter(({ jobs }) => jobs !== undefined).map(({ name }) => name);
    const names = [PLATFORM, ...withJobs];
    return new Map(await Promise.all(names.map(async (name) => [name, await this.queues.counts(name)] as const)));
  }
}
