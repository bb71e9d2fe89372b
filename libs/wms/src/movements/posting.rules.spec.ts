import { describe, expect, it } from '@jest/globals';
import { shortBuckets, takings, type LineDraft } from './posting.rules.js';

const line = (units: bigint, lotId = 'lot', locationId = 'bin'): LineDraft => ({
  locationId,
  skuId: 'sku',
  lotId,
  stockStatus: 'available',
  units,
});

describe('what a document takes', () => {
  it('is summed by bucket, under the first line that takes from it', () => {
    const lines = [line(5n), line(-3n), line(-4n), line(-1n, 'other'), line(-1n, 'lot', 'elsewhere')];
    expect(takings(lines).map(({ lotId, locationId, units, line: at }) => [lotId, locationId, units, at])).toEqual([
      ['lot', 'bin', 2n, 3],
      ['other', 'bin', 1n, 4],
      ['lot', 'elsewhere', 1n, 5],
    ]);
  });

  it('is nothing where as much comes as goes', () => {
    expect(takings([line(-5n), line(5n)])).toEqual([]);
  });

  it('does not take two buckets for one because their names run together', () => {
    expect(takings([line(-1n, 'a","b', 'c'), line(-1n, 'b', 'c","a')])).toHaveLength(2);
  });
});

describe('what is missing', () => {
  const stock = (on_hand: string, reserved: string) => ({
    location_id: 'bin',
    lot_id: 'lot',
    stock_status: 'available',
    location: 'BIN',
    sku: 'CS 008',
    lot: '8',
    on_hand,
    reserved,
  });

  it('is what is on hand less what is promised', () => {
    const taken = takings([line(-600n)]);
    expect(shortBuckets(taken, [stock('660', '60')])).toEqual([]);
    expect(shortBuckets(taken, [stock('540', '60')])).toMatchObject([
      { line: 1, requestedUnits: 600, onHand: 540, reserved: 60, available: 480 },
    ]);
  });
});
