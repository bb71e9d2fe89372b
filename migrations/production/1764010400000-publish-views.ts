import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { park, unpark } from '../support/park.js';

/** Each name with what it selects. Columns are only ever added, at the end. */
const views: readonly (readonly [name: string, select: string])[] = [
  ['public_site', `SELECT id, code, time_zone AS zone FROM directory.public_site`],
  [
    'public_working_period',
    // From five weeks ago, as far back as figures are asked for, until tomorrow.
    `SELECT s.id AS site_id, (d.day + (h.hours ->> 'from')::time) AT TIME ZONE s.time_zone AS starts_at,
            (d.day + (h.hours ->> 'to')::time) AT TIME ZONE s.time_zone AS ends_at
     FROM directory.public_site s
     CROSS JOIN LATERAL (
       SELECT day::date FROM generate_series((now() AT TIME ZONE s.time_zone)::date - 36,
                                             (now() AT TIME ZONE s.time_zone)::date + 1, interval '1 day') AS day) d
     CROSS JOIN LATERAL jsonb_array_elements(
       s.working_hours -> (ARRAY['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])[extract(isodow FROM d.day)::integer])
       AS h (hours)
     WHERE NOT d.day = ANY (s.holidays)`,
  ],
  [
    'public_team',
    `SELECT id, site_id, code, name, team_category AS category, production_mode AS mode, active FROM directory.public_team`,
  ],
  [
    'public_team_member',
    `SELECT team_id, operator_id, role, capacity_per_day, sort_priority, active FROM directory.public_team_member`,
  ],
  [
    'public_job_ticket',
    `SELECT j.id, j.code, j.site_id, j.line, j.execution, j.process_mode, j.sku, v.graph_id, j.graph_version_id, j.target_qty,
            j.status, i.status AS instance_status, j.priority, j.due_at, j.started_at, j.completed_at
     FROM production.job_ticket j
     JOIN production.routing_graph_version v ON v.id = j.graph_version_id
     LEFT JOIN LATERAL (
       SELECT a.status FROM production.job_graph_instance a
       WHERE a.job_ticket_id = j.id ORDER BY a.attempt_no DESC LIMIT 1) i ON true`,
  ],
  [
    'public_node',
    // A work centre has its limits for all nodes that are there; the node's own count only where there is none.
    `SELECT n.graph_version_id, v.graph_id, n.id, n.node_code, n.name, n.node_type,
            CASE n.node_type WHEN 'operation' THEN true WHEN 'qc' THEN true
                             WHEN 'decision' THEN n.form_schema IS NOT NULL
                             WHEN 'wait' THEN coalesce(n.wait_rule ->> 'kind' = 'approval', false) ELSE false END AS operable,
            n.production_mode, n.team_category, n.work_center_id,
            CASE WHEN c.id IS NULL THEN l.wip_limit ELSE c.wip_limit END AS wip_limit,
            CASE WHEN c.id IS NULL THEN l.concurrency_limit ELSE c.concurrency_limit END AS concurrency_limit,
            CASE WHEN c.id IS NULL THEN l.queue_limit ELSE c.queue_limit END AS queue_limit,
            n.estimated_minutes, n.estimate_basis, n.sla_minutes, n.preferred_team_id, n.allowed_team_ids,
            n.forbidden_team_ids
     FROM production.routing_node n
     JOIN production.routing_graph_version v ON v.id = n.graph_version_id
     LEFT JOIN production.work_center c ON c.id = n.work_center_id
     LEFT JOIN production.node_limit l ON l.graph_id = v.graph_id AND l.node_code = n.node_code`,
  ],
  ['public_edge', `SELECT graph_version_id, from_node_id, to_node_id, edge_type FROM production.routing_edge`],
  [
    'public_token',
    // The team of the open assignment; of somebody assigned without one, the team of theirs that does what the node asks
    // for. Nobody's is the nil id.
    `SELECT t.id, t.instance_id, j.id AS job_ticket_id, j.site_id, j.line, v.graph_id, t.current_node_id AS node_id,
            n.node_code, t.token_type, t.parent_token_id, t.status, t.hold_code, t.qty, t.priority, t.rework_count,
            t.replaces_token_id, t.queue_reason, t.queue_entered_at, t.spawned_at, t.first_spawned_at, t.completed_at,
            coalesce(a.team_id, m.team_id, '00000000-0000-0000-0000-000000000000') AS team_id,
            t.status IN ('ready', 'waiting', 'active', 'paused') AND i.status = 'active' AND j.status = 'in_progress'
              AND NOT EXISTS (SELECT FROM production.token_parallel_group g
                              WHERE g.parent_token_id = t.id AND g.kind = 'COMPONENT' AND g.merged_at IS NULL)
              AS counts_in_wip
     FROM production.flow_token t
     JOIN production.job_graph_instance i ON i.id = t.instance_id
     JOIN production.job_ticket j ON j.id = i.job_ticket_id
     JOIN production.routing_graph_version v ON v.id = i.graph_version_id
     LEFT JOIN production.routing_node n ON n.id = t.current_node_id
     LEFT JOIN production.token_assignment a ON a.token_id = t.id AND a.status IN ('assigned', 'accepted', 'started', 'paused')
     LEFT JOIN LATERAL (
       SELECT b.team_id FROM directory.public_team_member b JOIN directory.public_team k ON k.id = b.team_id
       WHERE b.operator_id = a.operator_id AND a.team_id IS NULL AND b.active
       ORDER BY k.team_category = n.team_category DESC NULLS LAST, b.sort_priority, k.id LIMIT 1) m ON true`,
  ],
  [
    'public_visit',
    `SELECT s.id, s.token_id, s.node_id, s.visit_no, s.entered_at, s.admitted_at, s.first_started_at, s.completed_at, s.left_at,
            s.wait_seconds, s.work_seconds, s.assist_seconds, s.pause_seconds, s.team_id, s.operator_id, s.qc_result, s.outcome,
            s.estimated_wait_minutes, s.created_at, j.site_id, j.line, v.graph_id, n.node_code
     FROM production.token_node_visit s
     JOIN production.flow_token t ON t.id = s.token_id
     JOIN production.job_graph_instance i ON i.id = t.instance_id
     JOIN production.job_ticket j ON j.id = i.job_ticket_id
     JOIN production.routing_graph_version v ON v.id = i.graph_version_id
     JOIN production.routing_node n ON n.id = s.node_id`,
  ],
  [
    'public_assignment',
    `SELECT id, token_id, node_id, assigned_to_type, team_id, operator_id, method, status, reason_code, assigned_at, accepted_at,
            started_at, paused_at, completed_at, cancelled_at, status_changed_at
     FROM production.token_assignment`,
  ],
  [
    'public_session',
    `SELECT id, token_id, node_id, operator_id, help_type, status, started_at, paused_at, resumed_at, ended_at, work_seconds,
            pause_seconds, pause_count
     FROM production.token_work_session`,
  ],
  [
    'public_parallel_group',
    `SELECT g.id, g.parent_token_id, g.split_node_id, g.join_node_id, g.kind, g.expected_branches AS expected,
            coalesce(a.arrived, 0) AS arrived, a.oldest_arrival, g.merged_at, g.timed_out_at
     FROM production.token_parallel_group g
     LEFT JOIN LATERAL (
       SELECT count(DISTINCT branch_key)::integer AS arrived, min(arrived_at) AS oldest_arrival
       FROM production.token_join_arrival WHERE group_id = g.id) a ON true`,
  ],
  [
    'public_finding',
    `SELECT id, kind, subject_type, subject_id, first_seen_at, last_seen_at, resolved_at FROM production.health_finding`,
  ],
];

/** The SQL contract with who shows the floor: places, work and where it stands, by ids; no names of people and no notes. */
export class PublishViews1764010400000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    let found = false;
    for (const [view] of views) found = (await unpark(q, { view: `production.${view}` })) || found;
    if (found) return;
    for (const [view, select] of views) await q.query(`CREATE VIEW production.${view} AS ${select}`);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const [view] of views) await park(q, { view: `production.${view}` });
  }
}
