import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, InvalidRequest, type Caller, type Config, type Executor } from '@belay/platform';
import { EventCharges } from '../charges/event-charges.service.js';
import { eventSheet, type SheetRow } from '../charges/charge.queries.js';
import type { KnownLocation, KnownLot, KnownSku } from '../goods/line.queries.js';
import { InactiveMasterData } from '../warehouses/warehouse.problems.js';
import type { LotFields } from '../goods/lot.contract.js';
import { WarehouseScope, type KnownWarehouse } from '../warehouses/warehouse-scope.service.js';
import { idOrCodeOf, idsAndCodes } from '../wms.contract.js';
import { datedLines, documentLines, type DatedLine, type DocumentRow, type LineFacts } from './lookup.queries.js';
import { LotBlocked } from './movement.problems.js';
import { pointerTo, type Issue, type Limits, type NamedLine } from './movement.rules.js';
import type { BucketsAtTime } from './posting.queries.js';
import type { MovementKind, StockStatus } from './posting.rules.js';

export interface AskedLine {
  readonly sku?: string | undefined;
  readonly lot?: string | undefined;
  readonly location?: string | undefined;
  readonly stockStatus: StockStatus;
  /** The line of the request that it comes from, counted from 0. */
  readonly of: number;
  /** The field that names the location, when it is not `location`. */
  readonly locationField?: string;
  /** The lot is yet to be made. */
  readonly newLot?: LotFields | undefined;
}

interface Question {
  readonly kind: MovementKind;
  readonly effectiveAt?: Date | undefined;
  readonly reference?: string | undefined;
  /** Goods come in: they go to staging where there is such. */
  readonly comesIn?: boolean;
  readonly isCharged?: boolean;
}

/** A line whose goods and place are known. */
export interface FoundLine extends Pick<LineFacts, 'stacked' | 'spec'> {
  /** Counted from 0. */
  readonly index: number;
  readonly asked: AskedLine;
  readonly sku: KnownSku;
  /** Without an id while it is yet to be made. */
  readonly lot: Omit<KnownLot, 'id'> & { readonly id: string | null };
  readonly location: KnownLocation;
  readonly cartonMm3: bigint | null;
}

/** What is to be found before a document can be planned. */
export interface Enquiry {
  readonly asked: readonly AskedLine[];
  readonly question: Question;
  /** What is wrong already. */
  readonly issues?: readonly Issue[];
  /** What else is wrong with a line that was found. */
  readonly check?: (line: FoundLine) => readonly Issue[];
}

/** The warehouse, by its id or code, and what the caller must hold there. */
interface WhereToPost {
  readonly warehouse: string;
  readonly permission: string;
}

export interface FoundDocument {
  readonly lines: readonly FoundLine[];
  /** Days are those of the warehouse. */
  readonly effectiveOn: string;
  readonly timing: BucketsAtTime | undefined;
  readonly sheet: readonly SheetRow[] | null;
  /** Movements of the last minute under the same reference. */
  readonly likely: readonly string[];
}

/** Finds what the lines of a document speak of. */
@Injectable()
export class LineLookup {
  readonly limits: Limits;

  constructor(
    private readonly charges: EventCharges,
    private readonly warehouses: WarehouseScope,
    @Inject(CONFIG) config: Config,
  ) {
    this.limits = {
      cartons: config.WMS_MOST_CARTONS_PER_LINE,
      pallets: config.WMS_MOST_PALLETS_PER_LINE,
      silentUnits: config.WMS_NOTE_FROM_UNITS - 1,
    };
  }

  /** What is found of a document, and its warehouse; throws as `WarehouseScope.writable` and then as `foundOf`. */
  async find(
    on: Executor,
    by: Caller,
    { warehouse, permission }: WhereToPost,
    enquiry: Enquiry,
  ): Promise<FoundDocument & { readonly warehouse: KnownWarehouse }> {
    const { asked, question } = enquiry;
    const [id, code] = idOrCodeOf(warehouse);
    const { kind, effectiveAt, reference, comesIn = false, isCharged = false } = question;
    const rows = await documentLines(on, [
      ...namesOf(id, asked, comesIn),
      effectiveAt ?? null,
      asked.map((line) => line.stockStatus),
      isCharged && this.charges.areOn(by),
      kind,
      reference ?? null,
      code,
    ]);
    const known = this.warehouses.admitted(by, permission, warehouse, rows[0]?.document?.warehouse);
    return { ...foundOf(enquiry, rows), warehouse: known };
  }

  /**
   * The rows of many documents at once, each for `foundOf`. Their times must be given; whether one repeats another is not
   * looked at.
   */
  async rowsOf(
    on: Executor,
    by: Caller,
    warehouse: KnownWarehouse,
    enquiries: readonly (Enquiry & { readonly question: { readonly effectiveAt: Date } })[],
  ): Promise<DocumentRow[][]> {
    const asked = enquiries.flatMap((enquiry) => enquiry.asked);
    const isCharged = this.charges.areOn(by) && enquiries.some(({ question }) => question.isCharged === true);
    const [costs] = isCharged ? await eventSheet(on, [warehouse.id]) : [];
    const rows = await datedLines(on, [
      ...namesOf(warehouse.id, asked, false),
      enquiries.flatMap(({ question, asked: own }) => own.map(() => question.effectiveAt.toISOString())),
      asked.map((line) => line.stockStatus),
      isCharged,
    ]);
    let from = 0;
    return enquiries.map((enquiry) => {
      const sheet = enquiry.question.isCharged === true ? (costs?.sheet ?? null) : null;
      const own = rows.slice(from, (from += enquiry.asked.length));
      return own.map((row, index) => ({ ...row, document: index === 0 ? factsOf(row, sheet) : null }));
    });
  }
}

/**
 * Throws `invalid-request` with whatever is not found, whatever the check says of the lines that are, and the issues that
 * are known already; and then `inactive-master-data`.
 */
export function foundOf({ asked, issues = [], check }: Enquiry, rows: readonly DocumentRow[]): FoundDocument {
  const found = rows.flatMap((row, index) => lineOf(row, index, asked[index]) ?? []);
  const missing = rows.flatMap((row, index) => missingIn(row, asked[index]));
  const all = [...issues, ...missing, ...found.flatMap((line) => check?.(line) ?? [])];
  if (all.length > 0) throw new InvalidRequest(distinct(all));
  refuseInactive(found);

  const document = rows[0]?.document;
  if (!document) throw new Error('The first line brings the document');
  const { effectiveOn, isFuture, isOld, sheet, likely } = document;
  const later = latest(rows);
  const timing = isFuture === null || isOld === null ? undefined : { isFuture, isOld, effectiveOn, later };
  return { lines: found, effectiveOn, timing, sheet, likely: likely ?? [] };
}

function namesOf(id: string | null, asked: readonly AskedLine[], comesIn: boolean): unknown[] {
  return [
    id,
    ...idsAndCodes(asked.map((line) => line.sku)),
    ...idsAndCodes(asked.map((line) => line.lot)),
    ...idsAndCodes(asked.map((line) => line.location)),
    comesIn,
  ];
}

function factsOf({ effectiveOn, isFuture, isOld }: DatedLine, sheet: readonly SheetRow[] | null) {
  return { effectiveOn, isFuture, isOld, sheet, likely: null };
}

/** The line as it is posted. */
export function namedLine({ sku, lot, location, asked: { stockStatus, of } }: FoundLine, units: bigint): NamedLine {
  if (lot.id === null) throw new Error('A lot is made before its line is posted');
  return {
    skuId: sku.id,
    sku: sku.code,
    lotId: lot.id,
    lot: lot.code,
    locationId: location.id,
    location: location.code,
    stockStatus,
    units,
    unitsPerCarton: lot.unitsPerCarton,
    pointer: pointerTo(of),
  };
}

/** Throws `lot-blocked` when goods of the lines may not leave on the day. */
export function refuseBlocked(lines: readonly FoundLine[], on: string): void {
  const blocked = lines.flatMap(({ sku, lot, asked }) => {
    const status = lot.expiresOn !== null && lot.expiresOn < on ? 'expired' : lot.status;
    return status === 'available' ? [] : [{ line: asked.of + 1, sku: sku.code, lot: lot.code, status }];
  });
  if (blocked.length > 0) throw new LotBlocked(blocked);
}

function lineOf(row: DocumentRow, index: number, asked: AskedLine | undefined): FoundLine | undefined {
  const { sku, location, stacked, spec, cartonMm3 } = row;
  if (!asked || !sku || !location) return undefined;
  const lot = row.lot ?? (asked.newLot && lotToBe(sku, asked.newLot));
  if (!lot) return undefined;
  return { index, asked, sku, lot, location, stacked, spec, cartonMm3: cartonMm3 === null ? null : BigInt(cartonMm3) };
}

function lotToBe(sku: KnownSku, fields: LotFields): FoundLine['lot'] {
  return {
    id: null,
    skuId: sku.id,
    code: fields.code,
    unitsPerCarton: fields.unitsPerCarton ?? sku.defaultUnitsPerCarton,
    status: 'available',
    expiresOn: fields.expiresOn ?? null,
    storageCartonsPerPallet: fields.storageCartonsPerPallet ?? null,
    shippingCartonsPerPallet: fields.shippingCartonsPerPallet ?? null,
  };
}

function missingIn({ sku, lot, location }: DocumentRow, asked: AskedLine | undefined): Issue[] {
  if (!asked) return [];
  const { locationField = 'location' } = asked;
  const pointer = pointerTo(asked.of);
  const issues: Issue[] = [];
  if (!sku) {
    const field = asked.sku === undefined ? 'lot' : 'sku';
    issues.push({ pointer: `${pointer}/${field}`, detail: `is no ${field === 'sku' ? 'SKU' : 'lot'} that is known` });
  } else if (!lot && !asked.newLot) {
    const detail = asked.lot === undefined ? 'must be given: the SKU has lots' : 'is no lot of the SKU';
    issues.push({ pointer: `${pointer}/lot`, detail });
  }
  if (!location) issues.push({ pointer: `${pointer}/${locationField}`, detail: 'is no location of the warehouse' });
  return issues;
}

function refuseInactive(lines: readonly FoundLine[]): void {
  for (const { sku, location } of lines) {
    if (!sku.isActive) throw new InactiveMasterData('sku', sku.code);
    if (!location.isActive) throw new InactiveMasterData('location', location.code);
  }
}

/** Both sides of a transfer complain of the same goods. */
function distinct(issues: readonly Issue[]): Issue[] {
  return [...new Map(issues.map((issue) => [JSON.stringify([issue.pointer, issue.detail]), issue])).values()];
}

function latest(rows: readonly DocumentRow[]): string | null {
  return rows.reduce<string | null>(
    (last, { later }) => (later !== null && (last === null || later > last) ? later : last),
    null,
  );
}
