import { DomainMigrator, type ForeseenStep, type Inside, type MigrationStep } from './domain-migrator.js';
import type { Ledger } from './ledger.js';
import type { Extent } from './migration.rules.js';
import { recordParkedObjects } from './parked-objects.js';
import { type RetryClock, systemClock } from './retry.js';
import { recordFingerprint } from './schema-fingerprint.js';
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
  /** Of the connection that changes the schema, so that who takes over can end it; `belay:migrate` when absent. */
  readonly sessionName?: string;
  /** What belongs into the same transactions. */
  readonly inside?: Inside;
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
  options: MigrateOptions & Extent = {},
): Promise<readonly MigrationStep[]> {
  const database = await databaseOf(targets, ledgers, domain);
  return migrate(targets, ledgers, { database, domains: [domain], direction: 'up', extent: options }, options);
}

/** Parks one domain, newest migration first, until the named one is the last that is applied. */
export async function migrateDown(
  targets: MigrationTargets,
  ledgers: readonly Ledger[],
  domain: string,
  options: MigrateOptions & Extent = {},
): Promise<readonly MigrationStep[]> {
  const database = await databaseOf(targets, ledgers, domain);
  return migrate(targets, ledgers, { database, domains: [domain], direction: 'down', extent: options }, options);
}

/** What `migrateUp` or `migrateDown` would do, as far as the vault knows; nothing is locked and nothing tried. */
export async function foreseeMigration(
  targets: MigrationTargets,
  ledgers: readonly Ledger[],
  domain: string,
  direction: 'up' | 'down',
  extent: Extent = {},
): Promise<readonly ForeseenStep[]> {
  const database = await databaseOf(targets, ledgers, domain);
  const foresee = (session: MigrationSession, control: MigrationSession) =>
    new DomainMigrator(domain, builtOf(ledgers, domain), session, new Vault(control), {
      dryRun: true,
      release: '',
      clock: systemClock,
    }).foresee(direction, extent);
  return inSession(urlOf(targets, database), (session) =>
    database === 'control'
      ? foresee(session, session)
      : inSession(targets.controlUrl, (control) => foresee(session, control)),
  );
}

/**
 * Writes down again what domains of the application database have parked and consist of, for somebody who was killed
 * after a migration was committed and before that, or who has put other schemas in their place. Where the ledger is as
 * it was written down nothing changes.
 */
export async function recordSchema(
  targets: MigrationTargets,
  domains: readonly string[],
  runId: string | null,
): Promise<void> {
  await inSession(targets.databaseUrl, (session) =>
    inSession(targets.controlUrl, async (control) => {
      for (const domain of domains) await record(domain, session, control, runId, false);
    }),
  );
}

interface Work {
  readonly database: Ledger['database'];
  readonly domains: readonly string[];
  readonly direction: 'up' | 'down';
  readonly extent?: Extent;
}

async function migrate(
  targets: MigrationTargets,
  ledgers: readonly Ledger[],
  work: Work,
  options: MigrateOptions,
): Promise<readonly MigrationStep[]> {
  const { dryRun = false, waitMs = 300_000, clock = systemClock, sessionName } = options;
  const change = async (session: MigrationSession) => {
    await session.lock(work.database, waitMs, clock);
    const run = (control: MigrationSession) =>
      migrateDomains(session, control, ledgers, work, { ...options, dryRun, clock });
    const runOrTry = (control: MigrationSession) =>
      dryRun ? session.transaction(() => run(control), 'rollback') : run(control);
    return work.database === 'control' ? runOrTry(session) : inSession(targets.controlUrl, runOrTry);
  };
  return inSession(urlOf(targets, work.database), change, sessionName);
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
    const { dryRun, clock, inside, release = 'development' } = options;
    const how = { dryRun, release, clock, inside };
    const migrator = new DomainMigrator(domain, builtOf(ledgers, domain), session, vault, how);
    const done = await migrator.migrate(work.direction, work.extent);
    steps.push(...done);
    // The memory itself is in no list: nothing purges it.
    if (!dryRun && work.database === 'application')
      await record(domain, session, control, options.runId ?? null, done.length > 0);
    if (!dryRun && work.database === 'control') await recordFingerprint(domain, session, control, done.length > 0);
  }
  if (!options.dryRun) {
    const listed = ledgers.filter((ledger) => ledger.database === work.database).map((ledger) => ledger.domain);
    await writeSearchPath(session, listed);
  }
  return steps;
}

async function record(
  domain: string,
  session: MigrationSession,
  control: MigrationSession,
  runId: string | null,
  changed: boolean,
): Promise<void> {
  if (await new Vault(control).exists()) await recordParkedObjects(domain, session, control, runId);
  await recordFingerprint(domain, session, control, changed);
}
