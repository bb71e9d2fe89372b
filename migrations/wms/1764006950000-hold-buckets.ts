import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';

/**
 * Whoever posts holds his buckets before the number of the document, and all of them in one order, also those that are
 * not there yet: they are made, empty. Otherwise somebody who makes a bucket while he has the number waits for one who
 * found it a moment later and waits for the number.
 */
export class HoldBuckets1764006950000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      CREATE OR REPLACE FUNCTION wms.hold_buckets(warehouse uuid, locations uuid[], skus uuid[], lots uuid[], statuses text[])
      RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
      DECLARE
        bucket record;
      BEGIN
        FOR bucket IN
          SELECT DISTINCT w.location_id, w.sku_id, w.lot_id, w.stock_status
          FROM unnest(locations, skus, lots, statuses) AS w (location_id, sku_id, lot_id, stock_status)
          ORDER BY w.location_id, w.lot_id, w.stock_status
        LOOP
          PERFORM FROM wms.stock_balance b
          WHERE b.location_id = bucket.location_id AND b.lot_id = bucket.lot_id AND b.stock_status = bucket.stock_status
          FOR NO KEY UPDATE;
          CONTINUE WHEN FOUND;
          INSERT INTO wms.stock_balance (warehouse_id, location_id, sku_id, lot_id, stock_status)
          VALUES (warehouse, bucket.location_id, bucket.sku_id, bucket.lot_id, bucket.stock_status)
          ON CONFLICT ON CONSTRAINT balance_is_unique DO NOTHING;
          PERFORM FROM wms.stock_balance b
          WHERE b.location_id = bucket.location_id AND b.lot_id = bucket.lot_id AND b.stock_status = bucket.stock_status
          FOR NO KEY UPDATE;
        END LOOP;
      END $$`);
    // An empty balance says nothing that the ledger does not say.
    await q.query(`
      CREATE OR REPLACE TRIGGER balance_is_not_written BEFORE INSERT ON wms.stock_balance FOR EACH ROW
      WHEN (pg_trigger_depth() = 0 AND (NEW.on_hand, NEW.reserved, NEW.last_seq) IS DISTINCT FROM (0, 0, 0))
      EXECUTE FUNCTION wms.protect_balance()`);
    await q.query(`
      CREATE OR REPLACE TRIGGER balance_is_not_deleted BEFORE DELETE ON wms.stock_balance FOR EACH ROW
      WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION wms.protect_balance()`);
    await q.query(`SELECT wms.grant_roles()`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`DROP FUNCTION wms.hold_buckets(uuid, uuid[], uuid[], uuid[], text[])`);
    await q.query(`DROP TRIGGER balance_is_not_deleted ON wms.stock_balance`);
    await q.query(`
      CREATE OR REPLACE TRIGGER balance_is_not_written BEFORE INSERT OR DELETE ON wms.stock_balance
      FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION wms.protect_balance()`);
  }
}
