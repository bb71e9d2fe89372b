import type { QueryRunner } from 'typeorm';
import type { Migration } from '@belay/platform';
import { park, unpark } from '../support/park.js';

/** The schema, and the places: where people work, in which zone, at which hours. */
export class CreateSite1764000100000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unpark(q, 'directory')) return;
    await q.query(`CREATE SCHEMA directory`);
    await q.query(`
      CREATE TABLE directory.site (
        id             uuid PRIMARY KEY,
        code           text NOT NULL CONSTRAINT site_code_is_unique UNIQUE,
        name           text NOT NULL,
        kind           text NOT NULL CONSTRAINT site_kind_is_known
                       CHECK (kind IN ('plant', 'warehouse', 'property', 'office')),
        address        jsonb,
        time_zone      text NOT NULL,
        working_hours  jsonb NOT NULL,
        holidays       date[] NOT NULL DEFAULT '{}',
        active         boolean NOT NULL DEFAULT true,
        created_at     timestamptz NOT NULL DEFAULT now(),
        row_version    integer NOT NULL
      )`);
    await q.query(`
      CREATE TABLE directory.shift (
        site_id  uuid NOT NULL CONSTRAINT shift_is_at_a_site REFERENCES directory.site (id),
        code     text NOT NULL CONSTRAINT shift_code_is_known CHECK (code IN ('morning', 'evening', 'night', 'full')),
        starts   time NOT NULL,
        ends     time NOT NULL,
        PRIMARY KEY (site_id, code)
      )`);
    await q.query(`SELECT platform.audit_table('directory.site')`);
    await q.query(`SELECT platform.audit_table('directory.shift')`);
  }

  async down(q: QueryRunner): Promise<void> {
    await park(q, 'directory');
  }
}
