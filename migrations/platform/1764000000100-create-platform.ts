import type { MigrationInterface, QueryRunner } from 'typeorm';
import { park, unpark } from '../support/park.js';

/** What every domain stands on: facts on their way, requests answered once, every row change, effects done once. */
export class CreatePlatform1764000000100 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    if (await unpark(q, 'platform')) return;
    await q.query(`CREATE SCHEMA platform`);
    await facts(q);
    await auditLog(q);
    await effects(q);
  }

  async down(q: QueryRunner): Promise<void> {
    await park(q, 'platform');
  }
}

async function facts(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE platform.outbox (
      id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      name          text NOT NULL,
      body          jsonb NOT NULL,
      domain        text NOT NULL,
      occurred_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
      published_at  timestamptz,
      attempts      integer NOT NULL DEFAULT 0,
      attempt_at    timestamptz,
      last_error    text,
      request_id    text,
      actor         text
    )`);
  await q.query(`CREATE INDEX outbox_waiting ON platform.outbox (id) WHERE published_at IS NULL`);
  await q.query(`CREATE INDEX outbox_published ON platform.outbox (published_at) WHERE published_at IS NOT NULL`);
  await q.query(`
    CREATE TABLE platform.inbox (
      consumer  text NOT NULL,
      event_id  bigint NOT NULL,
      domain    text NOT NULL,
      at        timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (consumer, event_id)
    )`);
  await q.query(`CREATE INDEX inbox_by_domain ON platform.inbox (domain, at)`);
  await q.query(`
    CREATE TABLE platform.idempotency_key (
      account_id    uuid NOT NULL,
      key           text NOT NULL,
      route         text NOT NULL,
      domain        text NOT NULL,
      request_hash  text NOT NULL,
      status        integer,
      body          jsonb,
      at            timestamptz NOT NULL DEFAULT clock_timestamp(),
      expires_at    timestamptz NOT NULL DEFAULT clock_timestamp() + interval '24 hours',
      PRIMARY KEY (account_id, key)
    )`);
  await q.query(`CREATE INDEX idempotency_key_by_expiry ON platform.idempotency_key (expires_at)`);
}

async function auditLog(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE platform.audit_log (
      id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      schema_name  text NOT NULL,
      table_name   text NOT NULL,
      record       jsonb NOT NULL,
      operation    text NOT NULL
                   CONSTRAINT audit_log_operation_is_known CHECK (operation IN ('INSERT', 'UPDATE', 'DELETE', 'READ')),
      old          jsonb,
      new          jsonb,
      txid         xid8 NOT NULL DEFAULT pg_current_xact_id(),
      actor        text,
      request_id   text,
      reason       text,
      at           timestamptz NOT NULL DEFAULT clock_timestamp()
    )`);
  await q.query(`CREATE INDEX audit_log_by_record ON platform.audit_log (schema_name, table_name, record, id)`);
  await q.query(`CREATE INDEX audit_log_by_time ON platform.audit_log (at)`);
  await q.query(`
    CREATE FUNCTION platform.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION '%.% does not allow %', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP;
    END $$`);
  await q.query(`
    CREATE TRIGGER audit_log_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON platform.audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change()`);
  // The arguments of the trigger are the columns of the primary key. A changed key is two records: the log of each
  // says how it ended or began.
  await q.query(`
    CREATE FUNCTION platform.write_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      before jsonb;
      after jsonb;
      record_before jsonb;
      record_after jsonb;
    BEGIN
      IF TG_OP <> 'INSERT' THEN
        before := to_jsonb(OLD);
        SELECT jsonb_object_agg(name, before -> name) INTO record_before FROM unnest(TG_ARGV) AS name;
      END IF;
      IF TG_OP <> 'DELETE' THEN
        after := to_jsonb(NEW);
        SELECT jsonb_object_agg(name, after -> name) INTO record_after FROM unnest(TG_ARGV) AS name;
      END IF;
      IF record_before <> record_after THEN
        INSERT INTO platform.audit_log (schema_name, table_name, record, operation, old, actor, request_id, reason)
        VALUES (TG_TABLE_SCHEMA, TG_TABLE_NAME, record_before, 'DELETE', before,
                nullif(current_setting('belay.actor', true), ''), nullif(current_setting('belay.request_id', true), ''),
                nullif(current_setting('belay.reason', true), ''));
        before := NULL;
      END IF;
      INSERT INTO platform.audit_log (schema_name, table_name, record, operation, old, new, actor, request_id, reason)
      VALUES (TG_TABLE_SCHEMA, TG_TABLE_NAME, coalesce(record_after, record_before),
              CASE WHEN before IS NULL THEN 'INSERT' ELSE TG_OP END, before, after,
              nullif(current_setting('belay.actor', true), ''), nullif(current_setting('belay.request_id', true), ''),
              nullif(current_setting('belay.reason', true), ''));
      RETURN NULL;
    END $$`);
  await q.query(`
    CREATE FUNCTION platform.audit_table(audited regclass) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
      key_columns text;
    BEGIN
      SELECT string_agg(quote_literal(a.attname), ', ' ORDER BY k.position) INTO key_columns
      FROM pg_index i
      CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k(attnum, position)
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
      WHERE i.indrelid = audited AND i.indisprimary;
      IF key_columns IS NULL THEN
        RAISE EXCEPTION '% has no primary key, so its changes cannot be told apart', audited;
      END IF;
      EXECUTE format('CREATE TRIGGER audit_log_row AFTER INSERT OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION platform.write_audit_log(%s)', audited, key_columns);
      EXECUTE format('CREATE TRIGGER audit_log_change AFTER UPDATE ON %s FOR EACH ROW WHEN (OLD *<> NEW) EXECUTE FUNCTION platform.write_audit_log(%s)', audited, key_columns);
      EXECUTE format('CREATE TRIGGER audit_log_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change()', audited);
    END $$`);
}

async function effects(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE platform.step_marker (
      step_key    text PRIMARY KEY,
      run_id      uuid NOT NULL,
      epoch       bigint NOT NULL,
      applied_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
      result      jsonb
    )`);
  await q.query(`
    CREATE TABLE platform.fence (
      scope  text PRIMARY KEY,
      epoch  bigint NOT NULL
    )`);
  await q.query(`INSERT INTO platform.fence (scope, epoch) VALUES ('live', 0), ('drill', 0)`);
}
