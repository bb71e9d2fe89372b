import type { RecoveryHooks } from '@belay/platform';
import pg from 'pg';
import { z } from 'zod';
import type { StepContext } from '../engine/action.js';
import { imagesOf } from './image.service.js';
import type { KeptRowsInput } from './restore.contract.js';
import { qualified, quoted, sameKey, tablesOf, type KeptTable, type RestoredTable } from './restored-table.queries.js';
import { differs, nameOf, reachGoals, type RowGoal } from './row-goal.service.js';

type Physical = RecoveryHooks['physical'];

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
  sources: readonly KeptTable[],
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
  await rewrite(ctx, client, domain, physical, fills, derived);
}

/** Exactly as the copies have it that were put aside before the restore, damage and all. */
export async function putBackPhysical(
  ctx: Pick<StepContext, 'runId' | 'stepKey'>,
  client: pg.ClientBase,
  domain: string,
  physical: Physical,
): Promise<void> {
  const goals: RowGoal[] = [];
  for (const table of await tablesOf(client, domain)) {
    if (!isPhysical(physical, nameOf(table))) continue;
    const image = asideOf(ctx, table, 'before');
    const gone = `SELECT FROM ${image} i WHERE ${sameKey(table.key, 'i', 'l')}`;
    goals.push({
      table,
      columns: table.columns,
      present: image,
      absent: `(SELECT ${quoted(table.key, 'l')} FROM ${qualified(table)} l WHERE NOT EXISTS (${gone}))`,
    });
  }
  await reachGoals(client, goals, imagesOf(ctx, 'after'), 'as they were');
}

/** Rows that refer to derived ones, with the numbers that those have now, wherever there still are such. */
export async function presentNumbers(
  client: pg.ClientBase,
  physical: Physical,
  kept: readonly KeptTable[],
): Promise<readonly KeptTable[]> {
  const fills = kept.filter(({ table }) => physical.fills.some((fill) => fill.table === nameOf(table)));
  const derived = kept
    .filter(({ table }) => physical.derived.includes(nameOf(table)))
    .map(({ table, rows }) => ({ table, rows: [rows] }));
  const moves = await movesOf(client, fills, derived, 'kept_number');
  const moved: KeptTable[] = [];
  for (const one of kept) {
    const own = moves.filter(({ child }) => child === nameOf(one.table));
    if (own.length === 0) {
      moved.push(one);
      continue;
    }
    const columns = one.columns.map((column) => numbered(column, own));
    const rows = `moved_${moved.length}`;
    await client.query(
      `CREATE TEMPORARY TABLE ${rows} ON COMMIT DROP AS SELECT ${columns.join(', ')} FROM ${one.rows} f`,
    );
    moved.push({ ...one, rows: `pg_temp.${rows}` });
  }
  return moved;
}

function numbered(column: string, moves: readonly Move[]): string {
  const own = `f.${pg.escapeIdentifier(column)}`;
  const move = moves.find((one) => one.column === column);
  return move ? `coalesce(${move.current}, ${own}) AS ${pg.escapeIdentifier(column)}` : own;
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
): Promise<void> {
  const tables = await tablesOf(client, domain);
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${pg.escapeIdentifier(imagesOf(ctx, 'before').schema)}`);
  for (const name of new Set([...truncates, ...fills.map(({ table }) => nameOf(table)), ...names])) {
    const table = tables.find((one) => nameOf(one) === name);
    if (table) await client.query(`CREATE TABLE ${asideOf(ctx, table, 'before')} AS SELECT * FROM ${qualified(table)}`);
  }
  // What refers to derived rows by their numbers is told by what these are about.
  const moves = await movesOf(client, fills, derived, 'rewritten');
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
    const own = moves.filter(({ child }) => child === nameOf(table));
    const columns = table.columns.map((column) => numbered(column, own));
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
function filled({ table, rows, columns }: KeptTable, classes: KeptRowsInput['classes']): string {
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

async function movesOf(
  client: pg.ClientBase,
  fills: readonly Pick<Fill, 'table'>[],
  derived: readonly Derived[],
  when: string,
): Promise<Move[]> {
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
      const name = `${when}_${moves.length}`;
      const former = `pg_temp.${name}`;
      const every = rows.map((relation) => `SELECT ${quoted([key, ...told])} FROM ${relation}`).join(' UNION ');
      await client.query(`CREATE TEMPORARY TABLE ${name} ON COMMIT DROP AS ${every}`);
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
       AND CASE WHEN s.relkind = 'S' THEN NOT has_sequence_privilege($2, d.objid, 'UPDATE') END`,
    [fills.map(({ table }) => qualified(table)), role],
  );
  for (const { sequence } of rows) {
    await client.query(`GRANT USAGE, UPDATE ON SEQUENCE ${sequence} TO ${pg.escapeIdentifier(role)}`);
  }
  return rows.map(({ sequence }) => sequence);
}
