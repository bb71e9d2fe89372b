import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  reconRunSummary,
  reconRunView,
  type ReconRunView,
} from '../../libs/wms/src/invoices/reconciliation.contract.js';
import { Billing, type Place } from './billing.js';

const path = '/api/wms/invoices';
const STORAGE = 'Storage cost per pallet / week';

/** What a run says of its lines, in short. */
const read = ({ lines }: ReconRunView) =>
  lines.map(({ name, expectedAmount, invoicedAmount, difference, result }) =>
    [name, expectedAmount, invoicedAmount, difference, result].join(' | '),
  );

describe('the reconciliation of an invoice', () => {
  let billing: Billing;
  let place: Place;

  const line = (facts: Record<string, unknown> = {}) => ({
    category: 'Storage',
    name: STORAGE,
    quantity: '14',
    unitRate: '3.90',
    amount: '54.60',
    ...facts,
  });
  const total = (amount: string) => ({ net: amount, total: amount });
  /** Reconciled in the place of the test. */
  const reconciled = (facts: Record<string, unknown> = {}) => billing.reconciled({ warehouse: place.code, ...facts });
  const charge = (facts: Parameters<Billing['charge']>[0]) => billing.charge(facts, place);

  beforeAll(async () => {
    billing = await Billing.open();
  });
  afterAll(() => billing.close());
  beforeEach(async () => {
    place = await billing.newPlace();
    await billing.chargeStorage(place);
  });

  it('finds 54.60 of 14 pallets as they were charged', async () => {
    const { invoice, run } = await reconciled();
    expect(invoice.status).toBe('reconciled');
    expect(run).toMatchObject({
      runNo: 1,
      currency: 'GBP',
      periodStart: '2024-12-16',
      periodEnd: '2025-01-15',
      expectedTotal: '54.60',
      invoicedTotal: '54.60',
      difference: '0.00',
      absTolerance: '0.01',
      unratedCharges: 0,
      gone: [],
      lines: [
        {
          category: 'Storage',
          name: STORAGE,
          expectedQty: '14.0000',
          invoicedQty: '14.0000',
          result: 'match',
          decision: 'pending',
          change: 'new',
        },
      ],
    });
  });

  it.each([
    ['54.61', 'reconciled', 'match', '0.01'],
    ['54.62', 'needs_review', 'overbilled', '0.02'],
    ['54.59', 'reconciled', 'match', '-0.01'],
    ['54.58', 'needs_review', 'underbilled', '-0.02'],
  ])('takes %s for 54.60: %s', async (amount, status, result, difference) => {
    const { invoice, run } = await reconciled({ ...total(amount), lines: [line({ amount })] });
    expect([invoice.status, run.lines[0]?.result, run.lines[0]?.difference]).toEqual([status, result, difference]);
  });

  it.each([
    ['0.00', '0', '54.61', 'overbilled'],
    ['5.00', '0', '59.60', 'match'],
    ['5.00', '0', '59.61', 'overbilled'],
    ['0.01', '10', '60.06', 'match'],
    ['0.01', '10', '60.07', 'overbilled'],
  ])('within %s and %s percent takes %s for a %s', async (absolute, percent, amount, result) => {
    place = await billing.newPlace({ recon_abs_tolerance: absolute, recon_pct_tolerance: percent });
    await billing.chargeStorage(place);
    const { run } = await reconciled({ ...total(amount), lines: [line({ amount })] });
    expect([run.absTolerance, run.lines[0]?.result]).toEqual([absolute, result]);
  });

  it('says what was not expected and what was not billed', async () => {
    await charge({ category: 'Container', name: 'Unloading', amount: '650.00', rate: '650.00' });
    const { invoice, run } = await reconciled({
      ...total('64.60'),
      lines: [line(), line({ category: 'Accessorial', name: 'Fuel', quantity: '1', unitRate: null, amount: '10.00' })],
    });
    expect(invoice.status).toBe('needs_review');
    expect(read(run)).toEqual([
      'Fuel | 0.00 | 10.00 | 10.00 | unexpected',
      'Unloading | 650.00 | 0.00 | -650.00 | not_billed',
      `${STORAGE} | 54.60 | 54.60 | 0.00 | match`,
    ]);
    expect([run.expectedTotal, run.invoicedTotal, run.difference]).toEqual(['704.60', '64.60', '-640.00']);
  });

  it('says how much of a difference is the price and how much the quantity', async () => {
    const lines = [line({ quantity: '15', unitRate: '4.00', amount: '60.00' })];
    const { run } = await reconciled({ ...total('60.00'), lines });
    // 15 at 4.00 instead of 14 at 3.90: 15 · 0.10 for the price, 1 · 3.90 for the quantity.
    expect(run.lines[0]).toMatchObject({ difference: '5.40', rateVariance: '1.50', qtyVariance: '3.90' });
  });

  describe('must never', () => {
    it('miss a charge that the operator names differently', async () => {
      await billing.api.rows(
        `INSERT INTO wms.rate_alias (id, warehouse_id, category, alias, rate_name, created_by)
         VALUES ($1, $2, 'Storage', 'pallet storage', $3, $1)`,
        [randomUUIDv7(), place.id, STORAGE],
      );
      const { invoice, run } = await reconciled({ lines: [line({ name: 'Pallet   STORAGE' })] });
      expect([invoice.status, ...read(run)]).toEqual(['reconciled', `${STORAGE} | 54.60 | 54.60 | 0.00 | match`]);
    });

    it('compare two lines of one key each with the full sum', async () => {
      const lines = [
        line({ quantity: '7', amount: '27.30' }),
        line({ name: STORAGE.toUpperCase(), quantity: '7', amount: '27.30' }),
      ];
      const { run } = await reconciled({ lines });
      expect(read(run)).toEqual([`${STORAGE} | 54.60 | 54.60 | 0.00 | match`]);
    });

    it('expect from a table nobody fills: without charges everything is unexpected', async () => {
      place = await billing.newPlace();
      const { run } = await reconciled();
      expect(read(run)).toEqual([`${STORAGE} | 0.00 | 54.60 | 54.60 | unexpected`]);
    });

    it('add up over invoices: two of one period are each compared with the charges', async () => {
      const first = await reconciled();
      const second = await reconciled();
      expect([first.run.expectedTotal, second.run.expectedTotal]).toEqual(['54.60', '54.60']);
      expect([first.run.invoicedTotal, second.run.invoicedTotal]).toEqual(['54.60', '54.60']);
      expect(second.run.runNo).toBe(1);
    });

    it('overwrite a result by a decision', async () => {
      const { invoice, run } = await billing.withFuel({ warehouse: place.code });
      const fuel = run.lines.find(({ name }) => name === 'Fuel');
      await billing.act(invoice.id, 'decide', {
        decisions: [{ line: fuel?.id, decision: 'accepted', note: 'Agreed by telephone' }],
      });
      const after = await billing.expect(reconRunView, billing.clerk, 'GET', `${path}/${invoice.id}/runs/1`);
      const decided = after.lines.find(({ name }) => name === 'Fuel');
      expect(decided).toEqual({
        ...fuel,
        decision: 'accepted',
        note: 'Agreed by telephone',
        decidedBy: expect.any(String),
        decidedAt: expect.any(String),
      });
      await expect(billing.api.rows(`UPDATE wms.recon_line SET result = 'match'`)).rejects.toThrow('never rewritten');
      await expect(billing.api.rows(`DELETE FROM wms.recon_run`)).rejects.toThrow('never rewritten');
    });

    it('reckon one currency with another', async () => {
      place = await billing.newPlace();
      await charge({ amount: '54.60', currency: 'EUR' });
      const { id } = await billing.draft({ warehouse: place.code });
      await billing.act(id, 'submit');
      expect(await billing.refused(id, 'reconcile', {})).toMatchObject({ code: 'currency-mismatch', given: 'GBP' });
      expect((await billing.get(id)).status).toBe('pending');
      // Where some of it is in the currency of the invoice, the rest is another invoice's.
      await charge({ amount: '54.60', quantity: '14' });
      expect(read(await billing.reconcile(id))).toEqual([`${STORAGE} | 54.60 | 54.60 | 0.00 | match`]);
    });
  });

  describe('expects', () => {
    it('the charges of its period: not those of the one before or after', async () => {
      await charge({ amount: '7.00', on: '2024-12-09', periodStart: '2024-11-16', periodEnd: '2024-12-15' });
      await charge({ amount: '8.00', on: '2025-01-20', periodStart: '2025-01-16', periodEnd: '2025-02-15' });
      expect((await reconciled()).run.expectedTotal).toBe('54.60');
    });

    it('the first and the last day', async () => {
      await charge({ amount: '1.00', on: '2024-12-16' });
      await charge({ amount: '2.00', on: '2025-01-15' });
      expect((await reconciled()).run.expectedTotal).toBe('57.60');
    });

    it('what was found too late for its own period in the one that carries it', async () => {
      await charge({ amount: '9.00', on: '2024-12-02', name: 'Late' });
      expect(read((await reconciled()).run)).toContain('Late | 9.00 | 0.00 | -9.00 | not_billed');
    });

    it('what stands after an adjustment', async () => {
      const wrong = await charge({ name: 'Pallets', quantity: '2', amount: '10.00' });
      await charge({ name: 'Pallets', quantity: '-2', amount: '-10.00', adjusts: wrong });
      expect((await reconciled()).run.lines.map(({ name }) => name)).toEqual([STORAGE]);
      await charge({ name: 'Pallets', quantity: '1', amount: '5.00' });
      expect(read((await reconciled()).run)).toContain('Pallets | 5.00 | 0.00 | -5.00 | not_billed');
    });

    it('nothing for what nobody can price, and says so', async () => {
      const unrated = await charge({ name: 'Labels', amount: null });
      const { invoice, run } = await reconciled();
      expect([run.unratedCharges, run.expectedTotal]).toEqual([1, '54.60']);
      await charge({ name: 'Labels', amount: '3.00', adjusts: unrated });
      const again = await billing.reconcile(invoice.id);
      expect([again.unratedCharges, again.expectedTotal]).toEqual([0, '57.60']);
    });

    it('the days that are asked for, and remembers them', async () => {
      const { id } = await billing.draft({ warehouse: place.code });
      await billing.act(id, 'submit');
      const run = await billing.reconcile(id, { periodStart: '2025-01-01', periodEnd: '2025-01-12' });
      expect(run).toMatchObject({ periodStart: '2025-01-01', periodEnd: '2025-01-12', expectedTotal: '0.00' });
      const { expectedTotal } = await billing.reconcile(id, { periodStart: '2025-01-13', periodEnd: '2025-01-13' });
      expect(expectedTotal).toBe('54.60');
      for (const body of [{ periodStart: '2025-01-01' }, { periodStart: '2025-01-02', periodEnd: '2025-01-01' }]) {
        expect(await billing.refused(id, 'reconcile', body)).toMatchObject({ code: 'invalid-request' });
      }
    });

    it('a week of an operator that bills by the week', async () => {
      await charge({ amount: '2.00', on: '2025-01-06' });
      const week = { periodStart: '2025-01-13', periodEnd: '2025-01-19', issuedOn: '2025-01-20' };
      expect((await reconciled(week)).run.expectedTotal).toBe('54.60');
    });
  });

  describe('that is run again', () => {
    it('leaves the runs before as they were, and says what has changed', async () => {
      const { invoice, run } = await billing.withFuel({ warehouse: place.code });
      const first = await billing.expect(reconRunView, billing.clerk, 'GET', `${path}/${invoice.id}/runs/1`);
      expect(first).toEqual(run);
      await charge({ category: 'Accessorial', name: 'Fuel', amount: '8.00' });
      await charge({ category: 'Unit', name: 'Labels', amount: '1.00' });
      const second = await billing.reconcile(invoice.id);
      expect(second.runNo).toBe(2);
      expect(second.lines.map(({ name, change, before }) => [name, change, before?.result ?? null])).toEqual([
        ['Fuel', 'changed', 'unexpected'],
        [STORAGE, 'same', null],
        ['Labels', 'new', null],
      ]);
      expect(second.lines[0]?.before).toEqual({
        expectedQty: '0.0000',
        invoicedQty: '1.0000',
        expectedAmount: '0.00',
        invoicedAmount: '10.00',
        difference: '10.00',
        result: 'unexpected',
      });
      await charge({ category: 'Unit', name: 'Labels', quantity: '-1', amount: '-1.00' });
      const third = await billing.reconcile(invoice.id);
      expect(third.gone.map(({ name }) => name)).toEqual(['Labels']);
      expect(await billing.expect(reconRunView, billing.clerk, 'GET', `${path}/${invoice.id}/runs/1`)).toEqual(run);

      const { items, next } = await billing.list(billing.clerk, `${path}/${invoice.id}/runs?limit=2`);
      expect(items.map((one) => reconRunSummary.parse(one).runNo)).toEqual([3, 2]);
      const rest = await billing.list(billing.clerk, `${path}/${invoice.id}/runs?limit=2&cursor=${next ?? ''}`);
      expect(rest.items.map((one) => reconRunSummary.parse(one).runNo)).toEqual([1]);
      expect(await billing.outcome(billing.clerk, 'GET', `${path}/${invoice.id}/runs/4`)).toBe(
        '404 recon-run-not-found',
      );
    });

    it('keeps decisions about lines whose numbers are unchanged, with who made them', async () => {
      const lines = [
        line({ amount: '60.00' }),
        line({ category: 'Accessorial', name: 'Fuel', quantity: '1', amount: '10.00' }),
      ];
      const { invoice, run } = await reconciled({ ...total('70.00'), lines });
      const decisions = run.lines.map((one) => ({
        line: one.id,
        decision: 'accepted',
        note: `as agreed: ${one.name}`,
      }));
      expect((await billing.act(invoice.id, 'decide', { decisions })).status).toBe('reconciled');
      await charge({ amount: '1.00' });
      const again = await billing.reconcile(invoice.id);
      expect(again.lines.map(({ name, decision, note }) => [name, decision, note])).toEqual([
        ['Fuel', 'accepted', 'as agreed: Fuel'],
        [STORAGE, 'pending', null],
      ]);
      expect(again.lines[0]?.decidedBy).toEqual(expect.any(String));
      // It is not drawn that a reconciled invoice needs a review; it just cannot be approved any more.
      expect((await billing.get(invoice.id)).status).toBe('reconciled');
      expect(await billing.refused(invoice.id, 'approve', {}, billing.chief)).toMatchObject({
        code: 'invalid-transition',
        from: 'reconciled',
        allowed: ['disputed', 'void'],
      });
    });

    it('puts an invoice right whose charges were late', async () => {
      const { invoice } = await billing.withFuel({ warehouse: place.code });
      expect(invoice.status).toBe('needs_review');
      await charge({ category: 'Accessorial', name: 'Fuel', amount: '10.00' });
      await billing.reconcile(invoice.id);
      expect((await billing.get(invoice.id)).status).toBe('reconciled');
    });

    it('by ten at once gives each its number', async () => {
      const { id } = await billing.draft({ warehouse: place.code });
      await billing.act(id, 'submit');
      await billing.reconcile(id);
      const { rowVersion } = await billing.get(id);
      // Nothing changes but the number of runs, so the version stays good for all of them.
      const runs = await Promise.all(
        Array.from({ length: 10 }, () =>
          billing.expect(reconRunView, billing.clerk, 'POST', `${path}/${id}/reconcile`, {}, rowVersion),
        ),
      );
      expect(runs.map(({ runNo }) => runNo).sort((one, other) => one - other)).toEqual([
        2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
      ]);
    });

    it('is possible until the invoice is paid, and changes nothing of what was approved', async () => {
      const { id } = await billing.draft({ warehouse: place.code });
      expect(await billing.refused(id, 'reconcile', {})).toMatchObject({
        code: 'invalid-transition',
        from: 'draft',
        allowed: ['pending', 'void'],
      });
      await billing.act(id, 'submit');
      await billing.reconcile(id);
      await billing.act(id, 'approve', {}, billing.chief);
      await charge({ name: 'Later', amount: '5.00' });
      expect((await billing.reconcile(id)).runNo).toBe(2);
      expect(await billing.get(id)).toMatchObject({ status: 'approved', payable: '54.60' });
    });
  });

  describe('is decided about', () => {
    it('line by line, until none is open', async () => {
      const facts = {
        warehouse: place.code,
        ...total('74.60'),
        lines: [
          line(),
          line({ category: 'Accessorial', name: 'Fuel', quantity: '1', amount: '10.00' }),
          line({ category: 'Accessorial', name: 'Sundry', quantity: '1', amount: '10.00' }),
        ],
      };
      const { invoice, run } = await billing.reconciled(facts);
      const [fuel, sundry] = run.lines.map((one) => one.id);
      const decide = (decisions: object[]) => billing.act(invoice.id, 'decide', { decisions });
      expect((await decide([{ line: fuel, decision: 'accepted' }])).status).toBe('needs_review');
      expect((await decide([{ line: sundry, decision: 'disputed' }])).status).toBe('disputed');
      expect((await decide([{ line: sundry, decision: 'accepted' }])).status).toBe('reconciled');
      expect((await decide([{ line: fuel, decision: 'disputed' }])).status).toBe('disputed');
    });

    it('only by lines of its own last run, each named once', async () => {
      const one = await billing.withFuel({ warehouse: place.code });
      const other = await billing.withFuel({ warehouse: place.code });
      const [foreign, own] = [other.run.lines[0]?.id, one.run.lines[0]?.id];
      const decide = (lines: unknown[]) =>
        billing.refused(one.invoice.id, 'decide', {
          decisions: lines.map((id) => ({ line: id, decision: 'accepted' })),
        });
      expect(await decide([own, foreign])).toMatchObject({
        code: 'invalid-request',
        errors: [{ pointer: '#/decisions/1/line' }],
      });
      expect(await decide([own, own])).toMatchObject({ code: 'invalid-request' });
      expect(await decide([])).toMatchObject({ code: 'invalid-request' });
      await billing.reconcile(one.invoice.id);
      expect(await decide([own])).toMatchObject({ code: 'invalid-request' });
    });

    it('not before there is one', async () => {
      const { id } = await billing.draft({ warehouse: place.code });
      expect(await billing.refused(id, 'decide', { decisions: [{ line: '1', decision: 'accepted' }] })).toMatchObject({
        code: 'invalid-transition',
        from: 'draft',
      });
    });
  });

  describe('that is accepted', () => {
    const store = async (facts: Record<string, unknown> = {}) => {
      const made = { sku: randomUUIDv7(), lot: randomUUIDv7() };
      await billing.api.rows(
        `INSERT INTO wms.sku (id, code, description, default_units_per_carton, created_by) VALUES ($1, $2, 'x', 60, $1)`,
        [made.sku, made.sku],
      );
      await billing.api.rows(
        `INSERT INTO wms.lot (id, sku_id, code, units_per_carton, created_by) VALUES ($1, $2, 'L', 60, $1)`,
        [made.lot, made.sku],
      );
      const { name = STORAGE, ...columns } = facts;
      const row = {
        warehouse_id: place.id,
        sku_id: made.sku,
        lot_id: made.lot,
        snapshot_on: '2025-01-13',
        week_ending: '2025-01-19',
        units: 60,
        cartons: 1,
        pallets: 1,
        cartons_per_pallet: 36,
        rate: '3.90',
        amount: '3.90',
        currency: 'GBP',
        period_start: '2024-12-16',
        period_end: '2025-01-15',
        state: 'final',
        input_max_seq: 1,
        ...columns,
      };
      const names = Object.keys(row);
      const [stored] = await billing.api.rows<{ id: string }>(
        `INSERT INTO wms.storage_ledger (${names.join(', ')}) VALUES (${names.map((_, n) => `$${n + 1}`).join(', ')}) RETURNING id`,
        Object.values(row),
      );
      const id = stored?.id ?? '';
      await charge({
        name: String(name),
        amount: '3.90',
        rate: '3.90',
        on: row.snapshot_on,
        storageLedgerId: id,
      });
      return id;
    };
    const stateOf = async (id: string) => {
      const [row] = await billing.api.rows(
        `SELECT state, invoice_id AS invoice FROM wms.storage_ledger WHERE id = $1`,
        [id],
      );
      return row;
    };
    const approved = async () => {
      const facts = { warehouse: place.code, ...total('58.50'), lines: [line({ quantity: '15', amount: '58.50' })] };
      const { invoice } = await billing.reconciled(facts);
      await billing.act(invoice.id, 'approve', {}, billing.chief);
      return invoice.id;
    };

    it('locks the storage behind it, and gives it back when the invoice is void', async () => {
      const storage = await store();
      const before = await store({
        snapshot_on: '2024-12-09',
        week_ending: '2024-12-15',
        period_start: '2024-11-16',
        period_end: '2024-12-15',
      });
      await billing.api.rows(`UPDATE wms.storage_ledger SET state = 'final' WHERE id = $1`, [before]);
      const id = await approvedWith('62.40');
      expect(await stateOf(storage)).toEqual({ state: 'locked', invoice: id });
      expect(await stateOf(before)).toEqual({ state: 'final', invoice: null });
      await billing.act(id, 'void', { reason: 'Billed anew' });
      expect(await stateOf(storage)).toEqual({ state: 'final', invoice: null });
    });

    it('leaves the storage of a closed period locked', async () => {
      const storage = await store();
      await billing.api.rows(`UPDATE wms.storage_ledger SET state = 'locked' WHERE id = $1`, [storage]);
      await billing.api.rows(`UPDATE wms.warehouse SET closed_through = '2025-01-15' WHERE id = $1`, [place.id]);
      const id = await approved();
      expect(await stateOf(storage)).toEqual({ state: 'locked', invoice: id });
      await billing.act(id, 'void', { reason: 'Billed anew' });
      expect(await stateOf(storage)).toEqual({ state: 'locked', invoice: null });
    });

    it('in part, leaves the storage that is disputed as it is', async () => {
      const storage = await store({ name: 'Cold storage' });
      const { invoice } = await billing.reconciled({
        warehouse: place.code,
        ...total('64.60'),
        lines: [line(), line({ name: 'Cold storage', quantity: '1', amount: '10.00' })],
      });
      await billing.act(invoice.id, 'approve', { accept: [] }, billing.chief);
      expect(await stateOf(storage)).toEqual({ state: 'final', invoice: null });
    });

    /** The charge of the period before counts for it as one that was found late. */
    async function approvedWith(amount: string): Promise<string> {
      const facts = { warehouse: place.code, ...total(amount), lines: [line({ quantity: '16', amount })] };
      const { invoice } = await billing.reconciled(facts);
      await billing.act(invoice.id, 'approve', {}, billing.chief);
      return invoice.id;
    }
  });
});
