import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, Database, InvalidRequest, SamePerson, type Caller, type Config } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { openDisputes } from '../disputes/dispute.queries.js';
import { DisputeStates } from '../disputes/dispute-states.service.js';
import { invoiceTransitions } from './invoice-state.rules.js';
import { Money } from '../money.rules.js';
import { comparableName, isSettled } from './reconciliation.rules.js';
import { InvalidTransition } from '../wms.problems.js';
import { InvoiceAccess } from './invoice-access.service.js';
import { InvoiceStates } from './invoice-states.service.js';
import { openBalance, wholeInvoice } from './invoice-view.service.js';
import type { ApproveInvoice, InvoiceView, VoidInvoice } from './invoice.contract.js';
import {
  lockStorageOfInvoice,
  releaseStorageOfInvoice,
  setApproval,
  setVoidReason,
  type InvoiceRow,
} from './invoice.queries.js';
import { payableOf } from './invoice.rules.js';
import { decideLines, linesOfRun, runOfInvoice, type ReconLineRow } from './reconciliation.queries.js';

const APPROVE = 'wms.invoice:approve';
const WRITE = 'wms.invoice:write';

@Injectable()
export class ApprovalService {
  constructor(
    private readonly database: Database,
    private readonly access: InvoiceAccess,
    private readonly states: InvoiceStates,
    private readonly disputes: DisputeStates,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Approves the whole invoice, once every line is settled; or the lines that are named, whereby the rest is disputed.
   * From then on what was accepted does not change: neither the lines nor the storage behind them.
   */
  async approve(by: Caller, id: string, version: number, { accept }: ApproveInvoice): Promise<InvoiceView> {
    return this.database.transaction(by, async (tx) => {
      const invoice = await this.access.locked(tx, by, APPROVE, id, version);
      if (this.config.WMS_SECOND_PERSON && invoice.createdBy === by.accountId)
        throw new SamePerson('Who made the invoice cannot approve it too.', { what: 'invoice' });
      this.states.expect(invoice, ['needs_review', 'reconciled', 'disputed']);
      const lines = await linesOfRun(tx, [id, null]);
      if (accept) await this.decide(tx, by, lines, accept);
      const decided = accept ? await linesOfRun(tx, [id, null]) : lines;
      const rest = decided.filter((line) => !isSettled(line));
      await refuseUnlessWhole(tx, invoice, rest, accept !== undefined);
      await this.accept(tx, by, invoice, decided);
      await this.states.turn(tx, await this.onTheWay(tx, invoice, rest), rest.length > 0 ? 'disputed' : 'approved');
      await this.endPaid(tx, by, id);
      return wholeInvoice(tx, id);
    });
  }

  /** What was paid cannot be void. Disputes about it are withdrawn, and its storage may change again. */
  async cancel(by: Caller, id: string, version: number, { reason }: VoidInvoice): Promise<InvoiceView> {
    return this.database.transaction(by, async (tx) => {
      const invoice = await this.access.locked(tx, by, WRITE, id, version);
      this.states.check(invoice, 'void');
      if (Money.parse(invoice.paid, invoice.currency).minor > 0n) {
        throw new InvalidTransition('invoice', invoice.status, ['paid'], 'A part of the invoice has been paid.');
      }
      await this.disputes.withdrawAll(tx, by, id, 'The invoice is void.');
      await releaseStorageOfInvoice(tx, [id]);
      await setVoidReason(tx, [id, reason]);
      await this.states.become(tx, invoice, 'void');
      return wholeInvoice(tx, id);
    });
  }

  private async decide(
    tx: EntityManager,
    by: Caller,
    lines: readonly ReconLineRow[],
    accept: readonly string[],
  ): Promise<void> {
    const known = new Set(lines.map((line) => line.id));
    const unknown = accept.flatMap((line, index) =>
      known.has(line) ? [] : [{ pointer: `#/accept/${index}`, detail: 'is no line of the last run' }],
    );
    if (unknown.length > 0) throw new InvalidRequest(unknown);
    const chosen = new Set(accept);
    const open = lines.filter((line) => line.result !== 'match');
    const decisions = open.map((line) => (chosen.has(line.id) ? 'accepted' : 'disputed'));
    const changed = open.map((line, index) => line.decision !== decisions[index]);
    const those = <Value>(values: readonly Value[]) => values.filter((_, index) => changed[index]);
    if (!changed.includes(true)) return;
    await decideLines(tx, [
      those(open).map(({ id }) => id),
      those(decisions),
      those(open).map(() => null),
      by.accountId,
    ]);
  }

  private async accept(
    tx: EntityManager,
    by: Caller,
    invoice: InvoiceRow,
    lines: readonly ReconLineRow[],
  ): Promise<void> {
    const { id, currency, warehouseId } = invoice;
    const settled = lines.filter(isSettled);
    const accepted = Money.sum(
      settled.map((line) => Money.parse(line.invoicedAmount, currency)),
      currency,
    );
    const [net, tax, total] = [invoice.net, invoice.tax, invoice.total].map((text) => Money.parse(text, currency));
    if (!net || !tax || !total) throw new Error('An invoice has three sums');
    const payable = settled.length === lines.length ? total : payableOf(accepted, { net, tax, total });
    await setApproval(tx, [id, by.accountId, payable.toString()]);

    const names = settled.filter(({ category }) => category === 'Storage').map(({ name }) => comparableName(name));
    const [run] = await runOfInvoice(tx, [id, null]);
    if (run) await lockStorageOfInvoice(tx, [id, warehouseId, names, run.periodStart, run.periodEnd]);
  }

  /** An invoice whose last lines are accepted with its approval was reconciled in between. */
  private async onTheWay(tx: EntityManager, invoice: InvoiceRow, rest: readonly ReconLineRow[]): Promise<InvoiceRow> {
    return invoice.status === 'needs_review' && rest.length === 0
      ? this.states.become(tx, invoice, 'reconciled')
      : invoice;
  }

  /** What is approved may have been paid already, line by line. */
  private async endPaid(tx: EntityManager, by: Caller, id: string): Promise<void> {
    const invoice = await this.access.locked(tx, by, APPROVE, id);
    if (invoice.status === 'approved' && openBalance(invoice).minor === 0n)
      await this.states.become(tx, invoice, 'paid');
  }
}

async function refuseUnlessWhole(
  tx: EntityManager,
  { id, status }: InvoiceRow,
  rest: readonly ReconLineRow[],
  inPart: boolean,
): Promise<void> {
  const allowed = invoiceTransitions[status].filter((state) => state !== 'approved');
  if (rest.length > 0 && !inPart) {
    throw new InvalidTransition('invoice', status, allowed, `${rest.length} lines are neither a match nor accepted.`);
  }
  if (rest.length > 0) return;
  const [disputes = { open: 0 }] = await openDisputes(tx, [id]);
  if (disputes.open > 0) {
    throw new InvalidTransition('invoice', status, allowed, `${disputes.open} disputes about it have not ended.`);
  }
}
