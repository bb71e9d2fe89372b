import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { migrateDown, migrateUp } from '@belay/platform';
import fc from 'fast-check';
import { ActionRoom } from './action-room.js';
import { addPriority, createDepot, depot, depotLedgers } from './depot.js';

describe('a column that goes down while its table is written', () => {
  let room: ActionRoom;
  beforeAll(async () => {
    room = await ActionRoom.open({ domains: [depot], ledgers: depotLedgers });
    await createDepot(room.world.targets);
    await room.rows(`ALTER TABLE depot.item DISABLE TRIGGER USER`);
  });
  afterAll(() => room.close());

  // Feature: version-rollback, Property 16
  it('keeps every row through down, writes by old code and up, and counts what it filled', async () => {
    const { targets } = room.world;
    const id = fc.integer({ min: 5001, max: 5012 });
    const rows = fc.uniqueArray(
      fc.record({ id, qty: fc.integer({ min: 0, max: 9 }), priority: fc.integer({ min: 0, max: 9 }) }),
      {
        selector: (row) => row.id,
        maxLength: 8,
      },
    );
    const write = fc.oneof(
      fc.record({ kind: fc.constant('insert' as const), id, qty: fc.integer({ min: 0, max: 9 }) }),
      fc.record({ kind: fc.constant('update' as const), id, qty: fc.integer({ min: 0, max: 9 }) }),
      fc.record({ kind: fc.constant('delete' as const), id, qty: fc.constant(0) }),
    );
    await fc.assert(
      fc.asyncProperty(rows, fc.array(write, { maxLength: 6 }), async (before, writes) => {
        await room.rows(`DELETE FROM depot.item WHERE id > 5000`);
        const expected = new Map<number, { qty: number; priority: number }>();
        for (const row of before) {
          expected.set(row.id, { qty: row.qty, priority: row.priority });
          await room.rows(`INSERT INTO depot.item VALUES ($1, 'x', $2, $3)`, [row.id, row.qty, row.priority]);
        }
        await migrateDown(targets, depotLedgers, 'depot', { only: [addPriority] });
        for (const { kind, id: at, qty } of writes) {
          const known = expected.get(at);
          if (kind === 'insert' && !known) {
            expected.set(at, { qty, priority: 7 });
            await room.rows(`INSERT INTO depot.item (id, name, qty) VALUES ($1, 'x', $2)`, [at, qty]);
          } else if (kind === 'update' && known) {
            expected.set(at, { ...known, qty });
            await room.rows(`UPDATE depot.item SET qty = $2 WHERE id = $1`, [at, qty]);
          } else if (kind === 'delete') {
            expected.delete(at);
            await room.rows(`DELETE FROM depot.item WHERE id = $1`, [at]);
          }
        }
        const [nulls] = await room.rows<{ n: number }>(
          `SELECT count(*)::int AS n FROM depot.item WHERE priority__parked IS NULL`,
        );
        const [step] = await migrateUp(targets, depotLedgers, 'depot', { only: [addPriority] });
        expect(step?.filledRows).toBe(nulls?.n);
        const found = await room.rows<{ id: string; qty: number; priority: number }>(
          `SELECT id, qty, priority FROM depot.item WHERE id > 5000`,
        );
        expect(new Map(found.map((row) => [Number(row.id), { qty: row.qty, priority: row.priority }]))).toEqual(
          expected,
        );
      }),
      { numRuns: 100 },
    );
  }, 120_000);
});
