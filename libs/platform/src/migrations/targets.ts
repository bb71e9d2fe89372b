import { z } from 'zod';
import { type BuiltMigration, builtMigrations, type Ledger } from './ledger.js';
import { LedgerUnknown } from './migrations.problems.js';
import { inSession, type MigrationSession } from './session.js';

export interface MigrationTargets {
  readonly databaseUrl: string;
  readonly controlUrl: string;
}

export function urlOf(targets: MigrationTargets, database: Ledger['database']): string {
  return database === 'control' ? targets.controlUrl : targets.databaseUrl;
}

export function builtOf(ledgers: readonly Ledger[], domain: string): readonly BuiltMigration[] {
  const ledger = ledgers.find((one) => one.domain === domain);
  return ledger ? builtMigrations(ledger) : [];
}

/** A domain this build does not know lives in the application database, if it was ever migrated. */
export async function databaseOf(
  targets: MigrationTargets,
  ledgers: readonly Ledger[],
  domain: string,
): Promise<Ledger['database']> {
  const listed = ledgers.find((ledger) => ledger.domain === domain);
  if (listed) return listed.database;
  const present = await inSession(targets.databaseUrl, ledgersIn);
  if (present.includes(domain)) return 'application';
  throw new LedgerUnknown(domain, [...new Set([...ledgers.map((ledger) => ledger.domain), ...present])]);
}

/** The domains that were ever migrated in the database. */
export async function ledgersIn(session: MigrationSession): Promise<readonly string[]> {
  const rows = await session.rows(
    z.object({ domain: z.string() }),
    `SELECT left(c.relname, -length('_migrations')) AS domain
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'checksum'
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname LIKE '%\\_migrations'
     ORDER BY c.relname`,
  );
  return rows.map((row) => row.domain);
}
