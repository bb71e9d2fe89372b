import { describe, expect, it } from '@jest/globals';
import { type Ledger, migrateAll, migrateDown, migrateUp, migrationStatus } from '@belay/platform';
import { ledgers } from '../../migrations/index.js';
import { park, unpark } from '../../migrations/support/park.js';
import { type OwnDatabases, withEmptyDatabases, withMigratedDatabases } from './databases.js';
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

const priority = { column: 'shop.item.priority', fill: '7' };
const extend = migration('AddPriority1700000000001', {
  class: 'additive',
  up: async (q) => {
    if (await unpark(q, priority)) return;
    await q.query(`ALTER TABLE shop.item ADD COLUMN priority integer NOT NULL DEFAULT 3`);
  },
  down: (q) => park(q, priority),
});

const newer: readonly Ledger[] = [...control, ledgerOf('shop', [create, extend])];
const older: readonly Ledger[] = [...control, ledgerOf('shop', [create])];
const without: readonly Ledger[] = control;

const items = `SELECT id, priority FROM shop.item ORDER BY id`;

async function withNewer(work: (databases: OwnDatabases) => Promise<void>): Promise<void> {
  await withMigratedDatabases(async (databases) => {
    await migrateUp(databases.targets, newer, 'shop', { release: 'newer' });
    await databases.query(`INSERT INTO shop.item VALUES (1, 5)`);
    await work(databases);
  });
}

describe('the vault', () => {
  it('keeps what up, down and up again really did', async () => {
    await withNewer(async ({ control: controlled }) => {
      const stored = `SELECT * FROM control.migration_artifact WHERE domain = 'shop' AND name LIKE '%priority'`;
      expect(await controlled(stored)).toMatchObject([
        {
          up_sql: ['ALTER TABLE shop.item ADD COLUMN priority integer NOT NULL DEFAULT 3'],
          down_sql: [
            'ALTER TABLE "shop"."item" ALTER COLUMN "priority" DROP NOT NULL',
            'ALTER TABLE "shop"."item" ALTER COLUMN "priority" DROP DEFAULT',
            `COMMENT ON COLUMN "shop"."item"."priority" IS '{"notNull":true,"default":"3","comment":null}'`,
            'ALTER TABLE "shop"."item" RENAME COLUMN "priority" TO "priority__parked"',
          ],
          up_again_sql: [
            'ALTER TABLE "shop"."item" RENAME COLUMN "priority__parked" TO "priority"',
            'ALTER TABLE "shop"."item" ALTER COLUMN "priority" SET DEFAULT 3',
            'UPDATE "shop"."item" SET "priority" = 7 WHERE "priority" IS NULL',
            'ALTER TABLE "shop"."item" ALTER COLUMN "priority" SET NOT NULL',
            'COMMENT ON COLUMN "shop"."item"."priority" IS NULL',
          ],
          parks: [{ kind: 'column', object: 'shop.item.priority' }],
          class: 'additive',
          release: 'newer',
        },
      ]);
    });
  });

  it('lets a build that lacks the file take the migration down, and up again', async () => {
    await withNewer(async ({ targets, query }) => {
      const down = await migrateDown(targets, older, 'shop', { to: '1700000000000-create-shop' });
      expect(down).toMatchObject([{ name: '1700000000001-add-priority', source: 'vault' }]);
      await query(`INSERT INTO shop.item (id) VALUES (2)`);
      expect(await migrationStatus(targets, older, 'shop')).toMatchObject([
        { name: '1700000000000-create-shop', state: 'applied', build: 'same' },
        { name: '1700000000001-add-priority', state: 'parked', build: 'missing' },
      ]);

      expect(await migrateAll(targets, older)).toEqual([]);
      const up = await migrateUp(targets, older, 'shop', { to: '1700000000001-add-priority' });
      expect(up).toMatchObject([{ source: 'vault', filledRows: 1 }]);
      expect(await query(items)).toEqual([
        { id: 1, priority: 5 },
        { id: 2, priority: 7 },
      ]);
    });
  });

  it('lets a build that lacks the whole domain take it down, and up again', async () => {
    await withNewer(async ({ targets, query }) => {
      const down = await migrateDown(targets, without, 'shop');
      expect(down.map((step) => [step.name, step.source])).toEqual([
        ['1700000000001-add-priority', 'vault'],
        ['1700000000000-create-shop', 'vault'],
      ]);
      expect(await query(`SELECT priority__parked FROM shop__parked.item`)).toEqual([{ priority__parked: 5 }]);

      await migrateUp(targets, without, 'shop', { to: '1700000000001-add-priority' });
      expect(await query(items)).toEqual([{ id: 1, priority: 5 }]);
    });
  });

  it('lets the newer build go on where the older one stopped', async () => {
    await withNewer(async ({ targets, query }) => {
      await migrateDown(targets, without, 'shop');
      await migrateAll(targets, newer);
      expect(await query(items)).toEqual([{ id: 1, priority: 5 }]);
    });
  });

  it('is used to go down when the file was changed', async () => {
    await withNewer(async ({ targets, query }) => {
      const other = migration('AddPriority1700000000001', { up: () => Promise.resolve() });
      const changed = [...control, ledgerOf('shop', [create, other], 'edited')];
      const steps = await migrateDown(targets, changed, 'shop', { to: '1700000000000-create-shop' });
      expect(steps).toMatchObject([{ source: 'vault' }]);
      expect(await query(`SELECT priority__parked FROM shop.item`)).toEqual([{ priority__parked: 5 }]);
    });
  });

  it('is missed by name when it does not have what is needed', async () => {
    await withNewer(async ({ targets, query, control: controlled }) => {
      await controlled(`DELETE FROM control.migration_artifact WHERE name = '1700000000001-add-priority'`);
      await expect(migrateDown(targets, older, 'shop')).rejects.toMatchObject({
        slug: 'artifact-missing',
        members: { domain: 'shop', name: '1700000000001-add-priority' },
      });
      expect(await query(items)).toEqual([{ id: 1, priority: 5 }]);
    });
  });

  it('has every migration of the build, each of which loses nothing', async () => {
    await withEmptyDatabases(async ({ targets, control: controlled }) => {
      const steps = await migrateAll(targets, ledgers);
      const stored = await controlled(`SELECT domain, name, class FROM control.migration_artifact`);
      expect(stored).toHaveLength(steps.length);
      expect(stored.filter((artifact) => artifact['class'] === 'lossy')).toEqual([]);
    });
  });
});
