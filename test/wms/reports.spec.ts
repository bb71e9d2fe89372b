import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newHolder, newSite } from '../support/people.js';
import type { TestApi } from '../support/test-api.js';
import { Billing, type Place } from './billing.js';

const path = '/api/wms/reports';

describe('reports', () => {
  let billing: Billing;
  let place: Place;
  let location: string;
  let chief: TestApi;

  const report = async (query: string, by = chief) => (await billing.list(by, `${path}/${query}`)).items;
  const lot = async (code: string) => {
    const [sku, id] = [randomUUIDv7(), randomUUIDv7()];
    await billing.api.rows(
      `INSERT INTO wms.sku (id, code, description, default_units_per_carton, created_by) VALUES ($1, $2, 'x', 60, $1)`,
      [sku, `SKU ${code}`],
    );
    await billing.api.rows(
      `INSERT INTO wms.lot (id, sku_id, code, units_per_carton, created_by) VALUES ($1, $2, $3, 60, $1)`,
      [id, sku, code],
    );
    return { sku, id };
  };
  /** A movement of one line; what the operator counted and what was computed, in pallets. */
  const move = async (
    goods: { sku: string; id: string },
    facts: {
      kind?: string;
      units?: number;
      at?: string;
      pallets?: [number, number];
      inboundType?: string;
      reverses?: string;
    },
  ) => {
    const { kind = 'RECEIVE', units = 600, at = '2025-01-06T09:30:00Z', pallets = [1, 1] } = facts;
    const id = randomUUIDv7();
    await billing.api.rows(
      `WITH m AS (
         INSERT INTO wms.movement (id, number, warehouse_id, kind, reference, effective_at, actor_id, inbound_type, reverses_movement_id)
         VALUES ($1, $2, $3, $4, 'CI-1', $5, $1, $6, $7) RETURNING *)
       INSERT INTO wms.wms_inventory_transaction (movement_id, line_no, warehouse_id, location_id, sku_id, lot_id, stock_status,
         qty_delta, pallets_reported, pallets_computed, effective_at, recorded_at)
       SELECT m.id, 1, m.warehouse_id, $8, $9, $10, 'available', $11, $12, $13, m.effective_at, m.recorded_at FROM m`,
      [
        ...[id, `DOC-${id}`, place.id, kind, at, facts.inboundType ?? null, facts.reverses ?? null],
        ...[location, goods.sku, goods.id, units, ...pallets],
      ],
    );
    return { id, number: `DOC-${id}` };
  };

  beforeAll(async () => {
    billing = await Billing.open();
    chief = await billing.api.as('admin');
    place = billing.place;
    location = randomUUIDv7();
    await billing.api.rows(
      `INSERT INTO wms.location (id, warehouse_id, code, type, created_by) VALUES ($1, $2, 'DEFAULT', 'zone', $1)`,
      [location, place.id],
    );
  });
  afterAll(() => billing.close());

  it('compare warehouses by the last reconciliation of each invoice, and by nothing else', async () => {
    const [one, other] = [await billing.newPlace(), await billing.newPlace()];
    await billing.chargeStorage(one);
    await billing.charge({ category: 'Container', name: 'Unloading', amount: '650.00' }, one);
    const { invoice, run } = await billing.withFuel({ warehouse: one.code });
    await billing.reconcile(invoice.id);
    const line = run.lines.find(({ name }) => name === 'Fuel')?.id;
    expect(line).toBeDefined();
    const dispute = await billing.dispute(invoice.id, { disputedAmount: '10.00' });
    await billing.reconciled({ warehouse: other.code });
    const gone = await billing.reconciled({ warehouse: other.code });
    await billing.act(gone.invoice.id, 'void', { reason: 'Twice' });
    const [first] = await report(`variance?warehouse=${one.code}`);
    expect(first).toEqual({
      warehouseId: one.id,
      warehouse: one.code,
      currency: 'GBP',
      invoices: 1,
      expected: '704.60',
      invoiced: '64.60',
      difference: '-640.00',
      rateVariance: '0.00',
      qtyVariance: '-640.00',
      overbilled: '0.00',
      underbilled: '0.00',
      unexpected: '10.00',
      notBilled: '-650.00',
      openDisputes: 1,
      disputed: '10.00',
      agreedCredits: '0.00',
    });
    await billing.move(dispute.id, 'events', { kind: 'contacted' });
    await billing.move(dispute.id, 'resolve', { resolution: 'partial_accept', agreedAmount: '4.00' });
    expect((await report(`variance?warehouse=${one.code}`))[0]).toMatchObject({
      openDisputes: 0,
      disputed: '0.00',
      agreedCredits: '4.00',
    });
    expect((await report(`variance?warehouse=${other.code}`))[0]).toMatchObject({ invoices: 1, unexpected: '54.60' });
    expect(await report(`variance?warehouse=${one.code}&from=2025-01-16`)).toEqual([]);
    expect(await report(`variance?warehouse=${one.code}&from=2025-01-15&to=2025-01-15`)).toHaveLength(1);

    const unexpected = await report(`unexpected-charges?warehouse=${one.code}`);
    expect(unexpected).toEqual([
      expect.objectContaining({
        invoiceId: invoice.id,
        invoiceNumber: invoice.number,
        category: 'Accessorial',
        name: 'Fuel',
        quantity: '1.0000',
        amount: '10.00',
        currency: 'GBP',
        decision: 'accepted',
      }),
    ]);
    const page = await billing.list(billing.clerk, `${path}/variance?limit=1`);
    const next = await billing.list(billing.clerk, `${path}/variance?limit=1&cursor=${page.next ?? ''}`);
    expect(next.items[0]?.['warehouse']).not.toBe(page.items[0]?.['warehouse']);
  });

  it('name lots that are in stock for too long, with what their storage has cost', async () => {
    const received = async (code: string, days: number, units: number) => {
      const goods = await lot(code);
      await move(goods, { kind: 'OPENING', units });
      await billing.api.rows(
        `INSERT INTO wms.lot_stock (warehouse_id, lot_id, storage_cartons_per_pallet, shipping_cartons_per_pallet, first_received_at, created_by)
         VALUES ($1, $2, 36, 16, now() - make_interval(days => $3), $1)`,
        [place.id, goods.id, days],
      );
      return goods;
    };
    const old = await received('OLD', 200, 600);
    await received('NEW', 100, 600);
    const sold = await received('SOLD', 300, 60);
    await move(sold, { kind: 'SHIP', units: -60 });
    await billing.api.rows(
      `INSERT INTO wms.storage_ledger (warehouse_id, sku_id, lot_id, snapshot_on, week_ending, units, cartons, pallets, amount, currency,
         period_start, period_end, state, input_max_seq)
       SELECT $1, $2, $3, d, d + 6, 600, 10, 1, 3.90, 'GBP', '2024-12-16', '2025-01-15', 'final', 1
       FROM unnest('{2025-01-06,2025-01-13}'::date[]) AS d`,
      [place.id, old.sku, old.id],
    );
    const lots = async (query: string) =>
      (await report(`long-storage?warehouse=${place.code}${query}`)).map((row) => row['lot']);
    expect(await lots('')).toEqual(['OLD']);
    expect(await lots('&days=100')).toEqual(['OLD', 'NEW']);
    expect(await lots('&days=201')).toEqual([]);
    expect((await report(`long-storage?warehouse=${place.code}`))[0]).toMatchObject({
      units: 600,
      days: 200,
      storageCost: '7.80',
      currency: 'GBP',
    });
    const page = await billing.list(billing.clerk, `${path}/long-storage?warehouse=${place.code}&days=100&limit=1`);
    const rest = await billing.list(
      billing.clerk,
      `${path}/long-storage?warehouse=${place.code}&days=100&limit=1&cursor=${page.next ?? ''}`,
    );
    expect(rest.items.map((row) => row['lot'])).toEqual(['NEW']);
  });

  it('name lines whose pallets were counted otherwise, unless they were taken back', async () => {
    const goods = await lot('PALLETS');
    const right = await move(goods, { pallets: [2, 2] });
    const wrong = await move(goods, { pallets: [3, 1] });
    const undone = await move(goods, { pallets: [9, 1] });
    await move(goods, { kind: 'REVERSAL', units: -600, pallets: [9, 1], reverses: undone.id });
    const found = await report(`pallet-variance?warehouse=${place.code}`);
    expect(found.map((row) => row['movement'])).toEqual([wrong.number]);
    expect(found[0]).toMatchObject({
      lot: 'PALLETS',
      units: 600,
      palletsReported: 3,
      palletsComputed: 1,
      difference: 2,
    });
    expect(found.map((row) => row['movement'])).not.toContain(right.number);
    expect(await report(`pallet-variance?warehouse=${place.code}&from=2025-01-07`)).toEqual([]);
    expect(await report(`pallet-variance?warehouse=${place.code}&from=2025-01-06&to=2025-01-06`)).toHaveLength(1);
  });

  it('name receipts and shipments without their papers', async () => {
    const goods = await lot('PAPERS');
    const at = (hour: number) => `2025-03-03T0${hour}:00:00Z`;
    const receipt = await move(goods, { at: at(1), inboundType: 'CONTAINER_40' });
    const complete = await move(goods, { at: at(2) });
    const shipment = await move(goods, { at: at(3), kind: 'SHIP', units: -60 });
    const papers = (id: string, facts: string) =>
      billing.api.rows(`INSERT INTO wms.movement_attr (movement_id, created_by, ${facts}`, [id]);
    await papers(receipt.id, `attachments) VALUES ($1, $1, '["a.pdf"]')`);
    await papers(complete.id, `attachments) VALUES ($1, $1, '["b.pdf"]')`);
    const found = await report(`missing-documents?warehouse=${place.code}&from=2025-03-03&to=2025-03-03`);
    expect(found.map((row) => [row['movement'], row['missing']])).toEqual([
      [shipment.number, ['attachments', 'trackingNumber']],
      [receipt.number, ['vessel']],
    ]);
    await papers(shipment.id, `attachments, tracking_number) VALUES ($1, $1, '["c.pdf"]', '1Z')`);
    const query = `missing-documents?warehouse=${place.code}&from=2025-03-03&to=2025-03-03&limit=1`;
    expect((await report(query)).map((row) => row['movement'])).toEqual([receipt.number]);
  });

  it('name what nobody can price, stock past its last day, and invoices that wait', async () => {
    const here = await billing.newPlace();
    const bin = randomUUIDv7();
    await billing.api.rows(
      `INSERT INTO wms.location (id, warehouse_id, code, type, created_by) VALUES ($1, $2, 'DEFAULT', 'zone', $1)`,
      [bin, here.id],
    );
    const unrated = await billing.charge({ name: 'Labels', amount: null }, here);
    const settled = await billing.charge({ name: 'Wrap', amount: null }, here);
    await billing.charge({ name: 'Wrap', amount: '3.00', adjusts: settled }, here);
    const goods = await lot('STALE');
    await billing.api.rows(
      `INSERT INTO wms.storage_ledger (warehouse_id, sku_id, lot_id, snapshot_on, week_ending, units, cartons, pallets, currency,
         period_start, period_end, state, input_max_seq)
       VALUES ($1, $2, $3, '2025-01-06', '2025-01-12', 60, 1, NULL, 'GBP', '2024-12-16', '2025-01-15', 'unconfigured', 1),
              ($1, $2, $3, '2025-01-13', '2025-01-19', 60, 1, 1, 'GBP', '2024-12-16', '2025-01-15', 'unrated', 1)`,
      [here.id, goods.sku, goods.id],
    );
    const moved = [place, location] as const;
    [place, location] = [here, bin];
    await move(goods, { units: 60 });
    [place, location] = moved;
    const found = async (query = '') =>
      (await report(`anomalies?warehouse=${here.code}${query}`)).map((row) => row['kind']);
    expect(await found()).toEqual(['unconfigured-storage', 'unrated-charge', 'unrated-storage']);
    await billing.api.rows(`UPDATE wms.lot SET expires_on = current_date + 1 WHERE id = $1`, [goods.id]);
    expect(await found()).not.toContain('expired-stock');
    await billing.api.rows(`UPDATE wms.lot SET expires_on = '2025-06-30' WHERE id = $1`, [goods.id]);
    const invoice = await billing.draft({ warehouse: here.code });
    await billing.act(invoice.id, 'submit');
    expect(await found()).toContain('expired-stock');
    expect(await found()).not.toContain('waiting-invoice');
    await billing.api.rows(`UPDATE wms.invoice SET created_at = now() - interval '31 days' WHERE id = $1`, [
      invoice.id,
    ]);
    const all = await report(`anomalies?warehouse=${here.code}`);
    expect(all.map((row) => row['kind'])).toEqual([
      'expired-stock',
      'unconfigured-storage',
      'unrated-charge',
      'unrated-storage',
      'waiting-invoice',
    ]);
    expect(all.find((row) => row['kind'] === 'unrated-charge')).toMatchObject({
      key: unrated,
      subject: 'Labels',
      day: '2025-01-13',
    });
    const first = await billing.list(chief, `${path}/anomalies?warehouse=${here.code}&limit=3`);
    const rest = await report(`anomalies?warehouse=${here.code}&limit=3&cursor=${first.next ?? ''}`);
    expect([...first.items, ...rest]).toEqual(all);
  });

  it('are of warehouses at the sites of who asks', async () => {
    const stranger = await newHolder(billing.api, chief, 'admin', (await newSite(chief)).id);
    for (const name of [
      'variance',
      'unexpected-charges',
      'long-storage',
      'pallet-variance',
      'missing-documents',
      'anomalies',
    ]) {
      expect([name, await report(name, stranger)]).toEqual([name, []]);
      expect([name, await billing.outcome(stranger, 'GET', `${path}/${name}?warehouse=${place.code}`)]).toEqual([
        name,
        '404 warehouse-not-found',
      ]);
      const nobody = await billing.api.as('wms.master:read');
      expect([name, await billing.outcome(nobody, 'GET', `${path}/${name}`)]).toEqual([name, '403 permission-missing']);
      expect([name, await billing.outcome(chief, 'GET', `${path}/${name}?cursor=x`)]).toEqual([
        name,
        '422 invalid-request',
      ]);
    }
  });
});
