import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type pg from 'pg';
import { z } from 'zod';

const definition = z.union([z.string(), z.record(z.string(), z.union([z.string(), z.boolean(), z.null()]))]);

/** What a schema consists of: each object with its definition, e.g. `column wms.movement.number`. */
export const catalog = z.record(z.string(), definition);
export type Catalog = z.infer<typeof catalog>;

export interface CatalogFingerprint {
  /** SHA-256 of the catalogue as canonical JSON. */
  readonly sha256: string;
  readonly catalog: Catalog;
}

export interface CatalogDifference {
  readonly object: string;
  readonly change: 'added' | 'removed' | 'changed';
}

/**
 * What the schema of a domain consists of, wherever it is: under its own name, parked, or both. Parked objects have the
 * names they have now. Partitions belong to their root and are left out, because jobs make them; so are the rows, and
 * the order of columns. The client must not be shared while it is asked.
 */
export async function catalogFingerprint(
  client: Pick<pg.ClientBase, 'query'>,
  schema: string,
): Promise<CatalogFingerprint> {
  const { rows: before } = await client.query<{ name: string; value: string }>(
    `SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS name`,
    [Object.keys(written)],
  );
  await set(client, Object.entries(written));
  try {
    const { rows } = await client.query<{ object: string; definition: unknown }>(objects, [schema]);
    const found = catalog.parse(Object.fromEntries(rows.map((row) => [row.object, row.definition])));
    return { sha256: catalogHash(found), catalog: found };
  } finally {
    const settings = before.map(({ name, value }): [string, string] => [name, value]);
    // After a failure inside a transaction nothing can be set, and the rollback sets it back.
    await set(client, settings).catch(() => undefined);
  }
}

/** Expressions are written with all their schemas when none is looked in, and their constants as the session likes. */
const written = { search_path: '', datestyle: 'ISO, MDY', intervalstyle: 'postgres', timezone: 'UTC' };

async function set(client: Pick<pg.ClientBase, 'query'>, settings: readonly [string, string][]): Promise<void> {
  await client.query(
    `SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS setting(name, value)`,
    [settings.map(([name]) => name), settings.map(([, value]) => value)],
  );
}

export function catalogHash(of: Catalog): string {
  return createHash('sha256')
    .update(canonicalize(of) ?? '')
    .digest('hex');
}

/** What must be done to the one to get the other, by name. */
export function catalogDifferences(from: Catalog, to: Catalog): readonly CatalogDifference[] {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
  return names.flatMap((object): CatalogDifference[] => {
    const [before, after] = [from[object], to[object]];
    if (before === undefined) return [{ object, change: 'added' }];
    if (after === undefined) return [{ object, change: 'removed' }];
    return canonicalize(before) === canonicalize(after) ? [] : [{ object, change: 'changed' }];
  });
}

const objects = `
  WITH schemas AS (
    SELECT oid, nspname AS name FROM pg_namespace WHERE nspname IN ($1::text, $1::text || '__parked')),
  relations AS (
    SELECT c.oid, c.relkind, c.relpersistence, s.name || '.' || c.relname AS name
    FROM pg_class c JOIN schemas s ON s.oid = c.relnamespace WHERE NOT c.relispartition)
  SELECT 'schema ' || name AS object, '"exists"'::jsonb AS definition FROM schemas
  UNION ALL
  SELECT 'table ' || name, jsonb_build_object(
           'persistence', relpersistence, 'partitioned', CASE WHEN relkind = 'p' THEN pg_get_partkeydef(oid) END)
  FROM relations WHERE relkind IN ('r', 'p')
  UNION ALL
  SELECT 'column ' || r.name || '.' || a.attname, jsonb_build_object(
           'type', format_type(a.atttypid, a.atttypmod), 'notNull', a.attnotnull,
           'default', pg_get_expr(d.adbin, d.adrelid), 'identity', a.attidentity, 'generated', a.attgenerated)
  FROM relations r
  JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE r.relkind IN ('r', 'p')
  UNION ALL
  SELECT 'constraint ' || r.name || '.' || c.conname, jsonb_build_object(
           'is', pg_get_constraintdef(c.oid), 'validated', c.convalidated)
  FROM relations r JOIN pg_constraint c ON c.conrelid = r.oid AND c.contype <> 'n' AND c.contype <> 't'
  UNION ALL
  SELECT 'index ' || r.name || '.' || x.relname, jsonb_build_object('is', pg_get_indexdef(i.indexrelid), 'valid', i.indisvalid)
  FROM relations r JOIN pg_index i ON i.indrelid = r.oid JOIN pg_class x ON x.oid = i.indexrelid
  UNION ALL
  SELECT 'trigger ' || r.name || '.' || t.tgname, jsonb_build_object('is', pg_get_triggerdef(t.oid), 'enabled', t.tgenabled)
  FROM relations r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
  UNION ALL
  SELECT CASE relkind WHEN 'm' THEN 'materialized view ' ELSE 'view ' END || name, to_jsonb(pg_get_viewdef(oid))
  FROM relations WHERE relkind IN ('v', 'm')
  UNION ALL
  SELECT 'sequence ' || r.name, jsonb_build_object(
           'type', format_type(q.seqtypid, NULL), 'start', q.seqstart::text, 'increment', q.seqincrement::text,
           'least', q.seqmin::text, 'most', q.seqmax::text, 'cycles', q.seqcycle)
  FROM relations r JOIN pg_sequence q ON q.seqrelid = r.oid
  UNION ALL
  SELECT 'function ' || s.name || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
         to_jsonb(pg_get_functiondef(p.oid))
  FROM pg_proc p JOIN schemas s ON s.oid = p.pronamespace WHERE p.prokind IN ('f', 'p')
  UNION ALL
  SELECT 'type ' || s.name || '.' || t.typname, jsonb_build_object(
           'labels', (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
           'of', CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
           'checks', (SELECT string_agg(pg_get_constraintdef(c.oid), ' ' ORDER BY c.conname) FROM pg_constraint c
                      WHERE c.contypid = t.oid AND c.contype = 'c'))
  FROM pg_type t JOIN schemas s ON s.oid = t.typnamespace WHERE t.typtype IN ('e', 'd')`;
