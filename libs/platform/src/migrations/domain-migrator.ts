import type pg from 'pg';
import { z } from 'zod';
import { Problem } from '../problem/problem.js';
import { changeClassOf, parkedBy } from './change-class.js';
import { type BuiltMigration, type Migration } from './ledger.js';
import { LedgerTable } from './ledger-table.js';
import { batchesOf, type Extent, type PlannedStep, stepsDown, stepsUp } from './migration.rules.js';
import { ArtifactMissing, ClassDiffers, ControlNotMigrated, NotReversible } from './migrations.problems.js';
import { checkNeeds } from './needs.js';
import { isRepeatable, type RecordedStatement } from './recording-runner.js';
import { lockRefusal, type RetryClock, retryLocked } from './retry.js';
import type { MigrationSession } from './session.js';
import type { Artifact, Vault } from './vault.js';

/** One migration that went up or down, or in a dry run would have. */
export interface MigrationStep {
  readonly domain: string;
  readonly name: string;
  readonly direction: 'up' | 'down';
  /** Whether the SQL came from the build's file or from the vault. */
  readonly source: 'build' | 'vault';
  /** Every statement that changed something, in order. */
  readonly sql: readonly string[];
  /** Rows written while a column was parked, which got its fill now. */
  readonly filledRows: number;
}

/** What else belongs into the transactions of the migrations, on the same connection. */
export interface Inside {
  /** First in each of them; may refuse. */
  readonly enter: (client: pg.ClientBase) => Promise<void>;
  /** Last in each of them, with everything done so far; `last` when nothing remains. */
  readonly leave: (client: pg.ClientBase, steps: readonly MigrationStep[], last: boolean) => Promise<void>;
}

/** A migration that would go up or down, and what is known of it without trying. */
export interface ForeseenStep extends Pick<PlannedStep, 'name' | 'direction' | 'checksum' | 'again'> {
  /** What its SQL was when it was tried; undefined when it never was. */
  readonly sql: readonly string[] | undefined;
  readonly parks: Artifact['parks'];
  readonly class: Artifact['class'] | undefined;
}

type Recorded = readonly RecordedStatement[];

/** A planned step with everything that running it needs. */
interface Runnable extends PlannedStep {
  readonly stored: Artifact | undefined;
}

/** Takes one domain up and down in its database. */
export class DomainMigrator {
  private readonly table: LedgerTable;

  constructor(
    private readonly domain: string,
    private readonly built: readonly BuiltMigration[],
    private readonly session: MigrationSession,
    private readonly vault: Vault,
    private readonly options: {
      readonly dryRun: boolean;
      readonly release: string;
      readonly clock: RetryClock;
      readonly inside?: Inside | undefined;
    },
  ) {
    this.table = new LedgerTable(session, domain);
  }

  /**
   * All steps in one transaction, cut only by migrations that cannot be in one. A lock that is not granted undoes the
   * transaction and tries it again.
   */
  async migrate(direction: 'up' | 'down', extent: Extent = {}): Promise<readonly MigrationStep[]> {
    const runnable = await this.plan(direction, extent);
    await checkNeeds(this.domain, runnable, this.session, this.vault);
    const batches = batchesOf(runnable, runsOutside);
    let done: readonly MigrationStep[] = [];
    for (const [index, batch] of batches.entries()) {
      const last = index === batches.length - 1;
      done = await retryLocked(() => this.runBatch(batch, done, last), this.options.clock);
    }
    return done;
  }

  /** What `migrate` would do, as far as the vault knows; nothing is locked and nothing tried. */
  async foresee(direction: 'up' | 'down', extent: Extent = {}): Promise<readonly ForeseenStep[]> {
    const runnable = await this.plan(direction, extent);
    return runnable.map(({ name, checksum, again, stored }) => {
      const first = direction === 'up' && !again ? stored?.upSql : stored?.upAgainSql;
      const sql = direction === 'down' ? stored?.downSql : first;
      return { name, direction, checksum, again, sql, parks: stored?.parks ?? [], class: stored?.class };
    });
  }

  private async plan(direction: 'up' | 'down', extent: Extent): Promise<readonly Runnable[]> {
    const plan = direction === 'up' ? stepsUp : stepsDown;
    const runnable: Runnable[] = [];
    for (const step of plan(this.domain, this.built, await this.table.rows(), extent)) {
      runnable.push({ ...step, stored: await this.vault.find(this.domain, step.name, step.checksum) });
    }
    return runnable;
  }

  private async runBatch(
    batch: readonly Runnable[],
    before: readonly MigrationStep[],
    last: boolean,
  ): Promise<readonly MigrationStep[]> {
    const [first] = batch;
    const done = [...before];
    if (first && runsOutside(first)) {
      if (!this.options.dryRun) await this.session.transaction(() => this.enter());
      return this.runOutside(first, done, last);
    }
    return this.session.transaction(async () => {
      await this.enter();
      for (const step of batch) done.push(await this.runStep(step));
      await this.leave(done, last);
      return done;
    });
  }

  private async enter(): Promise<void> {
    const { inside, dryRun } = this.options;
    if (inside && !dryRun) await inside.enter(await this.session.client());
  }

  private async leave(done: readonly MigrationStep[], last: boolean): Promise<void> {
    const { inside, dryRun } = this.options;
    if (inside && !dryRun) await inside.leave(await this.session.client(), done, last);
  }

  private async runStep(step: Runnable): Promise<MigrationStep> {
    const { runner } = this.session;
    const statements = await runner.record('transactional', () => this.change(step));
    const { migration } = step;
    if (step.direction === 'up' && migration && !step.again) {
      const [down, upAgain] = await this.tryThereAndBack(step.name, migration);
      await this.store(step, migration, statements, down, upAgain);
    }
    await this.note(step);
    return this.report(step, statements);
  }

  /** What taking the migration down and up again does, found out by doing it and undoing both. */
  private async tryThereAndBack(name: string, migration: Migration): Promise<[Recorded, Recorded]> {
    const { runner } = this.session;
    try {
      return await this.session.transaction(
        async () => [
          await runner.record('transactional', () => migration.down(runner)),
          await runner.record('transactional', () => migration.up(runner)),
        ],
        'rollback',
      );
    } catch (error) {
      if (error instanceof Problem || lockRefusal(error) !== undefined || !(error instanceof Error)) throw error;
      throw new NotReversible(this.domain, name, error.message);
    }
  }

  /** Index statements, each on its own; what a killed run left half done is done again. */
  private async runOutside(step: Runnable, before: readonly MigrationStep[], last: boolean): Promise<MigrationStep[]> {
    const { runner } = this.session;
    const { migration } = step;
    const change = () => this.change(step);
    const planned = await runner.record('unexecuted', change);
    if (this.options.dryRun) return [...before, this.report(step, planned)];

    await this.dropInvalidIndexes();
    const statements = await runner.record('repeatable', change);
    if (step.direction === 'up' && migration && !step.again) {
      const down = await runner.record('unexecuted', () => migration.down(runner));
      await this.store(step, migration, statements, down, statements);
    }
    return this.session.transaction(async () => {
      await this.note(step);
      const done = [...before, this.report(step, statements)];
      await this.leave(done, last);
      return done;
    });
  }

  private async change(step: Runnable): Promise<void> {
    const { runner } = this.session;
    if (step.migration) {
      await (step.direction === 'up' ? step.migration.up(runner) : step.migration.down(runner));
      return;
    }
    if (!step.stored) throw new ArtifactMissing(this.domain, step.name, step.checksum);
    for (const sql of step.direction === 'up' ? step.stored.upAgainSql : step.stored.downSql) await runner.query(sql);
  }

  private async store(
    step: Runnable,
    migration: Migration,
    up: Recorded,
    down: Recorded,
    upAgain: Recorded,
  ): Promise<void> {
    const upSql = up.map((statement) => statement.sql);
    const downSql = down.map((statement) => statement.sql);
    const derived = await changeClassOf(upSql);
    const { class: declared = derived, needs = [] } = migration;
    if (declared !== derived) throw new ClassDiffers(this.domain, step.name, declared, derived);
    if (this.options.dryRun) return;
    if (!(await this.vault.exists())) throw new ControlNotMigrated(this.domain);
    await this.vault.store(
      {
        domain: this.domain,
        name: step.name,
        checksum: step.checksum,
        upSql,
        downSql,
        upAgainSql: upAgain.map((statement) => statement.sql),
        parks: await parkedBy(downSql),
        class: derived,
        needs,
      },
      this.options.release,
    );
  }

  private async note(step: Runnable): Promise<void> {
    await this.table.create();
    await (step.direction === 'up' ? this.table.applied(step.name, step.checksum) : this.table.parked(step.name));
  }

  private report(step: Runnable, statements: Recorded): MigrationStep {
    return {
      domain: this.domain,
      name: step.name,
      direction: step.direction,
      source: step.migration ? 'build' : 'vault',
      sql: statements.map((statement) => statement.sql),
      filledRows: step.again ? statements.reduce((rows, statement) => rows + statement.updated, 0) : 0,
    };
  }

  /** CREATE INDEX CONCURRENTLY that failed leaves an index that is never used and that IF NOT EXISTS would skip. */
  private async dropInvalidIndexes(): Promise<void> {
    const invalid = await this.session.rows(
      z.object({ name: z.string() }),
      `SELECT indexrelid::regclass::text AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
       WHERE NOT i.indisvalid AND c.relkind = 'i' AND c.relnamespace = to_regnamespace($1)`,
      [this.domain],
    );
    for (const { name } of invalid) await this.session.runner.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
  }
}

/** Whether the step consists of statements that PostgreSQL does not allow in a transaction. */
function runsOutside(step: Runnable): boolean {
  if (step.migration) return step.migration.transaction === false;
  const sql = step.direction === 'up' ? step.stored?.upAgainSql : step.stored?.downSql;
  return sql !== undefined && sql.length > 0 && sql.every(isRepeatable);
}
