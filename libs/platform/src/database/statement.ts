import pg from 'pg';
import { DataSource, EntityManager } from 'typeorm';
import { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';

/** Where a statement can run: a pool, a connection, a data source, or a transaction (its entity manager). */
export type Executor = pg.Pool | pg.ClientBase | DataSource | EntityManager;

/**
 * SQL that the server plans once per connection and afterwards only executes.
 * `statement(name, sql)` is for paths whose speed matters; `name` must be unique in the process.
 */
export interface Statement<Row> {
  (on: Executor, values: readonly unknown[]): Promise<Row[]>;
}

const names = new Set<string>();

export function statement<Row extends pg.QueryResultRow>(name: string, sql: string): Statement<Row> {
  if (names.has(name)) throw new Error(`Two statements are named ${name}`);
  names.add(name);
  return async (on, values) => {
    const result = await (await client(on)).query<Row>({ name, text: sql, values: [...values] });
    return result.rows;
  };
}

async function client(on: Executor): Promise<pg.Pool | pg.ClientBase> {
  if (on instanceof EntityManager) {
    if (!on.queryRunner) return client(on.dataSource);
    const connection: unknown = await on.queryRunner.connect();
    if (connection instanceof pg.Client) return connection;
    throw new Error('The transaction does not run on a PostgreSQL connection');
  }
  return on instanceof DataSource ? poolOf(on) : on;
}

/** The pool that an initialised data source works with. */
export function poolOf({ driver }: DataSource): pg.Pool {
  const pool: unknown = driver instanceof PostgresDriver ? driver.master : undefined;
  if (pool instanceof pg.Pool) return pool;
  throw new Error('The data source has no PostgreSQL pool; is it initialised?');
}
