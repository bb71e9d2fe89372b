import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { listOf } from '@belay/platform';
import { lotView, postedMovementView, reservationView, type LotView, type ReservationView } from '@belay/wms';
import { fresh, newHolder, newSite, outcome } from '../support/people.js';
import type { TestApi } from '../support/test-api.js';
import { Floor, keyed, problemOf } from './floor.js';
import { ifMatch } from './master-data.js';

const path = '/api/wms/reservations';
const list = listOf(reservationView);

describe('a reservation', () => {
  let floor: Floor;
  beforeAll(async () => {
    floor = await Floor.open();
  });
  afterAll(async () => {
    expect(await floor.disagreements()).toEqual([]);
    await floor.close();
  });

  const act = (verb: 'allocate' | 'release', { id }: ReservationView, body?: object) =>
    keyed(floor.admin).post(`${path}/${id}/${verb}`, body, 200, reservationView);
  const fulfil = ({ id }: ReservationView, details: object = {}) =>
    keyed(floor.admin).post(`${path}/${id}/fulfil`, { reference: 'FBA-77', ...details }, 201, postedMovementView);
  const read = ({ id }: ReservationView) => floor.admin.get(`${path}/${id}`, 200, reservationView);
  const attempt = (body: object, by: TestApi = floor.admin) => outcome(keyed(by), 'POST', path, body);
  const facts = ({ id }: ReservationView) =>
    floor.api.rows<{ change: string; status: string; units: string; short: string }>(
      `SELECT body ->> 'change' AS change, body ->> 'status' AS status, body ->> 'fulfilledUnits' AS units,
              body ->> 'shortUnits' AS short
       FROM platform.outbox WHERE name = 'wms.reservation.changed' AND body ->> 'reservationId' = $1 ORDER BY id`,
      [id],
    );
  const taken = ({ allocations }: ReservationView) => allocations.map(({ lot, units }) => `${lot} ${units}`);
  const block = async (lot: LotView, status: string) => {
    const { rowVersion } = await floor.admin.get(`/api/wms/lots/${lot.id}`, 200, lotView);
    await floor.admin.withHeaders(ifMatch(rowVersion)).patch(`/api/wms/lots/${lot.id}`, { status });
  };

  it('is promised stock, which is then no longer available', async () => {
    const sku = await floor.sku({ code: 'CS 008' });
    const lot = await floor.lot(sku, { code: 'A/B 8', expiresOn: '2099-12-31', receivedAt: '2025-01-06T09:30:00Z' });
    await floor.put([{ lot, units: 1020 }]);
    const source = { type: 'order', id: 'SO-9', line: '1' };
    const made = await floor.reserve('CS 008', 600, { source });
    expect(made).toMatchObject({
      status: 'active',
      warehouse: floor.warehouse.code,
      sku: 'CS 008',
      lot: null,
      source,
      policy: 'all_or_nothing',
      strategy: 'fifo',
      units: 600,
      fulfilledUnits: 0,
      shortUnits: 0,
      allocations: [{ location: 'DEFAULT', lot: 'A/B 8', units: 600, fulfilledUnits: 0, expiresOn: '2099-12-31' }],
    });
    expect(await floor.stock(lot)).toEqual({ onHand: 1020, reserved: 600 });
    expect(await read(made)).toEqual(made);
    const { id: reservationId } = made;
    const announced = await floor.api.rows(
      `SELECT name, body FROM platform.outbox WHERE body ->> 'reservationId' = $1`,
      [reservationId],
    );
    expect(announced).toEqual([
      {
        name: 'wms.reservation.changed',
        body: {
          reservationId,
          warehouseId: floor.warehouse.id,
          skuId: sku.id,
          lotId: null,
          source,
          change: 'reserved',
          status: 'active',
          units: 600,
          fulfilledUnits: 0,
          shortUnits: 0,
        },
      },
    ]);
  });

  describe('takes first', () => {
    it.each([
      ['fifo', ['old 50', 'soon 10']],
      ['fefo', ['soon 50', 'old 10']],
      ['lifo', ['never 50', 'soon 10']],
    ])('by %s: %p', async (strategy, expected) => {
      const sku = await floor.sku();
      const lots = [
        await floor.lot(sku, { code: 'old', expiresOn: '2098-12-31', receivedAt: '2025-01-01T00:00:00Z' }),
        await floor.lot(sku, { code: 'soon', expiresOn: '2097-06-30', receivedAt: '2025-02-01T00:00:00Z' }),
        await floor.lot(sku, { code: 'never', receivedAt: '2025-03-01T00:00:00Z' }),
      ];
      await floor.put(lots.map((lot) => ({ lot, units: 50 })));
      const made = await floor.reserve(sku.id, 60, { strategy });
      expect(taken(made).sort()).toEqual([...expected].sort());
      expect(made.strategy).toBe(strategy);
    });

    it('what expires first, of goods that expire, whatever is asked for', async () => {
      const sku = await floor.sku({ expiryTracked: true });
      const late = await floor.lot(sku, { code: 'late', expiresOn: '2098-01-01', receivedAt: '2025-01-01T00:00:00Z' });
      const soon = await floor.lot(sku, { code: 'soon', expiresOn: '2097-01-01', receivedAt: '2025-02-01T00:00:00Z' });
      await floor.put([late, soon].map((lot) => ({ lot, units: 10 })));
      expect(await floor.reserve(sku.id, 5, { strategy: 'fifo' })).toMatchObject({
        strategy: 'fefo',
        allocations: [{ lot: 'soon', units: 5 }],
      });
    });

    it('whole cartons, and from few places', async () => {
      const lot = await floor.lot();
      const [small, large] = [await floor.bin(), await floor.bin()];
      await floor.put([
        { lot, units: 90, place: small },
        { lot, units: 180, place: large },
      ]);
      expect((await floor.reserve(lot.skuId, 120)).allocations.map((one) => one.locationId)).toEqual([large]);
    });
  });

  describe('never takes', () => {
    it.each(['staging', 'dock'])('what stands in a place of type %s', async (type) => {
      const lot = await floor.lot();
      await floor.put([{ lot, units: 10, place: await floor.bin({ type, isPickable: false }) }]);
      expect(await attempt(floor.reservation(lot.skuId, 1))).toBe('409 insufficient-stock');
    });

    it.each(['quarantine', 'damaged'] as const)('what is %s', async (status) => {
      const lot = await floor.lot();
      await floor.put([{ lot, units: 10, status }]);
      expect(await attempt(floor.reservation(lot.skuId, 1))).toBe('409 insufficient-stock');
    });

    it.each(['hold', 'quarantine', 'expired', 'recalled'])(
      'a lot that is %s, nor when it is asked for',
      async (status) => {
        const lot = await floor.lot(undefined, { status });
        await floor.put([{ lot, units: 10 }]);
        expect(await attempt(floor.reservation(lot.skuId, 1))).toBe('409 insufficient-stock');
        expect(await attempt(floor.reservation(lot.skuId, 1, { lot: lot.code }))).toBe('409 lot-blocked');
      },
    );

    it('a lot that will not be good on the day, or not for long enough', async () => {
      const sku = await floor.sku({ minShelfLifeDays: 30 });
      const lot = await floor.lot(sku, { expiresOn: '2099-07-30' });
      await floor.put([{ lot, units: 10 }]);
      const on = (neededOn: string, details: object = {}) =>
        attempt(floor.reservation(sku.id, 1, { neededOn, ...details }));
      expect(await on('2099-06-30')).toBe('201');
      expect(await on('2099-07-01')).toBe('409 insufficient-stock');
      expect(await on('2099-07-01', { minShelfLifeDays: 29 })).toBe('201');
      expect(await on('2099-07-30', { minShelfLifeDays: 0 })).toBe('201');
      expect(await on('2099-07-31', { minShelfLifeDays: 0 })).toBe('409 insufficient-stock');
    });

    it('a lot that has expired', async () => {
      const lot = await floor.stocked(10, { expiresOn: '2025-01-01' });
      expect(await attempt(floor.reservation(lot.skuId, 1))).toBe('409 insufficient-stock');
    });

    it('another lot than the one it is for, nor stock of another warehouse', async () => {
      const sku = await floor.sku();
      const [one, other] = [await floor.lot(sku, { code: 'one' }), await floor.lot(sku, { code: 'other' })];
      await floor.put([
        { lot: one, units: 10 },
        { lot: other, units: 10 },
      ]);
      expect(taken(await floor.reserve(sku.id, 10, { lot: 'OTHER' }))).toEqual(['other 10']);
      expect(await attempt(floor.reservation(sku.id, 1, { lot: other.id }))).toBe('409 insufficient-stock');
      const elsewhere = await floor.another();
      expect(await attempt(elsewhere.reservation(sku.id, 1))).toBe('409 insufficient-stock');
    });
  });

  it('is of everything or of nothing, and says what there is', async () => {
    const lot = await floor.stocked(540);
    await floor.reserve(lot.skuId, 60);
    const { sku } = lot;
    expect(await problemOf(floor.admin, 'POST', path, floor.reservation(sku, 481))).toEqual({
      status: 409,
      code: 'insufficient-stock',
      errors: [
        {
          line: 1,
          sku,
          lot: null,
          location: null,
          stockStatus: null,
          requestedUnits: 481,
          onHand: 540,
          reserved: 60,
          available: 480,
          pointer: '#/units',
          detail: '481 units were asked for, 480 are available',
        },
      ],
    });
    expect(await floor.stock(lot)).toEqual({ onHand: 540, reserved: 60 });
    expect((await floor.reserve(sku, 480)).shortUnits).toBe(0);
  });

  it('may be of a part, and the rest waits until there is more', async () => {
    const lot = await floor.stocked(100);
    const made = await floor.reserve(lot.skuId, 250, { policy: 'allow_partial' });
    expect(made).toMatchObject({ status: 'active', units: 250, shortUnits: 150, allocations: [{ units: 100 }] });
    expect(await act('allocate', made)).toMatchObject({ shortUnits: 150, rowVersion: made.rowVersion });

    await floor.put([{ lot, units: 60 }]);
    const all = { policy: 'all_or_nothing' };
    expect(await outcome(keyed(floor.admin), 'POST', `${path}/${made.id}/allocate`, all)).toBe(
      '409 insufficient-stock',
    );
    expect(await act('allocate', made)).toMatchObject({ shortUnits: 90, allocations: [{ units: 160 }] });
    await floor.put([{ lot, units: 100, place: await floor.bin() }]);
    expect(await act('allocate', made, all)).toMatchObject({ shortUnits: 0 });
    expect(await floor.stock(lot)).toEqual({ onHand: 260, reserved: 250 });
    expect((await facts(made)).map(({ change, short }) => `${change} ${short}`)).toEqual([
      'reserved 150',
      'allocated 90',
      'allocated 0',
    ]);
  });

  it('may be of nothing yet', async () => {
    const sku = await floor.sku();
    expect(await floor.reserve(sku.id, 5, { policy: 'allow_partial' })).toMatchObject({
      shortUnits: 5,
      allocations: [],
    });
  });

  it('is one for each line of an order, as long as it is open', async () => {
    const lot = await floor.stocked(100);
    const source = { type: 'order', id: fresh('SO'), line: '1' };
    const body = floor.reservation(lot.skuId, 10, { source });
    const ends = await Promise.all(Array.from({ length: 8 }, () => attempt(body)));
    expect(ends.toSorted()).toEqual(['201', ...Array.from({ length: 7 }, () => '409 source-line-reserved')]);
    expect(await attempt({ ...body, source: { ...source, line: '2' } })).toBe('201');
    const { items } = await floor.admin.get(`${path}?sourceType=order&sourceId=${source.id}`, 200, list);
    const [first] = items.filter((one) => one.source.line === '1');
    if (first) await act('release', first);
    expect(await attempt(body)).toBe('201');
    expect(await floor.stock(lot)).toEqual({ onHand: 100, reserved: 20 });
  });

  it('is made once, however often the request is sent', async () => {
    const lot = await floor.stocked(100);
    const body = floor.reservation(lot.skuId, 10);
    expect(await outcome(floor.admin, 'POST', path, body)).toBe('400 idempotency-key-required');
    const same = keyed(floor.admin);
    const answers = await Promise.all(Array.from({ length: 5 }, () => same.post(path, body, 201, reservationView)));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(await outcome(same, 'POST', path, { ...body, units: 11 })).toBe('422 idempotency-key-reused');
    expect(await floor.stock(lot)).toEqual({ onHand: 100, reserved: 10 });
  });

  it('is given back, once', async () => {
    const lot = await floor.stocked(100);
    const made = await floor.reserve(lot.skuId, 70);
    expect(await act('release', made)).toMatchObject({ status: 'released', shortUnits: 0, allocations: [] });
    expect(await floor.stock(lot)).toEqual({ onHand: 100, reserved: 0 });
    expect(await act('release', made)).toMatchObject({ status: 'released' });
    expect((await facts(made)).map(({ change }) => change)).toEqual(['reserved', 'released']);
    for (const verb of ['allocate', 'fulfil']) {
      const answer = await outcome(keyed(floor.admin), 'POST', `${path}/${made.id}/${verb}`, {
        ...(verb === 'fulfil' && { reference: 'R' }),
      });
      expect(answer).toBe('409 reservation-not-open');
    }
  });

  describe('is fulfilled', () => {
    it('by a shipment of what was promised, in parts or whole', async () => {
      const lot = await floor.stocked(1020);
      const made = await floor.reserve(lot.skuId, 600);
      const movement = await fulfil(made, { units: 240 });
      expect(movement).toMatchObject({
        kind: 'SHIP',
        reference: 'FBA-77',
        lines: [{ lot: lot.code, units: -240, cartons: 4, looseUnits: 0 }],
      });
      expect(await floor.stock(lot)).toEqual({ onHand: 780, reserved: 360 });
      expect(await read(made)).toMatchObject({
        status: 'partially_fulfilled',
        fulfilledUnits: 240,
        allocations: [{ units: 600, fulfilledUnits: 240 }],
      });
      expect(await fulfil(made)).toMatchObject({ lines: [{ units: -360 }] });
      expect(await floor.stock(lot)).toEqual({ onHand: 420, reserved: 0 });
      expect(await read(made)).toMatchObject({ status: 'fulfilled', fulfilledUnits: 600, shortUnits: 0 });
      expect((await facts(made)).map(({ change, status, units }) => `${change} ${status} ${units}`)).toEqual([
        'reserved active 0',
        'fulfilled partially_fulfilled 240',
        'fulfilled fulfilled 600',
      ]);
      expect(await outcome(keyed(floor.admin), 'POST', `${path}/${made.id}/fulfil`, { reference: 'R' })).toBe(
        '409 reservation-not-open',
      );
    });

    it('never by more than was promised, and then by nothing', async () => {
      const lot = await floor.stocked(100);
      const made = await floor.reserve(lot.skuId, 150, { policy: 'allow_partial' });
      const more = await problemOf(floor.admin, 'POST', `${path}/${made.id}/fulfil`, { reference: 'R', units: 101 });
      expect(more).toMatchObject({
        code: 'insufficient-stock',
        errors: [{ line: 1, requestedUnits: 101, available: 100 }],
      });
      expect(await floor.stock(lot)).toEqual({ onHand: 100, reserved: 100 });
      await fulfil(made);
      expect(await read(made)).toMatchObject({ status: 'partially_fulfilled', fulfilledUnits: 100, shortUnits: 50 });
      expect(await problemOf(floor.admin, 'POST', `${path}/${made.id}/fulfil`, { reference: 'R' })).toMatchObject({
        code: 'insufficient-stock',
      });
    });

    it('with stock to which nobody else can help himself', async () => {
      const lot = await floor.stocked(100);
      const made = await floor.reserve(lot.skuId, 80);
      const ship = (units: number, line: object) =>
        outcome(keyed(floor.admin), 'POST', '/api/wms/movements/ship', {
          warehouse: floor.warehouse.code,
          reference: 'R',
          lines: [{ looseUnits: units, ...line }],
        });
      const named = { sku: lot.sku, lot: lot.code, location: 'DEFAULT' };
      expect(await ship(21, named)).toBe('409 insufficient-stock');
      expect(await ship(21, { sku: lot.sku })).toBe('409 insufficient-stock');
      expect(await ship(20, named)).toBe('201');
      expect(await fulfil(made)).toMatchObject({ lines: [{ units: -80 }] });
    });

    it('as a line of a larger shipment too', async () => {
      const lot = await floor.stocked(100);
      const made = await floor.reserve(lot.skuId, 30);
      const body = {
        warehouse: floor.warehouse.code,
        reference: 'R',
        lines: [
          { reservation: made.id, looseUnits: 10 },
          { reservation: made.id, looseUnits: 20 },
          { sku: lot.sku, looseUnits: 5 },
        ],
      };
      await keyed(floor.admin).post('/api/wms/movements/ship', body, 201);
      expect(await read(made)).toMatchObject({ status: 'fulfilled', fulfilledUnits: 30 });
      expect(await floor.stock(lot)).toEqual({ onHand: 65, reserved: 0 });
    });

    it('once, however often the request is sent', async () => {
      const lot = await floor.stocked(100);
      const made = await floor.reserve(lot.skuId, 30);
      const same = keyed(floor.admin);
      const send = () => same.post(`${path}/${made.id}/fulfil`, { reference: 'R' }, 201, postedMovementView);
      const answers = await Promise.all([send(), send(), send()]);
      expect(new Set(answers.map(({ number }) => number)).size).toBe(1);
      expect(await floor.stock(lot)).toEqual({ onHand: 70, reserved: 0 });
    });

    it('never out of a lot that has been blocked', async () => {
      const lot = await floor.stocked(100);
      const made = await floor.reserve(lot.skuId, 30);
      await block(lot, 'hold');
      const answer = await outcome(keyed(floor.admin), 'POST', `${path}/${made.id}/fulfil`, { reference: 'R' });
      expect(answer).toBe('409 insufficient-stock');
      expect(await floor.stock(lot)).toEqual({ onHand: 100, reserved: 0 });
    });
  });

  describe('of a lot that is blocked', () => {
    it.each(['hold', 'quarantine', 'recalled'])('on %s is promised others instead', async (status) => {
      const sku = await floor.sku();
      const first = await floor.lot(sku, { code: 'first', receivedAt: '2025-01-01T00:00:00Z' });
      const second = await floor.lot(sku, { code: 'second', receivedAt: '2025-02-01T00:00:00Z' });
      await floor.put([
        { lot: first, units: 100 },
        { lot: second, units: 70 },
      ]);
      const one = await floor.reserve(sku.id, 50);
      const bound = await floor.reserve(sku.id, 10, { lot: 'first' });
      const two = await floor.reserve(sku.id, 60);
      expect(taken(two)).toEqual(['first 40', 'second 20']);
      await fulfil(one, { units: 20 });

      await block(first, status);
      expect(await read(one)).toMatchObject({
        status: 'partially_fulfilled',
        fulfilledUnits: 20,
        shortUnits: 0,
        allocations: [
          { lot: 'first', units: 20, fulfilledUnits: 20 },
          { lot: 'second', units: 30, fulfilledUnits: 0 },
        ],
      });
      expect(await read(bound)).toMatchObject({ status: 'active', shortUnits: 10, allocations: [] });
      expect(await read(two)).toMatchObject({ shortUnits: 20, allocations: [{ lot: 'second', units: 40 }] });
      expect(await floor.stock(first)).toEqual({ onHand: 80, reserved: 0 });
      expect(await floor.stock(second)).toEqual({ onHand: 70, reserved: 70 });
      expect((await facts(two)).map(({ change, short }) => `${change} ${short}`)).toEqual([
        'reserved 0',
        'withdrawn 40',
        'allocated 20',
      ]);
      expect(await facts(bound)).toMatchObject([{ change: 'reserved' }, { change: 'withdrawn', short: '10' }]);

      await block(first, 'available');
      expect(await act('allocate', bound)).toMatchObject({ shortUnits: 0, allocations: [{ lot: 'first', units: 10 }] });
    });

    it('is never promised it again by somebody who was faster', async () => {
      const sku = await floor.sku();
      const lot = await floor.lot(sku);
      await floor.put([{ lot, units: 1000 }]);
      const many = Array.from({ length: 30 }, () => attempt(floor.reservation(sku.id, 10)));
      const [ends] = await Promise.all([Promise.all(many), block(lot, 'recalled')]);
      expect(new Set(ends)).not.toContain('500 internal-error');
      expect(await floor.stock(lot)).toEqual({ onHand: 1000, reserved: 0 });
    });
  });

  it.each([
    ['a SKU that is none', { sku: 'NOBODY' }, '422 invalid-request'],
    ['a lot that is none', { lot: 'NOBODY' }, '422 invalid-request'],
    ['a warehouse that is none', { warehouse: 'NOBODY' }, '404 warehouse-not-found'],
    ['no units', { units: 0 }, '422 invalid-request'],
    ['part of a unit', { units: 1.5 }, '422 invalid-request'],
    ['more units than JSON can say', { units: 2 ** 53 }, '422 invalid-request'],
    ['as many units as JSON can say', { units: 2 ** 53 - 1 }, '409 insufficient-stock'],
    ['a day that is past', { neededOn: '2025-01-01' }, '422 invalid-request'],
    ['an end that is past', { expiresAt: '2025-01-01T00:00:00Z' }, '422 invalid-request'],
    ['a source without a line', { source: { type: 'order', id: '1' } }, '422 invalid-request'],
    ['a strategy that is none', { strategy: 'random' }, '422 invalid-request'],
    ['a field that nobody knows', { force: true }, '422 invalid-request'],
  ])('is refused for %s', async (_, details, answer) => {
    const lot = await floor.stocked(10);
    expect(await attempt(floor.reservation(lot.sku, 1, details))).toBe(answer);
  });

  it('is refused for goods or a warehouse that are no longer in use', async () => {
    const sku = await floor.sku();
    await floor.admin.withHeaders(ifMatch(sku.rowVersion)).patch(`/api/wms/skus/${sku.id}`, { isActive: false });
    expect(await attempt(floor.reservation(sku.id, 1, { policy: 'allow_partial' }))).toBe('409 inactive-master-data');
    const closed = await floor.another();
    const { id, rowVersion } = closed.warehouse;
    await floor.admin.withHeaders(ifMatch(rowVersion)).patch(`/api/wms/warehouses/${id}`, { isActive: false });
    expect(await attempt(closed.reservation((await floor.sku()).id, 1))).toBe('409 inactive-master-data');
  });

  it('is listed with others, newest first, by what it is and where', async () => {
    const place = await floor.another();
    const lot = await place.stocked(100);
    const made: string[] = [];
    for (let n = 0; n < 5; n += 1) made.unshift((await place.reserve(lot.skuId, 1)).id);
    const seen: string[] = [];
    let cursor = '';
    do {
      const { items, next } = await floor.admin.get(
        `${path}?warehouse=${place.warehouse.code}&limit=2${cursor}`,
        200,
        list,
      );
      seen.push(...items.map(({ id }) => id));
      cursor = next === null ? '' : `&cursor=${next}`;
    } while (cursor !== '');
    expect(seen).toEqual(made);

    const [last] = (await floor.admin.get(`${path}?warehouse=${place.warehouse.id}&sku=${lot.sku}`, 200, list)).items;
    if (last) await act('release', last);
    const count = async (query: string) =>
      (await floor.admin.get(`${path}?warehouse=${place.warehouse.id}&${query}`, 200, list)).items.length;
    expect([await count('status=open'), await count('status=released'), await count('status=active')]).toEqual([
      4, 1, 4,
    ]);
    expect(await outcome(floor.admin, 'GET', `${path}?status=gone`)).toBe('422 invalid-request');
    expect(await outcome(floor.admin, 'GET', `${path}?limit=201`)).toBe('422 invalid-request');
    expect(await outcome(floor.admin, 'GET', `${path}?cursor=x`)).toBe('422 invalid-request');
  });

  describe('of another site', () => {
    let theirs: ReservationView;
    let stranger: TestApi;
    let reader: TestApi;
    beforeAll(async () => {
      const lot = await floor.stocked(10);
      theirs = await floor.reserve(lot.skuId, 1);
      stranger = await newHolder(floor.api, floor.admin, 'admin', (await newSite(floor.admin)).id);
      reader = await newHolder(floor.api, floor.admin, 'viewer', floor.warehouse.siteId);
    });

    it('is not there, 14: users without grants see nothing', async () => {
      expect((await stranger.get(path, 200, list)).items).toEqual([]);
      expect(await outcome(stranger, 'GET', `${path}?warehouse=${floor.warehouse.code}`)).toBe(
        '404 warehouse-not-found',
      );
      expect(await outcome(stranger, 'GET', `${path}/${theirs.id}`)).toBe('404 reservation-not-found');
      expect(await attempt(floor.reservation(theirs.sku, 1), stranger)).toBe('404 warehouse-not-found');
      for (const verb of ['allocate', 'release', 'fulfil']) {
        const body = verb === 'fulfil' ? { reference: 'R' } : {};
        expect(
          await outcome(keyed(stranger), 'POST', `${path}/${theirs.id}/${verb}`, verb === 'release' ? undefined : body),
        ).toBe('404 reservation-not-found');
      }
      expect(await outcome(floor.admin, 'GET', `${path}/${randomUUIDv7()}`)).toBe('404 reservation-not-found');
    });

    it('is read and not written by who may only read', async () => {
      expect(await outcome(reader, 'GET', `${path}/${theirs.id}`)).toBe('200');
      expect(await attempt(floor.reservation(theirs.sku, 1), reader)).toBe('403 permission-missing');
      expect(await outcome(keyed(reader), 'POST', `${path}/${theirs.id}/release`)).toBe('403 permission-missing');
      const elsewhere = await floor.another();
      const both = await floor.api.as('viewer');
      expect((await both.get(path, 200, list)).items.length).toBeGreaterThan(0);
      expect(await attempt(elsewhere.reservation(theirs.sku, 1), both)).toBe('403 permission-missing');
    });

    it('is written there by who works there', async () => {
      const worker = await newHolder(floor.api, floor.admin, 'warehouse', floor.warehouse.siteId);
      const lot = await floor.stocked(10);
      const made = await keyed(worker).post(path, floor.reservation(lot.sku, 4), 201, reservationView);
      await keyed(worker).post(`${path}/${made.id}/fulfil`, { reference: 'R' }, 201, postedMovementView);
      expect(await floor.stock(lot)).toEqual({ onHand: 6, reserved: 0 });
    });
  });
});
