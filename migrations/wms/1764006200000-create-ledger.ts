import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { parkTables, unparkTables } from '../support/park.js';

const tables = [
  'wms.doc_counter',
  'wms.movement',
  'wms.movement_attr',
  'wms.lot_stock',
  'wms.wms_inventory_transaction',
  'wms.stock_balance',
  'wms.storage_dirty',
  'wms.stock_close',
];

/** Every change of stock, for ever; the balances that follow from it; and which weeks it makes wrong. */
export class CreateLedger1764006200000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unparkTables(q, tables)) return;
    await movements(q);
    await movementPapers(q);
    await ledger(q);
    await projections(q);
    await applyLedger(q);
    await guards(q);
    await q.query(`SELECT wms.grant_roles()`);
  }

  async down(q: QueryRunner): Promise<void> {
    await parkTables(q, tables);
  }
}

async function movements(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE wms.doc_counter (
      warehouse_id  uuid NOT NULL CONSTRAINT counter_is_of_a_warehouse REFERENCES wms.warehouse (id) ON DELETE RESTRICT,
      kind          text NOT NULL,
      on_date       date NOT NULL,
      last_no       integer NOT NULL CONSTRAINT document_numbers_begin_at_one CHECK (last_no >= 1),
      PRIMARY KEY (warehouse_id, kind, on_date)
    )`);
  await q.query(`
    CREATE TABLE wms.movement (
      id                    uuid PRIMARY KEY,
      number                text NOT NULL CONSTRAINT movement_number_is_unique UNIQUE,
      warehouse_id          uuid NOT NULL CONSTRAINT movement_is_in_a_warehouse
                            REFERENCES wms.warehouse (id) ON DELETE RESTRICT,
      kind                  text NOT NULL CONSTRAINT movement_kind_is_known
                            CHECK (kind IN ('OPENING', 'RECEIVE', 'SHIP', 'ADJUST_IN', 'ADJUST_OUT', 'TRANSFER', 'COUNT',
                                            'REPACK', 'REVERSAL')),
      reason_code           text,
      reference             text,
      counterparty          text,
      container_number      text,
      inbound_type          text CONSTRAINT inbound_type_is_known
                            CHECK (inbound_type IN ('CONTAINER_20', 'CONTAINER_40', 'CONTAINER_40_HQ', 'CONTAINER_45_HQ', 'LCL')),
      ship_mode             text CONSTRAINT ship_mode_is_known CHECK (ship_mode IN ('PALLETS', 'CARTONS')),
      effective_at          timestamptz NOT NULL,
      recorded_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
      txid                  xid8 NOT NULL DEFAULT pg_current_xact_id(),
      actor_id              uuid NOT NULL,
      source_type           text,
      source_id             text,
      reverses_movement_id  uuid CONSTRAINT reversal_is_of_a_movement REFERENCES wms.movement (id) ON DELETE RESTRICT,
      backdated             boolean NOT NULL DEFAULT false,
      -- A line repeats these, and must agree: a document is written in one transaction, and never gains a line later.
      CONSTRAINT movement_is_one_act UNIQUE (id, warehouse_id, effective_at, recorded_at, txid),
      CONSTRAINT only_a_reversal_reverses CHECK ((kind = 'REVERSAL') = (reverses_movement_id IS NOT NULL)),
      CONSTRAINT goods_come_and_go_with_a_reference
        CHECK (kind NOT IN ('RECEIVE', 'SHIP') OR coalesce(reference, '') <> ''),
      CONSTRAINT adjustment_has_a_reason CHECK (
        kind NOT IN ('ADJUST_IN', 'ADJUST_OUT')
        OR coalesce(reason_code, '') IN ('damage', 'loss', 'found', 'data_fix', 'sample', 'expiry'))
    )`);
  await q.query(`
    CREATE UNIQUE INDEX movement_is_reversed_once ON wms.movement (reverses_movement_id)
    WHERE reverses_movement_id IS NOT NULL`);
  await q.query(`CREATE INDEX movement_by_time ON wms.movement (warehouse_id, effective_at DESC)`);
  await q.query(`CREATE INDEX movement_by_reference ON wms.movement (reference) WHERE reference IS NOT NULL`);
  await q.query(
    `CREATE INDEX movement_by_source ON wms.movement (source_type, source_id) WHERE source_type IS NOT NULL`,
  );
  await q.query(`
    CREATE INDEX movement_by_container ON wms.movement (container_number) WHERE container_number IS NOT NULL`);
  await q.query(`
    CREATE UNIQUE INDEX movement_is_imported_once ON wms.movement (source_id) WHERE source_type = 'import'`);
  await q.query(`SELECT wms.make_append_only('wms.movement')`);
  await q.query(`
    CREATE TRIGGER audit_log_row AFTER INSERT OR DELETE ON wms.movement
    FOR EACH ROW EXECUTE FUNCTION platform.write_audit_log('id')`);
}

/** Papers arrive after the goods, so they stand beside the movement. */
async function movementPapers(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE wms.movement_attr (
      movement_id      uuid PRIMARY KEY CONSTRAINT papers_are_of_a_movement
                       REFERENCES wms.movement (id) ON DELETE RESTRICT,
      vessel           text,
      carrier          text,
      tracking_number  text,
      pickup_on        date,
      notes            text,
      attachments      jsonb NOT NULL DEFAULT '[]'
                       CONSTRAINT attachments_are_a_list CHECK (jsonb_typeof(attachments) = 'array'),
      created_at       timestamptz NOT NULL DEFAULT now(),
      updated_at       timestamptz NOT NULL DEFAULT now(),
      created_by       uuid NOT NULL,
      row_version      integer NOT NULL DEFAULT 1
    )`);
  await q.query(`
    CREATE TABLE wms.lot_stock (
      warehouse_id                 uuid NOT NULL CONSTRAINT lot_stock_is_in_a_warehouse
                                   REFERENCES wms.warehouse (id) ON DELETE RESTRICT,
      lot_id                       uuid NOT NULL CONSTRAINT lot_stock_is_of_a_lot
                                   REFERENCES wms.lot (id) ON DELETE RESTRICT,
      valid_from                   date NOT NULL DEFAULT '-infinity',
      storage_cartons_per_pallet   integer NOT NULL CONSTRAINT lot_stock_storage_cartons_are_positive
                                   CHECK (storage_cartons_per_pallet > 0),
      shipping_cartons_per_pallet  integer NOT NULL CONSTRAINT lot_stock_shipping_cartons_are_positive
                                   CHECK (shipping_cartons_per_pallet > 0),
      first_received_at            timestamptz NOT NULL,
      source_movement_id           uuid CONSTRAINT lot_stock_comes_from_a_movement
                                   REFERENCES wms.movement (id) ON DELETE RESTRICT,
      created_at                   timestamptz NOT NULL DEFAULT now(),
      updated_at                   timestamptz NOT NULL DEFAULT now(),
      created_by                   uuid NOT NULL,
      row_version                  integer NOT NULL DEFAULT 1,
      PRIMARY KEY (warehouse_id, lot_id, valid_from)
    )`);
  for (const table of ['movement_attr', 'lot_stock']) {
    await q.query(`SELECT wms.version_rows('wms.${table}'), platform.audit_table('wms.${table}')`);
  }
}

async function ledger(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE wms.wms_inventory_transaction (
      seq                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      movement_id        uuid NOT NULL,
      line_no            integer NOT NULL CONSTRAINT ledger_lines_begin_at_one CHECK (line_no >= 1),
      warehouse_id       uuid NOT NULL,
      location_id        uuid NOT NULL,
      sku_id             uuid NOT NULL,
      lot_id             uuid NOT NULL,
      stock_status       text NOT NULL CONSTRAINT ledger_stock_status_is_known
                         CHECK (stock_status IN ('available', 'quarantine', 'damaged')),
      qty_delta          bigint NOT NULL CONSTRAINT ledger_line_changes_something CHECK (qty_delta <> 0)
                         CONSTRAINT ledger_line_is_a_quantity
                         CHECK (qty_delta BETWEEN -9007199254740991 AND 9007199254740991),
      pallets_reported   integer CONSTRAINT pallets_reported_are_not_negative CHECK (pallets_reported >= 0),
      pallets_computed   integer CONSTRAINT pallets_computed_are_not_negative CHECK (pallets_computed >= 0),
      effective_at       timestamptz NOT NULL,
      recorded_at        timestamptz NOT NULL,
      txid               xid8 NOT NULL DEFAULT pg_current_xact_id(),
      CONSTRAINT ledger_line_is_unique UNIQUE (movement_id, line_no),
      CONSTRAINT ledger_line_is_part_of_its_movement
        FOREIGN KEY (movement_id, warehouse_id, effective_at, recorded_at, txid)
        REFERENCES wms.movement (id, warehouse_id, effective_at, recorded_at, txid) ON DELETE RESTRICT,
      CONSTRAINT ledger_line_is_in_its_warehouse FOREIGN KEY (location_id, warehouse_id)
        REFERENCES wms.location (id, warehouse_id) ON DELETE RESTRICT,
      CONSTRAINT ledger_lot_is_of_its_sku FOREIGN KEY (lot_id, sku_id)
        REFERENCES wms.lot (id, sku_id) ON DELETE RESTRICT
    )`);
  await q.query(`
    CREATE INDEX ledger_by_lot ON wms.wms_inventory_transaction (warehouse_id, lot_id, effective_at, seq)
    INCLUDE (qty_delta, location_id, stock_status)`);
  await q.query(`
    CREATE INDEX ledger_by_time ON wms.wms_inventory_transaction (effective_at)
    INCLUDE (warehouse_id, lot_id, qty_delta)`);
  await q.query(`SELECT wms.make_append_only('wms.wms_inventory_transaction')`);
}

/** What can be derived from the ledger. None of it is in the audit log. */
async function projections(q: QueryRunner): Promise<void> {
  // No index may name on_hand or reserved, not even in its condition: a posting would then write every index.
  await q.query(`
    CREATE TABLE wms.stock_balance (
      id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      warehouse_id  uuid NOT NULL,
      location_id   uuid NOT NULL,
      sku_id        uuid NOT NULL,
      lot_id        uuid NOT NULL,
      stock_status  text NOT NULL CONSTRAINT balance_stock_status_is_known
                    CHECK (stock_status IN ('available', 'quarantine', 'damaged')),
      on_hand       bigint NOT NULL DEFAULT 0 CONSTRAINT on_hand_is_never_negative CHECK (on_hand >= 0)
                    CONSTRAINT on_hand_is_a_quantity CHECK (on_hand <= 9007199254740991),
      reserved      bigint NOT NULL DEFAULT 0 CONSTRAINT reserved_is_never_negative CHECK (reserved >= 0),
      last_seq      bigint NOT NULL DEFAULT 0,
      row_version   bigint NOT NULL DEFAULT 1,
      CONSTRAINT balance_is_unique UNIQUE (location_id, lot_id, stock_status),
      CONSTRAINT reserved_is_on_hand CHECK (reserved <= on_hand),
      CONSTRAINT balance_is_in_its_warehouse FOREIGN KEY (location_id, warehouse_id)
        REFERENCES wms.location (id, warehouse_id) ON DELETE RESTRICT,
      CONSTRAINT balance_lot_is_of_its_sku FOREIGN KEY (lot_id, sku_id)
        REFERENCES wms.lot (id, sku_id) ON DELETE RESTRICT
    ) WITH (fillfactor = 70)`);
  await q.query(`CREATE INDEX balance_by_sku ON wms.stock_balance (warehouse_id, sku_id)`);
  await q.query(`CREATE INDEX balance_by_lot ON wms.stock_balance (lot_id)`);
  await q.query(`
    CREATE TABLE wms.storage_dirty (
      warehouse_id  uuid NOT NULL CONSTRAINT dirty_lot_is_in_a_warehouse REFERENCES wms.warehouse (id) ON DELETE RESTRICT,
      lot_id        uuid NOT NULL CONSTRAINT dirty_lot_is_a_lot REFERENCES wms.lot (id) ON DELETE RESTRICT,
      from_date     date NOT NULL,
      rev           integer NOT NULL,
      PRIMARY KEY (warehouse_id, lot_id)
    ) WITH (fillfactor = 70)`);
  await q.query(`
    CREATE TABLE wms.stock_close (
      warehouse_id  uuid NOT NULL,
      closed_on     date NOT NULL,
      location_id   uuid NOT NULL,
      lot_id        uuid NOT NULL CONSTRAINT close_is_of_a_lot REFERENCES wms.lot (id) ON DELETE RESTRICT,
      stock_status  text NOT NULL CONSTRAINT close_stock_status_is_known
                    CHECK (stock_status IN ('available', 'quarantine', 'damaged')),
      qty           bigint NOT NULL CONSTRAINT closing_stock_is_not_negative CHECK (qty >= 0),
      last_seq      bigint NOT NULL,
      created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (warehouse_id, closed_on, location_id, lot_id, stock_status),
      CONSTRAINT close_is_in_its_warehouse FOREIGN KEY (location_id, warehouse_id)
        REFERENCES wms.location (id, warehouse_id) ON DELETE RESTRICT
    )`);
}

/**
 * The one writer of on_hand. Buckets are locked in one order, so that documents cannot wait for each other in a circle,
 * and the whole document is seen at once: a statement that inserts all lines of a movement is what makes that hold.
 */
async function applyLedger(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE FUNCTION wms.apply_ledger() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
      bucket record;
    BEGIN
      FOR bucket IN
        SELECT warehouse_id, location_id, sku_id, lot_id, stock_status, sum(qty_delta)::bigint AS delta, max(seq) AS seq
        FROM new_rows GROUP BY 1, 2, 3, 4, 5 ORDER BY location_id, lot_id, stock_status
      LOOP
        LOOP
          UPDATE wms.stock_balance
          SET on_hand = on_hand + bucket.delta, last_seq = greatest(last_seq, bucket.seq), row_version = row_version + 1
          WHERE location_id = bucket.location_id AND lot_id = bucket.lot_id AND stock_status = bucket.stock_status;
          EXIT WHEN FOUND;
          -- With zeros: the checks are made on the proposed row, so one that takes would be refused for a bucket that exists.
          INSERT INTO wms.stock_balance (warehouse_id, location_id, sku_id, lot_id, stock_status)
          VALUES (bucket.warehouse_id, bucket.location_id, bucket.sku_id, bucket.lot_id, bucket.stock_status)
          ON CONFLICT ON CONSTRAINT balance_is_unique DO NOTHING;
        END LOOP;
      END LOOP;

      INSERT INTO wms.storage_dirty AS dirty (warehouse_id, lot_id, from_date, rev)
      SELECT n.warehouse_id, n.lot_id, min(wms.local_date(n.effective_at, w.timezone)), 1
      FROM new_rows n JOIN wms.warehouse w ON w.id = n.warehouse_id
      GROUP BY 1, 2 ORDER BY 1, 2
      ON CONFLICT (warehouse_id, lot_id) DO UPDATE
        SET from_date = least(dirty.from_date, excluded.from_date), rev = dirty.rev + 1;
      RETURN NULL;
    END $$`);
  await q.query(`
    CREATE TRIGGER apply_ledger AFTER INSERT ON wms.wms_inventory_transaction REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION wms.apply_ledger()`);
}

async function guards(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE FUNCTION wms.protect_balance() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'DELETE' AND wms.in_maintenance() THEN
        RETURN OLD;
      END IF;
      RAISE EXCEPTION 'wms.stock_balance follows from the ledger: % is refused', TG_OP
        USING ERRCODE = 'WM001', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME,
              HINT = 'Post a movement; only reserved may be changed.';
    END $$`);
  // At depth 0 the statement is somebody's own; apply_ledger writes from inside a trigger.
  await q.query(`
    CREATE TRIGGER balance_is_not_written BEFORE INSERT OR DELETE ON wms.stock_balance
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION wms.protect_balance()`);
  await q.query(`
    CREATE TRIGGER balance_is_not_changed BEFORE UPDATE ON wms.stock_balance FOR EACH ROW
    WHEN (pg_trigger_depth() = 0
          AND (OLD.id, OLD.warehouse_id, OLD.location_id, OLD.sku_id, OLD.lot_id, OLD.stock_status, OLD.on_hand, OLD.last_seq)
              IS DISTINCT FROM
              (NEW.id, NEW.warehouse_id, NEW.location_id, NEW.sku_id, NEW.lot_id, NEW.stock_status, NEW.on_hand, NEW.last_seq))
    EXECUTE FUNCTION wms.protect_balance()`);
  await q.query(`
    CREATE TRIGGER block_truncate BEFORE TRUNCATE ON wms.stock_balance
    FOR EACH STATEMENT EXECUTE FUNCTION wms.block_mutation()`);

  // Closing a period locks the warehouse FOR UPDATE: it waits for postings that were let through here, and later ones see
  // what it closed.
  await q.query(`
    CREATE FUNCTION wms.check_period() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      place record;
    BEGIN
      SELECT code, timezone, closed_through INTO place FROM wms.warehouse WHERE id = NEW.warehouse_id FOR KEY SHARE;
      IF wms.local_date(NEW.effective_at, place.timezone) <= place.closed_through AND NOT wms.in_maintenance() THEN
        RAISE EXCEPTION 'The warehouse % is closed through %', place.code, place.closed_through
          USING ERRCODE = 'WM002', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = 'movement_is_in_an_open_period';
      END IF;
      RETURN NEW;
    END $$`);
  await q.query(`
    CREATE TRIGGER movement_is_in_an_open_period BEFORE INSERT ON wms.movement
    FOR EACH ROW EXECUTE FUNCTION wms.check_period()`);

  // FOR UPDATE waits for postings that have the lot's first line under way.
  await q.query(`
    CREATE FUNCTION wms.freeze_units_per_carton() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM FROM wms.lot WHERE id = OLD.id FOR UPDATE;
      IF EXISTS (SELECT FROM wms.stock_balance WHERE lot_id = OLD.id) THEN
        RAISE EXCEPTION 'The lot % has stock that was counted in cartons of %', OLD.code, OLD.units_per_carton
          USING ERRCODE = 'WM003', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = 'units_per_carton_is_frozen';
      END IF;
      RETURN NEW;
    END $$`);
  await q.query(`
    CREATE TRIGGER units_per_carton_is_frozen BEFORE UPDATE ON wms.lot
    FOR EACH ROW WHEN (OLD.units_per_carton <> NEW.units_per_carton) EXECUTE FUNCTION wms.freeze_units_per_carton()`);
}
