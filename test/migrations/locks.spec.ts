import { describe, expect, it } from '@jest/globals';
import { migrateAll, migrateDown } from '@belay/platform';
import { ledgers } from '../../migrations/index.js';
import { park, unpark } from '../../migrations/support/park.js';
import { connect, withEmptyDatabases } from './databases.js';
import { ledgerOf, migration } from './ledgers.js';

const control = ledgers.filter((ledger) => ledger.domain === 'control');

const create = migration('CreateShop1700000000000', {
  up: async (q) => {
    if (await unpark(q, 'shop')) return;
    await q.query(`CREATE SCHEMA shop`);
    await q.query(`CREATE TABLE shop.item (id integer PRIMARY KEY)`);
  },
  down: (q) => park(q, 'shop'),
});
const note = { column: 'shop.item.note' };
const extend = migration('AddNote1700000000001', {
  up: async (q) => {
    if (await unpark(q, note)) return;
    await q.query(`ALTER TABLE shop.item ADD COLUMN note text`);
  },
  down: (q) => park(q, note),
});

const shop = [...control, ledgerOf('shop', [create])];
const extended = [...control, ledgerOf('shop', [create, extend])];

describe('a transaction in the way', () => {
  it('is waited for 2 s, let pass, and asked again when it has ended', async () => {
    await withEmptyDatabases(async ({ targets, query }) => {
      await migrateAll(targets, shop);
      await using reader = await connect(targets.databaseUrl);
      await reader.query(`BEGIN; SELECT * FROM shop.item`);

      const began = performance.now();
      const waited: number[] = [];
      const clock = {
        now: () => performance.now(),
        random: () => 0.5,
        sleep: async () => {
          waited.push(performance.now() - began);
          // While the runner pauses, others get at the table.
          await query(`INSERT INTO shop.item VALUES (${waited.length})`);
          if (waited.length === 2) await reader.query(`COMMIT`);
        },
      };
      const steps = await migrateAll(targets, extended, { clock });

      expect(steps).toMatchObject([{ name: '1700000000001-add-note' }]);
      expect(waited).toHaveLength(2);
      expect(waited[0]).toBeGreaterThan(1_900);
      expect(waited[0]).toBeLessThan(3_500);
      expect(await query(`SELECT id, note FROM shop.item`)).toHaveLength(2);
    });
  });

  it('wins when it does not end, and nothing was changed', async () => {
    await withEmptyDatabases(async ({ targets, query }) => {
      await migrateAll(targets, shop);
      await using reader = await connect(targets.databaseUrl);
      await reader.query(`BEGIN; SELECT * FROM shop.item`);

      let past = 0;
      const clock = {
        now: () => past,
        random: () => 0.999,
        sleep: (ms: number) => Promise.resolve(void (past += 60 * ms)),
      };
      await expect(migrateAll(targets, extended, { clock })).rejects.toMatchObject({ slug: 'lock-not-granted' });
      expect(await query(`SELECT name, state FROM public.shop_migrations`)).toEqual([
        { name: '1700000000000-create-shop', state: 'applied' },
      ]);
      await expect(query(`SELECT note FROM shop.item`)).rejects.toThrow('does not exist');
    });
  });

  it('does not keep a whole schema from going down, as only names change', async () => {
    await withEmptyDatabases(async ({ targets, query }) => {
      await migrateAll(targets, shop);
      await using reader = await connect(targets.databaseUrl);
      await reader.query(`BEGIN; SELECT * FROM shop.item`);
      const began = performance.now();
      await migrateDown(targets, shop, 'shop');
      expect(performance.now() - began).toBeLessThan(2_000);
      expect(await query(`SELECT FROM shop__parked.item`)).toEqual([]);
    });
  });

  it('may deadlock with the runner, which then does it again', async () => {
    await withEmptyDatabases(async ({ targets, query }) => {
      const both = [
        ...control,
        ledgerOf('shop', [
          create,
          migration('Lock1700000000002', {
            up: async (q) => {
              await q.query(`LOCK TABLE shop.a IN ACCESS EXCLUSIVE MODE`);
              await q.query(`SELECT pg_sleep(0.3)`);
              await q.query(`LOCK TABLE shop.b IN ACCESS EXCLUSIVE MODE`);
            },
          }),
        ]),
      ];
      await migrateAll(targets, shop);
      await query(`CREATE TABLE shop.a (id integer PRIMARY KEY); CREATE TABLE shop.b (id integer PRIMARY KEY)`);
      await using other = await connect(targets.databaseUrl);
      // The server looks for deadlocks in this session last, so that it is the runner that is refused.
      await other.query(`SET deadlock_timeout = '30s'; BEGIN; LOCK TABLE shop.b IN ACCESS EXCLUSIVE MODE`);

      let pauses = 0;
      const clock = { now: () => performance.now(), random: () => 0, sleep: () => Promise.resolve(void (pauses += 1)) };
      const migrating = migrateAll(targets, both, { clock });
      await new Promise((resolve) => setTimeout(resolve, 200));
      await other.query(`LOCK TABLE shop.a IN ACCESS EXCLUSIVE MODE; COMMIT`);

      expect(await migrating).toMatchObject([{ name: '1700000000002-lock' }]);
      expect(pauses).toBe(1);
    });
  });
});
