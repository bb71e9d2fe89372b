import { Injectable } from '@nestjs/common';
import {
  Database,
  decodeCursor,
  InvalidRequest,
  listFrom,
  type Caller,
  type Executor,
  type List,
} from '@belay/platform';
import { z } from 'zod';
import { lineKey } from './reconciliation.rules.js';
import { InvoiceAccess } from './invoice-access.service.js';
import { InvoiceStates } from './invoice-states.service.js';
import { wholeInvoice } from './invoice-view.service.js';
import type { InvoiceView } from './invoice.contract.js';
import { ReconRunNotFound } from './invoice.problems.js';
import { runReconciliation, stateOf } from './recon-engine.service.js';
import type {
  DecideInvoice,
  ReconcileInvoice,
  ReconRunSummary,
  ReconRunView,
  RunFilter,
} from './reconciliation.contract.js';
import {
  decideLines,
  linesOfRun,
  runOfInvoice,
  runsOfInvoice,
  unratedCharges,
  type ReconLineRow,
  type ReconRunRow,
} from './reconciliation.queries.js';

const RECONCILE = 'wms.invoice:reconcile';
const runKey = z.tuple([z.int()]);

@Injectable()
export class ReconciliationService {
  constructor(
    private readonly database: Database,
    private readonly access: InvoiceAccess,
    private readonly states: InvoiceStates,
  ) {}

  /** A new run beside those there are; an invoice that was approved stays approved, whatever it finds. */
  async reconcile(by: Caller, id: string, version: number, period: ReconcileInvoice): Promise<ReconRunView> {
    return this.database.transaction(by, async (tx) => {
      const invoice = await this.access.locked(tx, by, RECONCILE, id, version);
      this.states.expect(invoice, ['pending', 'needs_review', 'reconciled', 'disputed', 'approved']);
      const { periodStart: from = invoice.periodStart, periodEnd: to = invoice.periodEnd } = period;
      const runNo = await runReconciliation(tx, by.accountId, invoice, { from, to });
      await this.states.turn(tx, invoice, await stateOf(tx, invoice));
      return runView(tx, invoice.warehouseId, id, runNo);
    });
  }

  async runs(by: Caller, id: string, { cursor, limit }: RunFilter): Promise<List<ReconRunSummary>> {
    const on = this.database.dataSource;
    await this.access.seen(on, by, id);
    const [after] = decodeCursor(cursor, runKey) ?? [null];
    return listFrom(await runsOfInvoice(on, [id, after, limit + 1]), limit, (row) => [row.runNo], summaryOf);
  }

  async run(by: Caller, id: string, runNo: number): Promise<ReconRunView> {
    const on = this.database.dataSource;
    const { warehouseId } = await this.access.seen(on, by, id);
    return runView(on, warehouseId, id, runNo);
  }

  /** What people decide stands beside what was found, never over it. */
  async decide(by: Caller, id: string, version: number, { decisions }: DecideInvoice): Promise<InvoiceView> {
    return this.database.transaction(by, async (tx) => {
      const invoice = await this.access.locked(tx, by, RECONCILE, id, version);
      this.states.expect(invoice, ['needs_review', 'reconciled', 'disputed']);
      const known = new Set((await linesOfRun(tx, [id, null])).map((line) => line.id));
      const unknown = decisions.flatMap(({ line }, index) =>
        known.has(line) ? [] : [{ pointer: `#/decisions/${index}/line`, detail: 'is no line of the last run' }],
      );
      if (unknown.length > 0) throw new InvalidRequest(unknown);
      await decideLines(tx, [
        decisions.map((one) => one.line),
        decisions.map((one) => one.decision),
        decisions.map((one) => one.note ?? null),
        by.accountId,
      ]);
      await this.states.turn(tx, invoice, await stateOf(tx, invoice));
      return wholeInvoice(tx, id);
    });
  }
}

async function runView(on: Executor, warehouseId: string, id: string, runNo: number): Promise<ReconRunView> {
  const [run] = await runOfInvoice(on, [id, runNo]);
  if (!run) throw new ReconRunNotFound(runNo);
  const lines = await linesOfRun(on, [id, runNo]);
  const before = runNo === 1 ? [] : await linesOfRun(on, [id, runNo - 1]);
  const [unrated = { charges: 0 }] = await unratedCharges(on, [warehouseId, run.periodStart, run.periodEnd]);
  const earlier = new Map(before.map((line) => [lineKey(line.category, line.name), line]));
  const present = new Set(lines.map((line) => lineKey(line.category, line.name)));
  return {
    ...summaryOf(run),
    unratedCharges: unrated.charges,
    lines: lines.map((line) => {
      const then = earlier.get(lineKey(line.category, line.name));
      const same = then !== undefined && JSON.stringify(numbersOf(then)) === JSON.stringify(numbersOf(line));
      return {
        id: line.id,
        category: line.category,
        name: line.name,
        ...numbersOf(line),
        rateVariance: line.rateVariance,
        qtyVariance: line.qtyVariance,
        decision: line.decision,
        decidedBy: line.decidedBy,
        decidedAt: line.decidedAt?.toISOString() ?? null,
        note: line.note,
        before: then === undefined || same ? null : numbersOf(then),
        change: then === undefined ? 'new' : same ? 'same' : 'changed',
      };
    }),
    gone: before
      .filter((line) => !present.has(lineKey(line.category, line.name)))
      .map((line) => ({ category: line.category, name: line.name, ...numbersOf(line) })),
  };
}

function numbersOf(line: ReconLineRow) {
  const { expectedQty, invoicedQty, expectedAmount, invoicedAmount, difference, result } = line;
  return { expectedQty, invoicedQty, expectedAmount, invoicedAmount, difference, result };
}

function summaryOf(run: ReconRunRow): ReconRunSummary {
  return { ...run, startedAt: run.startedAt.toISOString(), finishedAt: run.finishedAt.toISOString() };
}
