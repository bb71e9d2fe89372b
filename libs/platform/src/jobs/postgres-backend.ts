import { EventEmitter } from 'node:events';
import {
  assertSchemaCompatibility,
  LATEST_SCHEMA_VERSION,
  PostgresConnection,
  PostgresQueueBackend,
  runMigrations,
  SchemaMigrationRequiredError,
  type PgQueryable,
} from 'bullmq';
import type { Config } from '../config/config.js';
import { poolOptions } from '../database/pool.js';
import type { JobBackend } from './job-backend.js';

// They run the short statements of all queues; one more connection listens.
const CONNECTIONS = 3;

/**
 * Queues in the schema `bullmq` of the application database, which belongs to BullMQ: no ledger of ours knows it.
 * All queues and workers of a process share one small pool and one listening connection, however many domains there are.
 */
export function postgresBackend(config: Config, applicationName: string): JobBackend {
  const connection = new SharedConnection(config, applicationName);
  const blocking = new Set<PostgresQueueBackend>();
  // A backend that owns its connection would do this by itself: wake whoever waits on the lost one.
  connection.on('listenerinvalidated', () => {
    for (const backend of blocking) void backend.disconnectBlocking().then(() => backend.reconnectBlocking());
  });

  return {
    factory: (name, options, { withBlockingConnection = false } = {}) => {
      const backend = new PostgresQueueBackend(connection, name, options, false);
      if (withBlockingConnection) blocking.add(backend);
      return backend;
    },
    close: () => connection.close(),
  };
}

/** Makes BullMQ's schema when it is missing or old; after a failure the next use tries again. */
class SharedConnection extends PostgresConnection {
  #ready: Promise<void> | undefined;
  #listening: object | undefined;

  constructor(config: Config, applicationName: string) {
    super(
      poolOptions(config.DATABASE_URL, {
        max: CONNECTIONS,
        statementTimeoutMs: config.STATEMENT_TIMEOUT_MS,
        lockTimeoutMs: config.LOCK_TIMEOUT_MS,
        applicationName: `${applicationName}-jobs`,
      }),
    );
  }

  override waitUntilReady(): Promise<void> {
    this.#ready ??= this.prepare().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  override async getListenClient(): ReturnType<PostgresConnection['getListenClient']> {
    const client = await super.getListenClient();
    if (client === this.#listening) return client;
    this.#listening = client;
    // Every waiting worker listens on this connection, and each says LISTEN: the driver wants them one after another.
    if (client instanceof EventEmitter) client.setMaxListeners(0);
    const query = client.query.bind(client);
    let turn: Promise<unknown> = Promise.resolve();
    Reflect.set(client, 'query', (text: string, values?: readonly unknown[]) => {
      const result = turn.then(() => query(text, values));
      turn = result.catch(() => undefined);
      return result;
    });
    return client;
  }

  /** A notification that got lost with a silently dead connection then delays a job by 10 s, not by an hour. */
  override get hasListenClientKeepAlive(): boolean {
    return false;
  }

  private async prepare(): Promise<void> {
    const client = await this.pool.connect();
    try {
      await prepareQueues(client);
    } finally {
      client.release();
    }
  }
}

/** Makes BullMQ's schema, or brings it up, in whatever database the client is connected to. */
export async function prepareQueues(client: PgQueryable): Promise<void> {
  if ((await schemaVersion(client)) < LATEST_SCHEMA_VERSION) await runMigrations(client);
}

async function schemaVersion(client: PgQueryable): Promise<number> {
  try {
    return await assertSchemaCompatibility(client);
  } catch (error) {
    if (error instanceof SchemaMigrationRequiredError) return 0;
    throw error;
  }
}
