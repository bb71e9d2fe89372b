import type pg from 'pg';
import { z } from 'zod';

const table = z.object({ table: z.string(), rows: z.string().transform(Number), bytes: z.string().transform(Number) });
export type TableImpact = z.infer<typeof table>;

/** Bytes of the tables of these domains, live or parked, and their rows as the catalogue has them; partitions in their root. */
export async function tablesAtRisk(on: pg.Pool | pg.ClientBase, domains: readonly string[]): Promise<TableImpact[]> {
  const { rows } = await on.query(sizes, [[...domains]]);
  const found = z.array(table.extend({ analysed: z.boolean() })).parse(rows);
  const uncounted = found.filter(({ analysed, bytes }) => !analysed && bytes <= COUNTED_BYTES);
  const counted = new Map<string, number>();
  if (uncounted.length > 0) {
    const counts = uncounted.map(({ table: name }, n) => `SELECT ${n} AS n, count(*) AS rows FROM ${name}`);
    const answer = await on.query(counts.join(' UNION ALL '));
    for (const { n, rows: count } of z.array(z.object({ n: z.number(), rows: z.string() })).parse(answer.rows)) {
      counted.set(uncounted[n]?.table ?? '', Number(count));
    }
  }
  return found.map(({ table: name, rows: estimate, bytes }) => ({
    table: name,
    rows: counted.get(name) ?? Math.max(estimate, 0),
    bytes,
  }));
}

/** Tables that were never analysed have no figure in the catalogue; small ones are counted. */
const COUNTED_BYTES = 16 * 1024 * 1024;

const sizes = `
  SELECT format('%I.%I', n.nspname, c.relname) AS table, coalesce(sum(leaf.reltuples), 0)::bigint::text AS rows,
         coalesce(sum(pg_total_relation_size(leaf.oid)), 0)::text AS bytes, bool_and(leaf.reltuples >= 0) AS analysed
  FROM unnest($1::text[]) AS domain
  JOIN pg_namespace n ON n.nspname IN (domain, domain || '__parked')
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  CROSS JOIN LATERAL (
    SELECT part.oid FROM (SELECT c.oid WHERE c.relkind = 'r'
      UNION ALL SELECT relid FROM pg_partition_tree(c.oid) WHERE c.relkind = 'p' AND isleaf) AS part) AS part
  JOIN pg_class leaf ON leaf.oid = part.oid
  GROUP BY n.nspname, c.relname ORDER BY 3::bigint DESC, 1`;

/** Objects outside of these domains' schemas that rest on something in them, as people name them. */
export async function dependentsOf(on: pg.Pool | pg.ClientBase, domains: readonly string[]): Promise<string[]> {
  const { rows } = await on.query<{ name: string }>(dependents, [[...domains]]);
  return rows.map(({ name }) => name);
}

const dependents = `
  WITH schemas AS (
    SELECT n.oid FROM unnest($1::text[]) AS domain JOIN pg_namespace n ON n.nspname IN (domain, domain || '__parked')),
  inside AS (
    SELECT 'pg_class'::regclass AS class, oid FROM pg_class WHERE relnamespace IN (SELECT oid FROM schemas)
    UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_type WHERE typnamespace IN (SELECT oid FROM schemas)
    UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc WHERE pronamespace IN (SELECT oid FROM schemas))
  SELECT DISTINCT name FROM (
    SELECT CASE d.classid
             WHEN 'pg_rewrite'::regclass THEN (SELECT format('%s %s', CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END,
               format('%I.%I', n.nspname, c.relname)) FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
               JOIN pg_namespace n ON n.oid = c.relnamespace WHERE r.oid = d.objid AND c.relnamespace NOT IN (SELECT oid FROM schemas))
             WHEN 'pg_constraint'::regclass THEN (SELECT format('foreign key %s of %s', k.conname, format('%I.%I', n.nspname, c.relname))
               FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE k.oid = d.objid AND c.relnamespace NOT IN (SELECT oid FROM schemas))
             WHEN 'pg_attrdef'::regclass THEN (SELECT format('default of %I.%I', n.nspname, c.relname)
               FROM pg_attrdef a JOIN pg_class c ON c.oid = a.adrelid JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE a.oid = d.objid AND c.relnamespace NOT IN (SELECT oid FROM schemas))
             WHEN 'pg_trigger'::regclass THEN (SELECT format('trigger %s of %s', t.tgname, format('%I.%I', n.nspname, c.relname))
               FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE t.oid = d.objid AND NOT t.tgisinternal AND c.relnamespace NOT IN (SELECT oid FROM schemas))
             WHEN 'pg_proc'::regclass THEN (SELECT format('function %I.%I', n.nspname, p.proname)
               FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
               WHERE p.oid = d.objid AND p.pronamespace NOT IN (SELECT oid FROM schemas))
             WHEN 'pg_class'::regclass THEN (SELECT format('%s %I.%I', CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, n.nspname, c.relname)
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE c.oid = d.objid AND c.relkind IN ('r', 'p', 'S') AND c.relnamespace NOT IN (SELECT oid FROM schemas))
           END AS name
    FROM pg_depend d JOIN inside ON inside.class = d.refclassid AND inside.oid = d.refobjid
    WHERE d.deptype IN ('n', 'a')) AS found
  WHERE name IS NOT NULL ORDER BY name`;
