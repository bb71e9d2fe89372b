import pg from 'pg';

/**
 * Of a test: a connection that a server or a test itself cuts off is no failure of its own, and a database may be dropped
 * before the server has noticed that every connection was closed.
 */
export function quietPool(connectionString: string, max = 4): pg.Pool {
  const pool = new pg.Pool({ connectionString, max });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
