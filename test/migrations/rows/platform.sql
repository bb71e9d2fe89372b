INSERT INTO platform.outbox (name, body, domain, published_at, attempts, last_error, request_id, actor)
VALUES ('directory.site-changed', '{"siteId": "1"}', 'directory', now(), 1, NULL, 'r-1', 'maria'),
       ('directory.team-changed', '{"teamId": "2", "name": "naïve ✂"}', 'directory', NULL, 3, 'no route', NULL, NULL);
INSERT INTO platform.inbox (consumer, event_id, domain) VALUES ('sop', 1, 'sop'), ('wms', 1, 'wms');
INSERT INTO platform.idempotency_key (account_id, key, route, domain, request_hash, status, body)
VALUES ('01900000-0000-7000-8000-000000000001', 'k-1', 'POST /api/teams', 'directory', 'abc', 201, '{"id": 1}');
INSERT INTO platform.audit_log (schema_name, table_name, record, operation, old, new, actor, request_id, reason)
VALUES ('directory', 'site', '{"id": 1}', 'UPDATE', '{"id": 1, "name": "a"}', '{"id": 1, "name": "b"}', 'maria', 'r-1', 'renamed');
INSERT INTO platform.step_marker (step_key, run_id, epoch, result)
VALUES ('s-1', '01900000-0000-7000-8000-000000000002', 4, '{"rows": 3}');
UPDATE platform.fence SET epoch = 4 WHERE scope = 'live';
INSERT INTO platform.signing_key (kid, public_jwk, sealed_private, retires_at)
VALUES ('k-1', '{"kty": "OKP"}', '\x0102', now() + interval '30 days');
