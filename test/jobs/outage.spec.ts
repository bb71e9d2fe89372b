import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { QueueUnavailable } from '@belay/platform';
import { Redis } from 'ioredis';
import { hasRedis, startRedis } from '../support/redis.js';
import { onEveryBackend, postgres } from './backends.js';
import { soon, TestWorkers } from './test-workers.js';
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
    await soon(async () => {
      expect((await workers.effects('tick-1')).length).toBeGreaterThan(0);
    });
    for (const round of ['first', 'second', 'third']) {
      await cutAll();
      await soon(async () => {
        await workers.jobs.addNow(workers.caller(), buildPart, { part: round }, { id: `build-${round}` });
      });
      await workers.announce(`fact-${round}`);
      const ticks = (await workers.effects('tick-1')).length;

      await soon(async () => {
        expect((await workers.effects('built', round)).length).toBe(1);
        expect((await workers.effects('received', `fact-${round}`)).length).toBe(1);
        expect((await workers.effects('tick-1')).length).toBeGreaterThan(ticks);
      }, 12_000);
    }
  });
});

const activeTimers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

(hasRedis ? describe : describe.skip)('a worker whose Redis has gone', () => {
  it('ends soon all the same', async () => {
    const timers = activeTimers();
    const redis = await startRedis();
    const env = { REDIS_URL: redis.url };
    const workers = await TestWorkers.on({
      ...postgres,
      start: () => Promise.resolve({ env, stop: () => redis.stop() }),
    });
    workers.flags.on('enable_workshop');
    const worker = await workers.start();
    await redis.stop();

    const from = performance.now();
    await worker.close();
    expect(performance.now() - from).toBeLessThan(3_000);
    await workers.close();
    // A timer left behind would keep the process from ending.
    await soon(() => {
      expect(activeTimers()).toBeLessThanOrEqual(timers);
    });
  });
});

describe('without Redis', () => {
  let workers: TestWorkers;
  beforeAll(async () => {
    const env = { REDIS_URL: 'redis://127.0.0.1:1' };
    workers = await TestWorkers.on({
      ...postgres,
      start: () => Promise.resolve({ env, stop: () => Promise.resolve() }),
    });
  });
  afterAll(() => workers.close());

  it('who asks for a job at once is told soon, and who asks in a transaction does not notice', async () => {
    const from = performance.now();
    await expect(workers.jobs.addNow(workers.caller(), buildPart, { part: 'x' })).rejects.toThrow(QueueUnavailable);
    expect(performance.now() - from).toBeLessThan(2_000);

    await workers.database.transaction(workers.caller(), (tx) => workers.jobs.add(tx, buildPart, { part: 'y' }));
    expect(await workers.rows(`SELECT name FROM platform.outbox`)).toEqual([{ name: 'platform.job' }]);
  });
});
