import { inDatabase } from './database-names.queries.js';
import { SINCE } from './change-log.service.js';
import type { LookContext } from './effect.service.js';

/** Writes that a swap would leave behind: by table, and facts that were announced since. */
export interface WritesSince {
  readonly tables: readonly { readonly table: string; readonly changes: number }[];
  readonly facts: readonly { readonly name: string; readonly count: number }[];
}

export function writesSince(
  { world }: LookContext,
  database: string,
  snapshot: string,
  at: string,
): Promise<WritesSince> {
  return inDatabase(world.targets.databaseUrl, database, 'belay:writes', async (client) => {
    const tables = await client.query<{ table: string; changes: number }>(
      `SELECT a.schema_name || '.' || a.table_name AS "table", count(*)::integer AS changes
       FROM platform.audit_log a WHERE a.operation <> 'READ' AND ${SINCE} GROUP BY 1 ORDER BY 1`,
      [snapshot, at],
    );
    const facts = await client.query<{ name: string; count: number }>(
      `SELECT name, count(*)::integer AS count FROM platform.outbox WHERE occurred_at > $1::timestamptz GROUP BY 1 ORDER BY 1`,
      [at],
    );
    return { tables: tables.rows, facts: facts.rows };
  });
}
