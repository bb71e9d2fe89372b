import pg from 'pg';
import { z } from 'zod';
import type { BackupManifest } from '../backups/backup.contract.js';

const tableRow = z.object({ schema: z.string(), table: z.string() });
const figuresRow = z.object({ rows: z.string(), younger: z.string() });

/**
 * Tables of the domains (`aside`: of what is parked of them) that may have been written since the backup although nothing logs
 * their changes. A row says by its transaction whether it was there before; one that is gone is missed by the number of rows.
 * What was written while another transaction was still at work at the moment of the backup counts as written since.
 */
export async function writtenUnlogged(
  application: pg.Pool,
  { tables, snapshot }: Pick<BackupManifest, 'tables' | 'snapshot'>,
  { domains, aside, signal }: { domains: readonly string[]; aside: boolean; signal: AbortSignal },
): Promise<readonly string[]> {
  const schemas = domains.flatMap((domain) => [...(aside ? [] : [domain]), `${domain}__parked`]);
  const kept = new Map(tables.map((table) => [nameOf(table), table.rows]));
  const there = z.array(tableRow).parse((await application.query(unlogged, [schemas])).rows);
  const written: string[] = [];
  for (const one of there) {
    signal.throwIfAborted();
    const from = `${pg.escapeIdentifier(one.schema)}.${pg.escapeIdentifier(one.table)}`;
    const { rows } = await application.query(`${figures} FROM ${from}`, [snapshot]);
    const [found] = z.array(figuresRow).parse(rows);
    const name = nameOf(one);
    if (found?.rows !== (kept.get(name) ?? '0') || found.younger !== '0') written.push(name);
  }
  return written;
}

/** Whether it is parked or not: the plan may have parked a part of it since. */
function nameOf({ schema, table }: z.infer<typeof tableRow>): string {
  return `${schema.replace(/__parked$/, '')}.${table.replace(/__parked$/, '')}`;
}

// With none of the triggers that write the log, or with one that is switched off.
const unlogged = `
  SELECT n.nspname AS schema, c.relname AS table FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND NOT coalesce((SELECT bool_and(t.tgenabled IN ('O', 'A')) FROM pg_trigger t
                      WHERE t.tgrelid = c.oid AND t.tgfoid = to_regproc('platform.write_audit_log')), false)
  ORDER BY 1, 2`;

// A row of long ago, which was frozen since, has an age below zero.
const figures = `
  SELECT count(*)::text AS rows,
         count(*) FILTER (WHERE age(xmin) BETWEEN 0 AND age(pg_snapshot_xmin($1::pg_snapshot)::xid))::text AS younger`;
