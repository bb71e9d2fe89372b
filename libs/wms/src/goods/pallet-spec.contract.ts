import { page } from '@belay/platform';
import { z } from 'zod';
import { count, day, id, idOrCode, rowVersion } from '../wms.contract.js';

const details = {
  storageCartonsPerPallet: count,
  shippingCartonsPerPallet: count,
  maxStackHeightMm: count.nullable(),
  effectiveFrom: day,
  effectiveTo: day.nullable().describe('The last day; null until further notice'),
  notes: z.string().trim().max(2_000).nullable(),
};

export const draftPalletSpec = z
  .strictObject({
    ...details,
    warehouse: idOrCode,
    sku: idOrCode,
    maxStackHeightMm: details.maxStackHeightMm.default(null),
    effectiveTo: details.effectiveTo.default(null),
    notes: details.notes.default(null),
  })
  .refine(({ effectiveFrom, effectiveTo }) => effectiveTo === null || effectiveFrom <= effectiveTo, {
    path: ['effectiveTo'],
    error: 'must not be before effectiveFrom',
  })
  .meta({ id: 'DraftPalletSpec' });
export type DraftPalletSpec = z.infer<typeof draftPalletSpec>;

export const changePalletSpec = z.strictObject(details).partial().meta({ id: 'ChangePalletSpec' });
export type ChangePalletSpec = z.infer<typeof changePalletSpec>;

export const palletSpecView = z
  .object({ id, warehouseId: id, skuId: id, sku: z.string().describe("The SKU's code"), ...details, rowVersion })
  .meta({ id: 'PalletSpec' });
export type PalletSpecView = z.infer<typeof palletSpecView>;

export const palletSpecFilter = page.extend({
  warehouse: idOrCode.optional(),
  sku: idOrCode.optional(),
  on: day.optional().describe('Valid on that day'),
});
export type PalletSpecFilter = z.infer<typeof palletSpecFilter>;
