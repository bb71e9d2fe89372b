import { describe, expect, it } from '@jest/globals';
import { type Ledger, migrateDown, migrateUp } from '@belay/platform';
import { ledgers } from '../../migrations/index.js';
import { LONGEST_NAME, park, unpark } from '../../migrations/support/park.js';
import { type OwnDatabases, withMigratedDatabases } from './databases.js';
import { ledgerOf, migration } from './ledgers.js';

const create = migration('CreateShop1700000000000', {
  up: async (q) => {
    if (await unpark(q, 'shop')) return;
    await q.query(`CREATE SCHEMA shop`);
    await q.query(`CREATE TABLE shop.item (id integer PRIMARY KEY, name text NOT NULL)`);
  },
  down: (q) => park(q, 'shop'),
});

/** A shop that is up, with one more migration of the test's own; its name is `1700000000001-extend`. */
async function withShop(
  extension: Parameters<typeof migration>[1] | undefined,
  work: (databases: OwnDatabases, shop: readonly Ledger[]) => Promise<void>,
): Promise<void> {
  const migrations = extension ? [create, migration('Extend1700000000001', extension)] : [create];
  const shop = [...ledgers.filter((ledger) => ledger.domain === 'control'), ledgerOf('shop', migrations)];
  await withMigratedDatabases(async (databases) => {
    await migrateUp(databases.targets, shop, 'shop');
    await databases.query(`INSERT INTO shop.item (id, name) VALUES (1, 'rope'), (2, 'belay')`);
    await work(databases, shop);
  });
}

const toCreate = { to: '1700000000000-create-shop' };

describe('a parked schema', () => {
  it('is not found by its name, keeps its rows and comes back', async () => {
    await withShop(undefined, async ({ targets, query }, shop) => {
      await migrateDown(targets, shop, 'shop');
      await expect(query(`SELECT * FROM shop.item`)).rejects.toThrow('does not exist');
      expect(await query(`SELECT id FROM shop__parked.item ORDER BY id`)).toEqual([{ id: 1 }, { id: 2 }]);

      await migrateUp(targets, shop, 'shop');
      expect(await query(`SELECT id FROM shop.item ORDER BY id`)).toEqual([{ id: 1 }, { id: 2 }]);
    });
  });

  it('leaves views and materialized views of others working, also when refreshed concurrently', async () => {
    await withShop(undefined, async ({ targets, query }, shop) => {
      await query(`CREATE VIEW public.names AS SELECT name FROM shop.item`);
      await query(`CREATE MATERIALIZED VIEW public.mv_names AS SELECT id, name FROM shop.item`);
      await query(`CREATE UNIQUE INDEX mv_names_by_id ON public.mv_names (id)`);

      await migrateDown(targets, shop, 'shop');
      expect(await query(`SELECT name FROM public.names ORDER BY name`)).toEqual([{ name: 'belay' }, { name: 'rope' }]);
      await query(`REFRESH MATERIALIZED VIEW CONCURRENTLY public.mv_names`);
      expect(await query(`SELECT count(*)::int AS rows FROM public.mv_names`)).toEqual([{ rows: 2 }]);
    });
  });

  it('is refused when it is parked and live at once, in both directions', async () => {
    await withShop(undefined, async ({ targets, query }, shop) => {
      await query(`CREATE SCHEMA shop__parked`);
      await expect(migrateDown(targets, shop, 'shop')).rejects.toMatchObject({ slug: 'parked-and-live' });
      await query(`DROP SCHEMA shop__parked`);

      await migrateDown(targets, shop, 'shop');
      await query(`CREATE SCHEMA shop`);
      await expect(migrateUp(targets, shop, 'shop')).rejects.toMatchObject({
        slug: 'parked-and-live',
        members: { object: 'shop' },
      });
      expect(await query(`SELECT id FROM shop__parked.item`)).toHaveLength(2);
    });
  });

  it('is refused when there is nothing to park', async () => {
    await withShop(undefined, async ({ targets, query }, shop) => {
      await query(`ALTER SCHEMA shop RENAME TO elsewhere`);
      await expect(migrateDown(targets, shop, 'shop')).rejects.toThrow('shop does not exist');
    });
  });
});

describe('a parked table', () => {
  const extension = {
    up: async (q) => {
      if (await unpark(q, { table: 'shop.price' })) return;
      await q.query(
        `CREATE TABLE shop.price (item_id integer PRIMARY KEY REFERENCES shop.item, cents integer NOT NULL)`,
      );
    },
    down: (q) => park(q, { table: 'shop.price' }),
  } satisfies Parameters<typeof migration>[1];

  it('keeps its rows and comes back, with its foreign key', async () => {
    await withShop(extension, async ({ targets, query }, shop) => {
      await query(`INSERT INTO shop.price VALUES (1, 995)`);
      await migrateDown(targets, shop, 'shop', toCreate);
      await expect(query(`SELECT * FROM shop.price`)).rejects.toThrow('does not exist');
      await expect(query(`DELETE FROM shop.item WHERE id = 1`)).rejects.toThrow('violates foreign key constraint');

      await migrateUp(targets, shop, 'shop');
      expect(await query(`SELECT * FROM shop.price`)).toEqual([{ item_id: 1, cents: 995 }]);
    });
  });

  it('survives that its schema goes down and up behind it', async () => {
    await withShop(extension, async ({ targets, query }, shop) => {
      await query(`INSERT INTO shop.price VALUES (1, 995)`);
      await migrateDown(targets, shop, 'shop');
      expect(await query(`SELECT * FROM shop__parked.price__parked`)).toHaveLength(1);

      await migrateUp(targets, shop, 'shop');
      expect(await query(`SELECT * FROM shop.price`)).toHaveLength(1);
    });
  });
});

describe('a parked column', () => {
  const priority = { column: 'shop.item.priority', fill: '7' };
  const extension = {
    up: async (q) => {
      if (await unpark(q, priority)) return;
      await q.query(`ALTER TABLE shop.item ADD COLUMN priority integer NOT NULL DEFAULT 3`);
      await q.query(`COMMENT ON COLUMN shop.item.priority IS 'the owner''s choice'`);
    },
    down: (q) => park(q, priority),
  } satisfies Parameters<typeof migration>[1];

  const declaration = `
    SELECT attnotnull AS required, pg_get_expr(adbin, adrelid) AS "default", col_description(attrelid, attnum) AS comment
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = 'shop.item'::regclass AND attname LIKE 'priority%'`;

  it('lets old code write, and gives the rows written meanwhile the fill', async () => {
    await withShop(extension, async ({ targets, query }, shop) => {
      await query(`UPDATE shop.item SET priority = 9 WHERE id = 1`);
      const declared = await query(declaration);

      await migrateDown(targets, shop, 'shop', toCreate);
      await query(`INSERT INTO shop.item (id, name) VALUES (3, 'carabiner'), (4, 'helmet')`);
      const [step] = await migrateUp(targets, shop, 'shop');

      expect(step).toMatchObject({ name: '1700000000001-extend', filledRows: 2 });
      expect(await query(`SELECT id, priority FROM shop.item ORDER BY id`)).toEqual([
        { id: 1, priority: 9 },
        { id: 2, priority: 3 },
        { id: 3, priority: 7 },
        { id: 4, priority: 7 },
      ]);
      expect(await query(declaration)).toEqual(declared);
    });
  });

  it('leaves views that show it working', async () => {
    await withShop(extension, async ({ targets, query }, shop) => {
      await query(`CREATE VIEW public.urgent AS SELECT id, priority FROM shop.item`);
      await query(`CREATE MATERIALIZED VIEW public.mv_urgent AS SELECT id, priority FROM shop.item`);
      await migrateDown(targets, shop, 'shop', toCreate);
      await query(`REFRESH MATERIALIZED VIEW public.mv_urgent`);
      expect(await query(`SELECT priority FROM public.urgent WHERE id = 1`)).toEqual([{ priority: 3 }]);
      expect(await query(`SELECT priority FROM public.mv_urgent WHERE id = 1`)).toEqual([{ priority: 3 }]);
    });
  });

  it('gets the default when no fill is declared', async () => {
    const filledByDefault = {
      up: async (q) => {
        if (await unpark(q, { column: 'shop.item.priority' })) return;
        await q.query(`ALTER TABLE shop.item ADD COLUMN priority integer NOT NULL DEFAULT 3`);
      },
      down: (q) => park(q, { column: 'shop.item.priority' }),
    } satisfies Parameters<typeof migration>[1];
    await withShop(filledByDefault, async ({ targets, query }, shop) => {
      await migrateDown(targets, shop, 'shop', toCreate);
      await query(`INSERT INTO shop.item (id, name) VALUES (3, 'carabiner')`);
      await migrateUp(targets, shop, 'shop');
      expect(await query(`SELECT priority FROM shop.item WHERE id = 3`)).toEqual([{ priority: 3 }]);
    });
  });

  it('stays parked when it must be filled and nothing says with what', async () => {
    const unfilled = {
      up: async (q) => {
        if (await unpark(q, { column: 'shop.item.owner' })) return;
        await q.query(`ALTER TABLE shop.item ADD COLUMN owner text NOT NULL DEFAULT 'nobody'`);
      },
      down: (q) => park(q, { column: 'shop.item.owner' }),
    } satisfies Parameters<typeof migration>[1];
    await withShop(unfilled, async ({ targets, query }, shop) => {
      await query(`ALTER TABLE shop.item ALTER COLUMN owner DROP DEFAULT`);
      await migrateDown(targets, shop, 'shop', toCreate);
      await query(`INSERT INTO shop.item (id, name) VALUES (3, 'carabiner')`);
      await expect(migrateUp(targets, shop, 'shop')).rejects.toThrow('contains null values');
      expect(await query(`SELECT owner__parked AS owner FROM shop.item ORDER BY id`)).toEqual([
        { owner: 'nobody' },
        { owner: 'nobody' },
        { owner: null },
      ]);
    });
  });

  it('keeps the NULLs of a column that may be NULL', async () => {
    const nullable = {
      up: async (q) => {
        if (await unpark(q, { column: 'shop.item.note', fill: `'filled'` })) return;
        await q.query(`ALTER TABLE shop.item ADD COLUMN note text DEFAULT 'new'`);
      },
      down: (q) => park(q, { column: 'shop.item.note', fill: `'filled'` }),
    } satisfies Parameters<typeof migration>[1];
    await withShop(nullable, async ({ targets, query }, shop) => {
      await query(`UPDATE shop.item SET note = NULL WHERE id = 1`);
      await migrateDown(targets, shop, 'shop', toCreate);
      const [step] = await migrateUp(targets, shop, 'shop');
      expect(step).toMatchObject({ filledRows: 0 });
      await query(`INSERT INTO shop.item (id, name) VALUES (3, 'carabiner')`);
      expect(await query(`SELECT id, note FROM shop.item ORDER BY id`)).toEqual([
        { id: 1, note: null },
        { id: 2, note: 'new' },
        { id: 3, note: 'new' },
      ]);
    });
  });

  it('is refused when it counts by itself', async () => {
    const counting = {
      up: (q) => q.query(`ALTER TABLE shop.item ADD COLUMN seq bigint GENERATED ALWAYS AS IDENTITY`),
      down: (q) => park(q, { column: 'shop.item.seq' }),
    } satisfies Parameters<typeof migration>[1];
    await expect(withShop(counting, () => Promise.resolve())).rejects.toThrow('identity column');
  });
});

describe.each([
  ['view', { view: 'shop.seen' }, 'CREATE VIEW shop.seen AS SELECT name FROM shop.item'],
  ['matview', { materializedView: 'shop.seen' }, 'CREATE MATERIALIZED VIEW shop.seen AS SELECT name FROM shop.item'],
] as const)('a parked %s', (kind, parkable, definition) => {
  const extension = {
    up: async (q) => {
      if (await unpark(q, parkable)) return;
      await q.query(definition);
    },
    down: (q) => park(q, parkable),
  } satisfies Parameters<typeof migration>[1];

  it('is not found by its name, is written down and comes back', async () => {
    await withShop(extension, async ({ targets, query, control }, shop) => {
      const open = `SELECT kind, object FROM control.parked_object WHERE taken_back_at IS NULL`;
      await migrateDown(targets, shop, 'shop', toCreate);
      await expect(query(`SELECT * FROM shop.seen`)).rejects.toThrow('does not exist');
      expect(await control(open)).toEqual([{ kind, object: 'shop.seen' }]);

      await migrateUp(targets, shop, 'shop');
      await query(`SELECT name FROM shop.seen`);
      expect(await control(open)).toEqual([]);
    });
  });
});

describe('what is parked', () => {
  it('is counted and written down in the control database until it is taken back', async () => {
    await withShop(undefined, async ({ targets, control }, shop) => {
      await migrateDown(targets, shop, 'shop', { runId: '01900000-0000-7000-8000-000000000001' });
      expect(
        await control(`SELECT domain, kind, object, rows, run_id, bytes > 0 AS sized, taken_back_at,
                                   purge_after - parked_at >= interval '29 days' AS kept FROM control.parked_object`),
      ).toEqual([
        {
          domain: 'shop',
          kind: 'schema',
          object: 'shop',
          rows: '2',
          run_id: '01900000-0000-7000-8000-000000000001',
          sized: true,
          taken_back_at: null,
          kept: true,
        },
      ]);

      await migrateUp(targets, shop, 'shop');
      expect(await control(`SELECT taken_back_at IS NOT NULL AS back FROM control.parked_object`)).toEqual([
        { back: true },
      ]);

      await migrateDown(targets, shop, 'shop');
      expect(
        await control(`SELECT taken_back_at IS NULL AS parked FROM control.parked_object ORDER BY parked_at`),
      ).toEqual([{ parked: false }, { parked: true }]);
    });
  });

  it('is counted table by table, partitions through their root', async () => {
    await withShop(undefined, async ({ targets, query, control }, shop) => {
      await query(`CREATE TABLE shop.sale (id integer, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
                   CREATE TABLE shop.sale_2026 PARTITION OF shop.sale FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
                   INSERT INTO shop.sale VALUES (1, '2026-01-01'), (2, '2026-01-02'), (3, '2026-01-03');
                   CREATE VIEW shop.sold AS SELECT * FROM shop.sale`);
      await migrateDown(targets, shop, 'shop');
      expect(await control(`SELECT object, rows FROM control.parked_object`)).toEqual([{ object: 'shop', rows: '5' }]);
    });
  });

  it('is estimated when it is large and the planner knows it, else counted', async () => {
    await withShop(undefined, async ({ targets, query, control }, shop) => {
      await query(`CREATE TABLE shop.large (id integer PRIMARY KEY, filler text) WITH (autovacuum_enabled = false);
                   ALTER TABLE shop.large ALTER COLUMN filler SET STORAGE PLAIN;
                   INSERT INTO shop.large SELECT g, repeat('x', 7000) FROM generate_series(1, 9000) g`);
      await migrateDown(targets, shop, 'shop');
      await migrateUp(targets, shop, 'shop');
      await query(`ANALYZE shop.large; DELETE FROM shop.large WHERE id <= 1000`);
      await migrateDown(targets, shop, 'shop');
      expect(await control(`SELECT rows FROM control.parked_object ORDER BY parked_at`)).toEqual([
        { rows: '9002' },
        { rows: '9002' },
      ]);
    });
  });

  it.each([
    [LONGEST_NAME, true],
    [LONGEST_NAME + 1, false],
  ])('may have a name of %d bytes: %s', async (length, allowed) => {
    const name = 'x'.repeat(length);
    const extension = {
      up: (q) => q.query(`CREATE TABLE shop.${name} (id integer PRIMARY KEY)`),
      down: (q) => park(q, { table: `shop.${name}` }),
    } satisfies Parameters<typeof migration>[1];
    const attempt = withShop(extension, async ({ targets, query }, shop) => {
      await migrateDown(targets, shop, 'shop', toCreate);
      expect(await query(`SELECT FROM pg_class WHERE relname = '${name}__parked'`)).toHaveLength(1);
    });
    if (allowed) await attempt;
    else await expect(attempt).rejects.toThrow('too long to be parked');
  });
});
