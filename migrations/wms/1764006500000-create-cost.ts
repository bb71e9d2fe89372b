import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { parkTables, unparkTables } from '../support/park.js';

const tables = ['wms.cost_rate', 'wms.storage_run', 'wms.storage_ledger', 'wms.cost_charge'];

const category = `category IN ('Container', 'Carton', 'Pallet', 'Storage', 'Unit', 'Shipment', 'Accessorial')`;
const twoDecimals = `currency ~ '^[A-Z]{3}$' AND wms.currency_scale(currency) <= 2`;

/** What a warehouse may bill: its rates, the storage of every week, and the charges that follow from both. */
export class CreateCost1764006500000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unparkTables(q, tables)) return;
    await rates(q);
    await storage(q);
    await charges(q);
    await freezeUsedRates(q);
    await q.query(`SELECT wms.grant_roles()`);
  }

  async down(q: QueryRunner): Promise<void> {
    await parkTables(q, tables);
  }
}

async function rates(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE wms.cost_rate (
      id             uuid PRIMARY KEY,
      warehouse_id   uuid NOT NULL CONSTRAINT rate_is_of_a_warehouse REFERENCES wms.warehouse (id) ON DELETE RESTRICT,
      category       text NOT NULL CONSTRAINT rate_category_is_known CHECK (${category}),
      name           text NOT NULL CONSTRAINT rate_name_is_written CHECK (name <> ''),
      basis          text NOT NULL CONSTRAINT rate_basis_is_known CHECK (basis IN (
                       'per_container', 'per_carton_in', 'per_pallet_in', 'per_pallet_out', 'per_carton_out_loose',
                       'per_shipment', 'per_unit', 'flat', 'manual', 'over_threshold', 'min_charge', 'pallet_tier_flat',
                       'pallet_week', 'pallet_day', 'cuft_month')),
      value          numeric(14,6) NOT NULL CONSTRAINT rate_value_is_not_negative CHECK (value >= 0),
      currency       char(3) NOT NULL CONSTRAINT rate_currency_has_at_most_two_decimals CHECK (${twoDecimals}),
      unit_label     text,
      params         jsonb NOT NULL DEFAULT '{}'
                     CONSTRAINT rate_params_are_an_object CHECK (jsonb_typeof(params) = 'object'),
      valid          daterange NOT NULL CONSTRAINT rate_is_valid_from_a_day
                     CHECK (NOT isempty(valid) AND lower(valid) IS NOT NULL AND isfinite(lower(valid))),
      superseded_by  uuid CONSTRAINT rate_is_superseded_by_a_rate REFERENCES wms.cost_rate (id) ON DELETE RESTRICT,
      notes          text,
      created_at     timestamptz NOT NULL DEFAULT now(),
      updated_at     timestamptz NOT NULL DEFAULT now(),
      created_by     uuid NOT NULL,
      row_version    integer NOT NULL DEFAULT 1,
      CONSTRAINT rates_of_a_name_do_not_overlap EXCLUDE USING gist
        (warehouse_id WITH =, (lower(name)) WITH =, valid WITH &&),
      CONSTRAINT one_storage_rate_is_valid_at_a_time EXCLUDE USING gist
        (warehouse_id WITH =, basis WITH =, (coalesce(params ->> 'tier', '')) WITH =, valid WITH &&)
        WHERE (basis IN ('pallet_week', 'pallet_day', 'cuft_month'))
    )`);
  await q.query(`SELECT wms.version_rows('wms.cost_rate'), platform.audit_table('wms.cost_rate')`);
}

async function storage(q: QueryRunner): Promise<void> {
  // A day on which nothing was stored leaves no line, and yet is done.
  await q.query(`
    CREATE TABLE wms.storage_run (
      warehouse_id  uuid NOT NULL CONSTRAINT storage_run_is_of_a_warehouse REFERENCES wms.warehouse (id) ON DELETE RESTRICT,
      snapshot_on   date NOT NULL,
      ran_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (warehouse_id, snapshot_on)
    )`);
  await q.query(`
    CREATE TABLE wms.storage_ledger (
      id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      warehouse_id        uuid NOT NULL CONSTRAINT storage_is_in_a_warehouse
                          REFERENCES wms.warehouse (id) ON DELETE RESTRICT,
      sku_id              uuid NOT NULL,
      lot_id              uuid NOT NULL,
      snapshot_on         date NOT NULL,
      week_ending         date NOT NULL CONSTRAINT storage_week_ends_six_days_later CHECK (week_ending = snapshot_on + 6),
      units               bigint NOT NULL CONSTRAINT stored_units_are_not_negative CHECK (units >= 0),
      cartons             bigint NOT NULL CONSTRAINT stored_cartons_are_not_negative CHECK (cartons >= 0),
      pallets             numeric(12,4) CONSTRAINT stored_pallets_are_not_negative CHECK (pallets >= 0),
      method              text NOT NULL DEFAULT 'pallet_week' CONSTRAINT storage_line_method_is_known
                          CHECK (method IN ('pallet_week')),
      cartons_per_pallet  integer,
      cpp_source          text CONSTRAINT cpp_source_is_known CHECK (cpp_source IN ('lot', 'spec', 'manual')),
      rate_id             uuid CONSTRAINT storage_has_a_rate REFERENCES wms.cost_rate (id) ON DELETE RESTRICT,
      rate                numeric(14,6),
      amount              numeric(14,2),
      currency            char(3) NOT NULL,
      age_tier            text,
      period_start        date NOT NULL,
      period_end          date NOT NULL,
      state               text NOT NULL CONSTRAINT storage_state_is_known
                          CHECK (state IN ('final', 'unrated', 'unconfigured', 'locked')),
      computed_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
      input_max_seq       bigint NOT NULL,
      invoice_id          uuid CONSTRAINT storage_is_on_an_invoice REFERENCES wms.invoice (id) ON DELETE RESTRICT,
      CONSTRAINT stored_lot_is_of_its_sku FOREIGN KEY (lot_id, sku_id) REFERENCES wms.lot (id, sku_id) ON DELETE RESTRICT,
      CONSTRAINT snapshot_is_in_its_period CHECK (snapshot_on BETWEEN period_start AND period_end),
      CONSTRAINT storage_has_an_amount_when_it_is_final CHECK (
        CASE state WHEN 'final' THEN amount IS NOT NULL WHEN 'locked' THEN true ELSE amount IS NULL END)
    )`);
  await q.query(`
    CREATE UNIQUE INDEX storage_line_is_unique
    ON wms.storage_ledger (warehouse_id, lot_id, snapshot_on, (coalesce(age_tier, '')))`);
  await q.query(`CREATE INDEX storage_by_day ON wms.storage_ledger (warehouse_id, snapshot_on)`);
  await q.query(`CREATE INDEX storage_by_rate ON wms.storage_ledger (rate_id, snapshot_on) WHERE rate_id IS NOT NULL`);
  await q.query(`CREATE INDEX storage_by_invoice ON wms.storage_ledger (invoice_id) WHERE invoice_id IS NOT NULL`);
  // The lines can be derived again; what people decided about them cannot.
  await q.query(`
    CREATE TRIGGER audit_log_change AFTER UPDATE OF state, invoice_id ON wms.storage_ledger FOR EACH ROW
    WHEN ((OLD.state, OLD.invoice_id) IS DISTINCT FROM (NEW.state, NEW.invoice_id))
    EXECUTE FUNCTION platform.write_audit_log('id')`);
}

async function charges(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE wms.cost_charge (
      id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      movement_id        uuid CONSTRAINT charge_is_of_a_movement REFERENCES wms.movement (id) ON DELETE RESTRICT,
      storage_ledger_id  bigint CONSTRAINT charge_is_of_a_storage_line
                         REFERENCES wms.storage_ledger (id) ON DELETE RESTRICT,
      adjusts_charge_id  bigint CONSTRAINT charge_adjusts_a_charge REFERENCES wms.cost_charge (id) ON DELETE RESTRICT,
      warehouse_id       uuid NOT NULL CONSTRAINT charge_is_of_a_warehouse
                         REFERENCES wms.warehouse (id) ON DELETE RESTRICT,
      sku_id             uuid CONSTRAINT charge_is_of_a_sku REFERENCES wms.sku (id) ON DELETE RESTRICT,
      lot_id             uuid,
      category           text NOT NULL CONSTRAINT charge_category_is_known CHECK (${category}),
      name               text NOT NULL CONSTRAINT charge_name_is_written CHECK (name <> ''),
      rate_id            uuid CONSTRAINT charge_has_a_rate REFERENCES wms.cost_rate (id) ON DELETE RESTRICT,
      quantity           numeric(18,4) NOT NULL,
      rate               numeric(14,6),
      amount             numeric(14,2),
      currency           char(3) NOT NULL CONSTRAINT charge_currency_has_at_most_two_decimals CHECK (${twoDecimals}),
      charge_on          date NOT NULL,
      period_start       date NOT NULL,
      period_end         date NOT NULL,
      state              text NOT NULL CONSTRAINT charge_state_is_known CHECK (state IN ('final', 'unrated')),
      dedupe_key         text NOT NULL CONSTRAINT charge_is_made_once UNIQUE,
      note               text,
      created_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
      created_by         uuid,
      CONSTRAINT charged_lot_is_of_its_sku FOREIGN KEY (lot_id, sku_id) REFERENCES wms.lot (id, sku_id) ON DELETE RESTRICT,
      CONSTRAINT charge_has_an_amount_when_it_is_final CHECK ((state = 'final') = (amount IS NOT NULL)),
      CONSTRAINT charge_period_ends_after_its_start CHECK (period_start < period_end)
    )`);
  await q.query(`CREATE INDEX charge_by_period ON wms.cost_charge (warehouse_id, period_start, category, name)`);
  await q.query(`CREATE INDEX charge_by_movement ON wms.cost_charge (movement_id) WHERE movement_id IS NOT NULL`);
  await q.query(`
    CREATE INDEX charge_by_storage_line ON wms.cost_charge (storage_ledger_id) WHERE storage_ledger_id IS NOT NULL`);
  await q.query(`
    CREATE INDEX charge_by_adjusted_charge ON wms.cost_charge (adjusts_charge_id) WHERE adjusts_charge_id IS NOT NULL`);
  await q.query(`CREATE INDEX charge_by_rate ON wms.cost_charge (rate_id, charge_on) WHERE rate_id IS NOT NULL`);
  await q.query(`SELECT wms.make_append_only('wms.cost_charge')`);
}

/** FOR UPDATE waits for charges under way: they hold the rate they were priced with FOR KEY SHARE. */
async function freezeUsedRates(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE FUNCTION wms.freeze_used_rate() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      last_used date;
    BEGIN
      PERFORM FROM wms.cost_rate WHERE id = OLD.id FOR UPDATE;
      SELECT greatest((SELECT max(charge_on) FROM wms.cost_charge WHERE rate_id = OLD.id),
                      (SELECT max(snapshot_on) FROM wms.storage_ledger WHERE rate_id = OLD.id)) INTO last_used;
      IF last_used IS NULL THEN
        RETURN NEW;
      END IF;
      IF (OLD.warehouse_id, OLD.category, OLD.name, OLD.basis, OLD.value, OLD.currency, OLD.params)
         IS DISTINCT FROM (NEW.warehouse_id, NEW.category, NEW.name, NEW.basis, NEW.value, NEW.currency, NEW.params)
         OR lower(OLD.valid) <> lower(NEW.valid) OR NOT NEW.valid <@ OLD.valid OR NOT NEW.valid @> last_used THEN
        RAISE EXCEPTION 'The rate % was used for charges up to %', OLD.name, last_used
          USING ERRCODE = 'WM004', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = 'used_rate_is_frozen',
                HINT = 'Its end may be moved to a day from there on; a new price is a successor.';
      END IF;
      RETURN NEW;
    END $$`);
  await q.query(`
    CREATE TRIGGER used_rate_is_frozen BEFORE UPDATE ON wms.cost_rate FOR EACH ROW
    WHEN ((OLD.warehouse_id, OLD.category, OLD.name, OLD.basis, OLD.value, OLD.currency, OLD.params, OLD.valid)
          IS DISTINCT FROM
          (NEW.warehouse_id, NEW.category, NEW.name, NEW.basis, NEW.value, NEW.currency, NEW.params, NEW.valid))
    EXECUTE FUNCTION wms.freeze_used_rate()`);
}
