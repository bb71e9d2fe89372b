import { line, page } from '@belay/platform';
import { z } from 'zod';
import { chargeCategories } from '../charges/charge.rules.js';
import { reconciliationResults } from './reconciliation.rules.js';
import { day, id } from '../wms.contract.js';

const lineId = z.string().regex(/^\d{1,19}$/, 'must be the id of a line');
const sum = z.string();

export const reconcileInvoice = z
  .strictObject({
    periodStart: day.optional(),
    periodEnd: day.optional().describe('The days whose charges are expected; those of the invoice, unless said'),
  })
  .refine(({ periodStart, periodEnd }) => (periodStart === undefined) === (periodEnd === undefined), {
    path: ['periodEnd'],
    error: 'must be given together with periodStart',
  })
  .refine(({ periodStart = '', periodEnd = '' }) => periodStart <= periodEnd, {
    path: ['periodEnd'],
    error: 'must not be before periodStart',
  })
  .meta({ id: 'ReconciliationPeriod' });
export type ReconcileInvoice = z.infer<typeof reconcileInvoice>;

export const decideInvoice = z
  .strictObject({
    decisions: z
      .array(
        z
          .strictObject({ line: lineId, decision: z.enum(['accepted', 'disputed']), note: line(500).optional() })
          .meta({ id: 'LineDecision' }),
      )
      .min(1)
      .max(2_000)
      .refine((all) => new Set(all.map((one) => one.line)).size === all.length, 'must not name a line twice'),
  })
  .meta({ id: 'InvoiceDecisions' });
export type DecideInvoice = z.infer<typeof decideInvoice>;

const numbers = {
  expectedQty: z.string(),
  invoicedQty: z.string(),
  expectedAmount: sum,
  invoicedAmount: sum,
  difference: sum.describe('Invoiced less expected'),
  result: z.enum(reconciliationResults),
};
const key = { category: z.enum(chargeCategories), name: z.string() };

const reconLine = z
  .object({
    id: z.string(),
    ...key,
    ...numbers,
    rateVariance: sum,
    qtyVariance: sum,
    decision: z.enum(['pending', 'accepted', 'disputed']),
    decidedBy: id.nullable(),
    decidedAt: z.iso.datetime().nullable(),
    note: z.string().nullable(),
    before: z
      .object(numbers)
      .meta({ id: 'EarlierReconLine' })
      .nullable()
      .describe('The same line in the run before, when it said something else; null when it is new or unchanged'),
    change: z.enum(['new', 'changed', 'same']).describe('Since the run before'),
  })
  .meta({ id: 'ReconLine' });

const run = {
  id,
  invoiceId: id,
  runNo: z.int(),
  engineVersion: z.string(),
  currency: z.string(),
  periodStart: z.string().nullable(),
  periodEnd: z.string().nullable(),
  expectedTotal: sum,
  invoicedTotal: sum,
  difference: sum,
  absTolerance: z.string(),
  pctTolerance: z.string().describe('In percent of what was expected'),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  createdBy: id,
};

export const reconRunSummary = z.object(run).meta({ id: 'ReconRunSummary' });
export type ReconRunSummary = z.infer<typeof reconRunSummary>;

export const reconRunView = z
  .object({
    ...run,
    unratedCharges: z.int().describe('Charges of these days that nobody can price by now, and that are not expected'),
    lines: z.array(reconLine),
    gone: z.array(z.object({ ...key, ...numbers }).meta({ id: 'GoneReconLine' })).describe('Only in the run before'),
  })
  .meta({ id: 'ReconRun' });
export type ReconRunView = z.infer<typeof reconRunView>;

export const runNumber = z.coerce.number().int().min(1).max(2_147_483_647);

export const runFilter = page.extend({});
export type RunFilter = z.infer<typeof runFilter>;
