import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';

/**
 * What is taken from the past must be missing at no later moment either. The balance alone does not show that, so every
 * line that takes is checked against what its bucket did since, while the bucket is locked.
 */
export class GuardLaterBalances1764006800000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      CREATE OR REPLACE FUNCTION wms.guard_later_balances() RETURNS trigger LANGUAGE plpgsql
      SET search_path = pg_catalog, pg_temp AS $$
      DECLARE
        bucket record;
        negative_from timestamptz;
      BEGIN
        FOR bucket IN
          SELECT warehouse_id, location_id, lot_id, stock_status, min(effective_at) AS since
          FROM new_rows WHERE qty_delta < 0 GROUP BY 1, 2, 3, 4
        LOOP
          -- Backwards from the balance: what there was after each line since.
          SELECT min(p.effective_at) INTO negative_from
          FROM (SELECT t.effective_at,
                       b.on_hand - coalesce(sum(t.qty_delta) OVER (
                         ORDER BY t.effective_at DESC, t.seq DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS units
                FROM wms.wms_inventory_transaction t
                JOIN wms.stock_balance b
                  ON b.location_id = t.location_id AND b.lot_id = t.lot_id AND b.stock_status = t.stock_status
                WHERE t.warehouse_id = bucket.warehouse_id AND t.lot_id = bucket.lot_id AND t.effective_at >= bucket.since
                  AND t.location_id = bucket.location_id AND t.stock_status = bucket.stock_status) p
          WHERE p.units < 0;
          IF negative_from IS NOT NULL AND NOT wms.in_maintenance() THEN
            RAISE EXCEPTION 'A bucket would be negative from % on', negative_from
              USING ERRCODE = 'WM005', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = 'later_balances_are_not_negative',
                    HINT = 'Take it at a later time.';
          END IF;
        END LOOP;
        RETURN NULL;
      END $$`);
    // Triggers fire in the order of their names: apply_ledger has locked and written the balances.
    await q.query(`
      CREATE OR REPLACE TRIGGER later_balances_are_not_negative AFTER INSERT ON wms.wms_inventory_transaction
      REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION wms.guard_later_balances()`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`DROP TRIGGER later_balances_are_not_negative ON wms.wms_inventory_transaction`);
    await q.query(`DROP FUNCTION wms.guard_later_balances()`);
  }
}
