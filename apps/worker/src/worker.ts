import {
  Health,
  hurried,
  JobRunner,
  NotInOrder,
  Stage,
  startRuntime,
  unhurried,
  within,
  type Config,
  type Domain,
  type Runtime,
} from '@belay/platform';
import type { INestApplicationContext } from '@nestjs/common';
import { ledgers } from '../../../migrations/index.js';
import { composeControl, composeWorker } from './compose.js';
import { HealthServer } from './health-server.js';

export interface RunningWorker {
  readonly runtime: Runtime;
  /** Where its health can be asked; undefined without WORKER_PORT. */
  readonly url: string | undefined;
  /** In order and within ten seconds: no slot, no fact, no job any more, then the connections. */
  close(): Promise<void>;
}

/** The worker process: does the jobs of the domains that are on, and follows the flags without a restart. */
export async function startWorker({
  config,
  domains,
}: {
  config: Config;
  domains: readonly Domain[];
}): Promise<RunningWorker> {
  await using started = new AsyncDisposableStack();
  const runtime = started.adopt(await startRuntime('worker', domains, config), (one) => one.close());
  const contexts = new Set(config.WORKER_CONTEXTS);
  if (contexts.has('control')) started.adopt(await composeControl(runtime, domains), (one) => one.close());
  const jobs = contexts.has('jobs') ? started.adopt(await JobStage.open(runtime), (one) => one.close()) : undefined;

  let url: string | undefined;
  if (config.WORKER_PORT !== undefined) {
    const health = new Health(runtime, ledgers, jobs && { jobs: () => jobs.look() });
    const server = started.adopt(new HealthServer(runtime, health), (one) => one.close());
    url = await server.listen(config.HOST, config.WORKER_PORT);
  }
  const running = started.move();
  return { runtime, url, close: () => running.disposeAsync() };
}

/** The job contexts of the process: one at work, and those that still end. */
class JobStage {
  readonly #contexts = new Set<INestApplicationContext>();
  #shown: INestApplicationContext | undefined;
  #stage: Stage<INestApplicationContext> | undefined;
  #closing = false;

  private constructor(private readonly runtime: Runtime) {}

  static async open(runtime: Runtime): Promise<JobStage> {
    const jobs = new JobStage(runtime);
    jobs.#stage = await Stage.open({
      ...runtime,
      build: (enabled) => composeWorker(runtime, enabled),
      show: (context) => {
        jobs.#contexts.add(context);
        jobs.#shown = context;
      },
      drain: (context) => jobs.drain(context),
    });
    return jobs;
  }

  /** For the health of the worker: whether it does what it is for. */
  look(): string {
    if (this.#closing || !this.#shown) throw new NotInOrder('the worker takes no jobs');
    return 'at work';
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#contexts].map((context) => context.get(JobRunner).stop(hurried)));
    // Whoever holds a job that does not end is left behind; the process ends.
    if (this.#stage) await within(this.#stage.close(), 2_000);
  }

  private async drain(context: INestApplicationContext): Promise<void> {
    await context.get(JobRunner).stop(this.#closing ? hurried : unhurried);
    this.#contexts.delete(context);
  }
}
