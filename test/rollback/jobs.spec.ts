import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { startWorker, type RunningWorker } from '../../apps/worker/src/worker.js';
import { jobsStart } from '../../libs/rollback/src/actions/jobs.start.action.js';
import { jobsStop } from '../../libs/rollback/src/actions/jobs.stop.action.js';
import { findFreePort } from '../../apps/cli/src/local/port.js';
import { onEveryBackend } from '../jobs/backends.js';
import { workshop, workshopSql } from '../jobs/workshop.js';
import { eventually } from '../support/eventually.js';
import { ActionRoom } from './action-room.js';

const domain = 'workshop';
const input = { domain };

onEveryBackend('stopping and starting the jobs of a domain', (backend) => {
  let room: ActionRoom;
  let worker: RunningWorker;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    const queues = await backend.start();
    stop = queues.stop;
    const env = { ...queues.env, JOB_LOCK_MS: '30000', WORKER_CONTEXTS: 'jobs' };
    room = await ActionRoom.open({ domains: [workshop], on: ['enable_workshop'], env, sql: workshopSql });
    worker = await startWorker({ config: room.config, domains: [workshop] });
  });
  afterEach(async () => {
    await room.world.queues.resume(domain);
    await eventually(async () => {
      const { waiting, active, delayed } = await room.world.queues.counts(domain);
      expect({ waiting, active, delayed }).toEqual({ waiting: 0, active: 0, delayed: 0 });
    }, 30_000);
  }, 40_000);
  afterAll(async () => {
    await worker.close();
    await room.close();
    await stop();
  });

  const build = (part: string, how: { ms?: number; stubborn?: boolean } = {}) => {
    const data = { version: 1, requestId: randomUUID(), payload: { part, ...how } };
    return room.world.queues.add(domain, {
      id: `build-${part}`,
      name: 'build-part',
      data,
      attempts: 3,
      backoffMs: 100,
    });
  };
  const effects = (what: string, part: string) =>
    room.rows(`SELECT FROM workshop.effect WHERE what = $1 AND part = $2`, [what, part]);
  const begun = (part: string) =>
    eventually(async () => {
      expect(await effects('begun', part)).toHaveLength(1);
    }, 10_000);

  it('lets what runs end, begins nothing, and keeps what waits', async () => {
    await build('a', { ms: 700 });
    await begun('a');
    const step = await room.step(jobsStop, input);
    expect(await step.inspect()).toMatchObject({ queue: 'open', active: [{ id: 'build-a', name: 'build-part' }] });
    expect(await step.verify()).toMatchObject({ outcome: 'fail' });
    expect(await step.execute()).toEqual({ domain, queue: 'paused', stuck: [], aborted: false });
    expect(await effects('built', 'a')).toHaveLength(1);
    await build('b');
    expect(await step.verify()).toMatchObject({ outcome: 'pass', facts: { looks: [{ waiting: 1 }, { waiting: 1 }] } });
    expect(await effects('begun', 'b')).toHaveLength(0);

    const start = await room.step(jobsStart, input);
    await start.inspect();
    await start.execute();
    expect(await start.verify()).toMatchObject({ outcome: 'pass' });
    await eventually(async () => {
      expect(await effects('built', 'b')).toHaveLength(1);
    }, 10_000);
  }, 30_000);

  it('is the same however often it is asked for, and wherever the executor dies', async () => {
    const step = await room.step(jobsStop, input);
    await step.inspect();
    await step.compensate();
    expect(await step.reconcile()).toEqual({ effect: 'not-done' });
    await step.execute();
    await step.execute();
    step.forget();
    expect(await step.reconcile()).toMatchObject({ effect: 'done', result: { queue: 'paused' } });

    const start = await room.step(jobsStart, input);
    await start.inspect();
    expect(await start.reconcile()).toEqual({ effect: 'not-done' });
    await start.execute();
    await start.execute();
    expect(await start.reconcile()).toMatchObject({ effect: 'done' });
    for (let n = 0; n < 2; n += 1) await start.compensate();
    expect((await room.world.queues.counts(domain)).paused).toBe(true);
    for (let n = 0; n < 2; n += 1) await step.compensate();
    expect((await room.world.queues.counts(domain)).paused).toBe(false);
  }, 30_000);

  it('takes back what an attempt has told the workers before it was cut off', async () => {
    const told = () =>
      room.control<{ off: boolean }>(`SELECT off FROM control.flag_override WHERE flag LIKE 'abort_jobs:%'`);
    const step = await room.step(jobsStop, input);
    await step.inspect();
    await room.world.queues.pause(domain);
    await room.control(`SELECT control.override_flag('live', 'abort_jobs:workshop', true, 'cut off', 'maria')`);
    expect(await step.reconcile()).toEqual({ effect: 'not-done' });
    await step.execute();
    expect(await step.reconcile()).toMatchObject({ effect: 'done' });
    expect(await told()).toEqual([{ off: false }]);
  });

  it('tells jobs that take too long to stop, and they are put back', async () => {
    await build('c', { ms: 20_000 });
    await begun('c');
    const step = await room.step(jobsStop, { domain, drainS: 0.3 });
    await step.inspect();
    const began = performance.now();
    expect(await step.execute()).toEqual({ domain, queue: 'paused', stuck: [], aborted: true });
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(await step.verify()).toMatchObject({ outcome: 'pass', facts: { looks: [{ waiting: 1 }, { waiting: 1 }] } });
    expect(await room.control(`SELECT off FROM control.flag_override WHERE flag = 'abort_jobs:workshop'`)).toEqual([
      { off: false },
    ]);
    await room.rows(`DELETE FROM workshop.effect WHERE part = 'c'`);
    await room.world.queues.of(domain).remove('build-c');
  }, 30_000);

  it('names the jobs that do not heed it, and is not verified as long as they run', async () => {
    await build('d', { ms: 11_500, stubborn: true });
    await begun('d');
    const step = await room.step(jobsStop, { domain, drainS: 0.3 });
    await step.inspect();
    expect(await step.execute()).toMatchObject({ aborted: true, stuck: [{ id: 'build-d', name: 'build-part' }] });
    expect(await step.verify()).toMatchObject({
      outcome: 'fail',
      facts: { looks: [{ running: [{ id: 'build-d' }] }, { running: [{ id: 'build-d' }] }] },
    });
    step.forget();
    expect(await step.reconcile()).toEqual({ effect: 'not-done' });
    await eventually(async () => {
      expect(await step.verify()).toMatchObject({ outcome: 'pass' });
    }, 15_000);
    // What is done was done too late, and is put back.
    await room.world.queues.of(domain).remove('build-d');
  }, 40_000);
});

describe('jobs nobody can be asked about', () => {
  it('stay unknown while Redis is away', async () => {
    const port = await findFreePort();
    const env = { REDIS_URL: `redis://127.0.0.1:${port}` };
    const room = await ActionRoom.open({ domains: [workshop], env });
    const step = await room.step(jobsStop, input);
    await expect(step.inspect()).rejects.toMatchObject({ slug: 'queue-unavailable' });
    await expect(step.execute()).rejects.toMatchObject({ slug: 'queue-unavailable' });
    await expect(step.reconcile()).rejects.toMatchObject({ slug: 'queue-unavailable' });
    expect(await step.verify()).toMatchObject({ outcome: 'inconclusive' });
    await room.close();
  }, 60_000);

  it('are none in a domain that has no jobs', async () => {
    const room = await ActionRoom.open({ domains: [bare()] });
    const step = await room.step(jobsStop, input);
    expect(await step.inspect()).toEqual({ domain, queue: 'none' });
    await step.execute();
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
    await expect((await room.step(jobsStop, { domain: 'nowhere' })).inspect()).rejects.toMatchObject({
      slug: 'domain-unknown',
    });
    await room.close();
  });
});

function bare() {
  const { name, title, flag, after, features, module } = workshop;
  return { name, title, flag, after, features, module };
}
