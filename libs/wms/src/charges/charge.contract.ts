import { line, page } from '@belay/platform';
import { z } from 'zod';
import { currency, day, decimal, id, idOrCode, positiveDecimal } from '../wms.contract.js';
import { chargeCategories } from './charge.rules.js';

const category = z.enum(chargeCategories);

export const draftCharge = z
  .strictObject({
    warehouse: idOrCode,
    category: category.exclude(['Storage']).default('Accessorial'),
    name: line(120).describe('As the operator calls it; a rate by hand of that name gives the price'),
    quantity: decimal(10, 4)
      .refine((text) => /[1-9]/.test(text), 'must not be nothing')
      .describe('Negative: takes an earlier charge back'),
    rate: positiveDecimal(8, 6).optional().describe('Price of one, unless a rate by hand is valid on the day'),
    chargeOn: day,
    sku: idOrCode.optional(),
    reason: line(500),
  })
  .meta({ id: 'DraftCharge' });
export type DraftCharge = z.infer<typeof draftCharge>;

export const chargeView = z
  .object({
    id: z.string(),
    warehouse: z.string().describe('Code of the warehouse'),
    category,
    name: z.string(),
    movementId: id.nullable(),
    storageLineId: z.string().nullable(),
    adjustsChargeId: z.string().nullable().describe('The charge that this one takes back or settles'),
    sku: z.string().nullable(),
    lot: z.string().nullable(),
    quantity: z.string(),
    rateId: id.nullable(),
    rate: z.string().nullable(),
    amount: z.string().nullable().describe('Null while nobody knows the price'),
    currency,
    chargeOn: day,
    periodStart: day,
    periodEnd: day,
    state: z.enum(['final', 'unrated']),
    note: z.string().nullable(),
    createdAt: z.iso.datetime(),
    createdBy: id.nullable(),
  })
  .meta({ id: 'Charge' });
export type ChargeView = z.infer<typeof chargeView>;

export const chargeFilter = page.extend({
  warehouse: idOrCode.optional(),
  period: day.optional().describe('Only the billing period that the day is in'),
  category: category.optional(),
  state: z.enum(['final', 'unrated']).optional().describe('unrated: those that still wait for a price'),
  movementId: id.optional(),
});
export type ChargeFilter = z.infer<typeof chargeFilter>;
