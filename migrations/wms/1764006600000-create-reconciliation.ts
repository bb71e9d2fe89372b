import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { parkTables, unparkTables } from '../support/park.js';

const tables = ['wms.recon_run', 'wms.recon_line', 'wms.dispute', 'wms.dispute_line', 'wms.dispute_event'];

const category = `category IN ('Container', 'Carton', 'Pallet', 'Storage', 'Unit', 'Shipment', 'Accessorial')`;

/** Expected against invoiced, what people decided about it, and what they argued about with the operator. */
export class CreateReconciliation1764006600000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unparkTables(q, tables)) return;
    await reconciliation(q);
    await disputes(q);
    await q.query(`SELECT wms.grant_roles()`);
  }

  async down(q: QueryRunner): Promise<void> {
    await parkTables(q, tables);
  }
}

async function reconciliation(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE wms.recon_run (
      id              uuid PRIMARY KEY,
      invoice_id      uuid NOT NULL CONSTRAINT recon_run_is_of_an_invoice REFERENCES wms.invoice (id) ON DELETE RESTRICT,
      run_no          integer NOT NULL CONSTRAINT recon_runs_begin_at_one CHECK (run_no >= 1),
      engine_version  text NOT NULL,
      currency        char(3) NOT NULL,
      expected_total  numeric(14,2) NOT NULL,
      invoiced_total  numeric(14,2) NOT NULL,
      difference      numeric(14,2) NOT NULL CONSTRAINT recon_run_difference_is_invoiced_less_expected
                      CHECK (difference = invoiced_total - expected_total),
      abs_tolerance   numeric(14,2) NOT NULL,
      pct_tolerance   numeric(6,4) NOT NULL,
      started_at      timestamptz NOT NULL,
      finished_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
      created_by      uuid NOT NULL,
      CONSTRAINT recon_run_is_unique UNIQUE (invoice_id, run_no)
    )`);
  await q.query(`SELECT wms.make_append_only('wms.recon_run')`);
  await q.query(`
    CREATE TABLE wms.recon_line (
      id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      run_id           uuid NOT NULL CONSTRAINT recon_line_is_of_a_run REFERENCES wms.recon_run (id) ON DELETE RESTRICT,
      category         text NOT NULL CONSTRAINT recon_category_is_known CHECK (${category}),
      name             text NOT NULL,
      currency         char(3) NOT NULL,
      expected_qty     numeric(18,4) NOT NULL,
      invoiced_qty     numeric(18,4) NOT NULL,
      expected_amount  numeric(14,2) NOT NULL,
      invoiced_amount  numeric(14,2) NOT NULL,
      difference       numeric(14,2) NOT NULL CONSTRAINT recon_difference_is_invoiced_less_expected
                       CHECK (difference = invoiced_amount - expected_amount),
      rate_variance    numeric(14,2) NOT NULL,
      qty_variance     numeric(14,2) NOT NULL,
      result           text NOT NULL CONSTRAINT recon_result_is_known
                       CHECK (result IN ('match', 'overbilled', 'underbilled', 'unexpected', 'not_billed')),
      decision         text NOT NULL DEFAULT 'pending' CONSTRAINT recon_decision_is_known
                       CHECK (decision IN ('pending', 'accepted', 'disputed')),
      decided_by       uuid,
      decided_at       timestamptz,
      note             text,
      created_at       timestamptz NOT NULL DEFAULT now(),
      updated_at       timestamptz NOT NULL DEFAULT now(),
      row_version      integer NOT NULL DEFAULT 1,
      CONSTRAINT recon_line_is_unique UNIQUE (run_id, category, name),
      CONSTRAINT variances_are_the_difference CHECK (rate_variance + qty_variance = difference),
      CONSTRAINT decision_says_who_and_when
        CHECK ((decision = 'pending') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL))
    )`);
  // A decision is written beside the result, never over it.
  await q.query(`
    CREATE TRIGGER result_is_kept BEFORE UPDATE ON wms.recon_line FOR EACH ROW
    WHEN ((OLD.id, OLD.run_id, OLD.category, OLD.name, OLD.currency, OLD.expected_qty, OLD.invoiced_qty, OLD.expected_amount,
           OLD.invoiced_amount, OLD.difference, OLD.rate_variance, OLD.qty_variance, OLD.result)
          IS DISTINCT FROM
          (NEW.id, NEW.run_id, NEW.category, NEW.name, NEW.currency, NEW.expected_qty, NEW.invoiced_qty, NEW.expected_amount,
           NEW.invoiced_amount, NEW.difference, NEW.rate_variance, NEW.qty_variance, NEW.result))
    EXECUTE FUNCTION wms.block_mutation()`);
  await q.query(`
    CREATE TRIGGER line_is_kept BEFORE DELETE ON wms.recon_line FOR EACH ROW EXECUTE FUNCTION wms.block_mutation()`);
  await q.query(`
    CREATE TRIGGER block_truncate BEFORE TRUNCATE ON wms.recon_line
    FOR EACH STATEMENT EXECUTE FUNCTION wms.block_mutation()`);
  await q.query(`SELECT wms.version_rows('wms.recon_line')`);
  await q.query(`
    CREATE TRIGGER audit_log_row AFTER INSERT OR DELETE ON wms.recon_line
    FOR EACH ROW EXECUTE FUNCTION platform.write_audit_log('id')`);
  await q.query(`
    CREATE TRIGGER audit_log_change AFTER UPDATE ON wms.recon_line
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION platform.write_audit_log('id')`);
}

async function disputes(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE wms.dispute (
      id                      uuid PRIMARY KEY,
      invoice_id              uuid NOT NULL CONSTRAINT dispute_is_about_an_invoice
                              REFERENCES wms.invoice (id) ON DELETE RESTRICT,
      number                  text NOT NULL CONSTRAINT dispute_number_is_unique UNIQUE,
      reason_code             text NOT NULL,
      reason                  text NOT NULL,
      disputed_amount         numeric(14,2) NOT NULL CONSTRAINT disputed_amount_is_not_negative CHECK (disputed_amount >= 0),
      currency                char(3) NOT NULL,
      status                  text NOT NULL DEFAULT 'open' CONSTRAINT dispute_status_is_known
                              CHECK (status IN ('open', 'contacted', 'escalated', 'resolved', 'withdrawn')),
      contacted_warehouse_at  timestamptz,
      resolution              text CONSTRAINT resolution_is_known
                              CHECK (resolution IN ('accepted', 'rejected', 'partial_accept', 'withdrawn')),
      agreed_amount           numeric(14,2) CONSTRAINT agreed_amount_is_part_of_the_disputed
                              CHECK (agreed_amount BETWEEN 0 AND disputed_amount),
      credit_note_number      text,
      resolved_by             uuid,
      resolved_at             timestamptz,
      created_at              timestamptz NOT NULL DEFAULT now(),
      updated_at              timestamptz NOT NULL DEFAULT now(),
      created_by              uuid NOT NULL,
      row_version             integer NOT NULL DEFAULT 1,
      CONSTRAINT ended_dispute_says_how CHECK (
        CASE status
          WHEN 'resolved' THEN resolution IN ('accepted', 'rejected', 'partial_accept') AND resolution IS NOT NULL
          WHEN 'withdrawn' THEN resolution = 'withdrawn' AND resolution IS NOT NULL
          ELSE resolution IS NULL
        END AND (resolution IS NULL) = (resolved_at IS NULL)),
      CONSTRAINT partial_acceptance_says_how_much
        CHECK (resolution IS DISTINCT FROM 'partial_accept' OR agreed_amount IS NOT NULL)
    )`);
  await q.query(`CREATE INDEX dispute_by_invoice ON wms.dispute (invoice_id)`);
  await q.query(`
    CREATE TABLE wms.dispute_line (
      id                uuid PRIMARY KEY,
      dispute_id        uuid NOT NULL CONSTRAINT line_is_of_a_dispute REFERENCES wms.dispute (id) ON DELETE RESTRICT,
      recon_line_id     bigint NOT NULL CONSTRAINT disputed_line_is_a_result
                        REFERENCES wms.recon_line (id) ON DELETE RESTRICT,
      disputed_amount   numeric(14,2) NOT NULL CONSTRAINT disputed_line_amount_is_not_negative CHECK (disputed_amount >= 0),
      suggested_amount  numeric(14,2),
      reason            text,
      is_open           boolean NOT NULL DEFAULT true,
      created_at        timestamptz NOT NULL DEFAULT now(),
      updated_at        timestamptz NOT NULL DEFAULT now(),
      row_version       integer NOT NULL DEFAULT 1,
      CONSTRAINT line_is_in_a_dispute_once UNIQUE (dispute_id, recon_line_id)
    )`);
  await q.query(`
    CREATE UNIQUE INDEX line_is_in_one_open_dispute ON wms.dispute_line (recon_line_id) WHERE is_open`);
  await q.query(`
    CREATE FUNCTION wms.close_dispute_lines() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      UPDATE wms.dispute_line SET is_open = false WHERE dispute_id = NEW.id AND is_open;
      RETURN NULL;
    END $$`);
  await q.query(`
    CREATE TRIGGER lines_end_with_the_dispute AFTER UPDATE ON wms.dispute FOR EACH ROW
    WHEN (OLD.status <> NEW.status AND NEW.status IN ('resolved', 'withdrawn'))
    EXECUTE FUNCTION wms.close_dispute_lines()`);
  await q.query(`
    CREATE TABLE wms.dispute_event (
      id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      dispute_id  uuid NOT NULL CONSTRAINT event_is_of_a_dispute REFERENCES wms.dispute (id) ON DELETE RESTRICT,
      kind        text NOT NULL,
      status      text NOT NULL CONSTRAINT event_status_is_known
                  CHECK (status IN ('open', 'contacted', 'escalated', 'resolved', 'withdrawn')),
      note        text,
      actor_id    uuid NOT NULL,
      at          timestamptz NOT NULL DEFAULT clock_timestamp()
    )`);
  await q.query(`CREATE INDEX dispute_event_by_dispute ON wms.dispute_event (dispute_id, id)`);
  await q.query(`SELECT wms.make_append_only('wms.dispute_event')`);
  for (const table of ['dispute', 'dispute_line']) {
    await q.query(`SELECT wms.version_rows('wms.${table}'), platform.audit_table('wms.${table}')`);
  }
}
