import { statement } from '@belay/platform';

/** A job that stations run, under the id $1 that it was given there; nothing when it is known. */
export const insertStationJob = statement<{ readonly id: string }>(
  'production.insert_station_job',
  `INSERT INTO production.job_ticket
     (id, code, site_id, line, process_mode, execution, sku, target_qty, graph_version_id, due_at, created_at)
   VALUES ($1, $2, $3, 'oem', 'batch', 'stations', $4, $5, $6, $7, $8)
   ON CONFLICT (id) DO NOTHING RETURNING id`,
);

export const isKnownJob = statement<{ readonly known: boolean }>(
  'production.is_known_job',
  `SELECT EXISTS (SELECT FROM production.job_ticket WHERE id = $1) AS known`,
);

/** Notes that the stations told at $2 what they did of the job $1; nothing when they have told something later. */
export const takeStationWord = statement<{ readonly id: string }>(
  'production.take_station_word',
  `UPDATE production.job_ticket SET stations_at = $2::timestamptz
   WHERE id = $1 AND (stations_at IS NULL OR stations_at < $2::timestamptz) RETURNING id`,
);

/** What the stations told at $6 of the node $2 of the job $1, unless they have told something later. */
export const noteStation = statement(
  'production.note_station',
  `INSERT INTO production.station_progress AS p (job_ticket_id, node_code, status, good_qty, scrap_qty, at)
   VALUES ($1, $2, $3, $4, $5, $6::timestamptz)
   ON CONFLICT (job_ticket_id, node_code) DO UPDATE
     SET status = excluded.status, good_qty = excluded.good_qty, scrap_qty = excluded.scrap_qty, at = excluded.at
     WHERE p.at < excluded.at`,
);
