import { Conflict, NotFound, Problem } from '../problem/problem.js';
import type { ChangeClass } from './ledger.js';

export class MigrationChanged extends Conflict {
  readonly slug = 'migration-changed';
  readonly title = 'An applied migration was changed';

  constructor(domain: string, name: string, applied: string, built: string) {
    super(
      `migrations/${domain}/${name}.ts was changed after it was applied. Take the change back and put it into a new migration.`,
      { domain, name, applied, built },
    );
  }
}

export class MigrationUnknown extends NotFound {
  readonly slug = 'migration-unknown';
  readonly title = 'There is no such migration';

  constructor(domain: string, name: string, known: readonly string[]) {
    super(
      `${domain} has no migration ${name} to stop at. There ${known.length === 0 ? 'is none.' : `are ${known.join(', ')}.`}`,
      {
        domain,
        name,
        known,
      },
    );
  }
}

export class LedgerUnknown extends NotFound {
  readonly slug = 'ledger-unknown';
  readonly title = 'There is no such domain';

  constructor(domain: string, known: readonly string[]) {
    super(`No domain ${domain} was ever migrated and this build has none. It has ${known.join(', ')}.`, {
      domain,
      known,
    });
  }
}

/** The file is not in this build (or was changed), and the vault has no SQL for what was applied. */
export class ArtifactMissing extends Conflict {
  readonly slug = 'artifact-missing';
  readonly title = 'Nothing knows how to take the migration down';

  constructor(domain: string, name: string, checksum: string) {
    super(
      `migrations/${domain}/${name}.ts is not what was applied, and the vault has no SQL for ${checksum.slice(0, 12)}.`,
      {
        domain,
        name,
        checksum,
      },
    );
  }
}

export class ClassDiffers extends Conflict {
  readonly slug = 'migration-class-differs';
  readonly title = 'The migration does something else than it declares';

  constructor(domain: string, name: string, declared: ChangeClass, derived: ChangeClass) {
    super(`migrations/${domain}/${name}.ts declares ${declared}, but its SQL is ${derived}.`, {
      domain,
      name,
      declared,
      derived,
    });
  }
}

export class NeedMissing extends Conflict {
  readonly slug = 'migration-need-missing';
  readonly title = 'The migration needs another one';

  constructor(name: string, need: string) {
    super(`${name} needs ${need}, which is not applied.`, { name, need });
  }
}

export class MigrationNeeded extends Conflict {
  readonly slug = 'migration-needed';
  readonly title = 'Another migration needs it';

  constructor(name: string, by: string) {
    super(`${name} cannot go down while ${by} is applied, which needs it.`, { name, by });
  }
}

export class NotReversible extends Conflict {
  readonly slug = 'migration-not-reversible';
  readonly title = 'The migration does not go down and up again';

  constructor(domain: string, name: string, reason: string) {
    super(`migrations/${domain}/${name}.ts went up, but then not down and up again: ${reason}.`, {
      domain,
      name,
      reason,
    });
  }
}

export class ControlNotMigrated extends Conflict {
  readonly slug = 'control-not-migrated';
  readonly title = 'The control database is not migrated';

  constructor(domain: string) {
    super(`What ${domain} does is remembered in the control database: migrate control first.`, { domain });
  }
}

export class NotRepeatable extends Conflict {
  readonly slug = 'migration-not-repeatable';
  readonly title = 'A statement outside a transaction must be repeatable';

  constructor(statement: string) {
    super(
      `A migration with transaction = false may only CREATE INDEX CONCURRENTLY IF NOT EXISTS or DROP INDEX CONCURRENTLY IF EXISTS, not: ${statement}`,
      { statement },
    );
  }
}

/** Another runner works on the database and did not finish in the time given. */
export class MigrationRunning extends Problem {
  readonly kind = 'unavailable';
  readonly slug = 'migration-running';
  readonly title = 'Another migration is running';
  override readonly retryAfter = 30;

  constructor(database: string, waitedMs: number) {
    super(`Another runner is migrating the ${database} database; gave up after ${Math.round(waitedMs / 1000)} s.`, {
      database,
    });
  }
}

/** Somebody held a lock that the change needs, for longer than the retries last. */
export class LockNotGranted extends Problem {
  readonly kind = 'unavailable';
  readonly slug = 'lock-not-granted';
  readonly title = 'A lock was not granted';
  override readonly retryAfter = 30;

  constructor(attempts: number, reason: string) {
    super(
      `A lock was not granted in ${attempts} attempts: ${reason}. Nothing was changed. End the transaction that holds it and try again.`,
      {
        attempts,
        reason,
      },
    );
  }
}
