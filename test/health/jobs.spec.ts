import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Caller,
  createLogger,
  hurried,
  Job,
  JobRunner,
  Jobs,
  jobType,
  LOG,
  readConfig,
  startRuntime,
  type Domain,
  type RunningRuntime,
} from '@belay/platform';
import { Inject, Injectable, Module, type INestApplicationContext } from '@nestjs/common';
import type { Logger } from 'pino';
import { z } from 'zod';
import { composeWorker } from '../../apps/worker/src/compose.js';
import { createDatabases, type TestDatabases } from '../support/databases.js';
import { eventually } from '../support/eventually.js';

const chore = jobType({ domain: 'chores', name: 'chore', payload: z.object({ part: z.string() }) });

@Injectable()
class ChoreJobs {
  constructor(@Inject(LOG) private readonly log: Logger) {}

  @Job(chore)
  async work({ part }: { part: string }): Promise<void> {
    await sleep(5);
    this.log.info({ part }, 'chore done');
  }
}

@Module({ providers: [ChoreJobs] })
class ChoresJobsModule {}

@Module({})
class ChoresModule {}

const chores: Domain = {
  name: 'chores',
  title: 'Chores',
  after: [],
  features: [],
  module: ChoresModule,
  jobs: ChoresJobsModule,
};

describe('the log of a job', () => {
  let databases: TestDatabases;
  let runtime: RunningRuntime;
  let worker: INestApplicationContext;
  const lines: Record<string, unknown>[] = [];

  beforeAll(async () => {
    databases = await createDatabases();
    const config = readConfig({
      DATABASE_URL: databases.databaseUrl,
      CONTROL_DATABASE_URL: databases.controlUrl,
      FLAGS_FILE: 'test/support/no-flags.json',
      SECRET_KEY: Buffer.alloc(32).toString('base64'),
    });
    runtime = await startRuntime('worker', [chores], config);
    const line = z.record(z.string(), z.unknown());
    const log = createLogger(config, 'worker', 'p-1', { write: (text) => lines.push(line.parse(JSON.parse(text))) });
    worker = await composeWorker({ ...runtime, log }, [chores]);
  });
  afterAll(async () => {
    await worker.get(JobRunner).stop(hurried);
    await worker.close();
    await runtime.close();
    await databases.drop();
  });

  it('has the request that asked for it, also while others run', async () => {
    const parts = ['rope', 'cord', 'sling', 'nut'];
    for (const part of parts) await worker.get(Jobs).addNow(Caller.system(`request-${part}`), chore, { part });
    const done = () => lines.filter((one) => one['msg'] === 'chore done');
    await eventually(() => {
      expect(done()).toHaveLength(parts.length);
    }, 10_000);
    for (const one of done()) {
      expect(one['requestId']).toBe(`request-${String(one['part'])}`);
      expect(one['job']).toMatch(/^job-/);
    }
  });
});
