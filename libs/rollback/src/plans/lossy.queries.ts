import type pg from 'pg';
import type { LedgerLine } from './actual-state.queries.js';

/** Those of the migrations that cannot be taken back from what they leave, as `domain/name`. */
export async function lossyAmong(
  control: pg.Pool,
  lines: readonly (LedgerLine & { readonly domain: string })[],
): Promise<readonly string[]> {
  const { rows } = await control.query<{ name: string }>(
    `SELECT a.domain || '/' || a.name AS name FROM control.migration_artifact a
     JOIN jsonb_to_recordset($1::jsonb) AS line(domain text, name text, checksum text) USING (domain, name, checksum)
     WHERE a.class = 'lossy' ORDER BY 1`,
    [JSON.stringify(lines)],
  );
  return rows.map(({ name }) => name);
}
