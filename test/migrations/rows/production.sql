INSERT INTO production.work_center (id, site_id, code, name, wip_limit, concurrency_limit, queue_limit)
VALUES ('01995000-0000-7000-8000-000000000001', '01991c00-0000-7000-8000-000000000001', 'WC60', 'Final "assembly" ✂', 10, 3, NULL);
INSERT INTO production.routing_graph (id, code, name, production_mode, draft)
VALUES ('01995000-0000-7000-8000-000000000011', 'TOTE', 'Tote bag', 'atelier', '{"nodes": [], "edges": []}');
INSERT INTO production.routing_graph_version (id, graph_id, version, payload, checksum, status, allow_new_jobs, published_at, published_by)
VALUES ('01995000-0000-7000-8000-000000000021', '01995000-0000-7000-8000-000000000011', 1, '{"nodes": []}', 'c0ffee', 'retired', false,
        '2025-11-15 09:30:00.123456+00', '01991c00-0000-7000-8000-000000000011');
INSERT INTO production.routing_node (id, graph_version_id, node_code, name, node_type, production_mode, work_center_id, team_category,
  estimated_minutes, estimate_basis, preferred_team_id, allowed_team_ids, qc_policy, sequence_no)
VALUES ('01995000-0000-7000-8000-000000000031', '01995000-0000-7000-8000-000000000021', 'START', 'Start', 'start', 'atelier', NULL, NULL, NULL, 'unit', NULL, '{}', NULL, 1),
       ('01995000-0000-7000-8000-000000000032', '01995000-0000-7000-8000-000000000021', 'CUT', 'Cut', 'operation', 'atelier',
        '01995000-0000-7000-8000-000000000001', 'cutting', 12.5, 'fixed', '01991c00-0000-7000-8000-000000000061',
        '{01991c00-0000-7000-8000-000000000061}', '{"allowScrap": true}', 2);
INSERT INTO production.routing_edge (id, graph_version_id, from_node_id, to_node_id, edge_type, condition, is_default, priority, weight, sequence_no)
VALUES ('01995000-0000-7000-8000-000000000041', '01995000-0000-7000-8000-000000000021', '01995000-0000-7000-8000-000000000031',
        '01995000-0000-7000-8000-000000000032', 'conditional', '{"type": "default"}', true, 5, 0.333333, 1);
INSERT INTO production.node_required_skill (node_id, skill_code, min_level, is_required)
VALUES ('01995000-0000-7000-8000-000000000032', 'welding', 3, false);
INSERT INTO production.node_limit (graph_id, node_code, wip_limit, concurrency_limit, queue_limit, source)
VALUES ('01995000-0000-7000-8000-000000000011', 'CUT', 10, NULL, 0, 'manual');

INSERT INTO production.job_ticket (id, code, site_id, line, process_mode, execution, sku, product_name, target_qty, graph_version_id, status, priority,
  due_at, attributes, started_at)
VALUES ('01995000-0000-7000-8000-000000000051', 'JT2511150001', '01991c00-0000-7000-8000-000000000001', 'atelier', 'piece', 'tokens', 'TOTE12', 'Tote',
        2, '01995000-0000-7000-8000-000000000021', 'in_progress', -3, '2025-12-24 12:00:00+00', '{"order_channel": "web"}', '2025-11-15 10:00:00+00');
INSERT INTO production.job_code_counter (day, last) VALUES ('2025-11-15', 1);
INSERT INTO production.job_serial (job_ticket_id, spawn_seq, serial, printed_at)
VALUES ('01995000-0000-7000-8000-000000000051', 1, 'BLY-ATL-TOTE12-20251115-00007-RGPD-C', '2025-11-15 09:45:00+00');
INSERT INTO production.serial_counter (line, sku, day, last) VALUES ('atelier', 'TOTE12', '2025-11-15', 7);
INSERT INTO production.station_progress (job_ticket_id, node_code, status, good_qty, scrap_qty, at)
VALUES ('01995000-0000-7000-8000-000000000051', 'CUT', 'in_progress', 1.5, 0.001, '2025-11-15 11:00:00+00');
INSERT INTO production.job_graph_instance (id, job_ticket_id, graph_version_id, attempt_no, spawned_at, status)
VALUES ('01995000-0000-7000-8000-000000000061', '01995000-0000-7000-8000-000000000051', '01995000-0000-7000-8000-000000000021', 1,
        '2025-11-15 10:00:00+00', 'active');

INSERT INTO production.flow_token (id, instance_id, token_type, serial, current_node_id, status, hold_code, qty, priority, metadata, queue_reason,
  queue_entered_at, spawn_seq, spawned_at, first_spawned_at)
VALUES ('01995000-0000-7000-8000-000000000071', '01995000-0000-7000-8000-000000000061', 'piece', 'BLY-ATL-TOTE12-20251115-00007-RGPD-C',
        '01995000-0000-7000-8000-000000000032', 'waiting', 'SUPERVISOR', 1, 4, '{"colour": "naïve"}', 'WIP_LIMIT', '2025-11-15 10:00:01+00', 1,
        '2025-11-15 10:00:00+00', '2025-11-15 10:00:00+00');
INSERT INTO production.token_node_visit (id, token_id, node_id, visit_no, entered_at, admitted_at, first_started_at, completed_at, left_at, wait_seconds,
  work_seconds, outcome, operator_id)
VALUES ('01995000-0000-7000-8000-000000000081', '01995000-0000-7000-8000-000000000071', '01995000-0000-7000-8000-000000000031', 1,
        '2025-11-15 10:00:00+00', '2025-11-15 10:00:00+00', NULL, '2025-11-15 10:00:01+00', '2025-11-15 10:00:01+00', 1, 0.125, 'moved', NULL);
INSERT INTO production.token_parallel_group (id, parent_token_id, split_node_id, visit_no, kind, expected_branches, merged_at)
VALUES ('01995000-0000-7000-8000-000000000091', '01995000-0000-7000-8000-000000000071', '01995000-0000-7000-8000-000000000031', 1, 'FORK', 2, NULL);
INSERT INTO production.token_join_arrival (group_id, join_node_id, branch_key, branch_no, token_id, arrived_at, consumed_at, outcome)
VALUES ('01995000-0000-7000-8000-000000000091', '01995000-0000-7000-8000-000000000032', '1', 1, '01995000-0000-7000-8000-000000000071',
        '2025-11-15 10:00:02+00', '2025-11-15 10:00:03+00', 'late');
-- One in each of the months that there are, and one that is older than all of them.
INSERT INTO production.token_event (token_id, node_id, type, actor_id, payload, request_id, client_seq, client_time, event_time)
SELECT '01995000-0000-7000-8000-000000000071', '01995000-0000-7000-8000-000000000032', 'NODE_ENTER', '01991c00-0000-7000-8000-000000000011',
       '{"qty": "1.000"}', 'r-12345678', 9, '2025-11-15 09:59:59+00', at
FROM (SELECT now() + make_interval(months => n) AS at FROM generate_series(0, 2) AS n
      UNION ALL SELECT '2012-01-30 05:43:00+00') AS months;

INSERT INTO production.token_assignment (id, token_id, node_id, assigned_to_type, team_id, operator_id, method, status, reason_code, plan_ref, assigned_at,
  cancel_reason, status_changed_at)
VALUES ('01995000-0000-7000-8000-0000000000a1', '01995000-0000-7000-8000-000000000071', '01995000-0000-7000-8000-000000000032', 'operator',
        '01991c00-0000-7000-8000-000000000061', '01991c00-0000-7000-8000-000000000011', 'MANUAL', 'cancelled', 'x', 'token:1', '2025-11-15 10:00:01+00',
        'held', '2025-11-15 10:00:05+00');
INSERT INTO production.token_work_session (id, token_id, node_id, operator_id, help_type, status, started_at, ended_at, work_seconds, pause_count, device_id)
VALUES ('01995000-0000-7000-8000-0000000000b1', '01995000-0000-7000-8000-000000000071', '01995000-0000-7000-8000-000000000032',
        '01991c00-0000-7000-8000-000000000011', 'assist', 'completed', '2025-11-15 10:00:01+00', '2025-11-15 10:00:04+00', 3.125, 1, 'tablet 3');
INSERT INTO production.health_finding (id, kind, subject_type, subject_id, detail, first_seen_at, last_seen_at)
VALUES ('01995000-0000-7000-8000-0000000000c1', 'job-short', 'job', '01995000-0000-7000-8000-000000000051', '{"missing": 1}', '2025-11-16 02:00:00+00',
        '2025-11-17 02:00:00+00');

INSERT INTO production.flow_token_archive SELECT '2026-02-20 03:30:00+00', * FROM production.flow_token;
INSERT INTO production.token_node_visit_archive SELECT '2026-02-20 03:30:00+00', * FROM production.token_node_visit;
INSERT INTO production.token_work_session_archive SELECT '2026-02-20 03:30:00+00', * FROM production.token_work_session;
INSERT INTO production.token_assignment_archive SELECT '2026-02-20 03:30:00+00', * FROM production.token_assignment;
INSERT INTO production.token_parallel_group_archive SELECT '2026-02-20 03:30:00+00', * FROM production.token_parallel_group;
