import pg from 'pg';
import { z } from 'zod';
import { RestoreRefused } from '../rollback.problems.js';
import { qualified, quoted, recordOf, sameKey, type RestoredTable } from './restored-table.queries.js';

/** What rows of a table are to be. `present` and `absent` are relations or queries in parentheses, as in FROM. */
export interface RowGoal {
  readonly table: RestoredTable;
  /** That `present` has; others keep what they are, or their defaults. */
  readonly columns: readonly string[];
  readonly present: string;
  /** Has the key of every row that is not to be there. */
  readonly absent: string | null;
  /** Which rows of `present` are put right; all when left out. */
  readonly only?: 'missing' | 'changed';
}

export interface RowCounts {
  readonly table: string;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

/** Tells an image of a row that was there from the key of one that was not. */
const EXISTED = 'belay_existed';

/**
 * Brings the rows about, parents and children in whatever order, and keeps every row that it touches as it was in the
 * table `image` of the same name. Triggers of the tables rest meanwhile, so that rows become exactly what they are to
 * be; the audit log is written all the same, and references are checked at the end. What is right already is not
 * touched. The schema for the images is made when it is missing. Rows that were damaged before may go back to that, with
 * references `as they were`.
 */
export async function reachGoals(
  client: pg.ClientBase,
  goals: readonly RowGoal[],
  images: { readonly schema: string; readonly suffix: string },
  references: 'checked' | 'as they were' = 'checked',
): Promise<RowCounts[]> {
  if (goals.length === 0) return [];
  const tables = goals.map(({ table }) => table);
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${pg.escapeIdentifier(images.schema)}`);
  await client.query(`LOCK TABLE ${tables.map(qualified).join(', ')} IN SHARE ROW EXCLUSIVE MODE`);
  await client.query(`SET LOCAL session_replication_role = replica`);
  const counts: RowCounts[] = [];
  for (const goal of goals) counts.push(await reachGoal(client, goal, imageOf(images, goal.table)));
  for (const table of tables) await moveSequences(client, table);
  await client.query(`SET LOCAL session_replication_role = DEFAULT`);
  if (references === 'checked') await refuseDangling(client, tables);
  return counts;
}

/** The way back from `reachGoals`: rows as the images have them. */
export function formerRows(
  table: RestoredTable,
  images: { readonly schema: string; readonly suffix: string },
): RowGoal {
  const image = imageOf(images, table);
  return {
    table,
    columns: table.columns,
    present: `(SELECT ${quoted(table.columns)} FROM ${image} WHERE ${EXISTED})`,
    absent: `(SELECT ${quoted(table.key)} FROM ${image} WHERE NOT ${EXISTED})`,
  };
}

/** What would be done: nothing once the goal is reached. */
export async function distance(client: pg.ClientBase, goal: RowGoal): Promise<RowCounts> {
  const { table, present, absent } = goal;
  const { rows } = await client.query(
    `SELECT (SELECT count(*)::integer FROM ${present} p
             WHERE NOT EXISTS (SELECT FROM ${qualified(table)} t WHERE ${sameKey(table.key, 't', 'p')})) AS inserted,
            (SELECT count(*)::integer FROM ${present} p JOIN ${qualified(table)} t ON ${sameKey(table.key, 't', 'p')}
             WHERE ${differs(goal)}) AS updated,
            ${
              absent === null
                ? '0'
                : `(SELECT count(*)::integer FROM ${absent} a JOIN ${qualified(table)} t ON ${sameKey(table.key, 't', 'a')})`
            } AS deleted`,
  );
  const [counts] = z.array(z.object({ inserted: z.number(), updated: z.number(), deleted: z.number() })).parse(rows);
  return { table: nameOf(table), ...(counts ?? { inserted: 0, updated: 0, deleted: 0 }) };
}

export function nameOf({ schema, name }: Pick<RestoredTable, 'schema' | 'name'>): string {
  return `${schema}.${name}`;
}

/** Also of types that cannot be compared, such as json. */
export function differs({ columns }: Pick<RowGoal, 'columns'>): string {
  return `ROW(${quoted(columns, 'p')})::text IS DISTINCT FROM ROW(${quoted(columns, 't')})::text`;
}

function imageOf({ schema, suffix }: { schema: string; suffix: string }, { name }: RestoredTable): string {
  return qualified({ schema, name: `${name.slice(0, 63 - suffix.length)}${suffix}` });
}

async function reachGoal(client: pg.ClientBase, goal: RowGoal, image: string): Promise<RowCounts> {
  const { table, columns, present, absent, only } = goal;
  const live = qualified(table);
  const every = [...table.columns, ...table.generated];
  const gone = absent === null ? 'false' : `EXISTS (SELECT FROM ${absent} a WHERE ${sameKey(table.key, 't', 'a')})`;
  await client.query(
    `CREATE TABLE ${image} AS
     SELECT ${quoted(every, 't')}, true AS ${EXISTED} FROM ${live} t
     WHERE ${only === 'missing' ? 'false' : `EXISTS (SELECT FROM ${present} p WHERE ${sameKey(table.key, 't', 'p')} AND ${differs(goal)})`}
        OR ${gone}`,
  );
  if (only !== 'changed') {
    await client.query(
      `INSERT INTO ${image} (${quoted(table.key)}, ${EXISTED})
       SELECT ${quoted(table.key, 'p')}, false FROM ${present} p
       WHERE NOT EXISTS (SELECT FROM ${live} t WHERE ${sameKey(table.key, 't', 'p')})`,
    );
  }
  await client.query(`ANALYZE ${image}`);
  await client.query(`DELETE FROM ${live} t USING ${image} i WHERE ${sameKey(table.key, 't', 'i')}`);
  // Columns that what is put back does not know keep their content, or get their default.
  const again = table.columns.map((name) =>
    columns.includes(name) ? `p.${pg.escapeIdentifier(name)}` : `i.${pg.escapeIdentifier(name)}`,
  );
  const updated = await client.query(
    `INSERT INTO ${live} (${quoted(table.columns)}) OVERRIDING SYSTEM VALUE
     SELECT ${again.join(', ')} FROM ${present} p JOIN ${image} i ON ${sameKey(table.key, 'p', 'i')} WHERE i.${EXISTED}`,
  );
  const inserted = await client.query(
    `INSERT INTO ${live} (${quoted(columns)}) OVERRIDING SYSTEM VALUE
     SELECT ${quoted(columns, 'p')} FROM ${present} p JOIN ${image} i ON ${sameKey(table.key, 'p', 'i')}
     WHERE NOT i.${EXISTED}`,
  );
  const { rows } = await client.query<{ existed: number }>(
    `SELECT count(*)::integer AS existed FROM ${image} WHERE ${EXISTED}`,
  );
  if (table.audited) await writeAuditLog(client, table, image);
  const [changed, added] = [updated.rowCount ?? 0, inserted.rowCount ?? 0];
  return { table: nameOf(table), inserted: added, updated: changed, deleted: (rows[0]?.existed ?? 0) - changed };
}

/** As the triggers would have written it. */
async function writeAuditLog(client: pg.ClientBase, table: RestoredTable, image: string): Promise<void> {
  await client.query(
    `INSERT INTO platform.audit_log (schema_name, table_name, record, operation, old, new, actor, request_id, reason)
     SELECT $1, $2, ${recordOf(table.key, 'i')},
            CASE WHEN NOT i.${EXISTED} THEN 'INSERT' WHEN t IS NULL THEN 'DELETE' ELSE 'UPDATE' END,
            CASE WHEN i.${EXISTED} THEN to_jsonb(i) - '${EXISTED}' END, to_jsonb(t),
            nullif(current_setting('belay.actor', true), ''), nullif(current_setting('belay.request_id', true), ''),
            nullif(current_setting('belay.reason', true), '')
     FROM ${image} i LEFT JOIN LATERAL (SELECT n.* FROM ${qualified(table)} n WHERE ${sameKey(table.key, 'n', 'i')}) t ON true`,
    [table.schema, table.name],
  );
}

/** Numbers that the table's own sequences give are never given twice. */
async function moveSequences(client: pg.ClientBase, table: RestoredTable): Promise<void> {
  const { rows } = await client.query(
    `SELECT d.objid::regclass::text AS sequence, a.attname AS column
     FROM pg_depend d
     JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
     JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
     WHERE d.classid = 'pg_class'::regclass AND d.refobjid = $1::regclass AND d.deptype IN ('a', 'i')`,
    [qualified(table)],
  );
  for (const { sequence, column } of z.array(z.object({ sequence: z.string(), column: z.string() })).parse(rows)) {
    await client.query(
      `SELECT setval($1::regclass, m.highest)
       FROM (SELECT max(${pg.escapeIdentifier(column)})::bigint AS highest FROM ${qualified(table)}) m
       WHERE m.highest > (SELECT last_value FROM ${sequence})`,
      [sequence],
    );
  }
}

const referenceCheck = z.object({ name: z.string(), sql: z.string() });

/** Every reference from or to the tables leads somewhere. */
async function refuseDangling(client: pg.ClientBase, tables: readonly RestoredTable[]): Promise<void> {
  const { rows } = await client.query(
    `SELECT f.conname AS name,
            format('SELECT count(*)::integer AS orphans FROM %s c WHERE %s AND NOT EXISTS (SELECT FROM %s p WHERE %s)',
                   f.conrelid::regclass, string_agg(format('c.%I IS NOT NULL', a.attname), ' AND '),
                   f.confrelid::regclass, string_agg(format('p.%I = c.%I', b.attname, a.attname), ' AND ')) AS sql
     FROM pg_constraint f
     CROSS JOIN unnest(f.conkey, f.confkey) AS k (child, parent)
     JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.child
     JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = k.parent
     WHERE f.contype = 'f' AND f.conparentid = 0
       AND (f.conrelid = ANY ($1::regclass[]) OR f.confrelid = ANY ($1::regclass[]))
     GROUP BY f.oid`,
    [tables.map(qualified)],
  );
  const dangling: { readonly constraint: string; readonly rows: number }[] = [];
  for (const { name, sql } of z.array(referenceCheck).parse(rows)) {
    const found = await client.query<{ orphans: number }>(sql);
    const orphans = found.rows[0]?.orphans ?? 0;
    if (orphans > 0) dangling.push({ constraint: name, rows: orphans });
  }
  if (dangling.length > 0) {
    throw new RestoreRefused('Rows would refer to rows that are not there', { dangling });
  }
}
