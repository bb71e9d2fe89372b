import type { MigrationInterface } from 'typeorm';

/**
 * What a migration does to code that is already running: nothing · it only adds · it takes something away that is kept
 * (drop, rename, not null: done by parking) · it cannot be taken back from what it leaves.
 */
export const changeClasses = ['metadata', 'additive', 'contracting', 'lossy'] as const;
export type ChangeClass = (typeof changeClasses)[number];

/**
 * A migration in plain SQL. A statement with parameters may only look: the runner runs it read-only and keeps it out of
 * the SQL that it stores. With `transaction = false` only indexes may be made or dropped, concurrently and repeatably.
 */
export interface Migration extends MigrationInterface {
  /** What the author believes; a migration whose SQL says otherwise is refused. */
  readonly class?: ChangeClass;
  /** Names of migrations, as `domain/name`, that must stay applied as long as this one is. */
  readonly needs?: readonly string[];
  /** Flag of the feature of its domain that alone uses what it makes: it can go down, and come back, with that. */
  readonly feature?: string;
}

/** The migrations of one domain, which go up and down alone. */
export interface Ledger {
  readonly domain: string;
  readonly database: 'application' | 'control';
  readonly migrations: readonly (new () => Migration)[];
  /** SHA-256 of each migration's source by `domain/name`, frozen when it was built. */
  readonly checksums: Readonly<Record<string, string>>;
}

export interface BuiltMigration {
  readonly name: string;
  readonly checksum: string;
  readonly migration: Migration;
}

/** The file name without its ending: `CreateProcedure1764000100000` is `1764000100000-create-procedure`. */
export function migrationName(className: string): string {
  const match = /^([A-Z][A-Za-z0-9]*[A-Za-z])(\d{13})$/.exec(className);
  if (!match?.[1] || !match[2]) throw new Error(`${className} does not end in the 13 digits of a migration`);
  const words = match[1].replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase();
  return `${match[2]}-${words}`;
}

/** The migrations this build has, oldest first. */
export function builtMigrations(ledger: Ledger): readonly BuiltMigration[] {
  return ledger.migrations
    .map((create) => {
      const name = migrationName(create.name);
      const checksum = ledger.checksums[`${ledger.domain}/${name}`];
      if (checksum === undefined)
        throw new Error(`migrations/checksums.json does not know ${ledger.domain}/${name}; run the build`);
      return { name, checksum, migration: new create() };
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** Those of a domain's migrations that one of its features can take down alone, oldest first. */
export function featureMigrations(ledgers: readonly Ledger[], domain: string, feature: string): readonly string[] {
  return ledgers
    .filter((ledger) => ledger.domain === domain)
    .flatMap(builtMigrations)
    .filter(({ migration }) => migration.feature === feature)
    .map(({ name }) => name);
}
