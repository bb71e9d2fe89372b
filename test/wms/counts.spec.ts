import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { listOf } from '@belay/platform';
import { countSummary, countView, stockView, type CountView, type LotView } from '@belay/wms';
import { newHolder, newSite, outcome } from '../support/people.js';
import { TestApi } from '../support/test-api.js';
import { Floor, keyed, problemOf } from './floor.js';

const path = '/api/wms/counts';
const list = listOf(countSummary);

describe('a count', () => {
  let floor: Floor;
  /** Somebody else than who starts counts. */
  let second: TestApi;
  beforeAll(async () => {
    floor = await Floor.open();
    second = await floor.api.as('admin');
  });
  afterAll(async () => {
    expect(await floor.disagreements()).toEqual([]);
    await floor.close();
  });

  const start = (details: object = {}) =>
    floor.admin.post(path, { warehouse: floor.warehouse.code, ...details }, 201, countView);
  const counted = ({ id }: { id: string }, lines: object[]) =>
    floor.admin.put(`${path}/${id}/lines`, { lines }, 200, countView);
  const post = ({ id }: { id: string }, body: object = {}, by = second) =>
    keyed(by).post(`${path}/${id}/post`, body, 200, countView);
  const posting = ({ id }: { id: string }, body: object = {}, by = second) =>
    outcome(keyed(by), 'POST', `${path}/${id}/post`, body);
  /** What there is of the lot, as a line of a count. */
  const found = (lot: LotView, looseUnits: number, details: object = {}) => ({
    sku: lot.sku,
    lot: lot.code,
    looseUnits,
    ...details,
  });
  const of = (lot: LotView, details: object = {}) => start({ skus: [lot.sku], ...details });
  const onHand = async (lot: LotView) => (await floor.stock(lot)).onHand;
  const lineOf = ({ lines }: CountView) => {
    const [line] = lines;
    if (!line) throw new Error('The count has no line');
    return line;
  };

  it('has a line for whatever is there, and keeps what was expected', async () => {
    const lot = await floor.lot(undefined, { code: 'A/B' });
    const bin = await floor.bin({ code: 'Z-9' });
    await floor.put([
      { lot, units: 100 },
      { lot, units: 7, place: bin, status: 'damaged' },
    ]);
    const made = await of(lot, { note: 'Yearly' });
    expect(made).toMatchObject({
      status: 'draft',
      note: 'Yearly',
      lineCount: 2,
      countedLineCount: 0,
      movementId: null,
    });
    expect(made.lines).toMatchObject([
      {
        location: 'DEFAULT',
        lot: 'A/B',
        stockStatus: 'available',
        expectedUnits: 100,
        countedUnits: null,
        differenceUnits: null,
      },
      { location: 'Z-9', lot: 'A/B', stockStatus: 'damaged', expectedUnits: 7 },
    ]);
    expect((await start({ locations: ['z-9'] })).lines).toMatchObject([{ location: 'Z-9', expectedUnits: 7 }]);
    expect((await start({ locations: [bin], skus: [(await floor.sku()).id] })).lines).toEqual([]);
  });

  it('makes stock what was counted', async () => {
    const lot = await floor.stocked(100);
    const made = await of(lot);
    const whole = await counted(made, [{ ...found(lot, 35), cartons: 1, note: 'one torn' }]);
    expect(whole).toMatchObject({ status: 'counted', countedLineCount: 1 });
    expect(lineOf(whole)).toMatchObject({ countedUnits: 95, differenceUnits: -5, note: 'one torn' });
    const posted = await post(made);
    expect(posted).toMatchObject({ status: 'posted' });
    expect(lineOf(posted)).toMatchObject({ expectedUnits: 100, movedUnits: 0, countedUnits: 95, differenceUnits: -5 });
    expect(await onHand(lot)).toBe(95);
    expect(
      await floor.api.rows(
        `SELECT m.kind, m.source_type, m.source_id, t.qty_delta FROM wms.movement m
         JOIN wms.wms_inventory_transaction t ON t.movement_id = m.id WHERE m.id = $1`,
        [posted.movementId],
      ),
    ).toEqual([{ kind: 'COUNT', source_type: 'count', source_id: made.id, qty_delta: '-5' }]);
  });

  it('respects what moved while it went on', async () => {
    const lot = await floor.stocked(100);
    const made = await of(lot);
    await floor.put([{ lot, units: -10 }]);
    await floor.put([{ lot, units: 4 }]);
    expect(lineOf(await counted(made, [found(lot, 92)]))).toMatchObject({
      expectedUnits: 100,
      movedUnits: -6,
      countedUnits: 92,
      differenceUnits: -2,
    });
    expect(lineOf(await post(made))).toMatchObject({ expectedUnits: 100, movedUnits: -6, differenceUnits: -2 });
    expect(await onHand(lot)).toBe(92);
    await floor.put([{ lot, units: 8 }]);
    expect(lineOf(await floor.admin.get(`${path}/${made.id}`, 200, countView))).toMatchObject({
      movedUnits: -6,
      differenceUnits: -2,
    });
  });

  it('is not misled by a line of the ledger that was numbered first and booked last', async () => {
    const lot = await floor.stocked(100);
    // The number of a ledger line is given before its bucket is locked, so that a later one may be booked before.
    await floor.api.rows(`SELECT nextval(pg_get_serial_sequence('wms.wms_inventory_transaction', 'seq'))`);
    await floor.put([{ lot, units: 5 }]);
    const made = await of(lot);
    await floor.api.rows(
      `WITH m AS (
         INSERT INTO wms.movement (id, number, warehouse_id, kind, effective_at, actor_id)
         VALUES ($1::uuid, $1::uuid::text, $2, 'OPENING', now(), $1::uuid) RETURNING id, warehouse_id, effective_at, recorded_at)
       INSERT INTO wms.wms_inventory_transaction (seq, movement_id, line_no, warehouse_id, location_id, sku_id, lot_id,
         stock_status, qty_delta, effective_at, recorded_at)
       OVERRIDING SYSTEM VALUE
       SELECT (SELECT max(seq) - 1 FROM wms.wms_inventory_transaction), m.id, 1, m.warehouse_id, $3, $4, $5, 'available', -20,
              m.effective_at, m.recorded_at FROM m`,
      [randomUUIDv7(), floor.warehouse.id, floor.place, lot.skuId, lot.id],
    );
    await counted(made, [found(lot, 85)]);
    expect(lineOf(await post(made))).toMatchObject({ expectedUnits: 105, movedUnits: -20, differenceUnits: 0 });
    expect(await onHand(lot)).toBe(85);
  });

  it('that finds what was expected posts nothing, and says when the bucket was counted', async () => {
    const lot = await floor.stocked(50);
    const counter = async () => {
      const { items } = await floor.admin.get(`/api/wms/stock?sku=${lot.sku}`, 200, listOf(stockView));
      return items[0]?.lastCountedAt ?? null;
    };
    const made = await of(lot);
    await counted(made, [found(lot, 50)]);
    expect(await counter()).toBeNull();
    expect(await post(made)).toMatchObject({ status: 'posted', movementId: null });
    expect(await counter()).toBe(lineOf(await floor.admin.get(`${path}/${made.id}`, 200, countView)).countedAt);
    expect(await onHand(lot)).toBe(50);
  });

  it('takes up goods that nobody expected, and lines that were counted wrongly again', async () => {
    const lot = await floor.stocked(10);
    const bin = await floor.bin();
    const made = await of(lot);
    await counted(made, [found(lot, 9)]);
    const again = await counted(made, [
      found(lot, 10),
      found(lot, 3, { location: bin }),
      found(lot, 2, { stockStatus: 'damaged' }),
    ]);
    expect(again.lines).toHaveLength(3);
    expect(
      again.lines.map(({ expectedUnits, differenceUnits }) => [expectedUnits, differenceUnits]).toSorted(),
    ).toEqual([
      [0, 2],
      [0, 3],
      [10, 0],
    ]);
    await post(made);
    expect(await onHand(lot)).toBe(15);
  });

  it('is posted once every line was counted, unless the others are to stay as they are', async () => {
    const [lot, other] = [await floor.stocked(10), await floor.stocked(20)];
    const made = await start({ skus: [lot.sku, other.sku] });
    expect(await posting(made)).toBe('422 invalid-request');
    expect(await posting(made, { skipUncounted: true })).toBe('422 invalid-request');
    expect(await counted(made, [found(lot, 8)])).toMatchObject({
      status: 'draft',
      countedLineCount: 1,
      countedAt: null,
    });
    expect(await posting(made)).toBe('422 invalid-request');
    await post(made, { skipUncounted: true });
    expect([await onHand(lot), await onHand(other)]).toEqual([8, 20]);
  });

  it('is approved by somebody else than who started it', async () => {
    const lot = await floor.stocked(10);
    const made = await of(lot);
    await counted(made, [found(lot, 9)]);
    expect(await posting(made, {}, floor.admin)).toBe('403 same-person');
    expect(await onHand(lot)).toBe(10);
    expect(await posting(made)).toBe('200');
  });

  it('is approved by the same person where nobody else must', async () => {
    const alone = await Floor.open({ config: { WMS_SECOND_PERSON: false } });
    const lot = await alone.stocked(10);
    const { id } = await alone.admin.post(path, { warehouse: alone.warehouse.code }, 201, countView);
    await alone.admin.put(`${path}/${id}/lines`, { lines: [found(lot, 9)] });
    expect(await outcome(keyed(alone.admin), 'POST', `${path}/${id}/post`, {})).toBe('200');
    await alone.close();
  });

  it('ends once: posted or given up', async () => {
    const lot = await floor.stocked(10);
    const [one, two] = [await of(lot), await of(lot)];
    await counted(one, [found(lot, 9)]);
    expect(await floor.admin.post(`${path}/${two.id}/cancel`, undefined, 200, countView)).toMatchObject({
      status: 'cancelled',
    });
    const answers = await Promise.all([posting(one), posting(one), posting(one)]);
    expect(answers.toSorted()).toEqual(['200', '409 count-not-open', '409 count-not-open']);
    expect(await onHand(lot)).toBe(9);
    for (const count of [one, two]) {
      expect(await posting(count)).toBe('409 count-not-open');
      expect(await outcome(floor.admin, 'PUT', `${path}/${count.id}/lines`, { lines: [found(lot, 1)] })).toBe(
        '409 count-not-open',
      );
      expect(await outcome(floor.admin, 'POST', `${path}/${count.id}/cancel`)).toBe('409 count-not-open');
    }
  });

  it('is posted once, however often the request is sent', async () => {
    const lot = await floor.stocked(10);
    const made = await of(lot);
    await counted(made, [found(lot, 7)]);
    expect(await outcome(second, 'POST', `${path}/${made.id}/post`, {})).toBe('400 idempotency-key-required');
    const same = keyed(second);
    const answers = await Promise.all([1, 2, 3].map(() => same.post(`${path}/${made.id}/post`, {}, 200, countView)));
    expect(new Set(answers.map(({ movementId }) => movementId)).size).toBe(1);
    expect(await onHand(lot)).toBe(7);
  });

  it('never takes away what is promised', async () => {
    const lot = await floor.stocked(100);
    await floor.reserve(lot.skuId, 60);
    const made = await of(lot);
    await counted(made, [found(lot, 59)]);
    expect(await problemOf(second, 'POST', `${path}/${made.id}/post`, {})).toMatchObject({
      code: 'insufficient-stock',
      errors: [
        {
          sku: lot.sku,
          lot: lot.code,
          location: 'DEFAULT',
          requestedUnits: 41,
          onHand: 100,
          reserved: 60,
          available: 40,
        },
      ],
    });
    expect(await floor.stock(lot)).toEqual({ onHand: 100, reserved: 60 });
    await counted(made, [found(lot, 60)]);
    await post(made);
    expect(await floor.stock(lot)).toEqual({ onHand: 60, reserved: 60 });
  });

  it('of goods that go in and out meanwhile leaves what was counted and what came after', async () => {
    const lot = await floor.stocked(1000);
    const made = await of(lot);
    await counted(made, [found(lot, 1000)]);
    const moves = Array.from({ length: 20 }, () => floor.put([{ lot, units: 1 }]));
    const [posted] = await Promise.all([post(made), ...moves]);
    const { movedUnits, differenceUnits } = lineOf(posted);
    expect((differenceUnits ?? 0) + movedUnits).toBe(0);
    expect(await onHand(lot)).toBe(1000 + 20 - movedUnits);
  });

  it.each([
    ['a warehouse that is none', { warehouse: 'NOBODY' }, '404 warehouse-not-found'],
    ['a place that is none', { locations: ['NOWHERE'] }, '422 invalid-request'],
    ['a SKU that is none', { skus: ['NOBODY'] }, '422 invalid-request'],
    ['no place', { locations: [] }, '422 invalid-request'],
    ['a field that nobody knows', { force: true }, '422 invalid-request'],
  ])('is not started for %s', async (_, details, answer) => {
    expect(await outcome(floor.admin, 'POST', path, { warehouse: floor.warehouse.code, ...details })).toBe(answer);
  });

  it('is refused lines that make no sense, all of them named', async () => {
    const lot = await floor.stocked(10);
    const made = await of(lot);
    const send = (lines: object[]) => problemOf(floor.admin, 'PUT', `${path}/${made.id}/lines`, { lines });
    expect(await send([{ sku: 'NOBODY' }, found(lot, 1, { location: 'NOWHERE' })])).toMatchObject({
      code: 'invalid-request',
      errors: [{ pointer: '#/lines/0/sku' }, { pointer: '#/lines/1/location' }],
    });
    expect(await send([found(lot, 1), found(lot, 2)])).toMatchObject({ errors: [{ pointer: '#/lines/1' }] });
    expect(await send([found(lot, -1)])).toMatchObject({ code: 'invalid-request' });
    expect(await send([])).toMatchObject({ code: 'invalid-request' });
    expect(await counted(made, [found(lot, 0)])).toMatchObject({
      status: 'counted',
      lines: [{ differenceUnits: -10 }],
    });
  });

  it('has 500 lines and no more', async () => {
    const place = await floor.another();
    const sku = await floor.sku();
    const ids = await floor.api.rows<{ id: string }>(
      `INSERT INTO wms.lot (id, sku_id, code, units_per_carton, created_by)
       SELECT gen_random_uuid(), $1, 'N' || n, 1, gen_random_uuid() FROM generate_series(1, 501) n RETURNING id`,
      [sku.id],
    );
    const lots = ids.map(({ id }) => ({ id, skuId: sku.id }));
    await place.put(lots.slice(0, 500).map((lot) => ({ lot, units: 1 })));
    const begin = () => outcome(floor.admin, 'POST', path, { warehouse: place.warehouse.code });
    expect(await begin()).toBe('201');
    const { items } = await floor.admin.get(`${path}?warehouse=${place.warehouse.code}`, 200, list);
    const one = { lines: [{ sku: sku.code, lot: 'N501', looseUnits: 1 }] };
    expect(await outcome(floor.admin, 'PUT', `${path}/${items[0]?.id ?? ''}/lines`, one)).toBe('422 invalid-request');
    await place.put(lots.slice(500).map((lot) => ({ lot, units: 1 })));
    expect(await begin()).toBe('422 invalid-request');
    expect(
      (await floor.admin.get(`${path}?warehouse=${place.warehouse.code}&status=draft`, 200, list)).items,
    ).toHaveLength(1);
  });

  it('of another site is not there, and is written only by who counts there', async () => {
    const lot = await floor.stocked(10);
    const made = await of(lot);
    const stranger = await newHolder(floor.api, floor.admin, 'admin', (await newSite(floor.admin)).id);
    const reader = await newHolder(floor.api, floor.admin, 'viewer', floor.warehouse.siteId);
    const worker = await newHolder(floor.api, floor.admin, 'warehouse', floor.warehouse.siteId);
    const lines = { lines: [found(lot, 9)] };
    expect((await stranger.get(path, 200, list)).items).toEqual([]);
    expect(await outcome(stranger, 'GET', `${path}/${made.id}`)).toBe('404 count-not-found');
    expect(await outcome(stranger, 'PUT', `${path}/${made.id}/lines`, lines)).toBe('404 count-not-found');
    expect(await posting(made, {}, stranger)).toBe('404 count-not-found');
    expect(await outcome(stranger, 'POST', path, { warehouse: floor.warehouse.code })).toBe('404 warehouse-not-found');
    expect(await outcome(reader, 'GET', `${path}/${made.id}`)).toBe('200');
    expect(await outcome(reader, 'PUT', `${path}/${made.id}/lines`, lines)).toBe('403 permission-missing');
    expect(await outcome(worker, 'PUT', `${path}/${made.id}/lines`, lines)).toBe('200');
    expect(await posting(made, {}, worker)).toBe('403 permission-missing');
    expect(await outcome(floor.admin, 'GET', `${path}/${randomUUIDv7()}`)).toBe('404 count-not-found');
  });
});
