import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { directory } from '@belay/directory';
import { Queues } from '@belay/platform';
import { countView, lotView, reservationView, wms, type LotView, type ReservationView } from '@belay/wms';
import fc from 'fast-check';
import { startWorker, type RunningWorker } from '../../apps/worker/src/worker.js';
import { FlagsFile } from '../gate/flags-file.js';
import { eventually } from '../support/eventually.js';
import { fresh, outcome } from '../support/people.js';
import { Floor, keyed } from './floor.js';
import { ifMatch } from './master-data.js';

const path = '/api/wms/reservations';

/** Runs the works, so many at a time, and counts how they end. */
async function race(works: readonly (() => Promise<string>)[], atOnce = 32): Promise<Record<string, number>> {
  const ends: Record<string, number> = {};
  const waiting = works.values();
  const worker = async () => {
    for (const work of waiting) {
      const end = await work();
      ends[end] = (ends[end] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return ends;
}

const times = <Result>(count: number, make: (index: number) => Result): Result[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** Numbers that are as good as random, and the same in every run. */
function randomly(seed: number): (below: number) => number {
  let state = seed;
  return (below) => (state = (state * 48_271) % 2_147_483_647) % below;
}

describe('32 clients', () => {
  let floor: Floor;
  beforeAll(async () => {
    floor = await Floor.open();
  });
  afterAll(async () => {
    expect(await floor.disagreements()).toEqual([]);
    await floor.close();
  });

  const reserve = (sku: string, units: number, details: object = {}) =>
    outcome(keyed(floor.admin), 'POST', path, floor.reservation(sku, units, details));
  const move = (kind: string, body: object) =>
    outcome(keyed(floor.admin), 'POST', `/api/wms/movements/${kind}`, { warehouse: floor.warehouse.code, ...body });

  it('that reserve 7 of 1,000 get them 142 times, and leave 6, 1: nobody oversells', async () => {
    const lot = await floor.stocked(1000);
    expect(await race(times(200, () => () => reserve(lot.sku, 7)))).toEqual({
      '201': 142,
      '409 insufficient-stock': 58,
    });
    expect(await floor.stock(lot)).toEqual({ onHand: 1000, reserved: 994 });
  });

  it('that reserve, ship, adjust and count one lot in several places never promise or ship what is not there', async () => {
    const lot = await floor.lot();
    const places = [floor.place, await floor.bin(), await floor.bin(), await floor.bin()];
    await floor.put(places.map((place) => ({ lot, units: 250, place })));
    const random = randomly(7);
    const goods = { sku: lot.sku, lot: lot.code };
    const ends = await race(
      times(320, (n) => () => {
        const location = places[random(4)] ?? floor.place;
        if (n % 4 === 0) return reserve(lot.sku, 1 + random(9));
        if (n % 4 === 1) return move('ship', { reference: 'R', lines: [{ sku: lot.sku, looseUnits: 1 + random(5) }] });
        if (n % 4 === 2)
          return move('ship', { reference: 'R', lines: [{ ...goods, location, looseUnits: 1 + random(5) }] });
        const line = { ...goods, location, looseUnits: 1 + random(3) };
        return move('adjust', { kind: 'ADJUST_OUT', reasonCode: 'loss', lines: [line] });
      }),
    );
    const allowed = ['201', '409 insufficient-stock'];
    expect(Object.keys(ends).filter((end) => !allowed.includes(end))).toEqual([]);
    expect(ends['409 insufficient-stock']).toBeGreaterThan(0);
    expect(await floor.disagreements()).toEqual([]);
  });

  it('that reserve lots of one SKU in any order, while others give back, never wait in a circle', async () => {
    const sku = await floor.sku();
    const lots: LotView[] = [];
    for (const n of times(8, (index) => index))
      lots.push(await floor.lot(sku, { receivedAt: `2025-01-0${n + 1}T00:00:00Z` }));
    const places = [floor.place, await floor.bin(), await floor.bin()];
    await floor.put(lots.flatMap((lot) => places.map((place) => ({ lot, units: 40, place }))));
    const random = randomly(11);
    const ends = await race(
      times(240, (n) => async () => {
        const strategy = ['fifo', 'fefo', 'lifo'][random(3)] ?? 'fifo';
        const body = floor.reservation(sku.id, 5 + random(60), { strategy });
        const response = await keyed(floor.admin).send('POST', path, body);
        if (response.statusCode !== 201) return String(response.statusCode);
        const { id } = reservationView.parse(response.json());
        return n % 3 === 0 ? '201' : outcome(keyed(floor.admin), 'POST', `${path}/${id}/release`);
      }),
    );
    expect(Object.keys(ends).filter((end) => !['200', '201', '409'].includes(end))).toEqual([]);
    expect(await floor.disagreements()).toEqual([]);
  });

  it.each([
    ['behind', 1],
    ['before', -1],
  ])(
    'one of whom loses the bucket it had chosen takes the next, which is %s it in the order of locks',
    async (_, side) => {
      const lot = await floor.lot();
      const ids = [await floor.bin({ pickPriority: 2 }), await floor.bin({ pickPriority: 2 })].toSorted();
      const [chosen = '', next = ''] = side > 0 ? ids : ids.toReversed();
      await floor.api.rows(`UPDATE wms.location SET pick_priority = 1 WHERE id = $1`, [chosen]);
      await floor.put([
        { lot, units: 60, place: chosen },
        { lot, units: 61, place: next },
      ]);
      let made: ReservationView | undefined;
      await floor.takingAway({ lot, place: chosen }, async (take) => {
        const asked = floor.reserve(lot.skuId, 60);
        await take();
        made = await asked;
      });
      expect(made?.allocations.map(({ locationId, units }) => [locationId, units])).toEqual([[next, 60]]);
      expect(await floor.stock(lot)).toEqual({ onHand: 121, reserved: 60 });
    },
  );

  it('that fulfil and give back the same reservation do one or the other', async () => {
    const lot = await floor.stocked(400);
    for (let n = 0; n < 20; n += 1) {
      const made = await floor.reserve(lot.skuId, 20);
      const ends = await Promise.all([
        outcome(keyed(floor.admin), 'POST', `${path}/${made.id}/fulfil`, { reference: 'R' }),
        outcome(keyed(floor.admin), 'POST', `${path}/${made.id}/release`),
      ]);
      expect(['201 200', '409 reservation-not-open 200']).toContain(ends.join(' '));
    }
    expect(await floor.disagreements()).toEqual([]);
  });

  it('that ship two lines of one SKU take from its buckets together what is there, 1: lines are summed', async () => {
    const lot = await floor.stocked(1000);
    const body = {
      reference: 'R',
      lines: [
        { sku: lot.sku, looseUnits: 4 },
        { sku: lot.sku, looseUnits: 5 },
      ],
    };
    expect(await race(times(150, () => () => move('ship', body)))).toEqual({
      '201': 111,
      '409 insufficient-stock': 39,
    });
    expect(await floor.stock(lot)).toEqual({ onHand: 1, reserved: 0 });
  });
});

describe('any order of reserving, giving back, fulfilling, blocking and counting', () => {
  let floor: Floor;
  beforeAll(async () => {
    floor = await Floor.open({ config: { WMS_SECOND_PERSON: false } });
  });
  afterAll(() => floor.close());

  const which = fc.nat({ max: 5 });
  const amount = fc.integer({ min: 1, max: 60 });
  const command = fc.oneof(
    { weight: 3, arbitrary: fc.record({ act: fc.constant('put' as const), which, amount }) },
    {
      weight: 4,
      arbitrary: fc.record({
        act: fc.constant('reserve' as const),
        which,
        amount,
        policy: fc.constantFrom('all_or_nothing', 'allow_partial'),
        strategy: fc.constantFrom('fifo', 'fefo', 'lifo'),
      }),
    },
    { weight: 2, arbitrary: fc.record({ act: fc.constantFrom('release', 'allocate'), which, amount }) },
    { weight: 3, arbitrary: fc.record({ act: fc.constantFrom('fulfil', 'ship', 'count'), which, amount }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constantFrom('block', 'free'), which, amount }) },
  );

  it('keeps what is reserved equal to what is promised, and within what is there', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 30 }), async (commands) => {
        const sku = await floor.sku();
        const lots = [await floor.lot(sku), await floor.lot(sku), await floor.lot(sku)];
        const places = [floor.place, await floor.bin()];
        const made: ReservationView[] = [];
        let units = 0;
        const send = async (verb: string, body?: object) => {
          const response = await keyed(floor.admin).send('POST', `/api/wms/${verb}`, body);
          expect([verb, response.statusCode < 500]).toEqual([verb, true]);
          return response;
        };
        for (const one of commands) {
          const lot = lots[one.which % lots.length];
          const place = places[one.which % places.length];
          const reservation = made[one.which % Math.max(made.length, 1)];
          if (!lot || place === undefined) continue;
          if (one.act === 'put') {
            await floor.put([{ lot, units: one.amount, place }]);
            units += one.amount;
          } else if (one.act === 'reserve' && 'policy' in one) {
            const { policy, strategy } = one;
            const bound = one.which === 5 ? { lot: lot.id } : {};
            const response = await send(
              'reservations',
              floor.reservation(sku.id, one.amount, { policy, strategy, ...bound }),
            );
            if (response.statusCode === 201) made.push(reservationView.parse(response.json()));
          } else if ((one.act === 'release' || one.act === 'allocate') && reservation) {
            await send(`reservations/${reservation.id}/${one.act}`);
          } else if (one.act === 'fulfil' && reservation) {
            const body = { reference: 'R', ...(one.which % 2 === 0 && { units: one.amount }) };
            const response = await send(`reservations/${reservation.id}/fulfil`, body);
            if (response.statusCode === 201) units = await floor.stockOf(sku.id);
          } else if (one.act === 'ship') {
            const body = {
              warehouse: floor.warehouse.id,
              reference: 'R',
              lines: [{ sku: sku.id, looseUnits: one.amount }],
            };
            if ((await send('movements/ship', body)).statusCode === 201) units -= one.amount;
          } else if (one.act === 'count') {
            const { id } = countView.parse(
              (await send('counts', { warehouse: floor.warehouse.id, skus: [sku.id] })).json(),
            );
            await floor.admin.put(`/api/wms/counts/${id}/lines`, {
              lines: [{ lot: lot.id, location: place, looseUnits: one.amount }],
            });
            await send(`counts/${id}/post`, { skipUncounted: true });
            units = await floor.stockOf(sku.id);
          } else if (one.act === 'block' || one.act === 'free') {
            const { rowVersion } = await floor.admin.get(`/api/wms/lots/${lot.id}`, 200, lotView);
            const status = one.act === 'block' ? 'hold' : 'available';
            await floor.admin.withHeaders(ifMatch(rowVersion)).patch(`/api/wms/lots/${lot.id}`, { status });
            if (one.act === 'block') expect((await floor.stock(lot)).reserved).toBe(0);
          }
          expect(await floor.disagreements()).toEqual([]);
          expect(await floor.stockOf(sku.id)).toBe(units);
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe('a reservation whose time is over', () => {
  const flagNames = ['enable_wms_module', 'wms_write', 'wms_finance'];
  let flags: FlagsFile;
  let floor: Floor;
  let worker: RunningWorker;
  let ticks = 0;
  beforeAll(async () => {
    flags = new FlagsFile([directory, wms], flagNames);
    for (const flag of flagNames) flags.on(flag);
    floor = await Floor.open({ config: { FLAGS_FILE: flags.path } });
    worker = await startWorker({ config: floor.api.config, domains: [directory, wms] });
  });
  afterAll(async () => {
    expect(await floor.disagreements()).toEqual([]);
    await worker.close();
    await floor.close();
    flags.remove();
  });
  beforeEach(() => {
    flags.on('wms_write');
  });

  /** The slot of the minute, now. */
  const tick = async () => {
    const data = { version: 1, requestId: 'tick', payload: { slot: new Date().toISOString() } };
    const id = `tick-${(ticks += 1)}`;
    await floor.api.app.get(Queues).add('wms', { id, name: 'expire-reservations', data, attempts: 1, backoffMs: 1 });
  };
  const overdue = (those: readonly ReservationView[]) =>
    floor.api.rows(`UPDATE wms.reservation SET expires_at = now() - interval '1 second' WHERE id = ANY ($1)`, [
      those.map(({ id }) => id),
    ]);
  const statuses = async (those: readonly ReservationView[]) => {
    const rows = await floor.api.rows<{ status: string; n: number }>(
      `SELECT status, count(*)::integer AS n FROM wms.reservation WHERE id = ANY ($1) GROUP BY 1`,
      [those.map(({ id }) => id)],
    );
    return Object.fromEntries(rows.map(({ status, n }) => [status, n]));
  };

  it('gives back what it still holds, and those of others stay', async () => {
    const lot = await floor.stocked(100);
    const expiresAt = '2099-01-01T00:00:00Z';
    const [over, begun, later, never] = [
      await floor.reserve(lot.skuId, 10, { expiresAt }),
      await floor.reserve(lot.skuId, 10, { expiresAt }),
      await floor.reserve(lot.skuId, 10, { expiresAt }),
      await floor.reserve(lot.skuId, 10),
    ];
    await keyed(floor.admin).post(`${path}/${begun.id}/fulfil`, { reference: 'R', units: 4 }, 201);
    await overdue([over, begun]);
    await tick();
    await eventually(async () => {
      expect(await statuses([over, begun, later, never])).toEqual({ expired: 2, active: 2 });
    }, 10_000);
    expect(await floor.stock(lot)).toEqual({ onHand: 96, reserved: 20 });
    expect(await floor.admin.get(`${path}/${begun.id}`, 200, reservationView)).toMatchObject({
      fulfilledUnits: 4,
      allocations: [{ units: 4, fulfilledUnits: 4 }],
    });
    const facts = await floor.api.rows(
      `SELECT body ->> 'change' AS change FROM platform.outbox WHERE body ->> 'reservationId' = $1 ORDER BY id`,
      [over.id],
    );
    expect(facts).toEqual([{ change: 'reserved' }, { change: 'expired' }]);
    expect(await outcome(keyed(floor.admin), 'POST', `${path}/${over.id}/fulfil`, { reference: 'R' })).toBe(
      '409 reservation-not-open',
    );
  });

  it('is one of many, and all of them are done in one go', async () => {
    const lot = await floor.stocked(1000);
    const those: ReservationView[] = [];
    const reserve = async () => {
      those.push(await floor.reserve(lot.skuId, 1));
      return 'reserved';
    };
    await race(
      times(230, () => reserve),
      8,
    );
    await overdue(those);
    await tick();
    await eventually(async () => {
      expect(await statuses(those)).toEqual({ expired: 230 });
    }, 15_000);
    expect(await floor.stock(lot)).toEqual({ onHand: 1000, reserved: 0 });
  });

  it('is left to the next minute while somebody works on it, and holds up no other', async () => {
    const lot = await floor.stocked(100);
    const [held, free] = [await floor.reserve(lot.skuId, 10), await floor.reserve(lot.skuId, 10)];
    await overdue([held, free]);
    await floor.holding(held.id, async () => {
      await tick();
      await eventually(async () => {
        expect(await statuses([free])).toEqual({ expired: 1 });
      }, 10_000);
      expect(await statuses([held])).toEqual({ active: 1 });
    });
    await tick();
    await eventually(async () => {
      expect(await statuses([held])).toEqual({ expired: 1 });
    }, 10_000);
    expect(await floor.stock(lot)).toEqual({ onHand: 100, reserved: 0 });
  });

  it('waits while nothing may be written', async () => {
    const lot = await floor.stocked(100);
    const made = await floor.reserve(lot.skuId, 10);
    await overdue([made]);
    flags.off('wms_write');
    await eventually(async () => {
      expect(await outcome(keyed(floor.admin), 'POST', path, {})).toBe('404 feature-off');
    });
    await sleep(300);
    await tick();
    await sleep(1_500);
    expect(await statuses([made])).toEqual({ active: 1 });
    flags.on('wms_write');
    await eventually(async () => {
      expect(await statuses([made])).toEqual({ expired: 1 });
    }, 70_000);
  }, 90_000);

  it('is given back and fulfilled while the warehouse is drained, and nothing new is reserved', async () => {
    const lot = await floor.stocked(100);
    const [one, two] = [await floor.reserve(lot.skuId, 10), await floor.reserve(lot.skuId, 10)];
    const { id } = await floor.admin.post(
      '/api/wms/counts',
      { warehouse: floor.warehouse.code, skus: [lot.sku] },
      201,
      countView,
    );
    flags.mode('wms_write', 'drain');
    await eventually(async () => {
      expect(await outcome(keyed(floor.admin), 'POST', path, {})).toBe('403 feature-draining');
    });
    const send = (verb: string, body?: object, by = floor.admin) =>
      outcome(keyed(by), 'POST', `/api/wms/${verb}`, body);
    expect(await send(`reservations/${one.id}/allocate`)).toBe('403 feature-draining');
    expect(await send('counts', { warehouse: floor.warehouse.code })).toBe('403 feature-draining');
    expect(await send(`reservations/${one.id}/release`)).toBe('200');
    expect(await send(`reservations/${two.id}/fulfil`, { reference: fresh('R') })).toBe('201');
    const lines = [{ sku: lot.sku, lot: lot.code, looseUnits: 80 }];
    expect(await outcome(floor.admin, 'PUT', `/api/wms/counts/${id}/lines`, { lines })).toBe('200');
    expect(await send(`counts/${id}/post`, {}, await floor.api.as('admin'))).toBe('200');
    expect(await floor.stock(lot)).toEqual({ onHand: 80, reserved: 0 });
    flags.mode('wms_write', 'on');
  });
});
