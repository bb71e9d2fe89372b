import { statement } from '@belay/platform';

/** From now on the job $1 is run by tokens. */
export const runByTokens = statement(
  'production.run_by_tokens',
  `UPDATE production.job_ticket SET execution = 'tokens' WHERE id = $1`,
);

/** Jobs at the sites $1, or all, that stations run and have not ended; the first $2, and how many there are. */
export const stationJobs = statement<{ readonly id: string; readonly total: number }>(
  'production.station_jobs',
  `SELECT id, (count(*) OVER ())::integer AS total FROM production.job_ticket
   WHERE execution = 'stations' AND status IN ('planned', 'in_progress') AND ($1::uuid[] IS NULL OR site_id = ANY ($1))
   ORDER BY id LIMIT $2`,
);
