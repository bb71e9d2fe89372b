import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { parkTables, unparkTables } from '../support/park.js';

const tables = ['wms.billing_period', 'wms.invoice', 'wms.invoice_line', 'wms.invoice_payment', 'wms.rate_alias'];

const category = `category IN ('Container', 'Carton', 'Pallet', 'Storage', 'Unit', 'Shipment', 'Accessorial')`;

/** What the operator of a warehouse bills, for which period, in which words, and what was paid. */
export class CreateInvoice1764006400000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unparkTables(q, tables)) return;
    await invoices(q);
    await periodsAndWords(q);
    for (const table of tables) await q.query(`SELECT wms.version_rows('${table}'), platform.audit_table('${table}')`);
    await q.query(`SELECT wms.grant_roles()`);
  }

  async down(q: QueryRunner): Promise<void> {
    await parkTables(q, tables);
  }
}

async function invoices(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE wms.invoice (
      id                  uuid PRIMARY KEY,
      warehouse_id        uuid NOT NULL CONSTRAINT invoice_is_of_a_warehouse
                          REFERENCES wms.warehouse (id) ON DELETE RESTRICT,
      number              text NOT NULL CONSTRAINT invoice_number_is_written CHECK (number <> ''),
      period_start        date NOT NULL,
      period_end          date NOT NULL,
      issued_on           date NOT NULL,
      due_on              date CONSTRAINT invoice_is_due_after_its_issue CHECK (due_on >= issued_on),
      currency            char(3) NOT NULL CONSTRAINT invoice_currency_has_at_most_two_decimals
                          CHECK (currency ~ '^[A-Z]{3}$' AND wms.currency_scale(currency) <= 2),
      net                 numeric(14,2) NOT NULL,
      tax                 numeric(14,2) NOT NULL,
      total               numeric(14,2) NOT NULL CONSTRAINT invoice_total_is_net_and_tax CHECK (total = net + tax),
      status              text NOT NULL DEFAULT 'draft' CONSTRAINT invoice_status_is_known
                          CHECK (status IN ('draft', 'pending', 'needs_review', 'reconciled', 'disputed', 'approved', 'paid', 'void')),
      payment_method      text,
      source_file_key     text,
      source_file_sha256  text,
      created_at          timestamptz NOT NULL DEFAULT now(),
      updated_at          timestamptz NOT NULL DEFAULT now(),
      created_by          uuid NOT NULL,
      row_version         integer NOT NULL DEFAULT 1,
      CONSTRAINT invoice_period_lasts_at_most_a_year
        CHECK (period_start < period_end AND period_end - period_start <= 366)
    )`);
  await q.query(`CREATE UNIQUE INDEX invoice_number_is_unique ON wms.invoice (warehouse_id, upper(number))`);
  await q.query(`CREATE INDEX invoice_by_period ON wms.invoice (warehouse_id, period_start)`);
  await q.query(`
    CREATE TABLE wms.invoice_line (
      id          uuid PRIMARY KEY,
      invoice_id  uuid NOT NULL CONSTRAINT line_is_of_an_invoice REFERENCES wms.invoice (id) ON DELETE RESTRICT,
      line_no     integer NOT NULL CONSTRAINT invoice_lines_begin_at_one CHECK (line_no >= 1),
      category    text NOT NULL CONSTRAINT invoiced_category_is_known CHECK (${category}),
      name        text NOT NULL CONSTRAINT invoiced_name_is_written CHECK (name <> ''),
      quantity    numeric(18,4) NOT NULL,
      unit_rate   numeric(14,6),
      amount      numeric(14,2) NOT NULL,
      created_at  timestamptz NOT NULL DEFAULT now(),
      updated_at  timestamptz NOT NULL DEFAULT now(),
      row_version integer NOT NULL DEFAULT 1,
      CONSTRAINT invoice_line_is_unique UNIQUE (invoice_id, line_no)
    )`);
  await q.query(`
    CREATE TABLE wms.invoice_payment (
      id          uuid PRIMARY KEY,
      invoice_id  uuid NOT NULL CONSTRAINT payment_is_of_an_invoice REFERENCES wms.invoice (id) ON DELETE RESTRICT,
      method      text NOT NULL CONSTRAINT payment_method_is_written CHECK (method <> ''),
      reference   text NOT NULL CONSTRAINT payment_reference_is_written CHECK (reference <> ''),
      paid_on     date NOT NULL,
      amount      numeric(14,2) NOT NULL CONSTRAINT payment_is_of_something CHECK (amount > 0),
      created_at  timestamptz NOT NULL DEFAULT now(),
      updated_at  timestamptz NOT NULL DEFAULT now(),
      created_by  uuid NOT NULL,
      row_version integer NOT NULL DEFAULT 1,
      CONSTRAINT payment_is_recorded_once UNIQUE (invoice_id, reference)
    )`);
}

async function periodsAndWords(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE wms.billing_period (
      warehouse_id  uuid NOT NULL CONSTRAINT period_is_of_a_warehouse REFERENCES wms.warehouse (id) ON DELETE RESTRICT,
      period_start  date NOT NULL,
      period_end    date NOT NULL,
      state         text NOT NULL DEFAULT 'open' CONSTRAINT period_state_is_known
                    CHECK (state IN ('open', 'closing', 'closed')),
      closed_by     uuid,
      closed_at     timestamptz,
      created_at    timestamptz NOT NULL DEFAULT now(),
      updated_at    timestamptz NOT NULL DEFAULT now(),
      row_version   integer NOT NULL DEFAULT 1,
      PRIMARY KEY (warehouse_id, period_start),
      CONSTRAINT period_ends_after_its_start CHECK (period_start < period_end),
      CONSTRAINT closed_period_says_when CHECK ((state = 'closed') = (closed_at IS NOT NULL))
    )`);
  await q.query(`
    CREATE TABLE wms.rate_alias (
      id            uuid PRIMARY KEY,
      warehouse_id  uuid NOT NULL CONSTRAINT alias_is_of_a_warehouse REFERENCES wms.warehouse (id) ON DELETE RESTRICT,
      category      text NOT NULL CONSTRAINT alias_category_is_known CHECK (${category}),
      alias         text NOT NULL CONSTRAINT alias_is_written CHECK (alias <> ''),
      rate_name     text NOT NULL CONSTRAINT alias_stands_for_a_name CHECK (rate_name <> ''),
      created_at    timestamptz NOT NULL DEFAULT now(),
      updated_at    timestamptz NOT NULL DEFAULT now(),
      created_by    uuid NOT NULL,
      row_version   integer NOT NULL DEFAULT 1,
      CONSTRAINT alias_is_unique UNIQUE (warehouse_id, category, alias)
    )`);
}
