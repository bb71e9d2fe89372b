import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { eventually } from '../support/eventually.js';
import { onEveryBackend } from './backends.js';
import { TestWorkers } from './test-workers.js';
import { buildPart } from './workshop.js';

onEveryBackend('a worker whose connections all break', (backend) => {
  let workers: TestWorkers;
  beforeAll(async () => {
    workers = await TestWorkers.on(backend);
    workers.flags.on('enable_workshop');
    workers.flags.on('enable_tower');
    await workers.start();
  });
  afterAll(() => workers.close());

  const cutAll = async () => {
    await workers.rows(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'belay-%'`,
    );
    const url = workers.env['REDIS_URL'];
    if (url === undefined) return;
    const redis = new Redis(url);
    await redis.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    redis.disconnect();
  };

  it('goes on with jobs, facts and schedules by itself', async () => {
    await eventually(async () => {
      expect((await workers.effects('tick-1')).length).toBeGreaterThan(0);
    }, 5_000);
    for (const round of ['first', 'second', 'third']) {
      await cutAll();
      await eventually(async () => {
        await workers.jobs.addNow(workers.caller(), buildPart, { part: round }, { id: `build-${round}` });
      }, 5_000);
      await workers.announce(`fact-${round}`);
      const ticks = (await workers.effects('tick-1')).length;

      await eventually(async () => {
        expect((await workers.effects('built', round)).length).toBe(1);
        expect((await workers.effects('received', `fact-${round}`)).length).toBe(1);
        expect((await workers.effects('tick-1')).length).toBeGreaterThan(ticks);
      }, 12_000);
    }
  });
});
