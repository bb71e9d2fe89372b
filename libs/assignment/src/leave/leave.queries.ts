import { statement } from '@belay/platform';
import type { LeaveStatus, LeaveView } from './leave.contract.js';

export interface LeaveRow {
  readonly id: string;
  readonly operatorId: string;
  readonly leaveType: LeaveView['leaveType'];
  readonly reasonCode: string | null;
  readonly reasonText: string | null;
  readonly from: Date;
  readonly until: Date;
  readonly status: LeaveStatus;
  readonly approvedBy: string | null;
  readonly source: LeaveView['source'];
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly rowVersion: number;
}

/** Where a leave stands in time, as the server sees it now. */
export interface LockedLeave extends LeaveRow {
  readonly begun: boolean;
  readonly over: boolean;
}

const columns = `
  l.id, l.operator_id AS "operatorId", l.leave_type AS "leaveType", l.reason_code AS "reasonCode",
  l.reason_text AS "reasonText", lower(l.period) AS "from", upper(l.period) AS until, l.status,
  l.approved_by AS "approvedBy", l.source, l.created_by AS "createdBy", l.created_at AS "createdAt",
  l.row_version AS "rowVersion"`;

/**
 * Newest first. $1 whose besides those at the sites $2 (all when null), $3 operator, $4 status, $5 and $6 the time it must
 * touch, $7 the one to go on after, $8 rows.
 */
export const leaveList = statement<LeaveRow>(
  'assignment.leave_list',
  `SELECT ${columns} FROM assignment.leave_request l
   WHERE (l.operator_id = $1::uuid OR $2::uuid[] IS NULL
          OR EXISTS (SELECT FROM directory.public_team_member m JOIN directory.public_team t ON t.id = m.team_id
                     WHERE m.operator_id = l.operator_id AND t.site_id = ANY ($2)))
     AND ($3::uuid IS NULL OR l.operator_id = $3)
     AND ($4::text IS NULL OR l.status = $4)
     AND ($5::timestamptz IS NULL OR upper(l.period) > $5)
     AND ($6::timestamptz IS NULL OR lower(l.period) < $6)
     AND ($7::uuid IS NULL OR l.id < $7)
   ORDER BY l.id DESC LIMIT $8`,
);

export const insertLeave = statement<LeaveRow>(
  'assignment.insert_leave',
  `INSERT INTO assignment.leave_request AS l
     (id, operator_id, leave_type, reason_code, reason_text, period, created_by)
   VALUES ($1, $2, $3, $4, $5, tstzrange($6::timestamptz, $7::timestamptz), $8)
   RETURNING ${columns}`,
);

export const lockLeave = statement<LockedLeave>(
  'assignment.lock_leave',
  `SELECT ${columns}, lower(l.period) <= clock_timestamp() AS begun, upper(l.period) <= clock_timestamp() AS over
   FROM assignment.leave_request l WHERE l.id = $1::uuid FOR UPDATE`,
);

/** $2 status, $3 by whom it was approved, kept when null. */
export const settleLeave = statement<LeaveRow>(
  'assignment.settle_leave',
  `UPDATE assignment.leave_request l
   SET status = $2, approved_by = coalesce($3::uuid, approved_by), row_version = row_version + 1
   WHERE id = $1::uuid RETURNING ${columns}`,
);

/**
 * To the millisecond, as who looks afterwards sees the time: the person is back at once. A leave that began at this very
 * instant lasts the shortest time there is.
 */
export const endLeave = statement<LeaveRow>(
  'assignment.end_leave',
  `UPDATE assignment.leave_request l
   SET period = tstzrange(lower(period), greatest(date_trunc('milliseconds', clock_timestamp()),
                                                  lower(period) + interval '1 microsecond')),
       row_version = row_version + 1
   WHERE id = $1::uuid RETURNING ${columns}`,
);

/** An approved leave that overlaps the leave $1. */
export const overlappingLeave = statement<{ id: string; from: Date; until: Date }>(
  'assignment.overlapping_leave',
  `SELECT o.id, lower(o.period) AS "from", upper(o.period) AS until
   FROM assignment.leave_request l
   JOIN assignment.leave_request o
     ON o.operator_id = l.operator_id AND o.status = 'approved' AND o.period && l.period AND o.id <> l.id
   WHERE l.id = $1::uuid ORDER BY lower(o.period) LIMIT 1`,
);

/** Leaves that were over before $1. */
export const forgetLeave = statement<{ id: string }>(
  'assignment.forget_leave',
  `DELETE FROM assignment.leave_request WHERE upper(period) < $1::timestamptz RETURNING id`,
);
