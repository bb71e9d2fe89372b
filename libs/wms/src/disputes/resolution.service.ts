import { Injectable } from '@nestjs/common';
import { Database, InvalidRequest, type Caller } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { givenAmount } from '../invoices/given-amount.service.js';
import { InvoiceAccess } from '../invoices/invoice-access.service.js';
import { InvoiceStates } from '../invoices/invoice-states.service.js';
import { stateOf } from '../invoices/recon-engine.service.js';
import { decideLines, linesOfRun, undecideLines } from '../invoices/reconciliation.queries.js';
import { Money } from '../money.rules.js';
import { lineKey } from '../invoices/reconciliation.rules.js';
import { DisputeService } from './dispute.service.js';
import { DisputeStates } from './dispute-states.service.js';
import { wholeDispute } from './dispute-view.service.js';
import type { DisputeView, ResolveDispute } from './dispute.contract.js';
import { endDispute, linesOfDispute, type DisputeRow } from './dispute.queries.js';

const RESOLVE = 'wms.dispute:resolve';

@Injectable()
export class ResolutionService {
  constructor(
    private readonly database: Database,
    private readonly disputes: DisputeService,
    private readonly states: DisputeStates,
    private readonly invoices: InvoiceAccess,
    private readonly invoiceStates: InvoiceStates,
  ) {}

  /**
   * Ends a dispute. What was found stays as it is: lines whose dispute was resolved are accepted, because they are paid
   * and what was agreed comes back as a credit; those of one that was withdrawn must be decided about anew.
   */
  async resolve(by: Caller, id: string, version: number, body: ResolveDispute): Promise<DisputeView> {
    return this.database.transaction(by, async (tx) => {
      const dispute = await this.disputes.locked(tx, by, RESOLVE, id, version);
      const { resolution, creditNoteNumber, note } = body;
      const status = resolution === 'withdrawn' ? 'withdrawn' : 'resolved';
      this.states.check(dispute, status);
      const agreed = agreedOf(body, dispute)?.toString() ?? null;
      await endDispute(tx, [id, status, resolution, agreed, creditNoteNumber ?? null, by.accountId]);
      await this.states.note(tx, by, id, status, status, note);
      await this.settle(tx, by, dispute, resolution === 'withdrawn');
      await this.states.announce(tx, { ...dispute, status, resolution }, dispute.status);

      const invoice = await this.invoices.locked(tx, by, RESOLVE, dispute.invoiceId);
      await this.invoiceStates.turn(tx, invoice, await stateOf(tx, invoice));
      return wholeDispute(tx, id);
    });
  }

  /** The lines are those of the last reconciliation, which may be a later one than that of the dispute. */
  private async settle(tx: EntityManager, by: Caller, dispute: DisputeRow, withdrawn: boolean): Promise<void> {
    const about = new Set(
      (await linesOfDispute(tx, [dispute.id])).map(({ category, name }) => lineKey(category, name)),
    );
    const lines = (await linesOfRun(tx, [dispute.invoiceId, null]))
      .filter((line) => line.decision === 'disputed' && about.has(lineKey(line.category, line.name)))
      .map((line) => line.id);
    if (withdrawn) await undecideLines(tx, [lines]);
    else await decideLines(tx, [lines, lines.map(() => 'accepted'), lines.map(() => null), by.accountId]);
  }
}

function agreedOf({ resolution, agreedAmount }: ResolveDispute, dispute: DisputeRow): Money | null {
  const disputed = Money.parse(dispute.disputedAmount, dispute.currency);
  switch (resolution) {
    case 'accepted':
      return disputed;
    case 'rejected':
      return Money.zero(dispute.currency);
    case 'withdrawn':
      return null;
    case 'partial_accept': {
      const agreed = givenAmount(agreedAmount ?? '0', dispute.currency, '#/agreedAmount');
      if (agreed.compare(disputed) <= 0) return agreed;
      const detail = `must be at most what is disputed, ${disputed.toString()}`;
      throw new InvalidRequest([{ pointer: '#/agreedAmount', detail }]);
    }
  }
}
