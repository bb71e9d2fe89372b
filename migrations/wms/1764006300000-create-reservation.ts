import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { parkTables, unparkTables } from '../support/park.js';

const tables = ['wms.reservation', 'wms.reservation_alloc', 'wms.stock_count', 'wms.stock_count_line'];

/** What is promised to somebody, and what people found when they counted. */
export class CreateReservation1764006300000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unparkTables(q, tables)) return;
    await reservations(q);
    await counts(q);
    for (const table of tables) await q.query(`SELECT wms.version_rows('${table}')`);
    await q.query(`SELECT wms.grant_roles()`);
  }

  async down(q: QueryRunner): Promise<void> {
    await parkTables(q, tables);
  }
}

async function reservations(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE wms.reservation (
      id             uuid PRIMARY KEY,
      warehouse_id   uuid NOT NULL CONSTRAINT reservation_is_in_a_warehouse
                     REFERENCES wms.warehouse (id) ON DELETE RESTRICT,
      sku_id         uuid NOT NULL CONSTRAINT reservation_is_of_a_sku REFERENCES wms.sku (id) ON DELETE RESTRICT,
      lot_id         uuid,
      source_type    text NOT NULL,
      source_id      text NOT NULL,
      source_line    text NOT NULL,
      qty            bigint NOT NULL CONSTRAINT reservation_is_of_something CHECK (qty BETWEEN 1 AND 9007199254740991),
      qty_fulfilled  bigint NOT NULL DEFAULT 0 CONSTRAINT reservation_fulfilment_is_not_negative CHECK (qty_fulfilled >= 0),
      qty_short      bigint NOT NULL DEFAULT 0 CONSTRAINT backorder_is_not_negative CHECK (qty_short >= 0),
      strategy       text NOT NULL CONSTRAINT reservation_strategy_is_known CHECK (strategy IN ('fifo', 'fefo', 'lifo')),
      status         text NOT NULL DEFAULT 'active' CONSTRAINT reservation_status_is_known
                     CHECK (status IN ('active', 'partially_fulfilled', 'fulfilled', 'released', 'expired')),
      expires_at     timestamptz,
      created_at     timestamptz NOT NULL DEFAULT now(),
      updated_at     timestamptz NOT NULL DEFAULT now(),
      created_by     uuid NOT NULL,
      row_version    integer NOT NULL DEFAULT 1,
      CONSTRAINT reservation_is_not_exceeded CHECK (qty_fulfilled + qty_short <= qty),
      CONSTRAINT reserved_lot_is_of_its_sku FOREIGN KEY (lot_id, sku_id)
        REFERENCES wms.lot (id, sku_id) ON DELETE RESTRICT
    )`);
  await q.query(`
    CREATE UNIQUE INDEX source_line_is_reserved_once ON wms.reservation (source_type, source_id, source_line)
    WHERE status IN ('active', 'partially_fulfilled')`);
  await q.query(`
    CREATE INDEX reservation_by_expiry ON wms.reservation (expires_at)
    WHERE status IN ('active', 'partially_fulfilled') AND expires_at IS NOT NULL`);
  await q.query(`CREATE INDEX reservation_by_sku ON wms.reservation (warehouse_id, sku_id)`);
  await q.query(`
    CREATE TABLE wms.reservation_alloc (
      reservation_id  uuid NOT NULL CONSTRAINT allocation_is_of_a_reservation
                      REFERENCES wms.reservation (id) ON DELETE RESTRICT,
      balance_id      bigint NOT NULL CONSTRAINT allocation_is_in_a_bucket
                      REFERENCES wms.stock_balance (id) ON DELETE RESTRICT,
      qty             bigint NOT NULL CONSTRAINT allocation_is_of_something CHECK (qty > 0),
      qty_fulfilled   bigint NOT NULL DEFAULT 0 CONSTRAINT allocation_is_not_exceeded
                      CHECK (qty_fulfilled BETWEEN 0 AND qty),
      created_at      timestamptz NOT NULL DEFAULT now(),
      updated_at      timestamptz NOT NULL DEFAULT now(),
      row_version     integer NOT NULL DEFAULT 1,
      PRIMARY KEY (reservation_id, balance_id)
    )`);
  await q.query(`
    CREATE INDEX open_allocation_by_bucket ON wms.reservation_alloc (balance_id) WHERE qty_fulfilled < qty`);
  await q.query(`SELECT platform.audit_table('wms.reservation')`);
  // By hand, because a restore of the ledger truncates the balances, and with them what refers to them.
  await q.query(`
    CREATE TRIGGER audit_log_row AFTER INSERT OR DELETE ON wms.reservation_alloc
    FOR EACH ROW EXECUTE FUNCTION platform.write_audit_log('reservation_id', 'balance_id')`);
  await q.query(`
    CREATE TRIGGER audit_log_change AFTER UPDATE ON wms.reservation_alloc
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION platform.write_audit_log('reservation_id', 'balance_id')`);
  await q.query(`
    CREATE TRIGGER block_truncate BEFORE TRUNCATE ON wms.reservation_alloc
    FOR EACH STATEMENT EXECUTE FUNCTION wms.block_mutation()`);
}

async function counts(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE wms.stock_count (
      id                  uuid PRIMARY KEY,
      warehouse_id        uuid NOT NULL CONSTRAINT count_is_in_a_warehouse
                          REFERENCES wms.warehouse (id) ON DELETE RESTRICT,
      status              text NOT NULL DEFAULT 'draft' CONSTRAINT count_status_is_known
                          CHECK (status IN ('draft', 'counted', 'posted', 'cancelled')),
      note                text,
      counted_at          timestamptz,
      posted_at           timestamptz,
      posted_by           uuid,
      posted_movement_id  uuid CONSTRAINT count_is_posted_as_a_movement
                          REFERENCES wms.movement (id) ON DELETE RESTRICT,
      created_at          timestamptz NOT NULL DEFAULT now(),
      updated_at          timestamptz NOT NULL DEFAULT now(),
      created_by          uuid NOT NULL,
      row_version         integer NOT NULL DEFAULT 1,
      CONSTRAINT count_is_of_one_warehouse UNIQUE (id, warehouse_id),
      CONSTRAINT posted_count_says_when CHECK ((status = 'posted') = (posted_at IS NOT NULL))
    )`);
  await q.query(`CREATE INDEX stock_count_by_warehouse ON wms.stock_count (warehouse_id, created_at DESC)`);
  await q.query(`
    CREATE TABLE wms.stock_count_line (
      stock_count_id  uuid NOT NULL,
      warehouse_id    uuid NOT NULL,
      location_id     uuid NOT NULL,
      sku_id          uuid NOT NULL,
      lot_id          uuid NOT NULL,
      stock_status    text NOT NULL CONSTRAINT counted_stock_status_is_known
                      CHECK (stock_status IN ('available', 'quarantine', 'damaged')),
      expected_qty    bigint NOT NULL CONSTRAINT expected_stock_is_not_negative CHECK (expected_qty >= 0),
      expected_seq    bigint NOT NULL,
      counted_qty     bigint CONSTRAINT counted_stock_is_a_quantity CHECK (counted_qty BETWEEN 0 AND 9007199254740991),
      counted_by      uuid,
      counted_at      timestamptz,
      note            text,
      created_at      timestamptz NOT NULL DEFAULT now(),
      updated_at      timestamptz NOT NULL DEFAULT now(),
      row_version     integer NOT NULL DEFAULT 1,
      PRIMARY KEY (stock_count_id, location_id, lot_id, stock_status),
      CONSTRAINT count_line_is_in_its_warehouse FOREIGN KEY (stock_count_id, warehouse_id)
        REFERENCES wms.stock_count (id, warehouse_id) ON DELETE RESTRICT,
      CONSTRAINT counted_location_is_in_the_warehouse FOREIGN KEY (location_id, warehouse_id)
        REFERENCES wms.location (id, warehouse_id) ON DELETE RESTRICT,
      CONSTRAINT counted_lot_is_of_its_sku FOREIGN KEY (lot_id, sku_id)
        REFERENCES wms.lot (id, sku_id) ON DELETE RESTRICT
    )`);
  for (const table of ['stock_count', 'stock_count_line']) await q.query(`SELECT platform.audit_table('wms.${table}')`);
}
