import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { listOf } from '@belay/platform';
import { movementSummary, movementView, wms } from '@belay/wms';
import { fresh, newHolder, outcome } from '../support/people.js';
import { TestApi } from '../support/test-api.js';
import { inTimeZone } from '../support/time-zone.js';
import { ifMatch, newLocation, newLot } from './master-data.js';
import {
  newFloor,
  path,
  post,
  receiptOf,
  refusal,
  refused,
  reverse,
  shipmentOf,
  stockOf,
  withKey,
  type Floor,
} from './postings.js';

/** What must never happen, by the numbers under which it is listed. */
describe('a posting must never', () => {
  let api: TestApi;
  let admin: TestApi;
  let floor: Floor;

  beforeAll(async () => {
    api = await TestApi.start({ config: { RATE_LIMIT_PER_MINUTE: 1_000_000 } }, wms);
    admin = await api.as('admin');
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    floor = await newFloor(admin);
    await post(admin, 'receive', receiptOf(floor));
  });

  /** Everything that a posting writes, counted and hashed. */
  const written = () =>
    Promise.all(
      [
        'wms.movement',
        'wms.wms_inventory_transaction',
        'wms.stock_balance',
        'wms.doc_counter',
        'wms.cost_charge',
        'wms.movement_attr',
        'wms.lot',
        'wms.lot_stock',
        'wms.storage_dirty',
        'platform.outbox',
        'platform.audit_log',
        'platform.idempotency_key',
      ].map((table) =>
        api.rows(`SELECT '${table}' AS name, count(*), sum(hashtextextended(t::text, 0)) FROM ${table} t`),
      ),
    );
  const ledger = () => api.rows(`SELECT * FROM wms.wms_inventory_transaction ORDER BY seq`);

  it('1: look at the stock and write later, so that two sell the same goods', async () => {
    const sell = () => outcome(admin, 'POST', `${path}/ship`, shipmentOf(floor, { cartons: 3 }), withKey());
    const answers = await Promise.all(Array.from({ length: 24 }, sell));
    expect(answers.filter((answer) => answer === '201')).toHaveLength(3);
    expect(await stockOf(api, floor.lot)).toEqual({ [`${floor.bin} available`]: 60 });
  });

  it('2: look at the stock of the day alone, so that a later day is negative', async () => {
    const local = await newFloor(admin);
    const on = (day: string) => ({ effectiveAt: `2026-01-${day}T12:00:00Z` });
    await post(admin, 'receive', receiptOf(local, {}, on('05')));
    await post(admin, 'ship', shipmentOf(local, { cartons: 10 }, on('20')));
    await post(admin, 'receive', receiptOf(local, {}, on('25')));
    const because = { 'x-reason': 'Forgotten' };
    expect(await refusal(admin, 'ship', shipmentOf(local, {}, on('10')), because)).toMatchObject({
      code: 'later-balance-negative',
      firstAt: '2026-01-20T12:00:00.000Z',
    });
  });

  it('3: commit a document in part', async () => {
    const other = await newLot(admin, floor.sku, { storageCartonsPerPallet: 9, shippingCartonsPerPallet: 9 });
    const line = { sku: floor.sku.code, location: floor.bin, cartons: 1 };
    const lines = [
      { ...line, lot: floor.lot.code },
      { ...line, lot: other.code },
    ];
    const createLot = { code: fresh('N'), storageCartonsPerPallet: 9, shippingCartonsPerPallet: 9 };
    const halfNew = [
      { sku: floor.sku.code, createLot, cartons: 1 },
      { ...line, lot: 'no such lot' },
    ];
    const before = await written();
    const key = withKey(fresh('key'));
    expect(await refused(admin, 'ship', shipmentOf(floor, {}, { lines }), key)).toBe('409 insufficient-stock');
    expect(await refused(admin, 'receive', receiptOf(floor, {}, { lines: halfNew }))).toBe(
      '422 invalid-request #/lines/1/lot',
    );
    expect(await written()).toEqual(before);
  });

  it('4: number documents by request or process', async () => {
    const second = await api.another();
    const numbers: string[] = [];
    for (const process of [api, second, api, second]) {
      const there = process.withHeaders(admin.headers);
      const posted = await Promise.all(
        [1, 2, 3].map(() => post(there, 'ship', shipmentOf(floor, { cartons: 0, looseUnits: 1 }))),
      );
      numbers.push(...posted.map(({ number }) => number.slice(-6)));
    }
    await second.app.close();
    expect(numbers.toSorted()).toEqual(Array.from({ length: 12 }, (_, n) => String(n + 1).padStart(6, '0')));
  });

  it('6: rewrite or delete lines when something is taken back or annotated', async () => {
    const { id } = await post(admin, 'ship', shipmentOf(floor));
    const before = await ledger();
    await admin.withHeaders(ifMatch(0)).patch(`${path}/${id}/attributes`, { notes: 'Late', carrier: 'Maersk' });
    expect(await ledger()).toEqual(before);
    await reverse(admin, id);
    for (const method of ['PUT', 'DELETE'] as const) {
      expect(await outcome(admin, method, `${path}/${id}`, {})).toBe('405 immutable-ledger');
    }
    expect((await ledger()).slice(0, before.length)).toEqual(before);
  });

  it('7: take a note for stock, or be nobody’s', async () => {
    const clerk = await newHolder(api, admin, 'warehouse', floor.warehouse.siteId);
    const posted = await post(clerk, 'ship', shipmentOf(floor, { cartons: 2 }, { note: 'As per delivery note 7' }));
    expect((await clerk.get(`${path}/${posted.id}`, 200, movementView)).actorId).toBe(clerk.id);
    const more = shipmentOf(floor, { cartons: 9 }, { note: 'As per delivery note 8' });
    expect(await refused(clerk, 'ship', more)).toBe('409 insufficient-stock');
    const [fact] = await api.rows(`SELECT actor FROM platform.outbox WHERE body ->> 'movementId' = $1`, [posted.id]);
    expect(fact).toEqual({ actor: clerk.id });
  });

  it('14: be listed to who may not see its warehouse, not even without a filter', async () => {
    const list = listOf(movementSummary);
    const here = await newHolder(api, admin, 'warehouse', floor.warehouse.siteId);
    const { items } = await here.get(`${path}?limit=200`, 200, list);
    expect(items.map(({ warehouseId }) => warehouseId)).toEqual([floor.warehouse.id]);
    const elsewhere = await newFloor(admin);
    const there = await here.get(`${path}?warehouse=${elsewhere.warehouse.code}`, 200, list);
    expect(there.items).toEqual([]);
    const stranger = await api.as();
    expect(await outcome(stranger, 'GET', path)).toBe('403 permission-missing');
  });

  it('15: escape a code, or take two buckets for one because their names look alike', async () => {
    const tag = fresh('x');
    const at = (code: string) => newLocation(admin, floor.warehouse, { code });
    const stacked = { storageCartonsPerPallet: 9, shippingCartonsPerPallet: 9 };
    const of = (code: string) => newLot(admin, floor.sku, { ...stacked, code });
    await Promise.all([at('A'), at('A-B'), at('A::B'), of(`B-${tag}`), of(tag), of(`B::${tag}`), of(`A/B & <${tag}>`)]);
    const names = [
      ['A', `B-${tag}`],
      ['A-B', tag],
      ['A::B', tag],
      ['A', `B::${tag}`],
      ['A', `A/B & <${tag}>`],
    ];
    const lines = names.map(([location, lot]) => ({ sku: floor.sku.code, location, lot, cartons: 1 }));
    const posted = await post(admin, 'receive', receiptOf(floor, {}, { lines }));
    expect(posted.lines.map(({ location, lot }) => [location, lot])).toEqual(names);
  });

  it('16: be audited outside its transaction', async () => {
    const { id } = await post(admin.withHeaders({ 'x-reason': 'Ordered' }), 'ship', shipmentOf(floor));
    const [row] = await api.rows(
      `SELECT a.txid = m.txid AS together, a.actor = m.actor_id::text AS by_the_caller, a.reason, a.request_id <> '' AS asked
       FROM wms.movement m JOIN platform.audit_log a ON a.table_name = 'movement' AND a.record = jsonb_build_object('id', m.id)
       WHERE m.id = $1`,
      [id],
    );
    expect(row).toEqual({ together: true, by_the_caller: true, reason: 'Ordered', asked: true });
  });

  describe('17: promise keys that do not hold', () => {
    it('a repetition gets the first answer, whatever has become of the goods', async () => {
      const [body, key] = [shipmentOf(floor, { cartons: 10 }), withKey(fresh('key'))];
      const first = await admin.send('POST', `${path}/ship`, body, key);
      const again = await admin.send('POST', `${path}/ship`, body, key);
      expect([first.statusCode, again.statusCode]).toEqual([201, 201]);
      expect(again.json()).toEqual(first.json());
      expect([first.headers['idempotency-replayed'], again.headers['idempotency-replayed']]).toEqual([
        undefined,
        'true',
      ]);
      await api.rows(`UPDATE wms.warehouse SET is_active = false WHERE id = $1`, [floor.warehouse.id]);
      expect((await admin.send('POST', `${path}/ship`, body, key)).json()).toEqual(first.json());
    });

    it('another request under the same key is refused, whether or not it could be done', async () => {
      const key = withKey(fresh('key'));
      await admin.withHeaders(key).post(`${path}/ship`, shipmentOf(floor), 201);
      for (const cartons of [2, 200]) {
        expect(await refused(admin, 'ship', shipmentOf(floor, { cartons }), key)).toBe('422 idempotency-key-reused');
      }
      expect(await refused(admin, 'receive', receiptOf(floor), key)).toBe('422 idempotency-key-reused');
      expect(await stockOf(api, floor.lot)).toEqual({ [`${floor.bin} available`]: 540 });
    });

    it('a refused attempt leaves the key to the next', async () => {
      const [body, key] = [shipmentOf(floor, { cartons: 11 }), withKey(fresh('key'))];
      expect(await refused(admin, 'ship', body, key)).toBe('409 insufficient-stock');
      await post(admin, 'receive', receiptOf(floor));
      await admin.withHeaders(key).post(`${path}/ship`, body, 201);
    });

    it('a key is free again when its time is over', async () => {
      const [body, name] = [shipmentOf(floor), fresh('key')];
      await admin.withHeaders(withKey(name)).post(`${path}/ship`, body, 201);
      await api.rows(`UPDATE platform.idempotency_key SET expires_at = clock_timestamp() WHERE key = $1`, [name]);
      await admin.withHeaders(withKey(name)).post(`${path}/ship`, body, 201);
      expect(await stockOf(api, floor.lot)).toEqual({ [`${floor.bin} available`]: 480 });
    });

    it('keys are of who sends them', async () => {
      const key = withKey(fresh('key'));
      const [body, other] = [shipmentOf(floor), await api.as('admin')];
      for (const sender of [admin, other]) await sender.withHeaders(key).post(`${path}/ship`, body, 201);
      expect(await stockOf(api, floor.lot)).toEqual({ [`${floor.bin} available`]: 480 });
    });
  });

  it('18: stand when what it costs could not be written', async () => {
    const { warehouse } = await newFloor(admin, { blockOnMissingRate: true });
    const local = { ...floor, warehouse, bin: 'DEFAULT' };
    const rate = {
      warehouse: warehouse.code,
      category: 'Carton',
      name: 'Cartons in',
      basis: 'per_carton_in',
      value: '0.95',
      currency: 'GBP',
      effectiveFrom: '2025-01-01',
      effectiveTo: '2025-12-31',
    };
    await admin.post('/api/wms/rates', rate, 201);
    const on = (effectiveAt: string) => receiptOf(local, {}, { effectiveAt });
    const before = await written();
    expect(await refused(admin, 'receive', on('2026-01-01T00:00:00Z'))).toBe('409 rate-missing');
    expect(await written()).toEqual(before);
    const posted = await post(admin, 'receive', on('2025-12-31T23:59:59Z'));
    expect(posted.charges).toMatchObject([{ name: 'Cartons in', quantity: '10', amount: '9.50', state: 'final' }]);
    const [together] = await api.rows(
      `SELECT bool_and(c.xmin = m.xmin) AS together FROM wms.movement m JOIN wms.cost_charge c ON c.movement_id = m.id WHERE m.id = $1`,
      [posted.id],
    );
    expect(together).toEqual({ together: true });
  });

  it('22: have a day of the server', async () => {
    const back = inTimeZone('Pacific/Auckland');
    try {
      const local = await newFloor(admin, { timezone: 'America/Los_Angeles' });
      const evening = { effectiveAt: '2025-07-04T06:30:00Z' };
      const posted = await post(admin, 'receive', receiptOf(local, {}, evening));
      expect(posted.number).toContain('-RCV-20250703-');
      expect(posted.effectiveAt).toBe('2025-07-04T06:30:00.000Z');
      const offset = { effectiveAt: '2025-07-04T00:30:00-07:00' };
      const next = await post(admin, 'receive', receiptOf(local, {}, offset));
      expect(next).toMatchObject({ effectiveAt: '2025-07-04T07:30:00.000Z' });
      expect(next.number).toContain('-RCV-20250704-');
    } finally {
      back();
    }
  });
});
