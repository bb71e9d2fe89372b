import { line } from '@belay/platform';
import { z } from 'zod';
import { day, id, idOrCode } from '../wms.contract.js';

export const periodView = z
  .object({
    warehouse: z.string().describe('Code of the warehouse'),
    start: day,
    end: day,
    state: z.enum(['open', 'closed']),
    closedBy: id.nullable(),
    closedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'BillingPeriod' });
export type PeriodView = z.infer<typeof periodView>;

export const periodFilter = z.strictObject({
  warehouse: idOrCode,
  limit: z.coerce.number().int().min(1).max(200).default(24).describe('Periods on a page'),
  cursor: z.string().max(2_000).optional().describe('`next` of the page before'),
});
export type PeriodFilter = z.infer<typeof periodFilter>;

export const closePeriod = z
  .strictObject({ warehouse: idOrCode, period: day.describe('A day of the period') })
  .meta({ id: 'PeriodToClose' });
export type ClosePeriod = z.infer<typeof closePeriod>;

export const reopenPeriod = z
  .strictObject({ warehouse: idOrCode, period: day.describe('A day of the period'), reason: line(500) })
  .meta({ id: 'PeriodToReopen' });
export type ReopenPeriod = z.infer<typeof reopenPeriod>;
