import { statement } from '@belay/platform';
import type { TicketView } from './ticket.contract.js';

type Dates = 'dueAt' | 'startedAt' | 'completedAt' | 'cancelledAt';

export type TicketRow = Omit<TicketView, Dates | 'createdAt'> &
  Readonly<Record<Dates, Date | null>> & { readonly createdAt: Date };

const columns = `j.id, j.code, j.site_id AS "siteId", j.line, j.process_mode AS "processMode", j.execution,
  j.product_id AS "productId", j.sku, j.product_name AS "productName", j.target_qty::float8 AS "targetQty",
  v.graph_id AS "graphId", v.id AS "graphVersionId", v.version, j.status, coalesce(i.status = 'paused', false) AS paused,
  i.attempt_no AS attempt, j.priority, j.due_at AS "dueAt", j.attributes, j.notes, j.started_at AS "startedAt",
  j.completed_at AS "completedAt", j.cancelled_at AS "cancelledAt", j.cancel_reason AS "cancelReason",
  j.created_at AS "createdAt", j.row_version AS "rowVersion",
  CASE WHEN live.reworked THEN 'rework' WHEN live.at_qc THEN 'qc' END AS stage`;

// A token is on a rework visit when the visit before sent it there.
const around = `
  JOIN production.routing_graph_version v ON v.id = j.graph_version_id
  LEFT JOIN LATERAL (
    SELECT a.id, a.status, a.attempt_no FROM production.job_graph_instance a
    WHERE a.job_ticket_id = j.id ORDER BY a.attempt_no DESC LIMIT 1) i ON true
  LEFT JOIN LATERAL (
    SELECT bool_and(n.node_type = 'qc') AS at_qc,
           bool_or(t.rework_count > 0 AND (
             SELECT p.outcome FROM production.token_node_visit p
             WHERE p.token_id = t.id AND p.left_at IS NOT NULL ORDER BY p.left_at DESC, p.entered_at DESC, p.id DESC LIMIT 1) = 'reworked')
             AS reworked
    FROM production.flow_token t JOIN production.routing_node n ON n.id = t.current_node_id
    WHERE t.instance_id = i.id AND t.status IN ('ready', 'waiting', 'active', 'paused')) live ON true`;

/** The ticket $1, at the sites $2 only, or at all when null. */
export const ticketById = statement<TicketRow>(
  'production.ticket_by_id',
  `SELECT ${columns} FROM production.job_ticket j ${around}
   WHERE j.id = $1::uuid AND ($2::uuid[] IS NULL OR j.site_id = ANY ($2))`,
);

/**
 * Newest first: $1 sites, $2 site, $3 line, $4 status, $5 execution, $6 due before, $7 code, $8 the one to go on after,
 * $9 rows.
 */
export const ticketList = statement<TicketRow>(
  'production.ticket_list',
  `SELECT ${columns}
   FROM (SELECT * FROM production.job_ticket j
         WHERE ($1::uuid[] IS NULL OR j.site_id = ANY ($1))
           AND ($2::uuid IS NULL OR j.site_id = $2)
           AND ($3::text IS NULL OR j.line = $3)
           AND ($4::text IS NULL OR j.status = $4)
           AND ($5::text IS NULL OR j.execution = $5)
           AND ($6::timestamptz IS NULL OR j.due_at < $6)
           AND ($7::text IS NULL OR j.code = $7)
           AND ($8::uuid IS NULL OR j.id < $8)
         ORDER BY j.id DESC LIMIT $9) j
   ${around}
   ORDER BY j.id DESC`,
);

/** What the calendar of the site $1 says at $2. */
export const siteDay = statement<{ readonly day: string; readonly shortDay: string; readonly active: boolean }>(
  'production.site_day',
  `SELECT ($2::timestamptz AT TIME ZONE time_zone)::date::text AS day,
          to_char($2::timestamptz AT TIME ZONE time_zone, 'YYMMDD') AS "shortDay", active
   FROM directory.public_site WHERE id = $1`,
);

/** The version of the graph $1 that a new job follows: $2, or the newest that takes new jobs, or the newest of all. */
export const versionForJob = statement<{
  readonly id: string;
  readonly status: string;
  readonly allowNewJobs: boolean;
}>(
  'production.version_for_job',
  `SELECT v.id, CASE WHEN g.status = 'archived' THEN 'retired' ELSE v.status END AS status,
          v.allow_new_jobs AS "allowNewJobs"
   FROM production.routing_graph_version v JOIN production.routing_graph g ON g.id = v.graph_id
   WHERE v.graph_id = $1 AND ($2::integer IS NULL OR v.version = $2)
   ORDER BY v.status = 'published' AND v.allow_new_jobs DESC, v.version DESC LIMIT 1`,
);

/** The next number of the day $1, and whether a job has been given the code that starts with $2 and ends with it. */
export const nextJobCode = statement<{ readonly code: string; readonly taken: boolean }>(
  'production.next_job_code',
  `WITH counted AS (
     INSERT INTO production.job_code_counter AS c (day, last) VALUES ($1::date, 1)
     ON CONFLICT (day) DO UPDATE SET last = c.last + 1 RETURNING last),
   made AS (SELECT $2::text || CASE WHEN last < 10000 THEN lpad(last::text, 4, '0') ELSE last::text END AS code FROM counted)
   SELECT code, EXISTS (SELECT FROM production.job_ticket j WHERE j.code = made.code) AS taken FROM made`,
);

export const insertTicket = statement(
  'production.insert_ticket',
  `INSERT INTO production.job_ticket
     (id, code, site_id, line, process_mode, execution, product_id, sku, product_name, target_qty, graph_version_id, priority,
      due_at, attributes, notes, created_at)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
);

/** Sets what is in the document $2; everything else stays as it is. */
export const changeTicketRow = statement(
  'production.change_ticket',
  `UPDATE production.job_ticket j
   SET product_id = n.product_id, sku = n.sku, product_name = n.product_name, target_qty = n.target_qty,
       attributes = n.attributes, notes = n.notes, due_at = n.due_at, priority = n.priority
   FROM production.job_ticket o
   CROSS JOIN LATERAL jsonb_populate_record(o, $2::jsonb) AS n
   WHERE j.id = $1 AND o.id = j.id`,
);

/** What lives of the job $1 and had its priority, $2, gets the new one, $3. */
export const reprioritise = statement(
  'production.reprioritise',
  `UPDATE production.flow_token t SET priority = $3::smallint
   FROM production.job_graph_instance i
   WHERE i.job_ticket_id = $1 AND t.instance_id = i.id AND t.priority = $2::smallint
     AND t.status IN ('ready', 'waiting', 'active', 'paused')`,
);
