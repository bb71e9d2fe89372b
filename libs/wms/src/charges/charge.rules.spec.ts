import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type ChargeCategory,
  type ChargedEvent,
  type EventLine,
  NoPalletTier,
  priceEvent,
  type RateBasis,
  type RateParams,
  type SheetRate,
} from './charge.rules.js';
import { Money, Qty, Rate } from '../money.rules.js';

const rate = (
  category: ChargeCategory,
  name: string,
  basis: RateBasis,
  value: string,
  params: RateParams = {},
  from = '2025-01-01',
  to: string | null = null,
): SheetRate => ({ id: `${name} ${from}`, category, name, basis, value: Rate.parse(value, 'GBP'), params, from, to });

const line = (lineNo: number, facts: Partial<EventLine> = {}): EventLine => ({
  lineNo,
  skuId: `sku ${lineNo}`,
  units: 600n,
  cartons: 10n,
  pallets: 1n,
  cartonMm3: 33_040_000n,
  ...facts,
});

const receipt = (facts: Partial<ChargedEvent> = {}): ChargedEvent => ({
  kind: 'RECEIVE',
  on: '2025-01-06',
  inboundType: 'CONTAINER_40',
  containerNumber: 'CSQU3054383',
  containerCharged: false,
  lines: [line(1)],
  ...facts,
});

const shipment = (facts: Partial<ChargedEvent> = {}): ChargedEvent =>
  receipt({ kind: 'SHIP', inboundType: null, containerNumber: null, ...facts });

/** The sheet of an operator. */
const sheet = [
  rate('Container', "20' container", 'per_container', '650', { inboundType: 'CONTAINER_20' }),
  rate('Container', "40' container", 'per_container', '825', { inboundType: 'CONTAINER_40' }),
  rate('Container', "40' HQ container", 'per_container', '875', { inboundType: 'CONTAINER_40_HQ' }),
  rate('Container', "45' HQ container", 'per_container', '950', { inboundType: 'CONTAINER_45_HQ' }),
  rate('Carton', 'LCL', 'per_carton_in', '0.95', { inboundType: 'LCL' }),
  rate('Accessorial', 'Extra SKU', 'over_threshold', '10', { measure: 'skus', threshold: '10' }),
  rate('Carton', 'Carton over 1200', 'over_threshold', '0.05', { measure: 'cartons', threshold: '1200' }),
  rate('Pallet', 'Pallet and wrap', 'per_pallet_out', '13.75'),
];

const bill = (event: ChargedEvent, rates: readonly SheetRate[] = sheet) =>
  priceEvent(event, rates).map(({ name, quantity, amount }) => [name, quantity.toString(), amount?.toString() ?? null]);

describe('the sheet', () => {
  it.each([
    ['CONTAINER_20', "20' container", '650.00'],
    ['CONTAINER_40', "40' container", '825.00'],
    ['CONTAINER_40_HQ', "40' HQ container", '875.00'],
    ['CONTAINER_45_HQ', "45' HQ container", '950.00'],
  ] as const)('charges a container of type %s once', (inboundType, name, amount) => {
    expect(bill(receipt({ inboundType }))).toEqual([[name, '1', amount]]);
  });

  it('charges a container that came in two documents with the first of them', () => {
    expect(bill(receipt({ containerCharged: true }))).toEqual([]);
  });

  it('charges loose cargo by the carton, and no container', () => {
    const lines = [line(1, { cartons: 17n }), line(2, { cartons: 1n })];
    expect(bill(receipt({ inboundType: 'LCL', lines }))).toEqual([['LCL', '18', '17.10']]);
  });

  it.each([
    [10, []],
    [11, [['Extra SKU', '1', '10.00']]],
    [13, [['Extra SKU', '3', '30.00']]],
  ])('charges %p SKUs beyond the tenth', (skus, charges) => {
    const lines = Array.from({ length: skus }, (_, index) => line(index + 1));
    expect(bill(receipt({ containerCharged: true, lines }))).toEqual(charges);
  });

  it('counts a SKU once, however many lots of it there are', () => {
    const lines = Array.from({ length: 11 }, (_, index) => line(index + 1, { skuId: 'same' }));
    expect(bill(receipt({ containerCharged: true, lines }))).toEqual([]);
  });

  it.each([
    [1200n, []],
    [1201n, [['Carton over 1200', '1', '0.05']]],
    [1300n, [['Carton over 1200', '100', '5.00']]],
  ])('charges %p cartons beyond the 1200th', (cartons, charges) => {
    expect(bill(receipt({ containerCharged: true, lines: [line(1, { cartons })] }))).toEqual(charges);
  });

  it('charges pallets that leave, and thresholds only of what comes in', () => {
    const lines = [line(1, { pallets: 2n, cartons: 1300n }), line(2, { pallets: 0n })];
    expect(bill(shipment({ lines }))).toEqual([['Pallet and wrap', '2', '27.50']]);
  });
});

describe('a basis', () => {
  it('charges all its rates: a container may cost handling, a port fee and unloading', () => {
    const three = [
      rate('Container', 'Terminal handling', 'per_container', '120'),
      rate('Container', 'Port fee', 'per_container', '35.50'),
      rate('Container', 'Unloading', 'per_container', '300'),
    ];
    expect(bill(receipt(), three)).toEqual([
      ['Port fee', '1', '35.50'],
      ['Terminal handling', '1', '120.00'],
      ['Unloading', '1', '300.00'],
    ]);
  });

  it('takes the rate of the effective day, both ends included', () => {
    const prices = [
      rate('Shipment', 'Dispatch', 'per_shipment', '5', {}, '2025-01-01', '2025-01-31'),
      rate('Shipment', 'Dispatch', 'per_shipment', '6', {}, '2025-02-01'),
    ];
    const amounts = ['2025-01-01', '2025-01-31', '2025-02-01'].map((on) => bill(shipment({ on }), prices)[0]?.[2]);
    expect(amounts).toEqual(['5.00', '5.00', '6.00']);
  });

  it('without a rate on the day leaves a charge that nobody can price yet', () => {
    const ended = [
      rate('Shipment', 'Dispatch 2023', 'per_shipment', '4', {}, '2023-01-01', '2023-12-31'),
      rate('Shipment', 'Dispatch 2024', 'per_shipment', '5', {}, '2024-01-01', '2024-12-31'),
    ];
    expect(priceEvent(shipment(), ended)).toMatchObject([
      { name: 'Dispatch 2024', rateId: null, rate: null, amount: null, parts: [{ lineNo: 1, amount: null }] },
    ]);
    expect(bill(shipment(), ended)).toEqual([['Dispatch 2024', '1', null]]);
    expect(bill(receipt(), ended)).toEqual([]);
  });

  it.each([
    ['per_carton_in', 'RECEIVE', '12'],
    ['per_pallet_in', 'RECEIVE', '3'],
    ['per_pallet_out', 'SHIP', '3'],
    ['per_carton_out_loose', 'SHIP', '2'],
    ['per_unit', 'SHIP', '720'],
    ['per_shipment', 'SHIP', '1'],
    ['flat', 'RECEIVE', '1'],
  ] as const)('%s counts on %s', (basis, kind, quantity) => {
    const lines = [line(1, { pallets: 3n }), line(2, { units: 120n, cartons: 2n, pallets: 0n })];
    const prices = [rate('Unit', 'It', basis, '1')];
    expect(bill(receipt({ kind, lines }), prices)[0]?.[1]).toBe(quantity);
  });

  it.each(['per_carton_in', 'per_pallet_in', 'per_container'] as const)('%s costs nothing on the way out', (basis) => {
    expect(bill(shipment(), [rate('Unit', 'It', basis, '1')])).toEqual([]);
  });

  it('is not charged by people or by the week here', () => {
    expect(
      bill(shipment(), [rate('Unit', 'By hand', 'manual', '1'), rate('Storage', 'Week', 'pallet_week', '1')]),
    ).toEqual([]);
  });

  it('may be narrowed to what comes or what goes', () => {
    const picks = [rate('Unit', 'Pick', 'per_unit', '0.10', { on: 'SHIP' })];
    expect(bill(receipt(), picks)).toEqual([]);
    expect(bill(shipment(), picks)).toEqual([['Pick', '600', '60.00']]);
  });
});

describe('a minimum', () => {
  const minimum = [rate('Shipment', 'Handling', 'min_charge', '1.00', { minimum: '15' })];

  it.each([
    [14n, '1', '15.00', '15.00'],
    [15n, '15', '1.00', '15.00'],
    [16n, '16', '1.00', '16.00'],
  ])('of 15 at 1.00 a carton makes %p cartons %p at %s, %s', (cartons, quantity, price, amount) => {
    const [charge] = priceEvent(shipment({ lines: [line(1, { cartons })] }), minimum);
    expect([charge?.quantity, charge?.rate, charge?.amount].map(String)).toEqual([quantity, price, amount]);
  });

  it('is of shipments', () => {
    expect(bill(receipt(), minimum)).toEqual([]);
  });
});

describe('trucking tiers', () => {
  const tiers = [
    rate('Shipment', 'Up to 8', 'pallet_tier_flat', '250', { fromPallets: 1, toPallets: 8 }),
    rate('Shipment', '9 to 12', 'pallet_tier_flat', '30', { fromPallets: 9, toPallets: 12, per: 'pallet' }),
    rate('Shipment', '13 to 28', 'pallet_tier_flat', '520', { fromPallets: 13, toPallets: 28 }),
  ];

  it.each([
    [1n, 'Up to 8', '1', '250.00'],
    [8n, 'Up to 8', '1', '250.00'],
    [9n, '9 to 12', '9', '270.00'],
    [12n, '9 to 12', '12', '360.00'],
    [13n, '13 to 28', '1', '520.00'],
    [28n, '13 to 28', '1', '520.00'],
  ])('price %p pallets as %s', (pallets, name, quantity, amount) => {
    expect(bill(shipment({ lines: [line(1, { pallets })] }), tiers)).toEqual([[name, quantity, amount]]);
  });

  it('end: more pallets than the largest takes are refused', () => {
    expect(() => bill(shipment({ lines: [line(1, { pallets: 20n }), line(2, { pallets: 9n })] }), tiers)).toThrow(
      NoPalletTier,
    );
  });

  it('have nothing to do with loose cartons', () => {
    expect(bill(shipment({ lines: [line(1, { pallets: 0n })] }), tiers)).toEqual([]);
  });
});

describe('a price of the whole document', () => {
  const container = [rate('Container', 'Container', 'per_container', '825')];
  const parts = (lines: readonly EventLine[]) => {
    const [charge] = priceEvent(receipt({ lines }), container);
    return [charge?.splitBy, charge?.parts.map((part) => [part.lineNo, String(part.amount), String(part.quantity)])];
  };

  it('is split over the lines by the room of their cartons', () => {
    const lines = [line(1, { cartons: 10n, cartonMm3: 2_000n }), line(2, { cartons: 20n, cartonMm3: 500n })];
    expect(parts(lines)).toEqual([
      'volume',
      [
        [1, '550.00', '0.6667'],
        [2, '275.00', '0.3333'],
      ],
    ]);
  });

  it('gives coins that do not divide to the first lines', () => {
    expect(parts([line(3), line(1), line(2)].map((one) => ({ ...one, cartons: 7n })))).toEqual([
      'volume',
      [
        [1, '275.00', '0.3334'],
        [2, '275.00', '0.3333'],
        [3, '275.00', '0.3333'],
      ],
    ]);
  });

  it('is split by cartons, and says so, when the size of one is not known', () => {
    const lines = [line(1, { cartons: 1n, cartonMm3: null }), line(2, { cartons: 3n })];
    expect(parts(lines)).toEqual([
      'cartons',
      [
        [1, '206.25', '0.25'],
        [2, '618.75', '0.75'],
      ],
    ]);
  });

  it('is always the sum of its parts', () => {
    const lines = fc.array(
      fc.record({ cartons: fc.bigInt({ min: 0n, max: 5_000n }), cartonMm3: fc.bigInt({ min: 1n, max: 10n ** 9n }) }),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(lines, fc.integer({ min: 0, max: 1_000_000 }), (facts, value) => {
        const event = receipt({ lines: facts.map((fact, index) => line(index + 1, fact)) });
        const rates = [rate('Container', 'Container', 'per_container', `${value}.005`)];
        const [charge] = priceEvent(event, rates);
        const amounts = charge?.parts.map((part) => part.amount ?? Money.zero('GBP')) ?? [];
        expect(Money.sum(amounts, 'GBP').toString()).toBe(
          Rate.parse(`${value}.005`, 'GBP').times(Qty.of(1n)).toString(),
        );
        expect(Qty.sum(charge?.parts.map((part) => part.quantity) ?? []).toString()).toBe('1');
      }),
    );
  });
});
