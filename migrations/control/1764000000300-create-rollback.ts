import type { MigrationInterface, QueryRunner } from 'typeorm';
import { park, parkTables, unpark, unparkTables } from '../support/park.js';

const tables = [
  'control.lease',
  'control.plan',
  'control.approval',
  'control.run',
  'control.run_step',
  'control.run_event',
  'control.check_result',
  'control.backup',
  'control.runbook',
  'control.schema_fingerprint',
  'control.idempotency_key',
] as const;

const LOG = 'control.rollback_log';

/** What the rollback engine plans, does and remembers. */
export class CreateRollback1764000000300 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await unpark(q, { view: LOG });
    if (await unparkTables(q, tables)) return;
    await plans(q);
    await runs(q);
    await backups(q);
    await requests(q);
    await doorbells(q);
    await log(q);
  }

  async down(q: QueryRunner): Promise<void> {
    await park(q, { view: LOG });
    await parkTables(q, tables);
  }
}

async function plans(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE control.plan (
      id           text PRIMARY KEY CONSTRAINT plan_id_is_sha256 CHECK (id ~ '^[0-9a-f]{64}$'),
      kind         text NOT NULL,
      doc          jsonb NOT NULL,
      risk         text NOT NULL CONSTRAINT plan_risk_is_known CHECK (risk IN ('none', 'low', 'medium', 'high')),
      fingerprint  text NOT NULL,
      reason       text,
      state        text NOT NULL CONSTRAINT plan_state_is_known CHECK (state IN
                   ('validating', 'blocked', 'awaiting-approval', 'approved', 'used', 'expired', 'cancelled')),
      created_by   text NOT NULL,
      created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
      expires_at   timestamptz NOT NULL
    )`);
  await q.query(`CREATE INDEX plan_by_time ON control.plan (created_at DESC)`);
  await q.query(`
    CREATE TABLE control.approval (
      plan_id   text NOT NULL REFERENCES control.plan,
      actor     text NOT NULL,
      role      text NOT NULL,
      -- What the person might do when they decided; a plan may need several, each from another person.
      permissions  text[] NOT NULL DEFAULT '{}',
      decision  text NOT NULL CONSTRAINT approval_decision_is_known CHECK (decision IN ('approve', 'reject', 'withdraw')),
      reason    text NOT NULL,
      at        timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (plan_id, actor)
    )`);
}

async function runs(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE control.lease (
      scope         text PRIMARY KEY,
      holder        uuid,
      epoch         bigint NOT NULL DEFAULT 0,
      purpose       text,
      run_id        uuid,
      heartbeat_at  timestamptz,
      ttl_ms        integer NOT NULL DEFAULT 3000 CONSTRAINT lease_ttl_is_positive CHECK (ttl_ms > 0)
    )`);
  await q.query(`INSERT INTO control.lease (scope) VALUES ('live'), ('drill')`);
  await q.query(`
    CREATE TABLE control.run (
      id             uuid PRIMARY KEY,
      plan_id        text NOT NULL REFERENCES control.plan,
      scope          text NOT NULL DEFAULT 'live' REFERENCES control.lease,
      mode           text NOT NULL
                     CONSTRAINT run_mode_is_known CHECK (mode IN ('normal', 'drill', 'dry', 'emergency', 'undo')),
      state          text NOT NULL CONSTRAINT run_state_is_known CHECK (state IN
                     ('queued', 'running', 'paused', 'verifying', 'monitoring', 'closed', 'failed', 'compensating',
                      'compensated', 'manual', 'cancelled')),
      paused_for     text CONSTRAINT run_pause_is_known CHECK (paused_for IN ('human', 'inconclusive', 'lost-lease', 'preempted')),
      paused_from    text CONSTRAINT run_paused_from_is_known CHECK (paused_from IN
                     ('running', 'verifying', 'failed', 'compensating', 'manual')),
      wish           text CONSTRAINT run_wish_is_known CHECK (wish IN ('pause', 'resume', 'cancel', 'confirm')),
      wish_by        text,
      wish_reason    text,
      policy         text NOT NULL CONSTRAINT run_policy_is_known CHECK (policy IN ('compensate', 'hold', 'continue')),
      level          text CONSTRAINT run_level_is_known CHECK (level IN ('E1', 'E2', 'E4')),
      epoch          bigint NOT NULL DEFAULT 0,
      reason         text NOT NULL CONSTRAINT run_reason_says_something CHECK (length(btrim(reason)) >= 10),
      actor          text NOT NULL,
      undoes         uuid REFERENCES control.run,
      incident_id    uuid,
      ratified_by    text,
      ratified_at    timestamptz,
      created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
      started_at     timestamptz,
      finished_at    timestamptz,
      monitor_until  timestamptz,
      last_event     bigint NOT NULL DEFAULT 0,
      result         jsonb NOT NULL DEFAULT '{}',
      CONSTRAINT run_says_why_it_is_paused CHECK
                     ((state = 'paused') = (paused_for IS NOT NULL) AND (state = 'paused') = (paused_from IS NOT NULL)),
      CONSTRAINT run_of_an_emergency_has_a_level CHECK ((mode = 'emergency') = (level IS NOT NULL))
    )`);
  // Whoever was pre-empted waits; everybody else who is not at an end holds the scope.
  await q.query(`
    CREATE UNIQUE INDEX run_is_alone_in_its_scope ON control.run (scope)
    WHERE mode <> 'dry' AND (state IN ('queued', 'running', 'verifying', 'failed', 'compensating', 'manual')
       OR (state = 'paused' AND paused_for <> 'preempted'))`);
  await q.query(`CREATE INDEX run_by_time ON control.run (created_at DESC)`);
  await q.query(`CREATE INDEX run_by_plan ON control.run (plan_id)`);
  await q.query(`
    CREATE TABLE control.run_step (
      run_id        uuid NOT NULL REFERENCES control.run,
      idx           integer NOT NULL CONSTRAINT run_step_idx_is_a_place CHECK (idx BETWEEN 0 AND 199),
      key           text NOT NULL CONSTRAINT run_step_key_is_unique UNIQUE,
      action        text NOT NULL,
      version       integer NOT NULL,
      domain        text,
      input         jsonb NOT NULL,
      state         text NOT NULL CONSTRAINT run_step_state_is_known CHECK (state IN
                    ('pending', 'previewed', 'running', 'waiting', 'effect-unknown', 'effect-done', 'verified', 'failed',
                     'compensating', 'compensated', 'compensation-failed', 'skipped')),
      attempt       integer NOT NULL DEFAULT 0,
      epoch         bigint NOT NULL DEFAULT 0,
      before        jsonb,
      request       jsonb,
      after         jsonb,
      result        jsonb,
      error         jsonb,
      waits_for     text,
      wish          text CONSTRAINT run_step_wish_is_known CHECK (wish IN ('retry', 'skip', 'confirm')),
      wish_by       text,
      wish_facts    jsonb,
      skip_reason   text,
      deadline      timestamptz,
      started_at    timestamptz,
      finished_at   timestamptz,
      PRIMARY KEY (run_id, idx)
    )`);
  await q.query(`
    CREATE TABLE control.run_event (
      run_id   uuid NOT NULL REFERENCES control.run,
      seq      bigint NOT NULL,
      at       timestamptz NOT NULL DEFAULT clock_timestamp(),
      type     text NOT NULL,
      payload  jsonb NOT NULL,
      PRIMARY KEY (run_id, seq)
    )`);
  await q.query(`
    CREATE TRIGGER run_event_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON control.run_event
    FOR EACH STATEMENT EXECUTE FUNCTION control.refuse_change()`);
  await q.query(`
    CREATE TABLE control.check_result (
      id           uuid PRIMARY KEY,
      plan_id      text REFERENCES control.plan,
      run_id       uuid REFERENCES control.run,
      check_id     text NOT NULL,
      outcome      text NOT NULL
                   CONSTRAINT check_result_outcome_is_known CHECK (outcome IN ('pass', 'fail', 'inconclusive', 'not-run')),
      severity     text NOT NULL CONSTRAINT check_result_severity_is_known CHECK (severity IN ('critical', 'normal')),
      measured     jsonb,
      threshold    jsonb,
      evidence     jsonb NOT NULL DEFAULT '{}',
      recovery     jsonb NOT NULL DEFAULT '[]',
      bypassed_by  text,
      at           timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT check_result_belongs_to_something CHECK (plan_id IS NOT NULL OR run_id IS NOT NULL)
    )`);
  await q.query(`CREATE INDEX check_result_by_plan ON control.check_result (plan_id, at)`);
  await q.query(`CREATE INDEX check_result_by_run ON control.check_result (run_id, at)`);
}

async function backups(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE control.backup (
      id           uuid PRIMARY KEY,
      scope        text NOT NULL CONSTRAINT backup_scope_is_known CHECK (scope IN ('domains', 'application', 'control')),
      domains      text[] NOT NULL,
      manifest     jsonb,
      sha256       text,
      bytes        bigint,
      location     text NOT NULL,
      level        smallint NOT NULL DEFAULT 0 CONSTRAINT backup_level_is_known CHECK (level BETWEEN 0 AND 4),
      state        text NOT NULL CONSTRAINT backup_state_is_known CHECK (state IN
                   ('creating', 'created', 'checksummed', 'complete', 'restored', 'proven', 'expired', 'broken')),
      snapshot_at  timestamptz,
      created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
      drill_at     timestamptz,
      drill_ms     bigint,
      findings     jsonb NOT NULL DEFAULT '[]',
      run_id       uuid,
      wanted_at    timestamptz,
      wanted_level smallint NOT NULL DEFAULT 1
                   CONSTRAINT backup_wanted_level_is_known CHECK (wanted_level BETWEEN 1 AND 4),
      requested_by text NOT NULL DEFAULT 'system',
      expires_at   timestamptz
    )`);
  await q.query(`CREATE INDEX backup_by_time ON control.backup (created_at DESC)`);
  await q.query(`CREATE INDEX backup_wanted ON control.backup (wanted_at) WHERE wanted_at IS NOT NULL`);
  // What is to be done from time to time; whoever moves `due_at` on does it.
  await q.query(`
    CREATE TABLE control.timer (
      name    text PRIMARY KEY,
      due_at  timestamptz NOT NULL,
      facts   jsonb NOT NULL DEFAULT '{}'
    )`);
  await q.query(`
    CREATE TABLE control.runbook (
      id             text NOT NULL,
      version        integer NOT NULL CONSTRAINT runbook_version_is_positive CHECK (version > 0),
      domain         text NOT NULL,
      doc            jsonb NOT NULL,
      sha256         text NOT NULL,
      budget_s       integer NOT NULL,
      target_s       integer NOT NULL,
      last_drill_at  timestamptz,
      last_drill_ok  boolean,
      last_drill_ms  bigint,
      created_by     text NOT NULL,
      created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (id, version)
    )`);
  // What the schema of a domain looked like when its last migration was done: anything else was not done by a migration.
  await q.query(`
    CREATE TABLE control.schema_fingerprint (
      domain   text PRIMARY KEY,
      sha256   text NOT NULL,
      catalog  jsonb NOT NULL,
      at       timestamptz NOT NULL DEFAULT clock_timestamp()
    )`);
}

async function requests(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE control.idempotency_key (
      account_id    uuid NOT NULL,
      key           text NOT NULL,
      route         text NOT NULL,
      request_hash  text NOT NULL,
      body          jsonb,
      at            timestamptz NOT NULL DEFAULT clock_timestamp(),
      expires_at    timestamptz NOT NULL DEFAULT clock_timestamp() + interval '24 hours',
      PRIMARY KEY (account_id, key)
    )`);
  await q.query(`CREATE INDEX idempotency_key_by_expiry ON control.idempotency_key (expires_at)`);
}

async function doorbells(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE FUNCTION control.announce_run() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_notify('control_run', NEW.id::text);
      RETURN NULL;
    END $$`);
  await q.query(`
    CREATE TRIGGER run_announce AFTER INSERT OR UPDATE OF state, wish ON control.run
    FOR EACH ROW EXECUTE FUNCTION control.announce_run()`);
  await q.query(`
    CREATE FUNCTION control.announce_run_step() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_notify('control_run', NEW.run_id::text);
      RETURN NULL;
    END $$`);
  await q.query(`
    CREATE TRIGGER run_step_announce AFTER UPDATE OF wish ON control.run_step
    FOR EACH ROW WHEN (NEW.wish IS NOT NULL) EXECUTE FUNCTION control.announce_run_step()`);
  await q.query(`
    CREATE FUNCTION control.announce_run_event() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_notify('control_run_event', NEW.run_id::text || ' ' || NEW.seq::text);
      RETURN NULL;
    END $$`);
  await q.query(`
    CREATE TRIGGER run_event_announce AFTER INSERT ON control.run_event
    FOR EACH ROW EXECUTE FUNCTION control.announce_run_event()`);
}

/** The log that operations people keep, written by itself. */
async function log(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE VIEW control.rollback_log AS
    SELECT r.id AS run_id,
           r.created_at AS date,
           coalesce(p.doc->'target'->>'runbook', concat_ws(' ', p.kind, p.doc->'target'->>'domain', p.doc->'target'->>'depth',
                    p.doc->'target'->>'path', p.doc->'target'->>'level', r.undoes::text)) AS phase,
           r.reason,
           r.actor AS rolled_back_by,
           extract(epoch FROM r.finished_at - r.started_at)::float8 AS duration_s,
           EXISTS (SELECT FROM control.run_step s
                   WHERE s.run_id = r.id AND coalesce((s.result->>'onlyInFailedCopy')::bigint, 0) > 0) AS data_loss,
           coalesce((SELECT string_agg(s.action || ': ' || coalesce(s.error->>'message', s.state), '; ' ORDER BY s.idx)
                     FROM control.run_step s WHERE s.run_id = r.id AND s.error IS NOT NULL), 'none') AS issues,
           CASE r.state
             WHEN 'monitoring' THEN 'done, being watched'
             WHEN 'closed' THEN 'done'
             WHEN 'compensated' THEN 'taken back'
             WHEN 'cancelled' THEN 'given up'
             WHEN 'manual' THEN 'to be finished by hand'
             ELSE r.state
           END AS resolution
    FROM control.run r JOIN control.plan p ON p.id = r.plan_id WHERE r.mode <> 'dry'`);
}
