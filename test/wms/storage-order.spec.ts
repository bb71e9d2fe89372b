import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  chargeStorage,
  chargeStorageOfLots,
  dirtyLots,
  dueStorageDays,
  forgetDirtyLots,
  ranStorageDays,
  runStorage,
  runStorageOfLots,
} from '../../libs/wms/src/storage/storage.queries.js';
import { type Lot, Stockroom, type Warehouse } from './stockroom.js';

const DAY_MS = 86_400_000;
/** A Monday eight weeks ago: the weeks of the test are over, and few have passed since. */
const first = Math.floor((Date.now() / DAY_MS - 4) / 7) * 7 + 4 - 56;
const dayOf = (number: number) => new Date(number * DAY_MS).toISOString().slice(0, 10);
const MONDAYS = Array.from({ length: 6 }, (_, week) => dayOf(first + 7 * week));

type Step =
  | { readonly do: 'receive'; readonly lot: number; readonly cartons: number; readonly day: number }
  | { readonly do: 'run'; readonly monday: number }
  | { readonly do: 'catch up' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('receive' as const),
      lot: fc.integer({ min: 0, max: 2 }),
      cartons: fc.integer({ min: 1, max: 90 }),
      day: fc.integer({ min: 0, max: 40 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('run' as const), monday: fc.integer({ min: 0, max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('catch up' as const) }) },
);

describe('storage, in whatever order and however often it is run', () => {
  let room: Stockroom;
  let made = 0;
  beforeAll(async () => {
    room = await Stockroom.open();
  });
  afterAll(() => room.close());

  const furnish = async (): Promise<{ place: Warehouse; lots: Lot[] }> => {
    const place = await room.makeWarehouse(`O${(made += 1)}`);
    await room.insert('cost_rate', {
      warehouse_id: place.id,
      category: 'Storage',
      name: 'Storage',
      basis: 'pallet_week',
      value: '3.905',
      currency: 'GBP',
      valid: '[2024-01-01,)',
    });
    const lots = [];
    for (const cartons of [36, 14, 7]) {
      const lot = await room.lot(`O${made}-${cartons}`);
      await room.rows(
        `INSERT INTO wms.lot_stock (warehouse_id, lot_id, storage_cartons_per_pallet, shipping_cartons_per_pallet,
           first_received_at, created_by) VALUES ($1, $2, $3, 16, now(), $1)`,
        [place.id, lot.id, cartons],
      );
      lots.push(lot);
    }
    return { place, lots };
  };
  const at = (day: number) => `${dayOf(first - 2 + day)}T12:00:00Z`;
  const run = async (place: Warehouse, day: string) => {
    await runStorage(room.pool, day, place.id);
    await chargeStorage(room.pool, [day, place.id]);
  };
  const catchUp = async (place: Warehouse) => {
    const dirty = await dirtyLots(room.pool, [place.id]);
    const ran = await ranStorageDays(room.pool, [place.id, '2000-01-01']);
    for (const { day } of await dueStorageDays(room.pool, [[place.id]])) await run(place, day);
    for (const { day } of ran) {
      const lots = dirty.filter((row) => row.from_date <= day).map((row) => row.lot_id);
      await runStorageOfLots(room.pool, [day, place.id, lots]);
      await chargeStorageOfLots(room.pool, [day, place.id, lots]);
    }
    await forgetDirtyLots(room.pool, [place.id, dirty.map((row) => row.lot_id), dirty.map((row) => row.rev)]);
  };
  /** Lines, and what was charged for each in all, by lot and day. */
  const outcomeOf = (place: Warehouse) =>
    room.rows(
      `SELECT l.units_per_carton, g.snapshot_on::text AS day, g.units, g.cartons, g.pallets, g.amount, g.state,
              (SELECT coalesce(sum(c.amount), 0) FROM wms.cost_charge c WHERE c.storage_ledger_id = g.id) AS charged,
              split_part(l.code, '-', 2) AS lot
       FROM wms.storage_ledger g JOIN wms.lot l ON l.id = g.lot_id
       WHERE g.warehouse_id = $1 AND g.units > 0 ORDER BY day, lot`,
      [place.id],
    );

  it('comes to what it comes to when everything is known at once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
        const [one, other] = [await furnish(), await furnish()];
        const post = ({ place, lots }: typeof one, { lot, cartons, day }: Extract<Step, { do: 'receive' }>) => {
          const stored = lots[lot];
          if (!stored) throw new Error('There are three lots');
          return room.post([{ lot: stored, units: cartons * 60 - 1 }], { warehouse: place, at: at(day) });
        };
        for (const now of steps) {
          if (now.do === 'receive') await post(one, now);
          else if (now.do === 'run') await run(one.place, MONDAYS[now.monday] ?? '');
          else await catchUp(one.place);
        }
        await catchUp(one.place);
        for (const now of steps) if (now.do === 'receive') await post(other, now);
        await catchUp(other.place);

        const expected = await outcomeOf(other.place);
        expect(await outcomeOf(one.place)).toEqual(expected);
        expect(expected.every((line) => line['charged'] === line['amount'])).toBe(true);
        await catchUp(one.place);
        for (const day of MONDAYS.toReversed()) await run(one.place, day);
        expect(await outcomeOf(one.place)).toEqual(expected);
      }),
      { numRuns: 25 },
    );
  });
});
