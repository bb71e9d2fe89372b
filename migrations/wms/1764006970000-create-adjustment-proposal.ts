import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { parkTables, unparkTables } from '../support/park.js';

const tables = ['wms.adjustment_proposal'];

/** Adjustments that are too large for one person, until another has decided about them. */
export class CreateAdjustmentProposal1764006970000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unparkTables(q, tables)) return;
    await q.query(`
      CREATE TABLE wms.adjustment_proposal (
        id            uuid PRIMARY KEY,
        warehouse_id  uuid NOT NULL CONSTRAINT proposal_is_of_a_warehouse
                      REFERENCES wms.warehouse (id) ON DELETE RESTRICT,
        adjustment    jsonb NOT NULL CONSTRAINT proposal_has_lines CHECK (jsonb_typeof(adjustment -> 'lines') = 'array'),
        units         bigint NOT NULL CONSTRAINT proposal_is_about_something CHECK (units > 0),
        status        text NOT NULL DEFAULT 'open' CONSTRAINT proposal_status_is_known
                      CHECK (status IN ('open', 'approved', 'rejected')),
        decided_by    uuid,
        decided_at    timestamptz,
        movement_id   uuid CONSTRAINT proposal_became_a_movement REFERENCES wms.movement (id) ON DELETE RESTRICT,
        created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
        updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
        created_by    uuid NOT NULL,
        row_version   integer NOT NULL DEFAULT 1,
        CONSTRAINT decision_is_somebodys
          CHECK ((status = 'open') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)),
        CONSTRAINT approved_proposal_was_posted CHECK ((status = 'approved') = (movement_id IS NOT NULL))
      )`);
    await q.query(`CREATE INDEX adjustment_proposal_by_status ON wms.adjustment_proposal (warehouse_id, status, id)`);
    for (const table of tables) await q.query(`SELECT wms.version_rows('${table}'), platform.audit_table('${table}')`);
    await q.query(`SELECT wms.grant_roles()`);
  }

  async down(q: QueryRunner): Promise<void> {
    await parkTables(q, tables);
  }
}
