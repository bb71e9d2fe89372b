import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { onEveryBackend } from './backends.js';
import { TestWorkers } from './test-workers.js';

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
    await workers.announce('gear', { before: 5_000 });
    await eventually(async () => {
      expect(await workers.effects('delivered', 'gear')).toHaveLength(1);
    }, 5_000);
    await first.kill('SIGKILL');
    expect(await workers.effects('received', 'gear')).toEqual([]);

    const second = await workers.spawn();
    await eventually(async () => {
      expect(await workers.counts()).toMatchObject({ waiting: 0, active: 0, failed: 0, completed: 1 });
    }, 15_000);
    expect((await workers.effects('delivered', 'gear')).map(({ pid }) => pid)).toEqual([first.pid, second.pid]);
    expect((await workers.effects('received', 'gear')).map(({ pid }) => pid)).toEqual([second.pid]);
    await second.kill('SIGTERM');
  });

  it('between the effect and the end of the job has it done again without a second effect', async () => {
    const first = await workers.spawn();
    await workers.announce('cam', { after: 5_000 });
    await eventually(async () => {
      expect(await workers.effects('received', 'cam')).toHaveLength(1);
    }, 5_000);
    await first.kill('SIGKILL');

    const second = await workers.spawn();
    await eventually(async () => {
      expect((await workers.effects('delivered', 'cam')).map(({ pid }) => pid)).toEqual([first.pid, second.pid]);
      expect(await workers.counts()).toMatchObject({ waiting: 0, active: 0, failed: 0, completed: 2 });
    }, 15_000);
    expect((await workers.effects('received', 'cam')).map(({ pid }) => pid)).toEqual([first.pid]);
    await second.kill('SIGTERM');
  });
});
