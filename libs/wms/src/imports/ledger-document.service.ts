import { Injectable } from '@nestjs/common';
import type { Caller, Executor } from '@belay/platform';
import { AdjustService } from '../movements/adjust.service.js';
import type { DocumentRow } from '../movements/lookup.queries.js';
import { foundOf, LineLookup, namedLine, type Enquiry, type FoundDocument } from '../movements/lookup.service.js';
import type { Adjustment, Receipt, Shipment } from '../movements/movement.contract.js';
import { mergedByBucket, pointerTo, unitsAsked, unitsIssues } from '../movements/movement.rules.js';
import type { MovementDraft, Stacking } from '../movements/posting.service.js';
import { ReceiveService } from '../movements/receive.service.js';
import { ShipService } from '../movements/ship.service.js';
import { WarehouseScope, type KnownWarehouse } from '../warehouses/warehouse-scope.service.js';
import type { LedgerFacts } from './ledger-row.contract.js';

export interface LedgerDocument {
  readonly lines: readonly LedgerFacts[];
  readonly at: Date;
}

type DatedEnquiry = Enquiry & { readonly question: { readonly effectiveAt: Date } };

/** A document that becomes a movement once its lines are found. */
interface Sheet {
  readonly permission: string;
  readonly enquiry: DatedEnquiry;
  readonly draft: (warehouse: KnownWarehouse, found: FoundDocument) => MovementDraft;
}

const permissionOf = {
  RECEIVE: 'wms.inventory:receive',
  SHIP: 'wms.inventory:ship',
  ADJUST_IN: 'wms.inventory:adjust',
  ADJUST_OUT: 'wms.inventory:adjust',
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

  /** A movement for each document, in their order: each is planned as if those before it had been posted. */
  async drafts(
    on: Executor,
    by: Caller,
    { id }: KnownWarehouse,
    documents: readonly LedgerDocument[],
  ): Promise<(MovementDraft & { readonly effectiveAt: Date })[]> {
    const sheets = documents.map((document) => this.sheetOf(document));
    const places = new Map<string, KnownWarehouse>();
    for (const permission of new Set(sheets.map((sheet) => sheet.permission)))
      places.set(permission, await this.warehouses.writable(on, by, permission, id));
    const [warehouse] = places.values();
    if (!warehouse) return [];

    const enquiries = sheets.map(({ enquiry }) => enquiry);
    const rows = await this.lookup.rowsOf(on, by, warehouse, enquiries);
    const stacked = new Map<string, Stacking>();
    return sheets.map(({ enquiry, draft }, index) => {
      const found = foundOf(enquiry, stackedBy(stacked, rows[index] ?? []));
      const drafted = draft(warehouse, found);
      for (const one of drafted.stacking ?? []) stacked.set(one.lotId, one);
      return { ...drafted, effectiveAt: enquiry.question.effectiveAt };
    });
  }

  private sheetOf({ lines, at }: LedgerDocument): Sheet {
    const [first] = lines;
    if (!first) throw new Error('A document has rows');
    const { kind, reason, inboundType, container, shipMode } = first;
    const shared = {
      warehouse: '',
      effectiveAt: at.toISOString(),
      reference: first.reference ?? first.transaction,
      note: noteOf(lines),
      mergeLines: true,
    };
    const counterparty = first.counterparty ?? undefined;
    const permission = permissionOf[kind];
    switch (kind) {
      case 'RECEIVE': {
        const details = { inboundType: inboundType ?? undefined, containerNumber: container ?? undefined };
        const given: Receipt = { ...shared, ...details, counterparty, lines: lines.map(receiptLine) };
        const enquiry = dated(this.receipts.enquiry(given), at);
        return { permission, enquiry, draft: (at, found) => this.receipts.planned(at, given, found).draft };
      }
      case 'SHIP': {
        const mode = shipMode ?? 'CARTONS';
        const given: Shipment = { ...shared, counterparty, shipMode: mode, lines: lines.map(shipmentLine) };
        const enquiry = dated(this.shipments.enquiryOfNamed(given), at);
        return { permission, enquiry, draft: (at, found) => this.shipments.plannedOfNamed(at, given, found).draft };
      }
      case 'ADJUST_IN':
      case 'ADJUST_OUT': {
        const reference = first.reference ?? undefined;
        const reasonCode = reason ?? 'data_fix';
        const given: Adjustment = { ...shared, reference, kind, reasonCode, lines: lines.map(stockLine) };
        const enquiry = dated(this.adjustments.enquiry(given), at);
        const draft: Sheet['draft'] = (at, found) => {
          const planned = this.adjustments.planned(at, given, found);
          this.adjustments.refuseLarge(planned);
          return { ...planned.draft, counterparty };
        };
        return { permission, enquiry, draft };
      }
      default:
        return { permission, ...this.signed(kind, lines, at) };
    }
  }

  /** Lines that say themselves what comes and what goes. */
  private signed(
    kind: 'OPENING' | 'TRANSFER' | 'COUNT' | 'REVERSAL',
    given: readonly LedgerFacts[],
    effectiveAt: Date,
  ): Pick<Sheet, 'enquiry' | 'draft'> {
    const reference = given[0]?.reference ?? undefined;
    const asked = given.map(({ sku, lot, location, status }, of) => ({
      sku,
      lot: lot ?? undefined,
      location,
      stockStatus: status,
      of,
    }));
    const check: Enquiry['check'] = ({ index, lot }) => {
      const line = given[index];
      return line ? unitsIssues(this.lookup.limits, pointerTo(index), quantityOf(line), lot.unitsPerCarton) : [];
    };
    const draft: Sheet['draft'] = (warehouse, { lines, timing }) => {
      const named = lines.map((line) => {
        const facts = given[line.index];
        if (!facts) throw new Error('A line is found where it was asked for');
        return namedLine(line, BigInt(facts.sign) * unitsAsked(quantityOf(facts), line.lot.unitsPerCarton));
      });
      const merged = mergedByBucket(named, (one, other) => ({ ...one, units: one.units + other.units }));
      const moved = merged.filter(({ units }) => units !== 0n);
      return { warehouse, kind, effectiveAt, reference, note: noteOf(given), lines: moved, ...(timing && { timing }) };
    };
    return { enquiry: { asked, question: { kind, effectiveAt, reference }, check }, draft };
  }
}

function dated(enquiry: Enquiry, effectiveAt: Date): DatedEnquiry {
  return { ...enquiry, question: { ...enquiry.question, effectiveAt } };
}

function noteOf(lines: readonly LedgerFacts[]): string | undefined {
  return lines.find(({ note }) => note !== null)?.note ?? undefined;
}

/** The lines as they are found once the documents before them have been posted. */
function stackedBy(before: ReadonlyMap<string, Stacking>, rows: readonly DocumentRow[]): readonly DocumentRow[] {
  if (before.size === 0) return rows;
  return rows.map((row) => {
    const first = row.stacked === null && row.lot ? before.get(row.lot.id) : undefined;
    if (!first) return row;
    const { storageCartonsPerPallet: storage, shippingCartonsPerPallet: shipping } = first;
    return { ...row, stacked: { storage, shipping } };
  });
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
