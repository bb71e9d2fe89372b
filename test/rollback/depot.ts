import { migrateUp, statement, type Domain, type DomainRecovery, type MigrationTargets } from '@belay/platform';
import { Module } from '@nestjs/common';
import { ledgers } from '../../migrations/index.js';
import { park, unpark } from '../../migrations/support/park.js';
import { ledgerOf, migration } from '../migrations/ledgers.js';

const createSchema = migration('CreateDepot1764090000000', {
  up: async (q) => {
    if (await unpark(q, 'depot')) return;
    await q.query(`CREATE SCHEMA depot`);
    await q.query(
      `CREATE TABLE depot.item (id bigint PRIMARY KEY, name text NOT NULL, qty integer NOT NULL DEFAULT 0)`,
    );
    await q.query(`SELECT platform.audit_table('depot.item')`);
  },
  down: (q) => park(q, 'depot'),
});

const createBatch = migration('CreateBatch1764090100000', {
  up: async (q) => {
    if (await unpark(q, { table: 'depot.batch' })) {
      await unpark(q, { table: 'depot.reading' });
      return;
    }
    await q.query(`
      CREATE TABLE depot.batch (
        id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        item_id  bigint NOT NULL REFERENCES depot.item,
        state    text NOT NULL DEFAULT 'open')`);
    await q.query(`CREATE TABLE depot.reading (id bigint PRIMARY KEY, value integer NOT NULL)`);
  },
  down: async (q) => {
    await park(q, { table: 'depot.reading' });
    await park(q, { table: 'depot.batch' });
  },
});

const indexNames = migration('IndexNames1764090200000', {
  transaction: false,
  up: (q) => q.query(`CREATE INDEX CONCURRENTLY IF NOT EXISTS item_by_name ON depot.item (name)`),
  down: (q) => q.query(`DROP INDEX CONCURRENTLY IF EXISTS depot.item_by_name`),
});

export const addPriority = '1764090300000-add-priority';
const priority = migration('AddPriority1764090300000', {
  feature: 'depot_priorities',
  up: async (q) => {
    if (await unpark(q, { column: 'depot.item.priority', fill: '7' })) return;
    await q.query(`ALTER TABLE depot.item ADD COLUMN priority integer NOT NULL DEFAULT 5`);
  },
  down: (q) => park(q, { column: 'depot.item.priority', fill: '7' }),
});

const depotLedger = ledgerOf('depot', [createSchema, createBatch, indexNames, priority]);
export const depotLedgers = [...ledgers, depotLedger];

const nameless = statement<{ id: string }>(
  'depot.nameless',
  `SELECT id::text FROM depot.item WHERE name = '' LIMIT $1`,
);
const figures = statement<{ items: number; units: number }>(
  'depot.figures',
  `SELECT count(*)::int AS items, coalesce(sum(qty), 0)::int AS units FROM depot.item`,
);

@Module({})
class DepotModule {}

/** How the depot goes and comes back. */
export const recovery: DomainRecovery = {
  probes: {
    off: [
      { kind: 'jobs-idle', name: 'its jobs stand still' },
      {
        kind: 'rows',
        name: 'nothing is negative',
        sql: `SELECT id FROM depot.item WHERE qty < 0 AND $2::timestamptz IS NOT NULL LIMIT $1`,
      },
    ],
    fallback: [],
    on: [
      {
        kind: 'rows',
        name: 'nothing is negative',
        sql: `SELECT id FROM depot.item WHERE qty < 0 AND $2::timestamptz IS NOT NULL LIMIT $1`,
      },
    ],
  },
  invariants: [
    {
      name: 'items have names',
      holds: 'every item has a name',
      severity: 'high',
      find: async (on, most) => {
        const found = await nameless(on, [most]);
        return found.map((row) => ({ ...row }));
      },
    },
  ],
  guards: [
    { object: 'depot.item', mode: 'park', count: 'SELECT count(*) FROM depot.item' },
    { object: 'depot.batch', mode: 'require-empty', count: `SELECT count(*) FROM depot.batch WHERE state = 'open'` },
  ],
  keeps: ['All rows'],
  runbooks: [],
  dataLoss: [],
  hooks: {
    tables: ['depot.item', 'depot.batch'],
    mark: async ({ tx }) => {
      const [facts] = await figures(tx, []);
      return { ...facts };
    },
    plan: () => Promise.reject(new Error('the depot has no such way')),
    compensate: () => Promise.reject(new Error('the depot has no such way')),
    afterRestore: () => Promise.resolve({}),
    verify: () => Promise.resolve([]),
    physical: { role: 'none', clears: [], truncates: [], fills: [], derived: [], rebind: [] },
  },
};

/** A small gated domain with everything that a way down can meet: a guard, an index outside of transactions, a column. */
export const depot: Domain = {
  name: 'depot',
  title: 'Depot',
  flag: 'enable_depot',
  after: [],
  features: [
    { flag: 'depot_priorities', title: 'Priorities' },
    { flag: 'depot_labels', title: 'Labels' },
  ],
  module: DepotModule,
  runbook: recovery,
};

export async function createDepot(targets: MigrationTargets): Promise<void> {
  await migrateUp(targets, depotLedgers, 'depot');
}

/** Equal when every row and every column of every table is, in whatever order the rows lie in their files. */
export const depotContents = `
  SELECT nspname, md5(string_agg(relname || rows, '' ORDER BY relname)) AS content
  FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind = 'r',
    LATERAL (SELECT query_to_xml(format('SELECT * FROM %s AS r ORDER BY r::text', c.oid::regclass), true, false, '')::text AS rows)
  WHERE nspname IN ('depot', 'depot__parked')
  GROUP BY nspname`;
