import { listOf, page } from '@belay/platform';
import { z } from 'zod';
import { stockStatuses } from '../movements/posting.rules.js';
import { day, id, idOrCode, instant, units } from '../wms.contract.js';

const stockStatus = z.enum(stockStatuses);

const groupings = ['bucket', 'lot', 'sku', 'location', 'warehouse'] as const;
export type Grouping = (typeof groupings)[number];

const lotFilter = idOrCode.optional().describe('Its id, or its code together with a SKU');

/** A lot's code means something only beside its SKU. */
function namesLot({ lot, sku }: { lot?: string | undefined; sku?: string | undefined }): boolean {
  return lot === undefined || sku !== undefined || z.guid().safeParse(lot).success;
}
const lotWithoutSku = { path: ['lot'], error: 'is a code, and needs the SKU beside it' };

export const stockFilter = page
  .extend({
    warehouse: idOrCode.optional(),
    sku: idOrCode.optional(),
    lot: lotFilter,
    location: idOrCode.optional(),
    status: stockStatus.optional(),
    asOf: z
      .union([day, instant])
      .optional()
      .describe('Stock at the end of a day, in the time of each warehouse, or at an instant'),
    knownAt: instant.optional().describe('As Belay believed then: only what had been recorded'),
    groupBy: z
      .enum(groupings)
      .default('bucket')
      .describe('Sums within a warehouse, each stock status for itself; a bucket is a lot at a location'),
  })
  .refine(namesLot, lotWithoutSku);
export type StockFilter = z.infer<typeof stockFilter>;

const present = 'Null in the past: promises have no history';

export const stockView = z
  .object({
    warehouse: z.string(),
    warehouseId: id,
    sku: z.string().nullable().describe('Null, as its fellows, where the grouping sums over it'),
    skuId: id.nullable(),
    lot: z.string().nullable(),
    lotId: id.nullable(),
    location: z.string().nullable(),
    locationId: id.nullable(),
    stockStatus,
    onHand: units,
    reserved: units.nullable().describe(present),
    available: units.nullable().describe(`On hand and promised to nobody. ${present}`),
    cartons: units.describe('Full ones'),
    looseUnits: units.describe('In opened cartons'),
    expiresOn: day.nullable(),
    firstReceivedAt: z.iso.datetime().nullable().describe('Of the lot in the warehouse'),
    lastCountedAt: z.iso.datetime().nullable().describe('Of the bucket, by a count that was posted'),
  })
  .meta({ id: 'Stock' });
export type StockView = z.infer<typeof stockView>;

export const ledgerFilter = page
  .extend({
    warehouse: idOrCode.optional(),
    sku: idOrCode.optional(),
    lot: lotFilter,
    location: idOrCode.optional(),
    status: stockStatus.optional(),
    movement: id.optional(),
    from: instant.optional().describe('Effective then or later'),
    to: instant.optional().describe('Effective before'),
  })
  .refine(namesLot, lotWithoutSku);
export type LedgerFilter = z.infer<typeof ledgerFilter>;

export const ledgerLine = z
  .object({
    seq: z.int().describe('Breaks ties between lines of one instant'),
    movementId: id,
    number: z.string(),
    kind: z.string(),
    reference: z.string().nullable(),
    lineNo: z.int(),
    warehouse: z.string(),
    warehouseId: id,
    location: z.string(),
    locationId: id,
    sku: z.string(),
    skuId: id,
    lot: z.string(),
    lotId: id,
    stockStatus,
    units: z.int().describe('Negative for what left the bucket'),
    balance: units.describe('Of the bucket behind this line, in the order in which things happened'),
    palletsReported: z.int().nullable(),
    palletsComputed: z.int().nullable(),
    effectiveAt: z.iso.datetime(),
    recordedAt: z.iso.datetime(),
  })
  .meta({ id: 'InventoryTransaction' });
export type LedgerLine = z.infer<typeof ledgerLine>;

export const ledgerPage = listOf(ledgerLine);
export const stockPage = listOf(stockView);

export const traceFilter = page.extend({
  direction: z.enum(['from', 'to']).optional().describe('Only where it came from, or only where it went'),
});
export type TraceFilter = z.infer<typeof traceFilter>;

const traceStep = z.object({
  direction: z.enum(['from', 'to']),
  movementId: id,
  number: z.string(),
  kind: z.string(),
  warehouse: z.string(),
  warehouseId: id,
  reference: z.string().nullable(),
  counterparty: z.string().nullable(),
  containerNumber: z.string().nullable(),
  reasonCode: z.string().nullable(),
  units: units.describe('Of the lot'),
  effectiveAt: z.iso.datetime(),
  reversedBy: z.string().nullable().describe('Number of the movement that took it back: then it counts for nothing'),
});
export type TraceStep = z.infer<typeof traceStep>;

export const lotTrace = z
  .object({
    lotId: id,
    lot: z.string(),
    skuId: id,
    sku: z.string(),
    status: z.string(),
    expiresOn: day.nullable(),
    unitsIn: units.describe('That came, less what was reversed'),
    unitsOut: units.describe('That left, less what was reversed'),
    onHand: units,
    reserved: units,
    stock: z.array(
      z.object({
        warehouse: z.string(),
        warehouseId: id,
        location: z.string(),
        locationId: id,
        stockStatus,
        onHand: units,
        reserved: units,
      }),
    ),
    reservations: z
      .array(
        z.object({
          reservationId: id,
          warehouse: z.string(),
          source: z.object({ type: z.string(), id: z.string(), line: z.string() }),
          units: units.describe('Promised of the lot and not yet shipped'),
        }),
      )
      .describe('Open ones that are promised some of it'),
    items: z.array(traceStep).describe('Where it came from and where it went, latest first'),
    next: z.string().nullable().describe('Cursor of the next page of items; null on the last'),
  })
  .meta({ id: 'LotTrace' });
export type LotTrace = z.infer<typeof lotTrace>;
