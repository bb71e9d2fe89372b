import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { listOf } from '@belay/platform';
import {
  ledgerLine,
  lotTrace,
  stockView,
  type LedgerLine,
  type LotView,
  type SkuView,
  type StockView,
} from '@belay/wms';
import fc from 'fast-check';
import { fresh, newHolder, newSite, outcome } from '../support/people.js';
import type { TestApi } from '../support/test-api.js';
import { Floor, keyed } from './floor.js';

const stockPage = listOf(stockView);
const ledgerPage = listOf(ledgerLine);

describe('stock', () => {
  let floor: Floor;
  beforeAll(async () => {
    floor = await Floor.open();
  });
  afterAll(() => floor.close());

  const query = (filter: object) => new URLSearchParams(Object.entries(filter)).toString();
  const stock = async (filter: object, by: TestApi = floor.admin): Promise<StockView[]> =>
    (await by.get(`/api/wms/stock?${query(filter)}`, 200, stockPage)).items;
  const ledger = async (filter: object, by: TestApi = floor.admin): Promise<LedgerLine[]> =>
    (await by.get(`/api/wms/inventory-transactions?${query(filter)}`, 200, ledgerPage)).items;
  /** Every page, one after the other. */
  const pages = async (filter: object, limit: number): Promise<StockView[]> => {
    const seen: StockView[] = [];
    let cursor: object = {};
    for (;;) {
      const { items, next } = await floor.admin.get(
        `/api/wms/stock?${query({ ...filter, limit, ...cursor })}`,
        200,
        stockPage,
      );
      seen.push(...items);
      if (next === null) return seen;
      cursor = { cursor: next };
    }
  };
  const units = async (lot: LotView, filter: object) =>
    (await stock({ lot: lot.id, ...filter })).reduce((sum, { onHand }) => sum + onHand, 0);

  it('is shown bucket by bucket, with what is promised and how it is packed', async () => {
    const sku = await floor.sku({ code: 'CS 010' });
    const lot = await floor.lot(sku, {
      code: 'A/B',
      unitsPerCarton: 52,
      expiresOn: '2099-01-31',
      receivedAt: '2025-01-06T09:30:00Z',
    });
    await floor.put([
      { lot, units: 1020 },
      { lot, units: 3, status: 'quarantine' },
    ]);
    await floor.reserve(sku.id, 600);
    const common = {
      warehouse: floor.warehouse.code,
      warehouseId: floor.warehouse.id,
      sku: 'CS 010',
      skuId: sku.id,
      lot: 'A/B',
      lotId: lot.id,
      location: 'DEFAULT',
      locationId: floor.place,
      expiresOn: '2099-01-31',
      firstReceivedAt: '2025-01-06T09:30:00.000Z',
      lastCountedAt: null,
    };
    expect(await stock({ sku: 'cs 010' })).toEqual([
      { ...common, stockStatus: 'available', onHand: 1020, reserved: 600, available: 420, cartons: 19, looseUnits: 32 },
      { ...common, stockStatus: 'quarantine', onHand: 3, reserved: 0, available: 3, cartons: 0, looseUnits: 3 },
    ]);
  });

  describe('of many kinds', () => {
    let place: Floor;
    let skus: SkuView[];
    let lots: LotView[];
    let bins: string[];
    beforeAll(async () => {
      place = await floor.another();
      const tag = fresh('M');
      skus = [await floor.sku({ code: `b ${tag}` }), await floor.sku({ code: `A ${tag}` })];
      const codes = [
        [skus[0], 'L1'],
        [skus[0], 'l2'],
        [skus[1], 'L1'],
      ] as const;
      lots = [];
      for (const [sku, code] of codes) lots.push(await place.lot(sku, { code }));
      bins = [place.place, await place.bin({ code: 'B-1' })];
      await place.put(
        lots.flatMap((lot, n) =>
          bins.flatMap((bin, m) => [
            { lot, units: 100 + n * 10 + m, place: bin },
            { lot, units: 1 + n, place: bin, status: 'damaged' as const },
          ]),
        ),
      );
    });

    const here = () => ({ warehouse: place.warehouse.code });
    const names = (rows: StockView[]) =>
      rows.map(
        (row) =>
          `${(row.sku ?? '').slice(0, 1)} ${row.lot ?? ''} ${row.location ?? ''} ${row.stockStatus} ${row.onHand}`,
      );

    it('is sorted by SKU, lot and location, whatever their case', async () => {
      expect(names(await stock(here()))).toEqual([
        'A L1 B-1 available 121',
        'A L1 B-1 damaged 3',
        'A L1 DEFAULT available 120',
        'A L1 DEFAULT damaged 3',
        'b L1 B-1 available 101',
        'b L1 B-1 damaged 1',
        'b L1 DEFAULT available 100',
        'b L1 DEFAULT damaged 1',
        'b l2 B-1 available 111',
        'b l2 B-1 damaged 2',
        'b l2 DEFAULT available 110',
        'b l2 DEFAULT damaged 2',
      ]);
    });

    it.each([
      [
        'lot',
        [
          'A L1  available 241',
          'A L1  damaged 6',
          'b L1  available 201',
          'b L1  damaged 2',
          'b l2  available 221',
          'b l2  damaged 4',
        ],
      ],
      ['sku', ['A   available 241', 'A   damaged 6', 'b   available 422', 'b   damaged 6']],
      ['location', ['  B-1 available 333', '  B-1 damaged 6', '  DEFAULT available 330', '  DEFAULT damaged 6']],
      ['warehouse', ['   available 663', '   damaged 12']],
    ])('is summed by %s, now and in the past', async (groupBy, expected) => {
      expect(names(await stock({ ...here(), groupBy }))).toEqual(expected);
      expect(names(await stock({ ...here(), groupBy, asOf: '2099-01-01' }))).toEqual(expected);
      for (const limit of [1, 2, 3]) expect(names(await pages({ ...here(), groupBy }, limit))).toEqual(expected);
    });

    it.each([
      ['SKU', () => ({ sku: skus[1]?.code }), 4],
      ['lot by its code', () => ({ sku: skus[0]?.id, lot: 'L2' }), 4],
      ['lot by its id', () => ({ lot: lots[0]?.id }), 4],
      ['location', () => ({ location: 'b-1' }), 6],
      ['location by its id', () => ({ location: bins[0] }), 6],
      ['status', () => ({ status: 'damaged' }), 6],
      ['status and location', () => ({ status: 'available', location: 'B-1' }), 3],
      ['lot of another SKU', () => ({ sku: skus[1]?.id, lot: lots[0]?.id }), 0],
      ['SKU that is none', () => ({ sku: 'NOBODY' }), 0],
    ])('is narrowed by %s, now and in the past', async (_, filter, rows) => {
      for (const asOf of [{}, { asOf: '2099-01-01' }]) {
        expect(await stock({ ...here(), ...filter(), ...asOf })).toHaveLength(rows);
        const sums = await stock({ ...here(), ...filter(), ...asOf, groupBy: 'warehouse' });
        const all = await stock({ ...here(), ...filter(), ...asOf });
        const total = (list: StockView[]) => list.reduce((sum, { onHand }) => sum + onHand, 0);
        expect(total(sums)).toBe(total(all));
        expect(total(await stock({ ...here(), ...filter(), ...asOf, groupBy: 'location' }))).toBe(total(all));
      }
    });

    it('is paged without skipping or repeating a bucket, while others come and go', async () => {
      const seen: string[] = [];
      let cursor: object = {};
      let added = 0;
      for (;;) {
        const { items, next } = await floor.admin.get(
          `/api/wms/stock?${query({ ...here(), limit: 5, ...cursor })}`,
          200,
          stockPage,
        );
        seen.push(...items.map((row) => JSON.stringify([row.lotId, row.locationId, row.stockStatus])));
        if (next === null) break;
        cursor = { cursor: next };
        for (const code of ['0', 'M', 'Z']) {
          const lot = await place.lot(skus[0], { code: `${code}${(added += 1)}` });
          await place.put([{ lot, units: 1 }]);
        }
      }
      expect(new Set(seen).size).toBe(seen.length);
      const begun = (await stock({ ...here(), limit: 200 })).filter(({ onHand }) => onHand > 1 || lots.length === 0);
      expect(
        begun.filter((row) => !seen.includes(JSON.stringify([row.lotId, row.locationId, row.stockStatus]))),
      ).toEqual([]);
    });
  });

  it('that is gone is not shown, and is in the past', async () => {
    const lot = await floor.lot();
    await floor.put([{ lot, units: 5 }], '2025-01-01T12:00:00Z');
    await floor.put([{ lot, units: -5 }], '2025-02-01T12:00:00Z');
    expect(await stock({ lot: lot.id })).toEqual([]);
    expect(await stock({ lot: lot.id, asOf: '2025-01-31' })).toMatchObject([
      { onHand: 5, reserved: null, available: null },
    ]);
  });

  describe('as it was', () => {
    it('at the end of a day in the time of the warehouse, in summer and in winter, 22: no day in the time of the server', async () => {
      const lot = await floor.lot();
      for (const at of [
        '2025-03-31T22:59:59.999999Z',
        '2025-03-31T23:00:00Z',
        '2025-10-27T23:59:59.5Z',
        '2025-10-28T00:00:00Z',
      ]) {
        await floor.put([{ lot, units: 1 }], at);
      }
      const days = ['2025-03-30', '2025-03-31', '2025-04-01', '2025-10-26', '2025-10-27', '2025-10-28'];
      const found: number[] = [];
      for (const asOf of days) found.push(await units(lot, { asOf }));
      expect(found).toEqual([0, 1, 2, 2, 3, 4]);
    });

    it('in several warehouses, each in its own time', async () => {
      const newYork = await floor.another({ timezone: 'America/New_York' });
      const lot = await floor.lot();
      await floor.put([{ lot, units: 7 }], '2025-07-01T02:00:00Z');
      await newYork.put([{ lot, units: 9 }], '2025-07-01T02:00:00Z');
      expect((await stock({ lot: lot.id, asOf: '2025-06-30' })).map((row) => [row.warehouse, row.onHand])).toEqual([
        [newYork.warehouse.code, 9],
      ]);
      expect(await units(lot, { asOf: '2025-07-01' })).toBe(16);
    });

    it('at an instant, which counts itself, whatever its offset', async () => {
      const lot = await floor.lot();
      await floor.put([{ lot, units: 5 }], '2025-06-30T12:00:00Z');
      expect(await units(lot, { asOf: '2025-06-30T11:59:59.999Z' })).toBe(0);
      expect(await units(lot, { asOf: '2025-06-30T12:00:00Z' })).toBe(5);
      expect(await units(lot, { asOf: '2025-06-30T13:00:00+01:00' })).toBe(5);
    });

    it('and as it was known then', async () => {
      const lot = await floor.lot();
      const known: string[] = [];
      for (const step of [10, -4, 20]) {
        await floor.put([{ lot, units: step }], '2025-05-01T12:00:00Z');
        const [row] = await floor.api.rows<{ at: string }>(
          `SELECT to_char(max(recorded_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at
           FROM wms.wms_inventory_transaction WHERE lot_id = $1`,
          [lot.id],
        );
        known.push(row?.at ?? '');
      }
      const found: number[] = [];
      for (const knownAt of known) found.push(await units(lot, { knownAt }));
      expect(found).toEqual([10, 6, 26]);
      expect(await units(lot, { asOf: '2025-05-01', knownAt: known[0] })).toBe(10);
      expect(await units(lot, { asOf: '2025-04-30', knownAt: known[2] })).toBe(0);
      expect(await units(lot, { knownAt: '2025-05-02T00:00:00Z' })).toBe(0);
    });

    it('is what the ledger adds up to, for any history and however it is asked', async () => {
      const place = await floor.another();
      const sku = await floor.sku();
      const bin = await place.bin();
      const moves = fc.array(
        fc.record({
          lot: fc.integer({ min: 0, max: 2 }),
          place: fc.constantFrom(place.place, bin),
          day: fc.integer({ min: 1, max: 28 }),
          units: fc.integer({ min: -20, max: 40 }).filter((n) => n !== 0),
        }),
        { minLength: 1, maxLength: 25 },
      );
      await fc.assert(
        fc.asyncProperty(moves, fc.integer({ min: 1, max: 28 }), async (steps, asked) => {
          const lots = [await place.lot(sku), await place.lot(sku), await place.lot(sku)];
          const kept: { key: string; day: number; units: number }[] = [];
          for (const step of steps) {
            const lot = lots[step.lot];
            if (!lot) continue;
            const key = `${lot.id} ${step.place}`;
            const line = { key, day: step.day, units: step.units };
            const history = [...kept, line]
              .filter((one) => one.key === key)
              .toSorted((one, other) => one.day - other.day);
            let balance = 0;
            if (!history.every((one) => (balance += one.units) >= 0)) continue;
            kept.push(line);
            await place.put(
              [{ lot, units: step.units, place: step.place }],
              `2025-02-${String(step.day).padStart(2, '0')}T12:00:00Z`,
            );
          }
          const asOf = `2025-02-${String(asked).padStart(2, '0')}`;
          const rows = (
            await Promise.all(lots.map((lot) => stock({ warehouse: place.warehouse.id, lot: lot.id, asOf })))
          ).flat();
          const found = Object.fromEntries(
            rows.map((row) => [`${row.lotId ?? ''} ${row.locationId ?? ''}`, row.onHand]),
          );
          const expected: Record<string, number> = {};
          for (const { key, day, units: some } of kept) if (day <= asked) expected[key] = (expected[key] ?? 0) + some;
          expect(found).toEqual(Object.fromEntries(Object.entries(expected).filter(([, some]) => some > 0)));
        }),
        { numRuns: 15 },
      );
    });
  });

  it.each([
    ['a warehouse that is none', { warehouse: 'NOBODY' }, '404 warehouse-not-found'],
    ['a lot by its code without a SKU', { lot: 'L1' }, '422 invalid-request'],
    ['a day that is none', { asOf: '2025-02-29' }, '422 invalid-request'],
    ['a time without a zone', { asOf: '2025-02-28T12:00:00' }, '422 invalid-request'],
    ['a status that is none', { status: 'lost' }, '422 invalid-request'],
    ['a grouping that is none', { groupBy: 'colour' }, '422 invalid-request'],
    ['no rows', { limit: '0' }, '422 invalid-request'],
    ['200 rows', { limit: '200' }, '200'],
    ['201 rows', { limit: '201' }, '422 invalid-request'],
    ['a cursor of another list', { cursor: 'WyJ4Il0' }, '422 invalid-request'],
    ['a filter that nobody knows', { colour: 'red' }, '422 invalid-request'],
  ])('asked for with %s answers %s', async (_, filter, answer) => {
    expect(await outcome(floor.admin, 'GET', `/api/wms/stock?${query(filter)}`)).toBe(answer);
  });

  describe('at other sites', () => {
    let stranger: TestApi;
    let local: TestApi;
    let mine: Floor;
    let lot: LotView;
    beforeAll(async () => {
      stranger = await newHolder(floor.api, floor.admin, 'viewer', (await newSite(floor.admin)).id);
      mine = await floor.another();
      local = await newHolder(floor.api, floor.admin, 'viewer', mine.warehouse.siteId);
      lot = await floor.lot();
      await floor.put([{ lot, units: 10 }]);
      await mine.put([{ lot, units: 4 }]);
    });

    it('is not seen, 14: no grant is no stock, and no warehouse is no way around it', async () => {
      expect(await stock({}, stranger)).toEqual([]);
      expect(await stock({ groupBy: 'warehouse' }, stranger)).toEqual([]);
      expect(await stock({ asOf: '2099-01-01' }, stranger)).toEqual([]);
      expect(await ledger({}, stranger)).toEqual([]);
      for (const filter of [{ warehouse: floor.warehouse.code }, { warehouse: floor.warehouse.id }]) {
        for (const list of ['stock', 'inventory-transactions']) {
          expect(await outcome(stranger, 'GET', `/api/wms/${list}?${query(filter)}`)).toBe('404 warehouse-not-found');
        }
      }
      expect(await stranger.get(`/api/wms/stock/lots/${lot.id}/trace`, 200, lotTrace)).toMatchObject({
        unitsIn: 0,
        onHand: 0,
        stock: [],
        items: [],
      });
    });

    it('is not seen beside what is', async () => {
      for (const groupBy of ['bucket', 'lot', 'sku', 'location', 'warehouse']) {
        const rows = await stock(
          { groupBy, ...(groupBy !== 'warehouse' && groupBy !== 'location' && { lot: lot.id }) },
          local,
        );
        expect(rows.map((row) => [row.warehouse, row.onHand])).toEqual([[mine.warehouse.code, 4]]);
        expect(await stock({ location: floor.place, groupBy }, local)).toEqual([]);
      }
      expect((await ledger({ lot: lot.id }, local)).map((row) => row.units)).toEqual([4]);
      const trace = await local.get(`/api/wms/stock/lots/${lot.id}/trace`, 200, lotTrace);
      expect([trace.unitsIn, trace.onHand, trace.items.length]).toEqual([4, 4, 1]);
    });
  });

  describe('in the ledger', () => {
    it('has the balance of its bucket behind each line, in the order in which things happened', async () => {
      const lot = await floor.lot();
      const bin = await floor.bin();
      await floor.put([{ lot, units: 100 }], '2025-01-01T12:00:00Z');
      await floor.put([{ lot, units: -30 }], '2025-03-01T12:00:00Z');
      await floor.put([{ lot, units: 7, place: bin }], '2025-03-01T12:00:00Z');
      await floor.put([{ lot, units: -20 }], '2025-02-01T12:00:00Z');
      const at = ({ effectiveAt, locationId, units: some, balance }: LedgerLine) =>
        [effectiveAt.slice(0, 10), locationId === bin ? 'bin' : 'default', some, balance] as const;
      expect((await ledger({ lot: lot.id })).map(at)).toEqual([
        ['2025-03-01', 'bin', 7, 7],
        ['2025-03-01', 'default', -30, 50],
        ['2025-02-01', 'default', -20, 80],
        ['2025-01-01', 'default', 100, 100],
      ]);
      expect((await ledger({ lot: lot.id, from: '2025-02-01T00:00:00Z', to: '2025-03-01T12:00:00Z' })).map(at)).toEqual(
        [['2025-02-01', 'default', -20, 80]],
      );
      expect((await ledger({ sku: lot.sku, location: bin })).map(at)).toEqual([['2025-03-01', 'bin', 7, 7]]);
    });

    it('is paged in the same order, whatever it is asked by', async () => {
      const place = await floor.another();
      const lots = [await floor.lot(), await floor.lot()];
      for (let n = 0; n < 11; n += 1) {
        // Some of one instant, so that only the number of the line tells them apart.
        const at = `2025-01-${String(10 + (n % 4)).padStart(2, '0')}T12:00:00Z`;
        await place.put(
          lots.map((lot) => ({ lot, units: n + 1 })),
          at,
        );
      }
      const all = await ledger({ warehouse: place.warehouse.code, limit: 200 });
      expect(all).toHaveLength(22);
      const key = ({ effectiveAt, seq }: LedgerLine) => `${effectiveAt} ${String(seq).padStart(12, '0')}`;
      expect(all.map(key)).toEqual(all.map(key).toSorted().toReversed());
      const filters = [
        {},
        { status: 'available' },
        { location: 'DEFAULT' },
        { sku: lots[0]?.sku ?? '' },
        { lot: lots[1]?.id ?? '' },
      ];
      for (const filter of filters) {
        const asked = { warehouse: place.warehouse.code, ...filter };
        const whole = await ledger({ ...asked, limit: 200 });
        const paged: LedgerLine[] = [];
        let cursor: object = {};
        for (;;) {
          const { items, next } = await floor.admin.get(
            `/api/wms/inventory-transactions?${query({ ...asked, limit: 3, ...cursor })}`,
            200,
            ledgerPage,
          );
          paged.push(...items);
          if (next === null) break;
          cursor = { cursor: next };
        }
        expect(paged).toEqual(whole);
        expect(whole.every((line) => all.some((one) => one.seq === line.seq && one.balance === line.balance))).toBe(
          true,
        );
      }
      expect(await ledger({ warehouse: place.warehouse.id, status: 'damaged' })).toEqual([]);
    });

    it('is found by its movement', async () => {
      const lots = [await floor.lot(), await floor.lot()];
      const movement = await floor.put(lots.map((lot) => ({ lot, units: 5 })));
      const lines = await ledger({ movement });
      expect(lines.map(({ lineNo, kind, balance }) => [lineNo, kind, balance])).toEqual([
        [2, 'OPENING', 5],
        [1, 'OPENING', 5],
      ]);
      expect(await ledger({ movement: randomUUIDv7() })).toEqual([]);
    });
  });

  describe('of a lot', () => {
    const trace = (lot: LotView, filter: object = {}) =>
      floor.admin.get(`/api/wms/stock/lots/${lot.id}/trace?${query(filter)}`, 200, lotTrace);
    const move = (kind: string, body: object) =>
      keyed(floor.admin).post(`/api/wms/movements/${kind}`, { warehouse: floor.warehouse.code, ...body }, 201);

    it('is traced from where it came to where it went, for a recall', async () => {
      const sku = await floor.sku({ code: fresh('T') });
      const lot = await floor.lot(sku, {
        code: 'R 1',
        expiresOn: '2099-05-05',
        storageCartonsPerPallet: 36,
        shippingCartonsPerPallet: 16,
      });
      const bin = await floor.bin({ code: fresh('T') });
      const [goods, to] = [{ sku: sku.code, lot: 'R 1' }, bin];
      await move('receive', {
        reference: 'CI-1',
        counterparty: 'Maker',
        lines: [{ ...goods, cartons: 10, location: 'DEFAULT' }],
      });
      await move('transfer', { lines: [{ ...goods, toLocation: to, looseUnits: 100 }] });
      await move('ship', {
        reference: 'SO-1',
        counterparty: 'Ann',
        lines: [{ ...goods, location: 'DEFAULT', looseUnits: 60 }],
      });
      await move('ship', {
        reference: 'SO-2',
        counterparty: 'Bob',
        lines: [{ ...goods, location: 'DEFAULT', looseUnits: 40 }],
      });
      const { id } = (
        await floor.api.rows<{ id: string }>(`SELECT id FROM wms.movement WHERE reference = 'SO-2'`)
      )[0] ?? { id: '' };
      await keyed(floor.admin).post(`/api/wms/movements/${id}/reverse`, {}, 201);
      const reservation = await floor.reserve(sku.id, 25);

      const found = await trace(lot);
      expect(found).toMatchObject({
        lot: 'R 1',
        sku: sku.code,
        status: 'available',
        expiresOn: '2099-05-05',
        unitsIn: 600,
        unitsOut: 60,
        onHand: 540,
        reserved: 25,
        reservations: [{ reservationId: reservation.id, source: reservation.source, units: 25 }],
      });
      expect(found.stock.map(({ locationId, onHand }) => [locationId, onHand]).toSorted()).toEqual(
        [
          [floor.place, 440],
          [bin, 100],
        ].toSorted(),
      );
      const steps = found.items.map((step) => [
        step.direction,
        step.reference,
        step.counterparty,
        step.units,
        step.reversedBy !== null,
      ]);
      expect(steps).toEqual([
        ['to', 'SO-2', 'Bob', 40, true],
        ['to', 'SO-1', 'Ann', 60, false],
        ['from', 'CI-1', 'Maker', 600, false],
      ]);
      expect((await trace(lot, { direction: 'from' })).items).toHaveLength(1);
      const first = await trace(lot, { direction: 'to', limit: 1 });
      expect([first.items.length, first.items[0]?.reference]).toEqual([1, 'SO-2']);
      const second = await trace(lot, { direction: 'to', limit: 1, cursor: first.next ?? '' });
      expect([second.items[0]?.reference, second.next]).toEqual(['SO-1', null]);
    });

    it('that is none is not traced', async () => {
      expect(await outcome(floor.admin, 'GET', `/api/wms/stock/lots/${randomUUIDv7()}/trace`)).toBe(
        '404 lot-not-found',
      );
      expect(await outcome(floor.admin, 'GET', '/api/wms/stock/lots/L1/trace')).toBe('422 invalid-request');
    });
  });

  it('is not written through what reads it, 6 and 11', async () => {
    for (const path of ['/api/wms/stock', `/api/wms/stock/lots/${randomUUIDv7()}/trace`]) {
      for (const method of ['PUT', 'DELETE', 'PATCH'] as const) {
        expect(await outcome(floor.admin, method, path, method === 'DELETE' ? undefined : {})).toBe(
          '405 method-not-allowed',
        );
      }
    }
    expect(await outcome(floor.admin, 'GET', '/api/wms/stock/lots')).toBe('404 not-found');
    expect(await outcome(floor.admin, 'DELETE', `/api/wms/inventory-transactions/1`)).toBe('405 immutable-ledger');
  });
});
