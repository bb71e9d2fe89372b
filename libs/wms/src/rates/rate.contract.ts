import { line, page } from '@belay/platform';
import { z } from 'zod';
import { chargeCategories, inboundTypes, rateBases } from '../charges/charge.rules.js';
import { currency, day, id, idOrCode, positiveDecimal, rowVersion } from '../wms.contract.js';
import { faultsOf, usableBases } from './rate.rules.js';

const category = z.enum(chargeCategories);

const params = z
  .strictObject({
    inboundType: z.enum(inboundTypes).exactOptional().describe('Only receipts that came like this'),
    on: z.enum(['RECEIVE', 'SHIP']).exactOptional().describe('Only goods that come, or only goods that go'),
    measure: z.enum(['cartons', 'skus']).exactOptional().describe('over_threshold: what is counted'),
    threshold: z
      .string()
      .regex(/^\d{1,9}$/, 'must be a whole number in quotes')
      .exactOptional()
      .describe('over_threshold: how much of it is free'),
    minimum: positiveDecimal(8, 2).exactOptional().describe('min_charge: the least that a shipment costs'),
    fromPallets: z.int().min(1).max(9_999).exactOptional().describe('pallet_tier_flat: the least of the tier'),
    toPallets: z.int().min(1).max(9_999).exactOptional().describe('pallet_tier_flat: the most of the tier'),
    per: z.enum(['document', 'pallet']).exactOptional().describe('pallet_tier_flat: what the value is the price of'),
  })
  .meta({ id: 'RateParams' });

const rateName = line(120).describe('As the operator calls it; one rate of a name is valid at a time');
const value = positiveDecimal(8, 6).describe('Price of one');
const effectiveFrom = day.describe('First day on which it is valid');
const effectiveTo = day.nullable().describe('Last day on which it is valid; null while it has no end');
const unitLabel = line(40).nullable();
const notes = line(500).nullable();

export const draftRate = z
  .strictObject({
    warehouse: idOrCode,
    category,
    name: rateName,
    basis: z.enum(usableBases),
    value,
    currency,
    unitLabel: unitLabel.default(null),
    params: params.default({}),
    effectiveFrom,
    effectiveTo: effectiveTo.default(null),
    notes: notes.default(null),
  })
  .superRefine((rate, context) => {
    for (const { path, detail } of faultsOf(rate))
      context.addIssue({ code: 'custom', path: [...path], message: detail });
  })
  .meta({ id: 'DraftRate' });
export type DraftRate = z.infer<typeof draftRate>;

/** A price to reckon with that is not kept. */
export const otherRate = z
  .strictObject({
    category,
    name: rateName,
    basis: z.enum(usableBases).exclude(['manual']),
    value,
    params: params.default({}),
    effectiveFrom: effectiveFrom.default('0001-01-01'),
    effectiveTo: effectiveTo.default(null),
  })
  .superRefine((rate, context) => {
    for (const { path, detail } of faultsOf(rate))
      context.addIssue({ code: 'custom', path: [...path], message: detail });
  })
  .meta({ id: 'OtherRate' });
export type OtherRate = z.infer<typeof otherRate>;

export const changeRate = z
  .strictObject({
    category,
    name: rateName,
    basis: z.enum(usableBases),
    value,
    unitLabel,
    params,
    effectiveFrom,
    effectiveTo,
    notes,
  })
  .partial()
  .meta({ id: 'ChangeRate' });
export type ChangeRate = z.infer<typeof changeRate>;

export const succeedRate = z
  .strictObject({
    value,
    effectiveFrom: day.describe('First day of the new price; the rate ends the day before'),
    effectiveTo: effectiveTo.optional().describe('Last day of the new price; the end of the rate unless it is said'),
    params: params.optional(),
    notes: notes.default(null),
  })
  .meta({ id: 'SucceedRate' });
export type SucceedRate = z.infer<typeof succeedRate>;

export const rateView = z
  .object({
    id,
    warehouse: z.string().describe('Code of the warehouse'),
    category,
    name: z.string(),
    basis: z.enum(rateBases),
    value: z.string(),
    currency,
    unitLabel: z.string().nullable(),
    params,
    effectiveFrom: day,
    effectiveTo: day.nullable(),
    supersededBy: id.nullable(),
    lastChargedOn: day.nullable().describe('From then on only the end may change, and not to before this day'),
    notes: z.string().nullable(),
    rowVersion,
  })
  .meta({ id: 'Rate' });
export type RateView = z.infer<typeof rateView>;

export const succession = z.object({ ended: rateView, successor: rateView }).meta({ id: 'RateSuccession' });
export type Succession = z.infer<typeof succession>;

export const rateFilter = page.extend({
  warehouse: idOrCode.optional(),
  category: category.optional(),
  basis: z.enum(rateBases).optional(),
  name: line(120).optional().describe('The whole name, whatever its case'),
  validOn: day.optional().describe('Only rates that are valid on that day'),
});
export type RateFilter = z.infer<typeof rateFilter>;

export const overlapQuestion = z
  .strictObject({
    warehouse: idOrCode,
    name: rateName,
    basis: z.enum(usableBases),
    effectiveFrom,
    effectiveTo: effectiveTo.default(null),
    except: id.optional().describe('A rate that may overlap, because it is the one to be changed'),
  })
  .refine((asked) => asked.effectiveTo === null || asked.effectiveFrom <= asked.effectiveTo, {
    path: ['effectiveTo'],
    error: 'must not be before effectiveFrom',
  })
  .meta({ id: 'OverlapQuestion' });
export type OverlapQuestion = z.infer<typeof overlapQuestion>;

export const overlaps = z.object({ overlaps: z.array(rateView) }).meta({ id: 'RateOverlaps' });
export type Overlaps = z.infer<typeof overlaps>;

export const draftAlias = z
  .strictObject({
    warehouse: idOrCode,
    category,
    alias: line(200).describe("The operator's wording on invoices"),
    rateName: line(120).describe('The name of the rate that it stands for'),
  })
  .meta({ id: 'DraftRateAlias' });
export type DraftAlias = z.infer<typeof draftAlias>;

export const changeAlias = z.strictObject({ rateName: line(120) }).meta({ id: 'ChangeRateAlias' });
export type ChangeAlias = z.infer<typeof changeAlias>;

export const aliasView = z
  .object({ id, warehouse: z.string(), category, alias: z.string(), rateName: z.string(), rowVersion })
  .meta({ id: 'RateAlias' });
export type AliasView = z.infer<typeof aliasView>;

export const aliasFilter = page.extend({ warehouse: idOrCode.optional(), category: category.optional() });
export type AliasFilter = z.infer<typeof aliasFilter>;
