import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bucketsAsOf, bucketsOfLotsAsOf, laterShortfalls, writeStockClose } from '../../libs/wms/src/stock.queries.js';
import { type Lot, Stockroom, type Warehouse } from './stockroom.js';

describe('stock as it was', () => {
  let room: Stockroom;
  let lot: Lot;
  let made = 0;

  /** Units of the lot, over all its buckets, at the end of a local day or at an instant, as it was known then or is now. */
  const units = async (
    { day, instant, knownAt }: { day?: string; instant?: string; knownAt?: string },
    warehouse: Warehouse = room.warehouse,
  ): Promise<number> => {
    const found = await bucketsOfLotsAsOf(room.pool, [
      [warehouse.id],
      day ?? null,
      instant ?? null,
      knownAt ?? null,
      [lot.id],
    ]);
    return found.reduce((sum, row) => sum + Number(row.units), 0);
  };
  const close = (day: string, warehouse: Warehouse = room.warehouse) =>
    room.transaction(async (client) => {
      await client.query(`SELECT FROM wms.warehouse WHERE id = $1 FOR UPDATE`, [warehouse.id]);
      await writeStockClose(client, [warehouse.id, day]);
      await client.query(`UPDATE wms.warehouse SET closed_through = $2 WHERE id = $1`, [warehouse.id, day]);
    });

  beforeAll(async () => {
    room = await Stockroom.open();
  });
  beforeEach(async () => {
    lot = await room.lot(`L${(made += 1)}`);
  });
  afterAll(() => room.close());

  it('counts a local day to its last instant, in summer and in winter', async () => {
    for (const at of [
      '2025-03-31T22:59:59.999999Z',
      '2025-03-31T23:00:00Z',
      '2025-10-27T23:59:59.5Z',
      '2025-10-28T00:00:00Z',
    ]) {
      await room.post([{ lot, units: 1 }], { at });
    }
    const days = ['2025-03-30', '2025-03-31', '2025-04-01', '2025-10-26', '2025-10-27', '2025-10-28'];
    const found: number[] = [];
    for (const day of days) found.push(await units({ day }));
    expect(found).toEqual([0, 1, 2, 2, 3, 4]);
  });

  it('counts the instant itself', async () => {
    await room.post([{ lot, units: 5 }], { at: '2025-06-30T12:00:00Z' });
    expect(await units({ instant: '2025-06-30T11:59:59.999999Z' })).toBe(0);
    expect(await units({ instant: '2025-06-30T12:00:00Z' })).toBe(5);
    expect(await units({})).toBe(5);
  });

  it('is asked of each warehouse in its own zone', async () => {
    const newYork = await room.makeWarehouse('JFK', { timezone: 'America/New_York' });
    const london = await room.makeWarehouse('LHR');
    const at = '2025-07-01T02:00:00Z';
    await room.post([{ lot, units: 7 }], { at, warehouse: london });
    await room.post([{ lot, units: 9 }], { at, warehouse: newYork });
    const found = await bucketsAsOf(room.pool, [[london.id, newYork.id], '2025-06-30', null, null]);
    expect(found.map((row) => [row.warehouse_id, row.units])).toEqual([[newYork.id, '9']]);
  });

  it('can be asked as it was known', async () => {
    const at = '2025-05-01T12:00:00Z';
    const known: string[] = [];
    for (const step of [10, -4, 20]) {
      const movement = await room.post([{ lot, units: step }], { at });
      known.push(String(await room.value(`SELECT recorded_at::text FROM wms.movement WHERE id = $1`, [movement])));
    }
    const before = await room.value(`SELECT ($1::timestamptz - interval '1 microsecond')::text`, [known[0]]);
    const found: number[] = [];
    for (const knownAt of [String(before), ...known]) found.push(await units({ day: '2025-05-01', knownAt }));
    expect(found).toEqual([0, 10, 6, 26]);
    expect(await units({ day: '2025-05-01' })).toBe(26);
    expect(await units({ day: '2025-04-30', knownAt: known[2] ?? '' })).toBe(0);
  });

  it('is known for a whole movement or not at all', async () => {
    const other = await room.place(`P${made}`);
    await room.post([
      { lot, units: 10 },
      { lot, units: 5, place: other },
    ]);
    const times = await room.rows(
      `SELECT count(DISTINCT recorded_at)::integer AS times FROM wms.wms_inventory_transaction WHERE lot_id = $1`,
      [lot.id],
    );
    expect(times).toEqual([{ times: 1 }]);
  });

  it('begins at the last close before, and says the same', async () => {
    const place = await room.makeWarehouse(`CLOSE ${made}`);
    await room.post([{ lot, units: 100 }], { warehouse: place, at: '2025-01-10T12:00:00Z' });
    await room.post([{ lot, units: -30 }], { warehouse: place, at: '2025-02-10T12:00:00Z' });
    await room.post([{ lot, units: -20 }], { warehouse: place, at: '2025-02-20T12:00:00Z' });
    const days = ['2025-01-09', '2025-01-15', '2025-02-14', '2025-02-15', '2025-02-16', '2025-02-28'];
    const ask = async () => {
      const found: number[] = [];
      for (const day of days) found.push(await units({ day }, place));
      return found;
    };
    const before = await ask();
    expect(before).toEqual([0, 100, 70, 70, 70, 50]);
    await close('2025-01-15', place);
    await close('2025-02-15', place);
    expect(await ask()).toEqual(before);
    expect(await units({}, place)).toBe(50);
    // The close is used: what it says is believed.
    await room.rows(
      `UPDATE wms.stock_close SET qty = qty + 1000 WHERE warehouse_id = $1 AND closed_on = '2025-02-15'`,
      [place.id],
    );
    expect(await ask()).toEqual([0, 100, 70, 1070, 1070, 1050]);
    // But not by somebody who asks what was known before it was written.
    const recorded = await room.value(
      `SELECT max(recorded_at)::text FROM wms.wms_inventory_transaction WHERE warehouse_id = $1`,
      [place.id],
    );
    expect(await units({ day: '2025-02-28', knownAt: String(recorded) }, place)).toBe(50);
  });

  it('does not depend on the order in which it was recorded', async () => {
    const steps = fc.shuffledSubarray([3, 5, 7, 11, 13, 17], { minLength: 6, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(steps, async (order) => {
        lot = await room.lot(`L${(made += 1)}`);
        for (const unit of order)
          await room.post([{ lot, units: unit }], { at: `2025-03-${String(unit).padStart(2, '0')}T12:00:00Z` });
        const found: number[] = [];
        for (const day of ['02', '03', '07', '12', '30']) found.push(await units({ day: `2025-03-${day}` }));
        expect(found).toEqual([0, 3, 15, 26, 56]);
      }),
      { numRuns: 20 },
    );
  });

  describe('when something is taken from the past', () => {
    const shortfall = async (at: string, wanted: number, place = room.warehouse.place) => {
      const [found] = await laterShortfalls(room.pool, [at, [place], [lot.id], ['available'], [wanted]]);
      return found && { least: found.least, firstAt: found.first_at.toISOString() };
    };

    it('leaves no later day negative', async () => {
      await room.post([{ lot, units: 100 }], { at: '2025-01-01T12:00:00Z' });
      await room.post([{ lot, units: -90 }], { at: '2025-02-01T12:00:00Z' });
      await room.post([{ lot, units: 50 }], { at: '2025-03-01T12:00:00Z' });
      expect(await shortfall('2025-01-15T12:00:00Z', 10)).toBeUndefined();
      expect(await shortfall('2025-01-15T12:00:00Z', 11)).toEqual({ least: '10', firstAt: '2025-02-01T12:00:00.000Z' });
      expect(await shortfall('2025-03-15T12:00:00Z', 60)).toBeUndefined();
      expect(await shortfall('2025-03-15T12:00:00Z', 61)).toEqual({ least: '60', firstAt: '2025-03-15T12:00:00.000Z' });
      expect(await shortfall('2024-12-31T12:00:00Z', 1)).toEqual({ least: '0', firstAt: '2024-12-31T12:00:00.000Z' });
    });

    it('stands behind everything of the same moment', async () => {
      const at = '2025-01-01T12:00:00Z';
      await room.post([{ lot, units: 10 }], { at });
      await room.post([{ lot, units: -4 }], { at });
      expect(await shortfall(at, 6)).toBeUndefined();
      expect(await shortfall(at, 7)).toEqual({ least: '6', firstAt: '2025-01-01T12:00:00.000Z' });
    });

    it('looks at each bucket for itself', async () => {
      const other = await room.place(`Q${made}`);
      await room.post(
        [
          { lot, units: 10 },
          { lot, units: 3, place: other },
        ],
        { at: '2025-01-01T12:00:00Z' },
      );
      const found = await laterShortfalls(room.pool, [
        '2025-01-02T12:00:00Z',
        [room.warehouse.place, other],
        [lot.id, lot.id],
        ['available', 'available'],
        [10, 4],
      ]);
      expect(found.map((row) => [row.location_id, row.units, row.least])).toEqual([[other, '4', '3']]);
      expect(await shortfall('2025-01-02T12:00:00Z', 1, await room.place(`EMPTY${made}`))).toMatchObject({
        least: '0',
      });
    });

    it('agrees with walking through any history, and with the ledger afterwards', async () => {
      const history = fc.array(
        fc.record({
          minute: fc.integer({ min: 0, max: 40 }),
          units: fc.integer({ min: -30, max: 40 }).filter((n) => n !== 0),
        }),
        { minLength: 1, maxLength: 50 },
      );
      await fc.assert(
        fc.asyncProperty(
          history,
          fc.integer({ min: 0, max: 40 }),
          fc.integer({ min: 1, max: 60 }),
          async (lines, minute, wanted) => {
            lot = await room.lot(`L${(made += 1)}`);
            const at = (of: number) => new Date(Date.UTC(2025, 0, 1, 12, of)).toISOString();
            const kept: { minute: number; units: number }[] = [];
            const never = (all: { minute: number; units: number }[]) => {
              let balance = 0;
              return all
                .toSorted((one, other) => one.minute - other.minute)
                .every((line) => (balance += line.units) >= 0);
            };
            for (const line of lines) {
              if (!never([...kept, line])) continue;
              kept.push(line);
              await room.post([{ lot, units: line.units }], { at: at(line.minute) });
            }
            const possible = never([...kept, { minute, units: -wanted }]);
            expect((await shortfall(at(minute), wanted)) === undefined).toBe(possible);
          },
        ),
        { numRuns: 40 },
      );
    });

    it('costs little in a bucket of 50 rows, however long the history before', async () => {
      await room.post([{ lot, units: 100_000 }], { at: '2024-01-01T12:00:00Z' });
      for (let row = 0; row < 50; row += 1)
        await room.post([{ lot, units: row % 2 === 0 ? 5 : -5 }], {
          at: `2025-01-01T12:00:${String(row).padStart(2, '0')}Z`,
        });
      const times: number[] = [];
      for (let run = 0; run < 20; run += 1) {
        const began = performance.now();
        expect(await shortfall('2024-12-31T12:00:00Z', 100)).toBeUndefined();
        times.push(performance.now() - began);
      }
      expect(times.toSorted((one, other) => one - other)[10]).toBeLessThan(20);
    });
  });
});
