import { randomUUIDv7 } from 'node:crypto';
import { openPool } from '@belay/platform';
import { withLease } from './lease.js';

/**
 * Does the work under the lease that runs take, so that no run, migration or deployment changes anything meanwhile. The
 * first migration of all makes the lease: before it there is nothing that could be in the way.
 */
export async function whileAlone<Result>(
  controlUrl: string,
  purpose: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const pool = openPool(controlUrl, {
    max: 2,
    statementTimeoutMs: 2_000,
    lockTimeoutMs: 2_000,
    applicationName: `belay-${purpose}-lease`,
  });
  try {
    const { rows } = await pool.query<{ made: boolean }>(`SELECT to_regclass('control.lease') IS NOT NULL AS made`);
    if (rows[0]?.made !== true) return await work();
    return await withLease(pool, 'live', randomUUIDv7(), { purpose }, work);
  } finally {
    await pool.end();
  }
}
