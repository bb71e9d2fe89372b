import type { QueryRunner } from 'typeorm';
import type { Migration } from '@belay/platform';
import { park, unpark } from '../support/park.js';

const tables = ['team', 'team_member', 'operator_skill'];

/** Who works with whom, and who can do what. */
export class CreateTeam1764000400000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    let found = false;
    for (const table of tables) found = (await unpark(q, { table: `directory.${table}` })) || found;
    if (found) return;

    await q.query(`
      CREATE TABLE directory.team (
        id               uuid PRIMARY KEY,
        code             text NOT NULL CONSTRAINT team_code_is_unique UNIQUE,
        name             text NOT NULL,
        site_id          uuid NOT NULL CONSTRAINT team_is_at_a_site REFERENCES directory.site (id),
        team_category    text NOT NULL CONSTRAINT team_category_is_known
                         CHECK (team_category IN ('cutting', 'sewing', 'qc', 'finishing', 'general')),
        production_mode  text NOT NULL DEFAULT 'hybrid' CONSTRAINT team_production_mode_is_known
                         CHECK (production_mode IN ('atelier', 'oem', 'hybrid')),
        load_mode        text NOT NULL DEFAULT 'count' CONSTRAINT team_load_mode_is_known
                         CHECK (load_mode IN ('count', 'weighted', 'minutes', 'combined')),
        dispatch_mode    text NOT NULL DEFAULT 'PUSH' CONSTRAINT team_dispatch_mode_is_known
                         CHECK (dispatch_mode IN ('PUSH', 'TEAM_PULL')),
        active           boolean NOT NULL DEFAULT true,
        created_at       timestamptz NOT NULL DEFAULT now(),
        row_version      integer NOT NULL
      )`);
    await q.query(`CREATE INDEX team_by_site ON directory.team (site_id)`);
    await q.query(`
      CREATE TABLE directory.team_member (
        id                uuid PRIMARY KEY,
        team_id           uuid NOT NULL CONSTRAINT team_member_is_in_a_team REFERENCES directory.team (id),
        account_id        uuid NOT NULL CONSTRAINT team_member_is_an_account REFERENCES directory.account (id),
        role              text NOT NULL DEFAULT 'member' CONSTRAINT team_member_role_is_known
                          CHECK (role IN ('lead', 'supervisor', 'qc', 'member', 'trainee')),
        capacity_per_day  integer NOT NULL DEFAULT 10 CONSTRAINT team_member_capacity_is_not_negative
                          CHECK (capacity_per_day >= 0),
        sort_priority     integer NOT NULL DEFAULT 50 CONSTRAINT team_member_sort_priority_is_up_to_100
                          CHECK (sort_priority BETWEEN 0 AND 100),
        active            boolean NOT NULL DEFAULT true,
        joined_at         timestamptz NOT NULL DEFAULT now(),
        removed_at        timestamptz,
        created_at        timestamptz NOT NULL DEFAULT now(),
        row_version       integer NOT NULL,
        CONSTRAINT team_member_leaves_after_joining CHECK (removed_at >= joined_at)
      )`);
    await q.query(`
      CREATE UNIQUE INDEX team_member_is_in_a_team_once ON directory.team_member (team_id, account_id)
      WHERE removed_at IS NULL`);
    await q.query(`CREATE INDEX team_member_by_account ON directory.team_member (account_id) WHERE removed_at IS NULL`);
    await q.query(`
      CREATE TABLE directory.operator_skill (
        account_id    uuid NOT NULL CONSTRAINT skill_is_of_an_account REFERENCES directory.account (id),
        skill_code    text NOT NULL,
        level         integer NOT NULL CONSTRAINT skill_level_is_1_to_5 CHECK (level BETWEEN 1 AND 5),
        certified_at  date,
        expires_at    date,
        created_at    timestamptz NOT NULL DEFAULT now(),
        row_version   integer NOT NULL,
        PRIMARY KEY (account_id, skill_code),
        CONSTRAINT skill_expires_after_certification CHECK (expires_at >= certified_at)
      )`);
    await q.query(`CREATE INDEX operator_skill_by_code ON directory.operator_skill (skill_code, level)`);
    for (const table of tables) await q.query(`SELECT platform.audit_table('directory.${table}')`);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const table of tables) await park(q, { table: `directory.${table}` });
  }
}
