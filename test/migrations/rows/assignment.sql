INSERT INTO assignment.assignment_plan_node
  (id, graph_id, node_code, mode, assignee_type, assignee_id, valid_from, valid_to, unavailable_policy, reason, created_by, row_version, priority)
VALUES ('01992c00-0000-7000-8000-000000000001', '01992c00-0000-7000-8000-0000000000a1', 'CUT', 'PLAN', 'team', '01991c00-0000-7000-8000-000000000061',
        '2026-01-01 00:00:00+00', '2026-12-31 23:59:59.999999+00', 'NEXT', NULL, '01991c00-0000-7000-8000-000000000011', 3, 1),
       ('01992c00-0000-7000-8000-000000000002', '01992c00-0000-7000-8000-0000000000a1', 'naïve ✂', 'PIN', 'operator', '01991c00-0000-7000-8000-000000000011',
        NULL, NULL, 'WAIT', 'only she can', '01991c00-0000-7000-8000-000000000011', 1, 999);
INSERT INTO assignment.assignment_plan_job
  (id, job_ticket_id, node_code, mode, assignee_type, assignee_id, active, unavailable_policy, created_by)
VALUES ('01992c00-0000-7000-8000-000000000011', '01992c00-0000-7000-8000-0000000000b1', NULL, 'PLAN', 'operator', '01991c00-0000-7000-8000-000000000011',
        true, 'NEXT', '01991c00-0000-7000-8000-000000000011'),
       ('01992c00-0000-7000-8000-000000000012', '01992c00-0000-7000-8000-0000000000b1', NULL, 'PLAN', 'operator', '01991c00-0000-7000-8000-000000000011',
        false, 'NEXT', '01991c00-0000-7000-8000-000000000011');
INSERT INTO assignment.token_pin (id, token_id, node_code, assignee_type, assignee_id, reason, pinned_by)
VALUES ('01992c00-0000-7000-8000-000000000021', '01992c00-0000-7000-8000-0000000000c1', NULL, 'operator', '01991c00-0000-7000-8000-000000000011',
        'she began it', '01991c00-0000-7000-8000-000000000011');
INSERT INTO assignment.leave_request (id, operator_id, leave_type, reason_code, reason_text, period, status, approved_by, source, created_by, row_version)
VALUES ('01992c00-0000-7000-8000-000000000031', '01991c00-0000-7000-8000-000000000011', 'vacation', NULL, 'naïve ✂',
        '[2026-03-29 00:30:00+00,2026-03-29 01:30:00.000001+00)', 'approved', '01991c00-0000-7000-8000-000000000012', 'local',
        '01991c00-0000-7000-8000-000000000011', 2);
INSERT INTO assignment.operator_availability (operator_id, day, shift, status, source)
VALUES ('01991c00-0000-7000-8000-000000000011', '2024-02-29', 'night', 'overtime', 'people');
INSERT INTO assignment.operator_override (operator_id, is_available, unavailable_until, reason_code, note, set_by)
VALUES ('01991c00-0000-7000-8000-000000000011', false, '2026-03-29 01:00:00+00', 'training', '', '01991c00-0000-7000-8000-000000000012');
INSERT INTO assignment.team_availability (team_id, day, is_available, reason)
VALUES ('01991c00-0000-7000-8000-000000000061', '2026-12-25', false, 'closed');
INSERT INTO assignment.operator_state (operator_id, is_available, reason, until, stale, computed_at)
VALUES ('01991c00-0000-7000-8000-000000000011', false, 'override', '2026-03-29 01:00:00+00', true, '2026-03-29 00:59:59.999999+00');
INSERT INTO assignment.round_robin (team_id, node_key, last_operator_id)
VALUES ('01991c00-0000-7000-8000-000000000061', '01992c00-0000-7000-8000-0000000000a1:CUT', '01991c00-0000-7000-8000-000000000011');
INSERT INTO assignment.assignment_log
  (token_id, node_id, job_ticket_id, assigned_to_type, assigned_to_id, operator_id, method, event, tier, reason_code, reason_json, latency_ms, created_at)
VALUES ('01992c00-0000-7000-8000-0000000000c1', '01992c00-0000-7000-8000-0000000000d1', '01992c00-0000-7000-8000-0000000000b1', 'team',
        '01991c00-0000-7000-8000-000000000061', '01991c00-0000-7000-8000-000000000011', 'AUTO', 'assigned', 'auto', 'AUTO_LEAST_LOAD',
        '{"candidates": [{"operatorId": "01991c00-0000-7000-8000-000000000011", "activeCount": 3}]}', 4.125, '2026-03-29 01:00:00.123456+00'),
       ('01992c00-0000-7000-8000-0000000000c1', NULL, NULL, NULL, NULL, NULL, 'MANUAL', 'cancelled', NULL, NULL, '{}', NULL, '1999-12-31 23:59:59.999999+00');
