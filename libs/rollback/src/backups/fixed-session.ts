import pg from 'pg';

// Values are written in one way only, whatever the server, the database or the role prefer.
export const fixed = [
  `datestyle = 'ISO, MDY'`,
  `timezone = 'UTC'`,
  `intervalstyle = 'iso_8601'`,
  'extra_float_digits = 1',
  `bytea_output = 'hex'`,
  `xmloption = 'content'`,
  `lc_monetary = 'C'`,
  `client_encoding = 'UTF8'`,
  `search_path = 'pg_catalog'`,
  'row_security = off',
  'statement_timeout = 0',
  'idle_in_transaction_session_timeout = 0',
  `lock_timeout = '5s'`,
  `synchronous_commit = off`,
];

/** A connection of its own for reading and writing rows as a backup has them; ended by whoever asked for it. */
export async function openFixed(url: string, applicationName: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: applicationName,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(fixed.map((setting) => `SET ${setting}`).join('; '));
    return client;
  } catch (error) {
    await client.end();
    throw error;
  }
}

/** Runs the work over all items with so many at a time, and stops at the first that fails. */
export async function eachOf<Item>(
  items: readonly Item[],
  workers: readonly ((item: Item) => Promise<void>)[],
  signal?: AbortSignal,
): Promise<void> {
  const waiting = [...items];
  let failed = false;
  const settled = await Promise.allSettled(
    workers.map(async (work) => {
      for (let item = waiting.shift(); item !== undefined && !failed; item = waiting.shift()) {
        signal?.throwIfAborted();
        try {
          await work(item);
        } catch (error) {
          failed = true;
          throw error;
        }
      }
    }),
  );
  for (const one of settled) if (one.status === 'rejected') throw one.reason;
}

/** Of one row whatever stands in it; the sum of all is the same in whatever order they stand. */
export function contentOf(table: {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
  readonly where: string | null;
}): string {
  const row = table.columns.map((column) => `t.${pg.escapeIdentifier(column)}`).join(', ');
  return `SELECT count(*)::text AS rows, coalesce(sum(hashtextextended(ROW(${row})::text, 0)::numeric), 0)::text AS hash
          FROM ${pg.escapeIdentifier(table.schema)}.${pg.escapeIdentifier(table.table)} t${table.where === null ? '' : ` WHERE ${table.where}`}`;
}
