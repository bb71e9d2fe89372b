import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  lockOrder,
  mayBePicked,
  pick,
  pickAll,
  type PickCandidate,
  pickOrder,
  type PickStrategy,
  type PickWish,
} from './pick.rules.js';

let made = 0n;
const bucket = (facts: Partial<PickCandidate> = {}): PickCandidate => ({
  balanceId: ++made,
  locationId: 'bin',
  skuId: 'sku',
  lotId: 'lot',
  stockStatus: 'available',
  lotStatus: 'available',
  isPickable: true,
  pickPriority: 100,
  unitsPerCarton: 60n,
  available: 600n,
  expiresOn: null,
  firstReceivedAt: '2025-01-06T09:30:00.000Z',
  ...facts,
});

const taken = (buckets: Record<string, PickCandidate>, strategy: PickStrategy, units: bigint) => {
  const names = new Map(Object.entries(buckets).map(([name, { balanceId }]) => [balanceId, name]));
  const { picks, short } = pick(Object.values(buckets), strategy, units);
  const from = picks.map((one) => `${names.get(one.candidate.balanceId) ?? '?'} ${one.units.toString()}`);
  return short === 0n ? from : [...from, `short ${short.toString()}`];
};

describe('a strategy', () => {
  const lots = {
    old: bucket({ lotId: 'old', firstReceivedAt: '2025-01-01T00:00:00.000Z', expiresOn: '2026-12-31' }),
    soon: bucket({ lotId: 'soon', firstReceivedAt: '2025-02-01T00:00:00.000Z', expiresOn: '2025-06-30' }),
    never: bucket({ lotId: 'never', firstReceivedAt: '2025-03-01T00:00:00.000Z' }),
  };

  it.each([
    ['fefo', ['soon 600', 'old 600', 'never 100']],
    ['fifo', ['old 600', 'soon 600', 'never 100']],
    ['lifo', ['never 600', 'soon 600', 'old 100']],
  ] as const)('%s takes %p', (strategy, order) => {
    expect(taken(lots, strategy, 1300n)).toEqual(order);
  });

  it('says what it could not find', () => {
    expect(taken(lots, 'fifo', 1900n)).toEqual(['old 600', 'soon 600', 'never 600', 'short 100']);
    expect(taken({}, 'fifo', 5n)).toEqual(['short 5']);
  });

  it('comes before whole cartons: the oldest lot is opened', () => {
    const two = {
      old: bucket({ lotId: 'old', available: 30n, firstReceivedAt: '2025-01-01T00:00:00.000Z' }),
      young: bucket({ lotId: 'young', available: 600n }),
    };
    expect(taken(two, 'fifo', 60n)).toEqual(['old 30', 'young 30']);
  });

  it('is followed by the priority of the location, then by the older bucket', () => {
    const first = bucket({ pickPriority: 1, available: 80n });
    const bulk = bucket({ pickPriority: 9, available: 6000n });
    expect(taken({ bulk, first }, 'fifo', 100n)).toEqual(['first 80', 'bulk 20']);
    const [older, younger] = [bucket(), bucket()];
    expect(taken({ younger, older }, 'fifo', 60n)).toEqual(['older 60']);
  });
});

describe('equal buckets of a lot', () => {
  it('give whole cartons before opened ones', () => {
    const a = bucket({ available: 119n });
    const b = bucket({ available: 60n });
    expect(taken({ a, b }, 'fifo', 120n)).toEqual(['a 60', 'b 60']);
  });

  it('give pieces from a carton that is open already', () => {
    const closed = bucket({ available: 120n });
    const open = bucket({ available: 45n });
    expect(taken({ closed, open }, 'fifo', 10n)).toEqual(['open 10']);
    expect(taken({ closed, open }, 'fifo', 70n)).toEqual(['closed 60', 'open 10']);
  });

  it('are as few as possible', () => {
    const small = bucket({ available: 120n });
    const middle = bucket({ available: 180n });
    const large = bucket({ available: 600n });
    expect(taken({ small, middle, large }, 'fifo', 480n)).toEqual(['large 480']);
    expect(taken({ small, middle, large }, 'fifo', 780n)).toEqual(['middle 180', 'large 600']);
    const both = bucket({ available: 150n });
    expect(taken({ small, both }, 'fifo', 130n)).toEqual(['both 130']);
  });

  it('open a carton when nothing else is left', () => {
    const a = bucket({ available: 30n });
    const b = bucket({ available: 60n });
    expect(taken({ a, b }, 'fifo', 80n)).toEqual(['a 20', 'b 60']);
    expect(taken({ a, b }, 'fifo', 85n)).toEqual(['a 25', 'b 60']);
    expect(taken({ b }, 'fifo', 59n)).toEqual(['b 59']);
  });
});

describe('a bucket', () => {
  it.each([
    [{}, true],
    [{ stockStatus: 'quarantine' }, false],
    [{ lotStatus: 'hold' }, false],
    [{ isPickable: false }, false],
    [{ available: 0n }, false],
    [{ expiresOn: '2025-06-29' }, false],
    [{ expiresOn: '2025-06-30' }, true],
  ])('with %p may be picked for 2025-06-30: %p', (facts, picked) => {
    expect(mayBePicked(bucket(facts), '2025-06-30', 0)).toBe(picked);
  });

  it('must last as long as is asked', () => {
    const lot = bucket({ expiresOn: '2025-07-30' });
    expect([30, 31].map((days) => mayBePicked(lot, '2025-06-30', days))).toEqual([true, false]);
  });
});

describe('several wishes', () => {
  const wish = (facts: Partial<PickWish> = {}): PickWish => ({
    skuId: 'sku',
    lotId: null,
    units: 60n,
    strategy: 'fifo',
    neededOn: '2025-06-30',
    minShelfLifeDays: 0,
    ...facts,
  });
  const given = (candidates: PickCandidate[], wishes: PickWish[]) =>
    pickAll(candidates, wishes).map(({ picks, short }) => [picks.map(({ units }) => units), short]);

  it('do not get the same units twice', () => {
    expect(given([bucket({ available: 100n })], [wish(), wish()])).toEqual([
      [[60n], 0n],
      [[40n], 20n],
    ]);
  });

  it('get what is of their SKU and lot, and still good', () => {
    const all = [
      bucket({ skuId: 'other' }),
      bucket({ lotId: 'old', available: 10n, expiresOn: '2025-06-29' }),
      bucket({ lotId: 'new', available: 10n, expiresOn: '2025-07-30' }),
    ];
    expect(given(all, [wish()])).toEqual([[[10n], 50n]]);
    expect(given(all, [wish({ lotId: 'old' })])).toEqual([[[], 60n]]);
    expect(given(all, [wish({ minShelfLifeDays: 31 })])).toEqual([[[], 60n]]);
    expect(given(all, [wish({ skuId: 'other' })])).toEqual([[[60n], 0n]]);
  });
});

describe('any pick', () => {
  const candidates = fc.array(
    fc.record({
      lot: fc.integer({ min: 1, max: 3 }),
      available: fc.bigInt({ min: 0n, max: 400n }),
      pickPriority: fc.constantFrom(1, 2),
    }),
    { maxLength: 12 },
  );
  const strategy = fc.constantFrom<PickStrategy>('fifo', 'fefo', 'lifo');

  it('takes what is there, never more, and no bucket twice', () => {
    fc.assert(
      fc.property(candidates, strategy, fc.bigInt({ min: 1n, max: 3_000n }), (facts, chosen, units) => {
        const buckets = facts.map(({ lot, ...fact }) =>
          bucket({ ...fact, lotId: `lot ${lot}`, firstReceivedAt: `2025-01-0${lot}T00:00:00.000Z` }),
        );
        const { picks, short } = pick(buckets, chosen, units);
        const found = picks.reduce((sum, one) => sum + one.units, 0n);
        const stock = buckets.reduce((sum, { available }) => sum + available, 0n);
        expect(found + short).toBe(units);
        expect(found).toBe(stock < units ? stock : units);
        expect(picks.every((one) => one.units > 0n && one.units <= one.candidate.available)).toBe(true);
        expect(new Set(picks.map((one) => one.candidate.balanceId)).size).toBe(picks.length);
      }),
      { numRuns: 1_000 },
    );
  });

  it('empties a lot before it begins the next of the order', () => {
    fc.assert(
      fc.property(candidates, strategy, fc.bigInt({ min: 1n, max: 3_000n }), (facts, chosen, units) => {
        const buckets = facts.map(({ lot, ...fact }) =>
          bucket({ ...fact, lotId: `lot ${lot}`, firstReceivedAt: `2025-01-0${lot}T00:00:00.000Z` }),
        );
        const used = new Map(pick(buckets, chosen, units).picks.map((one) => [one.candidate.balanceId, one.units]));
        const rank = ({ lotId, pickPriority }: PickCandidate) => `${lotId} ${pickPriority}`;
        const ranks = [...new Set(buckets.toSorted(pickOrder(chosen)).map(rank))];
        const whole = ranks.map((name) => {
          const same = buckets.filter((one) => rank(one) === name);
          return same.every((one) => (used.get(one.balanceId) ?? 0n) === one.available);
        });
        const touched = ranks.map((name) => buckets.some((one) => rank(one) === name && used.has(one.balanceId)));
        const last = touched.lastIndexOf(true);
        expect(whole.slice(0, Math.max(last, 0)).every(Boolean)).toBe(true);
      }),
    );
  });
});

describe('locks', () => {
  it('are taken by location, then lot, then status', () => {
    const three = [
      bucket({ locationId: 'b', lotId: 'a' }),
      bucket({ locationId: 'a', lotId: 'b', stockStatus: 'quarantine' }),
      bucket({ locationId: 'a', lotId: 'b', stockStatus: 'available' }),
    ];
    expect(three.toSorted(lockOrder).map((one) => [one.locationId, one.lotId, one.stockStatus])).toEqual([
      ['a', 'b', 'available'],
      ['a', 'b', 'quarantine'],
      ['b', 'a', 'available'],
    ]);
  });
});
