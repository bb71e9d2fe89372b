import type pg from 'pg';

/** One transaction on a connection of the pool, all or nothing; `mode` is what follows BEGIN. */
export async function inTransaction<Result>(
  pool: pg.Pool,
  work: (client: pg.ClientBase) => Promise<Result>,
  mode = '',
): Promise<Result> {
  const client = await pool.connect();
  try {
    await client.query(`BEGIN ${mode}`);
    const result = await work(client);
    await client.query('COMMIT');
    client.release();
    return result;
  } catch (error) {
    // Its transaction is in doubt, so the connection is not used again.
    client.release(true);
    throw error;
  }
}
