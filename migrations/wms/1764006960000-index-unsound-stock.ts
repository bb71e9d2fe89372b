import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';

/** Few buckets hold goods that are damaged or in quarantine, and people look for just these. */
export class IndexUnsoundStock1764006960000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      CREATE INDEX unsound_balance ON wms.stock_balance (warehouse_id, stock_status, sku_id)
      WHERE stock_status <> 'available'`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`DROP INDEX wms.unsound_balance`);
  }
}
