import type { Executor } from '@belay/platform';
import { disputeTransitions } from './dispute-state.rules.js';
import { Money } from '../money.rules.js';
import type { DisputeSummary, DisputeView } from './dispute.contract.js';
import { DisputeNotFound } from './dispute.problems.js';
import { disputeById, eventsOfDispute, linesOfDispute, type DisputeRow } from './dispute.queries.js';
import { creditState, dueAt } from './dispute.rules.js';

export function summaryOf(dispute: DisputeRow): DisputeSummary {
  const { currency, credited, creditAgreed } = dispute;
  const money = (text: string | null) => (text === null ? null : Money.parse(text, currency));
  const agreed = money(dispute.agreedAmount);
  const [brings, agreedInAll] = [money(credited), money(creditAgreed)];
  const note = brings && agreedInAll ? { brings, agreed: agreedInAll } : null;
  const due = dueAt(dispute.status, dispute.since);
  return {
    id: dispute.id,
    number: dispute.number,
    invoiceId: dispute.invoiceId,
    invoiceNumber: dispute.invoiceNumber,
    warehouseId: dispute.warehouseId,
    warehouse: dispute.warehouse,
    reasonCode: dispute.reasonCode,
    reason: dispute.reason,
    disputedAmount: Money.parse(dispute.disputedAmount, currency).toString(),
    currency,
    status: dispute.status,
    contactedWarehouseAt: dispute.contactedWarehouseAt?.toISOString() ?? null,
    resolution: dispute.resolution,
    agreedAmount: agreed?.toString() ?? null,
    resolvedBy: dispute.resolvedBy,
    resolvedAt: dispute.resolvedAt?.toISOString() ?? null,
    dueAt: due?.toISOString() ?? null,
    overdue: due !== null && due.getTime() <= Date.now(),
    credit: {
      state: creditState(agreed, note),
      expected: agreed === null || agreed.minor === 0n ? null : agreed.toString(),
      creditNoteNumber: dispute.creditNoteNumber,
      invoiceId: dispute.creditInvoiceId,
      received: brings?.toString() ?? null,
    },
    createdBy: dispute.createdBy,
    createdAt: dispute.createdAt.toISOString(),
    rowVersion: dispute.rowVersion,
  };
}

/** The dispute as it is by now, with its lines and its timeline. */
export async function wholeDispute(on: Executor, id: string): Promise<DisputeView> {
  const [dispute] = await disputeById(on, [id]);
  if (!dispute) throw new DisputeNotFound(id);
  const lines = await linesOfDispute(on, [id]);
  const events = await eventsOfDispute(on, [id]);
  return {
    ...summaryOf(dispute),
    allowed: [...disputeTransitions[dispute.status]],
    lines: [...lines],
    events: events.map((event) => ({ ...event, at: event.at.toISOString() })),
  };
}
