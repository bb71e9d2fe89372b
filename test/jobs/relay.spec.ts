import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { postgres } from './backends.js';
import { soon, TestWorkers } from './test-workers.js';

describe('the outbox relay', () => {
  let workers: TestWorkers;
  beforeAll(async () => {
    workers = await TestWorkers.on(postgres);
    workers.flags.on('enable_workshop');
    await workers.start();
    await workers.announce('before');
    await soon(async () => {
      expect(await workers.effects('received', 'before')).toHaveLength(1);
    });
  });
  afterAll(() => workers.close());

  it('keeps a fact that cannot be queued, says why, and publishes it once it can', async () => {
    await workers.rows(`ALTER TABLE bullmq.job RENAME TO job_elsewhere`);
    await workers.announce('during');
    await soon(async () => {
      const [row] = await workers.rows<{ attempts: number; last_error: string }>(
        `SELECT attempts, last_error FROM platform.outbox WHERE published_at IS NULL`,
      );
      expect(row?.attempts).toBeGreaterThanOrEqual(1);
      expect(row?.last_error).toMatch(/gallery: .*relation "job" does not exist/);
      expect(row?.last_error).toMatch(/workshop: .*relation "job" does not exist/);
    });

    await workers.rows(`ALTER TABLE bullmq.job_elsewhere RENAME TO job`);
    await soon(async () => {
      expect(await workers.rows(`SELECT FROM platform.outbox WHERE published_at IS NULL`)).toEqual([]);
      expect(await workers.effects('received', 'during')).toHaveLength(1);
    });
  });

  it('needs no doorbell: a fact that was written by other means leaves within the second', async () => {
    await workers.rows(
      `INSERT INTO platform.outbox (name, body, domain) VALUES ('foundry.part-cast', '{"part": "by hand"}', 'foundry')`,
    );
    const took = await soon(async () => {
      expect(await workers.effects('received', 'by hand')).toHaveLength(1);
    });
    expect(took).toBeLessThan(1_500);
  });

  it('takes many at a time', async () => {
    await workers.rows(
      `INSERT INTO platform.outbox (name, body, domain)
       SELECT 'foundry.part-cast', jsonb_build_object('part', 'part-' || n), 'foundry' FROM generate_series(1, 3000) AS n`,
    );
    const took = await soon(async () => {
      expect(await workers.rows(`SELECT FROM platform.outbox WHERE published_at IS NULL LIMIT 1`)).toEqual([]);
    });
    // Twice as many jobs as facts, because two domains listen.
    process.stdout.write(`3000 facts to two domains each in ${Math.round(took)} ms\n`);
    expect(await workers.counts('gallery')).toMatchObject({ waiting: 3_003 });
  });
});
