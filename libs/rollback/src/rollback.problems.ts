import { Conflict, NotFound, Problem } from '@belay/platform';

export class IllegalTransition extends Conflict {
  readonly slug = 'illegal-transition';
  readonly title = 'This cannot follow that';

  constructor(machine: string, from: string, to: string) {
    super(`A ${machine} that is ${from} cannot become ${to}.`, { machine, from, to });
  }
}

/** What was asked for has to wait for a run, or for whatever else holds the scope. */
export class RunInProgress extends Conflict {
  readonly slug = 'run-in-progress';
  readonly title = 'Something else is at work';

  static holding(
    scope: string,
    held: { readonly holder: string | null; readonly purpose: string | null; readonly runId: string | null },
  ): RunInProgress {
    const { holder, purpose, runId } = held;
    return new RunInProgress(`${purpose ?? 'A run that has not ended'} holds ${scope}`, {
      scope,
      holder,
      purpose,
      runId,
    });
  }

  /** A run owns what it has switched off, and is taken back, only once it has ended. */
  static notEnded(runId: string, what: string): RunInProgress {
    return new RunInProgress(what, { runId });
  }

  private constructor(what: string, members: Problem['members']) {
    super(`${what}; wait until it has ended, or cancel it.`, members);
  }
}

export class UnknownAction extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'unknown-action';
  readonly title = 'This build cannot carry the step out';

  constructor(action: string, version: number) {
    super(`No action is named ${action} in version ${version}.`, { action, version });
  }
}

export class FlagUnknown extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'flag-unknown';
  readonly title = 'No module or feature has this flag';

  constructor(flag: string, known: readonly string[]) {
    super(`No module or feature of this release has the flag ${flag}.`, { flag, known });
  }
}

export class BackupNotFound extends NotFound {
  readonly slug = 'backup-not-found';
  readonly title = 'There is no such backup';

  constructor(id: string) {
    super(`There is no backup ${id}.`, { id });
  }
}

/** What was found when the backup was looked at; nothing of it is used. */
export class BackupBroken extends Conflict {
  readonly slug = 'backup-broken';
  readonly title = 'The backup is not what was written';

  constructor(
    id: string,
    readonly findings: readonly { readonly level: number; readonly subject: string; readonly problem: string }[],
  ) {
    super(
      `Backup ${id} cannot be used: ${findings.map(({ subject, problem }) => `${subject} ${problem}`).join('; ')}.`,
      { id, findings },
    );
  }
}

export class BackupKeyMissing extends Conflict {
  readonly slug = 'backup-key-missing';
  readonly title = 'The backup is encrypted';

  constructor(id: string, keyId: string) {
    super(`Backup ${id} is encrypted; set BACKUP_KEY to the key it was made under (${keyId}).`, { id, keyId });
  }
}

/** No migration that the backup rests on is known well enough to be run again. */
export class BackupLedgerUnknown extends Conflict {
  readonly slug = 'backup-ledger-unknown';
  readonly title = 'The schema of the backup cannot be made again';

  constructor(migrations: readonly string[]) {
    super(`Neither the backup nor the vault has the SQL of ${migrations.join(', ')}.`, { migrations });
  }
}

export class SchemaDrift extends Conflict {
  readonly slug = 'schema-drift';
  readonly title = 'The schema is not what its migrations made';

  constructor(drifted: readonly { readonly domain: string; readonly differences: readonly string[] }[]) {
    super(
      `Not what the last migration left: ${drifted
        .map(({ domain, differences }) => `${domain} (${differences.slice(0, 5).join(', ')})`)
        .join('; ')}. Put the difference into a migration, or take it back.`,
      { drifted },
    );
  }
}

export class NoRoomForBackup extends Conflict {
  readonly slug = 'no-room-for-backup';
  readonly title = 'There is too little room on the disk';

  constructor(folder: string, freeBytes: number, neededBytes: number) {
    super(`${folder} has ${freeBytes} bytes left and ${neededBytes} are needed.`, { folder, freeBytes, neededBytes });
  }
}

export class DocumentTooNew extends Conflict {
  readonly slug = 'document-too-new';
  readonly title = 'The document was written by a newer release';

  constructor(document: string, schemaVersion: number, readable: number) {
    super(`${document} has schema version ${schemaVersion}; this release reads up to ${readable}.`, {
      document,
      schemaVersion,
      readable,
    });
  }
}

/** What was asked for cannot be put back as it is; nothing was changed. */
export class RestoreRefused extends Conflict {
  readonly slug = 'restore-refused';
  readonly title = 'It cannot be put back like this';

  constructor(because: string, members: Readonly<Record<string, unknown>> = {}) {
    super(`${because}.`, members);
  }
}

export class MarkerNotFound extends NotFound {
  readonly slug = 'marker-not-found';
  readonly title = 'There is no such marker';

  constructor(id: string) {
    super(`No marker has the id ${id}.`, { id });
  }
}

/** S09: counted again inside the transaction that would have parked them. */
export class RowsInTheWay extends Conflict {
  readonly slug = 'rows-in-the-way';
  readonly title = 'Rows stand in the way';

  constructor(object: string, mode: string, rows: number) {
    super(
      `${object} has ${rows} rows that must not be parked (${mode}). Have them finished first, or switch off only.`,
      {
        check: 'S09',
        object,
        mode,
        measured: { rows },
        threshold: { rows: 0 },
      },
    );
  }
}

export class BackupTooWeak extends Conflict {
  readonly slug = 'backup-too-weak';
  readonly title = 'No backup is proven far enough';

  /** `level` is null where there is no backup at all. */
  constructor(of: string, level: number | null, needed: number) {
    super(
      level === null
        ? `No backup of ${of} was proven to level ${needed}; make one, or take another way back.`
        : `Backup ${of} was proven to level ${level}; level ${needed} is needed. Bring it there with backup.verify.`,
      { of, level, needed },
    );
  }
}

/** The host's own tool, which nothing depends on. */
export class PgDumpImpossible extends Conflict {
  readonly slug = 'pg-dump-impossible';
  readonly title = 'No dump by pg_dump';

  constructor(why: string) {
    super(`${why}. Backups need no such tool; leave --pg-dump out.`);
  }
}

export class BackupNotUsable extends Conflict {
  readonly slug = 'backup-not-usable';
  readonly title = 'The backup is broken or expired';

  constructor(id: string, state: string) {
    super(`Backup ${id} is ${state}; make another one.`, { id, state });
  }
}

export class DomainUnknown extends NotFound {
  readonly slug = 'domain-unknown';
  readonly title = 'There is no such module';

  constructor(domain: string, known: readonly string[]) {
    super(`No module of this release is named ${domain}.`, { domain, known });
  }
}

export class OnlyByHand extends Conflict {
  readonly slug = 'only-by-hand';
  readonly title = 'Only a person can take this back';

  constructor(what: string) {
    super(`A person has to take this back: ${what}.`, { what });
  }
}

/** Whatever else of the domain is on would lose what it uses. */
export class NotOfFeature extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'not-of-feature';
  readonly title = 'The feature has no such migration';

  constructor(feature: string, migrations: readonly string[]) {
    const named = migrations.length === 0 ? 'No migration of this build' : `Not ${migrations.join(', ')}`;
    super(`${named} names ${feature} as the one feature that uses what it makes.`, { feature, migrations });
  }
}

/** S11 of a purge: what goes is in no proven backup that was made after it was put aside. */
export class PurgeUnproven extends Conflict {
  readonly slug = 'purge-unproven';
  readonly title = 'No proven backup has what would go';

  constructor(domain: string, parkedAt: Date, madeAt: Date | null) {
    super(
      `What ${domain} has put aside until ${parkedAt.toISOString()} is in no backup of level 4 that was made since. Make one first.`,
      { check: 'S11', domain, parkedAt: parkedAt.toISOString(), madeAt: madeAt?.toISOString() ?? null },
    );
  }
}

/** S10, asked again inside the transaction that would have dropped it. */
export class RestsOnIt extends Conflict {
  readonly slug = 'dependents-left';
  readonly title = 'Something that stays rests on it';

  constructor(domain: string, against: readonly string[]) {
    super(`What is parked of ${domain} cannot go: ${against.join(', ')}.`, { check: 'S10', domain, against });
  }
}

export class GoneForGood extends Conflict {
  readonly slug = 'purged';
  readonly title = 'What was purged does not come back';

  constructor(domain: string) {
    super(`What was parked of ${domain} was purged. Restore it from the backup that was proven before.`, { domain });
  }
}
