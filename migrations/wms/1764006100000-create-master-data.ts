import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { parkTables, unparkTables } from '../support/park.js';

const tables = ['wms.warehouse', 'wms.location', 'wms.sku', 'wms.lot', 'wms.pallet_spec'];

/** Where goods are, what they are, in which batches they come and how they are stacked. */
export class CreateMasterData1764006100000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unparkTables(q, tables)) return;
    await places(q);
    await goods(q);
    for (const table of tables) await q.query(`SELECT wms.version_rows('${table}'), platform.audit_table('${table}')`);
    await q.query(`SELECT wms.grant_roles()`);
  }

  async down(q: QueryRunner): Promise<void> {
    await parkTables(q, tables);
  }
}

async function places(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE wms.warehouse (
      id                       uuid PRIMARY KEY,
      site_id                  uuid NOT NULL,
      code                     text NOT NULL CONSTRAINT warehouse_code_is_written CHECK (code <> ''),
      name                     text NOT NULL,
      kind                     text NOT NULL CONSTRAINT warehouse_kind_is_known
                               CHECK (kind IN ('third_party', 'own', 'amazon_fba', 'amazon_awd')),
      address                  jsonb,
      lat                      numeric(9,6) CONSTRAINT latitude_is_on_earth CHECK (lat BETWEEN -90 AND 90),
      lon                      numeric(9,6) CONSTRAINT longitude_is_on_earth CHECK (lon BETWEEN -180 AND 180),
      contact_email            text,
      contact_phone            text,
      -- Evaluating it once here keeps every later query on the warehouse from failing.
      timezone                 text NOT NULL CONSTRAINT warehouse_timezone_is_known
                               CHECK (timestamp '2000-01-01' AT TIME ZONE timezone IS NOT NULL),
      currency                 char(3) NOT NULL DEFAULT 'GBP' CONSTRAINT warehouse_currency_has_at_most_two_decimals
                               CHECK (currency ~ '^[A-Z]{3}$' AND wms.currency_scale(currency) <= 2),
      billing_cycle_start_day  integer NOT NULL DEFAULT 16 CONSTRAINT billing_cycle_start_day_is_in_every_month
                               CHECK (billing_cycle_start_day BETWEEN 1 AND 28),
      storage_snapshot_isodow  integer NOT NULL DEFAULT 1 CONSTRAINT storage_snapshot_isodow_is_a_weekday
                               CHECK (storage_snapshot_isodow BETWEEN 1 AND 7),
      storage_method           text NOT NULL DEFAULT 'pallet_week' CONSTRAINT storage_method_is_known
                               CHECK (storage_method IN ('pallet_week')),
      closed_through           date,
      block_on_missing_rate    boolean NOT NULL DEFAULT false,
      recon_abs_tolerance      numeric(14,2) NOT NULL DEFAULT 0.01 CONSTRAINT recon_abs_tolerance_is_not_negative
                               CHECK (recon_abs_tolerance >= 0),
      recon_pct_tolerance      numeric(6,4) NOT NULL DEFAULT 0 CONSTRAINT recon_pct_tolerance_is_not_negative
                               CHECK (recon_pct_tolerance >= 0),
      is_active                boolean NOT NULL DEFAULT true,
      created_at               timestamptz NOT NULL DEFAULT now(),
      updated_at               timestamptz NOT NULL DEFAULT now(),
      created_by               uuid NOT NULL,
      row_version              integer NOT NULL DEFAULT 1
    )`);
  await q.query(`CREATE UNIQUE INDEX warehouse_code_is_unique ON wms.warehouse (upper(code))`);
  await q.query(`CREATE INDEX warehouse_by_site ON wms.warehouse (site_id)`);
  await q.query(`
    COMMENT ON COLUMN wms.warehouse.recon_pct_tolerance IS 'In percent of the expected amount: 1.5 means 1.5 %'`);
  await q.query(`
    CREATE TABLE wms.location (
      id              uuid PRIMARY KEY,
      warehouse_id    uuid NOT NULL CONSTRAINT location_is_in_a_warehouse
                      REFERENCES wms.warehouse (id) ON DELETE RESTRICT,
      parent_id       uuid CONSTRAINT location_is_not_inside_itself CHECK (parent_id <> id),
      code            text NOT NULL CONSTRAINT location_code_is_written CHECK (code <> ''),
      type            text NOT NULL CONSTRAINT location_type_is_known
                      CHECK (type IN ('zone', 'aisle', 'rack', 'bin', 'dock', 'staging', 'quarantine', 'virtual')),
      is_pickable     boolean NOT NULL DEFAULT true,
      pick_priority   integer NOT NULL DEFAULT 100,
      capacity_units  bigint CONSTRAINT location_capacity_is_positive CHECK (capacity_units > 0),
      is_active       boolean NOT NULL DEFAULT true,
      created_at      timestamptz NOT NULL DEFAULT now(),
      updated_at      timestamptz NOT NULL DEFAULT now(),
      created_by      uuid NOT NULL,
      row_version     integer NOT NULL DEFAULT 1,
      CONSTRAINT location_is_in_one_warehouse UNIQUE (id, warehouse_id),
      CONSTRAINT parent_is_in_the_same_warehouse FOREIGN KEY (parent_id, warehouse_id)
        REFERENCES wms.location (id, warehouse_id) ON DELETE RESTRICT,
      CONSTRAINT goods_on_the_move_are_not_picked
        CHECK (NOT is_pickable OR type NOT IN ('dock', 'staging', 'virtual'))
    )`);
  await q.query(`CREATE UNIQUE INDEX location_code_is_unique ON wms.location (warehouse_id, upper(code))`);
}

async function goods(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE wms.sku (
      id                         uuid PRIMARY KEY,
      code                       text NOT NULL CONSTRAINT sku_code_is_written CHECK (code <> ''),
      description                text NOT NULL CONSTRAINT sku_description_fits CHECK (length(description) <= 255),
      asin                       text,
      gtin                       text,
      pack_size                  integer CONSTRAINT sku_pack_size_is_positive CHECK (pack_size > 0),
      lot_tracked                boolean NOT NULL DEFAULT true,
      expiry_tracked             boolean NOT NULL DEFAULT false,
      pick_strategy              text NOT NULL DEFAULT 'fifo' CONSTRAINT pick_strategy_is_known
                                 CHECK (pick_strategy IN ('fifo', 'fefo', 'lifo')),
      min_shelf_life_days        integer CONSTRAINT min_shelf_life_is_not_negative CHECK (min_shelf_life_days >= 0),
      reorder_point              bigint CONSTRAINT reorder_point_is_a_quantity
                                 CHECK (reorder_point BETWEEN 0 AND 9007199254740991),
      safety_stock               bigint CONSTRAINT safety_stock_is_a_quantity
                                 CHECK (safety_stock BETWEEN 0 AND 9007199254740991),
      unit_weight_g              integer CONSTRAINT sku_unit_weight_is_positive CHECK (unit_weight_g > 0),
      unit_length_mm             integer CONSTRAINT sku_unit_length_is_positive CHECK (unit_length_mm > 0),
      unit_width_mm              integer CONSTRAINT sku_unit_width_is_positive CHECK (unit_width_mm > 0),
      unit_height_mm             integer CONSTRAINT sku_unit_height_is_positive CHECK (unit_height_mm > 0),
      default_units_per_carton   integer NOT NULL CONSTRAINT default_units_per_carton_is_positive
                                 CHECK (default_units_per_carton > 0),
      default_carton_length_mm   integer CONSTRAINT default_carton_length_is_positive CHECK (default_carton_length_mm > 0),
      default_carton_width_mm    integer CONSTRAINT default_carton_width_is_positive CHECK (default_carton_width_mm > 0),
      default_carton_height_mm   integer CONSTRAINT default_carton_height_is_positive CHECK (default_carton_height_mm > 0),
      default_carton_weight_g    integer CONSTRAINT default_carton_weight_is_positive CHECK (default_carton_weight_g > 0),
      material                   text,
      packaging_type             text,
      notes                      text,
      is_active                  boolean NOT NULL DEFAULT true,
      created_at                 timestamptz NOT NULL DEFAULT now(),
      updated_at                 timestamptz NOT NULL DEFAULT now(),
      created_by                 uuid NOT NULL,
      row_version                integer NOT NULL DEFAULT 1,
      CONSTRAINT what_expires_first_is_picked_first CHECK (NOT expiry_tracked OR pick_strategy = 'fefo'),
      CONSTRAINT only_lots_expire CHECK (NOT expiry_tracked OR lot_tracked)
    )`);
  await q.query(`CREATE UNIQUE INDEX sku_code_is_unique ON wms.sku (upper(code))`);
  await q.query(`
    CREATE TABLE wms.lot (
      id                             uuid PRIMARY KEY,
      sku_id                         uuid NOT NULL CONSTRAINT lot_is_of_a_sku
                                     REFERENCES wms.sku (id) ON DELETE RESTRICT,
      code                           text NOT NULL CONSTRAINT lot_code_is_written CHECK (code <> ''),
      units_per_carton               integer NOT NULL CONSTRAINT units_per_carton_is_positive CHECK (units_per_carton > 0),
      carton_length_mm               integer CONSTRAINT carton_length_is_positive CHECK (carton_length_mm > 0),
      carton_width_mm                integer CONSTRAINT carton_width_is_positive CHECK (carton_width_mm > 0),
      carton_height_mm               integer CONSTRAINT carton_height_is_positive CHECK (carton_height_mm > 0),
      carton_weight_g                integer CONSTRAINT carton_weight_is_positive CHECK (carton_weight_g > 0),
      storage_cartons_per_pallet     integer CONSTRAINT lot_storage_cartons_per_pallet_is_positive
                                     CHECK (storage_cartons_per_pallet > 0),
      shipping_cartons_per_pallet    integer CONSTRAINT lot_shipping_cartons_per_pallet_is_positive
                                     CHECK (shipping_cartons_per_pallet > 0),
      manufactured_on                date,
      best_before_on                 date,
      expires_on                     date,
      status                         text NOT NULL DEFAULT 'available' CONSTRAINT lot_status_is_known
                                     CHECK (status IN ('available', 'hold', 'quarantine', 'expired', 'recalled')),
      created_at                     timestamptz NOT NULL DEFAULT now(),
      updated_at                     timestamptz NOT NULL DEFAULT now(),
      created_by                     uuid NOT NULL,
      row_version                    integer NOT NULL DEFAULT 1,
      CONSTRAINT lot_is_of_one_sku UNIQUE (id, sku_id),
      CONSTRAINT lot_dates_are_in_order CHECK (
        manufactured_on <= best_before_on AND best_before_on <= expires_on AND manufactured_on <= expires_on)
    )`);
  await q.query(`CREATE UNIQUE INDEX lot_code_is_unique ON wms.lot (sku_id, upper(code))`);
  await q.query(`
    CREATE TABLE wms.pallet_spec (
      id                           uuid PRIMARY KEY,
      warehouse_id                 uuid NOT NULL CONSTRAINT pallet_spec_is_of_a_warehouse
                                   REFERENCES wms.warehouse (id) ON DELETE RESTRICT,
      sku_id                       uuid NOT NULL CONSTRAINT pallet_spec_is_of_a_sku
                                   REFERENCES wms.sku (id) ON DELETE RESTRICT,
      storage_cartons_per_pallet   integer NOT NULL CONSTRAINT storage_cartons_per_pallet_is_positive
                                   CHECK (storage_cartons_per_pallet > 0),
      shipping_cartons_per_pallet  integer NOT NULL CONSTRAINT shipping_cartons_per_pallet_is_positive
                                   CHECK (shipping_cartons_per_pallet > 0),
      max_stack_height_mm          integer CONSTRAINT max_stack_height_is_positive CHECK (max_stack_height_mm > 0),
      valid                        daterange NOT NULL CONSTRAINT pallet_spec_is_valid_some_day CHECK (NOT isempty(valid)),
      notes                        text,
      created_at                   timestamptz NOT NULL DEFAULT now(),
      updated_at                   timestamptz NOT NULL DEFAULT now(),
      created_by                   uuid NOT NULL,
      row_version                  integer NOT NULL DEFAULT 1,
      CONSTRAINT pallet_specs_do_not_overlap EXCLUDE USING gist (warehouse_id WITH =, sku_id WITH =, valid WITH &&)
    )`);
}
