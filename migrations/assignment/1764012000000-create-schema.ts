import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { park, unpark } from '../support/park.js';

/** The schema, what may never be rewritten in it, and who may do what. */
export class CreateSchema1764012000000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unpark(q, 'assignment')) return;
    await q.query(`CREATE SCHEMA assignment`);
    // An exclusion constraint compares ids beside its range of time.
    await q.query(`CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public`);
    await permanence(q);
    await roles(q);
  }

  async down(q: QueryRunner): Promise<void> {
    await park(q, 'assignment');
  }
}

async function permanence(q: QueryRunner): Promise<void> {
  // A restore runs as the maintenance role, and names a run whose marker it wrote in the same transaction.
  await q.query(`
    CREATE FUNCTION assignment.in_maintenance() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
    BEGIN
      IF current_user <> 'belay_maintenance' THEN
        RETURN false;
      END IF;
      RETURN EXISTS (
        SELECT FROM platform.step_marker
        WHERE run_id::text = current_setting('assignment.maintenance_run_id', true)
          AND xmin = pg_current_xact_id()::xid);
    END $$`);
  // What was decided stays as it was written, and goes only when it is older than it is kept.
  await q.query(`
    CREATE FUNCTION assignment.block_mutation() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF assignment.in_maintenance() THEN
        IF TG_OP = 'UPDATE' THEN
          RETURN NEW;
        END IF;
        RETURN OLD;
      ELSIF TG_OP = 'DELETE' THEN
        IF OLD.created_at < now() - interval '13 months' THEN
          RETURN OLD;
        END IF;
      END IF;
      RAISE EXCEPTION '%.% is never rewritten: % is refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'AS001', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
    END $$`);
  await q.query(`
    CREATE FUNCTION assignment.block_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT assignment.in_maintenance() THEN
        RAISE EXCEPTION '%.% is never emptied', TG_TABLE_SCHEMA, TG_TABLE_NAME
          USING ERRCODE = 'AS001', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
      END IF;
      RETURN NULL;
    END $$`);
}

/**
 * Roles that a deployment may grant to the users it connects as. Whoever cannot create roles leaves them to the database's
 * administrator, who then calls assignment.grant_roles() once; the triggers hold for everybody, the owner included.
 */
async function roles(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE FUNCTION assignment.ensure_role(role name) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
        EXECUTE format('CREATE ROLE %I NOLOGIN', role);
      END IF;
      RETURN true;
    EXCEPTION
      -- Another database of the same server was first.
      WHEN duplicate_object OR unique_violation THEN RETURN true;
      WHEN insufficient_privilege THEN RETURN false;
    END $$`);
  await q.query(`
    CREATE FUNCTION assignment.grant_roles() RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
      kept regclass;
    BEGIN
      IF assignment.ensure_role('belay_readonly') THEN
        GRANT USAGE ON SCHEMA assignment TO belay_readonly;
        GRANT SELECT ON ALL TABLES IN SCHEMA assignment TO belay_readonly;
      END IF;
      IF assignment.ensure_role('belay_app') THEN
        GRANT USAGE ON SCHEMA assignment, platform TO belay_app;
        GRANT INSERT ON platform.audit_log TO belay_app;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA assignment TO belay_app;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA assignment TO belay_app;
        FOR kept IN SELECT tgrelid FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                    WHERE t.tgname = 'block_mutation' AND c.relnamespace = 'assignment'::regnamespace
        LOOP
          EXECUTE format('REVOKE UPDATE, DELETE ON %s FROM belay_app', kept);
        END LOOP;
      END IF;
      IF assignment.ensure_role('belay_maintenance') THEN
        GRANT USAGE ON SCHEMA assignment, platform TO belay_maintenance;
        GRANT ALL ON ALL TABLES IN SCHEMA assignment TO belay_maintenance;
        GRANT ALL ON ALL SEQUENCES IN SCHEMA assignment TO belay_maintenance;
        GRANT SELECT, INSERT ON platform.step_marker TO belay_maintenance;
        GRANT INSERT ON platform.audit_log TO belay_maintenance;
      END IF;
    END $$`);
}
