import type { Domain, Ledger, MigrationTargets, Runtime, StageBooter } from '@belay/platform';
import { openPool, Queues } from '@belay/platform';
import pg from 'pg';
import { Signer } from './signer.js';

/** What of the process it needs; a program that only carries runs out has no more. */
export type WorldRuntime = Pick<
  Runtime,
  'config' | 'control' | 'domains' | 'flags' | 'log' | 'metrics' | 'processId' | 'role'
>;

/** Everything a run acts upon: both databases, the domains and the migrations of this build. */
export class World {
  readonly control: pg.Pool;
  /** For looking and for small effects; what takes long opens a connection of its own. */
  readonly application: pg.Pool;
  readonly signer: Signer;
  #queues: Queues | undefined;

  constructor(
    readonly runtime: WorldRuntime,
    readonly ledgers: readonly Ledger[],
    /** Absent where nobody can compose an API: what a restored database answers stays unknown there. */
    readonly stages?: StageBooter,
  ) {
    const { config, role } = runtime;
    this.signer = new Signer(config);
    this.control = runtime.control;
    this.application = openPool(config.DATABASE_URL, {
      max: 3,
      statementTimeoutMs: config.STATEMENT_TIMEOUT_MS,
      lockTimeoutMs: config.LOCK_TIMEOUT_MS,
      applicationName: `belay-${role}-rollback`,
    });
  }

  get domains(): readonly Domain[] {
    return this.runtime.domains;
  }

  get targets(): MigrationTargets {
    const { DATABASE_URL: databaseUrl, CONTROL_DATABASE_URL: controlUrl } = this.runtime.config;
    return { databaseUrl, controlUrl };
  }

  /** The job queues, connected to when they are first asked for: a run that stops no jobs needs none. */
  get queues(): Queues {
    this.#queues ??= new Queues(this.runtime);
    return this.#queues;
  }

  /** A connection of its own, never pooled and without a statement timeout; ended by whoever asked for it. */
  async connect(database: 'application' | 'control', applicationName: string): Promise<pg.Client> {
    const { databaseUrl, controlUrl } = this.targets;
    const client = new pg.Client({
      connectionString: database === 'control' ? controlUrl : databaseUrl,
      application_name: applicationName,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  async close(): Promise<void> {
    await this.#queues?.onApplicationShutdown();
    await this.application.end();
  }
}
