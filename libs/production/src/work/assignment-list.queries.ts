import { statement } from '@belay/platform';
import { assignmentColumns, type AssignmentRow } from './assignment.queries.js';

export interface ListedAssignment extends AssignmentRow {
  readonly nodeCode: string;
  readonly jobTicketId: string;
  readonly siteId: string;
  readonly serial: string | null;
}

const columns = `${assignmentColumns('a')}, n.node_code AS "nodeCode", j.id AS "jobTicketId", j.site_id AS "siteId", t.serial`;
const around = `
  JOIN production.flow_token t ON t.id = a.token_id
  JOIN production.job_graph_instance i ON i.id = t.instance_id
  JOIN production.job_ticket j ON j.id = i.job_ticket_id
  JOIN production.routing_node n ON n.id = a.node_id`;

export const assignmentById = statement<ListedAssignment>(
  'production.assignment_by_id',
  `SELECT ${columns} FROM production.token_assignment a ${around} WHERE a.id = $1::uuid`,
);

/** Newest first: $1 sites, $2 token, $3 job, $4 team, $5 operator, $6 statuses, $7 the one to go on after, $8 rows. */
export const assignmentList = statement<ListedAssignment>(
  'production.assignment_list',
  `SELECT ${columns} FROM production.token_assignment a ${around}
   WHERE ($1::uuid[] IS NULL OR j.site_id = ANY ($1))
     AND ($2::uuid IS NULL OR a.token_id = $2)
     AND ($3::uuid IS NULL OR j.id = $3)
     AND ($4::uuid IS NULL OR a.team_id = $4)
     AND ($5::uuid IS NULL OR a.operator_id = $5)
     AND ($6::text[] IS NULL OR a.status = ANY ($6))
     AND ($7::uuid IS NULL OR a.id < $7)
   ORDER BY a.id DESC LIMIT $8`,
  'each time',
);
