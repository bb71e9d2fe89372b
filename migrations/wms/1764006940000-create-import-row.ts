import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { parkTables, unparkTables } from '../support/park.js';

const tables = ['wms.import_row'];

/** What a file says, line by line, between its upload and its commit. */
export class CreateImportRow1764006940000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unparkTables(q, tables)) return;
    // Rows of one document are committed together. Without facts a row could not be read.
    await q.query(`
      CREATE TABLE wms.import_row (
        import_batch_id  uuid NOT NULL CONSTRAINT row_is_of_an_import REFERENCES wms.import_batch (id) ON DELETE RESTRICT,
        row_no           integer NOT NULL CONSTRAINT rows_begin_at_one CHECK (row_no >= 1),
        line_no          integer NOT NULL CONSTRAINT row_is_behind_the_header CHECK (line_no > 1),
        document         text NOT NULL,
        effective_at     timestamptz,
        facts            jsonb CONSTRAINT row_facts_are_an_object CHECK (jsonb_typeof(facts) = 'object'),
        PRIMARY KEY (import_batch_id, row_no)
      )`);
    await q.query(`CREATE INDEX import_row_by_document ON wms.import_row (import_batch_id, document, row_no)`);
    await q.query(`SELECT wms.grant_roles()`);
  }

  async down(q: QueryRunner): Promise<void> {
    await parkTables(q, tables);
  }
}
