import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { onEveryBackend, postgres } from './backends.js';
import { soon, TestWorkers } from './test-workers.js';
import { buildPart } from './workshop.js';

onEveryBackend('a worker that is killed', (backend) => {
  let workers: TestWorkers;
  beforeAll(async () => {
    workers = await TestWorkers.on(backend);
    workers.flags.on('enable_workshop');
    workers.flags.on('enable_gallery');
  });
  afterAll(() => workers.close());

  it('in the middle of a job leaves it to another, and the effect is there once', async () => {
    const first = await workers.spawn();
    await workers.announce('gear', { before: 20_000 });
    await soon(async () => {
      expect(await workers.effects('delivered', 'gear')).toHaveLength(1);
    });
    await first.kill('SIGKILL');
    expect(await workers.effects('received', 'gear')).toEqual([]);

    const second = await workers.spawn();
    await soon(async () => {
      expect(await workers.counts()).toMatchObject({ waiting: 0, active: 0, failed: 0, completed: 1 });
    });
    expect((await workers.effects('delivered', 'gear')).map(({ pid }) => pid)).toEqual([first.pid, second.pid]);
    expect((await workers.effects('received', 'gear')).map(({ pid }) => pid)).toEqual([second.pid]);
    await second.kill('SIGTERM');
  });

  it('between the effect and the end of the job has it done again without a second effect', async () => {
    const first = await workers.spawn();
    await workers.announce('cam', { after: 20_000 });
    await soon(async () => {
      expect(await workers.effects('received', 'cam')).toHaveLength(1);
    });
    await first.kill('SIGKILL');

    const second = await workers.spawn();
    await soon(async () => {
      expect((await workers.effects('delivered', 'cam')).map(({ pid }) => pid)).toEqual([first.pid, second.pid]);
      expect(await workers.counts()).toMatchObject({ waiting: 0, active: 0, failed: 0, completed: 2 });
    });
    expect((await workers.effects('received', 'cam')).map(({ pid }) => pid)).toEqual([first.pid]);
    await second.kill('SIGTERM');
  });
});

describe('a job that was running in three workers that died', () => {
  let workers: TestWorkers;
  beforeAll(async () => {
    workers = await TestWorkers.on(postgres);
    workers.flags.on('enable_workshop');
  });
  afterAll(() => workers.close());

  it('is begun once more, and is a dead letter when that one dies too', async () => {
    await workers.jobs.addNow(workers.caller(), buildPart, { part: 'grenade', ms: 60_000 }, { id: 'build-grenade' });
    for (const times of [1, 2, 3, 4]) {
      const worker = await workers.spawn();
      await soon(async () => {
        expect(await workers.effects('begun', 'grenade')).toHaveLength(times);
      });
      await worker.kill('SIGKILL');
    }

    await workers.spawn();
    await soon(async () => {
      expect(await workers.deadLetters.list('workshop')).toMatchObject([
        { id: 'build-grenade', reason: 'job stalled more than allowable limit' },
      ]);
    });
    expect(await workers.effects('begun', 'grenade')).toHaveLength(4);

    await workers.deadLetters.retry('workshop', 'build-grenade');
    await soon(async () => {
      expect(await workers.effects('begun', 'grenade')).toHaveLength(5);
    });
  }, 60_000);
});
