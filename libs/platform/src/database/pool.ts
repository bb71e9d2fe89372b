import pg from 'pg';

// A `date` is a day, not an instant: the driver's default would read it in the server's zone.
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text);
const [textArray, dateArray] = [1009, 1182];
// The driver's enumeration of types has no arrays, and it calls their parsers any.
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment, @typescript-eslint/no-unsafe-argument
pg.types.setTypeParser(dateArray, pg.types.getTypeParser(textArray));

export interface PoolLimits {
  readonly max: number;
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
  /** When to give a query up that the server does not even refuse, because the line carries nothing any more. */
  readonly queryTimeoutMs?: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
}

/** Settings of every pooled connection; a forgotten transaction is ended by the server after a minute. */
export function poolOptions(connectionString: string, limits: PoolLimits) {
  return {
    connectionString,
    max: limits.max,
    statement_timeout: limits.statementTimeoutMs,
    lock_timeout: limits.lockTimeoutMs,
    ...(limits.queryTimeoutMs !== undefined && { query_timeout: limits.queryTimeoutMs }),
    idle_in_transaction_session_timeout: 60_000,
    application_name: limits.applicationName,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
  } satisfies pg.PoolConfig;
}

/**
 * A pool whose connections may die without ending the process, idle ones and those in somebody's hands between two
 * queries: the next query fails, or opens another.
 */
export function openPool(connectionString: string, limits: PoolLimits): pg.Pool {
  const pool = new pg.Pool(poolOptions(connectionString, limits));
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
