import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { dirtyLots, forgetDirtyLots } from '../../libs/wms/src/storage/storage.queries.js';
import { type Line, type Lot, Stockroom } from './stockroom.js';

const CLIENTS = 32;

/** Runs the works on so many connections at a time, and counts how they end: `ok`, or the SQLSTATE and constraint. */
async function race(
  room: Stockroom,
  works: ((client: pg.PoolClient) => Promise<unknown>)[],
): Promise<Record<string, number>> {
  const ends: Record<string, number> = {};
  const waiting = works.values();
  const worker = async () => {
    const client = await room.pool.connect();
    for (const work of waiting) {
      let end = 'ok';
      try {
        await work(client);
      } catch (error) {
        if (!(error instanceof pg.DatabaseError)) throw error;
        end = `${error.code ?? ''} ${error.constraint ?? ''}`.trim();
      }
      ends[end] = (ends[end] ?? 0) + 1;
    }
    client.release();
  };
  await Promise.all(Array.from({ length: CLIENTS }, worker));
  return ends;
}

const times = <Result>(count: number, make: (index: number) => Result): Result[] =>
  Array.from({ length: count }, (_, index) => make(index));

describe('32 clients', () => {
  let room: Stockroom;

  const agrees = async () => {
    const [row] = await room.rows(
      `SELECT count(*)::integer AS wrong FROM (
         SELECT location_id, lot_id, stock_status, sum(qty_delta) AS units FROM wms.wms_inventory_transaction GROUP BY 1, 2, 3) l
       FULL JOIN wms.stock_balance b USING (location_id, lot_id, stock_status)
       WHERE coalesce(l.units, 0) <> coalesce(b.on_hand, 0)`,
    );
    return row?.['wrong'] === 0;
  };

  beforeAll(async () => {
    room = await Stockroom.open(CLIENTS + 2);
  });
  afterAll(() => room.close());

  it('that take 7 from 1,000 in 1,920 attempts get them 142 times, and leave 6', async () => {
    const lot = await room.lot('hot');
    await room.post([{ lot, units: 1000 }]);
    const ends = await race(
      room,
      times(1920, () => (client) => room.post([{ lot, units: -7 }], {}, client)),
    );
    expect(ends).toEqual({ ok: 142, '23514 on_hand_is_never_negative': 1778 });
    expect(await room.onHand(lot)).toEqual(['6']);
    expect(
      await room.value(`SELECT sum(qty_delta) FROM wms.wms_inventory_transaction WHERE lot_id = $1 AND qty_delta < 0`, [
        lot.id,
      ]),
    ).toBe('-994');
    expect(await agrees()).toBe(true);
  });

  it('that make a bucket at the same moment make one, and lose nothing', async () => {
    const lots: Lot[] = [];
    for (const index of times(20, (n) => n)) lots.push(await room.lot(`new ${index}`));
    const ends = await race(
      room,
      lots.flatMap((lot) =>
        times(CLIENTS, () => (client: pg.PoolClient) => room.post([{ lot, units: 1 }], {}, client)),
      ),
    );
    expect(ends).toEqual({ ok: 20 * CLIENTS });
    for (const lot of lots) expect(await room.onHand(lot)).toEqual([String(CLIENTS)]);
    expect(await agrees()).toBe(true);
  });

  it('that post documents of five lines over the same buckets in any order never wait in a circle', async () => {
    const lots: Lot[] = [];
    for (const index of times(50, (n) => n)) lots.push(await room.lot(`many ${index}`));
    await room.post(lots.map((lot) => ({ lot, units: 1_000_000 })));
    const places = [room.warehouse.place, await room.place('B-1'), await room.place('A-2')];
    let seed = 1;
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    const document = (): Line[] => {
      const picked = lots.toSorted(() => random(3) - 1).slice(0, 5);
      return picked.map((lot, index) => {
        const out = index % 2 === 0;
        return {
          lot,
          units: out ? -1 - random(3) : 1 + random(3),
          place: (out ? places[0] : places[random(3)]) ?? room.warehouse.place,
        };
      });
    };
    const ends = await race(
      room,
      times(1600, document).map((lines) => (client) => room.post(lines, {}, client)),
    );
    expect(ends).toEqual({ ok: 1600 });
    expect(await agrees()).toBe(true);
  });

  it('that reserve, ship and adjust one bucket never promise what is not there', async () => {
    const lot = await room.lot('promised');
    await room.post([{ lot, units: 500 }]);
    const reserve = (client: pg.PoolClient) =>
      client.query(`UPDATE wms.stock_balance SET reserved = reserved + 3 WHERE lot_id = $1`, [lot.id]);
    const ship = (client: pg.PoolClient) => room.post([{ lot, units: -2 }], {}, client);
    const ends = await race(
      room,
      times(600, (index) => (index % 2 === 0 ? reserve : ship)),
    );
    const [left] = await room.rows(`SELECT on_hand, reserved FROM wms.stock_balance WHERE lot_id = $1`, [lot.id]);
    const { on_hand: onHand, reserved } = left ?? {};
    expect(Number(reserved)).toBeLessThanOrEqual(Number(onHand));
    expect(Number(onHand) - Number(reserved)).toBeLessThan(3);
    expect((500 - Number(onHand)) / 2 + Number(reserved) / 3).toBe(ends['ok']);
    expect(ends['23514 reserved_is_on_hand']).toBe(600 - (ends['ok'] ?? 0));
    expect(await agrees()).toBe(true);
  });

  it('that post while the storage forgets what was dirty do not wait in a circle, and nothing dirty is forgotten', async () => {
    const lots: Lot[] = [];
    for (const index of times(10, (n) => n)) lots.push(await room.lot(`dirty ${index}`));
    const ids = lots.map((lot) => lot.id);
    const forget = async (client: pg.PoolClient) => {
      const { rows } = await client.query<{ lot_id: string; rev: number }>(
        `SELECT lot_id, rev FROM wms.storage_dirty WHERE lot_id = ANY ($1) ORDER BY lot_id`,
        [ids],
      );
      await forgetDirtyLots(client, [room.warehouse.id, rows.map((row) => row.lot_id), rows.map((row) => row.rev)]);
    };
    const ends = await race(
      room,
      times(800, (index) =>
        index % 4 === 0
          ? forget
          : (client) =>
              room.post(
                lots.toReversed().map((lot) => ({ lot, units: 1 })),
                {},
                client,
              ),
      ),
    );
    expect(ends).toEqual({ ok: 800 });
    const read = await dirtyLots(room.pool, [room.warehouse.id]);
    await room.post(lots.map((lot) => ({ lot, units: 1 })));
    await forgetDirtyLots(room.pool, [room.warehouse.id, read.map((row) => row.lot_id), read.map((row) => row.rev)]);
    const still = await dirtyLots(room.pool, [room.warehouse.id]);
    expect(still.map((row) => row.lot_id).filter((id) => ids.includes(id))).toHaveLength(10);
  });
});
