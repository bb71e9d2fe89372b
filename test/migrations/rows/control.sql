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
