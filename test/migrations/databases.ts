import type { MigrationTargets } from '@belay/platform';
import pg from 'pg';
import { createEmptyDatabase } from '../support/databases.js';

type Rows = Record<string, unknown>[];

/** An application and a control database with nothing in them. */
export interface EmptyDatabases {
  readonly targets: MigrationTargets;
  /** In the application database. */
  readonly query: (sql: string, values?: unknown[]) => Promise<Rows>;
  readonly control: (sql: string, values?: unknown[]) => Promise<Rows>;
}

/** Gives the work two empty databases of its own, and drops them afterwards. */
export async function withEmptyDatabases(work: (databases: EmptyDatabases) => Promise<void>): Promise<void> {
  const application = await createEmptyDatabase();
  const control = await createEmptyDatabase();
  try {
    await work({
      targets: { databaseUrl: application.url, controlUrl: control.url },
      query: (sql, values) => rowsOf(application.url, sql, values),
      control: (sql, values) => rowsOf(control.url, sql, values),
    });
  } finally {
    await application.drop();
    await control.drop();
  }
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
