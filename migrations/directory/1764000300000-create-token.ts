import type { QueryRunner } from 'typeorm';
import type { Migration } from '@belay/platform';
import { park, unpark } from '../support/park.js';

const tables = ['sign_in_failure', 'refresh_token', 'api_token'];

/** What a signed-in person or a machine shows instead of a password, and how often a password was wrong. */
export class CreateToken1764000300000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    let found = false;
    for (const table of tables) found = (await unpark(q, { table: `directory.${table}` })) || found;
    if (found) return;

    // Keyed by a hash of the name that was tried, whether or not somebody has it: a lock tells nothing.
    await q.query(`
      CREATE TABLE directory.sign_in_failure (
        username_hash   bytea PRIMARY KEY,
        failed_sign_ins integer NOT NULL,
        locked_until    timestamptz,
        last_failed_at  timestamptz NOT NULL
      )`);
    await q.query(`
      CREATE TABLE directory.refresh_token (
        id                uuid PRIMARY KEY,
        account_id        uuid NOT NULL CONSTRAINT refresh_token_is_of_an_account REFERENCES directory.account (id),
        family            uuid NOT NULL,
        hash              text NOT NULL CONSTRAINT refresh_token_hash_is_unique UNIQUE,
        authenticated_at  timestamptz NOT NULL,
        expires_at        timestamptz NOT NULL,
        used_at           timestamptz,
        revoked_at        timestamptz,
        client            text,
        created_at        timestamptz NOT NULL DEFAULT now()
      )`);
    await q.query(`CREATE INDEX refresh_token_by_family ON directory.refresh_token (family)`);
    await q.query(`CREATE INDEX refresh_token_by_account ON directory.refresh_token (account_id)`);
    await q.query(`CREATE INDEX refresh_token_by_expiry ON directory.refresh_token (expires_at)`);
    // The access tokens of a sign-in end with it, so every process must hear of it.
    await q.query(`
      CREATE TRIGGER account_changed AFTER UPDATE OF revoked_at ON directory.refresh_token
      FOR EACH ROW EXECUTE FUNCTION directory.announce_account_change('account_id')`);
    await q.query(`
      CREATE TABLE directory.api_token (
        id            uuid PRIMARY KEY,
        account_id    uuid NOT NULL CONSTRAINT api_token_is_of_an_account REFERENCES directory.account (id),
        name          text NOT NULL,
        prefix        text NOT NULL,
        hash          text NOT NULL CONSTRAINT api_token_hash_is_unique UNIQUE,
        scopes        text[] NOT NULL,
        site_id       uuid CONSTRAINT api_token_is_at_a_site REFERENCES directory.site (id),
        expires_at    timestamptz NOT NULL,
        last_used_at  timestamptz,
        revoked_at    timestamptz,
        created_at    timestamptz NOT NULL DEFAULT now()
      )`);
    await q.query(`CREATE INDEX api_token_by_account ON directory.api_token (account_id)`);
    // Being used is no change of a token: neither audited nor announced.
    const changes = `UPDATE OF account_id, name, hash, scopes, site_id, expires_at, revoked_at`;
    await q.query(`
      CREATE TRIGGER audit_log_row AFTER INSERT OR DELETE OR ${changes} ON directory.api_token
      FOR EACH ROW EXECUTE FUNCTION platform.write_audit_log('id')`);
    await q.query(`
      CREATE TRIGGER audit_log_truncate BEFORE TRUNCATE ON directory.api_token
      FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change()`);
    await q.query(`
      CREATE TRIGGER account_changed AFTER INSERT OR DELETE OR ${changes} ON directory.api_token
      FOR EACH ROW EXECUTE FUNCTION directory.announce_account_change('account_id')`);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const table of tables) await park(q, { table: `directory.${table}` });
  }
}
