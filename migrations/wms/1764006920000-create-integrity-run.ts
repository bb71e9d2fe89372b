import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { parkTables, unparkTables } from '../support/park.js';

const tables = ['wms.integrity_run', 'wms.integrity_result'];

/** What the integrity checks found, and when. */
export class CreateIntegrityRun1764006920000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unparkTables(q, tables)) return;
    await q.query(`
      CREATE TABLE wms.integrity_run (
        id            uuid PRIMARY KEY,
        started_at    timestamptz NOT NULL,
        finished_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
        requested_by  uuid NOT NULL
      )`);
    await q.query(`CREATE INDEX integrity_run_by_end ON wms.integrity_run (finished_at, id)`);
    await q.query(`
      CREATE TABLE wms.integrity_result (
        run_id       uuid NOT NULL CONSTRAINT result_is_of_an_integrity_run
                     REFERENCES wms.integrity_run (id) ON DELETE CASCADE,
        check_name   text NOT NULL,
        severity     text NOT NULL CONSTRAINT integrity_severity_is_known CHECK (severity IN ('critical', 'high')),
        outcome      text NOT NULL CONSTRAINT integrity_outcome_is_known
                     CHECK (outcome IN ('passed', 'failed', 'inconclusive')),
        violations   integer NOT NULL CONSTRAINT violations_are_counted CHECK (violations >= 0),
        sample       jsonb NOT NULL DEFAULT '[]' CONSTRAINT sample_is_a_list CHECK (jsonb_typeof(sample) = 'array'),
        duration_ms  integer NOT NULL,
        note         text,
        PRIMARY KEY (run_id, check_name),
        CONSTRAINT failed_check_found_something CHECK ((outcome = 'failed') = (violations > 0))
      )`);
    await q.query(`SELECT wms.grant_roles()`);
  }

  async down(q: QueryRunner): Promise<void> {
    await parkTables(q, tables);
  }
}
