import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DeadLetterNotFound } from '@belay/platform';
import type { RunningWorker } from '../../apps/worker/src/worker.js';
import { onEveryBackend } from './backends.js';
import { soon, TestWorkers } from './test-workers.js';
import { buildPart } from './workshop.js';

onEveryBackend('a job', (backend) => {
  let workers: TestWorkers;
  let worker: RunningWorker;
  beforeAll(async () => {
    workers = await TestWorkers.on(backend);
    workers.flags.on('enable_workshop');
    worker = await workers.start();
  });
  afterAll(() => workers.close());

  const ask = (part: string, how: object = {}) =>
    workers.jobs.addNow(workers.caller(), buildPart, { part, ...how }, { id: `build-${part}` });
  const begun = async (part: string) => (await workers.effects('begun', part)).length;
  const built = async (part: string) => (await workers.effects('built', part)).length;

  it('is done once, however often the same one is asked for', async () => {
    await Promise.all(Array.from({ length: 20 }, () => ask('axle')));
    await soon(async () => {
      expect(await built('axle')).toBe(1);
    });
    await ask('axle');

    await soon(async () => {
      expect(await workers.counts()).toMatchObject({ waiting: 0, active: 0 });
    });
    expect(await built('axle')).toBe(1);
  });

  it('is not done before its time', async () => {
    const asked = Date.now();
    await workers.jobs.addNow(workers.caller(), buildPart, { part: 'later' }, { delayMs: 700 });

    await soon(async () => {
      expect(await built('later')).toBe(1);
    });
    expect(Date.now() - asked).toBeGreaterThanOrEqual(700);
  });

  it('that a use case asks for is done when its transaction commits, and never when it is rolled back', async () => {
    const refused = workers.database.transaction(workers.caller(), async (tx) => {
      await workers.jobs.add(tx, buildPart, { part: 'refused' });
      throw new Error('the use case thinks better of it');
    });
    await expect(refused).rejects.toThrow('thinks better');
    await workers.database.transaction(workers.caller(), (tx) => workers.jobs.add(tx, buildPart, { part: 'wanted' }));

    await soon(async () => {
      expect(await built('wanted')).toBe(1);
    });
    expect(await begun('refused')).toBe(0);
  });

  it('works under the request that asked for it, down to the audit log', async () => {
    await workers.database.transaction(workers.caller('request-4711'), (tx) =>
      workers.jobs.add(tx, buildPart, { part: 'traced' }),
    );

    await soon(async () => {
      const rows = await workers.rows(
        `SELECT request_id FROM platform.audit_log WHERE schema_name = 'workshop' AND new ->> 'what' = 'built'
           AND new ->> 'part' = 'traced'`,
      );
      expect(rows).toEqual([{ request_id: 'request-4711' }]);
    });
  });

  it('is tried again after an error, with growing pauses', async () => {
    await ask('brittle', { ends: 'well the third time' });

    await soon(async () => {
      expect(await built('brittle')).toBe(1);
    });
    const [first = 0, second = 0, third = 0] = (
      await workers.rows<{ at: Date }>(
        `SELECT at FROM workshop.effect WHERE what = 'begun' AND part = 'brittle' ORDER BY id`,
      )
    ).map(({ at }) => at.getTime());
    // Half of 100 ms, then of 200 ms, is random.
    expect(second - first).toBeGreaterThanOrEqual(50);
    expect(third - second).toBeGreaterThanOrEqual(100);
  });

  it('that fails every time becomes a dead letter after its last attempt', async () => {
    await ask('cursed', { ends: 'in an error' });

    await soon(async () => {
      expect(await workers.deadLetters.list('workshop')).toMatchObject([
        { id: 'build-cursed', name: 'build-part', attempts: 3, reason: 'a tool broke', payload: { part: 'cursed' } },
      ]);
    });
    expect(await begun('cursed')).toBe(3);
    await workers.deadLetters.discard('workshop', 'build-cursed');
  });

  it('that meets a problem is not tried again', async () => {
    await ask('square-wheel', { ends: 'in a problem' });

    await soon(async () => {
      expect(await workers.deadLetters.list('workshop')).toMatchObject([
        { id: 'build-square-wheel', attempts: 1, reason: 'part-impossible: square-wheel cannot be built.' },
      ]);
    });
    expect(await begun('square-wheel')).toBe(1);
    await workers.deadLetters.discard('workshop', 'build-square-wheel');
  });

  it('with a payload that nobody can read becomes a dead letter at once', async () => {
    const data = { version: 1, requestId: 'request-1', payload: { part: 5 } };
    await workers.queues.add('workshop', { id: 'unreadable', name: 'build-part', data, attempts: 3, backoffMs: 10 });

    await soon(async () => {
      const [letter] = await workers.deadLetters.list('workshop');
      expect(letter).toMatchObject({ id: 'unreadable', attempts: 1 });
      expect(letter?.reason).toContain('payload-unreadable');
    });
    await workers.deadLetters.discard('workshop', 'unreadable');
  });

  it.each([
    ['of a newer version', { name: 'build-part', version: 2 }],
    ['that only a newer release knows', { name: 'teleport-part', version: 1 }],
  ])('%s waits for a worker that can do it', async (_title, { name, version }) => {
    const data = { version, requestId: 'request-1', payload: { part: 'future' } };
    await workers.queues.add('workshop', { id: `future-${name}`, name, data, attempts: 1, backoffMs: 10 });

    await soon(async () => {
      expect(await workers.counts()).toMatchObject({ waiting: 0, active: 0, delayed: 1, failed: 0 });
    });
    const job = await workers.queues.of('workshop').getJob(`future-${name}`);
    expect(job?.attemptsMade).toBe(0);
    await job?.remove();
  });

  it('that failed for good can be retried, one or all, with all its attempts', async () => {
    await Promise.all(['one', 'two', 'three'].map((part) => ask(part, { ends: 'in a problem' })));
    await soon(async () => {
      expect(await workers.counts()).toMatchObject({ failed: 3, active: 0 });
    });

    await workers.deadLetters.retry('workshop', 'build-one');
    await soon(async () => {
      expect([await begun('one'), await begun('two'), await begun('three')]).toEqual([2, 1, 1]);
      expect(await workers.counts()).toMatchObject({ failed: 3, active: 0 });
    });
    expect(await workers.deadLetters.list('workshop', { limit: 1 })).toMatchObject([{ id: 'build-one', attempts: 1 }]);

    await workers.deadLetters.retryAll('workshop');
    await soon(async () => {
      expect([await begun('one'), await begun('two'), await begun('three')]).toEqual([3, 2, 2]);
      expect(await workers.counts()).toMatchObject({ failed: 3, active: 0 });
    });
  });

  it('that was discarded is gone, and what is no dead letter can be neither retried nor discarded', async () => {
    await workers.deadLetters.discard('workshop', 'build-one');
    await workers.deadLetters.discard('workshop', 'build-two');
    await workers.deadLetters.discard('workshop', 'build-three');

    expect(await workers.deadLetters.list('workshop')).toEqual([]);
    await expect(workers.deadLetters.retry('workshop', 'build-one')).rejects.toThrow(DeadLetterNotFound);
    await expect(workers.deadLetters.discard('workshop', 'build-axle')).rejects.toThrow(DeadLetterNotFound);
  });

  it('waits while its domain is paused, and is counted', async () => {
    await workers.queues.pause('workshop');
    await ask('patient');
    expect(await workers.counts()).toMatchObject({ waiting: 1, active: 0, paused: true });
    expect(await begun('patient')).toBe(0);

    await workers.queues.resume('workshop');
    await soon(async () => {
      expect(await built('patient')).toBe(1);
    });
    expect(await workers.counts()).toMatchObject({ waiting: 0, paused: false });
  });

  it('that runs is waited for when its domain is drained, and is named when it takes too long', async () => {
    await ask('slow', { ms: 1_000 });
    await soon(async () => {
      expect(await begun('slow')).toBe(1);
    });

    expect(await workers.queues.drain('workshop', 100)).toMatchObject([{ id: 'build-slow', name: 'build-part' }]);
    await ask('next');
    expect(await workers.queues.drain('workshop', 5_000)).toEqual([]);
    expect([await built('slow'), await begun('next')]).toEqual([1, 0]);

    await workers.queues.resume('workshop');
    await soon(async () => {
      expect(await built('next')).toBe(1);
    });
  });

  it('is counted by outcome, and so is what waits', async () => {
    const figures = await worker.runtime.metrics.metrics();
    for (const outcome of ['done', 'failed', 'dead', 'held']) {
      const counted = `^belay_jobs_total\\{domain="workshop",name="[a-z-]+",outcome="${outcome}"\\} [1-9]`;
      expect(figures).toMatch(new RegExp(counted, 'm'));
    }
    expect(figures).toMatch(/^belay_job_seconds_count\{domain="workshop",name="build-part"\} [1-9]/m);
    expect(figures).toMatch(/^belay_queue_jobs\{domain="workshop",state="completed"\} [1-9]/m);
    expect(figures).toMatch(/^belay_queue_jobs\{domain="platform",state="failed"\} 0/m);
    expect(figures).toMatch(/^belay_outbox_waiting 0/m);
    expect(figures).toMatch(/^belay_outbox_lag_seconds 0/m);
  });
});
