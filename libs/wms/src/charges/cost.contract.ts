import { z } from 'zod';
import { otherRate } from '../rates/rate.contract.js';
import { currency, day, idOrCode } from '../wms.contract.js';
import { chargeCategories } from './charge.rules.js';

const category = z.enum(chargeCategories);

const groupings = ['category', 'name', 'sku', 'week', 'month'] as const;

export const costQuestion = z
  .strictObject({
    warehouse: idOrCode,
    period: day.optional().describe('A day of the billing period'),
    from: day.optional().describe('Instead of a period: the first day of the charges'),
    to: day.optional().describe('With from: the last day of the charges'),
    groupBy: z.enum(groupings).default('name'),
  })
  .refine(({ period, from, to }) => (period !== undefined) !== (from !== undefined && to !== undefined), {
    path: ['period'],
    error: 'must be given, or else from and to',
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from <= to, {
    path: ['to'],
    error: 'must not be before from',
  });
export type CostQuestion = z.infer<typeof costQuestion>;

const span = z.object({ start: day, end: day }).meta({ id: 'CostSpan' });

const costItem = z
  .object({
    category: category.optional(),
    name: z.string().optional(),
    sku: z.string().nullable().optional().describe('Null: of no SKU in particular'),
    week: day.optional().describe('The Monday of the week'),
    month: z.string().optional(),
    quantity: z.string().optional().describe('Only by name: quantities of other things do not add up'),
    amount: z.string(),
    lines: z.int().describe('Charges that stand'),
    unrated: z.int().describe('What has no price yet, and so is not in the amount'),
  })
  .meta({ id: 'CostItem' });

export const costView = z
  .object({ period: span, currency, total: z.string(), items: z.array(costItem) })
  .meta({ id: 'Costs' });
export type CostView = z.infer<typeof costView>;

export const priceCheckRequest = z
  .strictObject({
    warehouse: idOrCode,
    period: day.describe('A day of the billing period, which may be closed'),
    rates: z.array(otherRate).min(1).max(100).describe('In the place of all rates of the bases that these have'),
  })
  .meta({ id: 'PriceCheckRequest' });
export type PriceCheckRequest = z.infer<typeof priceCheckRequest>;

export const priceCheck = z
  .object({
    period: span,
    currency,
    charged: z.string().describe('What the period was charged'),
    total: z.string().describe('What it would come to'),
    difference: z.string(),
    items: z.array(
      z
        .object({
          category,
          name: z.string(),
          quantity: z.string(),
          charged: z.string(),
          amount: z.string(),
          difference: z.string(),
          unrated: z.int(),
        })
        .meta({ id: 'PriceCheckItem' }),
    ),
  })
  .meta({ id: 'PriceCheck' });
export type PriceCheck = z.infer<typeof priceCheck>;
