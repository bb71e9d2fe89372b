import { statement } from '@belay/platform';
import type { FindingView } from './finding.contract.js';

export interface FindingRow {
  readonly id: string;
  readonly kind: string;
  readonly subjectType: string;
  readonly subjectId: string;
  readonly detail: FindingView['detail'];
  readonly firstSeenAt: Date;
  readonly lastSeenAt: Date;
  readonly resolvedAt: Date | null;
  readonly rowVersion: number;
}

const columns = `f.id, f.kind, f.subject_type AS "subjectType", f.subject_id AS "subjectId", f.detail,
  f.first_seen_at AS "firstSeenAt", f.last_seen_at AS "lastSeenAt", f.resolved_at AS "resolvedAt",
  f.row_version AS "rowVersion"`;

/** Newest first: $1 kind, $2 type and $3 id of what it is about, $4 only open ones, $5 the one to go on after, $6 rows. */
export const findingList = statement<FindingRow>(
  'production.finding_list',
  `SELECT ${columns} FROM production.health_finding f
   WHERE ($1::text IS NULL OR f.kind = $1) AND ($2::text IS NULL OR f.subject_type = $2)
     AND ($3::uuid IS NULL OR f.subject_id = $3) AND (NOT $4 OR f.resolved_at IS NULL) AND ($5::uuid IS NULL OR f.id < $5)
   ORDER BY f.id DESC LIMIT $6`,
);

export const findingById = statement<FindingRow>(
  'production.finding_by_id',
  `SELECT ${columns} FROM production.health_finding f WHERE f.id = $1::uuid`,
);

/**
 * What a check of the kind $1 has found, a list $2 of {id, subjectType, subjectId, detail}: it is seen at $3, and whatever
 * else was found of that kind is so no longer.
 */
export const noteFindings = statement<{ readonly open: number; readonly resolved: number }>(
  'production.note_findings',
  `WITH seen AS MATERIALIZED (
     SELECT * FROM jsonb_to_recordset($2::jsonb) AS f (id uuid, "subjectType" text, "subjectId" uuid, detail jsonb)),
   noted AS (
     INSERT INTO production.health_finding AS f (id, kind, subject_type, subject_id, detail, first_seen_at, last_seen_at)
     SELECT id, $1, "subjectType", "subjectId", detail, $3::timestamptz, $3::timestamptz FROM seen
     ON CONFLICT (kind, subject_id) WHERE resolved_at IS NULL
     DO UPDATE SET last_seen_at = excluded.last_seen_at, detail = excluded.detail
     RETURNING 1),
   over AS (
     UPDATE production.health_finding f SET resolved_at = $3::timestamptz
     WHERE f.kind = $1 AND f.resolved_at IS NULL AND f.subject_id NOT IN (SELECT "subjectId" FROM seen)
     RETURNING 1)
   SELECT (SELECT count(*) FROM noted)::integer AS open, (SELECT count(*) FROM over)::integer AS resolved`,
);

/** Whoever went away from their work no longer stands there: somebody has ended or paused it. $1 the time. */
export const settleGone = statement(
  'production.settle_gone',
  `UPDATE production.health_finding f SET resolved_at = $1::timestamptz
   WHERE f.kind = 'operator-gone' AND f.resolved_at IS NULL
     AND NOT EXISTS (SELECT FROM production.token_work_session s
                     WHERE s.id = (f.detail->>'sessionId')::uuid AND s.status = 'active')`,
);
