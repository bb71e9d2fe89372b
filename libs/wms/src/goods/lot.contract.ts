import { page, search } from '@belay/platform';
import { z } from 'zod';
import { code, count, day, id, idOrCode, rowVersion } from '../wms.contract.js';
import { datesAreInOrder } from './lot.rules.js';

const lotStatuses = ['available', 'hold', 'quarantine', 'expired', 'recalled'] as const;
export type LotStatus = (typeof lotStatuses)[number];

/** The lot of a SKU that has none. */
export const SYSTEM_LOT = '-';

const unitsPerCarton = count.describe('Fixed once anything of the lot was received');

const optional = {
  cartonLengthMm: count.nullable(),
  cartonWidthMm: count.nullable(),
  cartonHeightMm: count.nullable(),
  cartonWeightG: count.nullable(),
  storageCartonsPerPallet: count.nullable(),
  shippingCartonsPerPallet: count.nullable(),
  manufacturedOn: day.nullable(),
  bestBeforeOn: day.nullable(),
  expiresOn: day.nullable(),
};

export const lotFields = {
  code: code.refine((text) => text !== SYSTEM_LOT, 'is the lot of SKUs without lots'),
  unitsPerCarton: unitsPerCarton.optional().describe("The SKU's unless said"),
  ...z.strictObject(optional).partial().shape,
};

export const datesNotInOrder = {
  path: ['expiresOn'],
  error: 'manufacturedOn, bestBeforeOn and expiresOn must follow each other',
};

export const draftLot = z
  .strictObject({ sku: idOrCode, ...lotFields, status: z.enum(lotStatuses).default('available') })
  .refine(datesAreInOrder, datesNotInOrder)
  .meta({ id: 'DraftLot' });
export type DraftLot = z.infer<typeof draftLot>;

/** What is known of a lot before it is there; a receipt may bring it along. */
export type LotFields = Omit<DraftLot, 'sku' | 'status'> & { readonly status?: LotStatus };

export const changeLot = z
  .strictObject({ code: lotFields.code, unitsPerCarton, ...optional, status: z.enum(lotStatuses) })
  .partial()
  .meta({ id: 'ChangeLot' });
export type ChangeLot = z.infer<typeof changeLot>;

export const lotView = z
  .object({
    id,
    skuId: id,
    sku: z.string().describe("The SKU's code"),
    code,
    unitsPerCarton,
    ...optional,
    status: z.enum(lotStatuses),
    createdAt: z.iso.datetime(),
    rowVersion,
  })
  .meta({ id: 'Lot' });
export type LotView = z.infer<typeof lotView>;

export const lotFilter = page.extend({
  sku: idOrCode.optional(),
  status: z.enum(lotStatuses).optional(),
  expiresBefore: day.optional(),
  search: search.describe('Part of a code'),
});
export type LotFilter = z.infer<typeof lotFilter>;
