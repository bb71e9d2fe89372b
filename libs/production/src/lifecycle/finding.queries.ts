import { statement } from '@belay/platform';

/** Tells supervisors of something that does not resolve itself, once until it is resolved: $1 id, $2 kind, $3 type and $4 id
 * of what it is about, $5 details, $6 time. */
export const reportFinding = statement(
  'production.report_finding',
  `INSERT INTO production.health_finding AS f (id, kind, subject_type, subject_id, detail, first_seen_at, last_seen_at)
   VALUES ($1, $2, $3, $4, $5, $6::timestamptz, $6::timestamptz)
   ON CONFLICT (kind, subject_id) WHERE resolved_at IS NULL
   DO UPDATE SET last_seen_at = excluded.last_seen_at, detail = excluded.detail`,
);

/** What was found of kind $1 about $2 is so no longer; $3 is the time. */
export const resolveFinding = statement(
  'production.resolve_finding',
  `UPDATE production.health_finding SET resolved_at = $3::timestamptz
   WHERE kind = $1 AND subject_id = ANY ($2::uuid[]) AND resolved_at IS NULL`,
);
