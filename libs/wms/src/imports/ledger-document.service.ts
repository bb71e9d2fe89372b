import { Injectable } from '@nestjs/common';
import type { Caller, Executor } from '@belay/platform';
import { AdjustService } from '../movements/adjust.service.js';
import { LineLookup, namedLine } from '../movements/lookup.service.js';
import type { Adjustment, Receipt, Shipment } from '../movements/movement.contract.js';
import { mergedByBucket, pointerTo, unitsAsked, unitsIssues } from '../movements/movement.rules.js';
import type { MovementDraft } from '../movements/posting.service.js';
import { ReceiveService } from '../movements/receive.service.js';
import { ShipService } from '../movements/ship.service.js';
import { WarehouseScope, type KnownWarehouse } from '../warehouses/warehouse-scope.service.js';
import type { LedgerFacts } from './ledger-row.contract.js';

export interface LedgerDocument {
  readonly lines: readonly LedgerFacts[];
  readonly at: Date | undefined;
  /** The movement that it takes back. */
  readonly reversed: string | null;
}

const permissionOf = {
  OPENING: 'wms.inventory:adjust',
  TRANSFER: 'wms.inventory:transfer',
  COUNT: 'wms.count:approve',
  REVERSAL: 'wms.inventory:reverse',
} as const;

/** Makes movements of documents, by the rules that hold for who types them in. */
@Injectable()
export class LedgerDocuments {
  constructor(
    private readonly receipts: ReceiveService,
    private readonly shipments: ShipService,
    private readonly adjustments: AdjustService,
    private readonly lookup: LineLookup,
    private readonly warehouses: WarehouseScope,
  ) {}

  async draft(on: Executor, by: Caller, warehouse: KnownWarehouse, document: LedgerDocument): Promise<MovementDraft> {
    const { lines, at } = document;
    const [first] = lines;
    if (!first) throw new Error('A document has rows');
    const note = lines.find((line) => line.note !== null)?.note ?? undefined;
    const shared = {
      warehouse: warehouse.id,
      effectiveAt: at?.toISOString(),
      reference: first.reference ?? first.transaction,
      counterparty: first.counterparty ?? undefined,
      note,
      mergeLines: true,
    };
    switch (first.kind) {
      case 'RECEIVE': {
        const { inboundType, container } = first;
        const details = { inboundType: inboundType ?? undefined, containerNumber: container ?? undefined };
        return (await this.receipts.plan(on, by, { ...shared, ...details, lines: lines.map(receiptLine) })).draft;
      }
      case 'SHIP': {
        const { shipMode } = first;
        const given = { ...shared, shipMode: shipMode ?? 'CARTONS', lines: lines.map(shipmentLine) };
        return (await this.shipments.plan(on, by, given)).draft;
      }
      case 'ADJUST_IN':
      case 'ADJUST_OUT': {
        const { kind, reason } = first;
        const { counterparty, ...rest } = shared;
        const reference = first.reference ?? undefined;
        const given = { ...rest, reference, kind, reasonCode: reason ?? 'data_fix', lines: lines.map(stockLine) };
        return { ...(await this.adjustments.planAlone(on, by, given)).draft, counterparty };
      }
      default:
        return this.signed(on, by, warehouse, first.kind, document);
    }
  }

  /** Lines that say themselves what comes and what goes. */
  private async signed(
    on: Executor,
    by: Caller,
    { id }: KnownWarehouse,
    kind: keyof typeof permissionOf,
    { lines: given, at, reversed }: LedgerDocument,
  ): Promise<MovementDraft> {
    const warehouse = await this.warehouses.writable(on, by, permissionOf[kind], id);
    const reference = given[0]?.reference ?? undefined;
    const asked = given.map(({ sku, lot, location, status }, of) => ({
      sku,
      lot: lot ?? undefined,
      location,
      stockStatus: status,
      of,
    }));
    const question = { kind, effectiveAt: at, reference };
    const { lines, timing } = await this.lookup.find(on, by, warehouse, asked, question, [], ({ index, lot }) => {
      const line = given[index];
      return line ? unitsIssues(this.lookup.limits, pointerTo(index), quantityOf(line), lot.unitsPerCarton) : [];
    });
    const named = lines.map((line) => {
      const facts = given[line.index];
      if (!facts) throw new Error('A line is found where it was asked for');
      return namedLine(line, BigInt(facts.sign) * unitsAsked(quantityOf(facts), line.lot.unitsPerCarton));
    });
    const merged = mergedByBucket(named, (one, other) => ({ ...one, units: one.units + other.units }));
    return {
      warehouse,
      kind,
      effectiveAt: at,
      reference,
      note: given.find(({ note }) => note !== null)?.note ?? undefined,
      reversesMovementId: reversed ?? undefined,
      lines: merged.filter(({ units }) => units !== 0n),
      ...(timing && { timing }),
    };
  }
}

function quantityOf({ cartons, loose: looseUnits }: LedgerFacts) {
  return { cartons, looseUnits };
}

type Goods = Pick<LedgerFacts, 'sku' | 'lot' | 'location' | 'status' | 'cartons' | 'loose'>;

function stockLine({
  sku,
  lot,
  location,
  status: stockStatus,
  cartons,
  loose: looseUnits,
}: Goods): Adjustment['lines'][number] {
  return { sku, lot: lot ?? undefined, location, stockStatus, cartons, looseUnits };
}

function receiptLine(line: LedgerFacts): Receipt['lines'][number] {
  const { stockStatus, ...goods } = stockLine(line);
  return {
    ...goods,
    sku: line.sku,
    qcFailed: stockStatus === 'quarantine',
    palletsReported: line.pallets ?? undefined,
    storageCartonsPerPallet: line.storage ?? undefined,
    shippingCartonsPerPallet: line.shipping ?? undefined,
  };
}

function shipmentLine(line: LedgerFacts): Shipment['lines'][number] {
  const { sku, lot, location, cartons, looseUnits } = stockLine(line);
  return { sku, lot, location, cartons, looseUnits, palletsReported: line.pallets ?? undefined };
}
