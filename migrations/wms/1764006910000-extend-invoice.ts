import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { park, unpark } from '../support/park.js';

const columns = [
  'wms.invoice.approved_by',
  'wms.invoice.approved_at',
  'wms.invoice.payable',
  'wms.invoice.void_reason',
  'wms.recon_run.period_start',
  'wms.recon_run.period_end',
];

/** Who approved how much of an invoice, why one is void, and which days a reconciliation was about. */
export class ExtendInvoice1764006910000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    let known = false;
    for (const column of columns) known = (await unpark(q, { column })) || known;
    if (known) return;
    await q.query(`
      ALTER TABLE wms.invoice
        ADD COLUMN approved_by uuid,
        ADD COLUMN approved_at timestamptz,
        ADD COLUMN payable     numeric(14,2),
        ADD COLUMN void_reason text,
        ADD CONSTRAINT invoice_approval_is_whole
          CHECK ((approved_by IS NULL) = (approved_at IS NULL) AND (approved_by IS NULL) = (payable IS NULL))`);
    await q.query(`
      ALTER TABLE wms.recon_run
        ADD COLUMN period_start date,
        ADD COLUMN period_end   date,
        ADD CONSTRAINT recon_run_covers_days CHECK (period_start <= period_end)`);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const column of columns.toReversed()) await park(q, { column });
  }
}
