INSERT INTO control.process (id, role, host, pid, build_sha, applied_seq, booted, last_request, active_jobs)
VALUES ('01900000-0000-7000-8000-000000000001', 'api', 'one', 1, 'abc', 3, '["directory"]', '{"directory": "2026-01-01T00:00:00Z"}', '[]'),
       ('01900000-0000-7000-8000-000000000002', 'worker', 'two', 2, 'abc', 3, '[]', '{}', '["1"]');
SELECT control.override_flag('live', 'enable_sop_module', true, 'stops the line', 'maria', NULL);
SELECT control.override_flag('live', 'enable_sop_module', false, 'line runs again', 'maria', NULL);
SELECT control.override_flag('drill', 'enable_oem_mode', true, 'quarterly drill', 'maria', '01900000-0000-7000-8000-000000000003');
INSERT INTO control.flag_snapshot (id, state, sha256) VALUES ('01900000-0000-7000-8000-000000000004', '{"a": true}', repeat('ab', 32));
INSERT INTO control.marker (id, name, snapshot, ledger, facts)
VALUES ('01900000-0000-7000-8000-000000000005', 'before the import', pg_current_snapshot(), '[]', '{"wms": 12}');
INSERT INTO control.parked_object (id, domain, kind, object, rows, bytes, purge_after)
VALUES ('01900000-0000-7000-8000-000000000006', 'sop', 'schema', 'sop', 12, 8192, '2099-01-01');
INSERT INTO control.audit_entry (seq, at, actor, action, subject, environment, reason, outcome, prev_hash, hash)
VALUES (1, '2026-01-01', '{"id": "maria"}', 'flag.off', 'enable_sop_module', 'production', 'stops the line', 'done',
        decode(repeat('00', 32), 'hex'), decode(repeat('ab', 32), 'hex'));
UPDATE control.audit_head SET seq = 1, hash = decode(repeat('ab', 32), 'hex');
INSERT INTO control.audit_anchor (seq, at, hash, merkle_root, signature, key_id)
VALUES (1, '2026-01-01', decode(repeat('ab', 32), 'hex'), decode(repeat('cd', 32), 'hex'), '\x01', 'first');

UPDATE control.lease SET holder = '01980000-0000-7000-8000-000000000301', epoch = 7, purpose = 'run', heartbeat_at = now() WHERE scope = 'live';
INSERT INTO control.plan (id, kind, doc, risk, fingerprint, state, created_by, expires_at)
VALUES (repeat('ab', 32), 'module', '{"schemaVersion": 1}', 'low', repeat('cd', 32), 'used', 'maria', '2026-11-21T10:30:00Z');
INSERT INTO control.approval (plan_id, actor, role, decision, reason)
VALUES (repeat('ab', 32), 'jonas', 'ops_approver', 'approve', 'the counts are wrong');
INSERT INTO control.run (id, plan_id, mode, state, policy, epoch, reason, actor, last_event)
VALUES ('01980000-0000-7000-8000-000000000302', repeat('ab', 32), 'normal', 'closed', 'compensate', 7, 'the counts are wrong', 'maria', 1);
INSERT INTO control.run_step (run_id, idx, key, action, version, domain, input, state)
VALUES ('01980000-0000-7000-8000-000000000302', 0, repeat('ef', 32), 'flag.off', 1, 'wms', '{"flag": "enable_wms_module"}', 'verified');
INSERT INTO control.run_event (run_id, seq, type, payload)
VALUES ('01980000-0000-7000-8000-000000000302', 1, 'step.finished', '{"idx": 0}');
INSERT INTO control.check_result (id, plan_id, check_id, outcome, severity, measured)
VALUES ('01980000-0000-7000-8000-000000000303', repeat('ab', 32), 'S01', 'pass', 'critical', '{"holder": null}');
INSERT INTO control.backup (id, scope, domains, location, state, level)
VALUES ('01980000-0000-7000-8000-000000000304', 'domains', '{wms}', 'backups/01980000', 'proven', 4);
INSERT INTO control.runbook (id, version, domain, doc, sha256, budget_s, target_s, created_by)
VALUES ('wms-off', 2, 'wms', '{"id": "wms-off"}', repeat('01', 32), 30, 1, 'maria');
INSERT INTO control.schema_fingerprint (domain, sha256, catalog, ledger_sha256) VALUES ('sop', repeat('23', 32), '{}', repeat('67', 32));
UPDATE control.process SET url = 'http://one:3000' WHERE host = 'one';
INSERT INTO control.idempotency_key (account_id, key, route, request_hash, body)
VALUES ('01980000-0000-7000-8000-000000000305', 'k1', 'POST /api/rollback/plans', repeat('45', 32), '{"id": 1}');
INSERT INTO control.timer (name, due_at) VALUES ('backup drill', '2026-11-22 03:00Z');
INSERT INTO control.failed_copy (id, kind, object, domain, run_id, bytes, purge_after)
VALUES ('01980000-0000-7000-8000-000000000306', 'schema', 'wms__failed_01980000', 'wms', '01980000-0000-7000-8000-000000000302', 8192, '2026-12-22 03:00Z');
INSERT INTO control.request_figure (minute, domain, process_id, requests, errors, slots)
VALUES ('2026-11-22 03:00Z', 'wms', '01980000-0000-7000-8000-000000000307', 12, 1, '{10,1,1}');
