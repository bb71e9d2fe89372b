import type pg from 'pg';

/** Tokens that are done, each with `visits` of four events; and what lives beside them. */
export const [done, visits, live, operators] = [31_250, 8, 1_000, 100];
const teams = 12;

/**
 * A floor with a million events of two years behind it and a thousand live tokens: a hundred that somebody works on, a
 * hundred that are paused, two hundred that are assigned, two hundred that wait for a place, the rest for whoever claims
 * them. The graph is published and has an operation OP-0 to OP-7 of each category in turn; its one plant is there.
 */
export async function fillFloor(client: pg.Client): Promise<void> {
  await client.query(`
    BEGIN;
    SET LOCAL session_replication_role = replica;
    CREATE TEMP TABLE node ON COMMIT DROP AS
    SELECT n.id, n.graph_version_id, substr(n.node_code, 4)::integer AS n FROM production.routing_node n
    WHERE n.node_code LIKE 'OP-%';

    INSERT INTO directory.team (id, code, name, site_id, team_category, production_mode, load_mode, dispatch_mode, active, row_version)
    SELECT gen_random_uuid(), 'T-' || n, 'Team ' || n, s.id, (ARRAY['cutting', 'sewing', 'qc', 'finishing'])[n % 4 + 1],
           'hybrid', 'count', 'PUSH', true, 1
    FROM directory.site s, generate_series(0, ${teams - 1}) n;
    CREATE TEMP TABLE operator ON COMMIT DROP AS
    SELECT g.n, gen_random_uuid() AS id, t.id AS team_id
    FROM generate_series(0, ${operators - 1}) AS g (n) JOIN directory.team t ON t.code = 'T-' || g.n % ${teams};
    INSERT INTO directory.account (id, kind, username, display_name, row_version)
    SELECT id, 'person', 'operator-' || n, 'Operator ' || n, 1 FROM operator;
    INSERT INTO directory.team_member (id, team_id, account_id, row_version)
    SELECT gen_random_uuid(), team_id, id, 1 FROM operator;

    CREATE TEMP TABLE job ON COMMIT DROP AS
    SELECT n, gen_random_uuid() AS ticket_id, gen_random_uuid() AS instance_id, n >= 312 AS is_live,
           timestamptz '2024-01-01' + n * interval '2 days' AS at
    FROM generate_series(0, 321) n;
    INSERT INTO production.job_ticket
      (id, code, site_id, line, process_mode, sku, product_name, target_qty, graph_version_id, status, due_at, started_at)
    SELECT j.ticket_id, 'JOB-' || j.n, s.id, 'atelier', 'piece', 'SKU-' || j.n % 40, 'Product', 100, v.id,
           CASE WHEN j.is_live THEN 'in_progress' ELSE 'completed' END, j.at + interval '30 days', j.at
    FROM job j, directory.site s, production.routing_graph_version v;
    INSERT INTO production.job_graph_instance (id, job_ticket_id, graph_version_id, attempt_no, spawned_at, status)
    SELECT j.instance_id, j.ticket_id, v.id, 1, j.at, CASE WHEN j.is_live THEN 'active' ELSE 'completed' END
    FROM job j, production.routing_graph_version v;

    CREATE TEMP TABLE old_token ON COMMIT DROP AS
    SELECT g.n, gen_random_uuid() AS id, j.instance_id, j.at
    FROM generate_series(0, ${done - 1}) AS g (n) JOIN job j ON j.n = g.n % 312;
    INSERT INTO production.flow_token
      (id, instance_id, token_type, serial, status, qty, spawn_seq, spawned_at, first_spawned_at, completed_at)
    SELECT id, instance_id, 'piece', 'OLD-' || n, 'completed', 1, n, at, at, at + interval '1 day' FROM old_token;
    CREATE TEMP TABLE past ON COMMIT DROP AS
    SELECT t.id AS token_id, v.n, d.id AS node_id, o.id AS operator_id, t.at + v.n * interval '1 hour' AS at
    FROM old_token t CROSS JOIN generate_series(0, ${visits - 1}) AS v (n)
    JOIN node d ON d.n = v.n JOIN operator o ON o.n = (t.n + v.n) % ${operators};
    INSERT INTO production.token_node_visit
      (id, token_id, node_id, visit_no, entered_at, admitted_at, first_started_at, completed_at, left_at, wait_seconds,
       work_seconds, operator_id, outcome)
    SELECT gen_random_uuid(), token_id, node_id, 1, at, at, at + interval '5 minutes', at + interval '35 minutes',
           at + interval '35 minutes', 300, 1800, operator_id, 'moved' FROM past;
    INSERT INTO production.token_assignment
      (id, token_id, node_id, assigned_to_type, operator_id, method, status, assigned_at, started_at, completed_at,
       status_changed_at)
    SELECT gen_random_uuid(), token_id, node_id, 'operator', operator_id, 'MANUAL', 'completed', at, at,
           at + interval '35 minutes', at + interval '35 minutes' FROM past;
    INSERT INTO production.token_work_session
      (id, token_id, node_id, operator_id, help_type, status, started_at, ended_at, work_seconds)
    SELECT gen_random_uuid(), token_id, node_id, operator_id, 'own', 'completed', at + interval '5 minutes',
           at + interval '35 minutes', 1800 FROM past;
    INSERT INTO production.token_event (token_id, node_id, type, actor_id, event_time)
    SELECT p.token_id, p.node_id, e.type, p.operator_id, p.at + e.after
    FROM past p CROSS JOIN (VALUES ('NODE_ENTER', interval '0'), ('NODE_START', interval '5 minutes'),
      ('NODE_COMPLETE', interval '35 minutes'), ('NODE_LEAVE', interval '35 minutes')) AS e (type, after)
    ORDER BY p.at;

    CREATE TEMP TABLE new_token ON COMMIT DROP AS
    SELECT g.n, gen_random_uuid() AS id, j.instance_id, d.id AS node_id, o.id AS operator_id,
           now() - g.n * interval '1 minute' AS at,
           CASE WHEN g.n < 100 THEN 'active' WHEN g.n < 200 THEN 'paused' WHEN g.n BETWEEN 400 AND 599 THEN 'waiting'
                ELSE 'ready' END AS status
    FROM generate_series(0, ${live - 1}) AS g (n) JOIN job j ON j.n = 312 + g.n % 10
    JOIN node d ON d.n = g.n % ${visits} JOIN operator o ON o.n = g.n % ${operators};
    INSERT INTO production.flow_token
      (id, instance_id, token_type, serial, current_node_id, status, qty, priority, queue_reason, queue_entered_at, spawn_seq,
       spawned_at, first_spawned_at)
    SELECT id, instance_id, 'piece', 'NEW-' || n, node_id, status, 1, n % 3,
           CASE status WHEN 'waiting' THEN 'WIP_LIMIT' END, CASE status WHEN 'waiting' THEN at END, n, at, at FROM new_token;
    INSERT INTO production.token_node_visit (id, token_id, node_id, visit_no, entered_at, admitted_at)
    SELECT gen_random_uuid(), id, node_id, 1, at, CASE WHEN status <> 'waiting' THEN at END FROM new_token;
    INSERT INTO production.token_event (token_id, node_id, type, event_time)
    SELECT id, node_id, 'NODE_ENTER', at FROM new_token;
    INSERT INTO production.token_assignment
      (id, token_id, node_id, assigned_to_type, operator_id, method, status, assigned_at, status_changed_at)
    SELECT gen_random_uuid(), id, node_id, 'operator', operator_id, 'MANUAL',
           CASE status WHEN 'active' THEN 'started' WHEN 'paused' THEN 'paused' ELSE 'assigned' END, at, at
    FROM new_token WHERE n < 400;
    INSERT INTO production.token_work_session (id, token_id, node_id, operator_id, help_type, status, started_at, paused_at)
    SELECT gen_random_uuid(), id, node_id, operator_id, 'own', status, at, CASE status WHEN 'paused' THEN at END
    FROM new_token WHERE n < 200;
    UPDATE production.node_limit SET wip_limit = 10 WHERE node_code LIKE 'OP-%';
    COMMIT;
  `);
  await client.query('VACUUM ANALYZE');
}
