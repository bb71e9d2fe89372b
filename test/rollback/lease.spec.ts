import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import {
  FencedOff,
  inControl,
  markedStep,
  once,
  raiseFence,
  sessionName,
} from '../../libs/rollback/src/engine/fence.js';
import {
  acquireLease,
  keepLease,
  LeaseLost,
  readLease,
  releaseLease,
  renewLease,
  seizeLease,
  withLease,
} from '../../libs/rollback/src/engine/lease.js';
import type { World } from '../../libs/rollback/src/engine/world.js';
import { RunInProgress } from '../../libs/rollback/src/rollback.problems.js';
import { eventually } from '../support/eventually.js';
import { RunRoom } from './run-room.js';
import { shelfActions, shelfSql } from './shelf.js';

let room: RunRoom;
let world: World;
beforeAll(async () => {
  room = await RunRoom.open(shelfActions, { sql: shelfSql });
  world = await room.world();
});
afterAll(() => room.close());
afterEach(async () => {
  await room.clear();
  await room.rows(`UPDATE platform.fence SET epoch = 0`);
  await room.rows(`TRUNCATE platform.step_marker`);
});

const work = { purpose: 'run' };
const never = new AbortController().signal;

describe('a lease', () => {
  it('goes to exactly one of many who want it at once, and each time under a higher epoch', async () => {
    const pool = new pg.Pool({ connectionString: room.databases.controlUrl, max: 20 });
    const before = (await readLease(pool, 'live')).epoch;
    const got = await Promise.all(Array.from({ length: 100 }, () => acquireLease(pool, 'live', randomUUID(), work)));
    const [winner, ...others] = got.filter((lease) => lease !== undefined);
    expect(others).toEqual([]);
    expect(winner?.epoch).toBe(before + 1n);
    if (winner) await releaseLease(pool, winner);
    expect((await acquireLease(pool, 'live', randomUUID(), work))?.epoch).toBe(before + 2n);
    await pool.end();
  });

  it('is free again when its holder was not heard of for its time to live, and not before', async () => {
    const first = await acquireLease(world.control, 'live', randomUUID(), { ...work, ttlMs: 1_000 });
    await sleep(700);
    expect(await acquireLease(world.control, 'live', randomUUID(), work)).toBeUndefined();
    await sleep(400);
    const second = await acquireLease(world.control, 'live', randomUUID(), work);
    expect(second).toBeDefined();
    expect(first && (await renewLease(world.control, first))).toBe(false);
    if (first) await releaseLease(world.control, first);
    expect((await readLease(world.control, 'live')).holder).toBe(second?.holder);
  });

  it('is kept as long as its holder says so, and one that is seized is lost at once', async () => {
    const lease = await acquireLease(world.control, 'live', randomUUID(), { ...work, ttlMs: 400 });
    if (!lease) throw new Error('the lease was not free');
    let losses = 0;
    const keeping = keepLease(world.control, lease, () => (losses += 1), { ttlMs: 400, heartbeatMs: 100 });
    await sleep(1_000);
    expect(losses).toBe(0);
    const other = await seizeLease(world.control, 'live', randomUUID(), work);
    expect(other.epoch).toBe(lease.epoch + 1n);
    await eventually(() => {
      expect(losses).toBe(1);
    });
    keeping.stop();
  });

  it('of one scope has nothing to do with the other', async () => {
    expect(await acquireLease(world.control, 'live', randomUUID(), work)).toBeDefined();
    expect(await acquireLease(world.control, 'drill', randomUUID(), work)).toBeDefined();
  });

  it('is refused to a deployment while a run has not ended, at work or not', async () => {
    for (const state of ['running', 'verifying', 'failed', 'compensating', 'manual', 'paused']) {
      const runId = await room.request([]);
      await room.control(
        `UPDATE control.run SET state = $2, paused_for = CASE WHEN $2 = 'paused' THEN 'human' END,
                paused_from = CASE WHEN $2 = 'paused' THEN 'running' END WHERE id = $1`,
        [runId, state],
      );
      const deployment = withLease(world.control, 'live', randomUUID(), { purpose: 'deployment' }, () =>
        Promise.resolve(),
      );
      await expect(deployment).rejects.toThrow(RunInProgress);
      expect(await acquireLease(world.control, 'live', randomUUID(), { ...work, runId })).toBeDefined();
      await room.clear();
    }
    for (const state of ['queued', 'monitoring', 'closed', 'compensated', 'cancelled']) {
      const runId = await room.request([]);
      await room.control(`UPDATE control.run SET state = $2 WHERE id = $1`, [runId, state]);
      await withLease(world.control, 'live', randomUUID(), { purpose: 'deployment' }, () => Promise.resolve());
      await room.clear();
    }
  });

  it('that a piece of work has is given back at its end, also at a bad one, and refused by name meanwhile', async () => {
    const failing = withLease(world.control, 'live', randomUUID(), { purpose: 'deployment' }, async () => {
      const second = withLease(world.control, 'live', randomUUID(), work, () => Promise.resolve());
      await expect(second).rejects.toMatchObject({ slug: 'run-in-progress', members: { purpose: 'deployment' } });
      throw new Error('the deployment broke');
    });
    await expect(failing).rejects.toThrow('the deployment broke');
    expect((await readLease(world.control, 'live')).holder).toBeNull();
  });

  it('that is taken away aborts the work', async () => {
    const working = withLease(world.control, 'live', randomUUID(), work, async (_lease, signal) => {
      await seizeLease(world.control, 'live', randomUUID(), work);
      await sleep(20_000, undefined, { signal });
    });
    await expect(working).rejects.toMatchObject({ cause: expect.any(LeaseLost) });
  });
});

describe('a fence', () => {
  const pass = (epoch: bigint, stepKey = 'step') => ({ scope: 'live' as const, epoch, runId: randomUUID(), stepKey });
  const put =
    (name: string, ms = 0) =>
    async (client: pg.ClientBase) => {
      await client.query(`INSERT INTO shelf.box VALUES ($1)`, [name]);
      if (ms > 0) await client.query(`SELECT pg_sleep($1)`, [ms / 1_000]);
      return { name };
    };

  it('lets in whoever has its epoch or a later one, and nobody with an earlier one', async () => {
    await raiseFence(world, pass(5n));
    await expect(once(world, pass(4n, 'early'), never, put('early'))).rejects.toThrow(FencedOff);
    await once(world, pass(5n, 'now'), never, put('now'));
    await once(world, pass(6n, 'later'), never, put('later'));
    expect(await room.boxes()).toEqual(['later', 'now']);
    await expect(raiseFence(world, pass(4n))).rejects.toThrow(FencedOff);
  });

  it('has an effect once, however often and by however many it is asked for', async () => {
    const step = pass(1n);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, place) => once(world, step, never, put(`box ${place}`))),
    );
    expect(await room.boxes()).toHaveLength(1);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await once(world, { ...step, epoch: 9n }, never, put('again'))).toEqual(answers[0]);
    expect(await markedStep(world.application, 'step')).toEqual(answers[0]);
  });

  it('leaves neither effect nor mark of work that throws', async () => {
    const failing = once(world, pass(1n), never, async (client) => {
      await put('box')(client);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await room.boxes()).toEqual([]);
    expect(await markedStep(world.application, 'step')).toBeUndefined();
  });

  it('is raised only behind an effect under way that ends within a second, which then counts', async () => {
    const effect = once(world, pass(1n), never, put('box', 1_000));
    await sleep(300);
    const began = performance.now();
    await raiseFence(world, pass(2n));
    expect(performance.now() - began).toBeGreaterThan(400);
    await effect;
    expect(await room.boxes()).toEqual(['box']);
  });

  it('ends an effect that takes longer, by the name of its session, and leaves nothing of it', async () => {
    const late = pass(1n);
    const effect = once(world, late, never, put('box', 30_000)).catch((error: unknown) => error);
    await sleep(300);
    const began = performance.now();
    await raiseFence(world, pass(2n));
    const ms = performance.now() - began;
    expect(ms).toBeGreaterThan(900);
    expect(ms).toBeLessThan(3_000);
    expect(await effect).toBeInstanceOf(Error);
    expect(await room.boxes()).toEqual([]);
    expect(await room.rows(`SELECT FROM pg_stat_activity WHERE application_name = $1`, [sessionName(late)])).toEqual(
      [],
    );
  });

  it('ends only what runs do: a session of somebody else is waited for', async () => {
    const other = new pg.Client({ connectionString: room.databases.databaseUrl });
    await other.connect();
    await other.query('BEGIN');
    await other.query(`SELECT FROM platform.fence WHERE scope = 'live' FOR SHARE`);
    const raised = raiseFence(world, pass(2n));
    await sleep(1_600);
    await other.query('COMMIT');
    await raised;
    await other.end();
  });

  it('an abort ends the transaction on the server', async () => {
    const stop = new AbortController();
    const step = pass(1n);
    const effect = once(world, step, stop.signal, put('box', 30_000));
    await sleep(300);
    stop.abort(new Error('enough'));
    await expect(effect).rejects.toThrow('enough');
    await eventually(async () => {
      expect(await room.rows(`SELECT FROM pg_stat_activity WHERE application_name = $1`, [sessionName(step)])).toEqual(
        [],
      );
    });
    expect(await room.boxes()).toEqual([]);
  });

  it('waits two seconds for a lock, tries again, and has its effect when the lock is free', async () => {
    const other = new pg.Client({ connectionString: room.databases.databaseUrl });
    await other.connect();
    await other.query('BEGIN');
    await other.query('LOCK TABLE shelf.box');
    const effect = once(world, pass(1n), never, put('box'));
    await sleep(2_500);
    await other.query('COMMIT');
    await effect;
    await other.end();
    expect(await room.boxes()).toEqual(['box']);
  }, 20_000);

  it('stands in the control database too: a run that was taken over changes nothing there', async () => {
    const runId = await room.request([]);
    await room.control(`UPDATE control.run SET epoch = 3 WHERE id = $1`, [runId]);
    const note = (client: pg.ClientBase) => client.query(`UPDATE control.plan SET reason = 'noted'`);
    await expect(inControl(world, { ...pass(2n), runId }, never, note)).rejects.toThrow(FencedOff);
    await expect(inControl(world, { ...pass(4n), runId }, never, note)).rejects.toThrow(FencedOff);
    await inControl(world, { ...pass(3n), runId }, never, note);
  });
});

describe('a pooled connection', () => {
  it('that is ended while somebody holds it, between two queries, does not end the process', async () => {
    const client = await world.control.connect();
    const { rows } = await client.query<{ pid: number }>(`SELECT pg_backend_pid() AS pid`);
    await room.control(`SELECT pg_terminate_backend($1)`, [rows[0]?.pid]);
    await sleep(200);
    await expect(client.query('SELECT 1')).rejects.toThrow();
    client.release(true);
    expect((await world.control.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });
});
