import { line, page, search, yesOrNo } from '@belay/platform';
import { z } from 'zod';
import { pickStrategies } from '../stock/pick.rules.js';
import { code, count, id, rowVersion, units } from '../wms.contract.js';

const switches = {
  lotTracked: z.boolean().describe('Without lots, all stock is in one lot named -'),
  expiryTracked: z.boolean().describe('What expires first is picked first, whatever the strategy says'),
  pickStrategy: z.enum(pickStrategies),
};

const optional = {
  asin: line(20).nullable(),
  gtin: z
    .string()
    .regex(/^(\d{8}|\d{12,14})$/, 'must be a GTIN of 8, 12, 13 or 14 digits')
    .nullable(),
  packSize: count.nullable(),
  minShelfLifeDays: z.int().min(0).max(36_500).nullable().describe('Less is not given to an order'),
  reorderPoint: units.nullable(),
  safetyStock: units.nullable(),
  unitWeightG: count.nullable(),
  unitLengthMm: count.nullable(),
  unitWidthMm: count.nullable(),
  unitHeightMm: count.nullable(),
  defaultCartonLengthMm: count.nullable(),
  defaultCartonWidthMm: count.nullable(),
  defaultCartonHeightMm: count.nullable(),
  defaultCartonWeightG: count.nullable(),
  material: line(120).nullable(),
  packagingType: line(120).nullable(),
  notes: z.string().trim().max(2_000).nullable(),
};

const details = {
  code,
  description: line(255),
  ...switches,
  defaultUnitsPerCarton: count.describe('Of new lots'),
  ...optional,
};

export const draftSku = z
  .strictObject({
    ...details,
    lotTracked: switches.lotTracked.default(true),
    expiryTracked: switches.expiryTracked.default(false),
    pickStrategy: switches.pickStrategy.default('fifo'),
    ...z.strictObject(optional).partial().shape,
  })
  .refine(({ expiryTracked, lotTracked }) => lotTracked || !expiryTracked, {
    path: ['expiryTracked'],
    error: 'needs lots: only they expire',
  })
  .meta({ id: 'DraftSku' });
export type DraftSku = z.infer<typeof draftSku>;

export const changeSku = z
  .strictObject({ ...details, isActive: z.boolean() })
  .partial()
  .meta({ id: 'ChangeSku' });
export type ChangeSku = z.infer<typeof changeSku>;

export const skuView = z
  .object({ id, ...details, isActive: z.boolean(), createdAt: z.iso.datetime(), rowVersion })
  .meta({ id: 'Sku' });
export type SkuView = z.infer<typeof skuView>;

export const skuFilter = page.extend({
  search: search.describe('Part of a code, description, ASIN or GTIN'),
  lotTracked: yesOrNo,
  expiryTracked: yesOrNo,
  active: yesOrNo,
});
export type SkuFilter = z.infer<typeof skuFilter>;
