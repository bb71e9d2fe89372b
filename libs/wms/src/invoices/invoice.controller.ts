import type { Readable } from 'node:stream';
import { Body, Controller, Get, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  By,
  Endpoint,
  FinishesOpenWork,
  IfMatch,
  InFeature,
  listOf,
  Requires,
  Upload,
  type Caller,
  type List,
} from '@belay/platform';
import type { FastifyReply } from 'fastify';
import { id } from '../wms.contract.js';
import { ApprovalService } from './approval.service.js';
import {
  approveInvoice,
  changeInvoice,
  draftInvoice,
  invoiceFilter,
  invoiceSummary,
  invoiceView,
  payInvoice,
  uploadInvoice,
  voidInvoice,
  type ApproveInvoice,
  type ChangeInvoice,
  type DraftInvoice,
  type InvoiceFilter,
  type InvoiceSummary,
  type InvoiceView,
  type PayInvoice,
  type UploadInvoice,
  type VoidInvoice,
} from './invoice.contract.js';
import { InvoiceService, type TakenIn } from './invoice.service.js';
import { PaymentService } from './payment.service.js';
import {
  decideInvoice,
  reconcileInvoice,
  reconRunSummary,
  reconRunView,
  runFilter,
  runNumber,
  type DecideInvoice,
  type ReconcileInvoice,
  type ReconRunSummary,
  type ReconRunView,
  type RunFilter,
} from './reconciliation.contract.js';
import { ReconciliationService } from './reconciliation.service.js';

const intake = ['403 permission-missing', '404 warehouse-not-found', '409 inactive-master-data'] as const;
const transition = ['404 invoice-not-found', '409 invalid-transition', '412 precondition-failed'] as const;

@ApiTags('wms')
@Controller('wms/invoices')
@InFeature('wms_finance')
export class InvoiceController {
  constructor(
    private readonly invoices: InvoiceService,
    private readonly reconciliations: ReconciliationService,
    private readonly approvals: ApprovalService,
    private readonly payments: PaymentService,
  ) {}

  @Get()
  @Requires('wms.invoice:read')
  @Endpoint('Find invoices', {
    returns: listOf(invoiceSummary),
    problems: ['404 warehouse-not-found'],
    description: 'Of your warehouses, the latest periods first.',
  })
  list(@By() by: Caller, @Query({ schema: invoiceFilter }) query: InvoiceFilter): Promise<List<InvoiceSummary>> {
    return this.invoices.list(by, query);
  }

  @Post()
  @Requires('wms.invoice:write')
  @Endpoint('Draft an invoice of an operator', {
    status: 201,
    returns: invoiceView,
    problems: [...intake, '409 invoice-number-taken', '409 currency-mismatch'],
    idempotency: 'required',
    description: 'One that is there already and says the same is answered with 200.',
  })
  async draft(
    @By() by: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Body({ schema: draftInvoice }) body: DraftInvoice,
  ): Promise<InvoiceView> {
    return answered(reply, await this.invoices.draft(by, body));
  }

  @Post('upload')
  @Requires('wms.invoice:write')
  @Endpoint('Draft an invoice from a CSV file', {
    status: 201,
    returns: invoiceView,
    problems: [...intake, '409 invoice-number-taken', '409 currency-mismatch', '413 body-too-large'],
    upload: 'text/csv',
    description:
      'UTF-8, separated by commas or semicolons. A row for each line, with the columns Invoice Number, Warehouse, Billing Period Start, Billing Period End, Invoice ' +
      'Date, Due Date, Total Amount, Tax, Category, Name, Quantity, Rate and Amount. The same file again is answered with 200.',
  })
  async upload(
    @By() by: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query({ schema: uploadInvoice }) query: UploadInvoice,
    @Upload() body: Readable,
  ): Promise<InvoiceView> {
    return answered(reply, await this.invoices.upload(by, query, body));
  }

  @Get(':id')
  @Requires('wms.invoice:read')
  @Endpoint('Read an invoice', { returns: invoiceView, problems: ['404 invoice-not-found'] })
  get(@By() by: Caller, @Param('id', { schema: id }) invoice: string): Promise<InvoiceView> {
    return this.invoices.get(by, invoice);
  }

  @Patch(':id')
  @Requires('wms.invoice:write')
  @Endpoint('Change a draft', { returns: invoiceView, problems: [...transition, '409 invoice-number-taken'] })
  change(
    @By() by: Caller,
    @Param('id', { schema: id }) invoice: string,
    @IfMatch() version: number,
    @Body({ schema: changeInvoice }) body: ChangeInvoice,
  ): Promise<InvoiceView> {
    return this.invoices.change(by, invoice, version, body);
  }

  @Post(':id/submit')
  @Requires('wms.invoice:write')
  @Endpoint('Submit a draft to be reconciled', { returns: invoiceView, problems: transition })
  submit(
    @By() by: Caller,
    @Param('id', { schema: id }) invoice: string,
    @IfMatch() version: number,
  ): Promise<InvoiceView> {
    return this.invoices.submit(by, invoice, version);
  }

  @Post(':id/reconcile')
  @Requires('wms.invoice:reconcile')
  @Endpoint('Compare an invoice with what was charged', {
    returns: reconRunView,
    problems: [...transition, '409 currency-mismatch'],
    description: 'Makes a new run; the ones before stay as they are. Possible until the invoice is paid.',
  })
  reconcile(
    @By() by: Caller,
    @Param('id', { schema: id }) invoice: string,
    @IfMatch() version: number,
    @Body({ schema: reconcileInvoice }) body: ReconcileInvoice,
  ): Promise<ReconRunView> {
    return this.reconciliations.reconcile(by, invoice, version, body);
  }

  @Get(':id/runs')
  @Requires('wms.invoice:read')
  @Endpoint('List the reconciliations of an invoice', {
    returns: listOf(reconRunSummary),
    problems: ['404 invoice-not-found'],
  })
  runs(
    @By() by: Caller,
    @Param('id', { schema: id }) invoice: string,
    @Query({ schema: runFilter }) query: RunFilter,
  ): Promise<List<ReconRunSummary>> {
    return this.reconciliations.runs(by, invoice, query);
  }

  @Get(':id/runs/:runNo')
  @Requires('wms.invoice:read')
  @Endpoint('Read a reconciliation', {
    returns: reconRunView,
    problems: ['404 invoice-not-found', '404 recon-run-not-found'],
    description: 'Its lines, and how each has changed since the run before.',
  })
  run(
    @By() by: Caller,
    @Param('id', { schema: id }) invoice: string,
    @Param('runNo', { schema: runNumber }) runNo: number,
  ): Promise<ReconRunView> {
    return this.reconciliations.run(by, invoice, runNo);
  }

  @Post(':id/decide')
  @Requires('wms.invoice:reconcile')
  @FinishesOpenWork()
  @Endpoint('Accept or dispute lines of the last reconciliation', { returns: invoiceView, problems: transition })
  decide(
    @By() by: Caller,
    @Param('id', { schema: id }) invoice: string,
    @IfMatch() version: number,
    @Body({ schema: decideInvoice }) body: DecideInvoice,
  ): Promise<InvoiceView> {
    return this.reconciliations.decide(by, invoice, version, body);
  }

  @Post(':id/approve')
  @Requires('wms.invoice:approve')
  @FinishesOpenWork()
  @Endpoint('Approve an invoice, whole or in part', {
    returns: invoiceView,
    problems: ['403 same-person', ...transition],
    description: 'By somebody else than who made it. What is accepted is locked, and becomes payable.',
  })
  approve(
    @By() by: Caller,
    @Param('id', { schema: id }) invoice: string,
    @IfMatch() version: number,
    @Body({ schema: approveInvoice }) body: ApproveInvoice,
  ): Promise<InvoiceView> {
    return this.approvals.approve(by, invoice, version, body);
  }

  @Post(':id/payments')
  @Requires('wms.invoice:pay')
  @FinishesOpenWork()
  @Endpoint('Record a payment', {
    status: 201,
    returns: invoiceView,
    problems: [
      '404 invoice-not-found',
      '409 invalid-transition',
      '409 payment-exceeds-balance',
      '409 payment-reference-taken',
    ],
    idempotency: 'required',
    description: 'One whose reference is known, with the same amount, changes nothing and is answered with 200.',
  })
  async pay(
    @By() by: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('id', { schema: id }) invoice: string,
    @Body({ schema: payInvoice }) body: PayInvoice,
  ): Promise<InvoiceView> {
    return answered(reply, await this.payments.pay(by, invoice, body));
  }

  @Post(':id/void')
  @Requires('wms.invoice:write')
  @Endpoint('Make an invoice void', {
    returns: invoiceView,
    problems: transition,
    description: 'Instead of deleting it. What was paid, even in part, cannot be void.',
  })
  cancel(
    @By() by: Caller,
    @Param('id', { schema: id }) invoice: string,
    @IfMatch() version: number,
    @Body({ schema: voidInvoice }) body: VoidInvoice,
  ): Promise<InvoiceView> {
    return this.approvals.cancel(by, invoice, version, body);
  }
}

/** What was known already was not created. */
function answered(reply: FastifyReply, { invoice, known }: TakenIn): InvoiceView {
  void reply.status(known ? 200 : 201);
  return invoice;
}
