import { line, page, search, yesOrNo } from '@belay/platform';
import { z } from 'zod';
import { currencyScale } from '../money.rules.js';
import { code, currency, day, id, positiveDecimal, rowVersion } from '../wms.contract.js';

const warehouseKinds = ['third_party', 'own', 'amazon_fba', 'amazon_awd'] as const;
export type WarehouseKind = (typeof warehouseKinds)[number];

const address = z.strictObject({
  line1: line(120),
  line2: line(120).optional(),
  city: line(80),
  region: line(80).optional(),
  postalCode: line(20).optional(),
  country: z.string().regex(/^[A-Z]{2}$/, 'must be an ISO 3166 country of two letters'),
});
export type WarehouseAddress = z.infer<typeof address>;

const details = {
  siteId: id.describe('Who works at the site sees the warehouse'),
  name: line(120),
  kind: z.enum(warehouseKinds),
  address: address.nullable(),
  lat: z.number().min(-90).max(90).nullable(),
  lon: z.number().min(-180).max(180).nullable(),
  contactEmail: z.email().max(254).nullable(),
  contactPhone: z.e164().nullable(),
  timezone: z
    .string()
    .min(1)
    .max(64)
    .describe('IANA name; changing it has all storage since the last close worked out anew'),
  currency: currency.refine((text) => currencyScale(text) <= 2, 'must not have three decimals'),
  billingCycleStartDay: z.int().min(1).max(28).describe('The day of the month on which billing periods begin'),
  storageSnapshotIsodow: z.int().min(1).max(7).describe('The weekday whose closing stock is billed; 1 is Monday'),
  blockOnMissingRate: z
    .boolean()
    .describe('Refuse movements for which there is no rate, instead of leaving them unrated'),
  reconAbsTolerance: positiveDecimal(12, 2).describe('An invoice may differ by so much'),
  reconPctTolerance: positiveDecimal(2, 4).describe('An invoice may differ by so many percent of what was expected'),
};

export const draftWarehouse = z
  .strictObject({
    ...details,
    code: code.describe('Part of the numbers of its documents, so it cannot be changed'),
    address: details.address.default(null),
    lat: details.lat.default(null),
    lon: details.lon.default(null),
    contactEmail: details.contactEmail.default(null),
    contactPhone: details.contactPhone.default(null),
    timezone: details.timezone.optional().describe("IANA name; the site's unless said"),
    currency: details.currency.default('GBP'),
    billingCycleStartDay: details.billingCycleStartDay.optional(),
    storageSnapshotIsodow: details.storageSnapshotIsodow.optional(),
    blockOnMissingRate: details.blockOnMissingRate.default(false),
    reconAbsTolerance: details.reconAbsTolerance.default('0.01'),
    reconPctTolerance: details.reconPctTolerance.default('0'),
  })
  .meta({ id: 'DraftWarehouse' });
export type DraftWarehouse = z.infer<typeof draftWarehouse>;

export const changeWarehouse = z
  .strictObject({ ...details, isActive: z.boolean() })
  .partial()
  .meta({ id: 'ChangeWarehouse' });
export type ChangeWarehouse = z.infer<typeof changeWarehouse>;

export const warehouseView = z
  .object({
    id,
    code,
    ...details,
    closedThrough: day.nullable().describe('The last day of the periods that are closed'),
    isActive: z.boolean(),
    createdAt: z.iso.datetime(),
    rowVersion,
  })
  .meta({ id: 'Warehouse' });
export type WarehouseView = z.infer<typeof warehouseView>;

export const warehouseFilter = page.extend({
  search: search.describe('Part of a name or code'),
  site: id.optional(),
  kind: z.enum(warehouseKinds).optional(),
  active: yesOrNo,
});
export type WarehouseFilter = z.infer<typeof warehouseFilter>;
