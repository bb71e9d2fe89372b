import type { MigrationTargets } from '@belay/platform';
import pg from 'pg';
import { createDatabases, createEmptyDatabase } from '../support/databases.js';

type Rows = Record<string, unknown>[];

/** An application and a control database that nobody else uses. */
export interface OwnDatabases {
  readonly targets: MigrationTargets;
  /** In the application database. */
  readonly query: (sql: string, values?: unknown[]) => Promise<Rows>;
  readonly control: (sql: string, values?: unknown[]) => Promise<Rows>;
}

/** Gives the work two empty databases of its own, and drops them afterwards. */
export async function withEmptyDatabases(work: (databases: OwnDatabases) => Promise<void>): Promise<void> {
  const application = await createEmptyDatabase();
  const control = await createEmptyDatabase();
  try {
    await work(asked({ databaseUrl: application.url, controlUrl: control.url }));
  } finally {
    await application.drop();
    await control.drop();
  }
}

/** The same with every migration applied. */
export async function withMigratedDatabases(work: (databases: OwnDatabases) => Promise<void>): Promise<void> {
  const databases = await createDatabases();
  try {
    await work(asked(databases));
  } finally {
    await databases.drop();
  }
}

function asked({ databaseUrl, controlUrl }: MigrationTargets): OwnDatabases {
  return {
    targets: { databaseUrl, controlUrl },
    query: (sql, values) => rowsOf(databaseUrl, sql, values),
    control: (sql, values) => rowsOf(controlUrl, sql, values),
  };
}

/** One statement, or several without values, on a connection of its own. */
async function rowsOf(url: string, sql: string, values?: unknown[]): Promise<Rows> {
  await using client = await connect(url);
  const result = await client.query<Record<string, unknown>>(sql, values);
  return result.rows;
}

/** A connection that ends with the block. */
export async function connect(url: string): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client(url);
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}
