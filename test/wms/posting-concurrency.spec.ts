import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { postedMovementView, wms, type LotView } from '@belay/wms';
import { fresh, outcome } from '../support/people.js';
import { TestApi } from '../support/test-api.js';
import { newLocation, newLot } from './master-data.js';
import { newFloor, path, post, receiptOf, shipmentOf, stockOf, withKey, type Floor } from './postings.js';

const CLIENTS = 32;

/** Runs the works on so many clients at a time, and counts how they end. */
async function race(works: readonly (() => Promise<string>)[]): Promise<Record<string, number>> {
  const ends: Record<string, number> = {};
  const waiting = works.values();
  const client = async () => {
    for (const work of waiting) {
      const end = await work();
      ends[end] = (ends[end] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return ends;
}

const times = <Result>(count: number, make: (index: number) => Result): Result[] =>
  Array.from({ length: count }, (_, index) => make(index));

describe('32 clients', () => {
  let api: TestApi;
  let admin: TestApi;
  let floor: Floor;

  beforeAll(async () => {
    const config = { DATABASE_POOL: CLIENTS, RATE_LIMIT_PER_MINUTE: 1_000_000 };
    api = await TestApi.start({ config }, wms);
    admin = await api.as('admin');
    floor = await newFloor(admin);
  });
  afterAll(() => api.close());

  const send = (kind: string, body: object, key?: string) =>
    outcome(admin, 'POST', `${path}/${kind}`, body, withKey(key));
  const deadlocks = async () => {
    await api.rows(`SELECT pg_stat_force_next_flush()`);
    const [row] = await api.rows<{ deadlocks: string }>(
      `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`,
    );
    return Number(row?.deadlocks);
  };
  /** Buckets whose balance is not the sum of their lines, and buckets that were negative at some moment. */
  const wrong = async () => {
    const balances = await api.rows(
      `SELECT location_id, lot_id FROM (
         SELECT location_id, lot_id, stock_status, sum(qty_delta) AS units FROM wms.wms_inventory_transaction GROUP BY 1, 2, 3) l
       FULL JOIN wms.stock_balance b USING (location_id, lot_id, stock_status)
       WHERE coalesce(l.units, 0) <> coalesce(b.on_hand, 0)`,
    );
    const negative = await api.rows(
      `SELECT DISTINCT lot_id FROM (
         SELECT lot_id, sum(qty_delta) OVER (PARTITION BY location_id, lot_id, stock_status ORDER BY effective_at, seq) AS units
         FROM wms.wms_inventory_transaction) p WHERE units < 0`,
    );
    return [...balances, ...negative];
  };

  it('that take 7 from 1,000 in 1,920 attempts get them 142 times, and leave 6', async () => {
    await post(admin, 'receive', receiptOf(floor, { cartons: 0, looseUnits: 1000 }));
    const take = () => send('ship', shipmentOf(floor, { cartons: 0, looseUnits: 7 }));
    expect(await race(times(1920, () => take))).toEqual({ '201': 142, '409 insufficient-stock': 1778 });
    expect(await stockOf(api, floor.lot)).toEqual({ [`${floor.bin} available`]: 6 });
    const [taken] = await api.rows(
      `SELECT sum(qty_delta)::text AS units, count(*)::integer AS lines, count(DISTINCT m.number)::integer AS numbers,
              max(right(m.number, 6)) AS last
       FROM wms.wms_inventory_transaction t JOIN wms.movement m ON m.id = t.movement_id WHERE t.lot_id = $1 AND qty_delta < 0`,
      [floor.lot.id],
    );
    expect(taken).toEqual({ units: '-994', lines: 142, numbers: 142, last: '000142' });
    expect(await deadlocks()).toBe(0);
    expect(await wrong()).toEqual([]);

    // A refusal costs nobody a connection.
    const connections = () =>
      api.rows(
        `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'belay%' ORDER BY 1`,
      );
    const before = await connections();
    expect(await race(times(100, () => take))).toEqual({ '409 insufficient-stock': 100 });
    expect(await connections()).toEqual(before);
  }, 300_000);

  it('that post documents of five lines, and move and reverse, over the same buckets never wait in a circle', async () => {
    const stacked = { storageCartonsPerPallet: 36, shippingCartonsPerPallet: 16 };
    const lots: LotView[] = [];
    for (let n = 0; n < 40; n += 1) lots.push(await newLot(admin, floor.sku, stacked));
    const other = (await newLocation(admin, floor.warehouse)).code;
    const opening = lots.map((lot) => ({ sku: floor.sku.code, lot: lot.code, location: floor.bin, cartons: 500 }));
    await post(admin, 'receive', receiptOf(floor, {}, { lines: opening }));
    const before = await deadlocks();

    let seed = 7;
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    const some = () => lots.toSorted(() => random(3) - 1).slice(0, 5);
    const documents = [
      () => {
        const lines = some().map(({ code }) => ({ sku: floor.sku.code, lot: code, location: floor.bin, cartons: 1 }));
        return send('ship', shipmentOf(floor, {}, { lines }));
      },
      () => {
        const lines = some().map(({ code }) => ({
          sku: floor.sku.code,
          lot: code,
          location: [floor.bin, other][random(2)],
          cartons: 1,
        }));
        return send('receive', receiptOf(floor, {}, { lines }));
      },
      () => {
        const lines = some().map(({ code }) => ({
          sku: floor.sku.code,
          lot: code,
          fromLocation: floor.bin,
          toLocation: other,
          cartons: 1,
        }));
        return send('transfer', { warehouse: floor.warehouse.code, lines });
      },
      async () => {
        const lines = some().map(({ code }) => ({ sku: floor.sku.code, lot: code, location: floor.bin, cartons: 1 }));
        const { id } = await post(admin, 'ship', shipmentOf(floor, {}, { lines }));
        return send(`${id}/reverse`, {});
      },
    ];
    const ends = await race(times(640, (index) => documents[index % 4] ?? (() => Promise.resolve('none'))));
    expect(ends).toEqual({ '201': 640 });
    expect(await deadlocks()).toBe(before);
    expect(await wrong()).toEqual([]);
    const [lines] = await api.rows(
      `SELECT count(*)::integer AS lines FROM wms.wms_inventory_transaction t JOIN wms.movement m ON m.id = t.movement_id
       WHERE m.warehouse_id = $1 AND t.lot_id <> $2 AND m.id <> (SELECT min(id::text)::uuid FROM wms.movement WHERE kind = 'RECEIVE' AND warehouse_id = $1
         AND id IN (SELECT movement_id FROM wms.wms_inventory_transaction GROUP BY 1 HAVING count(*) = 40))`,
      [floor.warehouse.id, floor.lot.id],
    );
    expect(lines).toEqual({ lines: 160 * 5 + 160 * 5 + 160 * 10 + 160 * 10 });
  }, 300_000);

  it('that fill and empty new buckets at the same moment lose nothing', async () => {
    const stacked = { storageCartonsPerPallet: 36, shippingCartonsPerPallet: 16 };
    const lots: LotView[] = [];
    for (let n = 0; n < 10; n += 1) lots.push(await newLot(admin, floor.sku, stacked));
    const ends = await race(
      lots.flatMap(({ code }) =>
        times(CLIENTS, () => () => send('receive', receiptOf(floor, { lot: code, cartons: 1 }))),
      ),
    );
    expect(ends).toEqual({ '201': 320 });
    for (const lot of lots) expect(await stockOf(api, lot)).toEqual({ [`${floor.bin} available`]: 60 * CLIENTS });
    expect(await wrong()).toEqual([]);
  }, 120_000);

  it('that come and go through one bucket never see it negative, not even for a moment', async () => {
    const lot = await newLot(admin, floor.sku, { storageCartonsPerPallet: 36, shippingCartonsPerPallet: 16 });
    const one = { lot: lot.code, cartons: 0, looseUnits: 1 };
    await post(admin, 'receive', receiptOf(floor, one));
    const ends = await race(
      times(
        400,
        (index) => () =>
          index % 2 === 0 ? send('receive', receiptOf(floor, one)) : send('ship', shipmentOf(floor, one)),
      ),
    );
    expect(Object.keys(ends).filter((end) => !['201', '409 insufficient-stock'].includes(end))).toEqual([]);
    expect(await wrong()).toEqual([]);
  }, 120_000);

  it('that repeat one request post it once, and get one answer', async () => {
    const lot = await newLot(admin, floor.sku, { storageCartonsPerPallet: 36, shippingCartonsPerPallet: 16 });
    const [receipt, key] = [receiptOf(floor, { lot: lot.code, cartons: 1 }), fresh('key')];
    const received = await Promise.all(times(20, () => admin.send('POST', `${path}/receive`, receipt, withKey(key))));
    expect(new Set(received.map(({ body }) => postedMovementView.parse(JSON.parse(body)).number)).size).toBe(1);
    expect(received.filter(({ headers }) => headers['idempotency-replayed'] === 'true')).toHaveLength(19);
    expect(await stockOf(api, lot)).toEqual({ [`${floor.bin} available`]: 60 });
    // There is enough for one of them only: the others must not be told that there is nothing.
    const [shipment, second] = [shipmentOf(floor, { lot: lot.code, cartons: 1 }), fresh('key')];
    const shipped = await Promise.all(times(20, () => admin.send('POST', `${path}/ship`, shipment, withKey(second))));
    expect(shipped.map(({ statusCode }) => statusCode)).toEqual(times(20, () => 201));
    expect(new Set(shipped.map(({ body }) => JSON.stringify(postedMovementView.parse(JSON.parse(body))))).size).toBe(1);
    expect(await stockOf(api, lot)).toEqual({ [`${floor.bin} available`]: 0 });
  });

  it('that reserve, ship and adjust one bucket never promise what is not there', async () => {
    const lot = await newLot(admin, floor.sku, { storageCartonsPerPallet: 36, shippingCartonsPerPallet: 16 });
    await post(admin, 'receive', receiptOf(floor, { lot: lot.code, cartons: 5 }));
    const before = await deadlocks();
    const reserve = async () => {
      const source = { type: 'order', id: fresh('SO'), line: '1' };
      const body = { warehouse: floor.warehouse.code, sku: floor.sku.code, lot: lot.code, units: 3, source };
      const response = await admin.send('POST', '/api/wms/reservations', body, withKey());
      if (response.statusCode !== 201) return outcomeOf(response.json());
      const reservation: unknown = Reflect.get(Object(response.json()), 'id');
      const line = { sku: undefined, lot: undefined, location: undefined, cartons: 0, reservation };
      return send('ship', shipmentOf(floor, line));
    };
    const outcomeOf = (body: object) => `409 ${String(Reflect.get(body, 'code'))}`;
    const ship = () => send('ship', shipmentOf(floor, { lot: lot.code, cartons: 0, looseUnits: 2 }));
    const adjust = () => {
      const lines = [{ sku: floor.sku.code, lot: lot.code, location: floor.bin, looseUnits: 1 }];
      return send('adjust', { warehouse: floor.warehouse.code, kind: 'ADJUST_OUT', reasonCode: 'loss', lines });
    };
    const ends = await race(times(300, (index) => [reserve, ship, adjust][index % 3] ?? ship));
    expect(Object.keys(ends).toSorted()).toEqual(['201', '409 insufficient-stock']);
    const [left] = await api.rows(
      `SELECT on_hand >= reserved AS kept, reserved FROM wms.stock_balance WHERE lot_id = $1`,
      [lot.id],
    );
    expect(left).toEqual({ kept: true, reserved: '0' });
    expect(await deadlocks()).toBe(before);
    expect(await wrong()).toEqual([]);
  }, 120_000);
});
