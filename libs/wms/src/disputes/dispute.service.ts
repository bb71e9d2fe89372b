import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import {
  Database,
  decodeCursor,
  InvalidRequest,
  listFrom,
  PermissionMissing,
  PreconditionFailed,
  type Caller,
  type List,
} from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import type { DisputeState } from './dispute-state.rules.js';
import { givenAmount } from '../invoices/given-amount.service.js';
import { InvoiceAccess, READ_INVOICES } from '../invoices/invoice-access.service.js';
import { InvoiceStates } from '../invoices/invoice-states.service.js';
import { decideLines, linesOfRun, type ReconLineRow } from '../invoices/reconciliation.queries.js';
import { Money } from '../money.rules.js';
import { lineKey } from '../invoices/reconciliation.rules.js';
import { WarehouseScope } from '../warehouses/warehouse-scope.service.js';
import { InvalidTransition } from '../wms.problems.js';
import { DisputeStates } from './dispute-states.service.js';
import { summaryOf, wholeDispute } from './dispute-view.service.js';
import type {
  AddDisputeEvent,
  DisputeFilter,
  DisputeSummary,
  DisputeView,
  DraftDispute,
  NameCreditNote,
} from './dispute.contract.js';
import { DisputeNotFound, DisputeOnPaid, LineInDispute } from './dispute.problems.js';
import {
  disputeById,
  disputeList,
  insertDispute,
  insertDisputeLines,
  linesInDispute,
  lockDispute,
  moveDispute,
  setCreditNote,
  touchDispute,
  type DisputeRow,
} from './dispute.queries.js';

const WRITE = 'wms.dispute:write';
const listKey = z.tuple([z.string(), z.uuid()]);

interface AboutLine {
  readonly row: ReconLineRow;
  readonly amount: Money;
  readonly suggested: string | null;
  readonly reason: string | null;
}

@Injectable()
export class DisputeService {
  constructor(
    private readonly database: Database,
    private readonly warehouses: WarehouseScope,
    private readonly invoices: InvoiceAccess,
    private readonly invoiceStates: InvoiceStates,
    private readonly states: DisputeStates,
  ) {}

  async list(by: Caller, { warehouse, invoice, status, cursor, limit }: DisputeFilter): Promise<List<DisputeSummary>> {
    const on = this.database.dataSource;
    const only = warehouse === undefined ? null : (await this.warehouses.seen(on, by, READ_INVOICES, warehouse)).id;
    const after = decodeCursor(cursor, listKey) ?? [null, null];
    const sites = this.warehouses.sites(by, READ_INVOICES);
    const rows = await disputeList(on, [sites, only, invoice ?? null, status ?? null, ...after, limit + 1]);
    return listFrom(rows, limit, (row) => [row.sortAt, row.id], summaryOf);
  }

  async get(by: Caller, id: string): Promise<DisputeView> {
    const on = this.database.dataSource;
    const [dispute] = await disputeById(on, [id]);
    if (!dispute || !may(by, READ_INVOICES, dispute)) throw new DisputeNotFound(id);
    return wholeDispute(on, id);
  }

  /** About lines of the last reconciliation, or about everything in it that does not match. */
  async open(by: Caller, draft: DraftDispute): Promise<DisputeView> {
    return this.database.transaction(by, async (tx) => {
      const invoice = await this.invoices.locked(tx, by, WRITE, draft.invoice);
      if (invoice.status === 'paid') throw new DisputeOnPaid(invoice.number);
      this.invoiceStates.expect(invoice, ['needs_review', 'reconciled', 'disputed']);
      const about = await this.linesOf(tx, draft, invoice.currency);
      const amount =
        draft.disputedAmount === undefined
          ? Money.sum(
              about.map((line) => line.amount),
              invoice.currency,
            )
          : givenAmount(draft.disputedAmount, invoice.currency, '#/disputedAmount');
      if (amount.minor === 0n) {
        throw new InvalidRequest([{ pointer: '#/disputedAmount', detail: 'must be said: nothing differs' }]);
      }

      const id = randomUUIDv7();
      const { reasonCode, reason } = draft;
      const facts = [reasonCode, reason, amount.toString(), invoice.currency, by.accountId];
      const [made = { number: '' }] = await insertDispute(tx, [id, invoice.id, invoice.warehouseId, ...facts]);
      await insertDisputeLines(tx, [
        id,
        about.map(() => randomUUIDv7()),
        about.map(({ row }) => row.id),
        about.map((line) => line.amount.toString()),
        about.map(({ suggested }) => suggested),
        about.map((line) => line.reason),
      ]);
      const lines = about.map(({ row }) => row.id);
      await decideLines(tx, [lines, lines.map(() => 'disputed'), lines.map(() => null), by.accountId]);
      await this.states.note(tx, by, id, 'opened', 'open', reason);
      await this.states.announce(
        tx,
        { id, invoiceId: invoice.id, number: made.number, status: 'open', resolution: null },
        null,
      );
      await this.invoiceStates.turn(tx, invoice, 'disputed');
      return wholeDispute(tx, id);
    });
  }

  /** Something that happened: a note, or the next step towards the operator. */
  async add(by: Caller, id: string, version: number, { kind, note, at }: AddDisputeEvent): Promise<DisputeView> {
    return this.database.transaction(by, async (tx) => {
      const dispute = await this.locked(tx, by, WRITE, id, version);
      const status: DisputeState = kind === 'note' ? dispute.status : kind;
      if (kind === 'note') {
        await touchDispute(tx, [id]);
      } else {
        this.states.check(dispute, kind);
        await moveDispute(tx, [id, kind, kind === 'contacted' ? (at ?? new Date()) : null]);
      }
      await this.states.note(tx, by, id, kind, status, note);
      await this.states.announce(tx, { ...dispute, status }, dispute.status);
      return wholeDispute(tx, id);
    });
  }

  /** The credit note by which the operator gives what was agreed. */
  async credit(by: Caller, id: string, version: number, { number }: NameCreditNote): Promise<DisputeView> {
    return this.database.transaction(by, async (tx) => {
      const dispute = await this.locked(tx, by, WRITE, id, version);
      const agreed = Money.parse(dispute.agreedAmount ?? '0', dispute.currency);
      if (agreed.minor === 0n) throw new InvalidTransition('dispute', dispute.status, [], 'No credit was agreed.');
      await setCreditNote(tx, [id, number]);
      await this.states.note(tx, by, id, 'credit_note', dispute.status, number);
      await this.states.announce(tx, dispute, dispute.status);
      return wholeDispute(tx, id);
    });
  }

  /** Held until the transaction ends, behind its invoice, so that two of them never wait for each other. */
  async locked(tx: EntityManager, by: Caller, permission: string, id: string, version: number): Promise<DisputeRow> {
    const [unlocked] = await disputeById(tx, [id]);
    if (!unlocked) throw new DisputeNotFound(id);
    if (!may(by, permission, unlocked)) {
      throw may(by, READ_INVOICES, unlocked) ? new PermissionMissing(permission) : new DisputeNotFound(id);
    }
    await this.invoices.locked(tx, by, permission, unlocked.invoiceId);
    await lockDispute(tx, [id]);
    const [dispute = unlocked] = await disputeById(tx, [id]);
    if (dispute.rowVersion !== version) throw new PreconditionFailed(dispute.rowVersion);
    return dispute;
  }

  private async linesOf(tx: EntityManager, draft: DraftDispute, currency: string): Promise<AboutLine[]> {
    const rows = await linesOfRun(tx, [draft.invoice, null]);
    const byId = new Map(rows.map((row) => [row.id, row]));
    const taken = new Map(
      (await linesInDispute(tx, [draft.invoice])).map((line) => [lineKey(line.category, line.name), line.number]),
    );
    const isFree = (row: ReconLineRow) => !taken.has(lineKey(row.category, row.name));
    if (draft.lines.length === 0) {
      return rows
        .filter((row) => row.result !== 'match' && isFree(row))
        .map((row) => ({ row, amount: differenceOf(row, currency), suggested: null, reason: null }));
    }

    const unknown = draft.lines.flatMap(({ line }, index) =>
      byId.has(line) ? [] : [{ pointer: `#/lines/${index}/line`, detail: 'is no line of the last run' }],
    );
    if (unknown.length > 0) throw new InvalidRequest(unknown);
    const named = draft.lines.flatMap((given) => {
      const row = byId.get(given.line);
      return row ? [{ given, row }] : [];
    });
    const disputed = named.filter(({ row }) => !isFree(row)).map(({ row: { category, name } }) => ({ category, name }));
    const [first] = disputed;
    if (first) throw new LineInDispute(taken.get(lineKey(first.category, first.name)) ?? '', disputed);
    return named.map(({ given, row }, index) => {
      const { amount, suggestedAmount: suggested, reason = null } = given;
      const exact = (text: string, field: string) => givenAmount(text, currency, `#/lines/${index}/${field}`);
      return {
        row,
        amount: amount === undefined ? differenceOf(row, currency) : exact(amount, 'amount'),
        suggested: suggested === undefined ? null : exact(suggested, 'suggestedAmount').toString(),
        reason,
      };
    });
  }
}

function differenceOf({ difference }: ReconLineRow, currency: string): Money {
  return Money.parse(difference, currency).absolute();
}

function may(by: Caller, permission: string, { siteId }: DisputeRow): boolean {
  return by.kind === 'system' || by.may(permission, siteId);
}
