import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { onEveryBackend, postgres } from './backends.js';
import { soon, TestWorkers } from './test-workers.js';

onEveryBackend('a fact', (backend) => {
  let workers: TestWorkers;
  beforeAll(async () => {
    workers = await TestWorkers.on(backend);
    workers.flags.on('enable_workshop');
    workers.flags.on('enable_gallery');
  });
  afterAll(() => workers.close());

  const waiting = () => workers.rows(`SELECT FROM platform.outbox WHERE published_at IS NULL`);
  const received = async (part: string) => (await workers.effects('received', part)).length;
  const admired = async (part: string) => (await workers.effects('admired', part)).length;

  it('reaches every domain that listens once, also those that are off, with two relays at work', async () => {
    workers.flags.off('enable_gallery');
    await Promise.all([workers.spawn(), workers.spawn()]);
    const parts = Array.from({ length: 300 }, (_, index) => `nail-${index}`);
    await Promise.all(parts.map((part) => workers.announce(part)));

    await soon(async () => {
      expect(await waiting()).toEqual([]);
      expect(await workers.counts('gallery')).toMatchObject({ waiting: 300, active: 0 });
      expect(await workers.effects('received')).toHaveLength(300);
    });
    expect(new Set((await workers.effects('received')).map(({ part }) => part))).toEqual(new Set(parts));
    expect(await workers.effects('delivered')).toHaveLength(300);
    expect(await workers.effects('admired')).toEqual([]);

    workers.flags.on('enable_gallery');
    await soon(async () => {
      expect(await workers.effects('admired')).toHaveLength(300);
    });
    expect(new Set((await workers.effects('admired')).map(({ part }) => part))).toEqual(new Set(parts));
  });

  it('leaves within a moment of its commit', async () => {
    const delays: number[] = [];
    for (const index of Array.from({ length: 10 }).keys()) {
      await workers.announce(`quick-${index}`);
      delays.push(
        await soon(async () => {
          expect(await received(`quick-${index}`)).toBe(1);
        }),
      );
    }
    // The poll alone would take half a second on average.
    expect(delays.toSorted((one, other) => one - other)[5]).toBeLessThan(250);
  });

  it('whose transaction is rolled back is never announced', async () => {
    const refused = workers.database.transaction(workers.caller(), async (tx) => {
      await workers.outbox.add(tx, { name: 'foundry.part-cast', body: { part: 'ghost' } }, 'foundry');
      throw new Error('no');
    });
    await expect(refused).rejects.toThrow('no');
    await workers.announce('after the ghost');

    await soon(async () => {
      expect(await received('after the ghost')).toBe(1);
    });
    expect(await received('ghost')).toBe(0);
  });

  it('nobody listens to is published all the same', async () => {
    await workers.database.transaction(workers.caller(), (tx) =>
      workers.outbox.add(tx, { name: 'foundry.fire-lit', body: {} }, 'foundry'),
    );
    await soon(async () => {
      expect(await waiting()).toEqual([]);
    });
  });

  it('is told under the request that made it true, from the outbox to the audit log', async () => {
    await workers.announce('traced', {}, 'request-0815');

    await soon(async () => {
      const rows = await workers.rows(
        `SELECT request_id FROM platform.audit_log
         WHERE schema_name = 'workshop' AND new ->> 'what' = 'received' AND new ->> 'part' = 'traced'`,
      );
      expect(rows).toEqual([{ request_id: 'request-0815' }]);
    });
  });

  it('that was queued by a relay which died before saying so is queued again, and takes effect once', async () => {
    // The relay hangs between queueing and marking.
    await workers.rows(`
      CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$;
      CREATE TRIGGER hang BEFORE UPDATE OF published_at ON platform.outbox FOR EACH ROW EXECUTE FUNCTION hang()`);
    await workers.announce('twice');
    await soon(async () => {
      expect(await admired('twice')).toBe(1);
    });
    await workers.killAll();
    await workers.rows(`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'UPDATE platform.outbox%';
      DROP FUNCTION hang CASCADE`);
    expect(await waiting()).toHaveLength(1);
    // As if the queue had forgotten the job meanwhile, so that only the inbox knows.
    const [row] = await workers.rows<{ id: string }>(`SELECT id FROM platform.outbox WHERE body ->> 'part' = 'twice'`);
    for (const domain of ['workshop', 'gallery']) await workers.queues.of(domain).remove(`event-${row?.id}`);

    await workers.spawn();
    await soon(async () => {
      expect(await waiting()).toEqual([]);
      expect([await admired('twice'), (await workers.effects('delivered', 'twice')).length]).toEqual([2, 2]);
      expect(await workers.counts()).toMatchObject({ waiting: 0, active: 0, failed: 0 });
    });
    expect(await received('twice')).toBe(1);
  });
});

describe('the inbox', () => {
  let workers: TestWorkers;
  beforeAll(async () => {
    workers = await TestWorkers.on(postgres);
  });
  afterAll(() => workers.close());

  it('lets one of fifty deliveries at the same time through, and all others once that one has committed', async () => {
    let inside = 0;
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () =>
        workers.database.transaction(workers.caller(), async (tx) => {
          if (!(await workers.inbox.once(tx, 'test.consumer', '42', 'workshop'))) return false;
          inside += 1;
          return true;
        }),
      ),
    );
    expect([inside, outcomes.filter(Boolean)]).toEqual([1, [true]]);
  });

  it('lets a delivery through whose forerunner was rolled back, and each consumer on its own', async () => {
    const once = (consumer: string, fails = false) =>
      workers.database.transaction(workers.caller(), async (tx) => {
        const first = await workers.inbox.once(tx, consumer, '43', 'workshop');
        if (fails) throw new Error('rolled back');
        return first;
      });
    await expect(once('test.one', true)).rejects.toThrow('rolled back');

    expect([await once('test.one'), await once('test.one'), await once('test.two')]).toEqual([true, false, true]);
  });
});
