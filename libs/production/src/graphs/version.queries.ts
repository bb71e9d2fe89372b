import { statement } from '@belay/platform';
import type { PublishedEdge, PublishedNode } from './published-version.rules.js';
import type { VersionItem } from './version.contract.js';

export type VersionRow = Omit<VersionItem, 'publishedAt'> & { readonly publishedAt: Date };

const columns = `v.id, v.graph_id AS "graphId", g.code AS "graphCode", v.version, v.checksum, v.status,
  v.allow_new_jobs AS "allowNewJobs", v.published_at AS "publishedAt", v.published_by AS "publishedBy"`;
const source = `production.routing_graph_version v JOIN production.routing_graph g ON g.id = v.graph_id`;

export const versionById = statement<VersionRow>(
  'production.version_by_id',
  `SELECT ${columns} FROM ${source} WHERE v.id = $1`,
);

/** $1 graph, $2 the version to go on before, $3 rows. */
export const versionList = statement<VersionRow>(
  'production.version_list',
  `SELECT ${columns} FROM ${source}
   WHERE v.graph_id = $1 AND ($2::integer IS NULL OR v.version < $2) ORDER BY v.version DESC LIMIT $3`,
);

/** $1 id, $2 status and $3 whether it takes new jobs; null leaves it as it is. */
export const changeVersionRow = statement(
  'production.change_version',
  `UPDATE production.routing_graph_version
   SET status = coalesce($2, status), allow_new_jobs = coalesce($3::boolean, allow_new_jobs) WHERE id = $1`,
);

/** $1 id, $2 graph, $3 payload, $4 checksum, $5 when and $6 by whom. */
export const addVersion = statement<{ version: number }>(
  'production.add_version',
  `INSERT INTO production.routing_graph_version (id, graph_id, version, payload, checksum, published_at, published_by)
   SELECT $1, $2, coalesce(max(version), 0) + 1, $3, $4, $5, $6 FROM production.routing_graph_version WHERE graph_id = $2
   RETURNING version`,
);

/** Copies the nodes $2, which have their ids, into the version $1, with the skills they ask for. */
export const addNodes = statement(
  'production.add_nodes',
  `WITH given AS MATERIALIZED (
     SELECT n.node, n.sequence_no FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS n (node, sequence_no)),
   nodes AS (
     INSERT INTO production.routing_node
       (id, graph_version_id, node_code, name, node_type, production_mode, work_center_id, team_category, estimated_minutes,
        estimate_basis, sla_minutes, wip_limit, concurrency_limit, queue_limit, limit_scope, assignment_policy,
        preferred_team_id, allowed_team_ids, forbidden_team_ids, allow_trainee, split_policy, split_kind, join_type,
        join_quorum, wait_window_minutes, timeout_node_code, wait_rule, qc_policy, scrap_policy, form_schema, form_role,
        anchor_component_code, reason_map, material_policy, is_exception_end, sequence_no)
     SELECT n.id, $1, n.code, n.name, n.type, n."productionMode", n."workCenterId", n."teamCategory", n."estimatedMinutes",
            n."estimateBasis", n."slaMinutes", n."wipLimit", n."concurrencyLimit", n."queueLimit", n."limitScope",
            n."assignmentPolicy", n."preferredTeamId", n."allowedTeamIds", n."forbiddenTeamIds", n."allowTrainee",
            n."splitPolicy", n."splitKind", n."joinType", n."joinQuorum", n."waitWindowMinutes", n."timeoutNodeCode",
            n."waitRule", n."qcPolicy", n."scrapPolicy", n."formSchema", n."formRole", n."anchorComponentCode",
            n."reasonMap", n."materialPolicy", n."isExceptionEnd", given.sequence_no
     FROM given CROSS JOIN LATERAL jsonb_to_record(given.node) AS n (
       id uuid, code text, name text, type text, "productionMode" text, "workCenterId" uuid, "teamCategory" text,
       "estimatedMinutes" numeric, "estimateBasis" text, "slaMinutes" integer, "wipLimit" integer,
       "concurrencyLimit" integer, "queueLimit" integer, "limitScope" text, "assignmentPolicy" text,
       "preferredTeamId" uuid, "allowedTeamIds" uuid[], "forbiddenTeamIds" uuid[], "allowTrainee" boolean,
       "splitPolicy" text, "splitKind" text, "joinType" text, "joinQuorum" integer, "waitWindowMinutes" integer,
       "timeoutNodeCode" text, "waitRule" jsonb, "qcPolicy" jsonb, "scrapPolicy" jsonb, "formSchema" jsonb,
       "formRole" text, "anchorComponentCode" text, "reasonMap" jsonb, "materialPolicy" text, "isExceptionEnd" boolean)
     RETURNING id)
   INSERT INTO production.node_required_skill (node_id, skill_code, min_level, is_required)
   SELECT (given.node ->> 'id')::uuid, s."skillCode", s."minLevel", s.required
   FROM given CROSS JOIN LATERAL jsonb_to_recordset(given.node -> 'requiredSkills')
     AS s ("skillCode" text, "minLevel" integer, required boolean)`,
);

/** Copies the edges $2, which name the ids of nodes, into the version $1. */
export const addEdges = statement(
  'production.add_edges',
  `INSERT INTO production.routing_edge
     (id, graph_version_id, from_node_id, to_node_id, edge_type, condition, is_default, priority, weight, multiply,
      component_code, label, sequence_no)
   SELECT e.id, $1, e."fromId", e."toId", e.type, e.condition, e."isDefault", e.priority, e.weight, e.multiply,
          e."componentCode", e.label, given.sequence_no
   FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS given (edge, sequence_no)
   CROSS JOIN LATERAL jsonb_to_record(given.edge) AS e (
     id uuid, "fromId" uuid, "toId" uuid, type text, condition jsonb, "isDefault" boolean, priority integer,
     weight numeric, multiply integer, "componentCode" text, label text)`,
);

/** What the designer says of the limits of the graph $1 at the nodes $2; figures that somebody has set by hand stay. Answers what changed. */
export const upsertDesignedLimits = statement<{ nodeCode: string }>(
  'production.upsert_designed_limits',
  `INSERT INTO production.node_limit AS l (graph_id, node_code, wip_limit, concurrency_limit, queue_limit, source)
   SELECT $1, n.code, n."wipLimit", n."concurrencyLimit", n."queueLimit", 'design'
   FROM jsonb_to_recordset($2::jsonb) AS n (code text, "wipLimit" integer, "concurrencyLimit" integer, "queueLimit" integer)
   ON CONFLICT (graph_id, node_code) DO UPDATE
   SET wip_limit = excluded.wip_limit, concurrency_limit = excluded.concurrency_limit, queue_limit = excluded.queue_limit
   WHERE l.source = 'design'
     AND (l.wip_limit, l.concurrency_limit, l.queue_limit)
         IS DISTINCT FROM (excluded.wip_limit, excluded.concurrency_limit, excluded.queue_limit)
   RETURNING node_code AS "nodeCode"`,
);

export type EdgeRow = Omit<PublishedEdge, 'condition'> & { readonly condition: unknown };

export const nodesOfVersion = statement<PublishedNode>(
  'production.nodes_of_version',
  `SELECT n.id, n.node_code AS code, n.name, n.node_type AS type, n.production_mode AS "productionMode",
     n.work_center_id AS "workCenterId", w.code AS "workCenterCode", n.team_category AS "teamCategory",
     n.estimated_minutes::float8 AS "estimatedMinutes", n.estimate_basis AS "estimateBasis", n.sla_minutes AS "slaMinutes",
     n.limit_scope AS "limitScope", n.assignment_policy AS "assignmentPolicy", n.preferred_team_id AS "preferredTeamId",
     n.allowed_team_ids AS "allowedTeamIds", n.forbidden_team_ids AS "forbiddenTeamIds", n.allow_trainee AS "allowTrainee",
     n.split_policy AS "splitPolicy", n.split_kind AS "splitKind", n.join_type AS "joinType", n.join_quorum AS "joinQuorum",
     n.wait_window_minutes AS "waitWindowMinutes", n.timeout_node_code AS "timeoutNodeCode", n.wait_rule AS "waitRule",
     n.qc_policy AS "qcPolicy", n.scrap_policy AS "scrapPolicy", n.form_schema AS "formSchema", n.form_role AS "formRole",
     n.anchor_component_code AS "anchorComponentCode", n.reason_map AS "reasonMap", n.material_policy AS "materialPolicy",
     n.is_exception_end AS "isExceptionEnd", n.sequence_no AS "sequenceNo",
     coalesce((SELECT jsonb_agg(jsonb_build_object('skillCode', s.skill_code, 'minLevel', s.min_level,
                                                   'required', s.is_required) ORDER BY s.skill_code)
               FROM production.node_required_skill s WHERE s.node_id = n.id), '[]') AS "requiredSkills"
   FROM production.routing_node n LEFT JOIN production.work_center w ON w.id = n.work_center_id
   WHERE n.graph_version_id = $1 ORDER BY n.sequence_no`,
);

export const edgesOfVersion = statement<EdgeRow>(
  'production.edges_of_version',
  `SELECT id, from_node_id AS "fromId", to_node_id AS "toId", edge_type AS type, condition, is_default AS "isDefault",
     priority, weight::float8 AS weight, multiply, component_code AS "componentCode", label, sequence_no AS "sequenceNo"
   FROM production.routing_edge WHERE graph_version_id = $1 ORDER BY sequence_no`,
);
