import { randomUUIDv7 } from 'node:crypto';
import type pg from 'pg';
import { z } from 'zod';
import type { MigrationSession } from './session.js';

const parkedObject = z.object({
  kind: z.enum(['schema', 'table', 'column', 'view', 'matview']),
  object: z.string(),
  bytes: z.string(),
  /** The tables whose rows it holds, and how many the planner believes there are when they are too many to count. */
  relations: z.array(z.object({ name: z.string(), estimate: z.number().nullable() })),
});
type ParkedObject = z.infer<typeof parkedObject>;

const keyed = z.object({ kind: z.string(), object: z.string() });

/**
 * Writes down in the control database what is parked in a domain's schema now, and what was taken back. It compares
 * with the catalogue, so a run that was killed in between is put right by the next one.
 */
export async function recordParkedObjects(
  domain: string,
  session: MigrationSession,
  control: MigrationSession,
  runId: string | null,
): Promise<void> {
  const parked = await session.rows(parkedObject, catalogue, [domain]);
  const open = await control.rows(
    keyed,
    `SELECT kind, object FROM control.parked_object WHERE domain = $1 AND taken_back_at IS NULL AND purged_by IS NULL`,
    [domain],
  );
  for (const gone of open.filter((one) => !parked.some((other) => same(one, other)))) {
    await control.runner.query(
      `UPDATE control.parked_object SET taken_back_at = clock_timestamp()
       WHERE kind = $1 AND object = $2 AND taken_back_at IS NULL AND purged_by IS NULL`,
      [gone.kind, gone.object],
    );
  }
  for (const added of parked.filter((one) => !open.some((other) => same(one, other)))) {
    await control.runner.query(
      `INSERT INTO control.parked_object (id, domain, kind, object, rows, bytes, run_id, purge_after)
       VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + interval '30 days')`,
      [randomUUIDv7(), domain, added.kind, added.object, await rowsOf(session, added), added.bytes, runId],
    );
  }
}

/** An object that is parked, under the name it had, and what it takes on disk. */
export type ParkedNow = Pick<ParkedObject, 'kind' | 'object'> & { readonly bytes: number };

/** What the catalogue shows of a domain as parked. */
export async function parkedNow(on: pg.Pool | pg.ClientBase, domain: string): Promise<readonly ParkedNow[]> {
  const { rows } = await on.query(catalogue, [domain]);
  return z
    .array(parkedObject)
    .parse(rows)
    .map(({ kind, object, bytes }) => ({ kind, object: object.replaceAll('__parked', ''), bytes: Number(bytes) }));
}

function same(one: z.infer<typeof keyed>, other: z.infer<typeof keyed>): boolean {
  return one.kind === other.kind && one.object === other.object;
}

async function rowsOf(session: MigrationSession, parked: ParkedObject): Promise<string> {
  let rows = 0n;
  for (const { name, estimate } of parked.relations) {
    if (estimate !== null) {
      rows += BigInt(estimate);
      continue;
    }
    const [count] = await session.rows(z.object({ rows: z.string() }), `SELECT count(*) AS rows FROM ${name}`);
    rows += BigInt(count?.rows ?? 0);
  }
  return rows.toString();
}

// A table inside a parked schema keeps the name it had, so that its entry is found again when the schema is back.
// Partitions are part of their root. Tables above 64 MB are not counted when the planner has an estimate.
const catalogue = `
  WITH relations AS (
    SELECT c.oid, c.relname, c.relkind, n.nspname, coalesce(size.bytes, 0) AS bytes,
           CASE WHEN c.relkind <> 'v' THEN jsonb_build_object(
             'name', c.oid::regclass::text,
             'estimate', CASE WHEN size.bytes > 64 * 1024 * 1024 AND size.analysed THEN size.rows END) END AS relation
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (
      SELECT sum(pg_total_relation_size(leaf.oid)) AS bytes, sum(leaf.reltuples)::bigint AS rows,
             bool_and(leaf.reltuples >= 0) AS analysed
      FROM (SELECT c.oid WHERE c.relkind <> 'p'
            UNION ALL SELECT relid FROM pg_partition_tree(c.oid) WHERE c.relkind = 'p' AND isleaf) AS part
      JOIN pg_class leaf ON leaf.oid = part.oid) AS size
    WHERE n.nspname IN ($1::text, $1::text || '__parked') AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition)
  SELECT 'schema' AS kind, $1::text AS object, coalesce(sum(bytes), 0)::text AS bytes,
         coalesce(jsonb_agg(relation) FILTER (WHERE relkind IN ('r', 'p')), '[]') AS relations
  FROM pg_namespace LEFT JOIN relations USING (nspname) WHERE nspname = $1::text || '__parked' GROUP BY nspname
  UNION ALL
  SELECT CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'matview' ELSE 'table' END,
         $1::text || '.' || left(relname, -length('__parked')), bytes::text,
         CASE WHEN relation IS NULL THEN '[]' ELSE jsonb_build_array(relation) END
  FROM relations WHERE relname LIKE '%\\_\\_parked'
  UNION ALL
  SELECT 'column', $1::text || '.' || relname || '.' || left(attname, -length('__parked')), bytes::text, jsonb_build_array(relation)
  FROM relations JOIN pg_attribute ON attrelid = oid AND attnum > 0 AND NOT attisdropped
  WHERE relkind IN ('r', 'p') AND attname LIKE '%\\_\\_parked'`;
