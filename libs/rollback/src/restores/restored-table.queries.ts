import pg from 'pg';
import { z } from 'zod';

/** What must be known of a table to put rows of it back. */
export interface RestoredTable {
  readonly schema: string;
  readonly name: string;
  /** Those a statement may write, in the order of the table. */
  readonly columns: readonly string[];
  /** Those that are worked out from others. */
  readonly generated: readonly string[];
  /** Of the primary key; empty when it has none. */
  readonly key: readonly string[];
  /** Its partitions. */
  readonly parts: readonly string[];
  /** A trigger keeps its rows from being changed or deleted. */
  readonly appendOnly: boolean;
  /** Every change of it is in the audit log. */
  readonly audited: boolean;
}

/** A table beside what is kept of it. `rows` is a relation. */
export interface KeptTable {
  readonly table: RestoredTable;
  readonly rows: string;
  /** Both have them. */
  readonly columns: readonly string[];
}

const restoredTable = z.object({
  schema: z.string(),
  name: z.string(),
  columns: z.array(z.string()),
  generated: z.array(z.string()),
  key: z.array(z.string()),
  parts: z.array(z.string()),
  appendOnly: z.boolean(),
  audited: z.boolean(),
});

const reference = z.object({ child: z.string(), parent: z.string() });

/** Tables of a schema with parents before their children; partitions belong to their root. Bits of `tgtype`: 2 before, 8 delete. */
export async function tablesOf(on: pg.ClientBase | pg.Pool, schema: string): Promise<RestoredTable[]> {
  const { rows } = await on.query(
    `SELECT n.nspname AS schema, c.relname AS name,
            ARRAY(SELECT a.attname::text FROM pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
                  ORDER BY a.attnum) AS columns,
            ARRAY(SELECT a.attname::text FROM pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> ''
                  ORDER BY a.attnum) AS generated,
            ARRAY(SELECT a.attname::text
                  FROM pg_index i
                  CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
                  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                  WHERE i.indrelid = c.oid AND i.indisprimary ORDER BY k.place) AS key,
            ARRAY(SELECT p.relname::text FROM pg_partition_tree(c.oid) AS leaf JOIN pg_class p ON p.oid = leaf.relid
                  WHERE leaf.level > 0 ORDER BY p.relname) AS parts,
            EXISTS (SELECT FROM pg_trigger t
                    WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgtype & 2 = 2 AND t.tgtype & 8 = 8) AS "appendOnly",
            EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'audit_log_row') AS audited
     FROM pg_class c
     JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition
     ORDER BY c.relname`,
    [schema],
  );
  const { rows: references } = await on.query(
    `SELECT DISTINCT c.relname AS child, p.relname AS parent
     FROM pg_constraint f
     JOIN pg_class c ON c.oid = f.conrelid
     JOIN pg_class p ON p.oid = f.confrelid
     JOIN pg_namespace n ON n.oid = c.relnamespace AND n.oid = p.relnamespace
     WHERE f.contype = 'f' AND f.conparentid = 0 AND n.nspname = $1 AND c.oid <> p.oid
     ORDER BY 1, 2`,
    [schema],
  );
  return parentsFirst(z.array(restoredTable).parse(rows), z.array(reference).parse(references));
}

function parentsFirst(
  tables: readonly RestoredTable[],
  references: readonly z.infer<typeof reference>[],
): RestoredTable[] {
  const ordered: RestoredTable[] = [];
  const left = new Set(tables);
  while (left.size > 0) {
    const free = [...left].filter(({ name }) =>
      references.every(({ child, parent }) => child !== name || ![...left].some((table) => table.name === parent)),
    );
    // Tables that refer to each other have no order.
    for (const table of free.length > 0 ? free : [...left]) {
      ordered.push(table);
      left.delete(table);
    }
  }
  return ordered;
}

/** `"schema"."table"`, safe in SQL. */
export function qualified({ schema, name }: Pick<RestoredTable, 'schema' | 'name'>): string {
  return `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
}

export function quoted(names: readonly string[], alias?: string): string {
  return names.map((name) => `${alias === undefined ? '' : `${alias}.`}${pg.escapeIdentifier(name)}`).join(', ');
}

/** Whether two rows have the same key, in SQL. */
export function sameKey(key: readonly string[], one: string, other: string): string {
  return key.map((name) => `${one}.${pg.escapeIdentifier(name)} = ${other}.${pg.escapeIdentifier(name)}`).join(' AND ');
}

/** The record of a row as the audit log names it, in SQL. */
export function recordOf(key: readonly string[], alias: string): string {
  const pairs = key.map((name) => `${pg.escapeLiteral(name)}, ${alias}.${pg.escapeIdentifier(name)}`);
  return `jsonb_build_object(${pairs.join(', ')})`;
}
