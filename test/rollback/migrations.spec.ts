import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrateDown, migrateUp } from '@belay/platform';
import pg from 'pg';
import { migrationDown } from '../../libs/rollback/src/actions/migration.down.action.js';
import { migrationUp } from '../../libs/rollback/src/actions/migration.up.action.js';
import { sessionName } from '../../libs/rollback/src/engine/fence.js';
import { eventually } from '../support/eventually.js';
import { ActionRoom } from './action-room.js';
import { addPriority, createDepot, depot, depotContents, depotLedgers } from './depot.js';

const input = { domain: 'depot', to: null, only: null };

describe('a schema that goes down and up as a step', () => {
  let room: ActionRoom;
  beforeAll(async () => {
    room = await ActionRoom.open({ domains: [depot], ledgers: depotLedgers });
    await createDepot(room.world.targets);
    await room.rows(
      `INSERT INTO depot.item (id, name, qty) SELECT n, 'item ' || n, n FROM generate_series(1, 100) AS n`,
    );
    await room.rows(`INSERT INTO depot.batch (item_id, state) SELECT n, 'done' FROM generate_series(1, 10) AS n`);
  });
  beforeEach(async () => {
    await room.rows(`UPDATE platform.fence SET epoch = 0`);
  });
  afterEach(async () => {
    await migrateUp(room.world.targets, depotLedgers, 'depot');
    await room.rows(`DELETE FROM depot.batch WHERE state = 'open'`);
  });
  afterAll(() => room.close());

  const content = async () => (await room.rows(depotContents))[0];
  const exists = async (schema: string) =>
    (await room.rows(`SELECT FROM pg_namespace WHERE nspname = $1`, [schema])).length === 1;
  const fingerprint = async () =>
    (await room.control<{ sha256: string }>(`SELECT sha256 FROM control.schema_fingerprint WHERE domain = 'depot'`))[0]
      ?.sha256;
  /** A transaction of somebody else. */
  const other = async (...statements: string[]) => {
    const client = new pg.Client({ connectionString: room.databases.databaseUrl });
    client.on('error', () => undefined);
    await client.connect();
    await client.query('BEGIN');
    for (const sql of statements) await client.query(sql);
    return client;
  };
  const waiting = (runId: string) =>
    eventually(async () => {
      const { length } = await room.rows(
        `SELECT FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'`,
        [sessionName({ runId, epoch: 1n })],
      );
      expect(length).toBe(1);
    }, 5_000);

  it('says the SQL beforehand, and how many rows there are', async () => {
    const step = await room.step(migrationDown, input);
    const { changes, notes, lock, reversible } = await migrationDown.preview(step.context, input);
    expect(changes).toContain('ALTER SCHEMA "depot" RENAME TO "depot__parked"');
    expect(changes).toContain('DROP INDEX CONCURRENTLY IF EXISTS depot.item_by_name');
    expect(notes).toContain('depot.item has 100 rows (park)');
    expect({ lock, reversible }).toEqual({ lock: 'access-exclusive', reversible: true });
    expect(await exists('depot')).toBe(true);
  });

  it('comes back with every row, and both databases know it at every point', async () => {
    const before = await content();
    const recorded = await fingerprint();
    const down = await room.step(migrationDown, input);
    await down.inspect();
    const result = await down.execute();
    expect(result).toMatchObject({ moved: { length: 4 }, filledRows: 0 });
    expect(await down.verify()).toMatchObject({ outcome: 'pass', facts: { left: [], misplaced: [] } });
    expect(await exists('depot')).toBe(false);
    expect(
      await room.rows(`SELECT run_id, epoch FROM platform.step_marker WHERE step_key = $1`, [down.context.stepKey]),
    ).toEqual([{ run_id: down.context.runId, epoch: '1' }]);
    expect(
      await room.control(
        `SELECT kind, object, rows, run_id FROM control.parked_object WHERE domain = 'depot' AND kind = 'schema' AND taken_back_at IS NULL`,
      ),
    ).toEqual([{ kind: 'schema', object: 'depot', rows: '110', run_id: down.context.runId }]);

    const up = await room.step(migrationUp, { ...input, only: result['moved'] ?? null });
    await up.inspect();
    expect(await up.verify()).toMatchObject({ outcome: 'fail' });
    expect(await up.execute()).toMatchObject({ filledRows: 0 });
    expect(await up.verify()).toMatchObject({ outcome: 'pass' });
    expect(await content()).toEqual(before);
    expect(await fingerprint()).toBe(recorded);
  });

  it.each([migrationDown, migrationUp])('is done once, wherever the executor dies ($name)', async (action) => {
    if (action === migrationUp) await migrateDown(room.world.targets, depotLedgers, 'depot');
    const step = await room.step(action, input);
    await step.inspect();
    expect(await step.reconcile()).toEqual({ effect: 'not-done' });
    const first = await step.execute();
    expect(await step.execute()).toEqual(first);
    step.forget();
    await room.control(`DELETE FROM control.schema_fingerprint WHERE domain = 'depot'`);
    expect(await step.reconcile()).toEqual({ effect: 'done', result: first });
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
    for (let n = 0; n < 2; n += 1) await step.compensate();
    expect(await exists('depot')).toBe(action === migrationDown);
    expect(await step.verify()).toMatchObject({ outcome: 'fail' });
  });

  it('has nothing to take back when nothing was done, and takes back the half that was', async () => {
    const before = await content();
    const untouched = await room.step(migrationDown, input);
    await untouched.inspect();
    await untouched.compensate();
    expect(await content()).toEqual(before);

    const step = await room.step(migrationDown, input);
    await step.inspect();
    await migrateDown(room.world.targets, depotLedgers, 'depot', { only: [addPriority] });
    expect(await step.reconcile()).toEqual({ effect: 'partial' });
    await step.compensate();
    await step.compensate();
    expect(await content()).toEqual(before);

    const again = await room.step(migrationDown, input);
    await again.inspect();
    await migrateDown(room.world.targets, depotLedgers, 'depot', { only: [addPriority] });
    await again.execute();
    expect(await again.verify()).toMatchObject({ outcome: 'pass' });
  });

  it('goes on where an attempt was cut off, and tells what both have moved', async () => {
    // What comes before the index, which is dropped outside of transactions, is committed before the rest begins.
    const blocker = await other(`LOCK TABLE depot.reading IN ACCESS SHARE MODE`);
    const step = await room.step(migrationDown, input);
    await step.inspect();
    const cut = expect(step.execute()).rejects.toThrow();
    await waiting(step.context.runId);
    await room.rows(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1`, [
      sessionName({ runId: step.context.runId, epoch: 1n }),
    ]);
    await cut;
    await blocker.end();
    expect(await step.reconcile()).toEqual({ effect: 'partial' });
    expect(await step.execute()).toMatchObject({
      moved: [addPriority, expect.anything(), expect.anything(), expect.anything()],
    });
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
  });

  it('leaves nothing behind when its connection is cut in the middle', async () => {
    const before = await content();
    const blocker = await other(`LOCK TABLE depot.item IN ACCESS SHARE MODE`);
    const step = await room.step(migrationDown, input);
    await step.inspect();
    const cut = step.execute().then(
      () => undefined,
      (error: unknown) => error,
    );
    await waiting(step.context.runId);
    await room.rows(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1`, [
      sessionName({ runId: step.context.runId, epoch: 1n }),
    ]);
    const error = await cut;
    expect(error).toBeInstanceOf(Error);
    expect(migrationDown.retries.when(error)).toBe(true);
    await blocker.end();
    expect(await step.reconcile()).toEqual({ effect: 'not-done' });
    expect(await content()).toEqual(before);
    await step.execute();
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
  });

  it('waits for a long transaction, two seconds at a time, and lets others through in between', async () => {
    const blocker = await other(`SELECT count(*) FROM depot.item`);
    const step = await room.step(migrationDown, input);
    await step.inspect();
    const began = performance.now();
    const done = step.execute();
    await sleep(3_500);
    await blocker.end();
    await done;
    expect(performance.now() - began).toBeGreaterThan(3_400);
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
  }, 30_000);

  it('stops waiting at once when the run is stopped', async () => {
    const blocker = await other(`SELECT count(*) FROM depot.item`);
    const stop = new AbortController();
    const step = await room.step(migrationDown, input, { signal: stop.signal });
    await step.inspect();
    const ended = expect(step.execute()).rejects.toMatchObject({ name: 'AbortError' });
    await sleep(2_100);
    stop.abort();
    await ended;
    await blocker.end();
    expect(await step.reconcile()).toEqual({ effect: 'not-done' });
  }, 30_000);

  it('survives a deadlock', async () => {
    const blocker = await other(`LOCK TABLE depot.batch IN ROW EXCLUSIVE MODE`);
    const step = await room.step(migrationDown, input);
    await step.inspect();
    const done = step.execute();
    await waiting(step.context.runId);
    await blocker.query(`LOCK TABLE depot.item IN ROW EXCLUSIVE MODE`).catch(() => undefined);
    await blocker.end();
    await done;
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
  }, 30_000);

  it('is refused when a row came between the count and the parking', async () => {
    const writer = await other(`INSERT INTO depot.batch (item_id) VALUES (1)`);
    const step = await room.step(migrationDown, input);
    expect(await step.inspect()).toMatchObject({ guards: [{ rows: 100 }, { object: 'depot.batch', rows: 0 }] });
    const refused = expect(step.execute()).rejects.toMatchObject({
      slug: 'rows-in-the-way',
      members: { check: 'S09', measured: { rows: 1 }, threshold: { rows: 0 } },
    });
    await waiting(step.context.runId);
    await writer.query('COMMIT');
    await writer.end();
    await refused;
    expect(await step.reconcile()).toEqual({ effect: 'not-done' });
    expect(await exists('depot')).toBe(true);
  });

  it('does not disturb a table elsewhere that refers to it', async () => {
    await room.rows(`CREATE TABLE public.survivor (id int PRIMARY KEY, item_id bigint REFERENCES depot.item)`);
    const step = await room.step(migrationDown, input);
    await step.inspect();
    await step.execute();
    await room.rows(`INSERT INTO public.survivor VALUES (1, 1)`);
    await expect(room.rows(`INSERT INTO public.survivor VALUES (2, 4711)`)).rejects.toThrow('foreign key');
    await step.compensate();
    expect(await room.rows(`SELECT name FROM public.survivor s JOIN depot.item i ON i.id = s.item_id`)).toHaveLength(1);
    await room.rows(`DROP TABLE public.survivor`);
  });

  it('is refused to whoever has been overtaken', async () => {
    const step = await room.step(migrationDown, input);
    await step.inspect();
    await room.rows(`UPDATE platform.fence SET epoch = 2 WHERE scope = 'live'`);
    await expect(step.execute()).rejects.toMatchObject({ name: 'FencedOff' });
    expect(await exists('depot')).toBe(true);
  });

  it('takes only the migrations of a feature, and counts the rows that old code has written meanwhile', async () => {
    const feature = 'depot_priorities';
    const others = await room.step(migrationDown, { ...input, only: ['1764090100000-create-batch'], feature });
    await expect(others.execute()).rejects.toMatchObject({ slug: 'not-of-feature' });
    const none = await room.step(migrationDown, { ...input, feature: 'depot_labels' });
    await expect(none.execute()).rejects.toMatchObject({ slug: 'not-of-feature' });
    const step = await room.step(migrationDown, { ...input, feature });
    await step.inspect();
    await step.execute();
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
    await room.rows(`INSERT INTO depot.item (id, name) VALUES (1001, 'new'), (1002, 'newer')`);
    const up = await room.step(migrationUp, { ...input, only: [addPriority] });
    await up.inspect();
    expect(await up.execute()).toMatchObject({ filledRows: 2, filled: [{ name: addPriority, rows: 2 }] });
    expect(await room.rows(`SELECT priority FROM depot.item WHERE id > 1000`)).toEqual([
      { priority: 7 },
      { priority: 7 },
    ]);
    await room.rows(`DELETE FROM depot.item WHERE id > 1000`);
  });

  it('notices what somebody else has changed in the parked schema', async () => {
    const step = await room.step(migrationDown, input);
    await step.inspect();
    await step.execute();
    await room.rows(`ALTER TABLE depot__parked.item ADD COLUMN smuggled text`);
    expect(await step.verify()).toMatchObject({ outcome: 'fail' });
    await room.rows(`ALTER TABLE depot__parked.item DROP COLUMN smuggled`);
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
  });

  it('goes down within two seconds, however many rows there are', async () => {
    await room.rows(`INSERT INTO depot.reading SELECT n, n FROM generate_series(1, 1000000) AS n`);
    const step = await room.step(migrationDown, input);
    await step.inspect();
    const began = performance.now();
    await step.execute();
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
    await step.compensate();
    expect(await room.rows(`SELECT count(*)::int AS n FROM depot.reading`)).toEqual([{ n: 1_000_000 }]);
    await room.rows(`TRUNCATE depot.reading`);
  }, 60_000);
});
