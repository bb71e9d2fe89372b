import { line, page, search } from '@belay/platform';
import { z } from 'zod';
import { chargeCategories } from '../charges/charge.rules.js';
import { invoiceStates } from './invoice-state.rules.js';
import { currency, day, decimal, id, idOrCode, positiveDecimal, rowVersion } from '../wms.contract.js';

const MOST_LINES = 2_000;

const amount = decimal(12, 2);

const invoiceLine = z
  .strictObject({
    category: z.enum(chargeCategories),
    name: line(200).describe('In the words of the operator; aliases say which rate is meant'),
    quantity: decimal(14, 4),
    unitRate: decimal(8, 6).nullable().default(null),
    amount: amount.describe('Negative: a credit'),
  })
  .meta({ id: 'DraftInvoiceLine' });

const details = {
  number: line(64).describe('The number of the operator, unique in the warehouse whatever its case'),
  periodStart: day,
  periodEnd: day,
  issuedOn: day,
  dueOn: day.nullable(),
  net: amount,
  tax: amount,
  total: amount,
  paymentMethod: line(60).nullable(),
};
const lines = z.array(invoiceLine).min(1).max(MOST_LINES);

export const draftInvoice = z
  .strictObject({
    warehouse: idOrCode,
    ...details,
    dueOn: details.dueOn.default(null),
    currency: currency.optional().describe('That of the warehouse, unless said'),
    paymentMethod: details.paymentMethod.default(null),
    lines,
  })
  .meta({ id: 'DraftInvoice' });
export type DraftInvoice = z.infer<typeof draftInvoice>;

export const changeInvoice = z
  .strictObject({ ...details, lines })
  .partial()
  .meta({ id: 'ChangeInvoice' });
export type ChangeInvoice = z.infer<typeof changeInvoice>;

export const uploadInvoice = z.strictObject({
  dates: z
    .enum(['DMY', 'MDY'])
    .optional()
    .describe('How dates such as 03/04/2025 are meant; without it they are refused'),
  currency: currency.optional().describe('That of the warehouse, unless said'),
});
export type UploadInvoice = z.infer<typeof uploadInvoice>;

export const approveInvoice = z
  .strictObject({
    accept: z
      .array(z.string().regex(/^\d{1,19}$/))
      .max(MOST_LINES)
      .optional()
      .describe(
        'Lines of the last run that are accepted; the rest is disputed. Without it every line must be settled.',
      ),
  })
  .meta({ id: 'InvoiceApproval' });
export type ApproveInvoice = z.infer<typeof approveInvoice>;

export const voidInvoice = z.strictObject({ reason: line(500) }).meta({ id: 'InvoiceVoid' });
export type VoidInvoice = z.infer<typeof voidInvoice>;

export const payInvoice = z
  .strictObject({
    method: line(60).describe('E.g. BACS, card, direct debit'),
    reference: line(120).describe('Names the payment: sent again it is the same one'),
    paidOn: day,
    amount: positiveDecimal(12, 2),
  })
  .meta({ id: 'InvoicePayment' });
export type PayInvoice = z.infer<typeof payInvoice>;

const state = z.enum(invoiceStates);
const sum = z.string();

const summary = {
  id,
  warehouseId: id,
  warehouse: z.string().describe('Its code'),
  number: z.string(),
  periodStart: z.string(),
  periodEnd: z.string(),
  issuedOn: z.string(),
  dueOn: z.string().nullable(),
  currency: z.string(),
  net: sum,
  tax: sum,
  total: sum,
  status: state,
  payable: sum.nullable().describe('What was approved; null before'),
  paid: sum,
  openBalance: sum.describe('What is payable, or else the total, less what was paid'),
  createdBy: id,
  createdAt: z.iso.datetime(),
  rowVersion,
};

export const invoiceSummary = z.object(summary).meta({ id: 'InvoiceSummary' });
export type InvoiceSummary = z.infer<typeof invoiceSummary>;

export const invoiceView = z
  .object({
    ...summary,
    allowed: z.array(state).describe('What it may become'),
    paymentMethod: z.string().nullable(),
    approvedBy: id.nullable(),
    approvedAt: z.iso.datetime().nullable(),
    voidReason: z.string().nullable(),
    sourceFileSha256: z.string().nullable(),
    lines: z.array(
      z
        .object({
          lineNo: z.int(),
          category: z.enum(chargeCategories),
          name: z.string(),
          quantity: z.string(),
          unitRate: z.string().nullable(),
          amount: sum,
        })
        .meta({ id: 'InvoiceLine' }),
    ),
    payments: z.array(
      z
        .object({
          reference: z.string(),
          method: z.string(),
          paidOn: z.string(),
          amount: sum,
          createdBy: id,
          createdAt: z.iso.datetime(),
        })
        .meta({ id: 'RecordedPayment' }),
    ),
    warnings: z.array(
      z.object({ code: z.enum(['early-invoice', 'long-terms']), detail: z.string() }).meta({ id: 'InvoiceWarning' }),
    ),
  })
  .meta({ id: 'Invoice' });
export type InvoiceView = z.infer<typeof invoiceView>;

export const invoiceFilter = page.extend({
  warehouse: idOrCode.optional(),
  status: state.optional(),
  from: day.optional().describe('Periods that end on this day or later'),
  to: day.optional().describe('Periods that begin on this day or earlier'),
  search: search.describe('Part of a number'),
});
export type InvoiceFilter = z.infer<typeof invoiceFilter>;
