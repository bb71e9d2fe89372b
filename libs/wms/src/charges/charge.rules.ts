import { Money, Qty, Rate } from '../money.rules.js';

export const chargeCategories = [
  'Container',
  'Carton',
  'Pallet',
  'Storage',
  'Unit',
  'Shipment',
  'Accessorial',
] as const;
export type ChargeCategory = (typeof chargeCategories)[number];

/** What an event is charged by, in the order in which charges are made. Storage is charged by the week, `manual` by people. */
export const eventBases = [
  'per_container',
  'per_carton_in',
  'per_pallet_in',
  'per_pallet_out',
  'per_carton_out_loose',
  'per_unit',
  'per_shipment',
  'flat',
  'over_threshold',
  'min_charge',
  'pallet_tier_flat',
] as const;
export const rateBases = [...eventBases, 'manual', 'pallet_week', 'pallet_day', 'cuft_month'] as const;
type EventBasis = (typeof eventBases)[number];
export type RateBasis = (typeof rateBases)[number];

export const inboundTypes = ['CONTAINER_20', 'CONTAINER_40', 'CONTAINER_40_HQ', 'CONTAINER_45_HQ', 'LCL'] as const;
export type InboundType = (typeof inboundTypes)[number];

/** What narrows a rate down; the column `params` of its row. */
export interface RateParams {
  /** Only receipts that came like this. */
  readonly inboundType?: InboundType;
  /** Only movements of this kind; without it goods that come and goods that go. */
  readonly on?: 'RECEIVE' | 'SHIP';
  /** over_threshold: what is counted, and how much of it is free. */
  readonly measure?: 'cartons' | 'skus';
  readonly threshold?: string;
  /** min_charge: the least that a shipment costs. */
  readonly minimum?: string;
  /** pallet_tier_flat: the pallets of the tier, both ends included, and whether each of them costs the value. */
  readonly fromPallets?: number;
  readonly toPallets?: number;
  readonly per?: 'document' | 'pallet';
}

export interface SheetRate {
  readonly id: string;
  readonly category: ChargeCategory;
  readonly name: string;
  readonly basis: RateBasis;
  readonly value: Rate;
  readonly params: RateParams;
  /** Days, both included; open when `to` is null. */
  readonly from: string;
  readonly to: string | null;
}

export interface EventLine {
  readonly lineNo: number;
  readonly skuId: string;
  readonly units: bigint;
  /** An opened carton counts as one. */
  readonly cartons: bigint;
  /** Receipts: the reported storage pallets, else the computed ones. Shipments: the shipping pallets, 0 for loose cartons. */
  readonly pallets: bigint;
  /** Of one carton; null when its size is not known. */
  readonly cartonMm3: bigint | null;
}

/** A receipt or a shipment, as far as it costs something. */
export interface ChargedEvent {
  readonly kind: 'RECEIVE' | 'SHIP';
  /** The effective local day, which decides the rates. */
  readonly on: string;
  readonly inboundType: InboundType | null;
  readonly containerNumber: string | null;
  /** Another receipt of the same group of documents already brought the container. */
  readonly containerCharged: boolean;
  readonly lines: readonly EventLine[];
}

interface ChargePart {
  readonly lineNo: number;
  readonly quantity: Qty;
  /** Null when no rate is valid. */
  readonly amount: Money | null;
}

/** One rate's price of the event, over its lines; a price of the whole document is split over them exactly. */
export interface EventCharge {
  readonly basis: EventBasis;
  readonly category: ChargeCategory;
  readonly name: string;
  readonly currency: string;
  /** Null when the basis has rates, but none that is valid on the day: nobody knows yet what it costs. */
  readonly rateId: string | null;
  readonly rate: Rate | null;
  readonly quantity: Qty;
  readonly amount: Money | null;
  readonly parts: readonly ChargePart[];
  /** By what a document's price was split; `cartons` because a size is missing. Null for a price of each line. */
  readonly splitBy: 'volume' | 'cartons' | null;
}

/** There are tiers for that day, and none for so many pallets. */
export class NoPalletTier extends Error {
  override readonly name = 'NoPalletTier';

  constructor(
    readonly pallets: bigint,
    readonly largest: number,
  ) {
    super(`No tier of the rates takes ${pallets.toString()} pallets; the largest ends at ${largest}`);
  }
}

/**
 * What the event costs: every rate of the sheet that applies to it, chosen by basis, never by words in a name. Throws
 * NoPalletTier.
 */
export function priceEvent(event: ChargedEvent, sheet: readonly SheetRate[]): EventCharge[] {
  return eventBases.flatMap((basis) => {
    const rates = sheet.filter((rate) => rate.basis === basis && applies(rate.params, event));
    const valid = rates.filter((rate) => rate.from <= event.on && (rate.to === null || event.on <= rate.to));
    if (valid.length === 0) return unrated(basis, rates, event);
    const chosen = basis === 'pallet_tier_flat' ? tiersFor(palletsOut(event), valid) : valid;
    return chosen
      .toSorted((one, other) => order(one.name, other.name))
      .flatMap((rate) => charge(basis, rate, event, rate));
  });
}

/** The event at a price nobody knows, under the name it had last. */
function unrated(basis: EventBasis, rates: readonly SheetRate[], event: ChargedEvent): EventCharge[] {
  const [latest] = rates.toSorted((one, other) => order(other.from, one.from) || order(one.name, other.name));
  return latest ? charge(basis, latest, event, null) : [];
}

function charge(basis: EventBasis, named: SheetRate, event: ChargedEvent, valid: SheetRate | null): EventCharge[] {
  const counted = perLine[basis];
  const parts = counted ? partsOf(event, counted, valid?.value ?? null) : undefined;
  const document = parts ? undefined : documentPrice(basis, named, event);
  const quantity = parts ? Qty.sum(parts.map((part) => part.quantity)) : (document?.quantity ?? Qty.of(0n));
  if (quantity.isZero) return [];

  const currency = named.value.currency;
  const rate = valid ? (document?.rate ?? valid.value) : null;
  const shared = parts ? undefined : split(event, quantity, rate?.times(quantity) ?? null);
  const of = parts ?? shared?.parts ?? [];
  const amount =
    rate &&
    Money.sum(
      of.flatMap((part) => part.amount ?? []),
      currency,
    );
  return [
    {
      basis,
      category: named.category,
      name: named.name,
      currency,
      rateId: valid?.id ?? null,
      rate,
      quantity,
      amount,
      parts: of,
      splitBy: shared?.by ?? null,
    },
  ];
}

/** What the bases count on each line; the others price the document. */
const perLine: Readonly<Partial<Record<EventBasis, (line: EventLine, event: ChargedEvent) => bigint>>> = {
  per_carton_in: (line, { kind }) => (kind === 'RECEIVE' ? line.cartons : 0n),
  per_pallet_in: (line, { kind }) => (kind === 'RECEIVE' ? line.pallets : 0n),
  per_pallet_out: (line, { kind }) => (kind === 'SHIP' ? line.pallets : 0n),
  per_carton_out_loose: (line, { kind }) => (kind === 'SHIP' && line.pallets === 0n ? line.cartons : 0n),
  per_unit: (line) => line.units,
};

function partsOf(
  event: ChargedEvent,
  count: (line: EventLine, event: ChargedEvent) => bigint,
  rate: Rate | null,
): ChargePart[] {
  return event.lines.flatMap((line) => {
    const quantity = Qty.of(count(line, event));
    return quantity.isZero ? [] : [{ lineNo: line.lineNo, quantity, amount: rate?.times(quantity) ?? null }];
  });
}

/** How much of the rate the whole document is charged; another rate where a minimum takes its place. */
function documentPrice(
  basis: EventBasis,
  { value, params }: SheetRate,
  event: ChargedEvent,
): { quantity: Qty; rate?: Rate } {
  switch (basis) {
    case 'per_container': {
      const brought = event.kind === 'RECEIVE' && event.containerNumber !== null && event.inboundType !== 'LCL';
      return once(brought && !event.containerCharged);
    }
    case 'per_shipment':
      return once(event.kind === 'SHIP');
    case 'over_threshold':
      return { quantity: Qty.of(beyond(measured(params, event), BigInt(params.threshold ?? '0'))) };
    case 'min_charge': {
      const handling = Qty.of(event.kind === 'SHIP' ? cartonsOf(event) : 0n);
      if (handling.isZero) return { quantity: handling };
      const minimum = Money.parse(params.minimum ?? '0', value.currency);
      const reached = value.times(handling).compare(minimum) >= 0;
      return reached
        ? { quantity: handling }
        : { quantity: Qty.of(1n), rate: Rate.parse(minimum.toString(), minimum.currency) };
    }
    case 'pallet_tier_flat':
      return params.per === 'pallet' ? { quantity: Qty.of(palletsOut(event)) } : once(palletsOut(event) > 0n);
    default:
      return once(true);
  }
}

function once(charged: boolean): { quantity: Qty } {
  return { quantity: Qty.of(charged ? 1n : 0n) };
}

function applies({ inboundType, on }: RateParams, event: ChargedEvent): boolean {
  return (inboundType === undefined || inboundType === event.inboundType) && (on === undefined || on === event.kind);
}

/** Thresholds are about receipts unless the rate says otherwise. */
function measured({ measure, on = 'RECEIVE' }: RateParams, event: ChargedEvent): bigint {
  if (event.kind !== on) return 0n;
  return measure === 'skus' ? BigInt(new Set(event.lines.map((line) => line.skuId)).size) : cartonsOf(event);
}

function beyond(count: bigint, threshold: bigint): bigint {
  return count > threshold ? count - threshold : 0n;
}

function tiersFor(pallets: bigint, tiers: readonly SheetRate[]): SheetRate[] {
  if (pallets === 0n) return [];
  const chosen = tiers.filter(({ params }) => {
    const { fromPallets = 1, toPallets = Number.MAX_SAFE_INTEGER } = params;
    return BigInt(fromPallets) <= pallets && pallets <= BigInt(toPallets);
  });
  if (chosen.length === 0)
    throw new NoPalletTier(pallets, Math.max(...tiers.map(({ params }) => params.toPallets ?? 0)));
  return chosen;
}

function palletsOut({ kind, lines }: ChargedEvent): bigint {
  return kind === 'SHIP' ? lines.reduce((sum, line) => sum + line.pallets, 0n) : 0n;
}

function cartonsOf({ lines }: ChargedEvent): bigint {
  return lines.reduce((sum, line) => sum + line.cartons, 0n);
}

/** Over the lines in proportion to the room that their cartons take, else to the cartons. */
function split(
  { lines }: ChargedEvent,
  quantity: Qty,
  amount: Money | null,
): { readonly by: 'volume' | 'cartons'; readonly parts: readonly ChargePart[] } {
  const inOrder = lines.toSorted((one, other) => one.lineNo - other.lineNo);
  const volumes = inOrder.flatMap(({ cartonMm3, cartons }) => (cartonMm3 === null ? [] : [cartonMm3 * cartons]));
  const by = volumes.length === inOrder.length ? 'volume' : 'cartons';
  const weights = by === 'volume' ? volumes : inOrder.map((line) => line.cartons);
  const amounts = amount?.split(weights);
  const parts = quantity.split(weights).flatMap((share, index) => {
    const line = inOrder[index];
    return line ? [{ lineNo: line.lineNo, quantity: share, amount: amounts?.[index] ?? null }] : [];
  });
  return { by, parts };
}

function order(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
