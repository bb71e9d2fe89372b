import { pipeline } from 'node:stream/promises';
import type { RecoveryHooks } from '@belay/platform';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { openBackup } from '../backups/open-backup.js';
import { RestoreRefused } from '../rollback.problems.js';
import { inDatabase } from './database-names.queries.js';
import type { LookContext } from './effect.service.js';
import { isPhysical, presentNumbers } from './physical-rows.service.js';
import type { KeptRowsInput } from './restore.contract.js';
import { qualified, quoted, tablesOf, type KeptTable, type RestoredTable } from './restored-table.queries.js';
import { nameOf } from './row-goal.service.js';

/** Where rows are kept; one of the three. */
export type KeptSource = Pick<KeptRowsInput, 'domain' | 'backupId' | 'failedSchema' | 'failedDatabase'>;

/**
 * The tables that are asked for, and the whole group of those that only maintenance may rewrite when one of them is
 * among them: rows of these refer to derived ones by the numbers that those have now.
 */
export async function keptTables(
  ctx: LookContext,
  client: pg.ClientBase,
  input: KeptSource & { readonly tables: readonly string[] },
  physical: RecoveryHooks['physical'] | undefined,
): Promise<readonly KeptTable[]> {
  const group = physical && input.tables.some((name) => isPhysical(physical, name));
  const along = group ? [...physical.fills.map(({ table }) => table), ...physical.derived] : [];
  const names = [...new Set([...input.tables, ...along])];
  const live = await tablesOf(client, input.domain);
  const unknown = names.filter((name) => !live.some((table) => nameOf(table) === name));
  if (unknown.length > 0) throw new RestoreRefused('There are no such tables', { tables: unknown });
  const tables = live.filter((table) => names.includes(nameOf(table)));
  const kept = await from(ctx, client, input, tables);
  return group ? presentNumbers(client, physical, kept) : kept;
}

function from(
  ctx: LookContext,
  client: pg.ClientBase,
  input: KeptSource,
  tables: readonly RestoredTable[],
): Promise<KeptTable[]> {
  if (input.failedSchema !== null) return beside(client, input.failedSchema, tables);
  if (input.failedDatabase !== null) return fromDatabase(ctx, client, input.failedDatabase, tables);
  return fromBackup(ctx, client, input.backupId ?? '', tables);
}

/** Brings the columns of the rows of a table into a temporary one. */
type Copy = (table: RestoredTable, target: string, columns: readonly string[]) => Promise<void>;

async function fromBackup(
  ctx: LookContext,
  client: pg.ClientBase,
  backupId: string,
  tables: readonly RestoredTable[],
): Promise<KeptTable[]> {
  const backup = await openBackup(ctx.world, backupId, ctx.signal);
  const backed = ({ schema, name }: RestoredTable) => {
    const found = backup.table(schema, name);
    if (!found)
      throw new RestoreRefused('The backup does not have the table', { table: `${schema}.${name}`, backupId });
    return found;
  };
  return staged(
    client,
    tables,
    (table) => backed(table).columns,
    async (table, target) => {
      await backup.copyInto(client, backed(table), { schema: 'pg_temp', table: target }, ctx.signal);
    },
  );
}

async function fromDatabase(
  { world, signal }: LookContext,
  client: pg.ClientBase,
  database: string,
  tables: readonly RestoredTable[],
): Promise<KeptTable[]> {
  return inDatabase(world.targets.databaseUrl, database, 'belay:kept', async (other) => {
    await other.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const copy: Copy = async (table, target, columns) => {
      const from = other.query(copyTo(`COPY (SELECT ${quoted(columns)} FROM ${qualified(table)}) TO STDOUT`));
      const into = client.query(copyFrom(`COPY pg_temp.${target} (${quoted(columns)}) FROM STDIN`));
      await pipeline(from, into, { signal });
    };
    const there = new Map<string, readonly string[]>();
    for (const schema of new Set(tables.map((table) => table.schema))) {
      for (const table of await tablesOf(other, schema)) there.set(nameOf(table), table.columns);
    }
    const columnsOf = (table: RestoredTable) => {
      const columns = there.get(nameOf(table));
      if (!columns)
        throw new RestoreRefused('The kept database does not have the table', { table: nameOf(table), database });
      return columns;
    };
    return staged(client, tables, columnsOf, copy);
  });
}

/** Into temporary tables, so that nothing is left of them. */
async function staged(
  client: pg.ClientBase,
  tables: readonly RestoredTable[],
  columnsOf: (table: RestoredTable) => readonly string[],
  copy: Copy,
): Promise<KeptTable[]> {
  const kept: KeptTable[] = [];
  for (const [place, table] of tables.entries()) {
    const there = columnsOf(table);
    const columns = table.columns.filter((name) => there.includes(name));
    const stage = `kept_${place}`;
    await client.query(
      `CREATE TEMPORARY TABLE ${stage} ON COMMIT DROP AS SELECT ${quoted(columns)} FROM ${qualified(table)} WITH NO DATA`,
    );
    for (const gone of there.filter((name) => !columns.includes(name))) {
      await client.query(`ALTER TABLE pg_temp.${stage} ADD COLUMN ${pg.escapeIdentifier(gone)} text`);
    }
    await copy(table, stage, there);
    if (table.key.length > 0) await client.query(`CREATE UNIQUE INDEX ON pg_temp.${stage} (${quoted(table.key)})`);
    await client.query(`ANALYZE pg_temp.${stage}`);
    kept.push({ table, rows: `pg_temp.${stage}`, columns });
  }
  return kept;
}

async function beside(client: pg.ClientBase, schema: string, tables: readonly RestoredTable[]): Promise<KeptTable[]> {
  const there = await tablesOf(client, schema);
  return tables.map((table) => {
    const copy = there.find(({ name }) => name === table.name);
    if (!copy) throw new RestoreRefused('The kept schema does not have the table', { table: nameOf(table), schema });
    const columns = table.columns.filter((name) => copy.columns.includes(name));
    return { table, rows: qualified(copy), columns };
  });
}
