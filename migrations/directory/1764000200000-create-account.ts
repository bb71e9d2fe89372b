import type { QueryRunner } from 'typeorm';
import type { Migration } from '@belay/platform';
import { park, unpark } from '../support/park.js';

const tables = ['account', 'password', 'account_role', 'account_permission', 'consent'];

/** Who there is, how they prove it, what they may, and how they want to be shown. */
export class CreateAccount1764000200000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await takeBack(q)) return;
    await q.query(`CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public`);
    await account(q);
    await rights(q);
    await announceChanges(q);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const table of tables) await park(q, { table: `directory.${table}` });
  }
}

async function takeBack(q: QueryRunner): Promise<boolean> {
  let found = false;
  for (const table of tables) found = (await unpark(q, { table: `directory.${table}` })) || found;
  return found;
}

async function account(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE directory.account (
      id                    uuid PRIMARY KEY,
      kind                  text NOT NULL CONSTRAINT account_kind_is_known CHECK (kind IN ('person', 'machine')),
      username              text NOT NULL CONSTRAINT account_username_is_unique UNIQUE
                            CONSTRAINT account_username_is_lower_case CHECK (username = lower(username)),
      display_name          text NOT NULL,
      given_name            text,
      family_name           text,
      email                 text CONSTRAINT account_email_is_unique UNIQUE
                            CONSTRAINT account_email_is_lower_case CHECK (email = lower(email)),
      employee_no           text CONSTRAINT account_employee_no_is_unique UNIQUE,
      avatar_url            text,
      status                text NOT NULL DEFAULT 'active' CONSTRAINT account_status_is_known
                            CHECK (status IN ('active', 'suspended', 'left')),
      must_change_password  boolean NOT NULL DEFAULT false,
      password_changed_at   timestamptz,
      locale                text NOT NULL DEFAULT 'en',
      last_sign_in_at       timestamptz,
      created_at            timestamptz NOT NULL DEFAULT now(),
      row_version           integer NOT NULL
    )`);
  await q.query(`
    CREATE INDEX account_trigrams ON directory.account USING gin
      (display_name public.gin_trgm_ops, username public.gin_trgm_ops,
       email public.gin_trgm_ops, employee_no public.gin_trgm_ops)`);
  // Beside the account and not audited: the log of row changes must never hold a hash.
  await q.query(`
    CREATE TABLE directory.password (
      account_id  uuid PRIMARY KEY CONSTRAINT password_is_of_an_account REFERENCES directory.account (id),
      hash        text NOT NULL
    )`);
  // By hand instead of platform.audit_table: a sign-in only moves last_sign_in_at, and that is no change of the account.
  await q.query(`
    CREATE TRIGGER audit_log_row AFTER INSERT OR DELETE ON directory.account
    FOR EACH ROW EXECUTE FUNCTION platform.write_audit_log('id')`);
  await q.query(`
    CREATE TRIGGER audit_log_change AFTER UPDATE OF id, kind, username, display_name, given_name, family_name, email,
      employee_no, avatar_url, status, must_change_password, password_changed_at, locale ON directory.account
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION platform.write_audit_log('id')`);
  await q.query(`
    CREATE TRIGGER audit_log_truncate BEFORE TRUNCATE ON directory.account
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change()`);
}

async function rights(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE directory.account_role (
      id          uuid PRIMARY KEY,
      account_id  uuid NOT NULL CONSTRAINT role_is_of_an_account REFERENCES directory.account (id),
      role        text NOT NULL,
      site_id     uuid CONSTRAINT role_is_at_a_site REFERENCES directory.site (id),
      created_at  timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT role_is_given_once UNIQUE NULLS NOT DISTINCT (account_id, role, site_id)
    )`);
  await q.query(`CREATE INDEX account_role_by_site ON directory.account_role (site_id, account_id)`);
  await q.query(`
    CREATE TABLE directory.account_permission (
      id          uuid PRIMARY KEY,
      account_id  uuid NOT NULL CONSTRAINT permission_is_of_an_account REFERENCES directory.account (id),
      permission  text NOT NULL,
      site_id     uuid CONSTRAINT permission_is_at_a_site REFERENCES directory.site (id),
      created_at  timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT permission_is_given_once UNIQUE NULLS NOT DISTINCT (account_id, permission, site_id)
    )`);
  await q.query(`CREATE INDEX account_permission_by_site ON directory.account_permission (site_id, account_id)`);
  await q.query(`
    CREATE TABLE directory.consent (
      account_id  uuid PRIMARY KEY CONSTRAINT consent_is_of_an_account REFERENCES directory.account (id),
      value       text NOT NULL DEFAULT 'MASK_NAME' CONSTRAINT consent_value_is_known
                  CHECK (value IN ('ACCEPTED', 'MASK_NAME', 'HIDE_AVATAR', 'REJECTED')),
      source      text NOT NULL CONSTRAINT consent_source_is_known CHECK (source IN ('self', 'manager', 'people')),
      at          timestamptz NOT NULL DEFAULT now()
    )`);
  for (const table of ['account_role', 'account_permission', 'consent']) {
    await q.query(`SELECT platform.audit_table('directory.${table}')`);
  }
}

/** Processes keep what they know of an account until they hear its id on this channel. */
async function announceChanges(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE FUNCTION directory.announce_account_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_notify('account_changed', to_jsonb(CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END) ->> TG_ARGV[0]);
      RETURN NULL;
    END $$`);
  await q.query(`
    CREATE TRIGGER account_changed AFTER INSERT OR DELETE OR UPDATE OF kind, username, email, status, must_change_password
    ON directory.account FOR EACH ROW EXECUTE FUNCTION directory.announce_account_change('id')`);
  for (const table of ['account_role', 'account_permission']) {
    await q.query(`
      CREATE TRIGGER account_changed AFTER INSERT OR UPDATE OR DELETE ON directory.${table}
      FOR EACH ROW EXECUTE FUNCTION directory.announce_account_change('account_id')`);
  }
}
