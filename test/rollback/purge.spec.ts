import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUIDv7 } from 'node:crypto';
import { migrateDown, migrateUp } from '@belay/platform';
import pg from 'pg';
import { purge } from '../../libs/rollback/src/actions/purge.action.js';
import { sessionName } from '../../libs/rollback/src/engine/fence.js';
import { eventually } from '../support/eventually.js';
import { ActionRoom } from './action-room.js';
import { addPriority, createDepot, depot, depotLedgers } from './depot.js';

const input = { domain: 'depot', copies: [], feature: null };
const copy = 'depot__failed_0011aabb';

describe('dropping what was parked', () => {
  let room: ActionRoom;
  beforeAll(async () => {
    room = await ActionRoom.open({ domains: [depot], ledgers: depotLedgers, env: { PURGE_AFTER_DAYS: '2' } });
    await createDepot(room.world.targets);
  });
  afterEach(async () => {
    await room.control(`DELETE FROM control.backup`);
    await migrateUp(room.world.targets, depotLedgers, 'depot');
    await room.control(`DELETE FROM control.parked_object`);
  });
  afterAll(() => room.close());

  const park = async (hoursAgo: number, only?: readonly string[]) => {
    await migrateDown(room.world.targets, depotLedgers, 'depot', only === undefined ? {} : { only });
    await room.control(
      `UPDATE control.parked_object SET parked_at = clock_timestamp() - $1 * interval '1 hour' WHERE taken_back_at IS NULL AND purged_by IS NULL`,
      [hoursAgo],
    );
  };
  /** A backup that somebody has proven, made so long ago. */
  const proven = (hoursAgo: number, level = 4, domains: readonly string[] | null = ['depot']) =>
    room.control(
      `INSERT INTO control.backup (id, scope, domains, location, state, level, snapshot_at, requested_by)
       VALUES ($1, $2, $3, 'none', 'proven', $4, clock_timestamp() - $5 * interval '1 hour', 'test')`,
      [randomUUIDv7(), domains ? 'domains' : 'application', domains ?? [], level, hoursAgo],
    );
  const parkedSchema = async () =>
    (await room.rows(`SELECT FROM pg_namespace WHERE nspname = 'depot__parked'`)).length === 1;
  const refused = async (slug: string) => {
    const step = await room.step(purge, input);
    await step.inspect();
    await expect(step.execute()).rejects.toMatchObject({ slug });
    expect(await step.reconcile()).toEqual({ effect: 'not-done' });
    expect(await step.compensate()).toEqual({});
    expect(await step.verify()).toMatchObject({ outcome: 'fail' });
    expect(await parkedSchema()).toBe(true);
  };

  it('is refused before its time, to the hour', async () => {
    await park(47);
    await proven(1);
    await refused('parked-too-short');
  });

  it.each([
    ['that was made before it was parked', 50, 4],
    ['that was not proven', 1, 3],
  ])('is refused with a backup %s', async (_, hoursAgo, level) => {
    await park(49);
    await proven(hoursAgo, level);
    await refused('purge-unproven');
  });

  it('is refused while something that stays rests on it', async () => {
    await park(49);
    await proven(1);
    await room.rows(`CREATE VIEW public.onlooker AS SELECT id FROM depot__parked.item`);
    await refused('dependents-left');
    await room.rows(`DROP VIEW public.onlooker`);
    await room.rows(`CREATE TABLE public.survivor (item_id bigint REFERENCES depot__parked.item)`);
    await refused('dependents-left');
    await room.rows(`DROP TABLE public.survivor`);
  });

  it('drops once what is due and proven, says what, and never takes it back', async () => {
    await park(49);
    await proven(1);
    const step = await room.step(purge, input);
    const { changes, reversible, notes } = await purge.preview(step.context, input);
    expect(changes).toEqual([`DROP SCHEMA "depot__parked" CASCADE`]);
    expect({ reversible, notes }).toEqual({
      reversible: false,
      notes: ['A proven backup from after it was parked has it'],
    });
    expect(await step.inspect()).toMatchObject({ kept: [{ object: 'depot' }, { object: 'depot.batch' }, {}, {}] });
    const first = await step.execute();
    expect(await parkedSchema()).toBe(false);
    expect(await step.execute()).toEqual(first);

    // The executor died before it could tell, and somebody looked in between.
    await room.control(
      `UPDATE control.parked_object SET purged_by = NULL, taken_back_at = clock_timestamp() WHERE purged_by IS NOT NULL`,
    );
    step.forget();
    expect(await step.reconcile()).toEqual({ effect: 'done', result: first });
    expect(await step.verify()).toMatchObject({ outcome: 'pass', facts: { there: [], open: [] } });
    expect(await room.control(`SELECT DISTINCT purged_by, taken_back_at FROM control.parked_object`)).toEqual([
      { purged_by: 'maria', taken_back_at: null },
    ]);
    step.forget();
    await expect(step.compensate()).rejects.toMatchObject({ slug: 'purged' });

    await migrateUp(room.world.targets, depotLedgers, 'depot');
    expect(await room.rows(`SELECT count(*)::int AS n FROM depot.item`)).toEqual([{ n: 0 }]);
  });

  it('drops a column that a feature has left behind, and makes it anew on the way up', async () => {
    await room.rows(`INSERT INTO depot.item (id, name, priority) VALUES (1, 'one', 9)`);
    await park(49, [addPriority]);
    await proven(1);
    const step = await room.step(purge, { domain: 'depot', feature: 'depot_priorities' });
    await step.inspect();
    expect(await step.execute()).toMatchObject({
      statements: [`ALTER TABLE "depot"."item" DROP COLUMN "priority__parked" RESTRICT`],
    });
    expect(await room.rows(`SELECT name FROM public.depot_migrations WHERE name = $1`, [addPriority])).toEqual([]);
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
    await migrateUp(room.world.targets, depotLedgers, 'depot');
    expect(await room.rows(`SELECT name, priority FROM depot.item`)).toEqual([{ name: 'one', priority: 5 }]);
  });

  it('drops copies of what was replaced the same way, and leaves what is parked', async () => {
    await park(49);
    const database = `t_failed_${randomUUIDv7().replaceAll('-', '').slice(-8)}`;
    await room.rows(`CREATE SCHEMA ${copy}`);
    await room.rows(`CREATE TABLE ${copy}.item (id int PRIMARY KEY)`);
    await room.rows(`CREATE DATABASE ${database}`);
    for (const [kind, object, domain] of [
      ['schema', copy, 'depot'],
      ['database', database, null],
    ] as const) {
      await room.control(
        `INSERT INTO control.failed_copy (id, kind, object, domain, run_id, kept_at, purge_after)
         VALUES ($1, $2, $3, $4, $5, clock_timestamp() - interval '49 hours', clock_timestamp())`,
        [randomUUIDv7(), kind, object, domain, randomUUIDv7()],
      );
    }
    const schema = await room.step(purge, { domain: 'depot', copies: [copy] });
    await proven(1);
    expect(await schema.execute()).toMatchObject({ statements: [`DROP SCHEMA "${copy}" CASCADE`], databases: [] });
    expect(await schema.verify()).toMatchObject({ outcome: 'pass' });
    const step = await room.step(purge, { domain: 'application', copies: [database] });
    await step.inspect();
    await expect(step.execute()).rejects.toMatchObject({ slug: 'purge-unproven' });
    await proven(1, 4, null);
    await step.execute();
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
    expect(await parkedSchema()).toBe(true);
    expect(await room.rows(`SELECT FROM pg_database WHERE datname = $1`, [database])).toEqual([]);
    expect(await room.control(`SELECT purged_by FROM control.failed_copy`)).toEqual([
      { purged_by: 'maria' },
      { purged_by: 'maria' },
    ]);
  });

  it('waits for who still reads it, drops nothing when it is cut off, and nothing when it is overtaken', async () => {
    await park(49);
    await proven(1);
    const reader = new pg.Client({ connectionString: room.databases.databaseUrl });
    await reader.connect();
    await reader.query('BEGIN');
    await reader.query('SELECT count(*) FROM depot__parked.item');
    const step = await room.step(purge, input);
    await step.inspect();
    const session = sessionName({ runId: step.context.runId, epoch: 1n });
    const cut = expect(step.execute()).rejects.toThrow();
    await eventually(async () => {
      const waiting = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'`;
      expect(await room.rows(waiting, [session])).toHaveLength(1);
    }, 5_000);
    await cut;
    expect(await step.reconcile()).toEqual({ effect: 'not-done' });
    expect(await parkedSchema()).toBe(true);

    const done = step.execute();
    await reader.end();
    await done;
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
    await migrateUp(room.world.targets, depotLedgers, 'depot');

    await park(49);
    const late = await room.step(purge, input);
    await late.inspect();
    await room.rows(`UPDATE platform.fence SET epoch = 2 WHERE scope = 'live'`);
    await expect(late.execute()).rejects.toMatchObject({ name: 'FencedOff' });
    expect(await parkedSchema()).toBe(true);
    await room.rows(`UPDATE platform.fence SET epoch = 0`);
  });
});
