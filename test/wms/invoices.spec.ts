import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { problem } from '@belay/platform';
import { z } from 'zod';
import { fresh, newHolder, newSite } from '../support/people.js';
import { invoiceView } from '../../libs/wms/src/invoices/invoice.contract.js';
import { Billing } from './billing.js';

const path = '/api/wms/invoices';

describe('invoices', () => {
  let billing: Billing;

  const draftOutcome = (facts: Record<string, unknown>) =>
    billing.outcome(billing.clerk, 'POST', path, billing.body(facts));
  const pointers = async (facts: Record<string, unknown>) =>
    (await billing.faults(billing.clerk, 'POST', path, billing.body(facts))).map(({ pointer }) => pointer);
  const states = async (id: string) =>
    (await billing.facts('wms.invoice.changed', id)).map((body) => z.object({ status: z.string() }).parse(body).status);

  beforeAll(async () => {
    billing = await Billing.open();
    await billing.chargeStorage();
  });
  afterAll(() => billing.close());

  it('are drafted, and read as they were given', async () => {
    const draft = await billing.draft({ number: 'A/17 <"&\'>', tax: '10.92', total: '65.52' });
    expect(draft).toMatchObject({
      warehouse: billing.place.code,
      number: 'A/17 <"&\'>',
      periodStart: '2024-12-16',
      periodEnd: '2025-01-15',
      net: '54.60',
      tax: '10.92',
      total: '65.52',
      currency: 'GBP',
      status: 'draft',
      allowed: ['pending', 'void'],
      payable: null,
      paid: '0.00',
      openBalance: '65.52',
      warnings: [],
      lines: [{ lineNo: 1, category: 'Storage', quantity: '14', unitRate: '3.90', amount: '54.60' }],
      rowVersion: 1,
    });
    expect(await billing.get(draft.id)).toEqual(draft);
    expect(await billing.facts('wms.invoice.changed', draft.id)).toEqual([
      {
        invoiceId: draft.id,
        warehouseId: billing.place.id,
        number: draft.number,
        from: null,
        status: 'draft',
        total: '65.52',
        currency: 'GBP',
      },
    ]);
  });

  describe('are taken in', () => {
    it.each([
      ['a period that ends on its first day', { periodEnd: '2024-12-16', issuedOn: '2024-12-16' }, ['#/periodEnd']],
      ['a period of two days', { periodEnd: '2024-12-17' }, undefined],
      ['a period of 366 days', { periodEnd: '2025-12-17', issuedOn: '2025-12-17', dueOn: null }, undefined],
      ['a period of 367 days', { periodEnd: '2025-12-18', issuedOn: '2025-12-18', dueOn: null }, ['#/periodEnd']],
      ['a due date before the issue', { dueOn: '2025-01-15' }, ['#/dueOn']],
      ['a due date on the day of the issue', { dueOn: '2025-01-16' }, undefined],
      ['lines that do not add up', { net: '54.61', total: '54.61' }, ['#/net']],
      ['a total that does not add up', { tax: '1.00' }, ['#/total']],
      ['a negative quantity without a credit', oneLine({ quantity: '-14' }), ['#/lines/0/quantity']],
      ['a negative rate without a credit', oneLine({ unitRate: '-3.90' }), ['#/lines/0/unitRate']],
      ['a credit', { net: '-54.60', total: '-54.60', ...oneLine({ quantity: '-14', amount: '-54.60' }) }, undefined],
      ['no lines', { lines: [] }, ['#/lines']],
      ['a category that nobody knows', oneLine({ category: 'STORAGE' }), ['#/lines/0/category']],
      ['an amount as a number', { net: 54.6 }, ['#/net']],
      ['an amount with an exponent', { net: '5.46e1' }, ['#/net']],
      ['an amount with three decimals', { net: '54.600' }, ['#/net']],
      ['a number of spaces', { number: '  ' }, ['#/number']],
      ['a day that there is not', { issuedOn: '2025-02-29' }, ['#/issuedOn']],
      ['a field that nobody knows', { status: 'paid' }, ['#/status']],
    ])('with %s: %p', async (_, facts, faults) => {
      if (faults === undefined) expect(await draftOutcome(facts)).toBe('201');
      else {
        expect(await pointers(facts)).toEqual(faults);
        expect(await draftOutcome(facts)).toBe('422 invalid-request');
      }
    });

    it('with every fault at once', async () => {
      const facts = {
        periodEnd: '2024-12-01',
        dueOn: '2025-01-01',
        net: '1.00',
        total: '3.00',
        ...oneLine({ quantity: '-1' }),
      };
      expect(await pointers(facts)).toEqual(['#/periodEnd', '#/dueOn', '#/net', '#/total', '#/lines/0/quantity']);
    });

    it.each([
      [{ issuedOn: '2025-01-15' }, []],
      [{ issuedOn: '2025-01-14' }, ['early-invoice']],
      [{ issuedOn: '2025-01-16', dueOn: '2025-04-16' }, []],
      [{ issuedOn: '2025-01-16', dueOn: '2025-04-17' }, ['long-terms']],
    ])('with a warning: %p %p', async (facts, codes) => {
      expect((await billing.draft(facts)).warnings.map(({ code }) => code)).toEqual(codes);
    });

    it('in the currency of their warehouse only, without an exchange', async () => {
      expect(await billing.problem(billing.clerk, 'POST', path, billing.body({ currency: 'EUR' }))).toMatchObject({
        code: 'currency-mismatch',
        expected: 'GBP',
        given: 'EUR',
      });
      const yen = await billing.newPlace({ currency: 'JPY' });
      const whole = { warehouse: yen.code, net: '55', total: '55', tax: '0', ...oneLine({ amount: '55' }) };
      expect(await draftOutcome(whole)).toBe('201');
      const faults = ['#/net', '#/total', '#/lines/0/amount'];
      expect(await pointers({ ...whole, net: '55.5', total: '55.5', ...oneLine({ amount: '55.5' }) })).toEqual(faults);
    });

    it('by active warehouses only', async () => {
      const closed = await billing.newPlace({ is_active: false });
      expect(await draftOutcome({ warehouse: closed.code })).toBe('409 inactive-master-data');
      expect(await draftOutcome({ warehouse: 'NOWHERE' })).toBe('404 warehouse-not-found');
    });
  });

  describe('have a number', () => {
    it('once in a warehouse, whatever its case; the same words again are the same invoice', async () => {
      const first = await billing.draft({ number: 'Dup/1' });
      const again = billing.body({ number: 'dup/1', total: '54.6' });
      const answer = await billing.ask(billing.clerk, 'POST', path, again);
      expect(answer.status).toBe(200);
      expect(invoiceView.parse(answer.body).id).toBe(first.id);
      const other = { number: 'DUP/1', dueOn: '2025-02-16' };
      expect(await billing.problem(billing.clerk, 'POST', path, billing.body(other))).toMatchObject({
        code: 'invoice-number-taken',
        invoiceId: first.id,
        state: 'draft',
      });
      const second = await billing.newPlace();
      expect(await draftOutcome({ number: 'Dup/1', warehouse: second.code })).toBe('201');
    });

    it('that stays taken when the invoice is void', async () => {
      const { id, number } = await billing.draft();
      await billing.act(id, 'void', { reason: 'A mistake' });
      expect(await draftOutcome({ number })).toBe('409 invoice-number-taken');
    });

    it('that one of twenty gets at once', async () => {
      const number = fresh('RACE');
      const bodies = Array.from({ length: 20 }, (_, n) =>
        billing.body({ number, tax: `${n}.00`, total: `${54 + n}.60` }),
      );
      const answers = await Promise.all(bodies.map((body) => billing.outcome(billing.clerk, 'POST', path, body)));
      expect(answers.filter((answer) => answer === '201')).toHaveLength(1);
      expect(answers.filter((answer) => answer === '409 invoice-number-taken')).toHaveLength(19);
    });

    it('under one key: twenty requests at once make one', async () => {
      const [body, key] = [billing.body(), randomUUID()];
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => billing.ask(billing.clerk, 'POST', path, body, undefined, key)),
      );
      expect(new Set(answers.map((answer) => invoiceView.parse(answer.body).id)).size).toBe(1);
      expect(answers.filter((answer) => !answer.replayed)).toHaveLength(1);
      expect(await billing.outcome(billing.clerk, 'POST', path, billing.body(), undefined, key)).toBe(
        '422 idempotency-key-reused',
      );
      const response = await billing.clerk.send('POST', path, billing.body());
      expect(response.statusCode).toBe(400);
    });
  });

  describe('are uploaded', () => {
    const head =
      'Invoice Number,Warehouse,Billing Period Start,Billing Period End,Invoice Date,Due Date,Total Amount,Category,Name,Quantity,Rate,Amount';
    const row = (number: string, ...rest: string[]) =>
      [number, billing.place.code, '2024-12-16', '2025-01-15', '2025-01-16', '2025-02-15', '64.60', ...rest].join(',');
    const file = (number: string) =>
      [
        head,
        row(number, 'Storage', '"Week, ""A"""', '14', '3.90', '54.60'),
        row(number, 'Accessorial', 'Fuel', '1', '', '10.00'),
      ].join('\r\n');
    const upload = async (csv: string, query = '') => {
      const response = await billing.clerk.send('POST', `${path}/upload${query}`, csv, { 'content-type': 'text/csv' });
      return { status: response.statusCode, body: response.json<unknown>() };
    };
    const faults = async (csv: string) =>
      problem.parse((await upload(csv)).body).errors?.map(({ pointer, detail }) => `${pointer}: ${detail}`) ?? [];

    it('from a file, whose bytes say that it is the same', async () => {
      const csv = file(fresh('CSV'));
      const first = await upload(csv);
      expect(first.status).toBe(201);
      const invoice = invoiceView.parse(first.body);
      expect(invoice).toMatchObject({
        net: '64.60',
        tax: '0.00',
        total: '64.60',
        dueOn: '2025-02-15',
        lines: [
          { category: 'Storage', name: 'Week, "A"', quantity: '14', unitRate: '3.90', amount: '54.60' },
          { category: 'Accessorial', name: 'Fuel', quantity: '1', unitRate: null, amount: '10.00' },
        ],
      });
      expect(invoice.sourceFileSha256).toMatch(/^[0-9a-f]{64}$/);
      const again = await upload(csv);
      expect([again.status, invoiceView.parse(again.body).id]).toEqual([200, invoice.id]);
      expect((await upload(csv.replace('Fuel', 'Diesel'))).status).toBe(409);
    });

    it('with a mark of UTF-8 in front, semicolons, and serial numbers for days', async () => {
      const csv = `\uFEFF${file(fresh('CSV')).replaceAll('Week, ""A""', 'Week')}`
        .replaceAll(',', ';')
        .replaceAll('2024-12-16', '45642')
        .replaceAll('2025-01-15', '45672');
      const answer = await upload(csv);
      expect([answer.status, invoiceView.parse(answer.body).periodStart]).toEqual([201, '2024-12-16']);
      expect(invoiceView.parse(answer.body).periodEnd).toBe('2025-01-15');
    });

    it('with other days only when it is said how they are meant', async () => {
      const csv = file(fresh('CSV')).replaceAll('2025-01-16', '03/02/2025');
      expect(await faults(csv)).toEqual([
        '#/csv/2/Invoice Date: 03/02/2025 may mean two days: say whether dates are DMY or MDY',
      ]);
      expect(invoiceView.parse((await upload(csv, '?dates=DMY')).body).issuedOn).toBe('2025-02-03');
    });

    it.each([
      ['a category that nobody knows', ['Accessorial', 'Sundry'], '#/csv/3/Category: "Sundry" is none of'],
      ['an amount in words', ['10.00', 'ten'], '#/csv/3/Amount: "ten" is not a plain decimal number'],
      [
        'an amount with a thousands sign',
        ['10.00', '"1,010.00"'],
        '#/csv/3/Amount: "1,010.00" is not a plain decimal number',
      ],
      ['an empty name', ['Fuel', ''], '#/csv/3/Name: is empty'],
      ['a quantity that is left out', ['Fuel,1', 'Fuel,'], '#/csv/3/Quantity: is empty'],
      ['a day that there is not', ['2025-02-15', '2025-02-30'], '#/csv/2/Due Date: 2025-02-30 is no day there is'],
      ['a missing column', ['Quantity', 'Menge'], '#/csv/1: has no column Quantity'],
      ['a cell too many', ['Fuel', 'Fuel,x'], '#/csv: Invalid Record Length'],
      [
        'another total on the second row',
        ['64.60,Accessorial', '64.61,Accessorial'],
        '#/csv/3/Total Amount: must be 64.60',
      ],
      ['a quote that never ends', ['Fuel', '"Fuel'], '#/csv: Quote Not Closed'],
    ])('never with %s', async (_, [from = '', to = ''], fault) => {
      const csv = file(fresh('CSV')).replaceAll(from, to);
      const found = await faults(csv);
      expect(found.some((one) => one.startsWith(fault))).toBe(true);
      expect((await upload(csv)).status).toBe(422);
    });

    it('as text of at most so many bytes, whose file is kept in no row', async () => {
      const most = billing.api.config.BODY_LIMIT_BYTES;
      const csv = file(fresh('CSV'));
      expect((await upload(csv.padEnd(most, '\n'))).status).toBe(201);
      expect((await upload(file(fresh('CSV')).padEnd(most + 1, '\n'))).status).toBe(413);
      const json = await billing.clerk.send('POST', `${path}/upload`, '{}');
      expect(json.statusCode).toBe(422);
      const latin = await billing.clerk.app.inject({
        method: 'POST',
        url: `${path}/upload`,
        headers: { ...billing.clerk.headers, 'content-type': 'text/csv' },
        payload: Buffer.from(file(fresh('CSV')).replace('Fuel', 'F\xfcel'), 'latin1'),
      });
      expect(latin.statusCode).toBe(422);
      expect(problem.parse(latin.json()).errors).toEqual([{ pointer: '#', detail: 'must be UTF-8' }]);
      expect(latin.body).not.toContain('node_modules');
      const held = await billing.api.rows(
        `SELECT attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
         WHERE c.relnamespace = 'wms'::regnamespace AND a.atttypid = 'bytea'::regtype`,
      );
      expect(held).toEqual([]);
    });

    it('never with a total that is not the sum of the lines', async () => {
      const csv = file(fresh('CSV')).replaceAll('64.60', '64.61');
      expect(await faults(csv)).toEqual(['#/total: must be net and tax together, 64.60']);
    });
  });

  describe('are changed', () => {
    it('as long as they are drafts, under their version', async () => {
      const { id } = await billing.draft();
      const at = `${path}/${id}`;
      const lines = [{ category: 'Storage', name: 'Week', quantity: '1', amount: '5.00' }];
      const change = { net: '5.00', total: '5.00', lines };
      expect(await billing.outcome(billing.clerk, 'PATCH', at, change)).toBe('428 precondition-required');
      expect(await billing.outcome(billing.clerk, 'PATCH', at, change, 9)).toBe('412 precondition-failed');
      const changed = await billing.expect(invoiceView, billing.clerk, 'PATCH', at, change, 1);
      expect(changed).toMatchObject({ net: '5.00', rowVersion: 2, lines: [{ lineNo: 1, name: 'Week' }] });
      expect(await billing.outcome(billing.clerk, 'PATCH', at, { net: '6.00' }, 2)).toBe('422 invalid-request');
      await billing.act(id, 'submit');
      expect(await billing.problem(billing.clerk, 'PATCH', at, change, 3)).toMatchObject({
        code: 'invalid-transition',
        from: 'pending',
        allowed: ['needs_review', 'reconciled', 'void'],
      });
    });

    it('to no number that is taken', async () => {
      const [one, other] = [await billing.draft(), await billing.draft()];
      const number = one.number.toLowerCase();
      expect(await billing.outcome(billing.clerk, 'PATCH', `${path}/${other.id}`, { number }, 1)).toBe(
        '409 invoice-number-taken',
      );
    });

    it('never deleted', async () => {
      const { id } = await billing.draft();
      expect((await billing.ask(billing.clerk, 'DELETE', `${path}/${id}`)).status).toBe(405);
      expect((await billing.get(id)).status).toBe('draft');
    });
  });

  describe('are approved and paid', () => {
    it('whole: by somebody else than who made them, and paid at zero', async () => {
      const { invoice } = await billing.reconciled();
      expect(invoice.status).toBe('reconciled');
      expect(await billing.refused(invoice.id, 'approve', {})).toMatchObject({ code: 'same-person', status: 403 });
      const approved = await billing.act(invoice.id, 'approve', {}, billing.chief);
      expect(approved).toMatchObject({
        status: 'approved',
        payable: '54.60',
        openBalance: '54.60',
        allowed: ['paid', 'void'],
      });
      expect((await billing.pay(invoice.id, '50.00')).openBalance).toBe('4.60');
      const tooMuch = { method: 'BACS', reference: 'X', paidOn: '2025-02-01', amount: '4.61' };
      expect(await billing.problem(billing.chief, 'POST', `${path}/${invoice.id}/payments`, tooMuch)).toMatchObject({
        code: 'payment-exceeds-balance',
        openBalance: '4.60',
      });
      const paid = await billing.pay(invoice.id, '4.60');
      expect(paid).toMatchObject({ status: 'paid', openBalance: '0.00', paid: '54.60', allowed: [] });
      expect(paid.payments.map(({ amount }) => amount)).toEqual(['50.00', '4.60']);
      expect(await states(invoice.id)).toEqual(['draft', 'pending', 'reconciled', 'approved', 'approved', 'paid']);
    });

    it('by a reference once, with the words of the first time', async () => {
      const { invoice } = await billing.reconciled();
      await billing.act(invoice.id, 'approve', {}, billing.chief);
      const at = `${path}/${invoice.id}/payments`;
      const payment = { method: 'BACS', reference: 'P-1', paidOn: '2025-02-01', amount: '54.60' };
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => billing.ask(billing.chief, 'POST', at, payment)),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 200, 200, 201]);
      expect((await billing.get(invoice.id)).payments).toHaveLength(1);
      for (const other of [{ amount: '54.59' }, { method: 'card' }, { paidOn: '2025-02-02' }]) {
        expect(await billing.outcome(billing.chief, 'POST', at, { ...payment, ...other })).toBe(
          '409 payment-reference-taken',
        );
      }
      expect(await billing.outcome(billing.chief, 'POST', at, { ...payment, reference: 'P-2', amount: '0.01' })).toBe(
        '409 payment-exceeds-balance',
      );
    });

    it('never beyond what is open, however many pay at once', async () => {
      const { invoice } = await billing.reconciled();
      await billing.act(invoice.id, 'approve', {}, billing.chief);
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          billing.outcome(billing.chief, 'POST', `${path}/${invoice.id}/payments`, {
            method: 'BACS',
            reference: `R-${n}`,
            paidOn: '2025-02-01',
            amount: '10.00',
          }),
        ),
      );
      expect(answers.filter((answer) => answer === '201')).toHaveLength(5);
      expect((await billing.get(invoice.id)).openBalance).toBe('4.60');
    });

    it.each([
      ['nothing', { amount: '0.00' }],
      ['a negative amount', { amount: '-1.00' }],
      ['an amount as a number', { amount: 1 }],
      ['no reference', { reference: '' }],
      ['no method', { method: ' ' }],
    ])('not with %s', async (_, facts) => {
      const { id } = await billing.draft();
      const payment = { method: 'BACS', reference: 'P', paidOn: '2025-02-01', amount: '1.00', ...facts };
      expect(await billing.outcome(billing.chief, 'POST', `${path}/${id}/payments`, payment)).toBe(
        '422 invalid-request',
      );
    });

    it('not before they are approved', async () => {
      const { invoice } = await billing.reconciled();
      const payment = { method: 'BACS', reference: 'P', paidOn: '2025-02-01', amount: '1.00' };
      expect(await billing.problem(billing.chief, 'POST', `${path}/${invoice.id}/payments`, payment)).toMatchObject({
        code: 'invalid-transition',
        from: 'reconciled',
        allowed: ['disputed', 'approved', 'void'],
      });
    });

    it('in part: the chosen lines are payable, the rest is disputed', async () => {
      const { invoice, run } = await billing.withFuel({ tax: '12.92', total: '77.52' });
      expect(invoice.status).toBe('needs_review');
      const fuel = run.lines.find(({ name }) => name === 'Fuel')?.id ?? '';
      expect(await billing.refused(invoice.id, 'approve', {}, billing.chief)).toMatchObject({
        code: 'invalid-transition',
        from: 'needs_review',
      });
      expect(await billing.refused(invoice.id, 'approve', { accept: ['99999999'] }, billing.chief)).toMatchObject({
        code: 'invalid-request',
      });
      const partly = await billing.act(invoice.id, 'approve', { accept: [] }, billing.chief);
      // 54.60 of 64.60 net, with its part of the tax of 12.92.
      expect(partly).toMatchObject({ status: 'disputed', payable: '65.52', openBalance: '65.52' });
      expect((await billing.pay(invoice.id, '65.52')).status).toBe('disputed');
      const whole = await billing.act(invoice.id, 'approve', { accept: [fuel] }, billing.chief);
      expect(whole).toMatchObject({ status: 'approved', payable: '77.52', openBalance: '12.00' });
      expect((await billing.pay(invoice.id, '12.00')).status).toBe('paid');
    });

    it('all lines with the approval', async () => {
      const { invoice, run } = await billing.withFuel();
      const accept = run.lines.map((line) => line.id);
      expect(await billing.act(invoice.id, 'approve', { accept }, billing.chief)).toMatchObject({
        status: 'approved',
        payable: '64.60',
      });
      expect(await states(invoice.id)).toEqual(['draft', 'pending', 'needs_review', 'reconciled', 'approved']);
    });
  });

  describe('are void', () => {
    it('from every state before they are paid, with a reason', async () => {
      const { id } = await billing.draft();
      expect(await billing.refused(id, 'void', {})).toMatchObject({ code: 'invalid-request' });
      expect(await billing.act(id, 'void', { reason: 'Sent twice' })).toMatchObject({
        status: 'void',
        voidReason: 'Sent twice',
        allowed: [],
      });
      expect(await billing.refused(id, 'void', { reason: 'Again' })).toMatchObject({
        code: 'invalid-transition',
        from: 'void',
        allowed: [],
      });
    });

    it('not when a part is paid', async () => {
      const { invoice } = await billing.reconciled();
      await billing.act(invoice.id, 'approve', {}, billing.chief);
      await billing.pay(invoice.id, '0.01');
      expect(await billing.refused(invoice.id, 'void', { reason: 'Late' })).toMatchObject({
        code: 'invalid-transition',
        allowed: ['paid'],
      });
    });
  });

  describe('once paid (must never: paid → pending)', () => {
    it('take no step back', async () => {
      const { id } = await billing.paid();
      for (const [what, body] of [
        ['submit', undefined],
        ['reconcile', {}],
        ['decide', { decisions: [{ line: '1', decision: 'accepted' }] }],
        ['approve', {}],
        ['void', { reason: 'No' }],
      ] as const) {
        const refusal = await billing.refused(id, what, body, billing.chief);
        expect({ ...refusal, asked: what }).toMatchObject({
          asked: what,
          code: 'invalid-transition',
          from: 'paid',
          allowed: [],
        });
      }
      expect((await billing.get(id)).status).toBe('paid');
    });
  });

  it('move only under the version that is meant', async () => {
    const { id } = await billing.draft();
    for (const what of ['submit', 'reconcile', 'decide', 'approve', 'void']) {
      const body = { decide: { decisions: [{ line: '1', decision: 'accepted' }] }, void: { reason: 'x' } }[what] ?? {};
      const at = `${path}/${id}/${what}`;
      const given = what === 'submit' ? undefined : body;
      expect([what, await billing.outcome(billing.clerk, 'POST', at, given)]).toEqual([
        what,
        '428 precondition-required',
      ]);
      expect([what, await billing.outcome(billing.clerk, 'POST', at, given, 7)]).toEqual([
        what,
        '412 precondition-failed',
      ]);
    }
  });

  describe('of other sites', () => {
    it('are not there, neither to be read nor to be written', async () => {
      const admin = await billing.api.as('admin');
      const { id } = await billing.draft();
      const stranger = await newHolder(billing.api, admin, 'finance', (await newSite(admin)).id);
      expect(await billing.outcome(stranger, 'GET', `${path}/${id}`)).toBe('404 invoice-not-found');
      expect(await billing.outcome(stranger, 'GET', `${path}/${id}/runs`)).toBe('404 invoice-not-found');
      expect(await billing.ask(stranger, 'GET', path)).toMatchObject({ status: 200, body: { items: [], next: null } });
      expect(await billing.outcome(stranger, 'GET', `${path}?warehouse=${billing.place.code}`)).toBe(
        '404 warehouse-not-found',
      );
      expect(await billing.outcome(stranger, 'POST', path, billing.body())).toBe('404 warehouse-not-found');
      for (const what of ['submit', 'reconcile', 'approve', 'void', 'payments']) {
        const body = {
          payments: { method: 'BACS', reference: 'P', paidOn: '2025-02-01', amount: '1.00' },
          void: { reason: 'x' },
        }[what];
        const given = what === 'submit' ? undefined : (body ?? {});
        expect([what, await billing.outcome(stranger, 'POST', `${path}/${id}/${what}`, given, 1)]).toEqual([
          what,
          '404 invoice-not-found',
        ]);
      }
    });

    it('that may be read, may yet not be written', async () => {
      const admin = await billing.api.as('admin');
      const { id } = await billing.draft();
      const reader = await billing.api.as('wms.invoice:read', 'wms.inventory:read');
      expect((await billing.ask(reader, 'GET', `${path}/${id}`)).status).toBe(200);
      expect(await billing.outcome(reader, 'POST', `${path}/${id}/submit`, undefined, 1)).toBe(
        '403 permission-missing',
      );
      const site = await newSite(admin);
      const here = await billing.newPlace({ site_id: site.id });
      const local = await newHolder(billing.api, admin, 'finance', site.id);
      expect((await billing.draft({ warehouse: here.code }, local)).warehouse).toBe(here.code);
      expect(await billing.outcome(local, 'POST', path, billing.body())).toBe('404 warehouse-not-found');
      const nobody = await billing.api.as('operator');
      expect(await billing.outcome(nobody, 'GET', path)).toBe('403 permission-missing');
    });
  });

  describe('must never', () => {
    it('reckon with floating point: a tenth and two are three, ten times over', async () => {
      const lines = Array.from({ length: 10 }, () => [
        { category: 'Unit', name: 'Labels', quantity: '0.1', amount: '0.10' },
        { category: 'Unit', name: 'Labels', quantity: '0.2', amount: '0.20' },
      ]).flat();
      const invoice = await billing.draft({ net: '3.00', total: '3.00', lines });
      expect(invoice.net).toBe('3.00');
      expect(await pointers({ net: '3.01', total: '3.01', lines })).toEqual(['#/net']);
    });

    it('lose a digit of an amount that no floating point number has', async () => {
      const amount = '999999999999.99';
      const big = { net: amount, total: amount, ...oneLine({ quantity: '1', unitRate: null, amount }) };
      expect((await billing.draft(big)).total).toBe(amount);
      const more = { net: `9${amount}`, total: `9${amount}`, ...oneLine({ amount: `9${amount}` }) };
      expect(await draftOutcome(more)).toBe('422 invalid-request');
    });

    it('take a payment reference from a note, nor a payment without one', async () => {
      const { invoice } = await billing.reconciled();
      await billing.act(invoice.id, 'approve', {}, billing.chief);
      const body = { method: 'BACS', paidOn: '2025-02-01', amount: '1.00', note: 'Ref: P-77' };
      const faulty = await billing.faults(billing.chief, 'POST', `${path}/${invoice.id}/payments`, body);
      expect(faulty.map(({ pointer }) => pointer)).toEqual(['#/reference', '#/note']);
    });

    it('tell more of a failure than its problem', async () => {
      const response = await billing.clerk.send('POST', path, { nonsense: true }, { 'idempotency-key': randomUUID() });
      expect(response.statusCode).toBe(422);
      expect(response.body).not.toMatch(/stack|node_modules|\.ts:/);
    });
  });

  it('are listed by period and state, page by page', async () => {
    const place = await billing.newPlace();
    const facts = (month: string) => ({
      warehouse: place.code,
      periodStart: `2025-${month}-16`,
      periodEnd: `2025-${month}-28`,
      issuedOn: `2025-${month}-28`,
      dueOn: null,
    });
    for (const month of ['01', '02', '03', '04', '05']) await billing.draft(facts(month));
    const seen: string[] = [];
    let cursor = '';
    do {
      const { items, next } = await billing.list(billing.clerk, `${path}?warehouse=${place.code}&limit=2${cursor}`);
      seen.push(...items.map((item) => String(item['periodStart'])));
      cursor = next === null ? '' : `&cursor=${next}`;
    } while (cursor !== '');
    expect(seen).toEqual(['2025-05-16', '2025-04-16', '2025-03-16', '2025-02-16', '2025-01-16']);
    const count = async (query: string) =>
      (await billing.list(billing.clerk, `${path}?warehouse=${place.code}&${query}`)).items.length;
    expect(await count('from=2025-03-28&to=2025-04-16')).toBe(2);
    expect(await count('from=2025-03-29&to=2025-04-15')).toBe(0);
    expect(await count('status=pending')).toBe(0);
    expect(await billing.outcome(billing.clerk, 'GET', `${path}?limit=201`)).toBe('422 invalid-request');
  });

  it('are audited with who did it, in the transaction itself', async () => {
    const { id } = await billing.draft();
    await billing.act(id, 'submit');
    const rows = await billing.api.rows(
      `SELECT operation, new ->> 'status' AS status, actor <> '' AS actor FROM platform.audit_log
       WHERE schema_name = 'wms' AND table_name = 'invoice' AND record = jsonb_build_object('id', $1::uuid) ORDER BY id`,
      [id],
    );
    expect(rows).toEqual([
      { operation: 'INSERT', status: 'draft', actor: true },
      { operation: 'UPDATE', status: 'pending', actor: true },
    ]);
  });
});

describe('where one person is enough', () => {
  it('who made an invoice approves it', async () => {
    const billing = await Billing.open({ config: { WMS_SECOND_PERSON: false } });
    await billing.chargeStorage();
    const { invoice } = await billing.reconciled();
    expect((await billing.act(invoice.id, 'approve', {})).status).toBe('approved');
    await billing.close();
  });
});

function oneLine(facts: Record<string, unknown>) {
  return {
    lines: [
      {
        category: 'Storage',
        name: 'Storage cost per pallet / week',
        quantity: '14',
        unitRate: '3.90',
        amount: '54.60',
        ...facts,
      },
    ],
  };
}
