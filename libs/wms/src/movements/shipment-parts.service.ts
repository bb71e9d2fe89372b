import { Injectable } from '@nestjs/common';
import { InvalidRequest, type Executor } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { linesGiven } from '../goods/line.queries.js';
import { Fulfilment } from '../reservations/fulfilment.service.js';
import { soundStock } from '../stock/pick.queries.js';
import type { PickStrategy } from '../stock/pick.rules.js';
import { Picking, type Claim, type Picked } from '../stock/picking.service.js';
import type { KnownWarehouse } from '../warehouses/warehouse-scope.service.js';
import { idsAndCodes } from '../wms.contract.js';
import type { AskedLine } from './lookup.service.js';
import type { Shipment } from './movement.contract.js';
import { pointerTo, unitsAsked, unitsIssues, type Issue, type Limits } from './movement.rules.js';
import { InsufficientStock } from './posting.problems.js';

export type ShipmentLine = Shipment['lines'][number];

/** What one line of the request takes out of one bucket. */
export interface Part {
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

/** Finds the buckets that the lines of a shipment are taken from. */
@Injectable()
export class ShipmentParts {
  constructor(
    private readonly picking: Picking,
    private readonly fulfilment: Fulfilment,
  ) {}

  /** Every bucket that something is taken from, locked where it was picked; adds to the issues what cannot be picked. */
  async of(
    tx: EntityManager,
    warehouse: KnownWarehouse,
    given: readonly ShipmentLine[],
    issues: Issue[],
    limits: Limits,
  ): Promise<Part[]> {
    const wishes = await wishesOf(tx, warehouse, given, issues, limits);
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

/** A line that names its bucket. */
export function named({ sku, lot, location }: ShipmentLine, index: number): Part {
  return { asked: { sku, lot, location, stockStatus: 'available', of: index } };
}

function pickedParts(picks: readonly Picked[] = [], index: number): Part[] {
  return picks.map(({ skuId, lotId, locationId, units }) => ({
    asked: { sku: skuId, lot: lotId, location: locationId, stockStatus: 'available', of: index },
    units,
  }));
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
