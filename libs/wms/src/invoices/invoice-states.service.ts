import { Injectable } from '@nestjs/common';
import { Outbox } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { invoiceMayBecome, invoiceTransitions, type InvoiceState } from './invoice-state.rules.js';
import type { InvoiceChanged } from '../wms.events.js';
import { InvalidTransition } from '../wms.problems.js';
import { setStatus, type InvoiceRow } from './invoice.queries.js';

/** The only way in which an invoice becomes something else. */
@Injectable()
export class InvoiceStates {
  constructor(private readonly outbox: Outbox) {}

  async become(tx: EntityManager, invoice: InvoiceRow, to: InvoiceState): Promise<InvoiceRow> {
    this.check(invoice, to);
    await setStatus(tx, [invoice.id, to]);
    await this.announce(tx, { ...invoice, status: to }, invoice.status);
    return { ...invoice, status: to, rowVersion: invoice.rowVersion + 1 };
  }

  /** As `become`, unless it is that already. */
  async turn(tx: EntityManager, invoice: InvoiceRow, to: InvoiceState): Promise<InvoiceRow> {
    return invoice.status === to ? invoice : this.become(tx, invoice, to);
  }

  check({ status }: InvoiceRow, to: InvoiceState): void {
    if (!invoiceMayBecome(status, to)) throw new InvalidTransition('invoice', status, invoiceTransitions[status]);
  }

  /** What is asked for can be done only in some states. */
  expect({ status }: InvoiceRow, states: readonly InvoiceState[], detail?: string): void {
    if (!states.includes(status)) throw new InvalidTransition('invoice', status, invoiceTransitions[status], detail);
  }

  async announce(tx: EntityManager, invoice: InvoiceRow, from: InvoiceState | null): Promise<void> {
    const changed: InvoiceChanged = {
      name: 'wms.invoice.changed',
      body: {
        invoiceId: invoice.id,
        warehouseId: invoice.warehouseId,
        number: invoice.number,
        from,
        status: invoice.status,
        total: invoice.total,
        currency: invoice.currency,
      },
    };
    await this.outbox.add(tx, changed, 'wms');
  }
}
