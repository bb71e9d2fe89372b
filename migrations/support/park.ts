import { Conflict } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { z } from 'zod';

const SUFFIX = '__parked';

/** PostgreSQL cuts identifiers at 63 bytes; the suffix must fit behind. */
export const LONGEST_NAME = 63 - SUFFIX.length;

/**
 * What a migration made and its `down()` puts aside instead of dropping: a schema by its bare name, everything else by
 * its qualified name (`sop.sop_documents`, `assignment.assignment_plan_node.priority`).
 */
export type Parkable =
  | string
  | { readonly table: string }
  | { readonly view: string }
  | { readonly materializedView: string }
  | {
      readonly column: string;
      /** SQL expression for rows that were written while a NOT NULL column was parked; its default when absent. */
      readonly fill?: string;
    };

class ParkedAndLive extends Conflict {
  readonly slug = 'parked-and-live';
  readonly title = 'The object is both parked and live';

  constructor(object: string) {
    super(`${object} and ${object}${SUFFIX} both exist; only one of them can be the one that is used.`, { object });
  }
}

/**
 * Renames the object to `…__parked`, so that its rows are kept and nobody finds it by its name. A column also loses
 * NOT NULL and its default, so that code that does not know it can write; both are remembered in its comment.
 */
export async function park(q: QueryRunner, parkable: Parkable): Promise<void> {
  const target = targetOf(parkable);
  const { live, parked } = await presence(q, target);
  if (live && parked) throw new ParkedAndLive(target.label);
  if (!live) throw new Error(`${target.label} does not exist, so it cannot be parked`);
  if (target.kind === 'column') await releaseColumn(q, target);
  await rename(q, target, target.name, `${target.name}${SUFFIX}`);
}

/**
 * Takes the parked object back under its name, and says whether there was one. In a column, rows written meanwhile get
 * the fill and default and NOT NULL return.
 */
export async function unpark(q: QueryRunner, parkable: Parkable): Promise<boolean> {
  const target = targetOf(parkable);
  const { live, parked } = await presence(q, target);
  if (live && parked) throw new ParkedAndLive(target.label);
  if (!parked) return false;
  const rule = target.kind === 'column' ? await columnRuleOf(q, target) : undefined;
  await rename(q, target, `${target.name}${SUFFIX}`, target.name);
  if (target.kind === 'column' && rule) await bindColumn(q, target, rule);
  return true;
}

/** Parks the tables of a migration, by their qualified names. */
export async function parkTables(q: QueryRunner, tables: readonly string[]): Promise<void> {
  for (const table of tables) await park(q, { table });
}

/** Takes the tables of a migration back, and says whether there were any. */
export async function unparkTables(q: QueryRunner, tables: readonly string[]): Promise<boolean> {
  let found = false;
  for (const table of tables) found = (await unpark(q, { table })) || found;
  return found;
}

interface Target {
  readonly kind: 'schema' | 'table' | 'view' | 'materialized view' | 'column';
  /** As people write it, for messages. */
  readonly label: string;
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly fill?: string | undefined;
}

function targetOf(parkable: Parkable): Target {
  if (typeof parkable === 'string')
    return checked({ kind: 'schema', label: parkable, schema: '', table: '', name: parkable });
  if ('column' in parkable) {
    const [schema = '', table = '', name = ''] = parkable.column.split('.');
    return checked({ kind: 'column', label: parkable.column, schema, table, name, fill: parkable.fill });
  }
  if ('table' in parkable) return relation('table', parkable.table);
  if ('view' in parkable) return relation('view', parkable.view);
  return relation('materialized view', parkable.materializedView);
}

function relation(kind: Target['kind'], label: string): Target {
  const [schema = '', name = ''] = label.split('.');
  return checked({ kind, label, schema, table: name, name });
}

function checked(target: Target): Target {
  if (target.name === '') throw new Error(`"${target.label}" is not the qualified name of a ${target.kind}`);
  if (Buffer.byteLength(target.name) > LONGEST_NAME) {
    throw new Error(`The name ${target.label} is too long to be parked: at most ${LONGEST_NAME} bytes fit`);
  }
  return target;
}

async function presence(q: QueryRunner, target: Target): Promise<{ live: boolean; parked: boolean }> {
  const names = [target.name, `${target.name}${SUFFIX}`];
  const found = new Set((await namesInUse(q, target, names)).map((row) => row.name));
  return { live: found.has(target.name), parked: found.has(`${target.name}${SUFFIX}`) };
}

const relationKinds = { table: ['r', 'p'], view: ['v'], 'materialized view': ['m'] };

function namesInUse(q: QueryRunner, target: Target, names: readonly string[]): Promise<{ name: string }[]> {
  const row = z.object({ name: z.string() });
  switch (target.kind) {
    case 'schema':
      return look(q, row, `SELECT nspname AS name FROM pg_namespace WHERE nspname = ANY ($1::text[])`, [names]);
    case 'column':
      return look(
        q,
        row,
        `SELECT attname AS name FROM pg_attribute
         WHERE attrelid = to_regclass($2) AND attname = ANY ($1::text[]) AND attnum > 0 AND NOT attisdropped`,
        [names, tableOf(target)],
      );
    default:
      return look(
        q,
        row,
        `SELECT relname AS name FROM pg_class
         WHERE relnamespace = to_regnamespace($2) AND relname = ANY ($1::text[]) AND relkind = ANY ($3::text[])`,
        [names, quoted(target.schema), relationKinds[target.kind]],
      );
  }
}

async function rename(q: QueryRunner, target: Target, from: string, to: string): Promise<void> {
  switch (target.kind) {
    case 'schema':
      await q.query(`ALTER SCHEMA ${quoted(from)} RENAME TO ${quoted(to)}`);
      return;
    case 'column':
      await q.query(`ALTER TABLE ${tableOf(target)} RENAME COLUMN ${quoted(from)} TO ${quoted(to)}`);
      return;
    default:
      await q.query(
        `ALTER ${target.kind.toUpperCase()} ${quoted(target.schema)}.${quoted(from)} RENAME TO ${quoted(to)}`,
      );
  }
}

/** What a parked column must get back. */
const columnRule = z.object({ notNull: z.boolean(), default: z.string().nullable(), comment: z.string().nullable() });
type ColumnRule = z.infer<typeof columnRule>;

async function releaseColumn(q: QueryRunner, target: Target): Promise<void> {
  const [column] = await look(
    q,
    columnRule.extend({ identity: z.boolean() }),
    `SELECT a.attnotnull AS "notNull", CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END AS "default",
            col_description(a.attrelid, a.attnum) AS comment, a.attidentity <> '' AS identity
     FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = to_regclass($1) AND a.attname = $2`,
    [tableOf(target), target.name],
  );
  if (!column) throw new Error(`${target.label} does not exist, so it cannot be parked`);
  if (column.identity) throw new Error(`${target.label} is an identity column; park its table instead`);

  const alter = `ALTER TABLE ${tableOf(target)} ALTER COLUMN ${quoted(target.name)}`;
  if (column.notNull) await q.query(`${alter} DROP NOT NULL`);
  if (column.default !== null) await q.query(`${alter} DROP DEFAULT`);
  await comment(q, target, JSON.stringify(columnRule.parse(column)));
}

async function columnRuleOf(q: QueryRunner, target: Target): Promise<ColumnRule> {
  const [column] = await look(
    q,
    z.object({ rule: columnRule }),
    `SELECT col_description(attrelid, attnum)::jsonb AS rule FROM pg_attribute
     WHERE attrelid = to_regclass($1) AND attname = $2`,
    [tableOf(target), `${target.name}${SUFFIX}`],
  );
  if (!column) throw new Error(`${target.label}${SUFFIX} has lost the comment that says how it was declared`);
  return column.rule;
}

async function bindColumn(q: QueryRunner, target: Target, rule: ColumnRule): Promise<void> {
  const column = quoted(target.name);
  const alter = `ALTER TABLE ${tableOf(target)} ALTER COLUMN ${column}`;
  if (rule.default !== null) await q.query(`${alter} SET DEFAULT ${rule.default}`);
  if (rule.notNull) {
    const fill = target.fill ?? rule.default;
    if (fill !== null) await q.query(`UPDATE ${tableOf(target)} SET ${column} = ${fill} WHERE ${column} IS NULL`);
    await q.query(`${alter} SET NOT NULL`);
  }
  await comment(q, target, rule.comment);
}

async function comment(q: QueryRunner, target: Target, text: string | null): Promise<void> {
  const literal = text === null ? 'NULL' : `'${text.replaceAll("'", "''")}'`;
  await q.query(`COMMENT ON COLUMN ${tableOf(target)}.${quoted(target.name)} IS ${literal}`);
}

/** Statements with parameters only look; the runner keeps them out of the SQL that it stores. */
async function look<Row>(q: QueryRunner, row: z.ZodType<Row>, sql: string, parameters: unknown[]): Promise<Row[]> {
  return z.array(row).parse(await q.query(sql, parameters));
}

function tableOf(target: Target): string {
  return `${quoted(target.schema)}.${quoted(target.table)}`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
