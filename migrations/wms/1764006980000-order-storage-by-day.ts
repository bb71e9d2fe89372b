import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';

/**
 * The lines of a day stand together in the index that keeps each lot to one of them: a day is written in one place of it
 * instead of all over, and is found by it, so that it needs no index of its own.
 */
export class OrderStorageByDay1764006980000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`DROP INDEX wms.storage_line_is_unique, wms.storage_by_day`);
    await q.query(`
      CREATE UNIQUE INDEX storage_line_is_unique
      ON wms.storage_ledger (warehouse_id, snapshot_on, lot_id, (coalesce(age_tier, '')))`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`DROP INDEX wms.storage_line_is_unique`);
    await q.query(`
      CREATE UNIQUE INDEX storage_line_is_unique
      ON wms.storage_ledger (warehouse_id, lot_id, snapshot_on, (coalesce(age_tier, '')))`);
    await q.query(`CREATE INDEX storage_by_day ON wms.storage_ledger (warehouse_id, snapshot_on)`);
  }
}
