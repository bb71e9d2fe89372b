import { z } from 'zod';
import type { MigrationSession } from './session.js';
import { ledgersIn } from './targets.js';

/**
 * Lets people write `SELECT * FROM account` without the schema: the database's search_path lists `public` and then the
 * schema of every domain that was ever migrated here, those of this build first and in its order.
 */
export async function writeSearchPath(session: MigrationSession, domains: readonly string[]): Promise<void> {
  const path = ['"$user"', 'public', ...new Set([...domains, ...(await ledgersIn(session))])].join(', ');
  const [database] = await session.rows(
    z.object({ name: z.string(), settings: z.array(z.string()) }),
    `SELECT quote_ident(current_database()) AS name,
            coalesce((SELECT setconfig FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
                      WHERE d.datname = current_database() AND s.setrole = 0), '{}') AS settings`,
  );
  if (!database || database.settings.includes(`search_path=${path}`)) return;
  await session.runner.query(`ALTER DATABASE ${database.name} SET search_path = ${path}`);
}
