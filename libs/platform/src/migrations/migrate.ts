import { DomainMigrator, type MigrationStep } from './domain-migrator.js';
import type { Ledger } from './ledger.js';
import { recordParkedObjects } from './parked-objects.js';
import { type RetryClock, systemClock } from './retry.js';
import { writeSearchPath } from './search-path.js';
import { inSession, type MigrationSession } from './session.js';
import { builtOf, databaseOf, type MigrationTargets, urlOf } from './targets.js';
import { Vault } from './vault.js';

export interface MigrateOptions {
  /** Says what would be done, having tried it in a transaction that is rolled back; leaves nothing. */
  readonly dryRun?: boolean;
  /** Stored with the SQL in the vault; the build's SHA. */
  readonly release?: string;
  /** The rollback run that this is a step of; kept with what it parks. */
  readonly runId?: string;
  /** How long to wait for another runner. Five minutes when absent. */
  readonly waitMs?: number;
  readonly clock?: RetryClock;
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
  options: MigrateOptions & { readonly to?: string | undefined } = {},
): Promise<readonly MigrationStep[]> {
  const database = await databaseOf(targets, ledgers, domain);
  return migrate(targets, ledgers, { database, domains: [domain], direction: 'up', to: options.to }, options);
}

/** Parks one domain, newest migration first, until the named one is the last that is applied. */
export async function migrateDown(
  targets: MigrationTargets,
  ledgers: readonly Ledger[],
  domain: string,
  options: MigrateOptions & { readonly to?: string | undefined } = {},
): Promise<readonly MigrationStep[]> {
  const database = await databaseOf(targets, ledgers, domain);
  return migrate(targets, ledgers, { database, domains: [domain], direction: 'down', to: options.to }, options);
}

interface Work {
  readonly database: Ledger['database'];
  readonly domains: readonly string[];
  readonly direction: 'up' | 'down';
  readonly to?: string | undefined;
}

async function migrate(
  targets: MigrationTargets,
  ledgers: readonly Ledger[],
  work: Work,
  options: MigrateOptions,
): Promise<readonly MigrationStep[]> {
  const { dryRun = false, waitMs = 300_000, clock = systemClock } = options;
  return inSession(urlOf(targets, work.database), async (session) => {
    await session.lock(work.database, waitMs, clock);
    const run = (control: MigrationSession) =>
      migrateDomains(session, control, ledgers, work, { ...options, dryRun, clock });
    const runOrTry = (control: MigrationSession) =>
      dryRun ? session.transaction(() => run(control), 'rollback') : run(control);
    return work.database === 'control' ? runOrTry(session) : inSession(targets.controlUrl, runOrTry);
  });
}

async function migrateDomains(
  session: MigrationSession,
  control: MigrationSession,
  ledgers: readonly Ledger[],
  work: Work,
  options: MigrateOptions & { readonly dryRun: boolean; readonly clock: RetryClock },
): Promise<readonly MigrationStep[]> {
  const vault = new Vault(control);
  const steps: MigrationStep[] = [];
  for (const domain of work.domains) {
    const { dryRun, clock, release = 'development' } = options;
    const migrator = new DomainMigrator(domain, builtOf(ledgers, domain), session, vault, { dryRun, release, clock });
    steps.push(...(await migrator.migrate(work.direction, work.to)));
    // The memory itself is in no list: nothing purges it.
    if (!dryRun && work.database === 'application' && (await vault.exists()))
      await recordParkedObjects(domain, session, control, options.runId ?? null);
  }
  if (!options.dryRun) {
    const listed = ledgers.filter((ledger) => ledger.database === work.database).map((ledger) => ledger.domain);
    await writeSearchPath(session, listed);
  }
  return steps;
}
