import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { slotId } from '@belay/platform';
import { onEveryBackend, postgres } from './backends.js';
import { soon, TestWorkers } from './test-workers.js';

onEveryBackend('a schedule', (backend) => {
  let workers: TestWorkers;
  beforeAll(async () => {
    workers = await TestWorkers.on(backend);
    workers.flags.on('enable_tower');
  });
  afterAll(() => workers.close());

  it('has each of its slots done once, by whichever of two workers', async () => {
    const pids = (await Promise.all([workers.spawn(), workers.spawn()])).map(({ pid }) => pid);
    const from = Math.ceil(Date.now() / 1_000) * 1_000 + 1_000;
    await sleep(from + 12_000 - Date.now());

    const slots = Array.from({ length: 10 }, (_, second) => new Date(from + second * 1_000).toISOString());
    const ran = await workers.rows<{ what: string; part: string; times: number; pids: number[] }>(
      `SELECT what, part, count(*)::integer AS times, array_agg(pid) AS pids FROM workshop.effect
       WHERE part = ANY($1) GROUP BY what, part ORDER BY what, part`,
      [slots],
    );
    expect(ran).toHaveLength(60);
    expect(ran.filter(({ times }) => times !== 1)).toEqual([]);
    expect(new Set(ran.flatMap((one) => one.pids))).toEqual(new Set(pids));
    const elsewhere = await workers.rows(`SELECT part FROM workshop.effect WHERE part !~ ':\\d\\d\\.000Z$'`);
    expect(elsewhere).toEqual([]);
  });
});

describe('the slots of a schedule', () => {
  let workers: TestWorkers;
  beforeAll(async () => {
    workers = await TestWorkers.on(postgres);
    workers.flags.on('enable_tower');
    await workers.start();
    await soon(async () => {
      expect(await slots()).not.toEqual([]);
    });
  });
  afterAll(() => workers.close());

  const slots = async () =>
    (await workers.rows<{ part: string }>(`SELECT part FROM workshop.effect WHERE what = 'tick-1' ORDER BY part`)).map(
      ({ part }) => Date.parse(part),
    );
  /** Every second of the time, once. */
  const expectEverySecond = async (from: number, until: number) => {
    const length = Math.floor(until / 1_000) - Math.floor(from / 1_000);
    const expected = Array.from({ length }, (_, second) => (Math.floor(from / 1_000) + second + 1) * 1_000);
    await soon(async () => {
      expect((await slots()).filter((slot) => slot > from && slot <= until)).toEqual(expected);
    });
  };

  it('are named alike everywhere', () => {
    expect(slotId('tick-1', new Date('2026-01-31T06:00:00.000Z'))).toBe('tick-1-2026-01-31T060000Z');
  });

  it('come due although the process was too busy to notice', async () => {
    const from = Date.now();
    const busyUntil = from + 3_500;
    while (Date.now() < busyUntil);

    await expectEverySecond(from, busyUntil);
  });

  it('are made up for after the queue was out of order', async () => {
    await workers.rows(`ALTER TABLE bullmq.job RENAME TO job_elsewhere`);
    const from = Date.now();
    await sleep(2_500);
    const until = Date.now();
    await workers.rows(`ALTER TABLE bullmq.job_elsewhere RENAME TO job`);

    await expectEverySecond(from, until);
  });
});
