import { statement } from '@belay/platform';

/** Held to the end of the transaction by whoever looks who is there now, so that nothing is announced twice. */
export const lockStates = statement<{ at: Date }>(
  'assignment.lock_states',
  `SELECT clock_timestamp() AS at FROM pg_advisory_xact_lock(hashtextextended('assignment.operator_state', 0))`,
);

export interface StateRow {
  readonly operatorId: string;
  readonly isAvailable: boolean;
  readonly reason: string | null;
  readonly until: Date | null;
}

/**
 * Keeps what $1 (a list of states) says at $2, and answers those that are news: who came or went, or is away for another
 * reason than before. Whoever was never looked at was there.
 */
export const keepStates = statement<StateRow>(
  'assignment.keep_states',
  `WITH seen AS MATERIALIZED (
     SELECT * FROM jsonb_to_recordset($1::jsonb)
       AS s ("operatorId" uuid, "isAvailable" boolean, reason text, until timestamptz, stale boolean)),
   before AS MATERIALIZED (
     SELECT o.operator_id, o.is_available, o.reason FROM assignment.operator_state o JOIN seen s ON s."operatorId" = o.operator_id),
   kept AS (
     INSERT INTO assignment.operator_state AS o (operator_id, is_available, reason, until, stale, computed_at)
     SELECT "operatorId", "isAvailable", reason, until, stale, $2::timestamptz FROM seen
     ON CONFLICT (operator_id) DO UPDATE SET is_available = excluded.is_available, reason = excluded.reason,
       until = excluded.until, stale = excluded.stale, computed_at = excluded.computed_at)
   SELECT s."operatorId", s."isAvailable", s.reason, s.until
   FROM seen s LEFT JOIN before b ON b.operator_id = s."operatorId"
   WHERE s."isAvailable" <> coalesce(b.is_available, true)
      OR NOT s."isAvailable" AND s.reason IS DISTINCT FROM b.reason AND b.operator_id IS NOT NULL
   ORDER BY s."operatorId"`,
);
