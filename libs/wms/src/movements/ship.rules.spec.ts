import { describe, expect, it } from '@jest/globals';
import { shippedEvents, withPallets, type OutgoingLine } from './ship.rules.js';

const line = (of: number, cartons: number, details: Partial<OutgoingLine> = {}): OutgoingLine => ({
  of,
  skuId: 'sku',
  sku: 'CS 008',
  lotId: `lot ${of}`,
  lot: '8',
  locationId: 'bin',
  location: 'BIN',
  stockStatus: 'available',
  units: BigInt(-60 * cartons),
  unitsPerCarton: 60,
  cartonsPerPallet: 16,
  cartonMm3: 33_040_000n,
  ...details,
});

const pallets = (lines: readonly OutgoingLine[]) =>
  lines.map(({ palletsReported, palletsComputed }) => [palletsReported, palletsComputed]);

describe('shipping pallets', () => {
  it('are those that are begun, for each bucket', () => {
    expect(pallets(withPallets([line(0, 16), line(1, 17), line(2, 1)], []))).toEqual([
      [null, 1],
      [null, 2],
      [null, 1],
    ]);
  });

  it('are none where goods go without', () => {
    expect(pallets(withPallets([line(0, 16, { cartonsPerPallet: null })], []))).toEqual([[null, null]]);
  });

  it('that people counted stand on the first bucket of their line, beside all that its cartons make', () => {
    const lines = [line(0, 17, { lotId: 'a' }), line(0, 1, { lotId: 'b' }), line(1, 1)];
    expect(pallets(withPallets(lines, [2, undefined]))).toEqual([
      [2, 3],
      [null, null],
      [null, 1],
    ]);
  });

  it('of two lines that take from one bucket are begun once', () => {
    const lines = [line(0, 8, { lotId: 'a' }), line(1, 8, { lotId: 'a' })];
    const merged = withPallets(lines, [1, 1]);
    expect(merged.map(({ units, of }) => [units, of])).toEqual([[-960n, 0]]);
    expect(pallets(merged)).toEqual([[2, 1]]);
  });

  it('count for nothing that was counted as none', () => {
    expect(shippedEvents(withPallets([line(0, 20)], [0]))).toMatchObject([{ pallets: 0n, cartons: 20n }]);
  });
});

describe('what a shipment is charged by', () => {
  it('is each line of the request, wherever its goods came from', () => {
    const lines = withPallets([line(0, 17, { lotId: 'a' }), line(0, 1, { lotId: 'b' }), line(1, 2)], []);
    expect(shippedEvents(lines)).toEqual([
      { lineNo: 1, skuId: 'sku', units: 1080n, cartons: 18n, pallets: 3n, cartonMm3: 33_040_000n },
      { lineNo: 3, skuId: 'sku', units: 120n, cartons: 2n, pallets: 1n, cartonMm3: 33_040_000n },
    ]);
  });

  it('has no size of carton where the cartons have several', () => {
    const lines = [line(0, 1, { lotId: 'a' }), line(0, 1, { lotId: 'b', cartonMm3: 1n })];
    expect(shippedEvents(withPallets(lines, []))).toMatchObject([{ cartonMm3: null }]);
  });

  it('counts an opened carton as one', () => {
    expect(shippedEvents(withPallets([line(0, 0, { units: -61n })], []))).toMatchObject([{ cartons: 2n, units: 61n }]);
  });
});
