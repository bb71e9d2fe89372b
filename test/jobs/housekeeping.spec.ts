import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { postgres } from './backends.js';
import { soon, TestWorkers } from './test-workers.js';

describe('the platform clears away', () => {
  let workers: TestWorkers;
  beforeAll(async () => {
    workers = await TestWorkers.on(postgres);
    // With every module off.
    await workers.start();
  });
  afterAll(() => workers.close());

  const run = async (name: string) => {
    const payload = { slot: new Date().toISOString() };
    const id = `${name}-${randomUUID()}`;
    const data = { version: 1, requestId: id, payload };
    await workers.queues.add('platform', { id, name, data, attempts: 1, backoffMs: 1 });
    await soon(async () => {
      expect(await (await workers.queues.of('platform').getJob(id))?.getState()).toBe('completed');
    });
  };

  it('idempotency keys that have run out, and no other', async () => {
    await workers.rows(
      `INSERT INTO platform.idempotency_key (account_id, key, route, domain, request_hash, at)
       SELECT $1, 'key-' || hours, 'POST /x', 'workshop', 'hash', clock_timestamp() - hours * interval '1 hour'
       FROM unnest(ARRAY[0, 23, 25, 100]) AS hours`,
      [randomUUID()],
    );
    await workers.rows(`UPDATE platform.idempotency_key SET expires_at = at + interval '24 hours'`);
    await run('forget-idempotency-keys');

    expect(await workers.rows(`SELECT key FROM platform.idempotency_key ORDER BY at`)).toEqual([
      { key: 'key-23' },
      { key: 'key-0' },
    ]);
  });

  it('facts published more than seven days ago, and none that still wait', async () => {
    await workers.rows(
      `INSERT INTO platform.outbox (name, body, domain, occurred_at, published_at, attempts, attempt_at)
       SELECT 'foundry.fire-lit', '{}', 'foundry', clock_timestamp() - days * interval '1 day',
              CASE WHEN waits THEN NULL ELSE clock_timestamp() - days * interval '1 day' END, 99, clock_timestamp()
       FROM (VALUES (6.9, false), (7.1, false), (30, false), (30, true)) AS facts (days, waits)`,
    );
    await run('forget-published-events');

    const left = await workers.rows<{ days: number; waits: boolean }>(
      `SELECT round(extract(epoch FROM clock_timestamp() - occurred_at) / 86400, 1)::float8 AS days,
              published_at IS NULL AS waits
       FROM platform.outbox ORDER BY 1`,
    );
    expect(left).toEqual([
      { days: 6.9, waits: false },
      { days: 30, waits: true },
    ]);
  });

  it('marks of facts acted on more than thirty days ago, of every module', async () => {
    await workers.rows(
      `INSERT INTO platform.inbox (consumer, event_id, domain, at)
       SELECT domain || '.consumer', days * 10, domain, clock_timestamp() - days * interval '1 day'
       FROM unnest(ARRAY[29.9, 30.1, 400]) AS days CROSS JOIN unnest(ARRAY['workshop', 'gallery']) AS domain`,
    );
    await run('forget-inbox-marks');

    expect(await workers.rows(`SELECT consumer, event_id FROM platform.inbox ORDER BY 1`)).toEqual([
      { consumer: 'gallery.consumer', event_id: '299' },
      { consumer: 'workshop.consumer', event_id: '299' },
    ]);
  });
});
