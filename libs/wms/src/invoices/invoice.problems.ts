import { Conflict, NotFound } from '@belay/platform';

export class InvoiceNotFound extends NotFound {
  readonly slug = 'invoice-not-found';
  readonly title = 'There is no such invoice';

  constructor(invoiceId: string) {
    super('No invoice that you may see has this id.', { invoiceId });
  }
}

export class InvoiceNumberTaken extends Conflict {
  readonly slug = 'invoice-number-taken';
  readonly title = 'The number is taken';

  constructor(number: string, existing: { id?: string; status?: string } = {}) {
    super(`Another invoice of the warehouse has the number ${number}, and says something else.`, {
      number,
      invoiceId: existing.id ?? null,
      state: existing.status ?? null,
    });
  }
}

export class PaymentExceedsBalance extends Conflict {
  readonly slug = 'payment-exceeds-balance';
  readonly title = 'More than is open';

  constructor(openBalance: string, currency: string) {
    super(`Only ${openBalance} ${currency} of the invoice is open.`, { openBalance, currency });
  }
}

export class PaymentReferenceTaken extends Conflict {
  readonly slug = 'payment-reference-taken';
  readonly title = 'The reference is taken';

  constructor(reference: string) {
    super(`Another payment of the invoice has the reference ${reference}.`, { reference });
  }
}

export class ReconRunNotFound extends NotFound {
  readonly slug = 'recon-run-not-found';
  readonly title = 'There is no such reconciliation';

  constructor(runNo: number) {
    super(`The invoice has no reconciliation ${runNo}.`, { runNo });
  }
}
