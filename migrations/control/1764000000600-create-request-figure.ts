import type { MigrationInterface, QueryRunner } from 'typeorm';
import { parkTables, unparkTables } from '../support/park.js';

const tables = ['control.request_figure'] as const;

/** What each process of the API served of each module in each minute, so that a run can be told by what it changed. */
export class CreateRequestFigure1764000000600 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    if (await unparkTables(q, tables)) return;
    await q.query(`
      CREATE TABLE control.request_figure (
        minute      timestamptz NOT NULL,
        domain      text NOT NULL,
        process_id  uuid NOT NULL,
        requests    integer NOT NULL,
        errors      integer NOT NULL,
        slots       integer[] NOT NULL,
        PRIMARY KEY (minute, domain, process_id)
      )`);
  }

  async down(q: QueryRunner): Promise<void> {
    await parkTables(q, tables);
  }
}
