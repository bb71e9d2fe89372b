import { statement } from '@belay/platform';
import type { NodeType } from './node-type.rules.js';

/** A node as its version was published, with what matters to whoever plans work there. */
export interface PlannedNodeRow {
  readonly code: string;
  readonly type: NodeType;
  readonly formSchema: unknown;
  readonly waitRule: { readonly kind: string } | null;
  readonly productionMode: 'atelier' | 'oem' | 'hybrid';
  readonly allowedTeamIds: readonly string[];
  readonly forbiddenTeamIds: readonly string[];
}

/** The node of the code $3: of the version of the job $2, else of the newest of the graph $1 that new jobs may follow. */
export const plannedNode = statement<PlannedNodeRow>(
  'production.planned_node',
  `SELECT n.node_code AS code, n.node_type AS type, n.form_schema AS "formSchema", n.wait_rule AS "waitRule",
          n.production_mode AS "productionMode", n.allowed_team_ids AS "allowedTeamIds",
          n.forbidden_team_ids AS "forbiddenTeamIds"
   FROM production.routing_graph_version v
   JOIN production.routing_node n ON n.graph_version_id = v.id
   LEFT JOIN production.job_ticket j ON j.id = $2::uuid AND j.graph_version_id = v.id
   WHERE n.node_code = $3::text
     AND CASE WHEN $2::uuid IS NULL THEN v.graph_id = $1::uuid AND v.status = 'published' ELSE j.id IS NOT NULL END
   ORDER BY v.version DESC LIMIT 1`,
);

export interface JobPlace {
  readonly siteId: string;
  readonly graphId: string;
  readonly graphVersionId: string;
  readonly processMode: 'piece' | 'batch';
  readonly targetQty: number;
}

export const placeOfJob = statement<JobPlace>(
  'production.place_of_job',
  `SELECT j.site_id AS "siteId", v.graph_id AS "graphId", v.id AS "graphVersionId", j.process_mode AS "processMode",
          j.target_qty::float8 AS "targetQty"
   FROM production.job_ticket j JOIN production.routing_graph_version v ON v.id = j.graph_version_id
   WHERE j.id = $1::uuid`,
);

export const placeOfToken = statement<{ siteId: string; jobTicketId: string }>(
  'production.place_of_token',
  `SELECT j.site_id AS "siteId", j.id AS "jobTicketId"
   FROM production.flow_token t
   JOIN production.job_graph_instance i ON i.id = t.instance_id
   JOIN production.job_ticket j ON j.id = i.job_ticket_id
   WHERE t.id = $1::uuid`,
);

/** What somebody works on, or has put aside for a while. */
export interface OpenSession {
  readonly operatorId: string;
  readonly status: 'active' | 'paused';
  readonly tokenId: string;
  readonly serial: string | null;
  readonly nodeCode: string;
  readonly nodeName: string;
  readonly jobTicketId: string;
  readonly jobCode: string;
  readonly helpType: 'own' | 'assist' | 'replace';
  readonly since: Date;
}

/** Of the operators $1; the one they work on first, then the latest. */
export const openSessions = statement<OpenSession>(
  'production.sessions_open_at',
  `SELECT s.operator_id AS "operatorId", s.status, s.token_id AS "tokenId", t.serial, n.node_code AS "nodeCode",
          n.name AS "nodeName", j.id AS "jobTicketId", j.code AS "jobCode", s.help_type AS "helpType",
          coalesce(s.resumed_at, s.started_at) AS since
   FROM production.token_work_session s
   JOIN production.flow_token t ON t.id = s.token_id
   JOIN production.routing_node n ON n.id = s.node_id
   JOIN production.job_graph_instance i ON i.id = t.instance_id
   JOIN production.job_ticket j ON j.id = i.job_ticket_id
   WHERE s.operator_id = ANY ($1::uuid[]) AND s.status IN ('active', 'paused')
   ORDER BY s.operator_id, s.status, coalesce(s.resumed_at, s.started_at) DESC, s.node_id, s.token_id`,
);
