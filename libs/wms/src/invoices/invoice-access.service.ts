import { Injectable } from '@nestjs/common';
import { PermissionMissing, PreconditionFailed, type Caller, type Executor } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { InvoiceNotFound } from './invoice.problems.js';
import { invoiceById, lockInvoice, type InvoiceRow } from './invoice.queries.js';

export const READ_INVOICES = 'wms.invoice:read';

/** Which invoices somebody sees: those of the warehouses at whose sites they may read them. */
@Injectable()
export class InvoiceAccess {
  async seen(on: Executor, by: Caller, id: string): Promise<InvoiceRow> {
    const [invoice] = await invoiceById(on, [id]);
    if (!invoice || !may(by, READ_INVOICES, invoice)) throw new InvoiceNotFound(id);
    return invoice;
  }

  /** Held until the transaction ends, and the version that the caller means when they name one. */
  async locked(tx: EntityManager, by: Caller, permission: string, id: string, version?: number): Promise<InvoiceRow> {
    await lockInvoice(tx, [id]);
    const [invoice] = await invoiceById(tx, [id]);
    if (!invoice) throw new InvoiceNotFound(id);
    if (!may(by, permission, invoice)) {
      throw may(by, READ_INVOICES, invoice) ? new PermissionMissing(permission) : new InvoiceNotFound(id);
    }
    if (version !== undefined && invoice.rowVersion !== version) throw new PreconditionFailed(invoice.rowVersion);
    return invoice;
  }
}

function may(by: Caller, permission: string, { siteId }: InvoiceRow): boolean {
  return by.kind === 'system' || by.may(permission, siteId);
}
