import type { MigrationInterface, QueryRunner } from 'typeorm';
import { park, unpark } from '../support/park.js';

/** The memory of what is done to the application database: who runs, what is switched off, what was migrated, by whom. */
export class CreateControl1764000000000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    if (await unpark(q, 'control')) return;
    await q.query(`CREATE SCHEMA control`);
    await processes(q);
    await overrides(q);
    await vault(q);
    await audit(q);
  }

  async down(q: QueryRunner): Promise<void> {
    await park(q, 'control');
  }
}

async function processes(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE control.process (
      id            uuid PRIMARY KEY,
      role          text NOT NULL CONSTRAINT process_role_is_known CHECK (role IN ('api', 'worker', 'cli')),
      host          text NOT NULL,
      pid           integer NOT NULL,
      build_sha     text NOT NULL,
      applied_seq   bigint NOT NULL DEFAULT 0,
      flags_sha     text,
      booted        jsonb NOT NULL DEFAULT '[]',
      last_request  jsonb NOT NULL DEFAULT '{}',
      active_jobs   jsonb NOT NULL DEFAULT '[]',
      started_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
      at            timestamptz NOT NULL DEFAULT clock_timestamp()
    )`);
  await q.query(`CREATE INDEX process_by_heartbeat ON control.process (at)`);
}

async function overrides(q: QueryRunner): Promise<void> {
  await q.query(`CREATE SEQUENCE control.flag_override_seq AS bigint`);
  await q.query(`
    CREATE TABLE control.flag_override (
      scope   text NOT NULL DEFAULT 'live',
      flag    text NOT NULL,
      off     boolean NOT NULL,
      seq     bigint NOT NULL CONSTRAINT flag_override_seq_is_unique UNIQUE,
      reason  text NOT NULL,
      run_id  uuid,
      actor   text NOT NULL,
      at      timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (scope, flag)
    )`);
  // The lock is held until commit, so numbers appear in the order in which they become visible: a reader that has
  // seen a number has seen every smaller one.
  await q.query(`
    CREATE FUNCTION control.number_flag_override() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      highest bigint;
    BEGIN
      PERFORM pg_advisory_xact_lock(hashtextextended('control.flag_override', 0));
      SELECT coalesce(max(seq), 0) INTO highest FROM control.flag_override;
      IF TG_OP = 'DELETE' THEN
        IF OLD.scope = 'live' THEN
          RAISE EXCEPTION 'an override of the live scope is lifted with off = false, never deleted';
        END IF;
        RETURN OLD;
      END IF;
      IF NEW.seq IS NULL THEN
        NEW.seq := nextval('control.flag_override_seq');
        IF NEW.seq <= highest THEN
          NEW.seq := setval('control.flag_override_seq', highest + 1);
        END IF;
      ELSIF NEW.seq <= highest THEN
        RAISE EXCEPTION 'flag_override.seq must grow: % is not above %', NEW.seq, highest
          USING HINT = 'control.override_flag() numbers by itself';
      END IF;
      NEW.at := clock_timestamp();
      RETURN NEW;
    END $$`);
  await q.query(`
    CREATE FUNCTION control.announce_flag_override() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_notify('control_flag', NEW.seq::text);
      RETURN NULL;
    END $$`);
  await q.query(`
    CREATE FUNCTION control.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION '%.% does not allow %', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP;
    END $$`);
  await q.query(`
    CREATE TRIGGER flag_override_number BEFORE INSERT OR UPDATE OR DELETE ON control.flag_override
    FOR EACH ROW EXECUTE FUNCTION control.number_flag_override()`);
  await q.query(`
    CREATE TRIGGER flag_override_announce AFTER INSERT OR UPDATE ON control.flag_override
    FOR EACH ROW EXECUTE FUNCTION control.announce_flag_override()`);
  await q.query(`
    CREATE TRIGGER flag_override_keep BEFORE TRUNCATE ON control.flag_override
    FOR EACH STATEMENT EXECUTE FUNCTION control.refuse_change()`);
  await q.query(`
    CREATE FUNCTION control.override_flag(scope text, flag text, off boolean, reason text, actor text, run_id uuid DEFAULT NULL)
    RETURNS bigint LANGUAGE sql AS $$
      INSERT INTO control.flag_override AS present (scope, flag, off, reason, actor, run_id)
      VALUES ($1, $2, $3, $4, $5, $6)
      ON CONFLICT (scope, flag) DO UPDATE
        SET off = excluded.off, seq = excluded.seq, reason = excluded.reason, actor = excluded.actor, run_id = excluded.run_id
      RETURNING present.seq
    $$`);
  await q.query(`
    CREATE TABLE control.flag_snapshot (
      id      uuid PRIMARY KEY,
      at      timestamptz NOT NULL DEFAULT clock_timestamp(),
      state   jsonb NOT NULL,
      sha256  text NOT NULL CONSTRAINT flag_snapshot_sha256_is_hex CHECK (sha256 ~ '^[0-9a-f]{64}$')
    )`);
  await q.query(`
    CREATE TABLE control.marker (
      id        uuid PRIMARY KEY,
      name      text NOT NULL,
      snapshot  pg_snapshot NOT NULL,
      at        timestamptz NOT NULL DEFAULT clock_timestamp(),
      ledger    jsonb NOT NULL,
      facts     jsonb NOT NULL DEFAULT '{}',
      run_id    uuid
    )`);
  await q.query(`CREATE INDEX marker_by_time ON control.marker (at)`);
}

async function vault(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE control.migration_artifact (
      domain        text NOT NULL,
      name          text NOT NULL,
      checksum      text NOT NULL,
      up_sql        text[] NOT NULL,
      down_sql      text[] NOT NULL,
      up_again_sql  text[] NOT NULL,
      parks         jsonb NOT NULL DEFAULT '[]',
      class         text NOT NULL
                    CONSTRAINT migration_artifact_class_is_known CHECK (class IN ('metadata', 'additive', 'contracting', 'lossy')),
      needs         text[] NOT NULL DEFAULT '{}',
      release       text NOT NULL,
      at            timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (domain, name, checksum)
    )`);
  await q.query(`
    CREATE TABLE control.parked_object (
      id             uuid PRIMARY KEY,
      domain         text NOT NULL,
      kind           text NOT NULL
                     CONSTRAINT parked_object_kind_is_known CHECK (kind IN ('schema', 'table', 'column', 'view', 'matview')),
      object         text NOT NULL,
      rows           bigint,
      bytes          bigint,
      parked_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
      run_id         uuid,
      purge_after    timestamptz NOT NULL,
      taken_back_at  timestamptz,
      purged_by      text
    )`);
  await q.query(`
    CREATE UNIQUE INDEX parked_object_is_parked_once ON control.parked_object (kind, object)
    WHERE taken_back_at IS NULL AND purged_by IS NULL`);
  await q.query(`CREATE INDEX parked_object_by_domain ON control.parked_object (domain, parked_at)`);
}

async function audit(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE control.audit_entry (
      seq            bigint PRIMARY KEY,
      at             timestamptz(3) NOT NULL,
      actor          jsonb NOT NULL,
      action         text NOT NULL,
      subject        text NOT NULL,
      environment    text NOT NULL,
      reason         text,
      plan_id        text,
      run_id         uuid,
      before_digest  text,
      after_digest   text,
      outcome        text NOT NULL,
      prev_hash      bytea NOT NULL CONSTRAINT audit_entry_prev_hash_is_sha256 CHECK (octet_length(prev_hash) = 32),
      hash           bytea NOT NULL CONSTRAINT audit_entry_hash_is_sha256 CHECK (octet_length(hash) = 32)
    )`);
  await q.query(`CREATE INDEX audit_entry_by_time ON control.audit_entry (at)`);
  await q.query(`CREATE INDEX audit_entry_by_run ON control.audit_entry (run_id) WHERE run_id IS NOT NULL`);
  await q.query(`
    CREATE TABLE control.audit_head (
      id    smallint PRIMARY KEY DEFAULT 1 CONSTRAINT audit_head_is_one_row CHECK (id = 1),
      seq   bigint NOT NULL,
      hash  bytea NOT NULL CONSTRAINT audit_head_hash_is_sha256 CHECK (octet_length(hash) = 32)
    )`);
  await q.query(`INSERT INTO control.audit_head (seq, hash) VALUES (0, decode(repeat('00', 32), 'hex'))`);
  await q.query(`
    CREATE TABLE control.audit_anchor (
      seq          bigint PRIMARY KEY,
      at           timestamptz(3) NOT NULL,
      hash         bytea NOT NULL,
      merkle_root  bytea NOT NULL,
      signature    bytea NOT NULL,
      key_id       text NOT NULL
    )`);
  for (const table of ['audit_entry', 'audit_anchor']) {
    await q.query(`
      CREATE TRIGGER ${table}_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON control.${table}
      FOR EACH STATEMENT EXECUTE FUNCTION control.refuse_change()`);
    await q.query(`REVOKE UPDATE, DELETE, TRUNCATE ON control.${table} FROM PUBLIC, CURRENT_USER`);
  }
  await q.query(`
    CREATE TRIGGER audit_head_keep BEFORE DELETE OR TRUNCATE ON control.audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION control.refuse_change()`);
}
