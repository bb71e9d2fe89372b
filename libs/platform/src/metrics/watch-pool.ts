import type pg from 'pg';
import type { Metrics } from './metrics.js';

/** Shows the connections of a pool for as long as the answered function is not called. */
export function watchPool(metrics: Metrics, database: 'application' | 'control', pool: pg.Pool): () => void {
  return metrics.pools.from(() => [
    { labels: { database, state: 'total' }, value: pool.totalCount },
    { labels: { database, state: 'idle' }, value: pool.idleCount },
    { labels: { database, state: 'waiting' }, value: pool.waitingCount },
  ]);
}
