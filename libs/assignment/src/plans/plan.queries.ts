import { statement } from '@belay/platform';
import type { AssigneeType } from '../assignment.contract.js';
import type { PlanMode } from './plan.contract.js';

export interface PlanRow {
  readonly id: string;
  readonly graphId: string | null;
  readonly jobTicketId: string | null;
  readonly nodeCode: string | null;
  readonly mode: PlanMode;
  readonly assigneeType: AssigneeType;
  readonly assigneeId: string;
  readonly priority: number;
  readonly active: boolean;
  readonly validFrom: Date | null;
  readonly validTo: Date | null;
  readonly unavailablePolicy: 'WAIT' | 'NEXT';
  readonly reason: string | null;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly rowVersion: number;
}

const alike = `
  p.id, p.node_code AS "nodeCode", p.mode, p.assignee_type AS "assigneeType", p.assignee_id AS "assigneeId", p.priority,
  p.active, p.valid_from AS "validFrom", p.valid_to AS "validTo", p.unavailable_policy AS "unavailablePolicy", p.reason,
  p.created_by AS "createdBy", p.created_at AS "createdAt", p.row_version AS "rowVersion"`;

/** Both kinds of plans have the same columns but for what they are about. */
const kinds = {
  node: {
    table: 'assignment.assignment_plan_node',
    columns: `${alike}, p.graph_id AS "graphId", NULL::uuid AS "jobTicketId"`,
    about: 'graph_id',
  },
  job: {
    table: 'assignment.assignment_plan_job',
    columns: `${alike}, NULL::uuid AS "graphId", p.job_ticket_id AS "jobTicketId"`,
    about: 'job_ticket_id',
  },
} as const;

/**
 * Newest first. $1 the sites whose jobs are shown, all when null, $2 graph, $3 job, $4 node, $5 mode, $6 in use, $7 the one
 * to go on after, $8 rows.
 */
export const planList = statement<PlanRow>(
  'assignment.plan_list',
  `SELECT * FROM (
     SELECT ${kinds.node.columns} FROM ${kinds.node.table} p WHERE $3::uuid IS NULL
     UNION ALL
     SELECT ${kinds.job.columns} FROM ${kinds.job.table} p
     WHERE $2::uuid IS NULL
       AND ($1::uuid[] IS NULL
            OR EXISTS (SELECT FROM production.public_job_ticket j WHERE j.id = p.job_ticket_id AND j.site_id = ANY ($1)))) p
   WHERE ($2::uuid IS NULL OR p."graphId" = $2)
     AND ($3::uuid IS NULL OR p."jobTicketId" = $3)
     AND ($4::text IS NULL OR p."nodeCode" = $4)
     AND ($5::text IS NULL OR p.mode = $5)
     AND p.active = $6::boolean
     AND ($7::uuid IS NULL OR p.id < $7)
   ORDER BY p.id DESC LIMIT $8`,
);

const own = (kind: keyof typeof kinds) => {
  const { table, columns, about } = kinds[kind];
  return {
    lock: statement<PlanRow>(
      `assignment.lock_${kind}_plan`,
      `SELECT ${columns} FROM ${table} p WHERE p.id = $1::uuid FOR UPDATE`,
    ),
    insert: statement<PlanRow>(
      `assignment.insert_${kind}_plan`,
      `INSERT INTO ${table} AS p (id, ${about}, node_code, mode, assignee_type, assignee_id, priority, valid_from, valid_to,
         unavailable_policy, reason, created_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
       RETURNING ${columns}`,
    ),
    change: statement<PlanRow>(
      `assignment.change_${kind}_plan`,
      `UPDATE ${table} p SET priority = $2, active = $3, valid_from = $4, valid_to = $5, unavailable_policy = $6, reason = $7,
         row_version = row_version + 1
       WHERE p.id = $1::uuid RETURNING ${columns}`,
    ),
    /** The one in use that says the same: $1 what it is about, $2 node, $3 mode, $4 and $5 whom. */
    same: statement<PlanRow>(
      `assignment.same_${kind}_plan`,
      `SELECT ${columns} FROM ${table} p
       WHERE p.active AND p.${about} = $1::uuid AND p.node_code IS NOT DISTINCT FROM $2::text AND p.mode = $3::text
         AND p.assignee_type = $4::text AND p.assignee_id = $5::uuid`,
    ),
    /** Pins of the place $1, $2 are taken out of use. */
    unpin: statement<PlanRow>(
      `assignment.unpin_${kind}`,
      `UPDATE ${table} p SET active = false, row_version = row_version + 1
       WHERE p.active AND p.mode = 'PIN' AND p.${about} = $1::uuid AND p.node_code IS NOT DISTINCT FROM $2::text
       RETURNING ${columns}`,
    ),
  };
};

export const plansOf = { node: own('node'), job: own('job') };

export interface TokenPinRow {
  readonly id: string;
  readonly tokenId: string;
  readonly nodeCode: string | null;
  readonly assigneeType: AssigneeType;
  readonly assigneeId: string;
  readonly unavailablePolicy: 'WAIT' | 'NEXT';
  readonly reason: string | null;
  readonly rowVersion: number;
}

const pinColumns = `
  t.id, t.token_id AS "tokenId", t.node_code AS "nodeCode", t.assignee_type AS "assigneeType", t.assignee_id AS "assigneeId",
  t.unavailable_policy AS "unavailablePolicy", t.reason, t.row_version AS "rowVersion"`;

export const pinToken = statement<TokenPinRow>(
  'assignment.pin_token',
  `INSERT INTO assignment.token_pin AS t (id, token_id, node_code, assignee_type, assignee_id, unavailable_policy, reason,
     pinned_by)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
   ON CONFLICT (token_id, (coalesce(node_code, '*'))) WHERE active DO UPDATE SET assignee_type = excluded.assignee_type,
     assignee_id = excluded.assignee_id, unavailable_policy = excluded.unavailable_policy, reason = excluded.reason,
     pinned_by = excluded.pinned_by, row_version = t.row_version + 1
   RETURNING ${pinColumns}`,
);

export const unpinToken = statement<TokenPinRow>(
  'assignment.unpin_token',
  `UPDATE assignment.token_pin t SET active = false, row_version = row_version + 1
   WHERE t.active AND t.token_id = $1::uuid AND t.node_code IS NOT DISTINCT FROM $2::text
   RETURNING ${pinColumns}`,
);

/** Held by who pins at the place $1, to the end of the transaction: one pin takes the place of another, also at once. */
export const lockPlace = statement(
  'assignment.lock_pin_place',
  `SELECT pg_advisory_xact_lock(hashtextextended('assignment.pin ' || $1::text, 0))`,
);

/** What somebody pinned or took off, told after it was done. */
export const logPin = statement(
  'assignment.log_pin',
  `INSERT INTO assignment.assignment_log (token_id, job_ticket_id, assigned_to_type, assigned_to_id, operator_id, method,
     event, tier, reason_json, actor_id)
   VALUES ($1, $2, $3, $4, CASE $3::text WHEN 'operator' THEN $4::uuid END, 'PIN', $5, $6, $7::jsonb, $8)`,
);
