import pg from 'pg';
import { DataSource } from 'typeorm';
import { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { z } from 'zod';
import { MigrationRunning } from './migrations.problems.js';
import { RecordingRunner } from './recording-runner.js';
import { LOCK_TIMEOUT_MS, type RetryClock } from './retry.js';

const POLL_MS = 100;

/** One connection for changing the schema of one database, of its own, never pooled. */
export class MigrationSession {
  private constructor(
    private readonly dataSource: DataSource,
    readonly runner: RecordingRunner,
  ) {}

  static async open(url: string, applicationName = 'belay:migrate'): Promise<MigrationSession> {
    const dataSource = new DataSource({
      type: 'postgres',
      url,
      applicationName,
      installExtensions: false,
      extra: { max: 1, lock_timeout: LOCK_TIMEOUT_MS },
    });
    await dataSource.initialize();
    if (!(dataSource.driver instanceof PostgresDriver)) throw new Error('Migrations run on PostgreSQL only');
    const session = new MigrationSession(dataSource, new RecordingRunner(dataSource.driver, 'master'));
    // Expressions read from the catalogue are written relative to it, so it must not depend on the database.
    await session.runner.query(`SET search_path = public; SET statement_timeout = 0`);
    return session;
  }

  async close(): Promise<void> {
    await this.runner.release();
    await this.dataSource.destroy();
  }

  /**
   * Makes this the only runner at the database until the session is closed. Asks again and again instead of waiting in
   * the server: a waiting statement would hold a snapshot, and CREATE INDEX CONCURRENTLY waits for every snapshot.
   */
  async lock(database: string, waitMs: number, clock: RetryClock): Promise<void> {
    const began = clock.now();
    while (!(await this.tryLock())) {
      if (clock.now() - began >= waitMs) throw new MigrationRunning(database, waitMs);
      await clock.sleep(POLL_MS);
    }
  }

  /** All or nothing; inside another one it is a savepoint. */
  async transaction<Result>(work: () => Promise<Result>, end: 'commit' | 'rollback' = 'commit'): Promise<Result> {
    await this.runner.startTransaction();
    let result: Result;
    try {
      result = await work();
    } catch (error) {
      // A connection that was cut has rolled back already; what happened first is what people must read.
      await this.runner.rollbackTransaction().catch(() => undefined);
      throw error;
    }
    await (end === 'commit' ? this.runner.commitTransaction() : this.runner.rollbackTransaction());
    return result;
  }

  /** The connection itself: what is done with it is in the open transaction, and never recorded. */
  async client(): Promise<pg.ClientBase> {
    const client: unknown = await this.runner.connect();
    if (client instanceof pg.Client) return client;
    throw new Error('Migrations run on a PostgreSQL connection');
  }

  /** Rows in the given shape; never recorded. */
  async rows<Row>(row: z.ZodType<Row>, sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return z.array(row).parse(await this.runner.query(sql, parameters));
  }

  /** Whether a table or view of that qualified name exists. */
  async has(relation: string): Promise<boolean> {
    const [row] = await this.rows(z.object({ found: z.boolean() }), `SELECT to_regclass($1) IS NOT NULL AS found`, [
      relation,
    ]);
    return row?.found === true;
  }

  private async tryLock(): Promise<boolean> {
    const [row] = await this.rows(
      z.object({ locked: z.boolean() }),
      `SELECT pg_try_advisory_lock(hashtextextended('belay.migrations', 0)) AS locked`,
    );
    return row?.locked === true;
  }
}

/** Opens a session for the work, and closes it whatever happens. */
export async function inSession<Result>(
  url: string,
  work: (session: MigrationSession) => Promise<Result>,
  applicationName?: string,
): Promise<Result> {
  const session = await MigrationSession.open(url, applicationName);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}
