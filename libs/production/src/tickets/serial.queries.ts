import { statement } from '@belay/platform';

export interface SerialRow {
  readonly spawnSeq: number;
  readonly serial: string;
  readonly printedAt: Date | null;
}

/** The serials of the job $1 in their order. */
export const serialsOf = statement<SerialRow>(
  'production.serials_of',
  `SELECT spawn_seq AS "spawnSeq", serial, printed_at AS "printedAt" FROM production.job_serial
   WHERE job_ticket_id = $1 ORDER BY spawn_seq`,
);

/** Takes $4 numbers of the line $1, the SKU $2 and the day $3 at once, and says which is the first. */
export const takeNumbers = statement<{ readonly first: number }>(
  'production.take_serial_numbers',
  `INSERT INTO production.serial_counter AS c (line, sku, day, last) VALUES ($1, $2, $3::date, $4::integer)
   ON CONFLICT (line, sku, day) DO UPDATE SET last = c.last + excluded.last
   RETURNING last - $4::integer + 1 AS first`,
);

/** The job $1 gets the serials $2, in their order. */
export const insertSerials = statement(
  'production.insert_serials',
  `INSERT INTO production.job_serial (job_ticket_id, spawn_seq, serial)
   SELECT $1::uuid, s.position, s.serial FROM unnest($2::text[]) WITH ORDINALITY AS s (serial, position)`,
);

export const markPrinted = statement(
  'production.mark_serials_printed',
  `UPDATE production.job_serial SET printed_at = $2::timestamptz WHERE job_ticket_id = $1 AND printed_at IS NULL`,
);
