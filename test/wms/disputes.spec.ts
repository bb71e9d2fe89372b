import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { directory } from '@belay/directory';
import { Caller, Queues } from '@belay/platform';
import { wms } from '@belay/wms';
import { startWorker } from '../../apps/worker/src/worker.js';
import { disputeView, type DisputeView } from '../../libs/wms/src/disputes/dispute.contract.js';
import { FlagsFile } from '../gate/flags-file.js';
import { eventually } from '../support/eventually.js';
import { fresh, newHolder, newSite } from '../support/people.js';
import { Billing } from './billing.js';

const path = '/api/wms/disputes';

describe('disputes', () => {
  let billing: Billing;

  /** An invoice with 10.00 for fuel that was never charged, and the dispute about it. */
  const fuelDispute = async (facts: Record<string, unknown> = {}) => {
    const { invoice, run } = await billing.withFuel();
    const line = run.lines.find(({ name }) => name === 'Fuel')?.id ?? '';
    return { invoice, line, dispute: await billing.dispute(invoice.id, { lines: [{ line }], ...facts }) };
  };
  const contacted = async (facts: Record<string, unknown> = {}) => {
    const made = await fuelDispute(facts);
    return { ...made, dispute: await billing.move(made.dispute.id, 'events', { kind: 'contacted' }) };
  };
  const resolve = ({ id }: DisputeView, body: Record<string, unknown>) => billing.move(id, 'resolve', body);
  const refused = async ({ id }: DisputeView, what: string, body: object) => {
    const { rowVersion } = await billing.disputed(id);
    return billing.problem(billing.clerk, 'POST', `${path}/${id}/${what}`, body, rowVersion);
  };

  beforeAll(async () => {
    billing = await Billing.open();
    await billing.chargeStorage();
  });
  afterAll(() => billing.close());

  it('are about lines, by what these differ', async () => {
    const { invoice, dispute } = await fuelDispute();
    expect(dispute).toMatchObject({
      invoiceId: invoice.id,
      invoiceNumber: invoice.number,
      warehouse: billing.place.code,
      disputedAmount: '10.00',
      currency: 'GBP',
      status: 'open',
      allowed: ['contacted', 'withdrawn'],
      resolution: null,
      overdue: false,
      credit: { state: 'none', expected: null, creditNoteNumber: null, invoiceId: null, received: null },
      lines: [{ category: 'Accessorial', name: 'Fuel', difference: '10.00', disputedAmount: '10.00', isOpen: true }],
      events: [{ kind: 'opened', status: 'open', note: 'It was never ordered' }],
    });
    expect(dispute.number).toMatch(new RegExp(`^${billing.place.code}-DSP-\\d{8}-\\d{6}$`));
    expect((await billing.get(invoice.id)).status).toBe('disputed');
    expect(await billing.facts('wms.dispute.changed', dispute.id)).toEqual([
      {
        disputeId: dispute.id,
        invoiceId: invoice.id,
        number: dispute.number,
        from: null,
        status: 'open',
        resolution: null,
        overdue: false,
      },
    ]);
  });

  it('are about the whole invoice, by all that differs in it, or by what is given', async () => {
    const { invoice } = await billing.withFuel();
    const whole = await billing.dispute(invoice.id);
    expect([whole.disputedAmount, whole.lines.map(({ name }) => name)]).toEqual(['10.00', ['Fuel']]);
    const given = await billing.withFuel();
    const part = { disputedAmount: '4.00', lines: [] };
    expect((await billing.dispute(given.invoice.id, part)).disputedAmount).toBe('4.00');
    const one = await billing.withFuel();
    const line = one.run.lines.find(({ name }) => name === 'Fuel')?.id;
    const lines = [{ line, amount: '7.50', suggestedAmount: '2.50', reason: 'Half of it' }];
    expect(await billing.dispute(one.invoice.id, { lines })).toMatchObject({
      disputedAmount: '7.50',
      lines: [{ disputedAmount: '7.50', suggestedAmount: '2.50', reason: 'Half of it', difference: '10.00' }],
    });
  });

  it('of which a line has one that is open', async () => {
    const { invoice, line, dispute } = await fuelDispute();
    const body = { invoice: invoice.id, reasonCode: 'rate', reason: 'Again', lines: [{ line }] };
    expect(await billing.problem(billing.clerk, 'POST', path, body)).toMatchObject({
      code: 'line-in-dispute',
      dispute: dispute.number,
      lines: [{ category: 'Accessorial', name: 'Fuel' }],
    });
    // Also after another run, whose lines have other ids.
    const again = (await billing.reconcile(invoice.id)).lines.find(({ name }) => name === 'Fuel')?.id;
    const anew = { ...body, lines: [{ line: again }] };
    expect(await billing.outcome(billing.clerk, 'POST', path, anew)).toBe('409 line-in-dispute');
    await resolve(dispute, { resolution: 'withdrawn' });
    expect(await billing.outcome(billing.clerk, 'POST', path, anew)).toBe('201');
  });

  it('of which one of ten at once is opened', async () => {
    const { invoice, run } = await billing.withFuel();
    const line = run.lines.find(({ name }) => name === 'Fuel')?.id;
    const body = { invoice: invoice.id, reasonCode: 'rate', reason: 'Race', lines: [{ line }] };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => billing.outcome(billing.clerk, 'POST', path, body)),
    );
    expect(answers.filter((answer) => answer === '201')).toHaveLength(1);
    expect(answers.filter((answer) => answer === '409 line-in-dispute')).toHaveLength(9);
  });

  it.each([
    ['an unknown line', { lines: [{ line: '99999999' }] }],
    ['a line named twice', { lines: [{ line: '1' }, { line: '1' }] }],
    ['a negative amount', { disputedAmount: '-1.00' }],
    ['nothing that differs', { disputedAmount: '0.00' }],
    ['a reason that nobody knows', { reasonCode: 'because' }],
    ['no words', { reason: '' }],
  ])('are refused with %s', async (_, facts) => {
    const { invoice } = await billing.withFuel();
    const body = { invoice: invoice.id, reasonCode: 'rate', reason: 'x', ...facts };
    expect(await billing.outcome(billing.clerk, 'POST', path, body)).toBe('422 invalid-request');
  });

  it('are not about paid invoices, nor before there is a result', async () => {
    const { id } = await billing.paid();
    const about = (invoice: string) => ({ invoice, reasonCode: 'rate', reason: 'Too late', disputedAmount: '1.00' });
    expect(await billing.outcome(billing.clerk, 'POST', path, about(id))).toBe('409 dispute-on-paid');
    const draft = await billing.draft();
    expect(await billing.problem(billing.clerk, 'POST', path, about(draft.id))).toMatchObject({
      code: 'invalid-transition',
      from: 'draft',
    });
    expect(await billing.outcome(billing.clerk, 'POST', path, about(randomUUIDv7()))).toBe('404 invoice-not-found');
  });

  it('are taken to the operator step by step', async () => {
    const { dispute } = await fuelDispute();
    const said = await billing.move(dispute.id, 'events', { kind: 'note', note: 'Asked for the delivery note' });
    expect([said.status, said.rowVersion]).toEqual(['open', 2]);
    expect(await refused(dispute, 'events', { kind: 'escalated' })).toMatchObject({
      code: 'invalid-transition',
      from: 'open',
      allowed: ['contacted', 'withdrawn'],
    });
    const at = '2025-01-20T10:00:00.000Z';
    const told = await billing.move(dispute.id, 'events', { kind: 'contacted', at, note: 'By e-mail' });
    expect(told).toMatchObject({ status: 'contacted', contactedWarehouseAt: at });
    expect((await billing.move(dispute.id, 'events', { kind: 'escalated' })).status).toBe('escalated');
    const ended = await resolve(dispute, { resolution: 'rejected', note: 'We were wrong' });
    expect(ended).toMatchObject({
      status: 'resolved',
      resolution: 'rejected',
      agreedAmount: '0.00',
      dueAt: null,
      allowed: [],
    });
    expect(ended.events.map(({ kind, status }) => `${kind} ${status}`)).toEqual([
      'opened open',
      'note open',
      'contacted contacted',
      'escalated escalated',
      'resolved resolved',
    ]);
    expect(await refused(dispute, 'events', { kind: 'contacted' })).toMatchObject({
      code: 'invalid-transition',
      from: 'resolved',
    });
    expect(await refused(dispute, 'resolve', { resolution: 'accepted' })).toMatchObject({ allowed: [] });
    expect((await billing.move(dispute.id, 'events', { kind: 'note', note: 'Filed' })).status).toBe('resolved');
  });

  it.each([
    [{ kind: 'note' }],
    [{ kind: 'paid' }],
    [{ kind: 'escalated', at: '2025-01-20T10:00:00Z' }],
    [{ kind: 'contacted', at: '20.01.2025' }],
  ])('take no event %p', async (body) => {
    const { dispute } = await fuelDispute();
    expect(await refused(dispute, 'events', body)).toMatchObject({ code: 'invalid-request' });
  });

  it('move only under the version that is meant', async () => {
    const { dispute } = await fuelDispute();
    for (const [what, body] of [
      ['events', { kind: 'contacted' }],
      ['resolve', { resolution: 'withdrawn' }],
      ['credit-note', { number: 'C-1' }],
    ] as const) {
      const at = `${path}/${dispute.id}/${what}`;
      expect(await billing.outcome(billing.clerk, 'POST', at, body)).toBe('428 precondition-required');
      expect(await billing.outcome(billing.clerk, 'POST', at, body, 9)).toBe('412 precondition-failed');
    }
  });

  describe('end', () => {
    it.each([
      ['accepted', {}, '10.00'],
      ['rejected', {}, '0.00'],
      ['partial_accept', { agreedAmount: '0.00' }, '0.00'],
      ['partial_accept', { agreedAmount: '6.25' }, '6.25'],
      ['partial_accept', { agreedAmount: '10.00' }, '10.00'],
    ])('%s with %p: %s comes back, and the invoice goes on', async (resolution, facts, agreed) => {
      const { invoice, dispute } = await contacted();
      const ended = await resolve(dispute, { resolution, ...facts });
      expect(ended).toMatchObject({ status: 'resolved', resolution, agreedAmount: agreed });
      const awaited = agreed === '0.00' ? { state: 'none', expected: null } : { state: 'awaited', expected: agreed };
      expect(ended.credit).toMatchObject(awaited);
      expect(ended.lines.map(({ isOpen }) => isOpen)).toEqual([false]);
      expect((await billing.get(invoice.id)).status).toBe('reconciled');
      // What was found stays as it was.
      const [fuel] = (await billing.reconcile(invoice.id)).lines;
      expect(fuel).toMatchObject({ name: 'Fuel', result: 'unexpected', difference: '10.00', decision: 'accepted' });
      expect((await billing.act(invoice.id, 'approve', {}, billing.chief)).payable).toBe('64.60');
    });

    it.each([
      ['more than was disputed', { resolution: 'partial_accept', agreedAmount: '10.01' }],
      ['less than nothing', { resolution: 'partial_accept', agreedAmount: '-0.01' }],
      ['a part that is not said', { resolution: 'partial_accept' }],
      ['an amount where all is accepted', { resolution: 'accepted', agreedAmount: '1.00' }],
      ['a credit note where there is no credit', { resolution: 'rejected', creditNoteNumber: 'C' }],
      ['another word', { resolution: 'lost' }],
    ])('not with %s', async (_, body) => {
      const { dispute } = await contacted();
      expect(await refused(dispute, 'resolve', body)).toMatchObject({ code: 'invalid-request' });
    });

    it('only after the operator was contacted, unless we withdraw', async () => {
      const { dispute } = await fuelDispute();
      expect(await refused(dispute, 'resolve', { resolution: 'accepted' })).toMatchObject({
        code: 'invalid-transition',
        from: 'open',
        allowed: ['contacted', 'withdrawn'],
      });
      expect((await resolve(dispute, { resolution: 'withdrawn' })).status).toBe('withdrawn');
    });

    it('withdrawn: the lines must be decided about anew', async () => {
      const { invoice, line, dispute } = await fuelDispute();
      await resolve(dispute, { resolution: 'withdrawn' });
      expect((await billing.get(invoice.id)).status).toBe('disputed');
      expect(await billing.refused(invoice.id, 'approve', {}, billing.chief)).toMatchObject({
        code: 'invalid-transition',
      });
      const decisions = [{ line, decision: 'accepted' }];
      expect((await billing.act(invoice.id, 'decide', { decisions })).status).toBe('reconciled');
    });

    it('before the invoice is approved, and with the invoice when that is void', async () => {
      const { invoice, line, dispute } = await contacted();
      const accept = [line];
      expect(await billing.refused(invoice.id, 'approve', { accept }, billing.chief)).toMatchObject({
        code: 'invalid-transition',
        from: 'disputed',
        allowed: ['reconciled', 'void'],
      });
      await billing.act(invoice.id, 'void', { reason: 'Billed anew' });
      expect(await billing.disputed(dispute.id)).toMatchObject({ status: 'withdrawn', resolution: 'withdrawn' });
      expect(await billing.facts('wms.dispute.changed', dispute.id)).toContainEqual(
        expect.objectContaining({ from: 'contacted', status: 'withdrawn' }),
      );
    });
  });

  describe('that are accepted bring a credit', () => {
    const credit = (number: string, amount: string, name = 'Fuel') => ({
      number,
      net: `-${amount}`,
      total: `-${amount}`,
      lines: [{ category: 'Accessorial', name, quantity: '-1', unitRate: amount, amount: `-${amount}` }],
    });

    it('which the named credit note is expected to bring, line by line', async () => {
      const { dispute } = await contacted();
      const number = fresh('CN');
      await resolve(dispute, { resolution: 'partial_accept', agreedAmount: '6.25', creditNoteNumber: number });
      const note = await billing.reconciled(credit(number, '6.25'));
      // The storage of the same period is none of the credit note's.
      expect(note.run.lines).toEqual([
        expect.objectContaining({ name: 'Fuel', expectedAmount: '-6.25', invoicedAmount: '-6.25', result: 'match' }),
      ]);
      expect(note.invoice.status).toBe('reconciled');
      expect((await billing.disputed(dispute.id)).credit).toEqual({
        state: 'received',
        expected: '6.25',
        creditNoteNumber: number,
        invoiceId: note.invoice.id,
        received: '6.25',
      });
    });

    it('that is found by its amount when it was not named', async () => {
      const { dispute } = await contacted({ disputedAmount: '8.17' });
      await resolve(dispute, { resolution: 'accepted' });
      const number = fresh('CN');
      await billing.reconciled(credit(number, '8.17'));
      expect((await billing.disputed(dispute.id)).credit).toMatchObject({
        state: 'received',
        creditNoteNumber: number,
      });
    });

    it('that differs when the operator gives another amount', async () => {
      const { dispute } = await contacted();
      await resolve(dispute, { resolution: 'accepted' });
      const number = fresh('CN');
      expect((await billing.move(dispute.id, 'credit-note', { number })).credit.state).toBe('awaited');
      const note = await billing.reconciled(credit(number, '9.00'));
      expect(note.run.lines.find(({ name }) => name === 'Fuel')).toMatchObject({
        expectedAmount: '-10.00',
        difference: '1.00',
      });
      expect((await billing.disputed(dispute.id)).credit).toMatchObject({ state: 'differs', received: '9.00' });
    });

    it('and none otherwise', async () => {
      const { dispute } = await contacted();
      expect(await refused(dispute, 'credit-note', { number: 'C-1' })).toMatchObject({
        code: 'invalid-transition',
        allowed: [],
      });
      await resolve(dispute, { resolution: 'rejected' });
      expect(await refused(dispute, 'credit-note', { number: 'C-1' })).toMatchObject({ code: 'invalid-transition' });
    });
  });

  describe('of other sites', () => {
    it('are not there', async () => {
      const admin = await billing.api.as('admin');
      const { invoice, dispute } = await fuelDispute();
      const stranger = await newHolder(billing.api, admin, 'finance', (await newSite(admin)).id);
      expect(await billing.outcome(stranger, 'GET', `${path}/${dispute.id}`)).toBe('404 dispute-not-found');
      expect((await billing.list(stranger, path)).items).toEqual([]);
      const move = (what: string, body: object) =>
        billing.outcome(stranger, 'POST', `${path}/${dispute.id}/${what}`, body, dispute.rowVersion);
      expect(await move('events', { kind: 'contacted' })).toBe('404 dispute-not-found');
      expect(await move('resolve', { resolution: 'withdrawn' })).toBe('404 dispute-not-found');
      const body = { invoice: invoice.id, reasonCode: 'rate', reason: 'x', disputedAmount: '1.00' };
      expect(await billing.outcome(stranger, 'POST', path, body)).toBe('404 invoice-not-found');
      const reader = await billing.api.as('wms.invoice:read', 'wms.dispute:write');
      expect(
        await billing.outcome(reader, 'POST', `${path}/${dispute.id}/resolve`, { resolution: 'withdrawn' }, 1),
      ).toBe('403 permission-missing');
    });

    it('and are listed by invoice and state where they are', async () => {
      const { invoice, dispute } = await fuelDispute();
      const list = async (query: string) =>
        (await billing.list(billing.clerk, `${path}?${query}`)).items.map((item) => item['number']);
      expect(await list(`invoice=${invoice.id}`)).toEqual([dispute.number]);
      expect(await list(`invoice=${invoice.id}&status=resolved`)).toEqual([]);
      expect((await list(`warehouse=${billing.place.code}&limit=200`)).includes(dispute.number)).toBe(true);
      const first = await billing.list(billing.clerk, `${path}?limit=1`);
      const second = await billing.list(billing.clerk, `${path}?limit=1&cursor=${first.next ?? ''}`);
      expect(second.items[0]?.['number']).not.toBe(first.items[0]?.['number']);
    });
  });

  it('that stand too long are announced once a state', async () => {
    const { dispute } = await fuelDispute();
    const age = async (hours: number) => {
      await billing.api.rows(`ALTER TABLE wms.dispute_event DISABLE TRIGGER block_mutation`);
      await billing.api.rows(
        `UPDATE wms.dispute_event SET at = at - make_interval(hours => $2) WHERE dispute_id = $1`,
        [dispute.id, hours],
      );
      await billing.api.rows(`ALTER TABLE wms.dispute_event ENABLE TRIGGER block_mutation`);
    };
    const overdue = async () =>
      (await billing.facts('wms.dispute.changed', dispute.id)).filter((body) =>
        JSON.stringify(body).includes('"overdue":true'),
      );
    const on = { ...wms, defaultOn: true, features: wms.features.map((feature) => ({ ...feature, defaultOn: true })) };
    const worker = await startWorker({ config: billing.api.config, domains: [directory, on] });
    try {
      const tick = async () => {
        const id = `tick-${randomUUID()}`;
        const data = { version: 1, requestId: id, payload: { slot: new Date().toISOString() } };
        const queues = billing.api.app.get(Queues);
        await queues.add('wms', { id, name: 'watch-disputes', data, attempts: 1, backoffMs: 1 });
        await eventually(async () => {
          const { waiting, active } = await queues.counts('wms');
          expect([waiting, active]).toEqual([0, 0]);
        }, 10_000);
      };
      await age(71);
      await tick();
      expect(await overdue()).toHaveLength(0);
      expect((await billing.disputed(dispute.id)).overdue).toBe(false);
      await age(1);
      expect((await billing.disputed(dispute.id)).overdue).toBe(true);
      await tick();
      await tick();
      expect(await overdue()).toHaveLength(1);
      expect((await billing.disputed(dispute.id)).events.at(-1)).toMatchObject({
        kind: 'overdue',
        actorId: Caller.system('x').accountId,
      });
      await billing.move(dispute.id, 'events', { kind: 'contacted' });
      expect((await billing.disputed(dispute.id)).overdue).toBe(false);
      await age(14 * 24);
      await tick();
      expect(await overdue()).toHaveLength(2);
    } finally {
      await worker.close();
    }
  });
});

describe('while costs are drained', () => {
  const flags = new FlagsFile([directory, wms], ['enable_wms_module', 'wms_write', 'wms_finance']);
  let billing: Billing;
  beforeAll(async () => {
    billing = await Billing.open({ config: { FLAGS_FILE: flags.path } });
    await billing.chargeStorage();
  });
  afterAll(async () => {
    await billing.close();
    flags.remove();
  });

  it('nothing new begins, and what is open is finished', async () => {
    const { invoice, run } = await billing.withFuel();
    const ready = await billing.reconciled();
    const draft = await billing.draft();
    const line = run.lines.find(({ name }) => name === 'Fuel')?.id;
    const dispute = await billing.dispute(invoice.id, { lines: [{ line }] });
    flags.mode('wms_finance', 'drain');
    await eventually(async () => {
      expect(await billing.outcome(billing.clerk, 'POST', '/api/wms/invoices', billing.body())).toBe(
        '403 feature-draining',
      );
    });
    const about = { invoice: ready.invoice.id, reasonCode: 'rate', reason: 'x', disputedAmount: '1.00' };
    expect(await billing.outcome(billing.clerk, 'POST', path, about)).toBe('403 feature-draining');
    expect(await billing.refused(draft.id, 'submit')).toMatchObject({ code: 'feature-draining' });
    expect(await billing.refused(invoice.id, 'reconcile', {})).toMatchObject({ code: 'feature-draining' });
    await billing.move(dispute.id, 'events', { kind: 'contacted' });
    await billing.expect(
      disputeView,
      billing.clerk,
      'POST',
      `${path}/${dispute.id}/resolve`,
      { resolution: 'withdrawn' },
      (await billing.disputed(dispute.id)).rowVersion,
    );
    await billing.act(invoice.id, 'decide', { decisions: [{ line, decision: 'accepted' }] });
    await billing.act(invoice.id, 'approve', {}, billing.chief);
    expect((await billing.pay(invoice.id, '64.60')).status).toBe('paid');
    flags.mode('wms_finance', 'read_only');
    await eventually(async () => {
      expect(await billing.outcome(billing.clerk, 'POST', '/api/wms/invoices', billing.body())).toBe(
        '403 feature-read-only',
      );
    });
    expect(await billing.refused(ready.invoice.id, 'approve', {}, billing.chief)).toMatchObject({
      code: 'feature-read-only',
    });
    expect((await billing.get(ready.invoice.id)).status).toBe('reconciled');
  });
});
