import { z } from 'zod';
import { DomainMigrator, type MigrationStep } from './domain-migrator.js';
import { builtMigrations, type Ledger } from './ledger.js';
import { LedgerTable } from './ledger-table.js';
import { LedgerUnknown } from './migrations.problems.js';
import { type RetryClock, systemClock } from './retry.js';
import { writeSearchPath } from './search-path.js';
import { MigrationSession } from './session.js';
import { Vault } from './vault.js';

export interface MigrationTargets {
  readonly databaseUrl: string;
  readonly controlUrl: string;
}

export interface MigrateOptions {
  /** Says what would be done, having tried it in a transaction that is rolled back; leaves nothing. */
  readonly dryRun?: boolean;
  /** Stored with the SQL in the vault; the build's SHA. */
  readonly release?: string;
  /** How long to wait for another runner. Five minutes when absent. */
  readonly waitMs?: number;
  readonly clock?: RetryClock;
}

export interface MigrationStatus {
  readonly domain: string;
  readonly name: string;
  readonly state: 'applied' | 'parked' | 'pending';
  readonly at: Date | null;
  /** `missing`: this build has no such file. `changed`: it has another than the one that was applied. */
  readonly build: 'same' | 'changed' | 'missing';
}

/** Brings every domain of the build up, the control database first; done twice it changes nothing. */
export async function migrateAll(
  targets: MigrationTargets,
  ledgers: readonly Ledger[],
  options: MigrateOptions = {},
): Promise<readonly MigrationStep[]> {
  const steps: MigrationStep[] = [];
  for (const database of ['control', 'application'] as const) {
    const domains = ledgers.filter((ledger) => ledger.database === database).map((ledger) => ledger.domain);
    steps.push(...(await migrate(targets, ledgers, { database, domains, direction: 'up' }, options)));
  }
  return steps;
}

/** Brings one domain up, to the named migration when there is a `to`. Also takes back what only the vault knows. */
export async function migrateUp(
  targets: MigrationTargets,
  ledgers: readonly Ledger[],
  domain: string,
  options: MigrateOptions & { readonly to?: string } = {},
): Promise<readonly MigrationStep[]> {
  const database = await databaseOf(targets, ledgers, domain);
  return migrate(targets, ledgers, { database, domains: [domain], direction: 'up', to: options.to }, options);
}

/** Parks one domain, newest migration first, until the named one is the last that is applied. */
export async function migrateDown(
  targets: MigrationTargets,
  ledgers: readonly Ledger[],
  domain: string,
  options: MigrateOptions & { readonly to?: string } = {},
): Promise<readonly MigrationStep[]> {
  const database = await databaseOf(targets, ledgers, domain);
  return migrate(targets, ledgers, { database, domains: [domain], direction: 'down', to: options.to }, options);
}

/** Every migration that the build or the ledgers know, of one domain or of all. Changes nothing. */
export async function migrationStatus(
  targets: MigrationTargets,
  ledgers: readonly Ledger[],
  domain?: string,
): Promise<readonly MigrationStatus[]> {
  const statuses: MigrationStatus[] = [];
  for (const database of ['control', 'application'] as const) {
    await inSession(urlOf(targets, database), async (session) => {
      const present = database === 'application' ? await ledgersIn(session) : [];
      const listed = ledgers.filter((ledger) => ledger.database === database).map((ledger) => ledger.domain);
      for (const name of new Set([...listed, ...present])) {
        if (domain === undefined || domain === name) statuses.push(...(await statusOf(session, ledgers, name)));
      }
    });
  }
  if (domain !== undefined && statuses.length === 0) await databaseOf(targets, ledgers, domain);
  return statuses;
}

async function migrate(
  targets: MigrationTargets,
  ledgers: readonly Ledger[],
  work: { database: Ledger['database']; domains: readonly string[]; direction: 'up' | 'down'; to?: string | undefined },
  { dryRun = false, release = 'development', waitMs = 300_000, clock = systemClock }: MigrateOptions,
): Promise<readonly MigrationStep[]> {
  return inSession(urlOf(targets, work.database), async (session) => {
    await session.lock(work.database, waitMs, clock);
    const run = async (vault: Vault): Promise<readonly MigrationStep[]> => {
      const steps: MigrationStep[] = [];
      for (const domain of work.domains) {
        const migrator = new DomainMigrator(domain, builtOf(ledgers, domain), session, vault, {
          dryRun,
          release,
          clock,
        });
        steps.push(...(await migrator.migrate(work.direction, work.to)));
      }
      return steps;
    };
    const all = (vault: Vault) => (dryRun ? session.transaction(() => run(vault), 'rollback') : run(vault));

    const steps =
      work.database === 'control'
        ? await all(new Vault(session))
        : await inSession(targets.controlUrl, (control) => all(new Vault(control)));
    if (!dryRun) {
      const listed = ledgers.filter((ledger) => ledger.database === work.database).map((ledger) => ledger.domain);
      await writeSearchPath(session, listed);
    }
    return steps;
  });
}

async function inSession<Result>(url: string, work: (session: MigrationSession) => Promise<Result>): Promise<Result> {
  const session = await MigrationSession.open(url);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

function urlOf(targets: MigrationTargets, database: Ledger['database']): string {
  return database === 'control' ? targets.controlUrl : targets.databaseUrl;
}

function builtOf(ledgers: readonly Ledger[], domain: string) {
  const ledger = ledgers.find((one) => one.domain === domain);
  return ledger ? builtMigrations(ledger) : [];
}

/** A domain this build does not know lives in the application database, if it was ever migrated. */
async function databaseOf(
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

async function ledgersIn(session: MigrationSession): Promise<readonly string[]> {
  const rows = await session.rows(
    z.object({ domain: z.string() }),
    `SELECT left(tablename, -length('_migrations')) AS domain FROM pg_tables
     WHERE schemaname = 'public' AND tablename LIKE '%\\_migrations' ORDER BY tablename`,
  );
  return rows.map((row) => row.domain);
}

async function statusOf(
  session: MigrationSession,
  ledgers: readonly Ledger[],
  domain: string,
): Promise<MigrationStatus[]> {
  const rows = new Map((await new LedgerTable(session, domain).rows()).map((row) => [row.name, row]));
  const built = new Map(builtOf(ledgers, domain).map((one) => [one.name, one.checksum]));
  return [...new Set([...built.keys(), ...rows.keys()])].sort().map((name) => {
    const row = rows.get(name);
    const checksum = built.get(name);
    const build = checksum === undefined ? 'missing' : row && row.checksum !== checksum ? 'changed' : 'same';
    return { domain, name, state: row?.state ?? 'pending', at: row?.at ?? null, build };
  });
}
