import { statement } from '@belay/platform';
import type { AssignmentMethod } from './assignment-policy.contract.js';

export const assignmentStatuses = [
  'assigned',
  'accepted',
  'started',
  'paused',
  'completed',
  'rejected',
  'cancelled',
] as const;
export type AssignmentStatus = (typeof assignmentStatuses)[number];

/** Assignments that are not over. */
export const openStatuses = [
  'assigned',
  'accepted',
  'started',
  'paused',
] as const satisfies readonly AssignmentStatus[];

/** An assignment as it is now, with where its token is at home. */
export interface AssignmentRow {
  readonly id: string;
  readonly tokenId: string;
  readonly nodeId: string;
  readonly assigneeType: 'operator' | 'team';
  readonly teamId: string | null;
  readonly operatorId: string | null;
  readonly method: AssignmentMethod;
  readonly status: AssignmentStatus;
  readonly reasonCode: string | null;
  readonly reasonText: string | null;
  readonly note: string | null;
  readonly assignedAt: Date;
  readonly cancelReason: string | null;
  readonly rowVersion: number;
}

export const assignmentColumns = (a: string) => `${a}.id, ${a}.token_id AS "tokenId", ${a}.node_id AS "nodeId",
  ${a}.assigned_to_type AS "assigneeType", ${a}.team_id AS "teamId", ${a}.operator_id AS "operatorId", ${a}.method, ${a}.status,
  ${a}.reason_code AS "reasonCode", ${a}.reason_text AS "reasonText", ${a}.note, ${a}.assigned_at AS "assignedAt",
  ${a}.cancel_reason AS "cancelReason", ${a}.row_version AS "rowVersion"`;

/** Announces the assignments that the named rows are. */
const told = (rows: string) => `
  told AS (
    INSERT INTO platform.outbox (name, body, domain, request_id, actor)
    SELECT 'production.assignment-changed',
           jsonb_build_object('assignmentId', r.id, 'tokenId', r.token_id, 'nodeId', r.node_id, 'teamId', r.team_id,
                              'operatorId', r.operator_id, 'method', r.method, 'status', r.status),
           'production', nullif(current_setting('belay.request_id', true), ''),
           nullif(current_setting('belay.actor', true), '')
    FROM ${rows} r ORDER BY r.id)`;

/** $1 the assignments, a list of objects; $2 time, $3 who assigns. A token that is assigned already is left as it is. */
export const insertAssignments = statement<AssignmentRow>(
  'production.insert_assignments',
  `WITH made AS (
     INSERT INTO production.token_assignment
       (id, token_id, node_id, assigned_to_type, team_id, operator_id, method, status, reason_code, reason_text, plan_ref,
        note, assigned_by, assigned_at, started_at, status_changed_at)
     SELECT a.id, a."tokenId", a."nodeId", a."assigneeType", a."teamId", a."operatorId", a.method, a.status, a."reasonCode",
            a."reasonText", a."planRef", a.note, $3::uuid, $2::timestamptz,
            CASE WHEN a.status = 'started' THEN $2::timestamptz END, $2::timestamptz
     FROM jsonb_to_recordset($1::jsonb) AS a
       (id uuid, "tokenId" uuid, "nodeId" uuid, "assigneeType" text, "teamId" uuid, "operatorId" uuid, method text,
        status text, "reasonCode" text, "reasonText" text, "planRef" uuid, note text)
     ON CONFLICT (token_id) WHERE status IN ('assigned', 'accepted', 'started', 'paused') DO NOTHING
     RETURNING *),
   ${told('made')}
   SELECT ${assignmentColumns('m')} FROM made m ORDER BY m.token_id`,
);

/**
 * $1 the changes, a list of {id, from, to, reason, operatorId, teamId, method}; $2 time. Only what still is what it was
 * expected to be changes.
 */
export const changeAssignments = statement<AssignmentRow>(
  'production.change_assignments',
  `WITH made AS (
     UPDATE production.token_assignment a SET
       status = c."to", status_changed_at = $2::timestamptz,
       operator_id = coalesce(c."operatorId", a.operator_id),
       accepted_at = CASE WHEN c."to" = 'accepted' THEN $2::timestamptz ELSE a.accepted_at END,
       -- What is done passes through being worked on, if only for an instant.
       started_at = CASE WHEN c."to" IN ('started', 'completed') THEN coalesce(a.started_at, $2::timestamptz)
                         ELSE a.started_at END,
       paused_at = CASE WHEN c."to" = 'paused' THEN $2::timestamptz ELSE a.paused_at END,
       completed_at = CASE WHEN c."to" = 'completed' THEN $2::timestamptz ELSE a.completed_at END,
       cancelled_at = CASE WHEN c."to" IN ('cancelled', 'rejected') THEN $2::timestamptz ELSE a.cancelled_at END,
       cancel_reason = CASE WHEN c."to" IN ('cancelled', 'rejected') THEN c.reason ELSE a.cancel_reason END
     FROM jsonb_to_recordset($1::jsonb) AS c (id uuid, "from" jsonb, "to" text, reason text, "operatorId" uuid)
     WHERE a.id = c.id AND c."from" ? a.status
     RETURNING a.*),
   ${told('made')}
   SELECT ${assignmentColumns('m')} FROM made m ORDER BY m.token_id`,
);

/** The open assignments of the tokens $1, which are locked. */
export const lockOpenAssignments = statement<AssignmentRow>(
  'production.lock_open_assignments',
  `SELECT ${assignmentColumns('a')} FROM production.token_assignment a
   WHERE a.token_id = ANY ($1::uuid[]) AND a.status IN ('assigned', 'accepted', 'started', 'paused')
   ORDER BY a.id FOR UPDATE`,
);

/** The open assignments of the tokens $1 end with the status $2 and, when cancelled, the reason $3; $4 is the time. */
export const endOpenAssignments = statement<AssignmentRow>(
  'production.end_open_assignments',
  `WITH made AS (
     UPDATE production.token_assignment a SET
       status = $2::text, status_changed_at = $4::timestamptz,
       -- What is done passes through being worked on, if only for an instant.
       started_at = CASE WHEN $2 = 'completed' THEN coalesce(a.started_at, $4::timestamptz) ELSE a.started_at END,
       completed_at = CASE WHEN $2 = 'completed' THEN $4::timestamptz END,
       cancelled_at = CASE WHEN $2 = 'cancelled' THEN $4::timestamptz END,
       cancel_reason = CASE WHEN $2 = 'cancelled' THEN $3::text END
     WHERE a.token_id = ANY ($1::uuid[]) AND a.status IN ('assigned', 'accepted', 'started', 'paused')
     RETURNING a.*),
   ${told('made')}
   SELECT ${assignmentColumns('m')} FROM made m ORDER BY m.token_id`,
);

/** Operators who rejected one of the tokens $1 on its present visit, or whose work it was not to be. */
export const rejectionsOf = statement<{ readonly tokenId: string; readonly operatorIds: string[] }>(
  'production.rejections_of',
  `SELECT v.token_id AS "tokenId", array_agg(DISTINCT a.operator_id) AS "operatorIds"
   FROM production.token_node_visit v
   JOIN production.token_assignment a ON a.token_id = v.token_id AND a.node_id = v.node_id AND a.status = 'rejected'
     AND a.assigned_at >= v.entered_at AND a.operator_id IS NOT NULL
   WHERE v.token_id = ANY ($1::uuid[]) AND v.left_at IS NULL
   GROUP BY 1`,
);
