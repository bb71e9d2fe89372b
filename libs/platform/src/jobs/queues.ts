import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import {
  withBackend,
  type IQueueBackend,
  type Job,
  type JobProgress,
  type JobsOptions,
  type Processor,
  type Queue,
  type Worker,
} from 'bullmq';
import { RUNTIME, type Runtime } from '../runtime.js';
import { openJobBackend, type JobBackend } from './job-backend.js';
import type { JobEnvelope, NewJob } from './job-envelope.js';

export type QueuedJob = Job<JobEnvelope, undefined>;
export type JobQueue = Queue<QueuedJob, undefined, string, JobEnvelope, undefined, string, IQueueBackend, string>;
export type JobWorker = Worker<JobEnvelope, undefined, string, IQueueBackend, JobProgress, string>;

export interface QueueCounts {
  /** Ready and waiting for a worker, also while the queue is paused. */
  readonly waiting: number;
  /** Waiting for their time: a retry, or the gate. */
  readonly delayed: number;
  readonly active: number;
  readonly failed: number;
  /** Done within the last half hour; older ones are forgotten. */
  readonly completed: number;
  readonly paused: boolean;
}

export interface RunningNow {
  readonly id: string;
  readonly name: string;
  readonly startedAt: Date | null;
  readonly requestId: string;
}

export interface WaitingJobs {
  readonly name: string;
  readonly version: number;
  readonly jobs: number;
}

const PAGE = 500;

// A job id is known for this long after the job is done, so that a late second request for the same work is none.
const KEPT_SECONDS = 1_800;

/** One queue per domain, on PostgreSQL or Redis; queues of domains that are off exist as well and keep what waits. */
@Injectable()
export class Queues implements OnApplicationShutdown {
  readonly #backend: JobBackend;
  readonly #queues = new Map<string, JobQueue>();

  constructor(@Inject(RUNTIME) private readonly runtime: Pick<Runtime, 'config' | 'role'>) {
    this.#backend = openJobBackend(runtime.config, `belay-${runtime.role}`);
  }

  /** A job whose id is known already is not added again. */
  async add(domain: string, job: NewJob): Promise<void> {
    await this.of(domain).add(job.name, job.data, optionsOf(job));
  }

  /** As `add`, all or none, in one round trip. */
  async addAll(domain: string, jobs: readonly NewJob[]): Promise<void> {
    const [first, ...others] = jobs;
    // On PostgreSQL one alone is four times as fast by itself.
    if (first && others.length === 0) {
      await this.add(domain, first);
      return;
    }
    await this.of(domain).addBulk(jobs.map((job) => ({ name: job.name, data: job.data, opts: optionsOf(job) })));
  }

  /** No worker starts a job of the domain until it is resumed; what runs is not touched. Outlives restarts. */
  async pause(domain: string): Promise<void> {
    await this.of(domain).pause();
  }

  async resume(domain: string): Promise<void> {
    await this.of(domain).resume();
  }

  /** Pauses the domain and waits until none of its jobs runs anywhere; answers those that still do when time is up. */
  async drain(domain: string, withinMs = 40_000): Promise<readonly RunningNow[]> {
    await this.pause(domain);
    const deadline = performance.now() + withinMs;
    // Seen twice, because a worker may have looked for a job just before the pause.
    for (let quiet = 0; ;) {
      const active = await this.active(domain);
      quiet = active.length === 0 ? quiet + 1 : 0;
      if (quiet === 2 || performance.now() >= deadline) return active;
      await sleep(100);
    }
  }

  async counts(domain: string): Promise<QueueCounts> {
    const queue = this.of(domain);
    const paused = await queue.isPaused();
    const counts = await queue.getJobCounts('waiting', 'delayed', 'active', 'failed', 'completed');
    const { delayed = 0, active = 0, failed = 0, completed = 0 } = counts;
    // The count by state leaves them out on PostgreSQL while the queue is paused.
    const waiting = paused ? (await queue.getCountsPerPriority([0]))['0'] : counts['waiting'];
    return { waiting: waiting ?? 0, delayed, active, failed, completed, paused };
  }

  /** What runs now, on whichever worker. */
  async active(domain: string): Promise<readonly RunningNow[]> {
    const jobs = await this.of(domain).getActive();
    return jobs.map((job) => ({
      id: job.id ?? '',
      name: job.name,
      startedAt: job.processedOn === undefined ? null : new Date(job.processedOn),
      requestId: job.data.requestId,
    }));
  }

  /** What waits for a worker or for its time, also while the queue is paused: how many of each kind and version. */
  async waiting(domain: string): Promise<readonly WaitingJobs[]> {
    const found = new Map<string, WaitingJobs>();
    for (let from = 0; ; from += PAGE) {
      const jobs = await this.of(domain).getJobs(['waiting', 'prioritized', 'delayed'], from, from + PAGE - 1);
      for (const { name, data } of jobs) {
        const key = `${name} ${data.version}`;
        found.set(key, { name, version: data.version, jobs: (found.get(key)?.jobs ?? 0) + 1 });
      }
      if (jobs.length === 0) return [...found.values()];
    }
  }

  /** When the last job of the domain ended, well or badly; null when none did of late. */
  async lastEnded(domain: string): Promise<Date | null> {
    const ended = await this.of(domain).getJobs(['completed', 'failed'], 0, 0, false);
    const times = ended.flatMap(({ finishedOn }) => (finishedOn === undefined ? [] : [finishedOn]));
    return times.length === 0 ? null : new Date(Math.max(...times));
  }

  of(domain: string): JobQueue {
    let queue = this.#queues.get(domain);
    if (!queue) {
      const { Queue } = this.classes();
      queue = new Queue(domain, {
        connection: 'shared',
        prefix: this.runtime.config.REDIS_PREFIX,
        // Nobody reads the event streams; kept short because the backend cannot do without.
        streams: { events: { maxLen: 500 } },
        defaultJobOptions: { removeOnComplete: { age: KEPT_SECONDS }, removeOnFail: false, stackTraceLimit: 10 },
      });
      // Whoever uses the queue gets the failure as a rejection.
      queue.on('error', () => undefined);
      this.#queues.set(domain, queue);
    }
    return queue;
  }

  /** Starts to take jobs of the domain; the caller closes it. */
  worker(domain: string, process: Processor<JobEnvelope, undefined>): JobWorker {
    const { JOB_CONCURRENCY, JOB_LOCK_MS, REDIS_PREFIX } = this.runtime.config;
    const { Worker } = this.classes();
    return new Worker(domain, process, {
      connection: 'shared',
      prefix: REDIS_PREFIX,
      concurrency: JOB_CONCURRENCY,
      lockDuration: JOB_LOCK_MS,
      stalledInterval: JOB_LOCK_MS / 2,
      // A job that was running in each of so many workers that died becomes a dead letter: it may be what kills them.
      maxStalledCount: 3,
      runRetryDelay: 1_000,
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
    await this.#backend.close();
  }

  private classes() {
    return withBackend<IQueueBackend, string>(this.#backend.factory);
  }
}

function optionsOf({ id, attempts, backoffMs, delayMs }: NewJob): JobsOptions {
  const backoff = { type: 'exponential', delay: backoffMs, jitter: 0.5 };
  return { jobId: id, attempts, backoff, ...(delayMs === undefined ? {} : { delay: delayMs }) };
}
