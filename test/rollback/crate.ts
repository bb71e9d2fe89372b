import type { Ledger } from '@belay/platform';
import { ledgers } from '../../migrations/index.js';
import { park, unpark } from '../../migrations/support/park.js';
import { ledgerOf, migration } from '../migrations/ledgers.js';
import type { RunRoom } from './run-room.js';

/** Each version of the crate has one column more than the one before. */
const versions = [1, 2, 3, 4].map((version) =>
  migration(`MakeCrate176409500000${version}`, {
    up: async (q) => {
      if (version === 1) {
        if (await unpark(q, 'crate')) return;
        await q.query(`CREATE SCHEMA crate`);
        await q.query(`CREATE TABLE crate.thing (id integer PRIMARY KEY)`);
        await q.query(`INSERT INTO crate.thing SELECT generate_series(1, 10)`);
      } else {
        const column = `crate.thing.part_${version}`;
        if (await unpark(q, { column })) return;
        await q.query(`ALTER TABLE crate.thing ADD COLUMN part_${version} integer NOT NULL DEFAULT ${version}`);
      }
    },
    down: async (q) => {
      await (version === 1 ? park(q, 'crate') : park(q, { column: `crate.thing.part_${version}` }));
    },
  }),
);

export const newestCrate = versions.length;

/** What a release with this version of it knows. */
export function crateOf(version: number): readonly Ledger[] {
  return [...ledgers, ledgerOf('crate', versions.slice(0, version))];
}

export interface Crate {
  readonly applied: number;
  readonly parked: number;
  /** Of the table, wherever it stands, and how many columns of versions are in use. */
  readonly rows: number;
  readonly columns: number;
}

export const noCrate: Crate = { applied: 0, parked: 0, rows: 0, columns: 0 };

/** By the ledger and by the catalogue, each for itself. */
export async function crateIn(room: RunRoom): Promise<Crate> {
  const [known] = await room.rows(`SELECT FROM pg_class WHERE oid = to_regclass('public.crate_migrations')`);
  if (!known) return noCrate;
  const [ledger] = await room.rows<{ applied: number; parked: number }>(
    `SELECT count(*) FILTER (WHERE state = 'applied')::int AS applied, count(*) FILTER (WHERE state = 'parked')::int AS parked
     FROM public.crate_migrations`,
  );
  const [table] = await room.rows<{ name: string; columns: number }>(
    `SELECT c.oid::regclass::text AS name,
            (SELECT count(*)::int FROM pg_attribute WHERE attrelid = c.oid AND attname ~ '^part_\\d$') AS columns
     FROM pg_class c WHERE c.relname = 'thing' AND c.relnamespace::regnamespace::text IN ('crate', 'crate__parked')`,
  );
  const [{ rows } = { rows: 0 }] = table
    ? await room.rows<{ rows: number }>(`SELECT count(*)::int AS rows FROM ${table.name}`)
    : [];
  return { applied: ledger?.applied ?? 0, parked: ledger?.parked ?? 0, rows, columns: table?.columns ?? 0 };
}

/** When it was last brought up. */
export async function deployedAt(room: RunRoom): Promise<Date> {
  const [known] = await room.rows(`SELECT FROM pg_class WHERE oid = to_regclass('public.crate_migrations')`);
  if (!known) return new Date(0);
  const [row] = await room.rows<{ at: Date | null }>(
    `SELECT max(at) AS at FROM public.crate_migrations WHERE state = 'applied'`,
  );
  return row?.at ?? new Date(0);
}

/** What is parked of it may be purged: it is long ago, and a backup was proven since. */
export async function agreeToPurge(room: RunRoom): Promise<void> {
  await room.control(`
    UPDATE control.parked_object SET parked_at = clock_timestamp() - interval '40 days' WHERE domain = 'crate';
    DELETE FROM control.backup;
    INSERT INTO control.backup (id, scope, domains, location, state, level, snapshot_at, requested_by)
    VALUES (gen_random_uuid(), 'domains', '{crate}', 'none', 'proven', 4, clock_timestamp(), 'test')`);
}

export async function removeCrate(room: RunRoom): Promise<void> {
  await room.rows(`DROP SCHEMA IF EXISTS crate, crate__parked CASCADE; DROP TABLE IF EXISTS public.crate_migrations`);
  for (const table of ['parked_object', 'migration_artifact', 'schema_fingerprint'])
    await room.control(`DELETE FROM control.${table} WHERE domain = 'crate'`);
}
