import type { MigrationInterface, QueryRunner } from 'typeorm';
import { parkTables, unparkTables } from '../support/park.js';

const tables = ['control.failed_copy'] as const;

/** What a restore replaced and kept under another name, until it is taken back or purged. */
export class CreateFailedCopy1764000000500 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    if (await unparkTables(q, tables)) return;
    await q.query(`
      CREATE TABLE control.failed_copy (
        id             uuid PRIMARY KEY,
        kind           text NOT NULL CONSTRAINT failed_copy_kind_is_known CHECK (kind IN ('schema', 'database')),
        object         text NOT NULL,
        domain         text,
        run_id         uuid NOT NULL,
        bytes          bigint,
        kept_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
        purge_after    timestamptz NOT NULL,
        taken_back_at  timestamptz,
        purged_by      text,
        CONSTRAINT failed_copy_is_named_once UNIQUE (kind, object),
        CONSTRAINT failed_schema_has_a_domain CHECK ((kind = 'schema') = (domain IS NOT NULL))
      )`);
  }

  async down(q: QueryRunner): Promise<void> {
    await parkTables(q, tables);
  }
}
