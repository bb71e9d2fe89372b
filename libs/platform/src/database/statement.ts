import pg from 'pg';
import { DataSource, EntityManager, type QueryRunner } from 'typeorm';
import { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';

/** Where a statement can run: a pool, a connection, a data source, or a transaction (its entity manager). */
export type Executor = pg.Pool | pg.ClientBase | DataSource | EntityManager;

/**
 * SQL that the server plans once per connection and afterwards only executes.
 * `statement(name, sql)` is for paths whose speed matters; `name` must be unique in the process. Where the values decide
 * which plan is good, and a bad one costs more than planning does, it is planned each time.
 *
 * The server goes on planning what seems cheaper for the values at hand: shorter lists than it expects, nulls that rule
 * something out. `WITH given AS MATERIALIZED (SELECT $1::uuid[] AS ids, …)` keeps it from looking at them.
 */
export type Statement<Row> = (on: Executor, values: readonly unknown[]) => Promise<Row[]>;

const names = new Set<string>();

export function statement<Row extends pg.QueryResultRow>(
  name: string,
  sql: string,
  planned: 'once' | 'each time' = 'once',
): Statement<Row> {
  if (names.has(name)) throw new Error(`Two statements are named ${name}`);
  names.add(name);
  return (on, values) => {
    const query = { ...(planned === 'once' && { name }), text: sql, values: [...values] };
    if (on instanceof EntityManager && on.queryRunner) {
      return connectionOf(on.queryRunner).then((connection) => run<Row>(connection, query));
    }
    if (on instanceof EntityManager) return inPool(poolOf(on.dataSource), query);
    if (on instanceof DataSource) return inPool(poolOf(on), query);
    return on instanceof pg.Pool ? inPool(on, query) : run<Row>(on, query);
  };
}

async function run<Row extends pg.QueryResultRow>(on: pg.ClientBase, query: pg.QueryConfig): Promise<Row[]> {
  return (await on.query<Row>(query)).rows;
}

/** A connection is as good as before when the server has refused something; the pool's own `query` would end it. */
async function inPool<Row extends pg.QueryResultRow>(pool: pg.Pool, query: pg.QueryConfig): Promise<Row[]> {
  const client = await pool.connect();
  let broken = false;
  client.on('error', ignored);
  try {
    return await run<Row>(client, query);
  } catch (error) {
    broken = !(error instanceof pg.DatabaseError && error.severity === 'ERROR');
    throw error;
  } finally {
    client.off('error', ignored);
    client.release(broken);
  }
}

/** Whoever waits for the answer gets the error. */
function ignored(): void {
  return;
}

async function connectionOf(runner: QueryRunner): Promise<pg.ClientBase> {
  const connection: unknown = await runner.connect();
  if (connection instanceof pg.Client) return connection;
  throw new Error('The transaction does not run on a PostgreSQL connection');
}

/** The pool that an initialised data source works with. */
export function poolOf({ driver }: DataSource): pg.Pool {
  const pool: unknown = driver instanceof PostgresDriver ? driver.master : undefined;
  if (pool instanceof pg.Pool) return pool;
  throw new Error('The data source has no PostgreSQL pool; is it initialised?');
}
