import { describe, expect, it } from '@jest/globals';
import { type Ledger, migrateAll, migrateDown, migrateUp, migrationStatus } from '@belay/platform';
import { ledgers } from '../../migrations/index.js';
import { park, unpark } from '../../migrations/support/park.js';
import { connect, type OwnDatabases, withEmptyDatabases } from './databases.js';
import { fileNameOf, ledgerOf, migration } from './ledgers.js';

const control = ledgers.filter((ledger) => ledger.domain === 'control');
const controlNames = control.flatMap(({ migrations }) => migrations.map(({ name }) => fileNameOf(name)));

const create = migration('CreateShop1700000000000', {
  up: async (q) => {
    if (await unpark(q, 'shop')) return;
    await q.query(`CREATE SCHEMA shop`);
    await q.query(`CREATE TABLE shop.item (id integer PRIMARY KEY, name text)`);
  },
  down: (q) => park(q, 'shop'),
});

const shop = (...more: Ledger['migrations']): readonly Ledger[] => [...control, ledgerOf('shop', [create, ...more])];

/** Adds a column, and parks it on the way down. */
const column = (className: string, name: string) =>
  migration(className, {
    up: async (q) => {
      if (await unpark(q, { column: `shop.item.${name}` })) return;
      await q.query(`ALTER TABLE shop.item ADD COLUMN ${name} text`);
    },
    down: (q) => park(q, { column: `shop.item.${name}` }),
  });

const isApplied = `SELECT name, state FROM public.shop_migrations ORDER BY name`;

/** What a `pg_dump` of the catalogue would notice, of everything that is not the server's own. */
async function everything({ query, control: controlled }: OwnDatabases): Promise<unknown> {
  const objects = `
    SELECT n.nspname, c.relname, c.relkind FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid
    WHERE n.nspname NOT LIKE 'pg_%' AND n.nspname <> 'information_schema' ORDER BY 1, 2`;
  const settings = `SELECT setconfig FROM pg_db_role_setting s JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database()`;
  return [await query(objects), await query(settings), await controlled(objects), await controlled(settings)];
}

describe('migrating', () => {
  it('applies each migration once, however many runners start at the same time', async () => {
    await withEmptyDatabases(async ({ targets, query, control: controlled }) => {
      const counting = shop(
        migration('Count1700000000001', {
          up: async (q) => {
            await q.query(`CREATE TABLE IF NOT EXISTS shop.run (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)`);
            await q.query(`INSERT INTO shop.run DEFAULT VALUES`);
          },
        }),
      );
      const runs = await Promise.all(Array.from({ length: 8 }, () => migrateAll(targets, counting)));

      expect(
        runs
          .flat()
          .map((step) => step.name)
          .sort(),
      ).toEqual(['1700000000000-create-shop', '1700000000001-count', ...controlNames]);
      expect(await query(`SELECT count(*)::int AS runs FROM shop.run`)).toEqual([{ runs: 1 }]);
      expect(await query(`SELECT count(*)::int AS rows FROM public.shop_migrations`)).toEqual([{ rows: 2 }]);
      expect(await controlled(`SELECT count(*)::int AS rows FROM control.migration_artifact`)).toEqual([
        { rows: 2 + controlNames.length },
      ]);
    });
  });

  it('says who is in the way when another runner does not finish', async () => {
    await withEmptyDatabases(async ({ targets }) => {
      await using other = await connect(targets.controlUrl);
      await other.query(`SELECT pg_advisory_lock(hashtextextended('belay.migrations', 0))`);
      await expect(migrateAll(targets, shop(), { waitMs: 300 })).rejects.toMatchObject({
        slug: 'migration-running',
        members: { database: 'control' },
      });
      await other.query(`SELECT pg_advisory_unlock_all()`);
      expect(await migrateAll(targets, shop(), { waitMs: 300 })).toHaveLength(1 + controlNames.length);
    });
  });

  it('leaves a domain as it was when one of its migrations fails', async () => {
    await withEmptyDatabases(async ({ targets, query }) => {
      const failing = shop(
        column('Extend1700000000001', 'note'),
        migration('Fail1700000000002', { up: (q) => q.query(`SELECT 1 / 0`) }),
      );
      await expect(migrateAll(targets, failing)).rejects.toThrow('division by zero');
      expect(await query(`SELECT FROM pg_namespace WHERE nspname = 'shop'`)).toEqual([]);
      expect(await query(`SELECT to_regclass('public.shop_migrations') AS ledger`)).toEqual([{ ledger: null }]);

      expect(await migrateAll(targets, shop())).toMatchObject([{ name: '1700000000000-create-shop' }]);
    });
  });

  it('leaves a domain as it was when its connection is cut, and goes on next time', async () => {
    await withEmptyDatabases(async ({ targets, query }) => {
      const slow = shop(migration('Sleep1700000000001', { up: (q) => q.query(`SELECT pg_sleep(3)`) }));
      const cut = migrateAll(targets, slow);
      const cutting = (async () => {
        const sleeper = `SELECT pg_terminate_backend(pid) AS cut FROM pg_stat_activity
                         WHERE datname = current_database() AND application_name = 'belay:migrate' AND query LIKE '%pg_sleep%'`;
        while ((await query(sleeper)).length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
      })();
      await expect(cut).rejects.toThrow('terminating connection');
      await cutting;
      expect(await query(`SELECT FROM pg_namespace WHERE nspname = 'shop'`)).toEqual([]);

      expect(await migrateAll(targets, shop())).toMatchObject([{ name: '1700000000000-create-shop' }]);
    });
  });

  it('refuses a migration that was changed after it was applied, names its file and changes nothing', async () => {
    await withEmptyDatabases(async (databases) => {
      const { targets } = databases;
      await migrateAll(targets, shop());
      const before = await everything(databases);
      const changed = [
        ...control,
        ledgerOf(
          'shop',
          [create, migration('Extend1700000000001', { up: (q) => q.query(`CREATE SCHEMA more`) })],
          'edited',
        ),
      ];

      await expect(migrateAll(targets, changed)).rejects.toMatchObject({
        slug: 'migration-changed',
        detail: expect.stringContaining('migrations/shop/1700000000000-create-shop.ts'),
      });
      expect(await everything(databases)).toEqual(before);
      expect(await migrationStatus(targets, changed, 'shop')).toMatchObject([
        { name: '1700000000000-create-shop', state: 'applied', build: 'changed' },
        { name: '1700000000001-extend', state: 'pending', build: 'same' },
      ]);
    });
  });

  it('takes an older migration that arrives later', async () => {
    await withEmptyDatabases(async ({ targets, query }) => {
      const late = column('Late1700000000001', 'late');
      const early = column('Early1700000000002', 'early');
      await migrateAll(targets, shop(early));
      expect(await migrateAll(targets, shop(late, early))).toMatchObject([{ name: '1700000000001-late' }]);
      expect(await query(isApplied)).toHaveLength(3);
    });
  });

  it('knows which domains there are', async () => {
    await withEmptyDatabases(async ({ targets }) => {
      await migrateAll(targets, shop());
      for (const attempt of [
        migrateUp(targets, shop(), 'shpo'),
        migrateDown(targets, shop(), 'shpo'),
        migrationStatus(targets, shop(), 'shpo'),
      ]) {
        await expect(attempt).rejects.toMatchObject({
          slug: 'ledger-unknown',
          members: { known: ['control', 'shop'] },
        });
      }
    });
  });

  it('does not begin with a domain before the control database can remember it', async () => {
    await withEmptyDatabases(async ({ targets, query }) => {
      await expect(migrateUp(targets, shop(), 'shop')).rejects.toMatchObject({ slug: 'control-not-migrated' });
      expect(await query(`SELECT FROM pg_namespace WHERE nspname = 'shop'`)).toEqual([]);
    });
  });

  it('refuses a migration whose SQL is of another class than it declares', async () => {
    await withEmptyDatabases(async ({ targets }) => {
      const dropping = (declared: 'additive' | 'lossy') =>
        shop(
          migration('Drop1700000000001', {
            class: declared,
            up: (q) => q.query(`ALTER TABLE shop.item DROP COLUMN IF EXISTS name`),
          }),
        );
      await expect(migrateAll(targets, dropping('additive'))).rejects.toMatchObject({
        slug: 'migration-class-differs',
        members: { declared: 'additive', derived: 'lossy' },
      });
      await migrateAll(targets, dropping('lossy'));
    });
  });

  it('refuses a migration that cannot go down and up again, before it is applied', async () => {
    await withEmptyDatabases(async ({ targets, query }) => {
      const oneWay = shop(
        migration('OneWay1700000000001', { up: (q) => q.query(`CREATE TABLE shop.price (id integer)`) }),
      );
      await expect(migrateAll(targets, oneWay)).rejects.toMatchObject({
        slug: 'migration-not-reversible',
        detail: expect.stringContaining('migrations/shop/1700000000001-one-way.ts'),
      });
      expect(await query(`SELECT FROM pg_namespace WHERE nspname = 'shop'`)).toEqual([]);
    });
  });

  it('runs a statement with parameters read-only, as it is not stored', async () => {
    await withEmptyDatabases(async ({ targets, query }) => {
      const writing = shop(
        migration('Write1700000000001', { up: (q) => q.query(`INSERT INTO shop.item (id) VALUES ($1)`, [1]) }),
      );
      await expect(migrateAll(targets, writing)).rejects.toThrow('read-only transaction');
      expect(await query(`SELECT FROM pg_namespace WHERE nspname = 'shop'`)).toEqual([]);
    });
  });
});

describe('a migration that needs another one', () => {
  const needed = column('AddNote1700000000001', 'note');
  const view = migration('ShowNotes1700000000000', {
    needs: ['shop/1700000000001-add-note'],
    up: async (q) => {
      if (await unpark(q, 'board')) return;
      await q.query(`CREATE SCHEMA board`);
    },
    down: (q) => park(q, 'board'),
  });
  const both = (...domains: Ledger[]) => [...control, ...domains];
  const first = ledgerOf('shop', [create, needed]);
  const second = ledgerOf('board', [view]);

  it('goes up after it, and keeps it from going down', async () => {
    await withEmptyDatabases(async ({ targets, query }) => {
      await migrateAll(targets, both(first));
      await migrateDown(targets, both(first), 'shop', { to: '1700000000000-create-shop' });
      await expect(migrateUp(targets, both(first, second), 'board')).rejects.toMatchObject({
        slug: 'migration-need-missing',
        members: { name: 'board/1700000000000-show-notes', need: 'shop/1700000000001-add-note' },
      });

      await migrateAll(targets, both(first, second));
      // Also by a build that does not have the one that needs it.
      await expect(migrateDown(targets, both(first), 'shop')).rejects.toMatchObject({
        slug: 'migration-needed',
        members: { name: 'shop/1700000000001-add-note', by: 'board/1700000000000-show-notes' },
      });
      expect(await query(isApplied)).toHaveLength(2);

      await migrateDown(targets, both(first), 'board');
      await migrateDown(targets, both(first), 'shop');
      await expect(migrateUp(targets, both(first), 'board', { to: '1700000000000-show-notes' })).rejects.toMatchObject({
        slug: 'migration-need-missing',
      });
    });
  });
});

describe('a dry run', () => {
  it('tells the exact SQL of all domains and leaves nothing', async () => {
    await withEmptyDatabases(async (databases) => {
      const { targets } = databases;
      const before = await everything(databases);
      const steps = await migrateAll(targets, ledgers, { dryRun: true });
      expect(await everything(databases)).toEqual(before);

      const done = await migrateAll(targets, ledgers);
      expect(done).toEqual(steps);
    });
  });

  it('tells what going down would do, and leaves everything', async () => {
    await withEmptyDatabases(async (databases) => {
      const { targets, query, control: controlled } = databases;
      await migrateAll(targets, shop());
      const before = [await everything(databases), await query(isApplied)];

      const steps = await migrateDown(targets, shop(), 'shop', { dryRun: true });
      expect(steps).toMatchObject([{ direction: 'down', sql: ['ALTER SCHEMA "shop" RENAME TO "shop__parked"'] }]);
      expect([await everything(databases), await query(isApplied)]).toEqual(before);
      expect(await controlled(`SELECT FROM control.parked_object`)).toEqual([]);
    });
  });

  it('finds the error that the run would meet', async () => {
    await withEmptyDatabases(async ({ targets }) => {
      const failing = shop(
        migration('Fail1700000000001', { up: (q) => q.query(`ALTER TABLE shop.itme ADD COLUMN a text`) }),
      );
      await expect(migrateAll(targets, failing, { dryRun: true })).rejects.toThrow('shop.itme');
    });
  });
});

describe('a migration outside a transaction', () => {
  const index = `CREATE INDEX CONCURRENTLY IF NOT EXISTS item_by_name ON shop.item (name)`;
  const outside = migration('AddIndex1700000000001', {
    transaction: false,
    up: (q) => q.query(index),
    down: (q) => q.query(`DROP INDEX CONCURRENTLY IF EXISTS shop.item_by_name`),
  });
  const after = column('AddNote1700000000002', 'note');
  const valid = `SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass('shop.item_by_name')`;

  it('goes up between the others, down and up again', async () => {
    await withEmptyDatabases(async ({ targets, query, control: controlled }) => {
      await migrateAll(targets, shop(outside, after));
      expect(await query(valid)).toEqual([{ valid: true }]);
      expect(
        await controlled(
          `SELECT up_sql, down_sql, up_again_sql, class FROM control.migration_artifact WHERE name LIKE '%index'`,
        ),
      ).toEqual([
        {
          up_sql: [index],
          down_sql: ['DROP INDEX CONCURRENTLY IF EXISTS shop.item_by_name'],
          up_again_sql: [index],
          class: 'metadata',
        },
      ]);

      await migrateDown(targets, shop(outside, after), 'shop', { to: '1700000000000-create-shop' });
      expect(await query(valid)).toEqual([]);
      await migrateUp(targets, shop(outside, after), 'shop');
      expect(await query(valid)).toEqual([{ valid: true }]);
    });
  });

  it('goes down and up from the vault too', async () => {
    await withEmptyDatabases(async ({ targets, query }) => {
      await migrateAll(targets, shop(outside));
      await migrateDown(targets, shop(), 'shop', { to: '1700000000000-create-shop' });
      expect(await query(valid)).toEqual([]);
      await migrateUp(targets, shop(), 'shop', { to: '1700000000001-add-index' });
      expect(await query(valid)).toEqual([{ valid: true }]);
    });
  });

  it('is written down but not executed in a dry run', async () => {
    await withEmptyDatabases(async (databases) => {
      const before = await everything(databases);
      const steps = await migrateAll(databases.targets, shop(outside, after), { dryRun: true });
      expect(steps.slice(controlNames.length).map((step) => step.sql.length)).toEqual([2, 1, 1]);
      expect(steps.find((step) => step.name.endsWith('index'))?.sql).toEqual([index]);
      expect(await everything(databases)).toEqual(before);
    });
  });

  it('rebuilds an index that an interrupted run left invalid', async () => {
    await withEmptyDatabases(async ({ targets, query }) => {
      await migrateAll(targets, shop());
      await query(`INSERT INTO shop.item VALUES (1, 'rope'), (2, 'rope')`);
      await expect(query(index.replace('CREATE INDEX', 'CREATE UNIQUE INDEX'))).rejects.toThrow(
        'could not create unique index',
      );
      expect(await query(valid)).toEqual([{ valid: false }]);

      await migrateAll(targets, shop(outside));
      expect(await query(valid)).toEqual([{ valid: true }]);
    });
  });

  it.each([
    `CREATE INDEX item_by_name ON shop.item (name)`,
    `CREATE INDEX CONCURRENTLY item_by_name ON shop.item (name)`,
    `DROP INDEX CONCURRENTLY shop.item_by_name`,
    `ALTER TABLE shop.item ADD COLUMN note text`,
    `${index}; DROP TABLE shop.item`,
  ])('may not contain %s', async (statement) => {
    await withEmptyDatabases(async ({ targets, query }) => {
      const forbidden = shop(migration('AddIndex1700000000001', { transaction: false, up: (q) => q.query(statement) }));
      await expect(migrateAll(targets, forbidden)).rejects.toMatchObject({ slug: 'migration-not-repeatable' });
      expect(await query(isApplied)).toEqual([{ name: '1700000000000-create-shop', state: 'applied' }]);
    });
  });
});

describe('the search path of the database', () => {
  it('lists the schema of every domain, so that SQL without schemas works', async () => {
    await withEmptyDatabases(async ({ targets, query, control: controlled }) => {
      await migrateAll(targets, [...ledgers, ledgerOf('shop', [create])]);
      const domains = ledgers.filter((ledger) => ledger.database === 'application').map((ledger) => ledger.domain);
      const wide = { search_path: ['"$user"', 'public', ...domains, 'shop'].join(', ') };
      expect(await query(`SHOW search_path`)).toEqual([wide]);
      expect(await query(`SELECT count(*)::int AS rows FROM item`)).toEqual([{ rows: 0 }]);
      expect(await controlled(`SHOW search_path`)).toEqual([{ search_path: '"$user", public, control' }]);

      // An older build does not take away what a newer one needs.
      await migrateAll(targets, ledgers);
      expect(await query(`SHOW search_path`)).toEqual([wide]);
    });
  });
});
