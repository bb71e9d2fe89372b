import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { onEveryBackend } from './backends.js';
import { soon, TestWorkers } from './test-workers.js';
import { buildPart } from './workshop.js';

onEveryBackend('a worker that is told to end', (backend) => {
  let workers: TestWorkers;
  beforeAll(async () => {
    workers = await TestWorkers.on(backend);
    for (const flag of ['enable_workshop', 'enable_gallery', 'enable_tower']) workers.flags.on(flag);
  });
  afterAll(() => workers.close());

  const ask = async (part: string, how: object) => {
    await workers.jobs.addNow(workers.caller(), buildPart, { part, ...how }, { id: `build-${part}` });
    await soon(async () => {
      expect(await begun(part)).toBe(1);
    });
  };
  const begun = async (part: string) => (await workers.effects('begun', part)).length;
  const built = async (part: string) => (await workers.effects('built', part)).length;
  const state = async (part: string) => (await workers.queues.of('workshop').getJob(`build-${part}`))?.getState();
  const timed = async (work: () => Promise<unknown>) => {
    const from = performance.now();
    await work();
    return performance.now() - from;
  };

  it('lets its jobs end first', async () => {
    const worker = await workers.spawn();
    await ask('short', { ms: 1_500 });

    const took = await timed(() => worker.kill('SIGTERM'));
    expect(took).toBeLessThan(10_000);
    expect([await built('short'), await state('short')]).toEqual([1, 'completed']);
  });

  it('gives longer jobs the signal to stop: who heeds it is put back, who does not is left and runs again elsewhere', async () => {
    const worker = await workers.spawn();
    await ask('long', { ms: 60_000 });
    await ask('stubborn', { ms: 60_000, stubborn: true });

    const took = await timed(() => worker.kill('SIGTERM'));
    expect(took).toBeGreaterThan(4_500);
    expect(took).toBeLessThan(10_000);
    expect([await state('long'), await state('stubborn')]).toEqual(['waiting', 'active']);

    await workers.spawn();
    await soon(async () => {
      expect([await begun('long'), await begun('stubborn')]).toEqual([2, 2]);
    });
    expect([await built('long'), await built('stubborn')]).toEqual([0, 0]);
    await workers.killAll();
    await workers.queues.of('workshop').obliterate({ force: true });
  });

  it('lets go of every connection, and has few of them', async () => {
    const connections = async () =>
      (
        await workers.rows<{ name: string; count: number }>(
          `SELECT application_name AS name, count(*)::integer AS count FROM pg_stat_activity
           WHERE datname = current_database() AND application_name LIKE 'belay-worker%' GROUP BY 1 ORDER BY 1`,
        )
      ).map(({ name, count }) => [name, count] as const);
    const worker = await workers.start();
    await Promise.all(Array.from({ length: 50 }, (_, index) => workers.announce(`bolt-${index}`)));
    await soon(async () => {
      expect(await workers.effects('admired')).toHaveLength(50);
      expect(await workers.counts()).toMatchObject({ waiting: 0, active: 0 });
    });

    const { 'belay-worker-jobs': forJobs = 0 } = Object.fromEntries(await connections());
    expect(forJobs).toBeLessThanOrEqual(4);
    await worker.close();
    // The server's side of a connection ends a moment after ours.
    await soon(async () => {
      expect(await connections()).toEqual([]);
    }, 2_000);
  });
});
