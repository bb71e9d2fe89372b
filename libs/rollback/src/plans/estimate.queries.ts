import type pg from 'pg';

/** How long steps took before, in seconds by action: the median of the last hundred that came off. */
export async function pastDurations(
  control: pg.Pool,
  actions: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await control.query<{ action: string; seconds: number }>(
    `SELECT action, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS seconds FROM (
       SELECT action, extract(epoch FROM finished_at - started_at)::float8 AS seconds,
              row_number() OVER (PARTITION BY action ORDER BY finished_at DESC) AS place
       FROM control.run_step
       WHERE action = ANY ($1) AND state = 'verified' AND started_at IS NOT NULL AND finished_at IS NOT NULL) AS past
     WHERE place <= 100 GROUP BY action`,
    [[...new Set(actions)]],
  );
  return new Map(rows.map(({ action, seconds }) => [action, seconds]));
}
