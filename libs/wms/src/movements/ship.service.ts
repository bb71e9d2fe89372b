import { Injectable } from '@nestjs/common';
import { InvalidRequest, type Caller, type Executor } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { WarehouseScope, type KnownWarehouse } from '../warehouses/warehouse-scope.service.js';
import {
  LineLookup,
  namedLine,
  refuseBlocked,
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
import { shippedEvents, withPallets, type OutgoingLine } from './ship.rules.js';
import { named, ShipmentParts, type Part, type ShipmentLine } from './shipment-parts.service.js';
import { Submission, type Planned } from './submission.service.js';

const SHIP = 'wms.inventory:ship';

/** Goods go out. */
@Injectable()
export class ShipService {
  constructor(
    private readonly warehouses: WarehouseScope,
    private readonly lookup: LineLookup,
    private readonly parts: ShipmentParts,
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
      ? await this.parts.of(
          tx,
          await this.warehouses.writable(tx, by, permission, warehouse),
          given,
          issues,
          this.lookup.limits,
        )
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
