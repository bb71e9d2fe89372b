import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { parkTables, unparkTables } from '../support/park.js';

const tables = ['wms.import_batch', 'wms.import_issue', 'wms.export_job'];

/** Files that come in and go out, how far they are, and which lines of them are wrong. */
export class CreateImport1764006700000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unparkTables(q, tables)) return;
    await q.query(`
      CREATE TABLE wms.import_batch (
        id             uuid PRIMARY KEY,
        kind           text NOT NULL CONSTRAINT import_kind_is_known
                       CHECK (kind IN ('sku_master', 'warehouse_config', 'cost_master', 'inventory_ledger', 'invoice')),
        warehouse_id   uuid CONSTRAINT import_is_into_a_warehouse REFERENCES wms.warehouse (id) ON DELETE RESTRICT,
        file_name      text NOT NULL,
        file_key       text NOT NULL,
        file_sha256    text NOT NULL CONSTRAINT import_sha256_is_in_hexadecimal CHECK (file_sha256 ~ '^[0-9a-f]{64}$'),
        bytes          bigint NOT NULL CONSTRAINT import_is_a_file CHECK (bytes >= 0),
        options        jsonb NOT NULL DEFAULT '{}'
                       CONSTRAINT import_options_are_an_object CHECK (jsonb_typeof(options) = 'object'),
        status         text NOT NULL DEFAULT 'uploaded' CONSTRAINT import_status_is_known
                       CHECK (status IN ('uploaded', 'checking', 'checked', 'committing', 'committed', 'failed', 'cancelled')),
        rows_total     integer,
        rows_done      integer NOT NULL DEFAULT 0,
        rows_ok        integer NOT NULL DEFAULT 0,
        rows_warning   integer NOT NULL DEFAULT 0,
        rows_error     integer NOT NULL DEFAULT 0,
        committed_at   timestamptz,
        failure        text,
        created_at     timestamptz NOT NULL DEFAULT now(),
        updated_at     timestamptz NOT NULL DEFAULT now(),
        created_by     uuid NOT NULL,
        row_version    integer NOT NULL DEFAULT 1,
        CONSTRAINT import_counts_its_rows
          CHECK (rows_done >= 0 AND rows_ok >= 0 AND rows_warning >= 0 AND rows_error >= 0 AND rows_total >= 0),
        CONSTRAINT committed_import_says_when CHECK ((status = 'committed') = (committed_at IS NOT NULL))
      )`);
    await q.query(`
      CREATE UNIQUE INDEX file_is_imported_once ON wms.import_batch (kind, file_sha256) WHERE status = 'committed'`);
    await q.query(`
      CREATE INDEX open_import_by_warehouse ON wms.import_batch (warehouse_id)
      WHERE status IN ('uploaded', 'checking', 'checked', 'committing')`);
    // What the check of a file says, and only about rows that are not simply right. A new check replaces it.
    await q.query(`
      CREATE TABLE wms.import_issue (
        import_batch_id  uuid NOT NULL CONSTRAINT issue_is_of_an_import REFERENCES wms.import_batch (id) ON DELETE RESTRICT,
        row_no           integer NOT NULL CONSTRAINT issue_is_of_a_row CHECK (row_no >= 1),
        issue_no         integer NOT NULL CONSTRAINT issues_begin_at_one CHECK (issue_no >= 1),
        severity         text NOT NULL CONSTRAINT issue_severity_is_known CHECK (severity IN ('warning', 'error')),
        column_name      text,
        code             text NOT NULL,
        detail           text NOT NULL,
        PRIMARY KEY (import_batch_id, row_no, issue_no)
      )`);
    await q.query(`
      CREATE TABLE wms.export_job (
        id           uuid PRIMARY KEY,
        kind         text NOT NULL CONSTRAINT export_kind_is_known
                     CHECK (kind IN ('stock', 'ledger', 'storage_ledger', 'costs', 'invoices', 'reconciliation',
                                     'pallet_variance', 'missing_documents')),
        filters      jsonb NOT NULL DEFAULT '{}'
                     CONSTRAINT export_filters_are_an_object CHECK (jsonb_typeof(filters) = 'object'),
        status       text NOT NULL DEFAULT 'waiting' CONSTRAINT export_status_is_known
                     CHECK (status IN ('waiting', 'running', 'done', 'failed')),
        file_key     text,
        row_count    bigint,
        checksum     text,
        failure      text,
        finished_at  timestamptz,
        expires_at   timestamptz,
        created_at   timestamptz NOT NULL DEFAULT now(),
        updated_at   timestamptz NOT NULL DEFAULT now(),
        created_by   uuid NOT NULL,
        row_version  integer NOT NULL DEFAULT 1,
        CONSTRAINT finished_export_has_a_file
          CHECK (status <> 'done' OR (file_key IS NOT NULL AND row_count IS NOT NULL AND checksum IS NOT NULL))
      )`);
    for (const table of ['import_batch', 'export_job']) {
      await q.query(`SELECT wms.version_rows('wms.${table}'), platform.audit_table('wms.${table}')`);
    }
    await q.query(`SELECT wms.grant_roles()`);
  }

  async down(q: QueryRunner): Promise<void> {
    await parkTables(q, tables);
  }
}
