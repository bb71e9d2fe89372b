import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { disputeStates } from '../../libs/wms/src/disputes/dispute-state.rules.js';
import { chargeCategories, inboundTypes, rateBases } from '../../libs/wms/src/charges/charge.rules.js';
import { invoiceStates } from '../../libs/wms/src/invoices/invoice-state.rules.js';
import { pickStrategies } from '../../libs/wms/src/stock/pick.rules.js';
import { reconciliationResults } from '../../libs/wms/src/invoices/reconciliation.rules.js';
import { Stockroom } from './stockroom.js';

describe('the papers of the warehouse', () => {
  let room: Stockroom;
  let made = 0;

  const invoice = (facts: Record<string, unknown> = {}, warehouse = room.warehouse.id) =>
    room.insert('invoice', {
      warehouse_id: warehouse,
      number: `INV-${(made += 1)}`,
      period_start: '2024-12-16',
      period_end: '2025-01-15',
      issued_on: '2025-01-16',
      currency: 'GBP',
      net: '54.60',
      tax: '10.92',
      total: '65.52',
      ...facts,
    });
  const reconciled = async () => {
    const invoiceId = await invoice();
    const runId = randomUUID();
    await room.rows(
      `INSERT INTO wms.recon_run (id, invoice_id, run_no, engine_version, currency, expected_total, invoiced_total, difference,
         abs_tolerance, pct_tolerance, started_at, created_by)
       VALUES ($1, $2, 1, '1', 'GBP', 50, 54.6, 4.6, 0.01, 0, now(), $1)`,
      [runId, invoiceId],
    );
    const line = await room.value(
      `INSERT INTO wms.recon_line (run_id, category, name, currency, expected_qty, invoiced_qty, expected_amount,
         invoiced_amount, difference, rate_variance, qty_variance, result)
       VALUES ($1, 'Storage', 'Week', 'GBP', 14, 14, 50, 54.6, 4.6, 4.6, 0, 'overbilled') RETURNING id`,
      [runId],
    );
    return { invoiceId, runId, line: String(line) };
  };

  beforeAll(async () => {
    room = await Stockroom.open();
  });
  afterAll(() => room.close());

  it.each([
    ['invoice', 'invoice_status_is_known', invoiceStates],
    ['dispute', 'dispute_status_is_known', disputeStates],
    ['dispute_event', 'event_status_is_known', disputeStates],
    ['recon_line', 'recon_result_is_known', reconciliationResults],
    ['cost_rate', 'rate_basis_is_known', rateBases],
    ['cost_rate', 'rate_category_is_known', chargeCategories],
    ['cost_charge', 'charge_category_is_known', chargeCategories],
    ['invoice_line', 'invoiced_category_is_known', chargeCategories],
    ['movement', 'inbound_type_is_known', inboundTypes],
    ['reservation', 'reservation_strategy_is_known', pickStrategies],
    ['sku', 'pick_strategy_is_known', pickStrategies],
  ])('know the same words as the code: %s, %s', async (table, constraint, words) => {
    const check = String(
      await room.value(
        `SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1::regclass AND conname = $2`,
        [`wms.${table}`, constraint],
      ),
    );
    expect([...check.matchAll(/'([^']+)'/g)].map((match) => match[1]).sort()).toEqual([...words].sort());
  });

  describe('an invoice', () => {
    it('has a number that is unique in its warehouse, whatever its case', async () => {
      await invoice({ number: 'A/17' });
      expect(await room.refusal(invoice({ number: 'a/17' }))).toMatchObject({ constraint: 'invoice_number_is_unique' });
      await invoice({ number: 'A/17' }, (await room.makeWarehouse('SECOND')).id);
    });

    it.each([
      [{ total: '65.53' }, 'invoice_total_is_net_and_tax'],
      [{ period_end: '2024-12-16' }, 'invoice_period_lasts_at_most_a_year'],
      [{ period_end: '2025-12-18' }, 'invoice_period_lasts_at_most_a_year'],
      [{ due_on: '2025-01-15' }, 'invoice_is_due_after_its_issue'],
      [{ status: 'sent' }, 'invoice_status_is_known'],
      [{ currency: 'KWD' }, 'invoice_currency_has_at_most_two_decimals'],
    ])('with %p is refused', async (facts, constraint) => {
      expect(await room.refusal(invoice(facts))).toMatchObject({ constraint });
    });

    it('may cover 366 days', async () => {
      await invoice({ period_end: '2025-12-17' });
    });

    it('is paid once by a reference', async () => {
      const id = await invoice();
      const pay = (reference: string, amount: string) =>
        room.insert('invoice_payment', { invoice_id: id, method: 'BACS', reference, paid_on: '2025-02-01', amount });
      await pay('P-1', '60.00');
      expect(await room.refusal(pay('P-1', '5.52'))).toMatchObject({ constraint: 'payment_is_recorded_once' });
      expect(await room.refusal(pay('P-2', '0'))).toMatchObject({ constraint: 'payment_is_of_something' });
      await pay('P-2', '5.52');
    });
  });

  describe('a reconciliation', () => {
    it('keeps its results, and takes decisions beside them', async () => {
      const { line } = await reconciled();
      const set = (what: string) => room.refusal(room.rows(`UPDATE wms.recon_line SET ${what} WHERE id = $1`, [line]));
      for (const what of [
        `result = 'match'`,
        `expected_amount = 54.6, difference = 0, rate_variance = 0`,
        `invoiced_qty = 0`,
        `name = 'other'`,
      ]) {
        expect({ what, ...(await set(what)) }).toMatchObject({ what, code: 'WM001' });
      }
      expect(await set(`decision = 'accepted'`)).toMatchObject({ constraint: 'decision_says_who_and_when' });
      expect(await set(`decision = 'accepted', decided_by = gen_random_uuid(), decided_at = now()`)).toEqual({});
      expect(await room.refusal(room.rows(`DELETE FROM wms.recon_line WHERE id = $1`, [line]))).toMatchObject({
        code: 'WM001',
      });
      expect(await room.rows(`SELECT decision, row_version FROM wms.recon_line WHERE id = $1`, [line])).toEqual([
        { decision: 'accepted', row_version: 2 },
      ]);
    });

    it('is not rewritten, and compares a key once', async () => {
      const { runId } = await reconciled();
      expect(await room.refusal(room.rows(`UPDATE wms.recon_run SET run_no = 2 WHERE id = $1`, [runId]))).toMatchObject(
        { code: 'WM001' },
      );
      expect(
        await room.refusal(
          room.rows(
            `INSERT INTO wms.recon_line (run_id, category, name, currency, expected_qty, invoiced_qty, expected_amount,
               invoiced_amount, difference, rate_variance, qty_variance, result)
             VALUES ($1, 'Storage', 'Week', 'GBP', 0, 0, 0, 0, 0, 0, 0, 'match')`,
            [runId],
          ),
        ),
      ).toMatchObject({ constraint: 'recon_line_is_unique' });
    });
  });

  describe('a dispute', () => {
    const dispute = (invoiceId: string, facts: Record<string, unknown> = {}) =>
      room.insert('dispute', {
        invoice_id: invoiceId,
        number: `D-${(made += 1)}`,
        reason_code: 'rate',
        reason: 'The rate was agreed',
        disputed_amount: '4.60',
        currency: 'GBP',
        ...facts,
      });
    const about = (disputeId: string, line: string) =>
      room.insert('dispute_line', { dispute_id: disputeId, recon_line_id: line, disputed_amount: '4.60' });

    it('is about a line alone as long as it is open', async () => {
      const { invoiceId, line } = await reconciled();
      const first = await dispute(invoiceId);
      await about(first, line);
      const second = await dispute(invoiceId);
      expect(await room.refusal(about(second, line))).toMatchObject({ constraint: 'line_is_in_one_open_dispute' });
      await room.rows(`UPDATE wms.dispute SET status = 'contacted', contacted_warehouse_at = now() WHERE id = $1`, [
        first,
      ]);
      expect(await room.refusal(about(second, line))).toMatchObject({ constraint: 'line_is_in_one_open_dispute' });
      await room.rows(
        `UPDATE wms.dispute SET status = 'resolved', resolution = 'rejected', resolved_at = now() WHERE id = $1`,
        [first],
      );
      await about(second, line);
    });

    it.each([
      [{ status: 'resolved' }, 'ended_dispute_says_how'],
      [{ status: 'resolved', resolution: 'withdrawn', resolved_at: '2025-01-01' }, 'ended_dispute_says_how'],
      [{ status: 'open', resolution: 'accepted', resolved_at: '2025-01-01' }, 'ended_dispute_says_how'],
      [{ status: 'resolved', resolution: 'accepted' }, 'ended_dispute_says_how'],
      [
        { status: 'resolved', resolution: 'partial_accept', resolved_at: '2025-01-01' },
        'partial_acceptance_says_how_much',
      ],
      [{ agreed_amount: '4.61' }, 'agreed_amount_is_part_of_the_disputed'],
      [{ agreed_amount: '-0.01' }, 'agreed_amount_is_part_of_the_disputed'],
    ])('with %p is refused', async (facts, constraint) => {
      const { invoiceId } = await reconciled();
      expect(await room.refusal(dispute(invoiceId, facts))).toMatchObject({ constraint });
    });
  });

  describe('a reservation', () => {
    it('is open once for a line of its source', async () => {
      const sku = await room.sku('RES');
      const reserve = () =>
        room.insert('reservation', {
          warehouse_id: room.warehouse.id,
          sku_id: sku,
          source_type: 'order',
          source_id: 'SO-9',
          source_line: '1',
          qty: 600,
          strategy: 'fefo',
        });
      const first = await reserve();
      expect(await room.refusal(reserve())).toMatchObject({ constraint: 'source_line_is_reserved_once' });
      expect(
        await room.refusal(
          room.rows(`UPDATE wms.reservation SET qty_fulfilled = 500, qty_short = 101 WHERE id = $1`, [first]),
        ),
      ).toMatchObject({ constraint: 'reservation_is_not_exceeded' });
      await room.rows(`UPDATE wms.reservation SET status = 'released' WHERE id = $1`, [first]);
      await reserve();
    });
  });

  describe('master data', () => {
    it('has codes as they are written, unique whatever their case', async () => {
      const code = `A/B "<&'`;
      const id = await room.sku(code);
      expect(await room.value(`SELECT code FROM wms.sku WHERE id = $1`, [id])).toBe(code);
      expect(await room.refusal(room.sku(code.toLowerCase()))).toMatchObject({ constraint: 'sku_code_is_unique' });
      expect(await room.refusal(room.makeWarehouse('fmc'))).toMatchObject({ constraint: 'warehouse_code_is_unique' });
      expect(await room.refusal(room.place('default'))).toMatchObject({ constraint: 'location_code_is_unique' });
      const lot = await room.lot('8A');
      expect(await room.refusal(room.lot('8a', { sku_id: lot.skuId }))).toMatchObject({
        constraint: 'lot_code_is_unique',
      });
      expect(await room.refusal(room.sku(''))).toMatchObject({ constraint: 'sku_code_is_written' });
    });

    it.each([
      [{ expiry_tracked: true, pick_strategy: 'fifo' }, 'what_expires_first_is_picked_first'],
      [{ expiry_tracked: true, lot_tracked: false, pick_strategy: 'fefo' }, 'only_lots_expire'],
      [{ default_units_per_carton: 0 }, 'default_units_per_carton_is_positive'],
      [{ safety_stock: '9007199254740992' }, 'safety_stock_is_a_quantity'],
      [{ description: 'x'.repeat(256) }, 'sku_description_fits'],
    ])('a SKU with %p is refused', async (facts, constraint) => {
      expect(await room.refusal(room.sku(`BAD ${(made += 1)}`, facts))).toMatchObject({ constraint });
    });

    it.each([
      [{ manufactured_on: '2025-02-01', best_before_on: '2025-01-01' }],
      [{ best_before_on: '2025-02-01', expires_on: '2025-01-01' }],
      [{ manufactured_on: '2025-02-01', expires_on: '2025-01-01' }],
    ])('a lot with %p is refused', async (facts) => {
      expect(await room.refusal(room.lot(`BAD ${(made += 1)}`, facts))).toMatchObject({
        constraint: 'lot_dates_are_in_order',
      });
    });

    it('keeps a place inside its own warehouse, and out of itself', async () => {
      const other = await room.makeWarehouse('THIRD');
      const refused = room.place('BIN', { parent_id: room.warehouse.place }, other);
      expect(await room.refusal(refused)).toMatchObject({ constraint: 'parent_is_in_the_same_warehouse' });
      const bin = await room.place('BIN', { parent_id: other.place }, other);
      expect(
        await room.refusal(room.rows(`UPDATE wms.location SET parent_id = id WHERE id = $1`, [bin])),
      ).toMatchObject({
        constraint: 'location_is_not_inside_itself',
      });
      expect(await room.refusal(room.place('DOCK', { type: 'dock', is_pickable: true }))).toMatchObject({
        constraint: 'goods_on_the_move_are_not_picked',
      });
    });

    it('is versioned with every change, and only then', async () => {
      const id = await room.sku('VERSIONED');
      const version = () => room.value(`SELECT row_version FROM wms.sku WHERE id = $1`, [id]);
      await room.rows(`UPDATE wms.sku SET description = 'new' WHERE id = $1`, [id]);
      expect(await version()).toBe(2);
      await room.rows(`UPDATE wms.sku SET description = 'new' WHERE id = $1`, [id]);
      expect(await version()).toBe(2);
      await room.rows(`UPDATE wms.sku SET description = 'newer', row_version = row_version + 1 WHERE id = $1`, [id]);
      expect(await version()).toBe(3);
      expect(
        await room.rows(
          `SELECT operation, new ->> 'description' AS description FROM platform.audit_log
           WHERE table_name = 'sku' AND record = jsonb_build_object('id', $1::uuid) ORDER BY id`,
          [id],
        ),
      ).toEqual([
        { operation: 'INSERT', description: 'VERSIONED' },
        { operation: 'UPDATE', description: 'new' },
        { operation: 'UPDATE', description: 'newer' },
      ]);
    });
  });

  describe('an import', () => {
    it('of a file is committed once', async () => {
      const upload = (facts: Record<string, unknown> = {}) =>
        room.insert('import_batch', {
          kind: 'inventory_ledger',
          file_name: 'ledger.csv',
          file_key: 'k',
          file_sha256: 'a'.repeat(64),
          bytes: 10,
          ...facts,
        });
      const committed = { status: 'committed', committed_at: '2025-01-01' };
      await upload();
      await upload(committed);
      await upload();
      expect(await room.refusal(upload(committed))).toMatchObject({ constraint: 'file_is_imported_once' });
      await upload({ ...committed, kind: 'invoice' });
      expect(await room.refusal(upload({ status: 'committed' }))).toMatchObject({
        constraint: 'committed_import_says_when',
      });
    });
  });
});
