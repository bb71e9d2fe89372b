import { page } from '@belay/platform';
import { z } from 'zod';
import { chargeCategories } from '../charges/charge.rules.js';
import { day, id, idOrCode, units } from '../wms.contract.js';

const sum = z.string();
const place = { warehouseId: id, warehouse: z.string().describe('Its code') };

const ofWarehouse = page.extend({ warehouse: idOrCode.optional() });

export const anomalyFilter = ofWarehouse;
export type AnomalyFilter = z.infer<typeof anomalyFilter>;

/** Both days are included. */
const ofDays = ofWarehouse.extend({ from: day.optional(), to: day.optional() });

export const billedFilter = ofDays.describe('Invoices whose period touches these days');
export type BilledFilter = z.infer<typeof billedFilter>;

export const happenedFilter = ofDays.describe('What happened on these days of the warehouse');
export type HappenedFilter = z.infer<typeof happenedFilter>;

export const longStorageFilter = ofWarehouse.extend({
  days: z.coerce.number().int().min(1).max(3_650).default(180).describe('In stock for at least so long'),
});
export type LongStorageFilter = z.infer<typeof longStorageFilter>;

export const varianceView = z
  .object({
    ...place,
    currency: z.string(),
    invoices: z.int(),
    expected: sum,
    invoiced: sum,
    difference: sum.describe('Invoiced less expected'),
    rateVariance: sum,
    qtyVariance: sum,
    overbilled: sum,
    underbilled: sum,
    unexpected: sum,
    notBilled: sum,
    openDisputes: z.int(),
    disputed: sum.describe('In disputes that have not ended'),
    agreedCredits: sum,
  })
  .meta({ id: 'WarehouseVariance' });
export type VarianceView = z.infer<typeof varianceView>;

export const unexpectedView = z
  .object({
    lineId: z.string(),
    ...place,
    invoiceId: id,
    invoiceNumber: z.string(),
    periodStart: z.string(),
    periodEnd: z.string(),
    category: z.enum(chargeCategories),
    name: z.string(),
    quantity: z.string(),
    amount: sum,
    currency: z.string(),
    decision: z.enum(['pending', 'accepted', 'disputed']),
  })
  .meta({ id: 'UnexpectedCharge' });
export type UnexpectedView = z.infer<typeof unexpectedView>;

export const longStorageView = z
  .object({
    ...place,
    skuId: id,
    sku: z.string(),
    lotId: id,
    lot: z.string(),
    units,
    firstReceivedOn: z.string(),
    days: z.int(),
    storageCost: sum.describe('Of the lot in the warehouse, so far'),
    currency: z.string(),
  })
  .meta({ id: 'LongStorage' });
export type LongStorageView = z.infer<typeof longStorageView>;

const movement = {
  movementId: id,
  movement: z.string().describe('Its number'),
  ...place,
  kind: z.string(),
  effectiveAt: z.iso.datetime(),
  reference: z.string().nullable(),
};

export const palletVarianceView = z
  .object({
    ...movement,
    seq: z.string(),
    sku: z.string(),
    lot: z.string(),
    units,
    palletsReported: z.int(),
    palletsComputed: z.int(),
    difference: z.int().describe('Reported less computed'),
  })
  .meta({ id: 'PalletVariance' });
export type PalletVarianceView = z.infer<typeof palletVarianceView>;

export const missingDocumentsView = z
  .object({ ...movement, missing: z.array(z.enum(['attachments', 'trackingNumber', 'vessel'])) })
  .meta({ id: 'MissingDocuments' });
export type MissingDocumentsView = z.infer<typeof missingDocumentsView>;

export const anomalyView = z
  .object({
    kind: z.enum(['unrated-charge', 'unrated-storage', 'unconfigured-storage', 'expired-stock', 'waiting-invoice']),
    key: z.string().describe('Of the row it is about'),
    ...place,
    day: z.string(),
    subject: z.string(),
    detail: z.string(),
  })
  .meta({ id: 'Anomaly' });
export type AnomalyView = z.infer<typeof anomalyView>;
