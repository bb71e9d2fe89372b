import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUIDv7 } from 'node:crypto';
import { migrateUp } from '@belay/platform';
import { ledgers } from '../../migrations/index.js';
import { rowsRestore } from '../../libs/rollback/src/restores/rows.restore.action.js';
import { ActionRoom } from './action-room.js';
import { yard, yardLedger, yardRows } from './yard.js';

const withYard = [...ledgers, yardLedger];
const bay = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;

async function openYard(): Promise<ActionRoom> {
  const room = await ActionRoom.open({ domains: [yard], ledgers: withYard });
  await migrateUp({ databaseUrl: room.databases.databaseUrl, controlUrl: room.databases.controlUrl }, withYard, 'yard');
  await room.rows(yardRows());
  return room;
}

/** Every row of every table, apart from what is written about them. */
async function contentOf(room: ActionRoom): Promise<unknown> {
  const content: Record<string, unknown> = {};
  for (const table of ['bay', 'truck', 'visit', 'journal']) {
    content[table] = await room.rows(
      `SELECT count(*)::integer AS rows, sum(hashtextextended(t::text, 0))::text AS hash FROM yard.${table} t`,
    );
  }
  return content;
}

async function mark(room: ActionRoom): Promise<string> {
  const id = randomUUIDv7();
  const [now] = await room.rows<{ snapshot: string; at: Date }>(
    `SELECT pg_current_snapshot()::text AS snapshot, clock_timestamp() AS at`,
  );
  await room.control(
    `INSERT INTO control.marker (id, name, snapshot, at, ledger) VALUES ($1, 'before', $2::pg_snapshot, $3, '[]')`,
    [id, now?.snapshot, now?.at],
  );
  return id;
}

/** What a careless hand does to a table, past every rule of the application. */
const damage = `
  UPDATE yard.truck SET tonnes = 0, plate = plate || '!' WHERE id <= 10;
  DELETE FROM yard.visit WHERE truck_id > 30;
  DELETE FROM yard.truck WHERE id > 30;
  UPDATE yard.bay SET code = 'LOST' WHERE code = 'BAY-2';
  INSERT INTO yard.bay (id, code) VALUES ('11111111-0000-7000-8000-000000000000', 'BAY-2');
  UPDATE yard.truck SET bay_id = '11111111-0000-7000-8000-000000000000' WHERE id = 5;
  INSERT INTO yard.truck (bay_id, plate, tonnes) VALUES ('11111111-0000-7000-8000-000000000000', 'PL 31', 9);`;

describe('rows taken back to a marker', () => {
  let room: ActionRoom;
  beforeEach(async () => {
    room = await openYard();
  });
  afterEach(() => room.close());

  it('are what they were, to the last digit, and nothing else has moved', async () => {
    const before = await contentOf(room);
    const markerId = await mark(room);
    await room.rows(damage);
    const damaged = await contentOf(room);
    expect(damaged).not.toEqual(before);

    const step = await room.step(rowsRestore, { domain: 'yard', markerId });
    const plan = await step.inspect();
    expect(plan['tables']).toMatchObject([
      { table: 'yard.bay', inserted: 1, updated: 1, deleted: 0, upserts: 1, deletes: 1 },
      { table: 'yard.truck', inserted: 1, updated: 10, deleted: 10, upserts: 20, deletes: 1 },
      { table: 'yard.visit', deleted: 10, upserts: 10, deletes: 0 },
    ]);
    expect((await step.action.preview(step.context, step.input)).rows).toBe(33);
    expect(await contentOf(room)).toEqual(damaged);
    expect(await step.verify()).toMatchObject({ outcome: 'fail' });

    await step.execute();
    expect(await contentOf(room)).toEqual(before);
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });

    await step.compensate();
    expect(await contentOf(room)).toEqual(damaged);
  });

  it('are written down like every other change', async () => {
    const markerId = await mark(room);
    await room.rows(`DELETE FROM yard.visit WHERE truck_id = 7; DELETE FROM yard.truck WHERE id = 7`);
    const step = await room.step(rowsRestore, { domain: 'yard', markerId });
    await step.execute();
    const [entry] = await room.rows(
      `SELECT operation, old, new ->> 'plate' AS plate, new ->> 'kilos' AS kilos, record, actor, reason
       FROM platform.audit_log WHERE table_name = 'truck' ORDER BY id DESC LIMIT 1`,
    );
    expect(entry).toEqual({
      operation: 'INSERT',
      old: null,
      plate: 'PL 7',
      kilos: '10500.00',
      record: { id: 7 },
      actor: 'maria',
      reason: 'the counts are wrong',
    });
  });

  it('come back once, wherever the executor dies', async () => {
    const before = await contentOf(room);
    const markerId = await mark(room);
    await room.rows(damage);
    const step = await room.step(rowsRestore, { domain: 'yard', markerId });
    expect(await step.reconcile()).toEqual({ effect: 'not-done' });
    const first = await step.execute();
    step.forget();
    expect(await step.reconcile()).toEqual({ effect: 'done', result: first });
    const entries = await room.rows(`SELECT count(*) FROM platform.audit_log`);
    expect(await step.execute()).toEqual(first);
    expect(await room.rows(`SELECT count(*) FROM platform.audit_log`)).toEqual(entries);
    expect(await contentOf(room)).toEqual(before);

    step.forget();
    await step.compensate();
    const undone = await contentOf(room);
    await step.compensate();
    expect(await contentOf(room)).toEqual(undone);
    expect(undone).not.toEqual(before);
  });

  it('are left alone by taking back what never happened', async () => {
    const markerId = await mark(room);
    await room.rows(damage);
    const damaged = await contentOf(room);
    const step = await room.step(rowsRestore, { domain: 'yard', markerId });
    expect(await step.compensate()).toEqual({ undone: false });
    expect(await contentOf(room)).toEqual(damaged);
  });

  it('are refused when something was changed since people agreed', async () => {
    const markerId = await mark(room);
    await room.rows(`UPDATE yard.truck SET tonnes = 0 WHERE id = 1`);
    const looked = await room.step(rowsRestore, { domain: 'yard', markerId });
    const { hash: planHash = null } = await looked.inspect();
    expect((await looked.inspect())['hash']).toBe(planHash);
    const agreed = await room.step(rowsRestore, { domain: 'yard', markerId, planHash });
    await room.rows(`UPDATE yard.truck SET tonnes = 0 WHERE id = 2`);
    await expect(agreed.execute()).rejects.toMatchObject({ slug: 'restore-refused' });
    expect(await room.rows(`SELECT id FROM yard.truck WHERE tonnes = 0 ORDER BY id`)).toHaveLength(2);
  });

  it('are those of one account alone, where nobody else changed them too', async () => {
    const markerId = await mark(room);
    const as = (who: string, sql: string) => room.rows(`BEGIN; SET LOCAL belay.actor = '${who}'; ${sql}; COMMIT`);
    await as('careless', `UPDATE yard.truck SET tonnes = 0 WHERE id IN (1, 2)`);
    await as('careful', `UPDATE yard.truck SET tonnes = 7 WHERE id IN (2, 3)`);
    const input = { domain: 'yard', markerId, only: { actors: ['careless'] } };
    const step = await room.step(rowsRestore, input);
    expect((await step.inspect())['tables']).toMatchObject([
      { table: 'yard.truck', updated: 2, upserts: 1, conflicts: [{ id: 2 }] },
    ]);
    await step.execute();
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
    expect(await room.rows(`SELECT id, tonnes FROM yard.truck WHERE id <= 3 ORDER BY id`)).toEqual([
      { id: '1', tonnes: '1.50' },
      { id: '2', tonnes: '7' },
      { id: '3', tonnes: '7' },
    ]);
  });

  it('are those with given values alone', async () => {
    const markerId = await mark(room);
    await room.rows(`UPDATE yard.truck SET tonnes = 0 WHERE id <= 8`);
    const step = await room.step(rowsRestore, {
      domain: 'yard',
      markerId,
      tables: ['yard.truck'],
      only: { keys: { bay_id: [bay(2)] } },
    });
    await step.execute();
    expect(await room.rows(`SELECT id FROM yard.truck WHERE tonnes = 0 ORDER BY id`)).toEqual(
      ['2', '3', '4', '6', '7', '8'].map((id) => ({ id })),
    );
  });

  it('are refused where a reference would lead nowhere', async () => {
    const markerId = await mark(room);
    await room.rows(`DELETE FROM yard.visit WHERE truck_id = 4; DELETE FROM yard.truck WHERE id = 4`);
    const step = await room.step(rowsRestore, { domain: 'yard', markerId, tables: ['yard.visit'] });
    await expect(step.execute()).rejects.toMatchObject({
      slug: 'restore-refused',
      members: { dangling: [{ constraint: 'visit_is_of_a_truck', rows: 1 }] },
    });
    expect(await room.rows(`SELECT FROM yard.visit WHERE truck_id = 4`)).toEqual([]);
  });

  it('are refused where nothing is written down of them', async () => {
    const markerId = await mark(room);
    const step = await room.step(rowsRestore, { domain: 'yard', markerId, tables: ['yard.journal', 'yard.nothing'] });
    expect((await step.inspect())['refusals']).toEqual([
      { table: 'yard.nothing', why: 'there is no such table' },
      { table: 'yard.journal', why: 'its changes are not written down' },
    ]);
    await expect(step.execute()).rejects.toMatchObject({ slug: 'restore-refused' });
  });
});
