import { line, listOf, page } from '@belay/platform';
import { z } from 'zod';
import { inboundTypes } from '../charges/charge.rules.js';
import { containerNumber } from '../container-number.rules.js';
import { lotFields } from '../goods/lot.contract.js';
import { pickStrategies } from '../stock/pick.rules.js';
import { day, id, idOrCode, instant, rowVersion } from '../wms.contract.js';
import { movementKinds, stockStatuses } from './posting.rules.js';

export const reasonCodes = ['damage', 'loss', 'found', 'data_fix', 'sample', 'expiry'] as const;

const mostLines = 500;
const note = z.string().trim().min(1).max(2_000);
const stockStatus = z.enum(stockStatuses);
const pallets = z.int().min(0);

const effectiveAt = instant.describe(
  'When it happened; now unless said. Before what is known of a bucket only with wms.inventory:backdate and a reason',
);
const mergeLines = z.boolean().default(false).describe('Lines of one bucket are summed instead of refused');

/** How much, in cartons of the lot and single pieces. */
const quantity = {
  cartons: z.int().min(0).default(0),
  looseUnits: z.int().min(0).default(0),
};

const document = { warehouse: idOrCode, effectiveAt: effectiveAt.optional(), note: note.optional() };

function linesOf<Line extends z.ZodType>(one: Line) {
  return z.array(one).min(1).max(mostLines);
}

const receiptLine = z.strictObject({
  sku: idOrCode,
  lot: idOrCode.optional().describe('Not for SKUs without lots'),
  createLot: z.strictObject(lotFields).optional().describe('Instead of `lot`: a new one. Needs wms.master:write'),
  ...quantity,
  palletsReported: pallets.optional().describe('Storage pallets as counted'),
  storageCartonsPerPallet: z.int().positive().optional().describe('Kept at the first receipt of the lot'),
  shippingCartonsPerPallet: z.int().positive().optional().describe('Kept at the first receipt of the lot'),
  location: idOrCode.optional().describe('Staging, or else DEFAULT, unless said'),
  qcFailed: z.boolean().default(false).describe('Goes into quarantine'),
});

export const receipt = z
  .strictObject({
    ...document,
    reference: line(120),
    counterparty: line(120).optional(),
    inboundType: z.enum(inboundTypes).optional(),
    containerNumber: z.string().regex(containerNumber, 'must be 4 letters and 7 digits').optional(),
    mergeLines,
    lines: linesOf(receiptLine),
  })
  .meta({ id: 'Receipt' });
export type Receipt = z.infer<typeof receipt>;

const shipmentLine = z
  .strictObject({
    reservation: id.optional().describe('Ships what is promised; all of it unless looseUnits says how much'),
    sku: idOrCode.optional(),
    lot: idOrCode.optional(),
    location: idOrCode.optional().describe('Without it the buckets are picked by the strategy'),
    ...quantity,
    strategy: z.enum(pickStrategies).optional(),
    palletsReported: pallets.optional().describe('Shipping pallets as counted; computed unless said'),
  })
  .refine(({ reservation, sku, lot }) => reservation !== undefined || sku !== undefined || lot !== undefined, {
    error: 'must name a reservation, a SKU or a lot',
  })
  .refine(({ reservation, sku, lot, location }) => reservation === undefined || !(sku ?? lot ?? location), {
    path: ['reservation'],
    error: 'says itself what is shipped from where',
  })
  .refine(({ reservation, cartons }) => reservation === undefined || cartons === 0, {
    path: ['cartons'],
    error: 'must not stand beside a reservation, which is counted in units: use looseUnits',
  });

export const shipment = z
  .strictObject({
    ...document,
    reference: line(120),
    counterparty: line(120).optional(),
    shipMode: z.enum(['PALLETS', 'CARTONS']).default('CARTONS'),
    mergeLines,
    lines: linesOf(shipmentLine),
  })
  .meta({ id: 'Shipment' });
export type Shipment = z.infer<typeof shipment>;

const stockLine = z.strictObject({
  sku: idOrCode.optional(),
  lot: idOrCode.optional().describe('Not for SKUs without lots'),
  location: idOrCode.optional().describe('DEFAULT unless said'),
  stockStatus: stockStatus.default('available'),
  ...quantity,
});

export const adjustment = z
  .strictObject({
    ...document,
    kind: z.enum(['ADJUST_IN', 'ADJUST_OUT']),
    reasonCode: z.enum(reasonCodes),
    reference: line(120).optional(),
    mergeLines,
    lines: linesOf(stockLine),
  })
  .meta({ id: 'Adjustment' });
export type Adjustment = z.infer<typeof adjustment>;

const transferLine = z.strictObject({
  sku: idOrCode.optional(),
  lot: idOrCode.optional().describe('Not for SKUs without lots'),
  fromLocation: idOrCode.optional().describe('DEFAULT unless said'),
  toLocation: idOrCode.optional().describe('DEFAULT unless said'),
  fromStatus: stockStatus.default('available'),
  toStatus: stockStatus.optional().describe('Stays as it is unless said'),
  ...quantity,
});

export const transfer = z
  .strictObject({
    ...document,
    reasonCode: line(40).optional(),
    reference: line(120).optional(),
    lines: linesOf(transferLine),
  })
  .meta({ id: 'StockTransfer' });
export type Transfer = z.infer<typeof transfer>;

export const reversal = z
  .strictObject({
    effectiveAt: z
      .union([z.literal('reversed'), instant])
      .optional()
      .describe('Now unless said; `reversed` is the time of the movement that is reversed'),
    reasonCode: line(40).optional(),
    note: note.optional(),
  })
  .meta({ id: 'Reversal' });
export type Reversal = z.infer<typeof reversal>;

const signedUnits = z.int().describe('In base units; negative for what went');

const movementLine = z
  .object({
    lineNo: z.int(),
    skuId: id,
    sku: z.string(),
    lotId: id,
    lot: z.string(),
    locationId: id,
    location: z.string(),
    stockStatus,
    units: signedUnits,
    cartons: z.int().describe('Full cartons, whatever the direction'),
    looseUnits: z.int(),
    palletsReported: z.int().nullable(),
    palletsComputed: z.int().nullable(),
  })
  .meta({ id: 'MovementLine' });
export type MovementLine = z.infer<typeof movementLine>;

const movementCharge = z
  .object({
    category: z.string(),
    name: z.string(),
    quantity: z.string(),
    rate: z.string().nullable(),
    amount: z.string().nullable().describe('Null while nobody knows the rate'),
    currency: z.string(),
    state: z.enum(['final', 'unrated']),
  })
  .meta({ id: 'MovementCharge' });

const palletVariance = z
  .object({ lineNo: z.int(), palletsReported: z.int(), palletsComputed: z.int() })
  .meta({ id: 'LinePalletVariance' });
export type PalletVariance = z.infer<typeof palletVariance>;

const movementWarning = z
  .object({
    code: z.enum(['possible-duplicate', 'pallet-variance', 'container-check-digit']),
    detail: z.string(),
    ids: z.array(id).optional().describe('Of the movements that it may repeat'),
  })
  .meta({ id: 'MovementWarning' });
export type MovementWarning = z.infer<typeof movementWarning>;

const header = {
  id,
  number: z.string().describe('E.g. FMC-RCV-20250106-000123'),
  kind: z.enum(movementKinds),
  warehouseId: id,
  warehouse: z.string(),
  effectiveAt: z.iso.datetime(),
  recordedAt: z.iso.datetime(),
  backdated: z.boolean(),
  reference: z.string().nullable(),
  reasonCode: z.string().nullable(),
};

export const postedMovementView = z
  .object({
    ...header,
    lines: z.array(movementLine),
    charges: z.array(movementCharge),
    variances: z.array(palletVariance).describe('Pallets that were counted otherwise than computed'),
    warnings: z.array(movementWarning),
  })
  .meta({ id: 'PostedMovement' });
export type PostedMovementView = z.infer<typeof postedMovementView>;

const papers = {
  vessel: line(120).nullable(),
  carrier: line(120).nullable(),
  trackingNumber: line(120).nullable(),
  pickupOn: day.nullable(),
  notes: z.string().trim().max(2_000).nullable(),
  attachments: z.array(line(500)).max(50).describe('Keys of stored files, never their bytes'),
};

export const changeAttributes = z.strictObject(papers).partial().meta({ id: 'ChangeMovementAttributes' });
export type ChangeAttributes = z.infer<typeof changeAttributes>;

const rest = {
  counterparty: z.string().nullable(),
  containerNumber: z.string().nullable(),
  inboundType: z.string().nullable(),
  shipMode: z.string().nullable(),
  sourceType: z.string().nullable(),
  sourceId: z.string().nullable(),
  actorId: id,
  reversesMovementId: id.nullable(),
  reversedByMovementId: id.nullable(),
};

export const movementSummary = z.object({ ...header, ...rest }).meta({ id: 'MovementSummary' });
export type MovementSummary = z.infer<typeof movementSummary>;

export const movementView = z
  .object({
    ...header,
    ...rest,
    lines: z.array(movementLine),
    charges: z.array(movementCharge),
    variances: z.array(palletVariance),
    attributes: z.object(papers),
    rowVersion: rowVersion.describe('Of the attributes; 0 before they were first written'),
  })
  .meta({ id: 'Movement' });
export type MovementView = z.infer<typeof movementView>;

export const movementList = listOf(movementSummary);

export const movementFilter = page.extend({
  warehouse: idOrCode.optional(),
  kind: z.enum(movementKinds).optional(),
  from: instant.optional().describe('Effective then or later'),
  to: instant.optional().describe('Effective before'),
  reference: line(120).optional(),
  containerNumber: line(20).optional(),
  sku: idOrCode.optional(),
  lot: id.optional(),
  sourceType: line(40).optional(),
  sourceId: line(200).optional(),
});
export type MovementFilter = z.infer<typeof movementFilter>;
