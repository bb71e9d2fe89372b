import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { onEveryBackend } from './backends.js';
import { TestWorkers } from './test-workers.js';

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
