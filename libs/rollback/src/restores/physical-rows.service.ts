import type { RecoveryHooks } from '@belay/platform';
import pg from 'pg';
import { z } from 'zod';
import type { StepContext } from '../engine/action.js';
import { imagesOf } from './image.service.js';
import type { KeptRowsInput } from './restore.contract.js';
import { qualified, quoted, sameKey, tablesOf, type RestoredTable } from './restored-table.queries.js';
import { differs, nameOf } from './row-goal.service.js';

type Physical = RecoveryHooks['physical'];

export interface PhysicalSource {
  readonly table: RestoredTable;
  /** A relation. */
  readonly rows: string;
  readonly columns: readonly string[];
}

/** Whether only maintenance may rewrite the table, or it is derived from one of those. */
export function isPhysical({ fills, derived, truncates }: Physical, name: string): boolean {
  return [...fills.map(({ table }) => table), ...derived, ...truncates].includes(name);
}

/**
 * Puts back the tables that only maintenance may rewrite, as their domain declares it: all of them are copied aside,
 * emptied and filled in order, so that their own triggers derive what follows. Rows that are only there now stay.
 */
export async function refillPhysical(
  ctx: Pick<StepContext, 'runId' | 'stepKey'>,
  client: pg.ClientBase,
  physical: Physical,
  { domain, classes }: KeptRowsInput,
  sources: readonly PhysicalSource[],
): Promise<void> {
  const fills: Fill[] = [];
  for (const [place, { table: name, order }] of physical.fills.entries()) {
    const source = sources.find(({ table }) => nameOf(table) === name);
    if (!source) throw new Error(`${name} was not staged`);
    const rows = `pg_temp.fill_${place}`;
    await client.query(`CREATE TEMPORARY TABLE fill_${place} ON COMMIT DROP AS ${filled(source, classes)}`);
    fills.push({ table: source.table, rows, order });
  }
  const derived = sources
    .filter(({ table }) => physical.derived.includes(nameOf(table)))
    .map(({ table, rows }) => ({ table, rows: [qualified(table), rows] }));
  await rewrite(ctx, client, domain, physical, fills, derived, 'before');
}

/** As the copies have it that were put aside before the restore. */
export async function putBackPhysical(
  ctx: Pick<StepContext, 'runId' | 'stepKey'>,
  client: pg.ClientBase,
  domain: string,
  physical: Physical,
): Promise<void> {
  const tables = await tablesOf(client, domain);
  const find = (name: string) => {
    const table = tables.find((one) => nameOf(one) === name);
    if (!table) throw new Error(`There is no ${name}`);
    return table;
  };
  const image = (table: RestoredTable) => asideOf(ctx, table, 'before');
  const fills = physical.fills.map(({ table: name, order }) => {
    const table = find(name);
    return { table, rows: image(table), order };
  });
  const derived = physical.derived.map((name) => {
    const table = find(name);
    return { table, rows: [qualified(table), image(table)] };
  });
  await rewrite(ctx, client, domain, physical, fills, derived, 'after');
}

interface Fill {
  readonly table: RestoredTable;
  readonly rows: string;
  readonly order: string;
}

/** Rows of a table that is derived, from before and from where rows come: their numbers change when they are derived anew. */
interface Derived {
  readonly table: RestoredTable;
  readonly rows: readonly string[];
}

async function rewrite(
  ctx: Pick<StepContext, 'runId' | 'stepKey'>,
  client: pg.ClientBase,
  domain: string,
  { role, clears, truncates, rebind, derived: names }: Physical,
  fills: readonly Fill[],
  derived: readonly Derived[],
  when: 'before' | 'after',
): Promise<void> {
  const tables = await tablesOf(client, domain);
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${pg.escapeIdentifier(imagesOf(ctx, when).schema)}`);
  for (const name of new Set([...truncates, ...fills.map(({ table }) => nameOf(table)), ...names])) {
    const table = tables.find((one) => nameOf(one) === name);
    if (table) await client.query(`CREATE TABLE ${asideOf(ctx, table, when)} AS SELECT * FROM ${qualified(table)}`);
  }
  // What refers to derived rows by their numbers is told by what these are about.
  const moves = await movesOf(client, fills, derived);
  const readable = [...fills.map(({ rows }) => rows), ...moves.map(({ former }) => former)];
  for (const relation of readable) await client.query(`GRANT SELECT ON ${relation} TO ${pg.escapeIdentifier(role)}`);
  await client.query(
    `GRANT USAGE ON SCHEMA ${pg.escapeIdentifier(imagesOf(ctx, 'before').schema)} TO ${pg.escapeIdentifier(role)}`,
  );
  const lent = await lendSequences(client, role, fills);

  await client.query(`SELECT set_config($1, $2, true)`, [`${domain}.maintenance_run_id`, ctx.runId]);
  await client.query(`SET LOCAL ROLE ${pg.escapeIdentifier(role)}`);
  for (const table of clears) await client.query(`DELETE FROM ${table}`);
  await client.query(`TRUNCATE ${truncates.join(', ')}`);
  for (const { table, rows, order } of fills) {
    const columns = table.columns.map((column) => {
      const move = moves.find((one) => one.child === nameOf(table) && one.column === column);
      return move ? `coalesce(${move.current}, f.${pg.escapeIdentifier(column)})` : `f.${pg.escapeIdentifier(column)}`;
    });
    await client.query(
      `INSERT INTO ${qualified(table)} (${quoted(table.columns)}) OVERRIDING SYSTEM VALUE
       SELECT ${columns.join(', ')} FROM ${rows} f ORDER BY ${order}`,
    );
  }
  for (const sql of rebind) await client.query(sql);
  await client.query(`RESET ROLE`);
  for (const sequence of lent)
    await client.query(`REVOKE USAGE, UPDATE ON SEQUENCE ${sequence} FROM ${pg.escapeIdentifier(role)}`);
}

function asideOf(
  ctx: Pick<StepContext, 'runId' | 'stepKey'>,
  { name }: RestoredTable,
  when: 'before' | 'after',
): string {
  const { schema, suffix } = imagesOf(ctx, when);
  return qualified({ schema, name: `${name.slice(0, 63 - suffix.length)}${suffix}` });
}

/** The chosen differences put right, and whatever is there besides. */
function filled({ table, rows, columns }: PhysicalSource, classes: KeptRowsInput['classes']): string {
  const live = qualified(table);
  const both = `FROM ${live} t JOIN ${rows} p ON ${sameKey(table.key, 't', 'p')}`;
  const list = table.columns.map((name) =>
    classes.includes('changed') && columns.includes(name)
      ? `p.${pg.escapeIdentifier(name)}`
      : `t.${pg.escapeIdentifier(name)}`,
  );
  const missing = table.columns.map((name) => (columns.includes(name) ? `p.${pg.escapeIdentifier(name)}` : 'NULL'));
  const parts = [
    `SELECT ${list.join(', ')} ${both} WHERE ${differs({ columns })}`,
    `SELECT ${quoted(table.columns, 't')} ${both} WHERE NOT (${differs({ columns })})`,
    `SELECT ${quoted(table.columns, 't')} FROM ${live} t WHERE NOT EXISTS (SELECT FROM ${rows} p WHERE ${sameKey(table.key, 't', 'p')})`,
    ...(classes.includes('missing')
      ? [
          `SELECT ${missing.join(', ')} FROM ${rows} p WHERE NOT EXISTS (SELECT FROM ${live} t WHERE ${sameKey(table.key, 't', 'p')})`,
        ]
      : []),
  ];
  return parts.join(' UNION ALL ');
}

interface Move {
  readonly child: string;
  readonly column: string;
  /** A relation with the former numbers. */
  readonly former: string;
  /** SQL for the present number of what `f` refers to. */
  readonly current: string;
}

const reference = z.object({ child: z.string(), column: z.string(), parent: z.string(), key: z.string() });
const unique = z.object({ columns: z.array(z.string()) });

async function movesOf(client: pg.ClientBase, fills: readonly Fill[], derived: readonly Derived[]): Promise<Move[]> {
  const moves: Move[] = [];
  for (const { table, rows } of derived) {
    const { rows: found } = await client.query(
      `SELECT c.relnamespace::regnamespace || '.' || c.relname AS child, a.attname AS column, $2 AS parent, b.attname AS key
       FROM pg_constraint f
       JOIN pg_class c ON c.oid = f.conrelid
       JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]
       JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = f.confkey[1]
       WHERE f.contype = 'f' AND f.confrelid = $1::regclass AND cardinality(f.conkey) = 1`,
      [qualified(table), nameOf(table)],
    );
    const references = z
      .array(reference)
      .parse(found)
      .filter(({ child }) => fills.some((fill) => nameOf(fill.table) === child));
    if (references.length === 0) continue;
    const told = await otherKeyOf(client, table);
    if (told.length === 0) throw new Error(`Rows of ${nameOf(table)} are told apart by their numbers alone`);
    for (const { child, column, key } of references) {
      const former = `pg_temp.former_${moves.length}`;
      const every = rows.map((relation) => `SELECT ${quoted([key, ...told])} FROM ${relation}`).join(' UNION ');
      await client.query(`CREATE TEMPORARY TABLE former_${moves.length} ON COMMIT DROP AS ${every}`);
      moves.push({
        child,
        column,
        former,
        current: `(SELECT n.${pg.escapeIdentifier(key)} FROM ${former} o JOIN ${qualified(table)} n ON ${sameKey(told, 'n', 'o')}
                   WHERE o.${pg.escapeIdentifier(key)} = f.${pg.escapeIdentifier(column)} LIMIT 1)`,
      });
    }
  }
  return moves;
}

/** By which rows are told apart beside their primary key. */
async function otherKeyOf(client: pg.ClientBase, table: RestoredTable): Promise<readonly string[]> {
  const { rows } = await client.query(
    `SELECT ARRAY(SELECT a.attname::text FROM unnest(i.indkey) AS k
                  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k) AS columns
     FROM pg_index i
     WHERE i.indrelid = $1::regclass AND i.indisunique AND NOT i.indisprimary AND i.indpred IS NULL AND i.indexprs IS NULL
     ORDER BY i.indnkeyatts DESC LIMIT 1`,
    [qualified(table)],
  );
  return z.array(unique).parse(rows)[0]?.columns ?? [];
}

/** Only those that the role may not move already. */
async function lendSequences(client: pg.ClientBase, role: string, fills: readonly Fill[]): Promise<string[]> {
  const { rows } = await client.query<{ sequence: string }>(
    `SELECT d.objid::regclass::text AS sequence FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
     WHERE d.refobjid = ANY ($1::regclass[]) AND d.deptype IN ('a', 'i')
       AND NOT has_sequence_privilege($2, d.objid, 'UPDATE')`,
    [fills.map(({ table }) => qualified(table)), role],
  );
  for (const { sequence } of rows) {
    await client.query(`GRANT USAGE, UPDATE ON SEQUENCE ${sequence} TO ${pg.escapeIdentifier(role)}`);
  }
  return rows.map(({ sequence }) => sequence);
}
