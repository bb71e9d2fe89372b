import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { park, unpark } from '../support/park.js';

/** The schema, and what its tables are made with: the calendar, what may never be rewritten, who may do what. */
export class CreateSchema1764006000000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unpark(q, 'wms')) return;
    await q.query(`CREATE SCHEMA wms`);
    // An exclusion constraint compares ids and names beside its range of days.
    await q.query(`CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public`);
    await calendar(q);
    await money(q);
    await permanence(q);
    await history(q);
    await roles(q);
    await integrity(q);
  }

  async down(q: QueryRunner): Promise<void> {
    await park(q, 'wms');
  }
}

/** Local days are computed here and nowhere else: only the server knows the zones. */
async function calendar(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE FUNCTION wms.local_date(at timestamptz, zone text) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (at AT TIME ZONE zone)::date`);
  // The first instant that is no longer the day.
  await q.query(`
    CREATE FUNCTION wms.end_of_day(day date, zone text) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (day + 1)::timestamp AT TIME ZONE zone`);
  // The day whose closing stock is billed: the first one, from the given day on, that is the weekday (1 is Monday).
  await q.query(`
    CREATE FUNCTION wms.snapshot_day(day date, isodow integer) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN day + (isodow - extract(isodow FROM day)::integer + 7) % 7`);
  // Billing periods begin at the same day of every month, at most the 28th.
  await q.query(`
    CREATE FUNCTION wms.period_start(day date, start_day integer) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN date_trunc('month', (day - (start_day - 1))::timestamp)::date + (start_day - 1)`);
  await q.query(`
    CREATE FUNCTION wms.period_end(day date, start_day integer) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (wms.period_start(day, start_day) + interval '1 month')::date - 1`);
}

/** Amounts are kept with two decimals, so currencies with three cannot be billed; those without any are rounded to units. */
async function money(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE FUNCTION wms.currency_scale(currency text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
      WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV',
                        'XAF', 'XOF', 'XPF') THEN 0
      WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
      ELSE 2
    END`);
}

async function permanence(q: QueryRunner): Promise<void> {
  // A restore runs as the maintenance role, and names a run whose marker it wrote in the same transaction.
  await q.query(`
    CREATE FUNCTION wms.in_maintenance() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
    BEGIN
      IF current_user <> 'belay_maintenance' THEN
        RETURN false;
      END IF;
      RETURN EXISTS (
        SELECT FROM platform.step_marker
        WHERE run_id::text = current_setting('wms.maintenance_run_id', true) AND xmin = pg_current_xact_id()::xid);
    END $$`);
  await q.query(`
    CREATE FUNCTION wms.block_mutation() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT wms.in_maintenance() THEN
        RAISE EXCEPTION '%.% is never rewritten: % is refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
          USING ERRCODE = 'WM001', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME,
                HINT = 'Post a reversal or an adjustment instead.';
      END IF;
      IF TG_OP = 'UPDATE' THEN
        RETURN NEW;
      ELSIF TG_OP = 'DELETE' THEN
        RETURN OLD;
      END IF;
      RETURN NULL;
    END $$`);
  // Triggers for rows do not fire for TRUNCATE.
  await q.query(`
    CREATE FUNCTION wms.make_append_only(kept regclass) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      EXECUTE format('CREATE TRIGGER block_mutation BEFORE UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION wms.block_mutation()', kept);
      EXECUTE format('CREATE TRIGGER block_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION wms.block_mutation()', kept);
    END $$`);
}

async function history(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE FUNCTION wms.bump_row_version() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.row_version := OLD.row_version + 1;
      NEW.updated_at := clock_timestamp();
      RETURN NEW;
    END $$`);
  await q.query(`
    CREATE FUNCTION wms.version_rows(versioned regclass) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      EXECUTE format('CREATE TRIGGER bump_row_version BEFORE UPDATE ON %s FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION wms.bump_row_version()', versioned);
    END $$`);
}

/**
 * Roles that a deployment may grant to the users it connects as. Whoever cannot create roles leaves them to the database's
 * administrator, who then calls wms.grant_roles() once; the triggers hold for everybody, the owner included.
 */
async function roles(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE FUNCTION wms.ensure_role(role name) RETURNS boolean LANGUAGE plpgsql AS $$
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
    CREATE FUNCTION wms.grant_roles() RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
      kept regclass;
    BEGIN
      IF wms.ensure_role('belay_readonly') THEN
        GRANT USAGE ON SCHEMA wms TO belay_readonly;
        GRANT SELECT ON ALL TABLES IN SCHEMA wms TO belay_readonly;
      END IF;
      IF wms.ensure_role('belay_app') THEN
        GRANT USAGE ON SCHEMA wms, platform TO belay_app;
        GRANT INSERT ON platform.audit_log TO belay_app;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA wms TO belay_app;
        FOR kept IN SELECT tgrelid FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                    WHERE t.tgname = 'block_mutation' AND c.relnamespace = 'wms'::regnamespace
        LOOP
          EXECUTE format('REVOKE UPDATE, DELETE ON %s FROM belay_app', kept);
        END LOOP;
        IF to_regclass('wms.stock_balance') IS NOT NULL THEN
          REVOKE INSERT, UPDATE, DELETE ON wms.stock_balance FROM belay_app;
          GRANT UPDATE (reserved, row_version) ON wms.stock_balance TO belay_app;
        END IF;
        IF to_regclass('wms.recon_line') IS NOT NULL THEN
          GRANT UPDATE (decision, decided_by, decided_at, note, row_version, updated_at) ON wms.recon_line TO belay_app;
        END IF;
      END IF;
      IF wms.ensure_role('belay_maintenance') THEN
        GRANT USAGE ON SCHEMA wms, platform TO belay_maintenance;
        GRANT ALL ON ALL TABLES IN SCHEMA wms TO belay_maintenance;
        GRANT SELECT, INSERT ON platform.step_marker TO belay_maintenance;
        GRANT INSERT ON platform.audit_log TO belay_maintenance;
      END IF;
    END $$`);
}

/** Checks that must see every table there is, also those that later migrations add. */
async function integrity(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE FUNCTION wms.orphans(most integer) RETURNS TABLE (constraint_name text, table_name text, orphan jsonb)
    LANGUAGE plpgsql STABLE AS $$
    DECLARE
      key record;
    BEGIN
      FOR key IN
        SELECT f.conname::text AS name, t.relname::text AS table_name, t.oid::regclass::text AS child,
               f.confrelid::regclass::text AS parent,
               string_agg(format('p.%I = c.%I', b.attname, a.attname), ' AND ' ORDER BY k.place) AS matches,
               string_agg(format('c.%I IS NOT NULL', a.attname), ' AND ' ORDER BY k.place) AS present
        FROM pg_constraint f
        JOIN pg_class t ON t.oid = f.conrelid
        CROSS JOIN unnest(f.conkey, f.confkey) WITH ORDINALITY AS k(child, parent, place)
        JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.child
        JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = k.parent
        WHERE f.contype = 'f' AND f.connamespace = 'wms'::regnamespace
        GROUP BY f.oid, t.oid ORDER BY 1
      LOOP
        RETURN QUERY EXECUTE format(
          'SELECT $1, $2, to_jsonb(c) FROM %s c WHERE %s AND NOT EXISTS (SELECT FROM %s p WHERE %s) LIMIT $3',
          key.child, key.present, key.parent, key.matches) USING key.name, key.table_name, most;
      END LOOP;
    END $$`);
  // A row and the last that the audit log knows of it, wherever they differ. Columns that the log does not know, because
  // they are younger, are left out.
  await q.query(`
    CREATE FUNCTION wms.audit_differences(most integer)
    RETURNS TABLE (table_name text, row_key jsonb, present jsonb, audited jsonb) LANGUAGE plpgsql STABLE AS $$
    DECLARE
      audited_table record;
    BEGIN
      FOR audited_table IN
        SELECT c.relname::text AS name, c.oid::regclass::text AS qualified,
               string_agg(format('%L, t.%I', a.attname, a.attname), ', ') AS key_of_row
        FROM pg_trigger g
        JOIN pg_class c ON c.oid = g.tgrelid AND c.relnamespace = 'wms'::regnamespace
        JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
        WHERE g.tgname = 'audit_log_row'
        GROUP BY c.oid ORDER BY 1
      LOOP
        RETURN QUERY EXECUTE format($query$
          SELECT $1, jsonb_build_object(%1$s), to_jsonb(t), l.new
          FROM %2$s t
          LEFT JOIN LATERAL (
            SELECT a.new FROM platform.audit_log a
            WHERE a.schema_name = 'wms' AND a.table_name = $1 AND a.record = jsonb_build_object(%1$s)
              AND a.operation <> 'READ'
            ORDER BY a.id DESC LIMIT 1) l ON true
          WHERE l.new IS NULL OR jsonb_populate_record(t, l.new) IS DISTINCT FROM t
          LIMIT $2$query$, audited_table.key_of_row, audited_table.qualified) USING audited_table.name, most;
        RETURN QUERY EXECUTE format($query$
          SELECT $1, l.record, NULL::jsonb, l.new
          FROM (SELECT DISTINCT ON (a.record) a.record, a.new FROM platform.audit_log a
                WHERE a.schema_name = 'wms' AND a.table_name = $1 AND a.operation <> 'READ'
                ORDER BY a.record, a.id DESC) l
          WHERE l.new IS NOT NULL AND NOT EXISTS (SELECT FROM %2$s t WHERE jsonb_build_object(%1$s) = l.record)
          LIMIT $2$query$, audited_table.key_of_row, audited_table.qualified) USING audited_table.name, most;
      END LOOP;
    END $$`);
}
