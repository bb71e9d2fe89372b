INSERT INTO directory.site (id, code, name, kind, address, time_zone, working_hours, holidays, active, row_version)
VALUES ('01991c00-0000-7000-8000-000000000001', 'BOTHELL', 'Bothell plant', 'plant',
        '{"line1": "3820 Bothell Way", "city": "Bothell", "country": "US", "phone": "+14255550100"}', 'America/Los_Angeles',
        '{"mon": [{"from": "06:00", "to": "22:00"}]}', '{2026-01-01,2026-12-25}', true, 3),
       ('01991c00-0000-7000-8000-000000000002', 'LYON', 'Entrepôt de Lyon', 'warehouse', NULL, 'Europe/Paris', '{}', '{}', false, 1);
INSERT INTO directory.shift (site_id, code, starts, ends)
VALUES ('01991c00-0000-7000-8000-000000000001', 'morning', '06:00', '14:00'),
       ('01991c00-0000-7000-8000-000000000001', 'night', '22:00', '06:00');
INSERT INTO directory.account
  (id, kind, username, display_name, given_name, family_name, email, employee_no, avatar_url, status,
   must_change_password, password_changed_at, locale, last_sign_in_at, row_version)
VALUES ('01991c00-0000-7000-8000-000000000011', 'person', 'ken0', 'Ken Sánchez', 'Ken', 'Sánchez', 'ken0@adventure-works.com',
        '1', 'https://pictures.example/1.jpg', 'active', true, '2026-02-03 04:05:06+00', 'en', '2026-02-04 05:06:07+00', 4),
       ('01991c00-0000-7000-8000-000000000012', 'machine', 'scanner-1', 'Scanner 1', NULL, NULL, NULL, NULL, NULL, 'left',
        false, NULL, 'de-AT', NULL, 1);
INSERT INTO directory.password (account_id, hash)
VALUES ('01991c00-0000-7000-8000-000000000011', '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$aGFzaA');
INSERT INTO directory.account_role (id, account_id, role, site_id)
VALUES ('01991c00-0000-7000-8000-000000000021', '01991c00-0000-7000-8000-000000000011', 'admin', NULL),
       ('01991c00-0000-7000-8000-000000000022', '01991c00-0000-7000-8000-000000000011', 'manager', '01991c00-0000-7000-8000-000000000001');
INSERT INTO directory.account_permission (id, account_id, permission, site_id)
VALUES ('01991c00-0000-7000-8000-000000000031', '01991c00-0000-7000-8000-000000000011', 'people:pii', NULL);
INSERT INTO directory.consent (account_id, value, source)
VALUES ('01991c00-0000-7000-8000-000000000011', 'HIDE_AVATAR', 'self');
INSERT INTO directory.sign_in_failure (username_hash, failed_sign_ins, locked_until, last_failed_at)
VALUES ('\xdeadbeef', 5, '2026-02-03 04:20:06+00', '2026-02-03 04:05:06+00');
INSERT INTO directory.refresh_token (id, account_id, family, hash, authenticated_at, expires_at, used_at, revoked_at, client)
VALUES ('01991c00-0000-7000-8000-000000000041', '01991c00-0000-7000-8000-000000000011', '01991c00-0000-7000-8000-000000000042',
        'aa', '2026-02-03 04:05:06+00', '2026-02-17 04:05:06+00', '2026-02-03 04:15:06+00', NULL, 'Firefox');
INSERT INTO directory.api_token (id, account_id, name, prefix, hash, scopes, site_id, expires_at, last_used_at)
VALUES ('01991c00-0000-7000-8000-000000000051', '01991c00-0000-7000-8000-000000000012', 'Gate 3', 'bly_abcdefgh', 'bb',
        '{oem.scan:write,oem.ticket:read}', '01991c00-0000-7000-8000-000000000001', '2027-02-03 04:05:06+00', NULL);
INSERT INTO directory.team
  (id, code, name, site_id, team_category, production_mode, load_mode, dispatch_mode, active, row_version)
VALUES ('01991c00-0000-7000-8000-000000000061', 'WC60', 'Final assembly', '01991c00-0000-7000-8000-000000000001', 'finishing',
        'oem', 'weighted', 'TEAM_PULL', true, 2);
INSERT INTO directory.team_member (id, team_id, account_id, role, capacity_per_day, sort_priority, joined_at, removed_at, row_version)
VALUES ('01991c00-0000-7000-8000-000000000071', '01991c00-0000-7000-8000-000000000061', '01991c00-0000-7000-8000-000000000011',
        'lead', 12, 0, '2026-01-02 00:00:00+00', NULL, 1),
       ('01991c00-0000-7000-8000-000000000072', '01991c00-0000-7000-8000-000000000061', '01991c00-0000-7000-8000-000000000012',
        'member', 10, 100, '2025-01-02 00:00:00+00', '2026-01-02 00:00:00+00', 2);
INSERT INTO directory.operator_skill (account_id, skill_code, level, certified_at, expires_at, row_version)
VALUES ('01991c00-0000-7000-8000-000000000011', 'welding', 5, '2024-02-29', NULL, 1);
