import { line, page } from '@belay/platform';
import { z } from 'zod';
import { chargeCategories } from '../charges/charge.rules.js';
import { disputeResolutions, disputeStates } from './dispute-state.rules.js';
import { id, idOrCode, positiveDecimal, rowVersion } from '../wms.contract.js';

const amount = positiveDecimal(12, 2);
const reason = line(1_000);

export const draftDispute = z
  .strictObject({
    invoice: id,
    reasonCode: z.enum(['rate', 'quantity', 'not_ordered', 'not_delivered', 'duplicate', 'damage', 'other']),
    reason,
    disputedAmount: amount.optional().describe('Unless said, what the lines differ by'),
    lines: z
      .array(
        z
          .strictObject({
            line: z.string().regex(/^\d{1,19}$/, 'must be the id of a line'),
            amount: amount.optional().describe('Unless said, what the line differs by'),
            suggestedAmount: amount.optional().describe('What would be right'),
            reason: reason.optional(),
          })
          .meta({ id: 'DraftDisputeLine' }),
      )
      .max(2_000)
      .refine((all) => new Set(all.map((one) => one.line)).size === all.length, 'must not name a line twice')
      .default([])
      .describe('Of the last reconciliation; none stands for the whole invoice'),
  })
  .meta({ id: 'DraftDispute' });
export type DraftDispute = z.infer<typeof draftDispute>;

export const addDisputeEvent = z
  .strictObject({
    kind: z.enum(['note', 'contacted', 'escalated']),
    note: reason.optional(),
    at: z.iso.datetime({ offset: true }).optional().describe('When the operator was contacted; now, unless said'),
  })
  .refine(({ kind, note }) => kind !== 'note' || note !== undefined, { path: ['note'], error: 'must be said' })
  .refine(({ kind, at }) => kind === 'contacted' || at === undefined, {
    path: ['at'],
    error: 'is only said of a contact',
  })
  .meta({ id: 'DraftDisputeEvent' });
export type AddDisputeEvent = z.infer<typeof addDisputeEvent>;

export const resolveDispute = z
  .strictObject({
    resolution: z.enum(disputeResolutions),
    agreedAmount: amount.optional().describe('Of the credit, when a part is accepted'),
    creditNoteNumber: line(64).optional(),
    note: reason.optional(),
  })
  .refine(({ resolution, agreedAmount }) => (resolution === 'partial_accept') === (agreedAmount !== undefined), {
    path: ['agreedAmount'],
    error: 'must be said of a partial acceptance, and of nothing else',
  })
  .refine(
    ({ resolution, creditNoteNumber }) =>
      creditNoteNumber === undefined || resolution === 'accepted' || resolution === 'partial_accept',
    { path: ['creditNoteNumber'], error: 'is only said where there is a credit' },
  )
  .meta({ id: 'DisputeResolution' });
export type ResolveDispute = z.infer<typeof resolveDispute>;

export const nameCreditNote = z.strictObject({ number: line(64) }).meta({ id: 'CreditNote' });
export type NameCreditNote = z.infer<typeof nameCreditNote>;

const summary = {
  id,
  number: z.string(),
  invoiceId: id,
  invoiceNumber: z.string(),
  warehouseId: id,
  warehouse: z.string().describe('Its code'),
  reasonCode: z.string(),
  reason: z.string(),
  disputedAmount: z.string(),
  currency: z.string(),
  status: z.enum(disputeStates),
  contactedWarehouseAt: z.iso.datetime().nullable(),
  resolution: z.enum(disputeResolutions).nullable(),
  agreedAmount: z.string().nullable(),
  resolvedBy: id.nullable(),
  resolvedAt: z.iso.datetime().nullable(),
  dueAt: z.iso.datetime().nullable().describe('By when somebody must move it on; null when it has ended'),
  overdue: z.boolean(),
  credit: z
    .object({
      state: z.enum(['none', 'awaited', 'received', 'differs']),
      expected: z.string().nullable(),
      creditNoteNumber: z.string().nullable(),
      invoiceId: id.nullable().describe('The credit note'),
      received: z.string().nullable(),
    })
    .meta({ id: 'ExpectedCredit' }),
  createdBy: id,
  createdAt: z.iso.datetime(),
  rowVersion,
};

export const disputeSummary = z.object(summary).meta({ id: 'DisputeSummary' });
export type DisputeSummary = z.infer<typeof disputeSummary>;

export const disputeView = z
  .object({
    ...summary,
    allowed: z.array(z.enum(disputeStates)).describe('What it may become'),
    lines: z.array(
      z
        .object({
          reconLineId: z.string(),
          category: z.enum(chargeCategories),
          name: z.string(),
          difference: z.string(),
          disputedAmount: z.string(),
          suggestedAmount: z.string().nullable(),
          reason: z.string().nullable(),
          isOpen: z.boolean(),
        })
        .meta({ id: 'DisputeLine' }),
    ),
    events: z.array(
      z
        .object({
          kind: z.string(),
          status: z.enum(disputeStates),
          note: z.string().nullable(),
          actorId: id,
          at: z.iso.datetime(),
        })
        .meta({ id: 'DisputeEvent' }),
    ),
  })
  .meta({ id: 'Dispute' });
export type DisputeView = z.infer<typeof disputeView>;

export const disputeFilter = page.extend({
  warehouse: idOrCode.optional(),
  invoice: id.optional(),
  status: z.enum(disputeStates).optional(),
});
export type DisputeFilter = z.infer<typeof disputeFilter>;
