import type pg from 'pg';

/** One transaction of the control database for what is asked for by no request. */
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
