import { RecoveredSchema, statement } from '@belay/platform';

export const schema = new RecoveredSchema('assignment');

/** What was logged until now, and how much of it. */
export const logExtent = statement<{ entries: string; last: string }>(
  'assignment.recovery_log_extent',
  `SELECT count(*)::text AS entries, coalesce(max(id), 0)::text AS last FROM assignment.assignment_log
   WHERE $1::bigint IS NULL OR id <= $1`,
);
