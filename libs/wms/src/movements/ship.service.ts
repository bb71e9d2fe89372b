import { Injectable } from '@nestjs/common';
import { InvalidRequest, type Caller, type Executor } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { linesGiven } from '../goods/line.queries.js';
import { Fulfilment } from '../reservations/fulfilment.service.js';
import { soundStock } from '../stock/pick.queries.js';
import type { PickStrategy } from '../stock/pick.rules.js';
import { Picking, type Claim, type Picked } from '../stock/picking.service.js';
import { WarehouseScope, type KnownWarehouse } from '../warehouses/warehouse-scope.service.js';
import { idsAndCodes } from '../wms.contract.js';
import {
  LineLookup,
  namedLine,
  refuseBlocked,
  type AskedLine,
  type Enquiry,
  type FoundDocument,
  type FoundLine,
} from './lookup.service.js';
import type { PostedMovementView, Shipment } from './movement.contract.js';
import {
  likelyRepeated,
  pointerTo,
  quantityIssues,
  repeatedBuckets,
  unitsAsked,
  unitsIssues,
  type Issue,
  type Limits,
} from './movement.rules.js';
import { InsufficientStock } from './posting.problems.js';
import { shippedEvents, withPallets, type OutgoingLine } from './ship.rules.js';
import { Submission, type Planned } from './submission.service.js';

const SHIP = 'wms.inventory:ship';

type ShipmentLine = Shipment['lines'][number];

/** What one line of the request takes out of one bucket. */
interface Part {
  readonly asked: AskedLine;
  /** Known of what was picked; a bucket that was named says it in cartons. */
  readonly units?: bigint;
}

interface Wish {
  readonly index: number;
  readonly skuId: string;
  readonly sku: string;
  readonly lotId: string | null;
  readonly units: bigint;
  readonly strategy: PickStrategy | null;
}

/** Goods go out. */
@Injectable()
export class ShipService {
  constructor(
    private readonly warehouses: WarehouseScope,
    private readonly lookup: LineLookup,
    private readonly picking: Picking,
    private readonly fulfilment: Fulfilment,
    private readonly submission: Submission,
  ) {}

  /** `permission` is the one that the caller must hold in the warehouse: whoever fulfils a reservation ships by that. */
  ship(by: Caller, shipment: Shipment, permission = SHIP): Promise<PostedMovementView> {
    const isPicked = shipment.lines.some((line) => line.location === undefined);
    return this.submission.submit(by, isPicked, (on, tx) => this.plan(on, by, shipment, permission, tx));
  }

  /** The movement that it makes, for who posts it in a transaction of their own. */
  async plan(on: Executor, by: Caller, shipment: Shipment, permission = SHIP, tx?: EntityManager): Promise<Planned> {
    const { warehouse, lines: given } = shipment;
    const issues = given.flatMap((line, index) => issuesOf(line, index, this.lookup.limits));
    const parts = tx
      ? await this.partsOf(tx, await this.warehouses.writable(tx, by, permission, warehouse), given, issues)
      : given.map(named);
    const document = await this.lookup.find(on, by, { warehouse, permission }, this.enquiry(shipment, parts, issues));
    return planned(document.warehouse, shipment, parts, document);
  }

  /** Of a shipment whose lines name their buckets. */
  enquiryOfNamed(shipment: Shipment): Enquiry {
    const { lines: given } = shipment;
    const issues = given.flatMap((line, index) => issuesOf(line, index, this.lookup.limits));
    return this.enquiry(shipment, given.map(named), issues);
  }

  /** The movement of a shipment whose lines name their buckets, once they are found. */
  plannedOfNamed(warehouse: KnownWarehouse, shipment: Shipment, document: FoundDocument): Planned {
    return planned(warehouse, shipment, shipment.lines.map(named), document);
  }

  private enquiry(
    { reference, shipMode, effectiveAt: at, lines: given }: Shipment,
    parts: readonly Part[],
    issues: readonly Issue[],
  ): Enquiry {
    const effectiveAt = at === undefined ? undefined : new Date(at);
    return {
      asked: parts.map((part) => part.asked),
      question: { kind: 'SHIP', effectiveAt, reference, isCharged: true },
      issues,
      check: (line) => lineIssues(line, given[line.asked.of], shipMode, this.lookup.limits),
    };
  }

  /** Every bucket that something is taken from, locked where it was picked; adds to the issues what cannot be picked. */
  private async partsOf(
    tx: EntityManager,
    warehouse: KnownWarehouse,
    given: readonly ShipmentLine[],
    issues: Issue[],
  ): Promise<Part[]> {
    const wishes = await wishesOf(tx, warehouse, given, issues, this.lookup.limits);
    const places = given.flatMap((line, index) => (line.location === undefined ? [] : [named(line, index)]));
    if (issues.length > 0) {
      if (places.length === 0) throw new InvalidRequest(issues);
      return places;
    }
    const promised = given.flatMap(({ reservation: reservationId, looseUnits }, index) => {
      const units = looseUnits === 0 ? null : BigInt(looseUnits);
      return reservationId === undefined ? [] : [{ index, reservationId, units, line: index + 1 }];
    });
    const taken = await this.fulfilment.take(tx, warehouse, promised);
    const claims = wishes.length === 0 ? [] : await claimsOf(tx, warehouse, given);
    const found = wishes.length === 0 ? [] : await this.picking.pick(tx, warehouse, wishes, claims);
    const short = wishes.flatMap((wish, n) => {
      const missing = found[n]?.short ?? 0n;
      return missing > 0n ? [{ ...wish, missing }] : [];
    });
    if (short.length > 0) throw await insufficient(tx, warehouse, short);

    const parts = [
      ...places,
      ...promised.flatMap(({ index }, n) => pickedParts(taken[n]?.picks, index)),
      ...wishes.flatMap(({ index }, n) => pickedParts(found[n]?.picks, index)),
    ];
    return parts.toSorted((one, other) => one.asked.of - other.asked.of);
  }
}

function planned(
  warehouse: KnownWarehouse,
  shipment: Shipment,
  parts: readonly Part[],
  document: FoundDocument,
): Planned {
  const { reference, shipMode, effectiveAt: at } = shipment;
  refuseBlocked(document.lines, document.effectiveOn);
  const lines = outgoing(document.lines, parts, shipment);
  const events = shippedEvents(lines);
  if (shipMode === 'PALLETS' && events.every(({ pallets }) => pallets === 0n)) throw noPallets();
  return {
    draft: {
      warehouse,
      kind: 'SHIP',
      effectiveAt: at === undefined ? undefined : new Date(at),
      reference,
      shipMode,
      counterparty: shipment.counterparty,
      note: shipment.note,
      lines,
      charged: { lines: events, on: document.effectiveOn, sheet: document.sheet },
      ...(document.timing && { timing: document.timing }),
    },
    warnings: likelyRepeated(document.likely),
  };
}

function named({ sku, lot, location }: ShipmentLine, index: number): Part {
  return { asked: { sku, lot, location, stockStatus: 'available', of: index } };
}

function pickedParts(picks: readonly Picked[] = [], index: number): Part[] {
  return picks.map(({ skuId, lotId, locationId, units }) => ({
    asked: { sku: skuId, lot: lotId, location: locationId, stockStatus: 'available', of: index },
    units,
  }));
}

function issuesOf(line: ShipmentLine, index: number, limits: Limits): Issue[] {
  const issues = quantityIssues(limits, pointerTo(index), line);
  return line.reservation === undefined ? issues : issues.filter(({ pointer }) => pointer !== pointerTo(index));
}

function lineIssues(
  line: FoundLine,
  given: ShipmentLine | undefined,
  mode: Shipment['shipMode'],
  limits: Limits,
): Issue[] {
  if (!given) return [];
  const pointer = pointerTo(line.asked.of);
  return [
    ...unitsIssues(limits, pointer, given, line.lot.unitsPerCarton, mode === 'PALLETS' ? shippingCartons(line) : null),
    ...(mode === 'PALLETS' && given.palletsReported === undefined ? stackingIssues(line, pointer) : []),
  ];
}

function shippingCartons({ stacked, spec, lot }: FoundLine): number | null {
  return stacked?.shipping ?? lot.shippingCartonsPerPallet ?? spec?.shipping ?? null;
}

function stackingIssues(line: FoundLine, pointer: string): Issue[] {
  const detail = 'must be given: nothing says how the lot is stacked for shipping';
  return shippingCartons(line) === null ? [{ pointer: `${pointer}/palletsReported`, detail }] : [];
}

function noPallets(): InvalidRequest {
  return new InvalidRequest([{ pointer: '#/shipMode', detail: 'is PALLETS, and there is none' }]);
}

function outgoing(found: readonly FoundLine[], parts: readonly Part[], shipment: Shipment): OutgoingLine[] {
  const { lines: given, mergeLines, shipMode } = shipment;
  const lines = found.map((line): OutgoingLine => {
    const { of } = line.asked;
    const request = given[of];
    const units = parts[line.index]?.units ?? (request ? unitsAsked(request, line.lot.unitsPerCarton) : 0n);
    const cartonsPerPallet = shipMode === 'PALLETS' ? shippingCartons(line) : null;
    return { ...namedLine(line, -units), of, cartonsPerPallet, cartonMm3: line.cartonMm3 };
  });
  const named = lines.filter(({ of }) => given[of]?.location !== undefined);
  const repeated = mergeLines ? [] : repeatedBuckets(named);
  if (repeated.length > 0) throw new InvalidRequest(repeated);
  return withPallets(
    lines,
    given.map(({ palletsReported }) => palletsReported),
  );
}

/** What is to be picked. Cartons are those of the lot, or when any will do as many pieces as the SKU usually has in one. */
async function wishesOf(
  on: Executor,
  warehouse: KnownWarehouse,
  given: readonly ShipmentLine[],
  issues: Issue[],
  limits: Limits,
): Promise<Wish[]> {
  const open = given.flatMap((line, index) =>
    line.location === undefined && line.reservation === undefined ? [{ line, index }] : [],
  );
  if (open.length === 0) return [];
  const known = await linesGiven(on, [
    warehouse.id,
    ...idsAndCodes(open.map(({ line }) => line.sku)),
    ...idsAndCodes(open.map(({ line }) => line.lot)),
    ...idsAndCodes(open.map(() => undefined)),
    false,
  ]);
  return open.flatMap(({ line, index }, n): Wish[] => {
    const { sku = null, lot = null } = known[n] ?? {};
    const pointer = pointerTo(index);
    if (!sku) issues.push({ pointer: `${pointer}/${line.sku === undefined ? 'lot' : 'sku'}`, detail: 'is not known' });
    else if (line.lot !== undefined && !lot) issues.push({ pointer: `${pointer}/lot`, detail: 'is no lot of the SKU' });
    if (!sku) return [];
    const unitsPerCarton = lot?.unitsPerCarton ?? sku.defaultUnitsPerCarton;
    issues.push(...unitsIssues(limits, pointer, line, unitsPerCarton));
    const units = unitsAsked(line, unitsPerCarton);
    const lotId = line.lot === undefined ? null : (lot?.id ?? null);
    return [{ index, skuId: sku.id, sku: sku.code, lotId, units, strategy: line.strategy ?? null }];
  });
}

/** What is taken by lines that name their buckets, and is not to be picked by others; those not found are told of later. */
async function claimsOf(on: Executor, warehouse: KnownWarehouse, given: readonly ShipmentLine[]): Promise<Claim[]> {
  const lines = given.filter(({ location }) => location !== undefined);
  if (lines.length === 0) return [];
  const known = await linesGiven(on, [
    warehouse.id,
    ...idsAndCodes(lines.map(({ sku }) => sku)),
    ...idsAndCodes(lines.map(({ lot }) => lot)),
    ...idsAndCodes(lines.map(({ location }) => location)),
    false,
  ]);
  return lines.flatMap((line, n): Claim[] => {
    const { lot, location } = known[n] ?? {};
    if (!lot || !location) return [];
    const units = unitsAsked(line, lot.unitsPerCarton);
    return [{ locationId: location.id, lotId: lot.id, stockStatus: 'available', units }];
  });
}

/** What could have been picked is said beside what there is: not everything stands where goods are picked. */
async function insufficient(
  tx: EntityManager,
  warehouse: KnownWarehouse,
  short: readonly (Wish & { readonly missing: bigint })[],
): Promise<InsufficientStock> {
  const stock = await soundStock(tx, [warehouse.id, [...new Set(short.map(({ skuId }) => skuId))]]);
  return new InsufficientStock(
    short.map(({ index, skuId, sku, units, missing }) => {
      const { onHand = '0', reserved = '0' } = stock.find((one) => one.skuId === skuId) ?? {};
      return {
        line: index + 1,
        sku,
        lot: null,
        location: null,
        stockStatus: 'available',
        requestedUnits: Number(units),
        onHand: Number(onHand),
        reserved: Number(reserved),
        available: Number(units - missing),
      };
    }),
  );
}
