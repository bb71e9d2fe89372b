import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { RunningWorker } from '../../apps/worker/src/worker.js';
import { onEveryBackend } from './backends.js';
import { soon, TestWorkers } from './test-workers.js';
import { buildPart, paintPart } from './workshop.js';

onEveryBackend('the jobs of a module', (backend) => {
  let workers: TestWorkers;
  let worker: RunningWorker;
  beforeAll(async () => {
    workers = await TestWorkers.on(backend);
    worker = await workers.start();
  });
  afterAll(() => workers.close());

  beforeEach(async () => {
    workers.flags.on('enable_workshop');
    workers.flags.off('workshop_painting');
    await booted('workshop');
  });

  const isBooted = (domain: string) => worker.runtime.presence.booted.includes(domain);
  const booted = (domain: string) =>
    soon(() => {
      expect(isBooted(domain)).toBe(true);
    });
  const gone = (domain: string) =>
    soon(() => {
      expect(isBooted(domain)).toBe(false);
    });
  const ask = (part: string, how: object = {}) =>
    workers.jobs.addNow(workers.caller(), buildPart, { part, ...how }, { id: `build-${part}` });
  const begun = async (part: string) => (await workers.effects('begun', part)).length;
  const built = async (part: string) => (await workers.effects('built', part)).length;

  it('wait in its queue while it is off, and are done when it is on again', async () => {
    workers.flags.off('enable_workshop');
    expect(await gone('workshop')).toBeLessThan(3_000);
    await ask('spoke');
    await workers.announce('hub');
    await soon(async () => {
      // One that was taken just before the worker's module was gone is put back for later.
      const { waiting, delayed, active } = await workers.counts();
      expect([waiting + delayed, active]).toEqual([2, 0]);
    });
    await sleep(1_500);
    expect([await begun('spoke'), (await workers.effects('delivered', 'hub')).length]).toEqual([0, 0]);

    workers.flags.on('enable_workshop');
    expect(await booted('workshop')).toBeLessThan(3_000);
    await soon(async () => {
      expect([await built('spoke'), (await workers.effects('received', 'hub')).length]).toEqual([1, 1]);
    });
  });

  it('are put back when it goes off under them: nothing is done, nothing failed, nothing lost', async () => {
    await ask('rim', { ms: 1_500 });
    await soon(async () => {
      expect(await begun('rim')).toBe(1);
    });

    workers.flags.off('enable_workshop');
    await soon(async () => {
      expect(await workers.counts()).toMatchObject({ delayed: 1, active: 0, failed: 0 });
    });
    expect(await built('rim')).toBe(0);

    workers.flags.on('enable_workshop');
    await soon(async () => {
      const job = await workers.queues.of('workshop').getJob('build-rim');
      expect([await job?.isCompleted(), job?.attemptsMade]).toEqual([true, 1]);
    });
    expect(await built('rim')).toBe(1);
  });

  it('wait for their feature, while the others go on', async () => {
    await workers.jobs.addNow(workers.caller(), paintPart, { part: 'door' });
    await ask('hinge');
    await soon(async () => {
      expect(await built('hinge')).toBe(1);
      expect(await workers.counts()).toMatchObject({ delayed: 1, active: 0 });
    });
    expect(await workers.effects('painted', 'door')).toEqual([]);

    workers.flags.on('workshop_painting');
    await soon(async () => {
      expect(await workers.effects('painted', 'door')).toHaveLength(1);
    });
  });

  it.each([
    ['go on while it finishes what is open', 'drain', 1],
    ['wait while it may only be read', 'read_only', 0],
  ])('%s', async (_title, mode, times) => {
    workers.flags.mode('enable_workshop', mode);
    await soon(() => {
      expect(worker.runtime.gate.domainMode('workshop')).toBe(mode);
    });
    await ask(`in-${mode}`);

    await soon(async () => {
      expect(await workers.counts()).toMatchObject({ waiting: 0, active: 0, delayed: 1 - times });
      expect(await built(`in-${mode}`)).toBe(times);
    });

    workers.flags.mode('enable_workshop', 'on');
    await soon(async () => {
      expect(await built(`in-${mode}`)).toBe(1);
    });
  });

  it('wait, and so do facts, while nothing may be written', async () => {
    await workers.stopWrites(true);
    await soon(() => {
      expect(worker.runtime.gate.writesAllowed()).toBe(false);
    });
    await ask('axle');
    await workers.announce('bearing');
    await soon(async () => {
      expect(await workers.counts()).toMatchObject({ waiting: 0, delayed: 1 });
    });
    await sleep(1_500);
    expect(await begun('axle')).toBe(0);
    expect(await workers.rows(`SELECT FROM platform.outbox WHERE published_at IS NULL`)).toHaveLength(1);

    await workers.stopWrites(false);
    await soon(async () => {
      expect([await built('axle'), (await workers.effects('received', 'bearing')).length]).toEqual([1, 1]);
    });
  });

  it('on a schedule stop with it and come back with it', async () => {
    const ticks = async () => (await workers.rows(`SELECT FROM workshop.effect WHERE what LIKE 'tick-%'`)).length;
    workers.flags.on('enable_tower');
    await soon(async () => {
      expect(await ticks()).toBeGreaterThan(0);
    });

    workers.flags.off('enable_tower');
    await gone('tower');
    const before = await ticks();
    await sleep(2_500);
    expect(await ticks()).toBe(before);

    workers.flags.on('enable_tower');
    await soon(async () => {
      expect(await ticks()).toBeGreaterThan(before);
    });
    workers.flags.off('enable_tower');
    await gone('tower');
  });
});
