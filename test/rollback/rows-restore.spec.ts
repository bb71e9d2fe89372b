import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { databaseRestore } from '../../libs/rollback/src/restores/database.restore.action.js';
import { domainRestore } from '../../libs/rollback/src/restores/domain.restore.action.js';
import { rowsRestore } from '../../libs/rollback/src/restores/rows.restore.action.js';
import type { ActionRoom } from './action-room.js';
import { damage, silentDamage, YardRoom } from './yard-room.js';

const bay = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;

// A busy machine takes its time.
jest.setTimeout(120_000);

describe('rows taken back to a marker', () => {
  let yard: YardRoom;
  let room: ActionRoom;
  beforeEach(async () => {
    yard = await YardRoom.open();
    ({ room } = yard);
  });
  afterEach(() => yard.close());

  it('are what they were, to the last digit, and nothing else has moved', async () => {
    const before = await yard.content();
    const markerId = await yard.mark();
    await room.rows(damage);
    const damaged = await yard.content();
    expect(damaged).not.toEqual(before);

    const step = await room.step(rowsRestore, { domain: 'yard', markerId });
    const plan = await step.inspect();
    expect(plan['tables']).toMatchObject([
      { table: 'yard.bay', inserted: 1, updated: 1, deleted: 0, upserts: 1, deletes: 1 },
      { table: 'yard.truck', inserted: 1, updated: 10, deleted: 10, upserts: 20, deletes: 1 },
      { table: 'yard.visit', deleted: 10, upserts: 10, deletes: 0 },
    ]);
    expect((await step.action.preview(step.context, step.input)).rows).toBe(33);
    expect(await yard.content()).toEqual(damaged);
    expect(await step.verify()).toMatchObject({ outcome: 'fail' });

    await step.execute();
    expect(await yard.content()).toEqual(before);
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });

    await step.compensate();
    expect(await yard.content()).toEqual(damaged);
  });

  it('are written down like every other change', async () => {
    const markerId = await yard.mark();
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
    const before = await yard.content();
    const markerId = await yard.mark();
    await room.rows(damage);
    const step = await room.step(rowsRestore, { domain: 'yard', markerId });
    expect(await step.reconcile()).toEqual({ effect: 'not-done' });
    const first = await step.execute();
    step.forget();
    expect(await step.reconcile()).toEqual({ effect: 'done', result: first });
    const entries = await room.rows(`SELECT count(*) FROM platform.audit_log`);
    expect(await step.execute()).toEqual(first);
    expect(await room.rows(`SELECT count(*) FROM platform.audit_log`)).toEqual(entries);
    expect(await yard.content()).toEqual(before);

    step.forget();
    await step.compensate();
    const undone = await yard.content();
    await step.compensate();
    expect(await yard.content()).toEqual(undone);
    expect(undone).not.toEqual(before);
  });

  it('are left alone by taking back what never happened', async () => {
    const markerId = await yard.mark();
    await room.rows(damage);
    const damaged = await yard.content();
    const step = await room.step(rowsRestore, { domain: 'yard', markerId });
    expect(await step.compensate()).toEqual({ undone: false });
    expect(await yard.content()).toEqual(damaged);
  });

  it('are refused when something was changed since people agreed', async () => {
    const markerId = await yard.mark();
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
    const markerId = await yard.mark();
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
    const markerId = await yard.mark();
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
    const markerId = await yard.mark();
    await room.rows(`DELETE FROM yard.visit WHERE truck_id = 4; DELETE FROM yard.truck WHERE id = 4`);
    const step = await room.step(rowsRestore, { domain: 'yard', markerId, tables: ['yard.visit'] });
    await expect(step.execute()).rejects.toMatchObject({
      slug: 'restore-refused',
      members: { dangling: [{ constraint: 'visit_is_of_a_truck', rows: 1 }] },
    });
    expect(await room.rows(`SELECT FROM yard.visit WHERE truck_id = 4`)).toEqual([]);
  });

  it('are taken by their time where the marker is of another cluster, whose transactions mean nothing here', async () => {
    const markerId = await yard.mark();
    await room.control(`UPDATE control.marker SET snapshot = '9000000000:9000000000:'`);
    const step = await room.step(rowsRestore, { domain: 'yard', markerId });
    // What was written in the quarter of an hour before counts, because it may have been under way.
    expect((await step.inspect())['tables']).toMatchObject([{ inserted: 4 }, { inserted: 40 }, { inserted: 40 }]);
    await room.control(`UPDATE control.marker SET at = clock_timestamp() + interval '16 minutes'`);
    expect((await step.inspect())['tables']).toEqual([]);
  });

  it('are refused where nothing is written down of them', async () => {
    const markerId = await yard.mark();
    const step = await room.step(rowsRestore, { domain: 'yard', markerId, tables: ['yard.journal', 'yard.nothing'] });
    expect((await step.inspect())['refusals']).toEqual([
      { table: 'yard.nothing', why: 'there is no such table' },
      { table: 'yard.journal', why: 'its changes are not written down' },
    ]);
    await expect(step.execute()).rejects.toMatchObject({ slug: 'restore-refused' });
  });
});

describe('rows put back from a backup', () => {
  let yard: YardRoom;
  let room: ActionRoom;
  beforeEach(async () => {
    yard = await YardRoom.open();
    ({ room } = yard);
  });
  afterEach(() => yard.close());
  const tables = ['yard.bay', 'yard.truck', 'yard.visit'];

  it('are what the backup has, where rows were lost and changed past every log; what is there besides stays', async () => {
    const [before] = await room.rows(`SELECT jsonb_agg(to_jsonb(t) ORDER BY id) AS trucks FROM yard.truck t`);
    const backupId = await yard.backUp();
    await room.rows(silentDamage);
    await room.rows(`INSERT INTO yard.truck (bay_id, plate, tonnes) VALUES ($1, 'NEW', 1)`, [bay(1)]);
    const damaged = await yard.content();
    const step = await room.step(rowsRestore, { path: 'R3', domain: 'yard', backupId, tables });
    expect(await step.inspect()).toMatchObject({
      refusals: [],
      tables: [
        { table: 'yard.bay', missing: 0, changed: 0, extra: 0 },
        { table: 'yard.truck', missing: 0, changed: 5, extra: 1, samples: { extra: [{ id: 41 }] } },
        { table: 'yard.visit', missing: 40, changed: 0, extra: 0 },
      ],
    });
    expect(await yard.content()).toEqual(damaged);
    expect(await step.verify()).toMatchObject({ outcome: 'fail' });
    await step.execute();
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
    const [after] = await room.rows(
      `SELECT jsonb_agg(to_jsonb(t) ORDER BY id) AS trucks FROM yard.truck t WHERE plate <> 'NEW'`,
    );
    expect(after).toEqual(before);
    expect(await room.rows(`SELECT plate FROM yard.truck WHERE id = 41`)).toEqual([{ plate: 'NEW' }]);
    expect(
      await room.rows(
        `SELECT operation, count(*)::integer FROM platform.audit_log WHERE actor = 'maria' GROUP BY 1 ORDER BY 1`,
      ),
    ).toEqual([
      { operation: 'INSERT', count: 40 },
      { operation: 'UPDATE', count: 5 },
    ]);
    step.forget();
    expect(await step.reconcile()).toMatchObject({ effect: 'done' });
    await step.compensate();
    expect(await yard.content()).toEqual(damaged);
  });

  it('are only the missing ones, or only the changed ones, when that is asked for', async () => {
    const backupId = await yard.backUp();
    await room.rows(silentDamage);
    const only = (classes: string[]) =>
      room.step(rowsRestore, { path: 'R3', domain: 'yard', backupId, tables, classes });
    const missing = await only(['missing']);
    await missing.execute();
    expect(await missing.verify()).toMatchObject({ outcome: 'pass' });
    const state = () =>
      room.rows(
        `SELECT (SELECT count(*)::integer FROM yard.visit) AS visits,
                (SELECT count(*)::integer FROM yard.truck WHERE tonnes < 0) AS wrong`,
      );
    expect(await state()).toEqual([{ visits: 40, wrong: 5 }]);
    await room.rows(`DELETE FROM yard.visit WHERE truck_id = 1`);
    const changed = await only(['changed']);
    await changed.execute();
    expect(await changed.verify()).toMatchObject({ outcome: 'pass' });
    expect(await state()).toEqual([{ visits: 39, wrong: 0 }]);
  });

  it('are refused for a table that is only ever added to, unless its domain says how', async () => {
    const backupId = await yard.backUp();
    await room.rows(silentDamage);
    const step = await room.step(rowsRestore, { path: 'R3', domain: 'yard', backupId, tables: ['yard.journal'] });
    await expect(step.execute()).rejects.toMatchObject({
      slug: 'restore-refused',
      members: { refusals: [{ table: 'yard.journal' }] },
    });
  });

  it('come from the copy that a restore has put aside, so that nothing written since the backup is lost', async () => {
    const backupId = await yard.backUp();
    await room.rows(`INSERT INTO yard.truck (bay_id, plate, tonnes) VALUES ($1, 'LATER', 3)`, [bay(2)]);
    const restore = await room.step(domainRestore, { domain: 'yard', backupId });
    const { failed: failedSchema = null } = await restore.execute();
    expect(await room.rows(`SELECT FROM yard.truck WHERE plate = 'LATER'`)).toEqual([]);
    const input = { path: 'R3', domain: 'yard', failedSchema, tables: ['yard.truck'], classes: ['missing'] };
    const step = await room.step(rowsRestore, input);
    await step.execute();
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
    expect(await room.rows(`SELECT id FROM yard.truck WHERE plate = 'LATER'`)).toEqual([{ id: '41' }]);
    expect(
      await room.rows(`INSERT INTO yard.truck (bay_id, plate, tonnes) VALUES ($1, 'NEXT', 3) RETURNING id`, [bay(2)]),
    ).toEqual([{ id: '42' }]);
  });

  it('come from the database that a restore has put aside', async () => {
    const backupId = await yard.backUp('application');
    await room.rows(`INSERT INTO yard.truck (bay_id, plate, tonnes) VALUES ($1, 'LATER', 3)`, [bay(2)]);
    const restore = await room.step(databaseRestore, { backupId });
    const { failed: failedDatabase = null } = await restore.execute();
    expect(await room.rows(`SELECT FROM yard.truck WHERE plate = 'LATER'`)).toEqual([]);
    const step = await room.step(rowsRestore, { path: 'R3', domain: 'yard', failedDatabase, tables: ['yard.truck'] });
    await step.execute();
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
    expect(await room.rows(`SELECT id FROM yard.truck WHERE plate = 'LATER'`)).toEqual([{ id: '41' }]);
    await yard.dropKept();
  });
});
