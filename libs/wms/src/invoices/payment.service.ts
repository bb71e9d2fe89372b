import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database, InvalidRequest, type Caller } from '@belay/platform';
import { Money } from '../money.rules.js';
import { givenAmount } from './given-amount.service.js';
import { InvoiceAccess } from './invoice-access.service.js';
import { InvoiceStates } from './invoice-states.service.js';
import type { TakenIn } from './invoice.service.js';
import { openBalance, wholeInvoice } from './invoice-view.service.js';
import type { PayInvoice } from './invoice.contract.js';
import { PaymentExceedsBalance, PaymentReferenceTaken } from './invoice.problems.js';
import { insertPayment, paymentsOfInvoice, type InvoiceRow } from './invoice.queries.js';

const PAY = 'wms.invoice:pay';

@Injectable()
export class PaymentService {
  constructor(
    private readonly database: Database,
    private readonly access: InvoiceAccess,
    private readonly states: InvoiceStates,
  ) {}

  /**
   * Records what was paid, up to what is open; the invoice is paid when nothing is left. A reference names its payment:
   * sent again it changes nothing. Of an invoice that is disputed in part, what was accepted may be paid.
   */
  async pay(by: Caller, id: string, payment: PayInvoice): Promise<TakenIn> {
    return this.database.transaction(by, async (tx) => {
      const invoice = await this.access.locked(tx, by, PAY, id);
      const amount = amountOf(payment, invoice);
      const earlier = (await paymentsOfInvoice(tx, [id])).find(({ reference }) => reference === payment.reference);
      if (earlier) {
        const same =
          earlier.method === payment.method &&
          earlier.paidOn === payment.paidOn &&
          Money.parse(earlier.amount, invoice.currency).compare(amount) === 0;
        if (!same) throw new PaymentReferenceTaken(payment.reference);
        return { invoice: await wholeInvoice(tx, id), known: true };
      }

      this.refuseUnlessPayable(invoice);
      const open = openBalance(invoice);
      if (amount.compare(open) > 0) throw new PaymentExceedsBalance(open.toString(), invoice.currency);
      const { method, reference, paidOn } = payment;
      await insertPayment(tx, [randomUUIDv7(), id, method, reference, paidOn, amount.toString(), by.accountId]);
      if (invoice.status === 'approved' && amount.compare(open) === 0) await this.states.become(tx, invoice, 'paid');
      else await this.states.announce(tx, invoice, invoice.status);
      return { invoice: await wholeInvoice(tx, id), known: false };
    });
  }

  private refuseUnlessPayable(invoice: InvoiceRow): void {
    if (invoice.status === 'disputed' && invoice.payable !== null) return;
    this.states.expect(invoice, ['approved', 'paid'], 'Only what was approved is paid.');
  }
}

function amountOf({ amount }: PayInvoice, { currency }: InvoiceRow): Money {
  const money = givenAmount(amount, currency, '#/amount');
  if (money.minor > 0n) return money;
  throw new InvalidRequest([{ pointer: '#/amount', detail: 'must be more than nothing' }]);
}
