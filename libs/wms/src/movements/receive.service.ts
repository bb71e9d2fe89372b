import { Injectable } from '@nestjs/common';
import { InvalidRequest, PermissionMissing, violates, type Caller, type Executor } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import type { EventLine } from '../charges/charge.rules.js';
import type { LotFields } from '../goods/lot.contract.js';
import { LotService } from '../goods/lot.service.js';
import { MasterCodeTaken } from '../warehouses/warehouse.problems.js';
import { WarehouseScope, type KnownWarehouse } from '../warehouses/warehouse-scope.service.js';
import {
  LineLookup,
  namedLine,
  type AskedLine,
  type Enquiry,
  type FoundDocument,
  type FoundLine,
} from './lookup.service.js';
import type { PostedMovementView, Receipt } from './movement.contract.js';
import {
  addPallets,
  containerWarnings,
  likelyRepeated,
  mergedByBucket,
  palletsFor,
  pointerTo,
  quantityIssues,
  repeatedBuckets,
  roomOf,
  unitsAsked,
  unitsIssues,
  type Issue,
  type Limits,
  type NamedLine,
} from './movement.rules.js';
import type { Stacking } from './posting.service.js';
import { Submission, type Planned } from './submission.service.js';

const RECEIVE = 'wms.inventory:receive';
const MASTER = 'wms.master:write';

type ReceiptLine = Receipt['lines'][number];

interface IncomingLine extends NamedLine {
  readonly storage: number | null;
  readonly cartonMm3: bigint | null;
}

/** Goods come in. */
@Injectable()
export class ReceiveService {
  constructor(
    private readonly warehouses: WarehouseScope,
    private readonly lookup: LineLookup,
    private readonly lots: LotService,
    private readonly submission: Submission,
  ) {}

  receive(by: Caller, receipt: Receipt): Promise<PostedMovementView> {
    return this.submission.submit(by, bringsLots(receipt), (on, tx) => this.plan(on, by, receipt, tx));
  }

  /** The movement that it makes, for who posts it in a transaction of their own. */
  async plan(on: Executor, by: Caller, receipt: Receipt, tx?: EntityManager): Promise<Planned> {
    const { warehouse } = receipt;
    if (bringsLots(receipt)) {
      const { siteId } = await this.warehouses.writable(on, by, RECEIVE, warehouse);
      if (!by.may(MASTER, siteId)) throw new PermissionMissing(MASTER);
    }
    const document = await this.lookup.find(on, by, { warehouse, permission: RECEIVE }, this.enquiry(receipt));
    const lines = tx ? await this.withLots(tx, by, document.lines) : document.lines;
    return this.planned(document.warehouse, receipt, { ...document, lines });
  }

  enquiry({ reference, effectiveAt: at, lines: given }: Receipt): Enquiry {
    const { limits } = this.lookup;
    const effectiveAt = at === undefined ? undefined : new Date(at);
    return {
      asked: given.map(askedOf),
      question: { kind: 'RECEIVE', effectiveAt, reference, comesIn: true, isCharged: true },
      issues: given.flatMap((line, index) => issuesOf(line, index, limits)),
      check: (line) => lineIssues(line, given[line.index], limits),
    };
  }

  /** The movement, once its lines are found and their lots are there. */
  planned(warehouse: KnownWarehouse, receipt: Receipt, document: FoundDocument): Planned {
    const { reference, containerNumber, effectiveAt: at, lines: given, mergeLines } = receipt;
    const lines = inBuckets(
      document.lines.map((line) => incoming(line, given[line.index])),
      mergeLines,
    );
    return {
      draft: {
        warehouse,
        kind: 'RECEIVE',
        effectiveAt: at === undefined ? undefined : new Date(at),
        reference,
        containerNumber,
        counterparty: receipt.counterparty,
        inboundType: receipt.inboundType,
        note: receipt.note,
        lines,
        stacking: stackings(document.lines, given),
        charged: { lines: lines.map(eventLine), on: document.effectiveOn, sheet: document.sheet },
        ...(document.timing && { timing: document.timing }),
      },
      warnings: [...likelyRepeated(document.likely), ...containerWarnings(containerNumber)],
    };
  }

  /** The lines with the lots they bring, each made once. */
  private async withLots(tx: EntityManager, by: Caller, lines: readonly FoundLine[]): Promise<FoundLine[]> {
    const made = new Map<string, string>();
    const all: FoundLine[] = [];
    for (const line of lines) {
      const { sku, asked, lot } = line;
      if (!asked.newLot) {
        all.push(line);
        continue;
      }
      const name = JSON.stringify([sku.id, lot.code.toUpperCase()]);
      const id = made.get(name) ?? (await this.makeLot(tx, by, line, asked.newLot));
      made.set(name, id);
      all.push({ ...line, lot: { ...lot, id } });
    }
    return all;
  }

  private async makeLot(tx: EntityManager, by: Caller, { sku }: FoundLine, fields: LotFields): Promise<string> {
    try {
      return (await this.lots.add(tx, by, sku, fields)).id;
    } catch (error) {
      throw violates(error, 'lot_code_is_unique') ? new MasterCodeTaken('lot', fields.code) : error;
    }
  }
}

function bringsLots({ lines }: Receipt): boolean {
  return lines.some(({ createLot }) => createLot !== undefined);
}

function askedOf({ sku, lot, createLot, location, qcFailed }: ReceiptLine, index: number): AskedLine {
  const stockStatus = qcFailed ? 'quarantine' : 'available';
  return { sku, lot: lot ?? createLot?.code, newLot: createLot, location, stockStatus, of: index };
}

function issuesOf(line: ReceiptLine, index: number, limits: Limits): Issue[] {
  const pointer = pointerTo(index);
  const both = line.lot !== undefined && line.createLot !== undefined;
  return [
    ...quantityIssues(limits, pointer, line),
    ...(both ? [{ pointer: `${pointer}/createLot`, detail: 'must not stand beside lot' }] : []),
  ];
}

/** How many cartons stand on a pallet: as they always have here, else as the receipt says, else as is usual. */
function stackingOf({ stacked, spec, lot }: FoundLine, given: ReceiptLine | undefined) {
  return (
    stacked ?? {
      storage: given?.storageCartonsPerPallet ?? lot.storageCartonsPerPallet ?? spec?.storage ?? null,
      shipping: given?.shippingCartonsPerPallet ?? lot.shippingCartonsPerPallet ?? spec?.shipping ?? null,
    }
  );
}

function lineIssues(line: FoundLine, given: ReceiptLine | undefined, limits: Limits): Issue[] {
  const { sku, lot, asked } = line;
  const { storage, shipping } = stackingOf(line, given);
  const { newLot } = asked;
  const pointer = pointerTo(asked.of);
  const detail = 'must be given: it is the first receipt, and nothing says how the lot is stacked';
  return [
    ...(given ? unitsIssues(limits, pointer, given, lot.unitsPerCarton, storage) : []),
    ...(newLot && !sku.lotTracked
      ? [{ pointer: `${pointer}/createLot`, detail: 'must not be: the SKU has no lots' }]
      : []),
    ...(storage === null ? [{ pointer: `${pointer}/storageCartonsPerPallet`, detail }] : []),
    ...(shipping === null ? [{ pointer: `${pointer}/shippingCartonsPerPallet`, detail }] : []),
  ];
}

function incoming(line: FoundLine, given: ReceiptLine | undefined): IncomingLine {
  const units = given ? unitsAsked(given, line.lot.unitsPerCarton) : 0n;
  const { storage } = stackingOf(line, given);
  return counted({
    ...namedLine(line, units),
    palletsReported: given?.palletsReported ?? null,
    storage,
    cartonMm3: line.cartonMm3,
  });
}

function counted(line: IncomingLine): IncomingLine {
  return { ...line, palletsComputed: palletsFor(roomOf(line.units, line.unitsPerCarton), line.storage) };
}

function inBuckets(lines: readonly IncomingLine[], merge: boolean): IncomingLine[] {
  const repeated = merge ? [] : repeatedBuckets(lines);
  if (repeated.length > 0) throw new InvalidRequest(repeated);
  return mergedByBucket(lines, (one, other) =>
    counted({
      ...one,
      units: one.units + other.units,
      palletsReported: addPallets(one.palletsReported, other.palletsReported),
    }),
  );
}

/** Of lots that were never here. */
function stackings(found: readonly FoundLine[], given: readonly ReceiptLine[]): Stacking[] {
  const first = new Map<string, Stacking>();
  for (const line of found) {
    const { storage, shipping } = stackingOf(line, given[line.index]);
    const lotId = line.lot.id;
    if (line.stacked || lotId === null || storage === null || shipping === null || first.has(lotId)) continue;
    first.set(lotId, { lotId, storageCartonsPerPallet: storage, shippingCartonsPerPallet: shipping });
  }
  return [...first.values()];
}

function eventLine(line: IncomingLine, index: number): EventLine {
  const { skuId, units, unitsPerCarton, palletsReported, palletsComputed, cartonMm3 } = line;
  const pallets = BigInt(palletsReported ?? palletsComputed ?? 0);
  return { lineNo: index + 1, skuId, units, cartons: roomOf(units, unitsPerCarton), pallets, cartonMm3 };
}
